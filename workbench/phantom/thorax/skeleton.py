"""The bones of one patient: ribs round the cage, vertebrae, clavicles, shoulder blades, arms, breastbone; patient axes, unscaled cm."""

from typing import NamedTuple

import numpy as np

from workbench.phantom.solids import Ellipsoid, turn
from workbench.phantom.thorax.crossings import Capsules, chain, joined
from workbench.phantom.thorax.latents import Study
from workbench.randomness import rng

RIBS, PIECES = 12, 11
# how far from the spine each rib reaches round the cage, degrees; in front of that is cartilage, which is left out
REACH = (128, 140, 146, 146, 144, 141, 138, 132, 124, 114, 86, 62)


class Skeleton(NamedTuple):
    """Tubes with marrow, flat bones without."""

    tubes: Capsules
    marrow: Capsules
    plates: list[Ellipsoid]
    broken: dict[str, Capsules]  # side -> the pieces next to a fracture


def skeleton(study: Study, cage: Ellipsoid) -> Skeleton:
    """All bones; the fractured rib has a gap and a step."""
    own = study.patient
    draw = rng(study.seed, "thorax bones", 0, study.patient_index)
    spacing, steep, bend = 2.3 * np.exp(0.04 * draw.normal()), draw.uniform(0.9, 1.15), draw.uniform(0.85, 1.15)
    raised = 1.2 * (study.inspiration - 0.6)
    top = 10.6 + draw.uniform(-0.5, 0.5)
    thin = np.exp(0.08 * draw.normal())
    number = np.arange(RIBS)
    radius = (0.52 + 0.012 * number) * thin * np.where(np.isin(number, (0, 10, 11)), 0.85, 1)
    arcs = rib_arcs(cage, top - spacing * number, steep, bend, raised, radius)
    ribs, broken = [], dict[str, Capsules]()
    for way, side in ((-1, "right"), (1, "left")):
        own_arcs, whole = arcs * (way, 1, 1), np.ones((RIBS, PIECES), bool)
        fracture = study.of("rib fracture", side)
        if fracture is not None:
            which, at = round(5.5 + 2.4 * fracture.place[1]), round((0.55 + 0.25 * fracture.place[0]) * PIECES)
            own_arcs[which], broken[side] = break_at(own_arcs[which], at, fracture.size, radius[which])
            whole[which, at - 1] = False
        ribs.append(Capsules(own_arcs[:, :-1][whole], own_arcs[:, 1:][whole], np.repeat(radius, whole.sum(1))))
    backs = vertebrae(top, spacing)
    girdle = []
    for way in (-1, 1):
        t = np.linspace(0, 1, 8)
        lift = own.shape[5] * 6
        clavicle = np.stack(
            [way * (1.9 + 13.3 * t), 9.2 + lift + 2.4 * t + 0.5 * np.sin(2 * np.pi * t), 6.2 - 7.2 * t**1.5 + 0.6 * np.sin(2 * np.pi * t)],
            1,
        )
        blade = np.array([[12.2, 1.5, -10.4], [13.6, 6.6, -8.6], [16.2, 9.6, -4.6]]) * (way, 1, 1)
        edge = np.array([[15.6, 6.2, -5.5], [14.2, 1.0, -7.6], [12.2, -5.2, -9.6]]) * (way, 1, 1)
        arm = np.array([[17.6, 7.6, -2.6], [18.6, 5.4, -2.4], [20.2, -14.0, -2.0]]) * (way, 1, 1)
        girdle += [chain(clavicle, 0.62), chain(blade, 0.55), chain(edge, 0.45), chain(arm[:2], 1.9), chain(arm[1:], 1.15)]
    tubes = joined([*ribs, backs, *girdle])
    cortex = 0.24 * (1.1 - 0.12 * max(0.0, (own.age - 50) / 40))
    plates = [
        Ellipsoid(np.array([way * 13.7, 1.6, -8.3]), np.array([3.0, 7.4, 0.22]), turn(way * -38.0, way * -8.0, 6.0)) for way in (-1, 1)
    ]
    plates.append(Ellipsoid(np.array([0.0, 2.0, 8.9]), np.array([1.6, 8.0, 0.5]), turn(0.0, 0.0, -12.0)))
    return Skeleton(tubes, tubes._replace(radius=np.maximum(tubes.radius - cortex, 0.05)), plates, broken)


def rib_arcs(cage: Ellipsoid, high: np.ndarray, steep: float, bend: float, raised: float, radius: np.ndarray) -> np.ndarray:
    """Points (RIBS, PIECES + 1, 3) of the left ribs: from the vertebra round the cage and down, just outside the cage."""
    number = np.arange(RIBS)[:, None]
    angle = np.deg2rad(13.0 + (np.array(REACH)[:, None] - 13.0) * np.linspace(0, 1, PIECES + 1))
    drop = steep * (4.6 + 0.62 * np.minimum(number, 8)) - raised
    turned = angle / np.deg2rad(140.0)
    height = high[:, None] + raised * 0.5 + 0.5 * np.sin(np.pi * np.minimum(2.2 * turned, 1)) - drop * turned**bend
    level = np.sqrt(np.clip(1 - ((height - cage.centre[1]) / cage.radii[1]) ** 2, 0.12, 1))
    out = radius[:, None] + np.where(number < 2, 0.4, 0.25)  # the straight pieces cut the corners of the arc
    across, along = cage.radii[0] * level + out, cage.radii[2] * level + out
    return np.stack([across * np.sin(angle), height, cage.centre[2] - along * np.cos(angle)], 2)


def break_at(arc: np.ndarray, at: int, step: float, radius: float) -> tuple[np.ndarray, Capsules]:
    """The rib beyond the piece `at` stands off by `step`, outwards and down; that piece is the gap, its neighbours are marked."""
    moved = arc.copy()
    along = arc[at] - arc[at - 1]
    moved[at - 1] = arc[at - 1] + 0.35 * along
    fading = np.linspace(1, 0, len(arc) - at)[:, None]
    outward = np.array([arc[at, 0], 0, arc[at, 2]]) / np.hypot(arc[at, 0], arc[at, 2])
    moved[at:] += fading * (0.8 * outward - np.array([0, 0.7, 0])) * step
    return moved, Capsules(moved[[at - 1]], moved[[at]], np.array([1.6 * radius]))


def vertebrae(top: float, spacing: float) -> Capsules:
    """Bodies as lying pills with discs between them, pedicles, transverse and spinous processes."""
    parts = []
    for number in range(-4, 16):
        y, size = top - 0.4 - spacing * number, 1.0 + 0.022 * max(number, -2)
        z = -6.6 + 0.5 * np.cos(number / 4.0) - 0.3
        half, thick = 0.62 * size, 1.02 * size * spacing / 2.3
        rows = np.array([[-half, y, z, half, y, z, thick], [0, y - 0.6, z - 2.1, 0, y - 1.5, z - 3.6, 0.34]])
        across = np.array([[-2.6 * size, y + 0.4, z - 1.7, 2.6 * size, y + 0.4, z - 1.7, 0.38]])
        rows = np.concatenate([rows, across])
        parts.append(Capsules(rows[:, :3], rows[:, 3:6], rows[:, 6]))
    return joined(parts)
