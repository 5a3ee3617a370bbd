"""Patients of the thorax in time: who has which studies, what stays, what changes, and how frequent findings are."""

from collections import Counter
from itertools import pairwise

import numpy as np

from workbench.data.phantoms import FIRST
from workbench.phantom import DEVICES, FINDINGS
from workbench.phantom.comparison import changes
from workbench.phantom.thorax.course import ROUND, drawn_study, prior_of, visit_of
from workbench.phantom.thorax.films import SIDE, filmed, further, posed
from workbench.phantom.thorax.prevalence import shares_of, shifts_of
from workbench.phantom.thorax.variants import PLAIN, Variant

STUDIES = [drawn_study(21, index) for index in range(3000)]
PAIRS = [(before, now) for before, now in pairwise(STUDIES) if now.visit]


def present(studies):
    return np.mean([study.labels for study in studies], 0)


def test_a_patient_has_one_to_five_studies_and_is_in_one_split():
    counted = Counter(study.patient_index for study in STUDIES)
    assert set(counted.values()) == {1, 2, 3, 4, 5} and len(counted) == len(STUDIES) * len(ROUND) // sum(ROUND)
    assert all(first % sum(ROUND) == 0 for first in FIRST.values())
    assert visit_of(FIRST["val"]).patient == visit_of(FIRST["val"] - 1).patient + 1 and visit_of(FIRST["val"]).place == 0
    for before, now in PAIRS:
        assert before.patient == now.patient and before.patient_index == now.patient_index and now.visit == before.visit + 1
        assert before.days < now.days and prior_of(now) == before and now.progression == before.progression
    assert all(prior_of(study) is None and study.days == 0 for study in STUDIES if not study.visit)


def test_findings_appear_grow_shrink_and_clear_and_keep_their_side():
    known = Counter(how for before, now in PAIRS for how in changes(now, before).values())
    assert min(known[how] for how in ("increased", "decreased", "unchanged", "new", "resolved")) > 100, known
    for name in FINDINGS:
        both = [([e for e in s.findings if e.name == name], [e for e in t.findings if e.name == name]) for s, t in PAIRS]
        both = [pair for pair in both if all(pair)]
        assert all([(e.side, e.place) for e in old] == [(e.side, e.place) for e in new] for old, new in both)
        severities = np.array([[max(e.severity for e in found) for found in pair] for pair in both])
        assert np.corrcoef(severities.T)[0, 1] > 0.3, name


def test_what_lasts_long_stays_and_what_is_put_in_for_days_goes():
    stays = {name: np.mean([now.has(name) for before, now in PAIRS if before.has(name)]) for name in FINDINGS}
    assert stays["pacemaker"] > 0.85 and stays["cardiomegaly"] > 0.8 and stays["mass"] > 0.65
    assert max(stays["endotracheal tube"], stays["pneumothorax"]) < 0.7
    assert all(stays[name] > 1.5 * share for name, share in zip(FINDINGS, present(STUDIES)))


def test_illness_follows_its_progression():
    worse = [[np.mean(study.labels[:6]) for study in STUDIES if study.visit > 1 and sign * study.progression > 0.5] for sign in (-1, 1)]
    assert np.mean(worse[1]) > np.mean(worse[0]) + 0.03


def test_follow_up_changes_no_prevalence_and_the_population_is_that_of_the_studies():
    expected = np.array(list(shares_of(PLAIN).values()))
    first, later = (present([study for study in STUDIES if bool(study.visit) == followed]) for followed in (False, True))
    np.testing.assert_allclose(present(STUDIES), expected, atol=0.03)
    np.testing.assert_allclose(first, later, atol=0.06)


def test_a_stated_prevalence_is_met_and_the_other_findings_stay():
    stated = {"oedema": 0.4, "mass": 0.03, "pacemaker": 0.6}
    shifts = shifts_of(stated)
    found = present([drawn_study(22, index, Variant(shifts=shifts)) for index in range(2000)])
    for name, share in stated.items():  # patients have 2.2 studies, whose findings are alike
        assert abs(found[FINDINGS.index(name)] - share) < 4 * np.sqrt(2.2 * share * (1 - share) / 2000), name
    plain = present([drawn_study(22, index) for index in range(2000)])
    assert found[FINDINGS.index("consolidation")] == plain[FINDINGS.index("consolidation")]


def test_a_study_has_one_to_four_films_with_another_pose_and_noise_and_the_same_findings():
    counted = Counter(1 + len(further(study)) for study in STUDIES)
    share = {count: counted[count] / len(STUDIES) for count in counted}
    assert set(share) == {1, 2, 3, 4} and share[2] > share[3] > share[4] > 0.002 and 1.5 < sum(n * each for n, each in share.items()) < 1.8
    sides = {view: np.mean([SIDE in further(study) for study in STUDIES if study.view == view]) for view in ("PA", "AP")}
    assert sides["PA"] > 0.65 and sides["AP"] < 0.12
    study = next(study for study in STUDIES if further(study) == (1, 2))
    poses = [posed(study, number) for number in (0, 1, 2)]
    assert [each.view for each in poses] == [study.view, "lateral", study.view] and poses[0] == study
    assert len({each.yaw for each in poses}) == 3 and all(each.findings == study.findings for each in poses)
    still = study._replace(findings=())
    pose = {"yaw": 0.0, "roll": 0.0, "shift": (0.0, 0.0)}
    again = filmed(still, 2, 32).image.astype(float) - filmed(posed(still, 2)._replace(film=0), 0, 32).image
    assert np.abs(again).max() > 0, "the same pose filmed twice has noise of its own"
    assert posed(still._replace(**pose), 2).yaw != 0


def test_devices_come_and_go():
    moves = Counter(how for before, now in PAIRS for name, how in changes(now, before).items() if name in DEVICES)
    assert set(moves) == {"new", "resolved", "unchanged"} and min(moves.values()) > 100
    assert drawn_study(21, 8) == STUDIES[8] != drawn_study(20, 8)
