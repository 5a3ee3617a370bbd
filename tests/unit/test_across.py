"""Two looks beside each other: differences with intervals on the same studies, likeness of layers and steps, what is refused."""

import json
import shutil

import numpy as np
import pytest

import workbench as wb
from workbench.analysis import across
from workbench.analysis.across import Across, differences, of_runs, thinned
from workbench.embeddings import Embeddings
from workbench.errors import UserError
from workbench.figures import across as figures
from workbench.figures.theme import LIGHT
from workbench.run import Run

RNG = np.random.default_rng
FEATURE = "image.projected"


def look(z, patients=None, keys=None):
    names = tuple(map(str, range(len(z))))
    return Embeddings(z.astype(np.float32), keys or names, patients or names, FEATURE, 1, "hash")


def test_a_lost_direction_is_a_difference_with_an_interval_below_zero_and_noise_is_none():
    z = RNG(0).normal(size=(240, 6))
    lost = z * [1, 1, 1, 0.05, 0.05, 0.05]
    found = {each.statistic: each for each in differences(look(z), look(lost))}
    rank = found["participation_ratio"]
    assert (
        rank.interval.high < 0 and rank.second - rank.first == pytest.approx(rank.interval.value) and rank.first > 5.5 > 3.2 > rank.second
    )
    assert found["feature_std"].interval.high < 0 and "difference" in rank.interval.procedure
    same = {each.statistic: each.interval for each in differences(look(z), look(z + 1e-3 * RNG(1).normal(size=z.shape)))}
    assert all(each.low <= 0 <= each.high for name, each in same.items() if name != "feature_std")
    moved = {each.statistic: each for each in differences(look(z), look(z + 4))}
    assert moved["offset"].interval.low > 0.5 and moved["participation_ratio"].interval.value == pytest.approx(0, abs=1e-5)


def test_too_few_rows_or_patients_withhold_the_interval_and_say_why():
    z = RNG(0).normal(size=(20, 6))
    found = {each.statistic: each.interval for each in differences(look(z), look(2 * z))}
    assert found["participation_ratio"].low is None and "fewer than 4 each" in found["participation_ratio"].why
    few = tuple(str(row // 24) for row in range(240))
    found = differences(look(RNG(0).normal(size=(240, 6)), few), look(RNG(1).normal(size=(240, 6)), few))
    assert all(each.interval.low is None and "10 patients" in each.interval.why for each in found)


def test_looks_are_thinned_evenly_with_both_ends():
    assert thinned(range(5)) == [0, 1, 2, 3, 4]
    kept = thinned(list(range(100)))
    assert (len(kept), kept[0], kept[-1]) == (12, 0, 99) and max(np.diff(kept)) == 9


def test_a_run_alone_is_compared_with_its_first_look(small_run):
    found = of_runs(small_run, small_run, FEATURE, 3)
    assert (found.first.step, found.second.step, found.n) == (0, 3, 96)
    assert Across.of_dict(json.loads(json.dumps(found.as_dict()))).differences == found.differences
    assert found.steps.rows == found.steps.columns == tuple(map(str, small_run.looks()))
    assert np.allclose(np.diag(found.steps.values), 1, atol=1e-6) and np.allclose(found.steps.values, found.steps.values.T, atol=1e-9)
    names = set(small_run.geometry(3))
    assert set(found.layers.rows) == names and np.allclose(np.diag(found.layers.values), 1, atol=1e-6)
    view = wb.open_run(small_run.path).alike("steps", FEATURE)
    assert len(view.rows) == len(found.steps.rows) ** 2 and view.figure.data[0].zmax == 1
    told = wb.open_run(small_run.path).difference(FEATURE, 3).frame()
    assert list(told["statistic"]) == list(across.STATISTICS)


def test_two_runs_are_compared_at_one_step_and_the_second_less_the_first(small_run, tmp_path):
    twin = Run(shutil.copytree(small_run.path, tmp_path / "20260101-000000-mflag-phantoms-0002"))
    stored = small_run.embeddings(FEATURE, 3)
    folder = twin.path / f"artifacts/step-3/embeddings/{FEATURE}"
    np.save(folder / "features.npy", (3 * stored.features).astype(np.float32))
    found = of_runs(small_run, twin, FEATURE, 3, "linear_cka")
    scale = next(each for each in found.differences if each.statistic == "feature_std")
    assert scale.second == pytest.approx(3 * scale.first, rel=1e-5) and scale.interval.low > 0
    assert found.layers.values[found.layers.rows.index(FEATURE), found.layers.columns.index(FEATURE)] == pytest.approx(1, abs=1e-6)
    assert np.allclose(np.diag(found.steps.values), 1, atol=1e-6), "the same looks, one of them three times as large"
    drawn = wb.compare([small_run.path, twin.path]).difference(FEATURE, 3)
    assert len(drawn.rows) == 5 and wb.compare([small_run.path, twin.path]).seeds(FEATURE, 3).rows


def test_runs_on_other_studies_an_unknown_measure_and_no_look_are_refused(small_run, tmp_path):
    twin = Run(shutil.copytree(small_run.path, tmp_path / "20260101-000000-mflag-phantoms-0003"))
    for step in twin.looks():
        path = twin.path / f"artifacts/step-{step}/embeddings/{FEATURE}/keys.json"
        head = json.loads(path.read_text())
        path.write_text(json.dumps(head | {"keys": head["keys"][::-1]}))
    with pytest.raises(UserError, match=r"different studies .96 and 96 studies, 96 of them in both"):
        of_runs(small_run, twin, FEATURE, 3)
    with pytest.raises(UserError, match="no measure 'cosine'"):
        of_runs(small_run, small_run, FEATURE, 3, "cosine")
    with pytest.raises(UserError, match=r"no look of text\.projected9"):
        of_runs(small_run, small_run, "text.projected9", 3)


def test_the_matrix_shows_every_value_and_its_chance(small_run):
    found = of_runs(small_run, small_run, FEATURE, 3, "mutual_knn")
    fig = figures.alike(found.layers, "mutual_knn", LIGHT, "title", ("a", "b"), found.n)
    assert np.array_equal(np.array(fig.data[0].z), found.layers.values) and list(fig.layout.yaxis.range) == [
        len(found.layers.rows) - 0.5,
        -0.5,
    ]
    assert "chance .105" in fig.data[0].customdata[0][0] and found.layers.chance[0, 0] == pytest.approx(10 / 95)
    marks = figures.alike(found.steps, "mutual_knn", LIGHT, "title", ("a", "b"), found.n, clickable=True).data[-1]
    at = list(zip(marks.y, marks.x)).index((1, 2))
    assert list(marks.customdata[at][:2]) == [found.steps.rows[1], found.steps.columns[2]] and len(fig.data) == 1
    assert len(figures.grid_rows(found.layers)) == found.layers.values.size
