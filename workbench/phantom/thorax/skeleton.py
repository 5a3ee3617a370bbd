"""The bones of one patient: ribs round the cage, vertebrae, breastbone, and the shoulder girdle; patient axes, unscaled cm."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from workbench.phantom import SIDES
from workbench.phantom.solids import Ellipsoid, turn
from workbench.phantom.thorax.crossings import Capsules, joined
from workbench.phantom.thorax.girdle import girdle
from workbench.phantom.thorax.latents import Study
from workbench.randomness import rng

RIBS, PIECES = 12, 12
# how far from the spine each rib reaches round the cage, degrees; in front of that is cartilage, which is left out
REACH = (124, 133, 138, 138, 136, 133, 130, 126, 118, 108, 84, 62)
BROKEN = 3  # adjacent ribs at least, as a blow that breaks one mostly breaks its neighbours; one more where it was hard
CALLUS = 1.2  # cm of dense bone at most: what heals is solid
FADES = 2.5  # pieces of a rib beyond a fracture until it is back in its place
BREASTBONE = (0.0, 1.4, 8.9), (1.7, 8.2, 0.5), 0.08  # place, half axes, cortex

ALONG, NUMBER = np.linspace(0, 1, PIECES + 1), np.arange(RIBS)[:, None]  # share of a rib's length from the spine on; which rib
SMALL = np.where(np.isin(NUMBER, (0, 10, 11)), 0.85, 1.0)  # the first and the last two are slighter
CORTEX = np.interp(ALONG[1:], (0, 0.35, 0.6, 1), (0.36, 0.3, 0.14, 0.03))  # of the pieces of a rib

# of one vertebra: both ends of every tube from the middle of its body, radius and cortex
VERTEBRA = (
    ((-0.66, 0, 0.4), (0.66, 0, 0.4), 0.98, 0.09),
    ((-0.66, 0, -0.4), (0.66, 0, -0.4), 0.98, 0.09),
    ((-1.2, 0.35, -0.8), (-1.2, 0.35, -1.9), 0.38, 0.16),
    ((1.2, 0.35, -0.8), (1.2, 0.35, -1.9), 0.38, 0.16),
    ((0, -0.6, -2.1), (0, -1.5, -3.4), 0.3, 0.1),
    ((-2.5, 0.4, -1.7), (2.5, 0.4, -1.7), 0.36, 0.1),
)


class Skeleton(NamedTuple):
    """Tubes and plates, and the marrow of both; the girdle's tubes, which lie otherwise in every view, come last."""

    tubes: Capsules
    marrow: Capsules
    plates: list[Ellipsoid]
    hollows: list[Ellipsoid]
    broken: dict[str, Capsules]  # side -> the pieces next to a fracture
    axial: int  # how many of the tubes are ribs and vertebrae


def skeleton(study: Study, cage: Ellipsoid) -> Skeleton:
    """All bones; fractured ribs have a step and a callus. Cortex thins with age."""
    draw = rng(study.seed, "thorax bones", 0, study.patient_index)
    spacing, steep, bend = 2.3 * np.exp(0.04 * draw.normal()), draw.uniform(0.95, 1.2), draw.uniform(0.85, 1.1)
    raised = 1.2 * (study.inspiration - 0.6)
    top = 10.6 + draw.uniform(-0.5, 0.5)
    thin = float(np.exp(0.08 * draw.normal()))
    arcs = rib_arcs(cage, top - spacing * np.arange(RIBS), steep, bend, raised)
    both, whole, broken = np.stack([arcs * (-1, 1, 1), arcs]), np.ones((2, RIBS, PIECES), bool), dict[str, Capsules]()
    for own_arcs, own_whole, side in zip(both, whole, SIDES):
        fracture = study.of("rib fracture", side)
        if fracture is not None:
            first, at = round(4.5 + 1.9 * fracture.place[1]), round((0.3 + 0.12 * fracture.place[0]) * PIECES)
            ribs = range(first, first + BROKEN + (fracture.severity > 0.3))
            own_whole[list(ribs), at - 1] = False
            healing = []
            for which in ribs:
                own_arcs[which], callus = break_at(own_arcs[which], at, fracture.size)
                healing.append(callus)
            broken[side] = joined(healing)
    parts = [bands(both, cage, whole, thin), vertebrae(float(top), float(spacing))]
    axial = sum(len(bones.radius) for bones, _ in parts) + sum(len(healing.radius) for healing in broken.values())
    shoulders, plates = girdle(study)
    solid = [*((healing, CALLUS) for healing in broken.values()), *shoulders]  # of one cortex each
    tubes = joined([bones for bones, _ in [*parts, *solid]])
    cortex = np.repeat([each for _, each in solid], [len(bones.radius) for bones, _ in solid])
    cortex = np.concatenate([*(each for _, each in parts), cortex]) * (1.1 - 0.3 * max(0.0, (study.patient.age - 50) / 40))
    place, radii, rind = BREASTBONE
    lying = turn(0.0, 0.0, -12.0)
    return Skeleton(
        tubes,
        tubes._replace(radius=np.maximum(tubes.radius - cortex, 0.04)),
        [*plates, Ellipsoid(np.array(place), np.array(radii), lying)],
        [Ellipsoid(np.array(place), np.array(radii) - rind, lying)],
        broken,
        axial,
    )


def rib_arcs(cage: Ellipsoid, high: np.ndarray, steep: float, bend: float, raised: float) -> np.ndarray:
    """Middle lines (RIBS, PIECES + 1, 3) of the left ribs: from the vertebra round the cage and down, just outside the cage."""
    angle = np.deg2rad(13.0 + (np.array(REACH)[:, None] - 13.0) * ALONG)
    drop = steep * (4.6 + 0.62 * np.minimum(NUMBER, 8)) - raised
    turned = angle / np.deg2rad(140.0)
    height = high[:, None] + raised * 0.5 + 0.5 * np.sin(np.pi * np.minimum(2.2 * turned, 1)) - drop * turned**bend
    level = np.sqrt(np.clip(1 - ((height - cage.centre[1]) / cage.radii[1]) ** 2, 0.12, 1))
    out = np.where(NUMBER < 2, 0.85, 0.62)  # half a rib; the straight pieces cut the corners of the arc
    across, along = cage.radii[0] * level + out, cage.radii[2] * level + out
    return np.stack([across * np.sin(angle), height, cage.centre[2] - along * np.cos(angle)], 2)


def bands(arcs: np.ndarray, cage: Ellipsoid, whole: np.ndarray, thin: float) -> tuple[Capsules, np.ndarray]:
    """Ribs as flat bands: two tubes side by side along every middle line, and the thickness of their cortex.

    A band stands on edge against the cage, is thickest behind and broadest in front, where little bone is left.
    """
    along = np.gradient(arcs, axis=-2)
    outward = (arcs - cage.centre) / cage.radii**2
    upright = np.cross(along, outward)
    upright *= np.sign(upright[..., 1:2]) / np.sqrt((upright**2).sum(-1, keepdims=True))
    half_thick = thin * SMALL * (0.40 - 0.06 * ALONG)
    half_high = thin * SMALL * (0.62 + 0.008 * NUMBER + 0.12 * ALONG)
    aside = (half_high - half_thick)[..., None] * upright
    thick = np.broadcast_to((half_thick[:, 1:] + half_thick[:, :-1]) / 2, whole.shape)[whole]
    cortex = np.broadcast_to(CORTEX, whole.shape)[whole]
    pair = [Capsules(edge[..., :-1, :][whole], edge[..., 1:, :][whole], thick) for edge in (arcs + aside, arcs - aside)]
    return joined(pair), np.concatenate([cortex, cortex])


def break_at(arc: np.ndarray, at: int, step: float) -> tuple[np.ndarray, Capsules]:
    """The rib beyond the piece `at` stands off by `step`, outwards and down; the gap is bridged by a healing bone's callus."""
    moved = arc.copy()
    along = arc[at] - arc[at - 1]
    moved[at - 1] = arc[at - 1] + 0.75 * along
    fading = np.maximum(1 - np.arange(len(arc) - at) / FADES, 0)[:, None]
    outward = np.array([arc[at, 0], 0, arc[at, 2]]) / np.hypot(arc[at, 0], arc[at, 2])
    moved[at:] += fading * (0.4 * outward - np.array([0, 0.9, 0])) * step
    radius = 0.75 + 0.2 * step
    beside = (radius - 0.55) * outward  # so that it bulges away from the lung
    return moved, Capsules(moved[[at - 1]] + beside, moved[[at]] + beside, np.array([radius]))


@lru_cache(maxsize=16)
def vertebrae(top: float, spacing: float) -> tuple[Capsules, np.ndarray]:
    """Bodies as two lying pills one behind the other, with discs between them, pedicles, transverse and spinous processes; the thickness of their cortex. Kept for the patient's next film."""
    number = np.arange(-4, 15)
    size = 1.0 + 0.022 * np.maximum(number, -2)
    middle = np.stack([0 * size, top - 0.4 - spacing * number, -6.9 + 0.4 * np.cos(number / 4.0)], 1)
    broader = np.stack([size, 0 * size + 1, 0 * size + 1], 1)
    *places, radius, cortex = (np.array(part, float)[:, None] for part in zip(*VERTEBRA))
    starts, ends = ((middle + place * broader).reshape(-1, 3) for place in places)
    return Capsules(starts, ends, np.where(radius > 0.5, radius * size, radius).ravel()), np.repeat(cortex, len(size))
