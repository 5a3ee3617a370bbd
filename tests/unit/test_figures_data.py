"""What the figures are drawn from: looks, falls, seeds and the map, against plain loops."""

from dataclasses import replace

import numpy as np
import pytest

from tests.app.folders import LOOKS, PROBE, N, features, write_demo, write_run
from workbench.analysis import falls, looks, projection
from workbench.analysis.seeds import arms, setting
from workbench.embeddings import Embeddings
from workbench.run import Run


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    return [Run(path) for path in write_demo(tmp_path_factory.mktemp("runs"), seeds=2)]


def named(runs):
    return {run.id: arm.label for arm in arms(runs) for run in arm.runs}, {run.id: run.looks() for run in runs}


def test_seeds_of_one_setting_are_one_arm_and_equal_names_of_two_settings_are_two(demo, tmp_path):
    assert [(arm.label, len(arm.runs)) for arm in arms(demo)] == [("alignment", 2), ("orthogonality", 2), ("contrastive", 2)]
    same = [Run(write_run(tmp_path, "alignment", 0, looks=())), Run(write_run(tmp_path, "alignment", 0, looks=(), number=1))]
    (same[1].path / "config.yaml").write_text((same[1].path / "config.yaml").read_text().replace("batch: 128", "batch: 64"))
    assert len({arm.label for arm in arms(same)}) == 2
    assert setting({"seed": 1, "batch": 2}) == setting({"seed": 2, "batch": 2}) != setting({"seed": 1, "batch": 3})


def test_a_trajectory_is_what_the_looks_stored(demo):
    labels, seen = named(demo)
    run = demo[0]
    found = looks.trajectory(run, "image.projected", "participation_ratio", labels[run.id], seen[run.id])
    assert list(found.steps) == list(LOOKS)
    values = np.linalg.svd(features("alignment", 0, 16, 12) - features("alignment", 0, 16, 12).mean(0), compute_uv=False) ** 2
    assert found.values[found.at(16)] == pytest.approx(values.sum() ** 2 / (values**2).sum(), rel=1e-4)
    assert found.at(15) == found.at(8) and found.at(10**9) == len(LOOKS) - 1 and found.at(-1) == 0
    assert found.references["untrained"] == found.values[0]
    assert (found.low <= found.values).all() and (found.values <= found.high).all()
    probe = looks.trajectory(run, "image.projected", "probe", "", seen[run.id])
    assert probe.values[-1] == pytest.approx(PROBE["alignment"])
    assert probe.references == {"untrained": 0.72, "chance": 0.5, "pixels": 0.7, "metadata": 0.58}


def test_an_overlay_takes_the_last_look_before_the_slider(demo):
    labels, seen = named(demo)
    found = looks.overlay(demo, "image.backbone", 20, labels, seen)
    assert {each.step for each in found.spectra} == {16}
    assert (found.n, found.d, found.patients, len(found.spectra)) == (N, 16, N // 2, 6)
    assert looks.overlay(demo, "no.such", 20, labels, seen) is None
    assert looks.history(demo[0], "image.backbone", "a", seen[demo[0].id]).values.shape == (len(LOOKS), 16)


def run_of(statistic, values, label="a", n=512, d=8):
    values = np.array(values, float)
    none = np.full(len(values), np.nan)
    return looks.Trajectory("r", label, statistic, n, d, np.array([0, 1, 2, 4, 8, 16])[: len(values)], values, none, none, {}, "", "")


@pytest.mark.parametrize(
    "ranks, scale, n, kind, span",
    [
        ([6, 6, 5.8, 3, 1.1, 1.1], [1] * 6, 512, "lost", (2, 8)),
        ([6, 6, 5, 5, 5, 5], [1] * 6, 512, "kept", (1, 2)),
        ([2, 3, 4, 5, 6, 7], [1] * 6, 512, "kept", (0, 16)),
        ([6, 6, 6, 6, 6, 6], [1, 1, 0.5, 0.01, 0.01, 0.01], 512, "total", (1, 4)),
        ([6, 1, 1, 1, 1, 1], [1] * 6, 31, "short", (0, 16)),
        ([1.2], [1], 512, "single", (0, 0)),
    ],
    ids=["lost", "kept", "risen", "point", "few", "single"],
)
def test_a_fall_is_judged_against_the_runs_own_maximum(ranks, scale, n, kind, span):
    found = falls.fall("f", [run_of("participation_ratio", ranks, n=n)], [run_of("feature_std", scale, n=n)], 16)
    assert (found.kind, (found.from_step, found.to_step)) == (kind, span)


def test_what_comes_after_the_slider_does_not_count():
    ranks, scale = [run_of("participation_ratio", [6, 6, 6, 6, 1, 1])], [run_of("feature_std", [1] * 6)]
    assert [falls.fall("f", ranks, scale, step).kind for step in (4, 16)] == ["kept", "lost"]


@pytest.mark.parametrize(("reach", "kind"), [(0.5, "lost"), (4.0, "kept")])
def test_a_fall_within_the_intervals_is_none(reach, kind):
    run = run_of("participation_ratio", [6, 6, 6, 2])
    run = replace(run, low=run.values - reach, high=run.values + reach)
    assert falls.fall("f", [run], [], 16).kind == kind


@pytest.mark.parametrize(
    ("ranks", "uncentred", "kind", "now"),
    [([6, 6, 6, 5], [9, 9, 4, 2], "offset", 2), ([6, 6, 6, 2], [9, 9, 4, 2], "lost", 2), ([6, 6, 6, 5], [9, 9, 8, 7], "kept", 5)],
)
def test_rows_that_come_to_share_one_mean_are_seen_by_the_uncentred_rank(ranks, uncentred, kind, now):
    found = falls.fall("f", [run_of("participation_ratio", ranks)], [], 16, [run_of("uncentred_rank", uncentred)])
    assert (found.kind, found.now) == (kind, now)


def test_the_mean_of_seeds_is_judged():
    ranks = [run_of("participation_ratio", [6, 6, 6]), run_of("participation_ratio", [6, 6, 0])]
    assert falls.fall("f", ranks, [], 16).now == 3
    assert falls.follows({"a": 1, "b": 2}, {"a": 0.6, "b": 0.7}) is True
    assert falls.follows({"a": 1, "b": 2}, {"a": 0.8, "b": 0.7}) is False
    assert falls.follows({"a": 1}, {"a": 0.8}) is None


def embeddings(z, keys=None):
    keys = keys or tuple(map(str, range(len(z))))
    return Embeddings(z.astype(np.float32), keys, keys, "f", 3, "")


def test_the_map_is_the_plane_of_largest_variance():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(40, 5)) * [0.1, 3, 0.2, 2, 0.1] + 7
    found = projection.pca(embeddings(z))
    values = np.linalg.svd(z - z.mean(0), compute_uv=False) ** 2
    np.testing.assert_allclose((found.xy**2).sum(0), values[:2], rtol=1e-5)
    np.testing.assert_allclose(found.explained, values[:2] / values.sum(), rtol=1e-5)
    again = projection.pca(embeddings(-z), like=found)
    np.testing.assert_allclose(again.xy, found.xy, atol=1e-4)  # axes are turned to agree, not flipped


def test_trustworthiness_counts_false_and_missing_neighbours():
    rng = np.random.default_rng(1)
    z, xy, k = rng.normal(size=(30, 4)), rng.normal(size=(30, 2)), 4
    false = missing = 0
    for i in range(30):
        high, low = (sorted((j for j in range(30) if j != i), key=lambda j: np.sum((rows[i] - rows[j]) ** 2)) for rows in (z, xy))
        false += sum(high.index(j) + 1 - k for j in low[:k] if j not in high[:k])
        missing += sum(low.index(j) + 1 - k for j in high[:k] if j not in low[:k])
    scale = 2 / (30 * k * (60 - 3 * k - 1))
    assert projection.neighbourhoods(z, xy, k) == pytest.approx((1 - scale * false, 1 - scale * missing))
    assert projection.neighbourhoods(xy, xy, k) == (1.0, 1.0)


@pytest.mark.parametrize("z", [np.ones((12, 3)), np.ones((4, 1)) * np.arange(4)[:, None]], ids=["a point", "one column"])
def test_a_collapsed_space_has_a_map_too(z):
    found = projection.pca(embeddings(z))
    assert found.xy.shape == (len(z), 2) and np.isfinite(found.xy).all() and np.isfinite(found.explained).all()
