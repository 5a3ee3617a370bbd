"""What the figures are drawn from: looks, falls, seeds and the map, against plain loops."""

from dataclasses import replace

import numpy as np
import pytest

from tests.app.folders import LOOKS, PROBE, N, features, write_demo, write_run
from workbench.analysis import falls, looks, projection
from workbench.analysis.seeds import arms, setting
from workbench.analysis.sentinel import Look, sentinel
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


def run_of(ranks, scale=None, mean=None, n=512, d=8):
    """Looks at steps 0, 1, 2, 4, 8, 16: `rank` equal directions (the last in part) of 8."""
    steps, scale, mean = [0, 1, 2, 4, 8, 16], scale or [1.0] * len(ranks), mean or [0.5] * len(ranks)
    return [
        Look(step, "f", n, d, np.sqrt(n * d / rank * (np.arange(d) < rank)) * std, away, std)
        for step, rank, std, away in zip(steps, ranks, scale, mean)
    ]


@pytest.mark.parametrize(
    "ranks, more, kind, span",
    [
        ([6, 6, 6, 3, 1, 1], {}, "dimensional", (2, 8)),
        ([6, 6, 5, 5, 5, 5], {}, "kept", (0, 16)),
        ([2, 3, 4, 5, 6, 7], {}, "kept", (0, 16)),
        ([6] * 6, {"scale": [1, 1, 0.5, 0.01, 0.01, 0.01]}, "total", (1, 4)),
        ([6] * 6, {"scale": [1, 1, 0.5, 0.01, 0.01, 0.01], "mean": [0.5, 0.5, 0.25, 0.005, 0.005, 0.005]}, "scale", (1, 4)),
        ([6] * 6, {"mean": [0.5, 0.5, 0.5, 20, 90, 100]}, "offset", (2, 8)),
        ([6, 1, 1, 1, 1, 1], {"n": 31}, "short", (0, 16)),
        ([1], {}, "single", (0, 0)),
    ],
    ids=["lost", "kept", "risen", "point", "smaller", "one mean", "few", "single"],
)
def test_a_fall_is_judged_against_the_runs_own_maximum(ranks, more, kind, span):
    found = falls.fall("a", [run_of(ranks, **more)], 16)
    assert (found.label, found.feature, found.kind, (found.from_step, found.to_step)) == ("a", "f", kind, span)
    history = run_of(ranks, **more)
    assert (sentinel(history).kind == kind) == (kind in falls.FALLEN), "a page and the sentinel mean the same by a fall"


def test_what_comes_after_the_slider_does_not_count():
    assert [falls.fall("a", [run_of([6, 6, 6, 6, 1, 1])], step).kind for step in (4, 16)] == ["kept", "dimensional"]


def test_a_fall_that_came_back_and_what_a_probe_did_meanwhile_are_told():
    found = falls.fall("a", [run_of([6, 7, 6, 2, 5, 6])], 16)
    assert found.kind == "kept" and found.directions == pytest.approx((6, 6)) and found.probe is None
    assert (found.dip.before, found.dip.low, found.dip.step) == (pytest.approx(7), pytest.approx(2), 4)
    stayed = falls.fall("a", [run_of([7, 7, 7, 3, 3, 3], scale=[1, 1, 1, 2, 4, 8])], 16)
    assert (stayed.kind, stayed.dip) == ("kept", None), "beside a cloud that grew it is no fall, and it did not come back"
    assert [falls.fall("a", [run_of(ranks)], 16).dip for ranks in ([2, 3, 4, 5, 6, 7], [6, 6, 6, 1, 1, 2])] == [None] * 2
    learnt = [replace(look, probe=0.6 + place / 20) for place, look in enumerate(run_of([6, 7, 6, 3, 1, 1]))]
    found = falls.fall("a", [learnt], 16)
    assert found.probe == pytest.approx((0.65, 0.85)) and found.dip is None and found.directions[1] < found.before
    assert [falls.together(replace(found, probe=of)) for of in (found.probe, (0.8, 0.81), (0.8, 0.7), None)] == [
        "rose",
        "stayed",
        "fell",
        None,
    ]


def test_the_mean_of_seeds_is_judged():
    both = [run_of([6, 6, 6, 6]), run_of([6, 6, 2, 2])]
    found = falls.fall("a", both, 16)
    assert (found.now, found.runs, found.kind) == (pytest.approx(4), 2, "dimensional")
    assert falls.fall("a", [both[0], both[1][:2]], 16).to_step == 1, "only steps that all runs share"
    with pytest.raises(ValueError, match="common look"):
        falls.fall("a", [both[0][:1], both[1][1:]], 16)
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


@pytest.mark.parametrize("z", [np.ones((12, 3)), np.ones((4, 1)) * np.arange(4)[:, None]], ids=["a point", "one column"])
def test_a_collapsed_space_has_a_map_too(z):
    found = projection.pca(embeddings(z))
    assert found.xy.shape == (len(z), 2) and np.isfinite(found.xy).all() and np.isfinite(found.explained).all()
