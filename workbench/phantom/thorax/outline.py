"""The outside of the body: skin and the muscle within it; patient axes, unscaled cm."""

import numpy as np

from workbench.phantom.solids import Ellipsoid, turn
from workbench.phantom.thorax.latents import Study
from workbench.phantom.thorax.shape import BREASTS

TRUNK = (0, -17, -0.2), (17.5, 32.5, 11.2)  # place and half axes of its muscle
ARMS = {"PA": (19.6, -0.5, -1.6, 20.0), "AP": (18.9, -2.5, -2.4, 9.0)}  # place, and how far they are spread, degrees


def envelope(study: Study, fat: float) -> tuple[list[Ellipsoid], list[Ellipsoid]]:
    """Outer surfaces, and the muscle inside them, the trunk first; a breast has a gland inside. Arms are raised for a lateral view."""
    own = study.patient
    sides = (-1, 1)
    shapes: list[tuple[tuple[float, float, float], tuple[float, float, float], float, float]] = [
        (*TRUNK, 0.0, 1.0),
        ((0, 20, -1.4), (5.6, 12, 5.6), 0.0, 0.4),
    ]
    if study.view == "lateral":
        shapes += [((way * 5.5, 9.0, -2.0), (8.0, 5.2, 6.0), -14.0 * way, 0.4) for way in sides]
    else:
        out, up, front, spread = ARMS[study.view]
        slope = 17.0 if study.view == "PA" else 11.0
        shapes += [((way * 9.2, 8.6, -2.4), (11.4, 5.4, 7.4), -slope * way, 0.5) for way in sides]
        shapes += [((way * out, up, front), (5.2, 14.0, 6.4), spread * way, 0.5) for way in sides]
    muscle = [Ellipsoid(np.array(place, float), np.array(radii, float), turn(0, roll)) for place, radii, roll, _ in shapes]
    skin = [one._replace(radii=one.radii + fat * share) for one, (*_, share) in zip(muscle, shapes)]
    if own.sex == "F":
        bulk = np.clip(0.7 + 0.9 * own.build + 0.24 * own.shape[BREASTS], 0.4, 2.2)
        for way in sides:
            place = np.array([way * 8.6, -9.0 - 2.2 * own.build, 8.2 + fat * 0.8])
            skin.append(Ellipsoid(place, np.array([6.6, 6.4, 2.4 + 2.4 * bulk]), turn(way * 14.0)))
            muscle.append(Ellipsoid(place - (0, 0.6, 0), np.array([5.0, 4.6, 1.8 + 1.9 * bulk]), turn(way * 14.0)))
    return skin, muscle
