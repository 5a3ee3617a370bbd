"""What the forest of factors shows: every number, chance and references in view, a title that fits."""

import numpy as np
import pytest

from tests.unit.test_factors import interval, planted, probes, two_each
from workbench.analysis.factors import Probes, read_factors
from workbench.analysis.statistics import Interval
from workbench.figures import factors, theme, zeroshot
from workbench.figures.theme import DARK, LIGHT


@pytest.fixture(scope="module")
def found():
    z, own = planted(120)
    read = [read_factors(features, own, two_each(120)) for features in (z, z[:, 3:], z[:, :2])]
    return Probes("run", "image.projected", 40, 120, 60, *read, {})


def points(fig, symbol):
    return {(trace.y[0], trace.x[0]) for trace in fig.data if trace.mode == "markers" and trace.marker.symbol == symbol}


def test_a_forest_holds_every_number_sorted_with_chance_and_both_references(found):
    fig = factors.forest({"run": found}, {"run": 2}, LIGHT, "title")
    assert list(fig.layout.yaxis.ticktext) == [each.factor for each in found.readings]
    for symbol, of in (("circle", found.trained), ("square", found.pixels), ("diamond", found.untrained)):
        assert points(fig, symbol) == {(place, of[each.factor].interval.value) for place, each in enumerate(found.readings)}
    hollow = {trace.marker.color for trace in fig.data if trace.mode == "markers" and trace.marker.symbol in ("square", "diamond")}
    assert hollow == {LIGHT.paper} and {trace.marker.color for trace in fig.data if trace.mode == "markers"} == {
        LIGHT.paper,
        LIGHT.series[2],
    }
    bars = [tuple(trace.x) for trace in fig.data if trace.mode == "lines"]
    assert bars == [(each.interval.low, each.interval.high) for each in found.readings]
    assert [(line.x0, line.line.dash) for line in fig.layout.shapes] == [(0.5, "dot")]
    low, high = fig.layout.xaxis.range
    assert all(low <= trace.x[0] <= high for trace in fig.data) and low < 0.5
    said = [annotation.text for annotation in fig.layout.annotations]
    first = found.readings[0]
    assert f"{zeroshot.said(first.interval)}  direction {first.direction} ({theme.number(first.correlation)})" in said
    assert any("□ pixels" in text and "◇ untrained" in text and "┊ chance" in text for text in said)


def test_two_runs_share_rows_and_one_without_a_factor_has_no_point(found):
    other = probes({"noise": interval(0.6)}, None)
    fig = factors.forest({"a": found, "b": other}, {"a": 0, "b": 3}, DARK)
    own = [trace for trace in fig.data if trace.mode == "markers" and trace.marker.color == DARK.series[3]]
    row = [each.factor for each in found.readings].index("noise")
    assert [trace.x[0] for trace in own] == [0.6] and abs(own[0].y[0] - row) < 0.5
    assert not any("direction" in annotation.text for annotation in fig.layout.annotations)


def test_a_number_without_interval_is_hollow_and_one_that_is_none_is_not_drawn():
    bare = probes({"rare": Interval(0.9, None, None, "", "6 patients"), "none": Interval(float("nan"), None, None, "", "no class")}, None)
    fig = factors.forest({"run": bare}, {})
    assert [trace.marker.color for trace in fig.data if trace.mode == "markers"] == [LIGHT.paper]
    table = factors.rows({"run": bare})
    assert [(row["factor"], row["concordance"], row["low"], row["why"]) for row in table] == [
        ("rare", 0.9, None, "6 patients"),
        ("none", None, None, "no class"),
    ]


def test_a_title_fits_and_names_are_read_letter_by_letter(found):
    named = "<b>a run of an unusually long name</b>"
    fig = factors.forest({named: found}, {}, LIGHT, factors.title(named, found))
    assert len(factors.title(named, found)) <= theme.TITLE_CHARACTERS and "<b>a run" not in str(fig.to_dict())
    assert factors.title("run", found) == f"run reads {len(found.above)} of 5 factors above the pixels"
    assert factors.title("run", probes({"a": interval(0.8)}, None)) == "run reads 1 of 1 factors above chance"


def test_rows_hold_what_is_drawn(found):
    table = factors.rows({"run": found})
    assert len(table) == 3 * 5 and {row["read from"] for row in table} == {"image.projected", "pixels", "untrained"}
    row, first = table[0], found.readings[0]
    assert (row["concordance"], row["low"], row["high"]) == (first.interval.value, first.interval.low, first.interval.high)
    assert (row["N"], row["direction"], row["correlation"], row["procedure"]) == (
        120,
        first.direction,
        first.correlation,
        first.interval.procedure,
    )
    assert np.isfinite([row["concordance"] for row in table]).all()
