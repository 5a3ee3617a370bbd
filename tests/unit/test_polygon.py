"""Point in polygon against rational arithmetic, on polygons made to go wrong."""

from fractions import Fraction

import numpy as np
import pytest

from workbench.analysis import polygon
from workbench.analysis.polygon import inside
from workbench.errors import UserError


def reference(xy, rings):
    """Even-odd with points on edges inside, in fractions: no rounding anywhere."""
    found = []
    for px, py in ((Fraction(float(x)), Fraction(float(y))) for x, y in xy):
        odd = on = False
        for ring in rings:
            corners = [(Fraction(float(x)), Fraction(float(y))) for x, y in ring]
            for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1]):
                side = (bx - ax) * (py - ay) - (by - ay) * (px - ax)
                if side == 0 and min(ax, bx) <= px <= max(ax, bx) and min(ay, by) <= py <= max(ay, by):
                    on = True
                if (ay > py) != (by > py):
                    odd ^= px < ax + (py - ay) * (bx - ax) / (by - ay)
        found.append(odd or on)
    return np.array(found)


def grid(low, high, count):
    return np.stack(np.meshgrid(np.linspace(low, high, count), np.linspace(low, high, count)), -1).reshape(-1, 2)


DRAW = np.random.default_rng(3)
STAR = [[0, 3], [2, -3], [-3, 1], [3, 1], [-2, -3]]
SQUARE, HOLE = [[-3, -3], [3, -3], [3, 3], [-3, 3]], [[-1, -1], [1, -1], [1, 1], [-1, 1]]
POLYGONS = {
    "a square whose edges hold points": [SQUARE],
    "a square with a hole": [SQUARE, HOLE],
    "a star that crosses itself": [STAR],
    "a bow tie": [[[-2, -2], [2, 2], [2, -2], [-2, 2]]],
    "corners at the height of points": [[[0, -3], [1, 0], [3, 0], [1, 1], [0, 3], [-1, 1], [-3, 0], [-1, 0]]],
    "an edge walked to and fro": [[[-2, 0], [2, 0], [0, 0], [0, 2]]],
    "a corner twice": [[[0, 0], [0, 0], [2, 0], [2, 2]]],
    "two rings that overlap": [SQUARE, [[0, 0], [4, 0], [4, 4], [0, 4]]],
    "all corners on one line": [[[-1, -1], [0, 0], [2, 2]]],
    "a random tangle": [DRAW.normal(size=(31, 2)) * 2],
    "thirds": [[[1 / 3, 1 / 3], [7 / 3, 2 / 3], [-5 / 3, 8 / 3]]],
}


@pytest.mark.parametrize("name", POLYGONS)
def test_points_are_sorted_as_rational_arithmetic_does(name):
    rings = [np.array(ring, float) for ring in POLYGONS[name]]
    points = np.concatenate([grid(-3, 3, 9), *rings, *[(ring + np.roll(ring, 1, 0)) / 2 for ring in rings]])
    near = np.concatenate([np.nextafter(points, np.inf), np.nextafter(points, -np.inf)])
    points = np.concatenate([points, near])
    assert (inside(points, rings) == reference(points, rings)).all()


@pytest.mark.parametrize("scale", [1.0, 1e-200, 1e200, 2.0**-1000])
def test_a_slanted_edge_is_exact_at_every_scale(scale):
    """Points within one unit of rounding of the line through (-12, -12) and (24, 24): float64 alone calls many of them wrongly (Kettner et al., 2008)."""
    ring = np.array([[-12.0, -12.0], [24.0, 24.0], [30.0, 2.0]]) * scale
    step = 2.0**-53
    points = np.array([[0.5 + i * step, 0.5 + j * step] for i in range(12) for j in range(12)]) * scale
    assert (inside(points, ring) == reference(points, [ring])).all()
    assert 12 < inside(points, ring).sum() < 144


def test_many_points_go_through_the_grid_and_come_out_the_same(monkeypatch):
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    blob = np.stack([np.cos(angle), np.sin(angle)], 1) * (1 + 0.4 * np.sin(5 * angle))[:, None]
    points = np.concatenate([DRAW.normal(size=(3000, 2)), blob, (blob + np.roll(blob, 1, 0)) / 2, grid(-1.5, 1.5, 31)])
    monkeypatch.setattr(polygon, "MANY", 10)
    for rings in ([blob], [blob, 0.5 * blob], [np.round(blob * 4) / 4]):
        assert (inside(points, rings) == polygon.beside(points, list(polygon.edges(rings)))).all()
    assert (inside(points, [np.round(blob * 4) / 4])[::7] == reference(points[::7], [np.round(blob * 4) / 4])).all()


def test_points_that_are_no_numbers_lie_outside_and_no_point_is_no_error():
    assert inside(np.array([[np.nan, 0], [np.inf, 0], [0, -np.inf], [0, 0]]), SQUARE).tolist() == [False, False, False, True]
    assert inside(np.zeros((0, 2)), SQUARE).shape == (0,)


@pytest.mark.parametrize(
    ("lasso", "told"),
    [
        ([[0, 0], [1, 1]], "2 different corners enclose nothing"),
        ([[0, 0], [1, 1], [1, 1]], "2 different corners enclose nothing"),
        ([], "0 different corners|expected corners"),
        ([[0, 0], [1, np.nan], [1, 1]], "not a finite number"),
        ([[0, 0, 0], [1, 1, 1], [2, 0, 1]], "corners of two numbers"),
        ("abc", "expected a list"),
    ],
)
def test_what_encloses_nothing_is_refused(lasso, told):
    with pytest.raises(UserError, match=told):
        inside(np.zeros((1, 2)), lasso)
