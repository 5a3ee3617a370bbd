"""Where rays are inside ellipsoids against other derivations."""

import numpy as np
import pytest

from tests.unit.test_thorax_paths import line_of
from workbench.phantom.solids import Ellipsoid, interval, rays, turn


@pytest.mark.parametrize("view", ["PA", "AP"])
def test_chords_are_those_of_the_closed_form(view):
    beam = rays(view, 12, 30.0, (1.0, -2.0), np.float64)
    ball = Ellipsoid(np.array([2.0, -1.0, 3.0]), np.full(3, 6.0), np.eye(3))
    tilted = Ellipsoid(np.array([-3.0, 1.5, -2.0]), np.array([3.0, 7.0, 4.5]), turn(20.0, -35.0, 10.0))
    measured, measured_tilted = (interval(beam, solid).length * beam.slant for solid in (ball, tilted))
    assert (measured > 0).sum() > 20 and (measured_tilted > 0).sum() > 10
    for row, y in enumerate(beam.y[:, 0]):
        for column, x in enumerate(beam.x[0]):
            source, way = line_of(view, x, y)
            reach = ball.centre - source
            away = np.linalg.norm(reach - (reach @ way) * way)
            assert measured[row, column] == pytest.approx(2 * np.sqrt(max(36.0 - away**2, 0)), abs=1e-6)
            start, along = (tilted.axes.T @ (source - tilted.centre)) / tilted.radii, (tilted.axes.T @ way) / tilted.radii
            roots = np.roots([along @ along, 2 * start @ along, start @ start - 1])
            expected = abs(roots[0] - roots[1]).real if np.isreal(roots).all() else 0.0
            assert measured_tilted[row, column] == pytest.approx(expected, abs=1e-6)


def test_single_precision_is_enough():
    solid = Ellipsoid(np.array([0.0, -9.0, -6.9]), np.array([2.0, 20.0, 2.2]), turn(0, 3.0))
    exact, single = (interval(rays("AP", 33, 40.0, (0.0, 0.0), kind), solid).length for kind in (np.float64, np.float32))
    assert exact.max() > 3 and np.abs(exact - single).max() < 1e-3


def test_a_solid_that_is_missed_has_no_length():
    found = interval(rays("PA", 9, 30.0, (0.0, 0.0)), Ellipsoid(np.array([90.0, 0.0, 0.0]), np.ones(3), np.eye(3)))
    assert not found.length.any()
