"""Shape model of the lungs' outline: mean + modes @ normals, and the solids that bound a lung; patient axes, unscaled cm.

`shape.yaml` holds the coefficients: fitted by tests/full/outlines.py to human lung masks, whose source, licence and authors stand in its head.
"""

from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml

from workbench.errors import UserError
from workbench.phantom import SIDES
from workbench.phantom.solids import Ellipsoid, turn
from workbench.phantom.thorax.patient import Patient

WAY = {"right": -1, "left": 1}
BREASTS, SHOULDERS, AORTA = 8, 9, 10  # entries of Patient.shape behind those of the modes
WIDEST = -9.0  # cm, height where a plain chest is widest
WALL = 13.9  # cm, half the width of a plain cage
# cm, how far a plain dome would go on beyond the wall, and half its height: steeper than the fit has it (4), as many of its masks are of people lying
EDGE, DEEP = 1.75, 12.0
ROLL = 5.0  # degrees, how far the lungs lean to each other at the top, before the fit


class Half(NamedTuple):
    """One lung and its dome, as differences from a plain one."""

    apex: float  # cm higher
    lean: float  # degrees more to the other lung, at the top
    out: float  # cm further from the middle
    broad: float  # log of its width
    top: float  # cm by which the dome is higher
    dome_out: float  # cm by which the dome is highest further from the middle
    dome_edge: float  # log of how far the dome would go on beyond the chest wall: below 0 it falls more steeply there


class Shape(NamedTuple):
    """The chest of one patient, as differences from a plain one."""

    wide: float  # log of the width of cage and lungs
    low: float  # cm by which the cage is widest further down, its top staying
    high: float  # log of the cage's height: above 0 its wall is steeper
    mediastinum: float  # log of the width of the tissue round the windpipe
    right: Half
    left: Half

    def half(self, side: str) -> Half:
        return self.left if side == "left" else self.right


def shaped(values: np.ndarray) -> Shape:
    """Parameters in the order of `names`."""
    count, each = len(Shape._fields) - len(SIDES), len(Half._fields)
    own = [float(value) for value in values]
    return Shape._make([*own[:count], Half._make(own[count : count + each]), Half._make(own[count + each :])])


def names() -> list[str]:
    """Of all parameters: those of the chest, then those of each half."""
    return [*Shape._fields[: -len(SIDES)], *(f"{side} {name}" for side in SIDES for name in Half._fields)]


@cache
def coefficients() -> tuple[np.ndarray, np.ndarray]:
    """Mean (p,) and modes (k, p) of the parameters, one row for each standard normal."""
    table = yaml.safe_load((Path(__file__).parent / "shape.yaml").read_text())
    known = names()
    if list(table["mean"]) != known or any(list(mode) != known for mode in table["modes"]):
        raise UserError(
            f"shape.yaml: a mean or a mode has not exactly the parameters {', '.join(known)}; write it with python -m tests.full outlines"
        )
    return np.array([table["mean"][name] for name in known]), np.array([[mode[name] for name in known] for mode in table["modes"]])


@lru_cache(maxsize=256)
def shape_of(patient: Patient) -> Shape:
    """The chest of a patient: the leading normals are the modes of its outline."""
    mean, modes = coefficients()
    return shaped(mean + np.array(patient.shape[: len(modes)]) @ modes)


def level(own: Shape, side: str, inspiration: float) -> float:
    """Height of a dome, before anything pulls at it: it follows the breath, and the left one is lower."""
    return -8.0 - 4.2 * inspiration - (1.2 if side == "left" else 0) + own.half(side).top


def apex(own: Shape, side: str) -> float:
    """Height of the top of a lung."""
    solid = lung(own, side, 0.0)
    return float(solid.centre[1] + np.sqrt(((solid.axes[1] * solid.radii) ** 2).sum()))


def foot(own: Shape, side: str, top: float) -> float:
    """Height of the dome where it meets the chest wall at the side: the costophrenic angle."""
    solid = dome(own, side, top)
    away = ((WALL - 0.9) * np.exp(own.wide) - abs(solid.centre[0])) / solid.radii[0]
    return float(solid.centre[1] + solid.radii[1] * np.sqrt(max(1 - away * away, 0.0)))


def cage(own: Shape) -> Ellipsoid:
    """What the ribs enclose."""
    radii = np.array([WALL * np.exp(own.wide), 22.0 * np.exp(own.high) + own.low, 8.9])
    return Ellipsoid(np.array([0, WIDEST - own.low, 0.2]), radii, np.eye(3))


def hemithorax(own: Shape, side: str) -> Ellipsoid:
    """From the middle to the chest wall on one side, whatever the lung does there."""
    half = WALL / 2 * np.exp(own.wide)
    return Ellipsoid(np.array([WAY[side] * half, WIDEST, 0.2]), np.array([half, 20.8, 9.0]), np.eye(3))


def lung(own: Shape, side: str, shift: float) -> Ellipsoid:
    """One lung, before the cage, the mediastinum and its dome take their room from it; `shift` is that of the mediastinum."""
    half, way, wide = own.half(side), WAY[side], np.exp(own.wide)
    radii = np.array([(7.2 if way < 0 else 7.1) * wide * np.exp(half.broad), 20.8 + half.apex, 9.0])
    return Ellipsoid(np.array([way * (7.2 * wide + half.out) + 0.3 * shift, WIDEST, 0.2]), radii, turn(0, way * (ROLL + half.lean)))


def dome(own: Shape, side: str, top: float) -> Ellipsoid:
    """One half of the diaphragm: highest in front of the middle, so that it falls far at the back and steeply at the side.

    It reaches beyond the chest wall and past the middle, so that no lung is below it.
    """
    half = own.half(side)
    out = 5.7 + half.dome_out
    broad = max(WALL * np.exp(own.wide) - out + EDGE * np.exp(half.dome_edge), out + 1.0)
    return Ellipsoid(np.array([WAY[side] * out, top - DEEP, 1.8]), np.array([broad, DEEP, 11.3]), np.eye(3))


def partitions(own: Shape, age: float, shift: float) -> dict[str, Ellipsoid]:
    """The tissue round the windpipe, and what covers the spine at the sides."""
    wide = (2.0 + 0.15 * (age - 57) / 18) * np.exp(own.mediastinum)
    return {
        "mediastinum": Ellipsoid(np.array([0.1 + 0.7 * shift, 2.5, -0.7]), np.array([wide, 14.5, 5.2]), np.eye(3)),
        "paraspinal": Ellipsoid(np.array([0, -5, -7.5]), np.array([2.5, 60, 2.8]), np.eye(3)),
    }
