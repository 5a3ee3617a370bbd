"""Where diverging rays are inside ellipsoids, in closed form; lengths in cm.

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
    yaw, roll, pitch = math.radians(yaw), math.radians(roll), math.radians(pitch)
    cy, sy, cr, sr, cp, sp = math.cos(yaw), math.sin(yaw), math.cos(roll), math.sin(roll), math.cos(pitch), math.sin(pitch)
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


def both(one: Interval, other: Interval) -> Interval:
    """Where a ray is in both solids."""
    return Interval(np.maximum(one.enter, other.enter), np.minimum(one.leave, other.leave))
