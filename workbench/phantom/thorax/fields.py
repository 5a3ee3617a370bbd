"""Smooth changes of a lung as functions of points in patient axes: films sample them along rays, volumes at voxels."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from workbench.phantom import SIDES
from workbench.phantom.solids import Ellipsoid
from workbench.phantom.thorax.abdomen import sulcus
from workbench.phantom.thorax.anatomy import SHARE, Body, place_in, scaled
from workbench.phantom.thorax.latents import Finding, Study
from workbench.phantom.thorax.materials import LUNG
from workbench.phantom.thorax.shape import WAY, hemithorax, shape_of
from workbench.randomness import rng

SMOOTH = ("effusion", "consolidation", "atelectasis", "oedema")
FULL = {"consolidation": 0.92, "atelectasis": 0.95, "oedema": 0.85}  # density at most
WAVES = 7
LOW_BACK = 5.0  # cm behind the middle, where fluid begins to stand when lying
LYING = (25.0, 50.0)  # degrees, least and most


class Field(NamedTuple):
    """One lung's contents: density of aerated lung, its smooth findings, and what their shapes need."""

    base: float
    findings: dict[str, Finding]
    hemithorax: Ellipsoid  # from the middle to the chest wall
    lung: Ellipsoid  # the fallen one within a pneumothorax
    way: int
    scale: float
    rise: float  # cm, by which the dome is higher than a plain one
    sulcus: float  # cm, height from which fluid stands
    lying: float  # degrees, how far the patient leans back
    texture: tuple[int, int, int]  # seed, side and study of what makes its findings ragged


def field_of(study: Study, body: Body, side: str) -> Field:
    """The field of one lung."""
    findings = {each.name: each for each in study.findings if each.name in SMOOTH and each.side in ("", side)}
    chest = shape_of(study.patient)
    base = LUNG * float(np.exp(-0.35 * (study.inspiration - 0.6)))
    if side in body.fallen:
        base = min(base * float(np.prod(body.lungs[side].radii / body.fallen[side].radii)) ** 0.6, 0.7)
    return Field(
        base,
        findings,
        scaled(hemithorax(chest, side), body.scale),
        body.fallen.get(side, body.lungs[side]),
        WAY[side],
        body.scale,
        chest.half(side).top * body.scale,
        sulcus(study, side) * body.scale,
        lying(study),
        (study.seed, SIDES.index(side), study.number),
    )


def lying(study: Study) -> float:
    """How far the patient leans back, degrees: portable films (AP) are taken half lying, all others upright."""
    return float(rng(study.seed, "thorax lying", 0, study.number).uniform(*LYING)) if study.view == "AP" else 0.0


@lru_cache(maxsize=16)
def waves(seed: int, side: int, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Plane waves (WAVES, 3) per unscaled cm, and their phases (WAVES,)."""
    draw = rng(seed, "thorax texture", side, number)
    heading = draw.normal(size=(WAVES, 3))
    heading *= (draw.uniform(0.8, 3.2, size=WAVES) / np.sqrt((heading**2).sum(1)))[:, None]
    return heading, draw.uniform(0, 2 * np.pi, size=WAVES)


def ragged(field: Field, points: np.ndarray) -> np.ndarray:
    """Noise of unit variance at points (3, n): a few plane waves."""
    kind = points.dtype
    heading, phases = waves(*field.texture)
    angle = (heading / field.scale).astype(kind) @ points + phases.astype(kind)[:, None]
    return np.sin(angle).sum(0) * kind.type(np.sqrt(2 / WAVES))


def weights(field: Field, points: np.ndarray) -> dict[str, np.ndarray]:
    """How much of every smooth finding is at points (3, n), each in [0, 1]: the share of the air it takes."""
    found = {}
    for name, finding in field.findings.items():
        if name == "effusion":
            found[name] = fluid(field, points, finding)
        elif name == "oedema":
            reach = relative(field, points, (-0.45, 0.0, -0.05))
            near = np.exp(-1.6 * (reach**2).sum(0))
            low = 1 - 0.25 * reach[1]
            found[name] = np.clip(finding.size * 1.9 * near * low * (1 + 0.3 * ragged(field, points)), 0, 1)
        elif name == "consolidation":
            own = place_in(field.lung, field.way, finding.place, field.rise)[:, None].astype(points.dtype)
            away = np.sqrt((((points - own) / (finding.size * field.scale)) ** 2).sum(0) + 1e-9)
            found[name] = (0.55 + 0.45 * finding.severity) * step((1 - away + 0.16 * ragged(field, points)) * 5)
        else:  # the lower lobe folds against the spine and the dome
            reach = relative(field, points, (-0.35, -0.75, -0.45))
            plate = (reach * np.array([1.5, 2.4 - 1.2 * finding.severity, 1.5], points.dtype)[:, None]) ** 2
            found[name] = step((1 - plate.sum(0)) * 3.5) * (0.6 + 0.35 * finding.severity)
    return {name: each.astype(points.dtype) for name, each in found.items()}


def relative(field: Field, points: np.ndarray, place: tuple[float, float, float]) -> np.ndarray:
    """Points (3, n) from a place of the lung, in the half axes of its part above the dome: out, up, front."""
    from_place = points - place_in(field.lung, field.way, place, field.rise)[:, None].astype(points.dtype)
    turned = (field.lung.axes / (field.lung.radii * SHARE)).T * np.array([field.way, 1, 1])[:, None]
    return turned.astype(points.dtype) @ from_place


def fluid(field: Field, points: np.ndarray, finding: Finding) -> np.ndarray:
    """Free fluid: level in the middle, climbing along the chest wall.

    Of someone half lying it runs to the back, where a film from the front shows it as a haze over the lower lung besides the meniscus.
    """
    across = (points[0] - field.hemithorax.centre[0]) / field.hemithorax.radii[0] * field.way
    along = (points[2] - field.hemithorax.centre[2]) / field.hemithorax.radii[2]
    rim = np.clip(np.maximum(across, 0) ** 2 + along * along, 0, 1.2)
    up, back = np.cos(np.deg2rad(field.lying)), np.sin(np.deg2rad(field.lying))
    lowest = up * field.sulcus - back * LOW_BACK * field.scale
    top = lowest + field.scale * (0.8 * finding.size + (1.0 + 0.5 * finding.size) * rim**3)
    height = points[1] if field.lying == 0 else points.dtype.type(up) * points[1] + points.dtype.type(back) * points[2]
    return step((top - height) * (4.0 / field.scale))


def step(value: np.ndarray) -> np.ndarray:
    """From 0 to 1 without a jump: the logistic function, by its tangent."""
    return 0.5 + 0.5 * np.tanh(0.5 * value)


def density(field: Field, found: dict[str, np.ndarray]) -> np.ndarray | float:
    """Density of lung as a share of soft tissue, fluid included, from the weights at its points."""
    air: np.ndarray | float = 1.0
    for name, weight in found.items():
        if name != "effusion":
            air = air * (1 - weight * (FULL[name] - field.base) / (1 - field.base))
    wet = found.get("effusion", 0.0)
    return 1 - air * (1 - field.base) * (1 - wet)


def rho(field: Field, points: np.ndarray) -> np.ndarray | float:
    """Density of lung at points (3, n)."""
    return density(field, weights(field, points))
