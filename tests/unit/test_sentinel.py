"""The sentinel: every kind of collapse on a closed case, every silence, and what it says."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest

from tests.app.folders import LOOKS, write_run
from tests.toys import histories, other_histories, third_histories
from tests.toys.histories import look_at
from training.watch import Watch
from workbench.analysis import looks
from workbench.analysis._fall import Limit, depth, fallen
from workbench.analysis._jackknife import row_fourth
from workbench.analysis._look import ClassLook, series_of
from workbench.analysis.collapse import Look, class_scales, sentinel
from workbench.analysis.sentinel import Verdict
from workbench.run import Run

IMAGE, BACKBONE, TEXT = "image.projected", "image.backbone", "text.projected"
D, N = 64, 512


def look(place, rank=20, mean=1.0, std=1.0, feature=IMAGE, **more):
    """`rank` equal directions of 64, so that the participation ratio is `rank`; every hundredth step."""
    spectrum = np.sqrt(N * D / rank) * std * (np.arange(D) < rank)
    return Look(100 * place, feature, N, D, spectrum, mean, std, **more)


def course(name="rank", values=(), feature=IMAGE, **more):
    return [look(place, feature=feature, **{name: value}, **more) for place, value in enumerate(values)]


GONE = (20, 20, 12, 6, 3)
HELD = (20,) * 5


def with_classes(*shares):
    """Looks whose classes a, b, c have these shares of the scale."""
    return [
        look(place, classes={name: ClassLook(60, share) for name, share in zip("abc", every)}) for place, every in enumerate(zip(*shares))
    ]


HOLDS, FALLS = (0.9,) * 5, (0.9, 0.9, 0.6, 0.3, 0.05)
KINDS = {
    "dimensional": course("rank", GONE),
    "total": course("std", (1, 1, 0.5, 0.2, 0.01), mean=4.0),
    "scale": [look(place, std=std, mean=0.5 * std) for place, std in enumerate((1, 1, 0.5, 0.2, 0.01))],
    "offset": course("mean", (1, 1, 8, 40, 200)),
    "tower": course("rank", GONE) + course("rank", HELD, TEXT),
    "projector": course("rank", GONE) + course("rank", HELD, BACKBONE) + course("rank", HELD, TEXT),
    "class": with_classes(FALLS, HOLDS, HOLDS),
    "between-class": with_classes(FALLS, FALLS, FALLS),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_told_from_the_others(kind):
    found = sentinel(KINDS[kind])
    assert found.kind == kind and found.feature == IMAGE and found.alarm
    assert 100 <= found.from_step < found.to_step == 400, "the fall begins at the last of the full looks"
    shuffled = [KINDS[kind][place] for place in np.random.default_rng(0).permutation(len(KINDS[kind]))]
    assert sentinel(shuffled) == found


def test_a_run_as_a_whole_is_neither_tower_nor_projector():
    every = course("rank", GONE) + course("rank", GONE, BACKBONE)
    assert sentinel(every).kind == "dimensional"
    assert sentinel(every + course("rank", GONE, TEXT)).kind == "dimensional"
    assert sentinel(every + course("rank", HELD, TEXT)).kind == "tower"
    assert sentinel(course("rank", GONE, BACKBONE) + course("rank", HELD)).kind == "dimensional", (
        "a projector does not stand for another tower"
    )


def test_the_sentence_has_the_evidence():
    projected = [
        Look(100 * place, IMAGE, N, 16, np.sqrt(1.0 * (np.arange(16) < rank)), 0.1, 1.0, probe)
        for place, (rank, probe) in enumerate(((4, 0.8), (5, 0.8), (5, 0.81), (2, 0.78), (1, 0.74)))
    ]
    found = sentinel(projected + course("rank", HELD, BACKBONE))
    assert found == Verdict("projector", IMAGE, 200, 400, found.evidence)
    assert found.evidence == (
        "the projected image features lost 4 of 5 directions between steps 200 and 400; the backbone did not; the probe fell from .80 to .74"
    )
    beside = sentinel(course("rank", GONE, BACKBONE) + course("rank", HELD) + course("rank", HELD, TEXT))
    assert beside.kind == "tower" and "; the projected text features did not" in beside.evidence, "the other tower, which made it the kind"
    said = sentinel(with_classes(HOLDS, FALLS, HOLDS)).evidence
    assert (
        said
        == "in the projected image features 1 of 3 classes (b) drew together to a point while the others did not between steps 100 and 400"
    )
    assert "rank with it fell from" in sentinel(KINDS["offset"]).evidence
    assert "standard deviation fell from 1 to .01" in sentinel(KINDS["total"]).evidence


def test_two_consecutive_looks_are_needed():
    assert sentinel(course("rank", (20, 20, 20, 3))).kind == "none"
    assert sentinel(course("rank", (20, 20, 3, 20))).kind == "none"
    assert sentinel(course("rank", (20, 20, 20, 17, 12))).kind == "dimensional", "the first may be small where the second is further down"
    assert sentinel(course("rank", (20, 3))).kind == "none", "a reference and two looks"


def test_a_snapshot_is_at_most_low_rank():
    low, full = sentinel([look(0, rank=3)]), sentinel([look(0, rank=60)])
    assert (low.kind, low.alarm) == ("low-rank", False) and "one look says low, not whether it fell" in low.evidence
    assert full.kind == "none"
    assert sentinel(course("rank", (3,) * 8)).kind == "none", "low from the beginning, and held"


def test_a_fall_is_against_the_running_maximum():
    slow = [40 * 0.95**place for place in range(12)]  # never far below the look before
    assert sentinel(course("rank", [round(value) for value in slow])).kind == "dimensional"
    assert sentinel(course("rank", (2, 10, 40, 12, 11))).kind == "dimensional", "the maximum lies between first and last"
    assert sentinel(course("rank", (40, 3, 3, 3, 30, 38))).kind == "none", "what came back is no collapse"


def test_falls_are_counted_in_logarithms():
    assert depth(np.array([8.0, 2.0]), 1) == (pytest.approx(np.log(4)), 0)
    assert sentinel(course("rank", (60, 60, 57, 56))).kind == "none", "four directions of sixty"
    assert sentinel(course("rank", (6, 6, 3, 2))).kind == "dimensional", "four of six"


def test_a_point_is_caught_though_its_centred_rank_is_full():
    """A network without BatchNorm that maps everything to one point: measured on rows."""
    draw = np.random.default_rng(0)
    mean = draw.normal(size=32)
    history = [
        look_at(place, IMAGE, mean + scale * draw.normal(size=(256, 32)), None) for place, scale in enumerate((1, 1, 0.3, 0.05, 0.002))
    ]
    assert history[-1].rank > 25 and history[-1].uncentred < 1.2
    assert sentinel(history).kind == "total"


def drawn(rows):
    return [look_at(10 * place, IMAGE, z, 0.8) for place, z in enumerate(rows)]


def test_it_is_silent_on_isotropic_and_on_low_rank_rows():
    draw = np.random.default_rng(1)
    assert sentinel(drawn(draw.normal(size=(12, 160, 32)))).kind == "none"
    assert sentinel(drawn(draw.normal(size=(12, 160, 3)) @ draw.normal(size=(3, 32)))).kind == "none"


def test_it_is_silent_on_few_rows_and_on_heavy_tails():
    draw = np.random.default_rng(2)
    ladder = np.exp(-np.arange(32) / 4)
    for _ in range(5):
        rows = draw.normal(size=(12, 24, 32)) * ladder
        assert sentinel(drawn(rows)).kind == "none"
        scales = np.sqrt(3 / draw.chisquare(3, size=(12, 160, 1)))
        assert sentinel(drawn(draw.normal(size=(12, 160, 32)) * ladder * scales)).kind == "none"
    short = [replace(each, n=4 * D - 1) for each in course("rank", GONE)]
    assert sentinel(short).kind == "none" and "255 rows are too few" in sentinel(short).evidence
    assert sentinel([replace(each, n=4 * D) for each in course("rank", GONE)]).kind == "dimensional"
    assert sentinel([replace(each, n=4 * D - 1) for each in KINDS["total"]]).kind == "total", "scale needs no rank"


def test_the_rank_with_the_mean_counts_that_as_one_more_direction():
    share = np.array([np.sqrt(D / 20)] * 20 + [3.0])
    share /= share.sum()
    found = look(0, 20, mean=3.0)
    assert found.uncentred == pytest.approx(np.exp(-np.sum(share * np.log(share))))
    assert replace(found, spectrum=7 * np.asarray(found.spectrum)).uncentred == pytest.approx(found.uncentred), "a spectrum in any unit"


def test_noise_of_a_rank_is_not_a_fall():
    """The standard errors that widen the limits are those of repeated draws."""
    draw = np.random.default_rng(3)
    scales = np.exp(-np.arange(16) / 5)
    every = [look_at(0, IMAGE, draw.normal(size=(100, 16)) * scales + 0.3, None) for _ in range(300)]
    for value, error in (("rank", "rank_error"), ("uncentred", "uncentred_error"), ("std", "std_error")):
        spread = np.std(np.log([getattr(each, value) for each in every]))
        assert np.mean([getattr(each, error) for each in every]) == pytest.approx(spread, rel=0.4)
    older = replace(every[0], row_fourth=None, row_kurtosis=3.0)
    assert replace(older, row_kurtosis=12.0).rank_error == pytest.approx(2 * older.rank_error)
    ladder, lengths = np.arange(1, 33) ** -0.5, np.exp(0.5 * draw.normal(size=(200, 130, 1)))
    heavy = [look_at(0, IMAGE, rows, None) for rows in draw.normal(size=(200, 130, 32)) * ladder * lengths]
    assert np.mean([each.rank_error for each in heavy]) == pytest.approx(np.std(np.log([each.rank for each in heavy])), rel=0.25)
    assert np.mean([each.std_error for each in heavy]) == pytest.approx(np.std(np.log([each.std for each in heavy])), rel=0.25)
    equal = replace(look(0, rank=D), row_fourth=3 * (1 + 2 / D))  # three times the tails of Gaussian rows
    assert equal.rank_error == pytest.approx(6 / N * np.sqrt((1 - 1 / D) * (1 + 2 / D))), "pairs decide where all directions are equal"


def test_the_rank_is_that_of_the_population():
    """Equal to averages over all quadruples of different rows, which no distribution biases; heavy tails and few rows leave it where it is."""
    rows = np.random.default_rng(4).standard_t(5, size=(8, 3)) * (4, 1, 0.5) + 5
    both = np.zeros(2)
    for i, j, k, l in itertools.permutations(range(8), 4):
        a, b = rows[i] - rows[k], rows[j] - rows[l]
        both += [(a @ a) * (b @ b), (a @ b) ** 2]
    assert 1.2 < look_at(0, IMAGE, rows, None).rank == pytest.approx(both[0] / both[1], rel=1e-9)
    draw = np.random.default_rng(5)
    lengths = np.exp(0.8 * draw.normal(size=(60, 160, 1)))
    heavy = [look_at(0, IMAGE, each, None) for each in draw.normal(size=(60, 160, 32)) * lengths]
    assert np.mean([each.rank for each in heavy]) == pytest.approx(32, rel=0.03) and all(each.rank <= 32 for each in heavy)
    assert np.mean([replace(each, row_fourth=None).rank for each in heavy]) < 16, "of the sample"
    line = look_at(0, IMAGE, np.outer(draw.normal(size=40), np.ones(3)), None)
    assert line.rank == pytest.approx(1) and look_at(0, IMAGE, np.ones((9, 4)), None).rank == 0
    assert replace(line, n=3, row_fourth=1.5).rank == pytest.approx(1), "three rows have no quadruple: the sample's"


def test_fourth_moments_of_row_norms():
    rows = np.random.default_rng(6).normal(size=(50, 4)) + 3
    squares = np.sum((rows - rows.mean(0)) ** 2, 1)
    assert row_fourth(rows) == pytest.approx(np.mean(squares**2) / np.mean(squares) ** 2, rel=1e-12)
    assert row_fourth(1e-90 * rows) == pytest.approx(row_fourth(rows)) and row_fourth(np.ones((5, 2))) == 1


def test_a_history_with_an_older_look_is_read_as_before():
    """A rank that changes its meaning on the way would be a fall."""
    draw = np.random.default_rng(8)
    new = drawn(draw.normal(size=(6, 160, 32)))
    old = [replace(each, row_fourth=None) for each in new]
    assert np.array_equal(series_of([*new[:3], *old[3:]]).rank, series_of(old).rank)
    assert series_of(new).rank.min() > 1.1 * series_of(old).rank.max() and series_of(new).full == 32 > series_of(old).full


def test_a_level_counts_that_two_looks_held():
    error = np.full(6, 0.1)
    one, two = (np.exp(np.array(logs)) for logs in ((0, 0, 0.6, 0, 0, 0), (0, 0.0, 0.6, 0.6, 0, 0)))
    least = 0.6 - 1.5 * np.hypot(0.1, 0.1)
    assert depth(two, 5, error)[0] == pytest.approx(least) and depth(one, 5, error)[0] < least - 0.03
    assert depth(two, 5, error)[1] in (2, 3) and depth(one, 5, error)[1] == 2
    sure = np.array([0.1, 0.1, 0.01, 0.1, 0.1, 0.1])
    assert depth(one, 5, sure)[0] == depth(one, 5, error)[0], "one high look is not surer than the others"


def test_noise_between_two_looks_is_not_a_further_fall():
    values, limit = np.exp(-np.array([0, 0, 0, 0, 0.20, 0.31])), Limit(0.03, 0.15, 0.09, 1.0)
    assert fallen(values, limit, np.full(6, 0.01)) is not None
    assert fallen(values, limit, np.full(6, 0.06)) is None


def test_a_mean_that_stays_is_no_offset():
    """Directions go while the probe learns: the rank with the mean follows them."""
    ranks, probes = (20, 19, 16, 14, 13), (0.6, 0.64, 0.7, 0.75, 0.8)
    learning = [look(place, rank, mean=4 + 0.1 * place, probe=probe) for place, (rank, probe) in enumerate(zip(ranks, probes))]
    assert sentinel(learning).kind == "none"
    assert sentinel([replace(each, mean_norm=4.0 * 3**place) for place, each in enumerate(learning)]).kind == "offset"


@pytest.mark.parametrize(
    "history",
    [
        course("rank", (20, 20, 20, 17, 17, 17, 17), std=1.0),
        [look(place, std=std, mean=std) for place, std in enumerate((1, 1, 1, 0.5, 0.5, 0.5))],
        [look(place, std=std, mean=std) for place, std in enumerate((1, 1, 1, 2, 2, 2))],
        course("mean", (6, 6, 6, 7, 7, 7)),
    ],
    ids=["learning rate", "temperature lower", "temperature higher", "mask ratio"],
)
def test_it_is_silent_on_what_is_changed_on_purpose(history):
    assert sentinel(history).kind == "none"


def test_a_cloud_that_grows_from_nothing_is_not_measured_against_its_first_looks():
    grown = [
        look(place, rank, std=std) for place, (rank, std) in enumerate(((20, 0.01), (20, 0.02), (14, 0.1), (10, 0.5), (10, 1), (11, 1)))
    ]
    assert sentinel(grown).kind == "none"
    assert sentinel([replace(each, std=1.0) for each in grown]).kind == "dimensional", "had it not grown"
    assert sentinel([*grown[:4], look(4, 2, std=1), look(5, 2, std=1)]).kind == "dimensional", "little is left"


def test_a_probe_that_learns_excuses_a_lower_rank_but_not_a_line():
    ranks, probes = (20, 19, 15, 12, 10), (0.6, 0.62, 0.7, 0.75, 0.8)
    learning = [look(place, rank, probe=probe) for place, (rank, probe) in enumerate(zip(ranks, probes))]
    assert sentinel(learning).kind == "none"
    assert sentinel([replace(each, probe=0.6) for each in learning]).kind == "dimensional"
    line = [look(place, rank, probe=probe) for place, (rank, probe) in enumerate(zip((20, 19, 6, 2, 1), probes))]
    assert sentinel(line).kind == "dimensional" and "the probe rose from .60 to .80" in sentinel(line).evidence


def test_a_class_of_a_few_rows_is_not_judged():
    few = [replace(each, classes={name: replace(own, n=19) for name, own in each.classes.items()}) for each in KINDS["class"]]
    assert sentinel(few).kind == "none"


def test_an_empty_history_is_refused():
    with pytest.raises(ValueError, match="no look"):
        sentinel([])
    with pytest.raises(ValueError, match="a series is of one feature"):
        series_of([look(0), look(1, feature=TEXT)])


def test_classes_are_the_rows_of_a_label_and_of_none():
    z = np.array([[0.0, 1], [2, 1], [5, 5], [9, 3]])
    found = class_scales(z, np.array([[1, 0], [1, np.nan], [0, 1], [0, 0]]), ["a", "b"])
    assert found == {"a": {"n": 2, "std": pytest.approx(np.sqrt(0.5))}, "b": {"n": 1, "std": 0.0}, "none of these": {"n": 1, "std": 0.0}}


def test_a_kept_history_is_judged_like_its_run(tmp_path):
    run = Run(write_run(tmp_path, "alignment"))
    (run.path / "artifacts/step-8/classes.json").write_text(json.dumps({IMAGE: {"up": {"n": 40, "std": 0.51234}}}))
    kept = json.loads(json.dumps(looks.compact(run)))
    again = looks.kept_history(kept)
    assert (kept["arm"], len(again)) == ("alignment", 2 * len(LOOKS))
    assert [each.step for each in looks.sequence(run, 8, IMAGE)] == [0, 1, 2, 4, 8]
    for a, b in zip(looks.sequence(run, looks.FOREVER), again):
        assert (a.step, a.feature, a.n, a.d) == (b.step, b.feature, b.n, b.d)
        assert b.row_fourth == pytest.approx(a.row_fourth, rel=6e-3)
        assert (b.rank, b.std, b.mean_norm, b.uncentred) == pytest.approx((a.rank, a.std, a.mean_norm, a.uncentred), rel=6e-3)
    assert again[2 * 4 + 1].classes == {"up": ClassLook(40, 0.512)}
    assert sentinel(again).kind == sentinel(looks.sequence(run, looks.FOREVER)).kind == "dimensional"
    for row in kept["looks"]:
        del row["row_fourth"]
    assert {each.row_fourth for each in looks.kept_history(kept)} == {None}, "kept before that was written"


def test_a_watch_speaks_once_and_remembers_after_a_resume(tmp_path):
    run = Run(write_run(tmp_path, "alignment"))
    watch = Watch(run, 0)
    said = list(filter(None, map(watch.see, LOOKS)))
    assert len({(each.kind, each.feature) for each in said}) == len(said) >= 1
    with open(run.path / "events.jsonl", "a") as file:
        for each in said:
            file.write(json.dumps({"event": "sentinel", "step": 16, "kind": each.kind, "feature": each.feature}) + "\n")
    resumed = Watch(run, 24)
    assert {each.step for each in resumed.history} == {step for step in LOOKS if step <= 24}
    assert not any(map(resumed.see, [step for step in LOOKS if step > 24]))
    earlier = Watch(run, 8)
    assert any(map(earlier.see, [step for step in LOOKS if step > 8])), "what came after the checkpoint is said again"


@pytest.mark.parametrize("family", [histories, other_histories, third_histories], ids=["A", "B", "C"])
def test_simulated_runs_are_what_they_say(family):
    fallen = family.simulate(np.random.default_rng(5), "dimensional")
    assert fallen.collapsing and fallen.curve[-1] < fallen.curve.max() + np.log(0.45)
    first, last = (np.mean([each.rank for each in fallen.looks if each.step in steps]) for steps in (fallen.steps[:3], fallen.steps[-3:]))
    assert last < 0.6 * first, "the rows follow the curve"
    held = family.simulate(np.random.default_rng(5), "steady")
    assert not held.collapsing and held.curve is None and {each.feature for each in held.looks} > {IMAGE}
