"""Below the diaphragm: the domes, the stomach's bubble and gas in the bowel; patient axes, unscaled cm."""

import numpy as np

from workbench.phantom.solids import Ellipsoid, turn
from workbench.phantom.thorax.latents import Study
from workbench.phantom.thorax.shape import dome, foot, level, shape_of
from workbench.randomness import rng

WALL = 0.4  # cm between gas and lung


def dome_top(study: Study, side: str) -> float:
    """Height of a dome, cm, unscaled: it follows the breath and rises where volume is lost."""
    lost = study.of("atelectasis", side)
    return level(shape_of(study.patient), side, study.inspiration) + (lost.size if lost else 0)


def dome_of(study: Study, side: str) -> Ellipsoid:
    """One half of the diaphragm."""
    return dome(shape_of(study.patient), side, dome_top(study, side))


def sulcus(study: Study, side: str) -> float:
    """Height from which fluid stands, cm, unscaled: below the costophrenic angle, since the dome falls further at the back."""
    return foot(shape_of(study.patient), side, dome_top(study, side)) - 1.2


def gas(study: Study) -> dict[str, list[Ellipsoid]]:
    """Air under each dome, which bounds it: most have a bubble of the stomach, some loops of bowel beside and below it, which stay where they are if a dome is drawn up."""
    draw = rng(study.seed, "thorax gas", 0, study.number)
    found: dict[str, list[Ellipsoid]] = {"right": [], "left": []}
    bubble, wide, flat, place = draw.random(), draw.uniform(1.4, 3.4), draw.uniform(0.45, 0.8), draw.uniform(-1.0, 1.0, size=3)
    if bubble < 0.7:
        centre = np.array(
            [dome_of(study, "left").centre[0] + 0.7 + 1.4 * place[0], dome_top(study, "left") - 0.9 - wide * flat, 2.0 + place[1]]
        )
        found["left"].append(Ellipsoid(centre, wide * np.array([1.0, flat, 0.9]), turn(0, -12 * place[2])))
    count, pockets = draw.integers(0, 5), draw.uniform(-1, 1, size=(4, 6))
    low = level(shape_of(study.patient), "right", study.inspiration)
    for across, up, front, large, long, tilt in pockets[:count]:
        side = "left" if across > -0.35 else "right"
        middle = np.array([7.0 + 3.2 * abs(across), low - 7.5 + 2.5 * up, 4.0 + 1.5 * front])
        way = 1 if side == "left" else -1
        radii = np.exp(0.35 * large) * np.array([1.5 * np.exp(0.3 * long), 0.95, 1.1])
        found[side].append(Ellipsoid(middle * (way, 1, 1), radii, turn(0, 60 * tilt)))
    return found


def room_for_gas(dome: Ellipsoid, scale: float) -> Ellipsoid:
    """Where gas may be below a dome of a scaled body."""
    return dome._replace(radii=dome.radii - WALL * scale)
