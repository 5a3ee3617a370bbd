"""The compiled loops: whole shadows, double precision inside, the same bits in every thread, a start without numba."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy import ndimage

from tests.unit.test_thorax_paths import capsule_chord, line_of, study_of
from workbench.phantom.solids import rays, turn
from workbench.phantom.thorax.course import drawn_study
from workbench.phantom.thorax.crossings import Capsules, crossed, union
from workbench.phantom.thorax.exposure import coarse, growing
from workbench.phantom.thorax.film import render, seen


@pytest.mark.parametrize("view", ["PA", "AP"])
def test_no_ray_of_a_shadow_is_left_out_far_from_the_middle(view):
    """There the shadow of a ball is longer than its width times its magnification."""
    beam = rays(view, 100, 14.0, (17.0, -24.0), np.float64)
    ball = Capsules(np.array([[14.0, -20.0, -6.0]]), np.array([[14.0, -20.0, -6.0]]), np.array([2.5]))
    found = (crossed(beam, ball).total(beam) * beam.slant).ravel()
    expected = [capsule_chord(*line_of(view, x, y), ball.starts[0], ball.ends[0], 2.5) for y in beam.y[:, 0] for x in beam.x[0]]
    assert np.count_nonzero(expected) > 500 and not np.reshape(expected, (100, 100))[[0, -1]].any()
    assert np.abs(found - expected).max() < 1e-6


def test_a_tube_along_the_ray_is_met_where_it_is_and_not_where_its_line_goes():
    beam = rays("AP", 60, 6.0, (0.0, 0.0), np.float64)
    tube = Capsules(np.array([[0.3, 0.2, -4.0]]), np.array([[0.31, 0.21, 5.0]]), np.array([0.4]))
    found = (crossed(beam, tube).total(beam) * beam.slant).ravel()
    expected = [capsule_chord(*line_of("AP", x, y), tube.starts[0], tube.ends[0], 0.4) for y in beam.y[:, 0] for x in beam.x[0]]
    assert np.abs(found - expected).max() < 1e-5 and 30 < np.count_nonzero(expected) < 200


def test_a_film_in_single_precision_is_that_in_double_precision():
    study = study_of(("effusion", "left"), ("pneumothorax", "right"), ("mass", "left"), ("pacemaker", "left"))
    single, exact = (seen(study, 64, kind) for kind in (np.float32, np.float64))
    for name in ("soft", "fat", "bone", "marrow", "device"):
        error = np.abs(getattr(single, name) - getattr(exact, name))
        assert np.quantile(error, 0.995) < 1e-4 and error.max() < 5e-3, name
    assert single.inside.keys() == exact.inside.keys()


def test_a_magnified_image_is_that_of_the_general_resampling():
    small = np.random.default_rng(0).random((11, 11)).astype(np.float32)
    for size in (44, 50):
        expected = ndimage.zoom(small, size / 11, order=1, mode="nearest", grid_mode=True)
        assert np.abs(growing(11, size) @ small @ growing(11, size).T - expected).max() < 1e-5


@pytest.mark.parametrize("size", [50, 64, 96])
def test_coarse_is_the_mean_of_blocks_smoothed_and_magnified(size):
    film = np.random.default_rng(1).random((size, size)) * np.linspace(1, 3, size)[:, None]
    factor = {50: 1, 64: 2, 96: 3}[size]
    small = film.reshape(size // factor, factor, size // factor, factor).mean((1, 3))
    small = ndimage.gaussian_filter(small, 0.1 * len(small), mode="nearest", truncate=3)
    expected = ndimage.zoom(small, factor, order=1, mode="nearest", grid_mode=True)
    assert np.abs(coarse(film, 0.1) - expected).max() < 1e-6


def test_a_rotation_is_roll_then_pitch_then_yaw():
    yaw, roll, pitch = np.deg2rad([25.0, -40.0, 13.0])
    about_y = [[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]]
    about_z = [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
    about_x = [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    expected = np.array(about_y) @ np.array(about_x) @ np.array(about_z)
    np.testing.assert_allclose(turn(25.0, -40.0, 13.0), expected, atol=1e-15)


def test_threads_render_the_same_bits():
    studies = [drawn_study(6, index) for index in range(4)]
    alone = [render(study, 64).image for study in studies]
    with ThreadPoolExecutor(4) as pool:
        assert all(np.array_equal(one, film.image) for one, film in zip(alone, pool.map(render, studies, [64] * 4)))


def test_what_meets_nothing_has_no_entries():
    beam = rays("PA", 6, 30.0, (0.0, 0.0))
    far = crossed(beam, Capsules(np.full((1, 3), 90.0), np.full((1, 3), 95.0), np.ones(1)))
    pieces = seen(study_of()._replace(shift=(400.0, 0.0)), 32)
    assert not len(union([far, far]).ray) and not pieces.soft.any() and not pieces.bone.any()


def test_without_a_place_for_its_cache_a_loop_still_runs(monkeypatch):
    from numba.core import caching

    from workbench.phantom.thorax import kernels

    def double(value):
        return 2 * value

    monkeypatch.setattr(caching.CacheImpl if hasattr(caching, "CacheImpl") else caching._CacheImpl, "_locator_classes", [])
    assert kernels.compiled(double)(4.0) == 8.0


def test_films_on_disk_are_read_without_numba(tmp_path):
    """Its start is a third of the time to a first batch."""
    code = "import sys\nfrom workbench.data.phantoms import Config, load\nload(Config(size=32, train=4, val=0, test=0))[3]\nprint('numba' in sys.modules)"
    environment = {"WORKBENCH_CACHE": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    told = [subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True).stdout for _ in "12"]
    assert [each.strip() for each in told] == ["True", "False"]
