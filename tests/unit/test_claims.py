"""Claims: the paired t over seeds, results in words, what counts as run, and what a record must hold."""

import json

import numpy as np
import pytest
from scipy.stats import ttest_rel

import workbench as wb
from workbench.analysis.claims import NOT_RUN, paired_seeds, rows, said, way, written
from workbench.errors import UserError

CLAIM = {"name": "a", "method": "clip", "term": "t", "settings": {"method.dim": 4}, "mechanism": "pair margin", "outcome": "probe"}
TABLE = {"rows": [CLAIM], "controls": {"clip": {"recipe": "clip-phantoms"}}}


def told(claim):
    gain = {"value": 1.0, "low": 0.5, "high": 1.5}
    return {
        "claim": claim,
        "mechanism": {"gain": gain},
        "outcome": {"gain": {**gain, "value": 2.0}},
        "seeds": [0, 1],
        "trials": 3,
        "changed": [],
        "result": "r",
    }


def test_the_gain_is_the_paired_t_of_each_seed_against_itself():
    draw = np.random.default_rng(0)
    base = draw.normal(size=5) * 10
    control, other = dict(enumerate(base)), dict(reversed([*enumerate(base + 0.3 + 0.1 * draw.normal(size=5))]))
    expected = ttest_rel([other[seed] for seed in range(5)], [control[seed] for seed in range(5)]).confidence_interval(0.95)
    found = paired_seeds(control, other)
    np.testing.assert_allclose([found.low, found.high], [expected.low, expected.high], rtol=1e-12)
    assert found.low > 0.1 and found.procedure == "paired t over 5 seeds, 95 %"


def test_what_is_better_when_low_gains_by_falling():
    found = paired_seeds({0: 3.0, 1: 4.0}, {0: 1.0, 1: 2.5}, sign=-1)
    assert found.value == pytest.approx(1.75) and found.high > found.value > found.low


def test_what_t_cannot_tell_is_withheld_with_the_reason():
    assert paired_seeds({0: 1.0}, {0: 2.0}).why.startswith("one seed") and paired_seeds({0: 1.0}, {0: 2.0}).low is None
    equal = paired_seeds({0: 1.0, 1: 2.0}, {0: 1.0, 1: 2.0})
    assert equal.value == 0 and equal.low is None and "equal" in equal.why


@pytest.mark.parametrize(
    ("control", "other", "message"),
    [
        ({0: 1.0, 1: 1.0}, {0: 1.0, 2: 1.0}, r"\[0, 1\] against \[0, 2\]; train the same seeds"),
        ({}, {}, "train the same seeds"),
        ({0: 1.0, 7: np.nan}, {0: 1.0, 7: 1.0}, "measure of seed 7 is not finite"),
    ],
)
def test_seeds_that_do_not_pair_are_refused(control, other, message):
    with pytest.raises(UserError, match=message):
        paired_seeds(control, other)


def test_a_mechanism_that_works_and_does_not_help_is_said_in_words():
    assert said(way(0.1, 0.3), way(-0.2, -0.1)) == "mechanism up and outcome down"
    assert said(way(-0.3, -0.1), way(0.0, 0.1)) == "mechanism down and outcome not told apart"
    assert way(None, None) == way(-1.0, 1.0) == "not told apart"


def test_a_row_counts_as_run_only_for_the_claim_it_was_run_for():
    claims = written(TABLE)
    assert rows(claims, {})[0]["result"] == NOT_RUN
    found = rows(claims, {"rows": {"a": told(claims[0])}})[0]
    assert (found["result"], found["mechanism gain"], found["outcome gain"], found["outcome low"]) == ("r", 1.0, 2.0, 0.5)
    assert (found["seeds"], found["settings tried"]) == (2, 3)
    for changed in (
        {**TABLE, "rows": [{**CLAIM, "settings": {"method.dim": 5}}]},
        {**TABLE, "controls": {"clip": {"recipe": "clip-phantoms", "settings": {"batch": 2}}}},
        {**TABLE, "settings": {"batch": 2}},
    ):
        again = rows(written(changed), {"rows": {"a": told(claims[0])}})[0]
        assert again["result"] == NOT_RUN and again["mechanism gain"] is None and list(again) == list(found)


def test_a_record_of_another_kind_is_refused():
    with pytest.raises(UserError, match=r"row a is not readable .*; write it anew: workbench study claims"):
        rows(written(TABLE), {"rows": {"a": {"value": 1}}})


def test_the_front_door_reads_a_record(tmp_path):
    from workbench.config import read_yaml
    from workbench.jobs import REPOSITORY

    claims = written(read_yaml(REPOSITORY / "docs/claims.yaml"))
    path = tmp_path / "claims.json"
    path.write_text(json.dumps({"rows": {claims[0]["name"]: told(claims[0])}}))
    frame = wb.claims(path).set_index("name")
    assert len(frame) == len(claims) <= 12
    assert frame.loc[claims[0]["name"], "result"] == "r" and set(frame["result"][1:]) == {NOT_RUN}
    with pytest.raises(UserError, match="nothing"):
        wb.claims(tmp_path / "nothing.json")
