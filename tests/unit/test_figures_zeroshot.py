"""What the figures of the page Zero-shot show: every number, chance in view, titles that fit."""

import numpy as np
import pytest

from tests.unit.test_zeroshot import drawn
from workbench.analysis.zeroshot import judge
from workbench.figures import calibration, zeroshot
from workbench.figures.theme import DARK, LIGHT

NAMES = ("<b>effusion</b>", "nodule", "a finding of a very long name")
COVARIATES = {"sex": np.array(["F", "M"] * 900), "age": np.linspace(18, 95, 1800), "view": np.array(["PA", "AP", "PA"] * 600)}


@pytest.fixture(scope="module")
def found():
    return judge(NAMES, drawn(), drawn(seed=2, first=900), "val", 40, resamples=200)


def texts(fig):
    return [annotation.text for annotation in fig.layout.annotations]


@pytest.mark.parametrize("statistic", zeroshot.STATISTICS)
def test_a_forest_holds_every_number_and_its_chance(found, statistic):
    fig = zeroshot.forest({"run": found}, {"run": 2}, statistic, {"pixels": {"nodule": 0.61, "macro": 0.6}}, LIGHT, "title")
    intervals = zeroshot.of(found, statistic)
    points = [trace for trace in fig.data if trace.mode == "markers" and trace.marker.size in (8, 9)]
    assert [point.x[0] for point in points] == [each.value for each in intervals]
    assert {point.marker.color for point in points} == {LIGHT.series[2]}
    strokes = [trace.x[0] for trace in fig.data if trace.mode == "lines" and trace.x[0] == trace.x[1]]
    assert strokes == pytest.approx(zeroshot.chance(found, statistic)) and all(zeroshot.said(each) in texts(fig) for each in intervals)
    low, high = fig.layout.xaxis.range
    assert all(low <= value <= high for value in strokes)
    assert "&lt;b&gt;effusion" in fig.layout.yaxis.ticktext[0] and not any("<b>effusion" in each for each in fig.layout.yaxis.ticktext)
    assert sum(0.61 in trace.x for trace in fig.data) == 1


def test_two_runs_stand_beside_each_other_in_their_colours(found):
    fig = zeroshot.forest({"a": found, "b": found}, {"a": 0, "b": 3}, palette=DARK)
    points = [trace for trace in fig.data if trace.mode == "markers"]
    assert {point.marker.color for point in points} == {DARK.series[0], DARK.series[3]}
    assert len({point.y[0] for point in points}) == 2 * 4


def test_a_number_without_interval_is_hollow(found):
    few = judge(NAMES, drawn(n=12), drawn(seed=2, first=900), "test", 40)
    fig = zeroshot.forest({"run": few}, {"run": 0})
    assert {trace.marker.color for trace in fig.data if trace.mode == "markers"} == {LIGHT.paper}


def test_subgroups_in_three_panels(found):
    groups = found.groups(1, COVARIATES)
    fig = zeroshot.subgroups(groups, "nodule", LIGHT.series[0], level=0.8)
    points = [trace for trace in fig.data if trace.mode == "markers"]
    assert len(points) == 3 * len(groups) and {trace.xaxis for trace in points} == {"x", "x2", "x3"}
    assert [row["group"] for row in zeroshot.group_rows(groups)] == [each.name for each in groups]


def test_reliability_draws_both_curves_and_the_diagonal(found):
    raw, fitted = found.curve(1), found.curve(1, fitted=True)
    fig = calibration.reliability(raw, fitted, LIGHT.series[0])
    curves = [trace for trace in fig.data if trace.mode == "lines+markers"]
    assert [list(trace.y) for trace in curves] == [list(raw.observed), list(fitted.observed)]
    assert fitted.error < raw.error or raw.error < 0.1
    assert len(calibration.rows([("as scored", raw), ("fitted", None)])) == len(raw.rows)


def test_one_image_stands_among_the_studies(found):
    fig = zeroshot.one_image(found, [0.1, 5.0, -3.0], title="t")
    points = [trace for trace in fig.data if trace.mode == "markers"]
    low, high = fig.layout.xaxis.range
    assert [point.x[0] for point in points] == [0.1, 5.0, -3.0] and low < -3 and high > 5
    bars = [trace for trace in fig.data if trace.mode == "lines"]
    own = found.studies.scores[found.studies.labels[:, 0] == 1, 0]
    assert any(list(bar.x) == pytest.approx(list(np.quantile(own, (0.05, 0.5, 0.95)))) for bar in bars)
