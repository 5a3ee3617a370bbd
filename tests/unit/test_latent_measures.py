"""Every measure in one place: the catalogue is whole, ends and references are what they say, and what cannot be read says why."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import workbench as wb
from tests.app.folders import write_run
from tests.toys import points
from tests.unit.test_towers import without_text
from workbench import measuring
from workbench.analysis import catalogue, classes, collapse, dimension, growth, isotropy, measures, modality
from workbench.analysis._reading import Reading
from workbench.analysis.blind import BLIND
from workbench.analysis.catalogue import MEASURES, needing
from workbench.analysis.classes import lidar
from workbench.analysis.collapse import NO_LABEL, effective_rank, summarise
from workbench.analysis.grades import GRADES, situations, trusted
from workbench.analysis.measures import IMAGE, PAIR, TEXT, Measures, by_class, of_feature, of_looks, of_pair, one_finding, stored
from workbench.analysis.sheets import DRAWS, isotropic, sheet
from workbench.analysis.subsampling import UNMEASURED, over_n
from workbench.batches import collate
from workbench.datasets import load_dataset
from workbench.embeddings import Embeddings
from workbench.errors import UserError
from workbench.features import of_batches
from workbench.figures import growth as curves
from workbench.figures import measures as figures
from workbench.figures.theme import LIGHT
from workbench.models import load_method
from workbench.randomness import rng
from workbench.run import Run, read_json, write_json

RNG = np.random.default_rng
FEATURE = "image.projected"
DOCS = Path(__file__).parents[2] / "docs" / "measures.md"


def embedded(z, name=FEATURE, step=3, patients=None, keys=None):
    keys = keys or tuple(f"k{row}" for row in range(len(z)))
    return Embeddings(np.asarray(z, np.float32), keys, tuple(patients or keys), name, step, "hash")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return Run(write_run(tmp_path_factory.mktemp("runs"), looks=(0, 40)))


@pytest.fixture(scope="module")
def dataset():
    return points.load(points.Config(studies=600))


@pytest.fixture(scope="module")
def found(run, dataset):
    return of_looks(run, 40, stored(run, 40), stored(run, 0), {}, dataset)


def test_the_catalogue_has_every_measure_and_the_docs_show_it():
    public = set()
    for module in (collapse, isotropy, dimension, classes, modality):
        for name, function in vars(module).items():
            own = getattr(function, "__module__", "") == module.__name__ and not name.startswith("_")
            public |= {name} if own and getattr(function, "__annotations__", {}).get("return") is Reading else set()
    assert len(public) > 25 and public <= set(MEASURES)
    for name in public:
        of = MEASURES[name].of
        assert of is getattr(next(m for m in (collapse, isotropy, dimension, classes, modality) if hasattr(m, name)), name)
    assert all(each.says.endswith(".") and each.formula and "\n" not in each.says + each.formula for each in MEASURES.values())
    assert DOCS.read_text() == catalogue.markdown() and "|x" not in catalogue.markdown()


def test_every_measure_is_what_its_function_reads_beside_what_an_isotropic_cloud_gives():
    z, patients = RNG(0).normal(size=(120, 6)) * np.arange(1, 7), np.arange(120) // 2
    own, known = sheet(z, patients), summarise(z, list(patients))
    assert tuple(each.name for each in own.values) == needing("rows") and (own.n, own.d, own.patients, own.constant) == (120, 6, 60, 0)
    for each in own.values:
        reading = MEASURES[each.name].of(z)
        assert each.value == float(reading) and (each.n, each.d) == (120, 6)
        assert (each.drawn, each.ceiling is None) == (reading.ceiling is None and each.name != "feature_std", each.name == "feature_std")
        assert each.drawn or each.ceiling == reading.ceiling
        interval = getattr(known, each.name, None)
        assert (each.low, each.high, each.why) == ((interval.low, interval.high, "") if interval else (None, None, UNMEASURED))
    assert own["effective_rank"].low < own["effective_rank"].value < own["effective_rank"].high and "jackknife" in own.procedure
    draws = [float(dimension.two_nn(RNG(seed).normal(size=(120, 6)))) for seed in range(40)]
    assert own["two_nn"].ceiling == pytest.approx(np.mean(draws), abs=4 * np.std(draws) / np.sqrt(DRAWS))


def test_an_isotropic_cloud_stands_at_one_and_a_needle_at_zero():
    ball = sheet(RNG(1).normal(size=(400, 8)), np.arange(400))
    needle = sheet(10 * np.eye(8)[0] + 0.01 * np.outer(RNG(2).normal(size=400), np.eye(8)[1]), np.arange(400))
    placed = [each.name for each in ball.values if each.place is not None]
    assert len(placed) > 15 and "alpha_req" not in placed and "feature_std" not in placed
    for name in placed:
        assert ball[name].place == pytest.approx(1, abs=0.12), name
        assert needle[name].place == pytest.approx(0, abs=0.05), name


def test_partition_isotropy_is_held_against_a_cloud_of_the_same_scale():
    z = RNG(3).normal(size=(60, 4))
    small, large = (sheet(scale * z, np.arange(60), ("partition_isotropy",))["partition_isotropy"].ceiling for scale in (0.01, 3))
    assert small > 0.9 > 0.1 > large


def test_few_rows_are_called_few_and_what_cannot_be_read_says_why():
    own = sheet(RNG(4).normal(size=(30, 16)), np.arange(30))
    assert own["isoscore"].limited and own["rankme"].limited and not own["offset"].limited and "30 rows for 16" in own["effective_rank"].why
    bad = RNG(5).normal(size=(40, 4))
    bad[[3, 9, 11], 2] = np.nan
    assert all(each.value is None and each.why == "3 of 40 rows hold a number that is not finite" for each in sheet(bad, range(40)).values)
    alone = sheet(bad[:1], ["one"])
    assert all(each.value is None and each.why.startswith("one row") for each in alone.values) and len(alone.values) == len(needing("rows"))
    still = RNG(6).normal(size=(40, 4))
    still[:, 1] = 2.0
    own = sheet(still, range(40))
    assert own.constant == 1 and own["participation_ratio"].value < 3 and own["two_nn"].value is not None
    point = sheet(np.ones((40, 4)), range(40))
    assert point.constant == 4 and point["feature_std"].value == 0 and point["offset"].value == 1
    assert "only 1 rows differ" in point["cluster_learnability"].why and "no 2 neighbours" in point["two_nn"].why
    assert point["alpha_req"].value is None and "not defined" in point["alpha_req"].why
    assert sheet(RNG(7).normal(size=(40, 1)), range(40))["self_clustering"].why.startswith("self-clustering needs two")


def test_classes_exclude_each_other_and_rows_with_two_findings_are_left_out():
    labels = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0], [np.nan, 0, 1]])
    kept, which = one_finding(labels, ["a", "b", "c"])
    assert kept.tolist() == [0, 1, 3, 4] and which.tolist() == ["a", "b", NO_LABEL, "c"]
    z = np.repeat(np.eye(4)[:3], 30, 0) + 0.01 * RNG(8).normal(size=(90, 4))
    z[:30, 2:] = 0.0  # the first class uses two directions, the others four
    states = np.repeat(np.array([[1.0, 0], [0, 1], [0, 0]]), 30, 0)
    apart = of_feature(z, np.arange(90), states, ["a", "b"])
    mixed = of_feature(RNG(9).normal(size=(90, 12)), np.arange(90), states, ["a", "b"])
    assert apart["silhouette"].value > 0.9 and abs(mixed["silhouette"].value) < 0.15
    assert apart["nc1"].value < 0.01 and mixed["nc1"].drawn and mixed["nc1"].value == pytest.approx(mixed["nc1"].ceiling, rel=0.4)
    assert apart["least_class_rank"].value == pytest.approx(2, abs=0.05), "the emptiest class, not the fullest"
    assert apart["least_class_rank"].n == 30 and apart["lidar"].value is None and "several views" in apart["lidar"].why
    assert not of_feature(z, np.arange(90)).get("silhouette")
    assert "one group" in of_feature(z, np.arange(90), np.zeros((90, 1)), ["a"])["silhouette"].why


def test_a_class_of_three_images_says_so_and_a_rank_its_number_decides_is_withheld():
    z = RNG(10).normal(size=(80, 6))
    rows = np.arange(80) < 3
    few, many, one = by_class(z, np.arange(80), rows), by_class(z, np.arange(80), ~rows), by_class(z, np.arange(80), np.arange(80) < 1)
    assert few["participation_ratio"].value is None and few["participation_ratio"].why.startswith("3 rows for 6 dimensions")
    assert few["feature_std"].value == float(collapse.feature_std(z[:3])) and "3 patients" in few["feature_std"].why
    assert many["participation_ratio"].value == float(collapse.participation_ratio(z[3:])) and many["participation_ratio"].low
    assert one["feature_std"].why.startswith("one row") and one.n == 1


def test_a_look_is_measured_beside_the_untrained_network_and_the_pixels(run, dataset, found):
    assert [each.feature for each in found.features] == ["image.backbone", FEATURE] and found.step == 40 and not found.missing
    z, first = (run.embeddings(FEATURE, step) for step in (40, 0))
    own = found[FEATURE]
    assert own.trained["effective_rank"].value == float(effective_rank(z)) < own.untrained["effective_rank"].value
    assert own.untrained["effective_rank"].value == float(effective_rank(first))
    places = [list(dataset.keys).index(key) for key in z.keys]
    pixels = np.stack([measures.pixel_features(dataset, [place])[0] for place in places])
    assert found.pixels["offset"].value == pytest.approx(float(collapse.offset(pixels))) and found.pixels.d == 1024
    assert {each.label for each in own.classes} <= {"up", "right", NO_LABEL} and sum(each.trained.n for each in own.classes) >= 100
    up = next(each for each in own.classes if each.label == "up")
    rows = dataset.labels[places, 0] > 0.5
    assert up.trained["feature_std"].value == float(collapse.feature_std(z.features[rows]))
    assert up.untrained["feature_std"].value == float(collapse.feature_std(first.features[rows]))
    assert Measures.of_dict(json.loads(json.dumps(found.as_dict()))) == found
    with pytest.raises(UserError, match=r"no 'other' at step 40: there are image\.backbone"):
        found["other"]


def test_a_reference_that_is_not_there_says_why(run, dataset):
    look, first = stored(run, 40), stored(run, 0)
    alone = of_looks(run, 40, look, {}, {"untrained": "imported"}, None)
    assert alone.pixels is None and alone.missing["pixels"] == alone.missing["classes"] == "the run names no data set"
    assert alone[FEATURE].untrained is None and alone[FEATURE].missing == "imported" and not alone[FEATURE].classes
    other = {FEATURE: embedded(first[FEATURE].features, step=0)}
    moved = of_looks(run, 40, {FEATURE: look[FEATURE]}, other, {}, points.load(points.Config(studies=600, shift=1.0)))
    assert moved[FEATURE].missing == "the first look was at other studies" and "has changed" in moved.missing["pixels"]
    same = of_looks(run, 0, {FEATURE: first[FEATURE]}, first, {}, dataset)
    assert same[FEATURE].untrained == same[FEATURE].trained


def test_both_towers_are_measured_together_at_their_studies():
    x = RNG(11).normal(size=(60, 5))
    sides = {IMAGE: embedded(x), TEXT: embedded(x + 3, TEXT)}
    first = {IMAGE: embedded(RNG(12).normal(size=(60, 5)), step=0), TEXT: embedded(RNG(13).normal(size=(60, 5)), TEXT, 0)}
    found = of_pair(sides, first, "")
    assert tuple(each.name for each in found.trained.values) == needing("towers") and found.feature == PAIR
    assert found.trained["modality_gap"].value == float(collapse.modality_gap(sides[IMAGE], sides[TEXT]))
    assert found.trained["alignment"].ceiling == pytest.approx(2, abs=0.2) and found.trained["separability"].ceiling == 0.5
    assert abs(found.untrained["alignment"].value - 2) < 0.4 and not found.missing
    turned = {IMAGE: sides[IMAGE], TEXT: embedded(x, TEXT, keys=sides[IMAGE].keys[::-1])}
    assert of_pair(turned, first, "").missing == "images and reports were looked at on other studies"
    assert of_pair(sides, {}, "given weights").missing == "given weights"
    narrow = {IMAGE: sides[IMAGE], TEXT: embedded(x[:, :4], TEXT)}
    assert of_pair(narrow, first, "").missing == "images have 5 dimensions and reports 4: they share no space"
    with pytest.raises(ValueError, match="widths 5 and 4"):
        collapse.modality_gap(narrow[IMAGE], narrow[TEXT])


def test_a_curve_over_rows_has_the_ceiling_beside_it():
    z, patients = RNG(14).normal(size=(160, 5)), np.arange(160) // 2
    assert growth.halves(patients) == [20, 40, 80, 160] and growth.halves(np.arange(20)) == [20]
    assert growth.halves(np.repeat([0, 1], 40)) == [40, 80]
    found, same = growth.grow("effective_rank", z, patients), over_n(effective_rank, z, patients, [20, 40, 80, 160])
    assert (
        found.values == pytest.approx(same.values) and found.ceilings == pytest.approx(same.ceilings) and found.intervals == same.intervals
    )
    assert found.rows == (20, 40, 80, 160) and found.patients == (10, 20, 40, 80) and found.enough == 20
    assert found.climb == pytest.approx(found.values[-1] / found.values[-2] - 1)
    drawn = growth.grow("hubness", z, patients)
    assert drawn.ceilings == pytest.approx([isotropic("hubness", n, 5) for n in (20, 40, 80, 160)])
    assert growth.grow("feature_std", z, patients).ceilings == (None,) * 4
    assert growth.Growth.of_dict(json.loads(json.dumps(drawn.as_dict()))) == drawn


def test_a_curve_takes_classes_and_towers_with_its_rows_and_names_the_sizes_it_left_out():
    z, patients, which = RNG(15).normal(size=(80, 4)), np.arange(80), np.repeat(["a", "b"], [77, 3])
    found = growth.grow("silhouette", z, patients, which)
    assert found.values[-1] == float(classes.silhouette(z, which)) and len(found.values) + len(found.left_out) == 3
    rest = np.repeat("a", 80)
    rest[np.setdiff1d(np.arange(80), growth.nested(patients, [40])[0])[0]] = "b"
    assert growth.grow("silhouette", z, patients, rest).left_out["20"].startswith("all rows are of one group")
    y = z + RNG(16).normal(size=(80, 4))
    kept = growth.nested(patients, [40])[0]
    assert growth.grow("alignment", z, patients, y).values[1] == float(collapse.alignment(z[kept], y[kept]))
    split = growth.grow("separability", z, patients // 2, y)
    assert split.values[-1] == float(modality.separability(z, y, patients // 2))
    bad = z.copy()
    bad[5] = np.nan
    for name, rows, told in (("nothing", z, "no measure 'nothing'"), ("nesum", bad, "NESum: 1 of 80 rows"), ("two_nn", np.ones((80, 4)), "TwoNN")):  # fmt: skip
        with pytest.raises(UserError, match=told):
            growth.grow(name, rows, patients)


def test_what_a_look_did_not_store_is_computed_from_its_snapshot_or_named(small_run, tmp_path):
    dataset = wb.open_run(small_run.path).dataset()
    kept, none = measuring.at(small_run, 3, dataset, pytest.fail)
    assert not none and {IMAGE, TEXT} <= set(kept)
    other = without_text(small_run, tmp_path / "20260101-000000-mflag-phantoms-0011")
    again, none = measuring.at(other, 3, dataset, wb.open_run(other.path).method)
    assert not none and np.allclose(again[TEXT].features, kept[TEXT].features, atol=1e-4) and again[TEXT].keys == kept[TEXT].keys
    shutil.rmtree(other.path / "snapshots")
    found = measuring.of_run(other, 3, dataset, pytest.fail)
    assert TEXT not in [each.feature for each in found.features] and "no snapshot of step 3" in found.missing[TEXT]
    with pytest.raises(UserError, match=r"no text\.projected of the same studies"):
        measuring.growth_of(other, 3, IMAGE, "modality_gap", dataset, pytest.fail)
    write_json(other.path / "status.json", read_json(other.path / "status.json") | {"state": "imported"})
    assert "imported" in measuring.of_run(other, 3, None, pytest.fail)[IMAGE].missing


def test_curves_of_a_run_need_what_the_measure_needs(run, dataset):
    grown = measuring.growth_of(run, 40, FEATURE, "silhouette", dataset, pytest.fail)
    z = run.embeddings(FEATURE, 40)
    places = [list(dataset.keys).index(key) for key in z.keys]
    kept, which = one_finding(dataset.labels[places], dataset.label_names)
    assert grown.values[-1] == float(classes.silhouette(z.features[kept], which)) and grown.rows[-1] == len(kept)
    for measure, data, told in (("lidar", dataset, "several views"), ("nc1", None, "no labels"), ("alignment", dataset, "compares images and reports")):  # fmt: skip
        with pytest.raises(UserError, match=told):
            measuring.growth_of(run, 40, FEATURE, measure, data, pytest.fail)
    with pytest.raises(UserError, match=r"no feature 'other' at step 40: there are image\.backbone"):
        measuring.growth_of(run, 40, "other", "nesum", dataset, pytest.fail)


def test_a_notebook_has_the_overview_and_a_curve(run, monkeypatch):
    monkeypatch.setenv("WORKBENCH_PLUGINS", "tests.toys")
    view, curve = wb.open_run(run.path).measures(FEATURE), wb.open_run(run.path).measures(FEATURE, 40, over_n="nesum")
    assert view.data[FEATURE].trained.n == 100 and {row["network"] for row in view.rows} == {"trained", "untrained", "pixels"}
    assert {row["measure"] for row in view.rows} >= set(needing("rows") + needing("classes")) and len(curve.rows) == len(curve.data.rows)
    assert curve.figure.layout.title.text.startswith("NESum ") and len(view.figure.layout.yaxis.tickvals) > 15


def test_marks_stand_between_the_ends_and_few_rows_are_grey():
    cloud = embedded(RNG(17).normal(size=(120, 4)))
    own = measures.measured(FEATURE, cloud, embedded(RNG(18).normal(size=(120, 4)) * [1, 0.1, 0.1, 0.1], step=0), "", None, ())
    fig = figures.overview(own, sheet(RNG(19).normal(size=(120, 9)), range(120)), "#123456", LIGHT, figures.title(own), 3)
    place = fig.layout.yaxis.tickvals[list(fig.layout.yaxis.ticktext).index("participation ratio")]
    at = {trace.marker.symbol or "circle": trace.x[0] for trace in fig.data if trace.mode == "markers" and trace.y[0] == place}
    assert at["circle"] == pytest.approx(own.trained["participation_ratio"].place) and at["diamond"] < 0.2 and at["square"] > 0.9
    assert own.trained["participation_ratio"].low and any(trace.mode == "lines" and list(trace.y) == [place, place] for trace in fig.data)
    assert figures.title(own).endswith("of 4 directions in use") and len(figures.title(own)) <= 60
    few = measures.measured("<b>f", embedded(RNG(20).normal(size=(30, 16))), None, "why", None, ())
    drawn = figures.overview(few, None, "#123456", LIGHT, figures.title(few), 3)
    edges = {trace.marker.line.color for trace in drawn.data if trace.mode == "markers"}
    assert figures.title(few) == "<b>f: 30 rows are too few for 16 dimensions"
    assert edges == {"#123456", LIGHT.muted} and "<b>f" not in drawn.layout.title.text
    rows = {row[""]: row for row in figures.numbers(few, None)}
    assert (
        rows["effective rank"]["untrained"] == "–"
        and rows["effective rank"]["says"].startswith("Fooled here: there are fewer than four rows a dimension. How many")
        and rows["LiDAR"]["value"] == "–"
    )


def test_measures_stand_in_the_order_in_which_to_trust_them():
    z = RNG(23).normal(size=(120, 4))
    plain = of_feature(z, np.arange(120))
    assert situations(plain) == () and {each.name for each in plain.values} <= set(BLIND) == set(MEASURES)
    grades = [each.grade for each in trusted(plain)]
    assert (
        grades == sorted(grades, key=list(GRADES).index) and grades.count("covered") == 5 and set(grades) == {"covered", "open", "missing"}
    )
    assert trusted(plain)[-1].value.name == "lidar" and not trusted(plain)[-1].by
    few = of_feature(RNG(24).normal(size=(12, 4)) + 9, np.arange(12))
    assert situations(few) == ("mean", "few") and trusted(few)[0].value.name == "feature_std"
    rank = next(each for each in trusted(few) if each.value.name == "effective_rank")
    assert (rank.grade, rank.by) == ("fooled", ("mean", "few")) and rank.why.startswith("nearly all energy") and "four rows" in rank.why
    heavy = of_feature(z * np.where(np.arange(120) == 0, 60, 1)[:, None], np.arange(120))
    assert situations(heavy) == ("tails",) and situations(of_feature(0.01 * z, np.arange(120)), plain) == ("shrunk",)
    assert situations(of_feature(np.c_[z, np.ones(120)] - np.eye(5)[4] * 0.5, np.arange(120))) == ("constant",)
    assert catalogue.fooled("offset") == BLIND["offset"].said != catalogue.fooled("nesum")


def test_tables_hold_every_feature_and_class(found):
    assert len(figures.rows(found)) == 5 * len(found[FEATURE].trained.values)
    beside = {row[""]: row for row in figures.beside_each_other(found)}
    own = found[FEATURE]
    assert beside["offset"] == {"": "offset"} | {each.feature: figures.said(each.trained["offset"]) for each in found.features}
    table = figures.class_rows(own.classes)
    assert [(row["class"], row["N"]) for row in table] == [(each.label, each.trained.n) for each in own.classes]
    small = measures.OfClass("few", by_class(RNG(21).normal(size=(9, 6)), np.arange(9), np.arange(9) < 3), None)
    row = figures.class_rows((small,))[0]
    assert row["why"].startswith("3 rows for 6 dimensions") and row["participation ratio"] == row["feature std untrained"] == "–"


def test_a_curve_shows_the_ceiling_where_four_rows_a_dimension_are_and_the_last_step():
    z = RNG(22).normal(size=(160, 10)) * np.arange(1, 11)
    fig = curves.curve(growth.grow("effective_rank", z, np.arange(160)), "#123456", LIGHT)
    dotted = [trace for trace in fig.data if trace.line.dash == "dot"]
    assert len(dotted) == 1 and dotted[0].y[-1] == pytest.approx(collapse.ceiling("effective_rank", 160, 10))
    assert [shape.x0 for shape in fig.layout.shapes] == [pytest.approx(np.log2(40))] and list(fig.layout.xaxis.ticktext) == [
        "20",
        "40",
        "80",
        "160",
    ]
    low, high = fig.layout.yaxis.range
    assert low < 1 < dotted[0].y[-1] < high, "the collapsed end and the ceiling are in view"
    bare = growth.Growth(
        "feature_std", 4, (20,), (20,), (1.0,), (None,), (SimpleNamespace(low=None, high=None, procedure="", why="few"),), {"40": "odd"}
    )
    assert (
        bare.climb is None and curves.title(bare) == "Feature std at one number of rows" and not curves.curve(bare, "#123456").layout.shapes
    )
    assert [row["why"] for row in curves.rows(bare)] == ["few", "odd"]
    up = growth.Growth("nesum", 4, (20, 40), (20, 40), (1.0, 1.2), (None, None), bare.intervals * 2, {})
    assert curves.title(up) == "NESum rose by 20 % from 20 to 40 rows"


def test_lidar_is_read_from_views_under_the_runs_own_augmentation(small_run):
    """By hand, study by study; the untrained network's beside it; reports have one view."""
    dataset = load_dataset(small_run.source[1], small_run.id)
    step = small_run.steps_of("snapshots")[-1]
    found = measuring.of_run(small_run, step, dataset, lambda at: load_method(small_run, at))
    own = found["image.backbone"]
    method, look = load_method(small_run, step), small_run.embeddings("image.backbone", step)
    rows, places = [], [list(dataset.keys).index(key) for key in look.keys][: measuring.SAMPLES]
    for place in places:
        for view in range(measuring.VIEWS):
            row = type(method).transform(method.config, dataset[place], rng(0, "views", view, dataset.keys[place]))
            batch = collate([row | {"key": "k", "patient": "p", "source": "s"}])
            rows.append(of_batches(method, [batch], ["image.backbone"])["image.backbone"])
    by_hand = lidar(np.concatenate(rows), np.repeat(np.arange(len(places)), measuring.VIEWS))
    assert own.trained["lidar"].value == pytest.approx(by_hand.value, rel=1e-3) and own.trained["lidar"].ceiling > by_hand.value
    assert own.untrained["lidar"].value != pytest.approx(own.trained["lidar"].value, rel=1e-3)
    assert found["text.projected"].trained["lidar"].why == "the views of a study do not differ in this feature"
    plain = load_method(small_run, step)
    plain.config = plain.config.model_copy(update={"augment": "none"})
    _, _, why = measuring.viewed(small_run, step, dataset, lambda at: plain, look)
    assert why == "trained without augmentation: a study has one view"
