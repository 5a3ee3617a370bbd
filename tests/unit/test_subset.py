"""What a set is: the numbers against brute force, a planted difference found, nothing found in sets of no meaning."""

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from workbench.analysis import subcloud as clouds
from workbench.analysis.spectra import singular_spectrum
from workbench.analysis.subcloud import purity, subcloud
from workbench.analysis.subset import holm, separate
from workbench.embeddings import Embeddings
from workbench.errors import UserError
from workbench.figures import subcloud as drawn
from workbench.figures import subset as forests


def twice_the_tail(a, having, n, size):
    """Of the hypergeometric distribution, in whole numbers."""
    ways = [comb(having, k) * comb(size - having, n - k) for k in range(n + 1)]
    low, high = sum(ways[: a + 1]), sum(ways[a:])
    return float(min(Fraction(1), 2 * Fraction(min(low, high), comb(size, n))))


def studies(seed, patients=60, most=1):
    draw = np.random.default_rng(seed)
    return draw, np.repeat(np.arange(patients), draw.integers(1, most + 1, patients))


def test_shares_and_p_of_one_study_a_patient_are_fishers():
    draw, who = studies(0)
    member, x = np.arange(60) < 23, draw.random(60) < np.where(np.arange(60) < 23, 0.7, 0.25)
    found = separate(member, {"x": x.astype(float)}, who, csr_matrix(x[:, None]), ["x"])
    (each,), a, b = found.properties, int(x[:23].sum()), int(x[23:].sum())
    assert (each.inside.value, each.outside.value, each.n) == (pytest.approx(a / 23), pytest.approx(b / 37), (23, 37))
    assert each.p == pytest.approx(twice_the_tail(a, a + b, 23, 60), rel=1e-9) and each.adjusted == pytest.approx(2 * each.p)
    assert each.odds == pytest.approx(np.log((a + 0.5) / (23 - a + 0.5)) - np.log((b + 0.5) / (37 - b + 0.5)))
    assert found.words[0].p == pytest.approx(each.p) and found.words[0].difference == each.difference
    assert each.difference.low < a / 23 - b / 37 < each.difference.high and each.difference.low > 0
    assert found.tested == (1, 1) and found.studies == (23, 37) == found.patients and each.sure


def test_patients_with_several_studies_count_less():
    draw, who = studies(1, 40)
    member = who % 2 == 0
    x = (draw.random(40) < np.where(np.arange(40) % 2 == 0, 0.75, 0.3)).astype(float)
    once = separate(member, {"x": x}, who).properties[0]
    thrice = separate(np.repeat(member, 3), {"x": np.repeat(x, 3)}, np.repeat(who, 3), csr_matrix(np.repeat(x, 3)[:, None]), ["x"])
    each = thrice.properties[0]
    assert (
        each.p == pytest.approx(once.p)
        and each.p > separate(np.repeat(member, 3), {"x": np.repeat(x, 3)}, np.arange(120)).properties[0].p * 5
    )
    assert thrice.words[0].p == pytest.approx(each.p)
    assert each.difference.high - each.difference.low == pytest.approx(once.difference.high - once.difference.low, rel=0.15)


def test_numbers_are_compared_by_ranks_and_their_means_shown():
    draw, who = studies(2, 80)
    member = np.arange(80) < 30
    x = draw.normal(size=80) + 2 * member
    x[3] = np.nan
    each = separate(member, {"x": x, "y": np.exp(9 * x), "none": np.full(80, np.nan)}, who).properties
    assert each[0].kind == "mean" and each[0].inside.value == pytest.approx(np.nanmean(x[:30])) and each[0].sure
    assert each[1].p == pytest.approx(each[0].p)  # an outlier changes a mean, not the order
    assert each[0].n == (29, 50) and each[2].p is None and each[2].why == "no study states it"


def test_holm_is_holm():
    p = np.array([0.01, 0.04, 0.03, 0.005, 0.5])
    assert holm(p) == pytest.approx([0.04, 0.09, 0.09, 0.025, 0.5]) and len(holm(np.zeros(0))) == 0


def cohort(seed, planted=False):
    """Patients with one to four studies, properties and words that go with the patient, a set of whole patients or of studies at random."""
    draw, who = studies(seed, 150, 4)
    n, count = len(who), who[-1] + 1

    def column(share):
        return np.where(draw.random(n) < 0.7, (draw.random(count) < share)[who], draw.random(n) < share).astype(float)

    states = {f"share {k}": column(draw.uniform(0.05, 0.5)) for k in range(12)}
    states |= {f"number {k}": draw.standard_t(3, count)[who] + 0.3 * draw.normal(size=n) for k in range(6)}
    words = np.stack([column(draw.choice([0.06, 0.12, 0.3])) for _ in range(60)], 1)
    member = (draw.random(count) < 0.3)[who] if seed % 2 else draw.random(n) < 0.3
    if planted:
        states["share 3"] = np.where(draw.random(n) < 0.8, member, states["share 3"]).astype(float)
        words[:, 5] = np.where(draw.random(n) < 0.6, member, words[:, 5])
    return separate(member, states, who, csr_matrix(words), [f"word {k}" for k in range(60)])


def test_sets_of_no_meaning_show_nothing_in_nineteen_of_twenty():
    shown = [bool(found.separating or found.words) for found in map(cohort, range(60))]
    assert np.mean(shown) <= 0.05


def test_what_was_planted_is_found_and_told():
    found = cohort(1, planted=True)
    assert found.separating[0].name == "share 3" and found.words[0].name == "word 5"
    assert forests.headline(found).startswith("Share 3 is more frequent in the set") and forests.headline(found, True).startswith("Word 5")
    fig = forests.shares(found.properties, title="x")
    assert fig.layout.yaxis.ticktext[0] == "share 3" and any(
        "p &lt; .001" in str(a.text) or "p < .001" in str(a.text) for a in fig.layout.annotations
    )
    assert len(forests.table(found)) == 18 + len(found.words)


@pytest.mark.parametrize(
    ("member", "told"),
    [
        (np.zeros(40, bool), "the set is empty"),
        (np.ones(40, bool), "the set holds every study"),
        (np.arange(40) < 6, "6 patients in the set: a comparison needs 10"),
        (np.arange(40) > 3, "4 patients outside the set"),
    ],
)
def test_sets_that_cannot_be_compared_are_said(member, told):
    found = separate(
        member, {"x": np.arange(40) % 2.0, "z": np.arange(40.0)}, np.arange(40), csr_matrix(np.eye(40)), list(map(str, range(40)))
    )
    assert told in found.why and found.tested == (0, 0) and not found.separating and not found.words
    assert all(each.p is None for each in found.properties) and told[:20].lower() in forests.headline(found).lower()


def cloud(n=90, d=6):
    draw = np.random.default_rng(5)
    z = (draw.normal(size=(n, d)) + 2 * np.repeat(draw.normal(size=(n // 2, d)), 2, 0)) * np.arange(1, d + 1) + 1
    return Embeddings(
        z.astype(np.float32), tuple(f"s{k}" for k in range(n)), tuple(f"p{k // 2}" for k in range(n)), "image.projected", 7, "hash"
    )


def test_the_spectrum_is_that_of_the_rows_in_the_set():
    look, member = cloud(), np.arange(90) % 3 != 0
    found = subcloud(look, member)
    assert found.values == pytest.approx(singular_spectrum(look.features[member]).values)
    assert (found.n, found.d, found.total, found.enough) == (60, 6, 90, True)
    assert found.random[1] < found.random[0] < found.random[2] and found.rank.low < found.rank.value < found.rank.high
    few = subcloud(look, np.arange(90) < 12)
    assert not few.enough and drawn.headline(few) == "12 studies are too few to judge 6 dimensions"
    fig = drawn.spectrum(few, "#ff0000")
    assert (
        {trace.name: trace.line.color for trace in fig.data}["this set"]
        != "#ff0000"
        == drawn.spectrum(found, "#ff0000").data[-1].line.color
    )
    assert drawn.rows(few)[0] == {"direction": 1, "this set": 1.0, "all studies": 1.0, "random sets": pytest.approx(1.0), "isotropic": 1.0}
    with pytest.raises(UserError, match="4 studies of this set are among the 90"):
        subcloud(look, np.arange(90) < 4)


def test_purity_is_what_a_loop_counts():
    look, member = cloud(), np.arange(90) % 4 == 1
    z = look.features / np.linalg.norm(look.features, axis=1, keepdims=True)
    found, counted, chance, held = purity(look, member, k=4), [], [], {}
    for row in np.flatnonzero(member):
        others = [k for k in range(90) if look.patients[k] != look.patients[row]]
        near = sorted(others, key=lambda k: -float(z[row] @ z[k]))[:4]
        counted.append(np.mean(member[near]))
        chance.append(np.mean(member[others]))
        for k in near:
            held[k] = held.get(k, 0) + (not member[k])
    assert found.share.value == pytest.approx(np.mean(counted)) and found.chance == pytest.approx(np.mean(chance))
    assert {each.key: each.members for each in found.outside}.items() <= {f"s{k}": times for k, times in held.items()}.items()
    assert [each.members for each in found.outside] == sorted(held.values(), reverse=True)[: len(found.outside)]
    with pytest.raises(UserError, match="the set is empty"):
        purity(look, np.zeros(90, bool))
    with pytest.raises(UserError, match="fewer than 100 studies are of other patients"):
        purity(look, member, k=100)


def test_the_largest_of_many_are_found_without_sorting_all(monkeypatch):
    line = np.random.default_rng(6).normal(size=997)
    wanted = set(np.argsort(-line)[:10])
    assert set(clouds.largest(line, 10)) == wanted
    monkeypatch.setattr(clouds, "THINNED", 40)
    assert set(clouds.largest(line, 10)) == wanted
