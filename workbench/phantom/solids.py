"""Path lengths of diverging rays through ellipsoids and tubes, in closed form; lengths in cm.

Axes of the patient as seen from the front: x to the patient's left (image right), y up, z to the front. Rays are numbered by
the place (X, Y) where they meet the detector and run through (X, Y, 0)(alpha + beta z) + (0, 0, z).
"""

import math
from typing import NamedTuple

import numpy as np

DISTANCE = {"PA": 180.0, "AP": 100.0}  # source to detector, cm
DETECTOR = 12.0  # from the patient's middle plane: in front of the chest for PA, behind the back for AP


class Rays(NamedTuple):
    """The rays of one film, one per sample of the detector."""

    x: np.ndarray  # (1, w) on the detector
    y: np.ndarray  # (h, 1)
    alpha: float
    beta: float
    slant: np.ndarray  # (h, w) length of a ray per cm of z
    step: float  # cm between samples on the detector


class Interval(NamedTuple):
    """Where rays are inside a convex solid, as z; empty where leave < enter."""

    enter: np.ndarray
    leave: np.ndarray

    @property
    def length(self) -> np.ndarray:
        return np.maximum(self.leave - self.enter, 0)


class Ellipsoid(NamedTuple):
    """A solid by its centre, half axes and the rotation whose columns are its axes."""

    centre: np.ndarray  # (3,)
    radii: np.ndarray  # (3,)
    axes: np.ndarray  # (3, 3)


def rays(view: str, size: int, field: float, centre: tuple[float, float], dtype: type = np.float32) -> Rays:
    """A square detector `field` cm wide whose middle sees the patient's point `centre`."""
    beta = (1 if view == "PA" else -1) / DISTANCE[view]
    alpha = 1 - DETECTOR / DISTANCE[view]
    along = (np.arange(size) + 0.5) * (field / size) - field / 2
    x: np.ndarray = (along[None] + centre[0]).astype(dtype)
    y: np.ndarray = (centre[1] - along[:, None]).astype(dtype)
    return Rays(x, y, alpha, beta, np.sqrt(1 + (beta * x) ** 2 + (beta * y) ** 2), field / size)


def turn(yaw: float = 0.0, roll: float = 0.0, pitch: float = 0.0) -> np.ndarray:
    """Rotation by `roll` about z (left side up), then `pitch` about x, then `yaw` about y; degrees."""
    (cy, sy), (cr, sr), (cp, sp) = ((math.cos(math.radians(each)), math.sin(math.radians(each))) for each in (yaw, roll, pitch))
    return np.array(
        [
            [cy * cr + sy * sp * sr, sy * sp * cr - cy * sr, sy * cp],
            [cp * sr, cp * cr, -sp],
            [cy * sp * sr - sy * cr, sy * sr + cy * sp * cr, cy * cp],
        ]
    )


def interval(beam: Rays, solid: Ellipsoid) -> Interval:
    """Where each ray enters and leaves an ellipsoid: roots of a quadratic in z; a miss is an empty interval."""
    to_unit = (solid.axes / solid.radii).T  # the solid becomes the unit ball: direction d(X, Y), start s(X, Y), both linear
    across, up, along = to_unit.T
    offset = to_unit @ solid.centre
    a, b = beam.alpha, beam.beta
    xx, xy, yy = float(across @ across), float(across @ up), float(up @ up)
    xz, yz, zz = float(across @ along), float(up @ along), float(along @ along)
    xo, yo, zo, oo = float(across @ offset), float(up @ offset), float(along @ offset), float(offset @ offset)
    x, y = beam.x, beam.y
    form = xx * x * x + yy * y * y + (2 * xy * x) * y
    square = b * b * form + (2 * b * xz * x + 2 * b * yz * y + zz)  # |d|^2
    cross = a * b * form + ((a * xz - b * xo) * x + (a * yz - b * yo) * y - zo)  # d.s
    rest = a * a * form + (-2 * a * xo * x - 2 * a * yo * y + (oo - 1))  # |s|^2 - 1
    root = np.sqrt(np.maximum(cross * cross - square * rest, 0))
    return Interval((-cross - root) / square, (root - cross) / square)


def chord(beam: Rays, solid: Ellipsoid) -> np.ndarray:
    """Length of every ray inside an ellipsoid."""
    return interval(beam, solid).length * beam.slant


def both(one: Interval, other: Interval) -> Interval:
    """Where a ray is in both solids."""
    return Interval(np.maximum(one.enter, other.enter), np.minimum(one.leave, other.leave))


def occupied(within: Interval, solids: list[Interval]) -> np.ndarray:
    """Length in z of the part of `within` that any of the solids covers; three at once are not corrected for."""
    inside = [both(within, solid) for solid in solids]
    total = sum(each.length for each in inside)
    for place, one in enumerate(inside):
        for other in inside[:place]:
            total = total - both(one, other).length
    return np.clip(total, 0, within.length)


def project(beam: Rays, points: np.ndarray) -> np.ndarray:
    """Detector places (n, 2) of patient points (n, 3)."""
    return points[:, :2] / (beam.alpha + beam.beta * points[:, 2:])


def tubes(beam: Rays, starts: np.ndarray, ends: np.ndarray, radius: np.ndarray, joined: bool = False) -> np.ndarray:
    """Chords of straight tubes between detector places (n, 2), added up, or the longest where they form one line.

    A tube thinner than a sample keeps its area.
    """
    height, width = beam.slant.shape
    wide = np.maximum(radius, 0.75 * beam.step)[:, None, None]
    reach = wide[:, 0] + beam.step
    low, high = np.minimum(starts, ends) - reach, np.maximum(starts, ends) + reach
    left = ((low[:, 0] - beam.x[0, 0]) / beam.step).astype(int)
    top = ((beam.y[0, 0] - high[:, 1]) / beam.step).astype(int)
    across, down = (np.arange(int(span / beam.step) + 2) for span in (high - low).max(0))  # every tube gets a box of the same size
    columns, rows = left[:, None, None] + across, top[:, None, None] + down[:, None]
    from_x = beam.x[0, 0] + columns * beam.step - starts[:, :1, None]
    from_y = beam.y[0, 0] - rows * beam.step - starts[:, 1:, None]
    way = (ends - starts)[:, :, None, None]
    along = np.clip((from_x * way[:, 0] + from_y * way[:, 1]) / np.maximum((way**2).sum(1), 1e-9), 0, 1)
    away = (from_x - along * way[:, 0]) ** 2 + (from_y - along * way[:, 1]) ** 2
    thickness = 2 * (radius[:, None, None] / wide) ** 2 * np.sqrt(np.maximum(wide * wide - away, 0))
    seen = (thickness > 0) & (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    where = (rows * width + columns)[seen]
    out = np.zeros(height * width)
    (np.maximum if joined else np.add).at(out, where, thickness[seen])
    return out.reshape(height, width).astype(beam.x.dtype)
