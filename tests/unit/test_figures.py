"""What is drawn: the marks of every figure, from results written by hand."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from workbench.analysis.clumps import Clumps
from workbench.analysis.looks import History, Overlay, RunSpectrum, Trajectory
from workbench.analysis.metrics import Key, Level, Metric, Series
from workbench.analysis.projection import Projection
from workbench.analysis.trust import Quality
from workbench.figures import collapse, metrics, projection, spectra, theme

HOSTILE = "<b onclick=x>run</b>"


def trajectory(statistic="participation_ratio", label="alignment", values=(11.0, 8.0, 1.1), run="r0", withheld=False, **references):
    values = np.array(values)
    none = np.full(len(values), np.nan)
    low, high = (none, none) if withheld else (values * 0.9, values * 1.1)
    steps = np.array([0, 16, 75])[: len(values)]
    return Trajectory(run, label, statistic, 512, 128, steps, values, low, high, references, "jackknife", "")


def overlay(values=(4.0, 2.0, 0.0), labels=("alignment",)):
    runs = tuple(RunSpectrum(f"r{place}", label, place, 75, np.array(values) / (1 + place)) for place, label in enumerate(labels))
    return Overlay(75, 12, 3, 6, runs, np.array([3.0, 2.9, 2.8]), np.array([1.0, 0.8, 0.5]))


def said(figure):
    return [note.text for note in figure.layout.annotations]


@pytest.mark.parametrize(
    "wanted", [[0.0, 0.1, 0.2], [5.0, 5.0, 5.0, 5.0], [0.0, 4.9, 5.0, 10.0], [9.9, 10.0, 10.0], [3.0], [0.03, 0.05, 0.1]]
)
def test_labels_are_pushed_apart_and_stay_inside(wanted):
    found = theme.spread(wanted, 1.0, 0.0, 10.0)
    assert all(later - earlier >= 1.0 - 1e-9 for earlier, later in itertools.pairwise(found))
    assert found[0] >= 0 and found[-1] <= 10
    apart = [0.0, 2.0, 9.0]
    assert theme.spread(apart, 1.0, 0.0, 10.0) == pytest.approx(apart)


def test_numbers_are_written_as_people_say_them():
    assert [theme.number(value) for value in (0.7349, 1.0, 12.345, 21460.4, 2e-5, None, float("nan"))] == [
        ".735",
        "1",
        "12.3",
        "21\u2009460",
        "2.0e-05",
        "–",
        "–",
    ]
    assert theme.doubling(128) == [1, 2, 4, 8, 16, 32, 64, 128]
    assert theme.powers(-6.1, 0.0, 4) == ([1.0, 1e-2, 1e-4, 1e-6], ["1", "10⁻²", "10⁻⁴", "10⁻⁶"])


@pytest.mark.parametrize("palette", [theme.LIGHT, theme.DARK], ids=lambda palette: palette.name)
def test_a_spectrum_is_relative_to_its_largest_value_and_a_direction_that_is_gone_is_not_drawn(palette):
    figure = spectra.overlay(overlay(), {"alignment": 2}, palette)
    by_name = {trace.name: trace for trace in figure.data}
    np.testing.assert_allclose(by_name["alignment"].y[:2], [1.0, 0.5])
    assert np.isnan(by_name["alignment"].y[2])
    assert (by_name["isotropic"].line.dash, by_name["untrained"].line.dash) == ("dot", "dash")
    assert by_name["alignment"].line.color == palette.series[2]
    assert figure.layout.paper_bgcolor == palette.paper
    assert set(said(figure)) == {"isotropic", "untrained", "alignment"}


def test_seeds_are_thin_under_the_mean_of_their_arm():
    figure = spectra.overlay(overlay(labels=("a", "a", "b")), {"a": 0, "b": 1})
    widths = {trace.name: trace.line.width for trace in figure.data}
    assert widths["a, seed 0"] == widths["a, seed 1"] < 1 < widths["a, mean of 2 seeds"]
    assert said(figure).count("a") == 1


def test_the_heat_map_has_a_column_per_look_and_a_row_per_direction():
    values = np.array([[4.0, 2.0, 1.0], [4.0, 0.4, 0.0], [4.0, 0.04, 0.0], [4.0, 0.04, 0.0]])
    histories = [History(f"r{place}", f"arm {place}", np.array([0, 1, 2, 4]), values) for place in range(4)]
    figure = spectra.heat(histories, 2, {})
    assert len(figure.data) == 3 and "3 of 4 runs" in figure.layout.title.text
    first, second = figure.data[:2]
    np.testing.assert_allclose(first.z, np.log10(np.maximum(values / 4, 1e-2)).T)  # gone is as light as the lightest
    assert len(first.x) == 5 and len(first.y) == 4
    np.testing.assert_allclose(np.sort(first.y)[1:3] ** 2, [2, 6])  # row edges half-way between directions on a log axis
    lines = {shape.x0 for shape in figure.layout.shapes}
    assert lines == {2.5, second.x[0] + 2.5, figure.data[2].x[0] + 2.5}
    assert [trace.showscale for trace in figure.data] == [False, False, True]


def test_one_run_has_a_band_several_seeds_have_none():
    alone = collapse.panel([trajectory()], 16, {})
    assert [trace.fill for trace in alone.data].count("toself") == 1
    seeds = [trajectory(run=f"r{place}", values=(11.0, 8.0, place + 1.0)) for place in range(3)]
    several = collapse.panel(seeds, 16, {})
    assert not any(trace.fill == "toself" for trace in several.data)
    mean = next(trace for trace in several.data if "mean of 3" in (trace.name or ""))
    np.testing.assert_allclose(mean.y, [11, 8, 2])
    assert sum(trace.mode == "markers" for trace in several.data) == 3


def test_an_interval_that_is_withheld_leaves_no_band():
    figure = collapse.panel([trajectory(withheld=True)], 16, {})
    assert not any(trace.fill == "toself" for trace in figure.data)
    assert all("[" not in str(trace.customdata) for trace in figure.data if trace.customdata is not None and trace.name == "alignment")


@pytest.mark.parametrize("statistic", list(collapse.PANELS))
def test_references_and_the_slider_are_marked_and_in_view(statistic):
    references = {"untrained": 0.72, "chance": 0.5} if statistic == "probe" else {"untrained": 11.0, "isotropic": 102.0}
    values = (0.72, 0.8, 0.87) if statistic == "probe" else (11.0, 8.0, 1.1)
    figure = collapse.panel([trajectory(statistic, values=values, **references)], 16, {})
    low, high = figure.layout.yaxis.range
    log = figure.layout.yaxis.type == "log"
    for value in references.values():
        assert low <= (np.log10(value) if log else value) <= high
    assert {shape.y0 for shape in figure.layout.shapes if shape.xref == "paper"} == set(references.values())
    assert [shape.x0 for shape in figure.layout.shapes if shape.yref == "paper"] == [np.log2(17)]
    assert len(figure.layout.title.text.split("<br>")[0]) <= theme.TITLE_CHARACTERS


def test_a_scale_that_falls_by_orders_of_magnitude_gets_a_log_axis():
    assert collapse.panel([trajectory("feature_std", values=(1.0, 0.1, 0.002))], 75, {}).layout.yaxis.type == "log"
    assert collapse.panel([trajectory("feature_std", values=(1.0, 0.9, 0.8))], 75, {}).layout.yaxis.range[0] <= 0


def metric(label="alignment", levels=()):
    steps = np.arange(1, 31)
    train = Series("r0", label, "train", steps, 2 / steps, 30)
    val = Series("r0", label, "val", np.array([10, 20, 30]), np.array([0.3, 0.2, 0.15]), 3)
    return Metric(Key("loss"), "Loss", "weighted sum of the terms", (train, val), tuple(levels))


def test_the_trivial_level_is_always_in_view_and_named():
    figure = metrics.curves(metric(levels=[Level("trivial", 4.852, "ln 128")]), {"r0": 1}, marks=[(12, "resumed")])
    low, high = figure.layout.yaxis.range
    assert low <= 0.0667 and high >= 4.852
    assert "trivial 4.85" in said(figure) and "resumed" in said(figure)
    assert [trace.line.dash for trace in figure.data] == ["solid", "dot"]
    assert {shape.x0 for shape in figure.layout.shapes if shape.yref == "paper"} == {12}


def test_a_metric_that_was_never_finite_is_drawn_empty():
    bad = Series("r0", "a", "train", np.array([1, 2]), np.array([np.nan, np.nan]), 2)
    assert metrics.extent(Metric(Key("loss"), "Loss", "", (bad,), ())) == (0.0, 1.0)
    metrics.curves(Metric(Key("loss"), "Loss", "", (bad,), ()), {})


def test_names_from_runs_are_not_read_as_markup():
    drawn = [
        metrics.curves(metric(HOSTILE), {}),
        spectra.overlay(overlay(labels=(HOSTILE,)), {}),
        spectra.heat([History("r", label, np.array([0, 1]), np.eye(2) + 1) for label in (HOSTILE, "b")], 0, {}),
        collapse.panel([trajectory(label=HOSTILE)], 16, {}),
    ]
    for figure in drawn:
        assert "<b onclick" not in str(figure.to_dict())  # to_json would write < as an escape


def test_the_map_rings_the_chosen_study_and_counts_its_colours():
    found = Projection(
        np.array([[0, 0], [1, 2], [3, 4]]), ("a", "b", "c"), ("p", "p", "q"), "image.projected", 40, "pca", np.array([0.9, 0.1])
    )
    figure = projection.plane(found, np.array([1.0, 0.0, np.nan]), "effusion", "b")
    assert {trace.name: len(trace.x) for trace in figure.data if trace.name} == {"present": 1, "absent": 1, "not stated": 1}
    assert all(trace.marker.symbol == "circle" for trace in figure.data)
    ring = figure.data[-1]
    assert (list(ring.x), list(ring.y)) == ([1], [2])
    assert figure.layout.yaxis.scaleanchor == "x"
    assert projection.plane(found, None, "", None, equal=False).layout.yaxis.scaleanchor is None
    assert [row["study"] for row in projection.rows(found, ["1", "2", "3"])] == ["1", "2", "3"]


def test_a_map_says_its_quality_beside_chance_and_whose_its_lumps_are():
    lumps = Clumps(0.4, 3, 0.8, 0.8, 2.5, 60, 5)
    trusted = Quality(0.91, 0.87, 0.31, 0.5, 0.5, 0.17, 10, 60, lumps)
    found = Projection(np.zeros((1200, 2)), ("a",) * 1200, ("p",) * 1200, "image.projected", 40, "umap", None, trusted)
    figure = projection.plane(found, None, "", None)
    lines = [each.text for each in figure.layout.annotations]
    assert lines == [
        "trustworthiness .910 (chance .500), continuity .870 (.500), overlap .310 (.170); 10 neighbours of an even 60",
        "No more clusters than a Gaussian cloud has: lumps are the method's, not the data's",
    ]
    assert "UMAP of 1\u2009200 studies, step 40" in figure.layout.title.text
    assert figure.layout.xaxis.showticklabels is False and "distances between them do not" in figure.layout.xaxis.title.text
    clear = replace(found, quality=replace(trusted, clumps=replace(lumps, p=0.02, apart=6.0)), towers=("image.projected",) * 1200)
    assert "600 images and their reports" in projection.plane(clear, None, "", None).layout.title.text
    assert "More clusters" in projection.plane(clear, None, "", None).layout.annotations[-1].text


def test_a_line_laid_over_a_figure_stands_where_the_drawn_one_would():
    found, drawn = [trajectory(untrained=11.0)], {}
    figure, with_line = collapse.panel(found, None, drawn), collapse.panel(found, 16, drawn)
    low, high = figure.layout.xaxis.range
    (mark,) = collapse.marks(figure, 16)
    assert mark.share == pytest.approx((np.log2(17) - low) / (high - low)) and mark.dash == "dot"
    assert [shape.y0 for shape in figure.layout.shapes] == [11.0]
    upright = [shape for shape in with_line.layout.shapes if shape.x0 == shape.x1]
    with_line.layout.shapes = [shape for shape in with_line.layout.shapes if shape.x0 != shape.x1]
    assert with_line.to_json() == figure.to_json() and len(upright) == 1  # the slider changes nothing else
    assert (upright[0].line.color, upright[0].line.width, upright[0].line.dash) == mark[1:]


def test_lines_over_a_heat_map_stand_where_the_drawn_ones_would():
    histories = [History("r", "a", np.array([0, 2, 8, 16]), np.eye(4) + 1), History("s", "b", np.array([0, 8, 32]), np.eye(3, 4) + 1)]
    figure, with_lines = spectra.heat(histories, None, {}), spectra.heat(histories, 9, {})
    low, high = figure.layout.xaxis.range
    upright = [shape for shape in with_lines.layout.shapes if shape.x0 == shape.x1]
    marks = spectra.marks(figure, histories, 9)
    assert not figure.layout.shapes and len(marks) == 4
    assert [mark.share for mark in marks] == pytest.approx([(shape.x0 - low) / (high - low) for shape in upright])
    assert [tuple(mark[1:]) for mark in marks] == [(shape.line.color, shape.line.width, shape.line.dash) for shape in upright]
    assert [shape.x0 for shape in upright[::2]] == [2.5, 5 + 1.5]  # of four looks the third, of three the second; a facet is five wide


def test_a_row_of_panels_keeps_every_mark_at_its_own_axes():
    every = [
        [trajectory(untrained=11.0)],
        [trajectory("feature_std", values=(1.0, 0.9, 0.8))],
        [trajectory("offset", values=(0.9, 0.5, 0.2))],
    ]
    alone, row = [collapse.panel(found, 16, {}) for found in every], collapse.panels(every, 16, {})
    assert [trace.xaxis for trace in row.data] == [f"x{place}" for place, fig in zip(("", 2, 3), alone) for _ in fig.data]
    for place, fig in zip(("", "2", "3"), alone):
        own = [trace for trace in row.data if trace.yaxis == f"y{place}"]
        assert [list(trace.y) for trace in own] == [list(trace.y) for trace in fig.data]
        assert row.layout[f"yaxis{place}"].range == fig.layout.yaxis.range and row.layout[f"yaxis{place}"].type == fig.layout.yaxis.type
        level = [shape for shape in row.layout.shapes if shape.yref == f"y{place}" and shape.xref == f"x{place} domain"]
        assert len(level) == sum(shape.y0 == shape.y1 for shape in fig.layout.shapes)
    marks = collapse.marks(row, 16)
    share = collapse.marks(alone[0], 16)[0].share
    width = row.layout.xaxis.domain[1]
    assert [mark.share for mark in marks] == pytest.approx([place * (width + collapse.BETWEEN) + width * share for place in range(3)])
    bare = collapse.panels(every, None, {})
    assert len(bare.layout.shapes) == 1 and all(note.text in said(row) for fig in alone for note in fig.layout.annotations)
