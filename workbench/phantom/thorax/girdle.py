"""Collar bones, shoulder blades and upper arms as they lie in a view; patient axes, unscaled cm. Lists of (tubes, thickness of their cortex)."""

import numpy as np

from workbench.phantom.solids import Ellipsoid, turn
from workbench.phantom.thorax.crossings import Capsules, chain
from workbench.phantom.thorax.latents import Study
from workbench.phantom.thorax.shape import SHOULDERS
from workbench.randomness import rng

# middle of the blade, its turn about the vertical and in its plane (degrees): turned outwards for PA, over the lungs for AP
BLADE = {"PA": (13.3, 2.2, -4.6, 47.0, 24.0), "AP": (11.6, 1.6, -5.6, 36.0, 8.0), "lateral": (12.4, 2.6, -4.9, 50.0, 30.0)}
HEAD = {"PA": (17.2, 7.0, -2.0), "AP": (17.0, 6.4, -2.4), "lateral": (15.0, 9.0, -1.0)}
ELBOW = {"PA": (25.0, -16.0, -1.0), "AP": (20.6, -22.0, -2.4), "lateral": (16.0, 38.0, 8.0)}
# outlines in the blade's own plane: to the side, up, and out of the plane to the front
INNER = np.array(((-1.6, 5.6, 0), (-3.1, 3.0, 0), (-3.2, -1.0, 0), (-1.4, -7.4, 0)))
OUTER = np.array(((-1.4, -7.4, 0), (0.9, -3.0, 0), (3.2, 2.6, 0), (3.9, 4.4, 0.3)))
SPINE = np.array(((-2.8, 3.0, -0.6), (1.0, 4.6, -1.4), (4.2, 6.6, -1.2), (5.6, 7.0, 0.6)))
SOCKET = np.array(((3.9, 3.0, 0.2), (3.9, 4.8, 0.2)))
BEAK = np.array(((3.3, 5.0, 0.6), (3.6, 6.0, 2.4), (4.4, 5.4, 3.4)))


def girdle(study: Study) -> tuple[list[tuple[Capsules, float]], list[Ellipsoid]]:
    """Tubes, and the thin plates of the shoulder blades."""
    draw = rng(study.seed, "thorax girdle", 0, study.number)
    lift, slid, steep, bow = draw.normal(size=4)
    lift = 0.36 * study.patient.shape[SHOULDERS] + 0.5 * lift
    tubes, plates = list[tuple[Capsules, float]](), list[Ellipsoid]()
    left = collar_bone(lift, float(steep), float(bow))
    for way in (-1, 1):
        mirror = np.array([way, 1, 1])
        tubes.append((Capsules(left.starts * mirror, left.ends * mirror, left.radius), 0.34))
        out, up, front, yaw, roll = BLADE[study.view]
        middle = np.array([way * (out + 0.5 * slid), up + 0.6 * lift, front + 0.3 * slid])
        own = turn(-way * yaw, way * (roll + 4 * steep))
        for points, radius, cortex in ((INNER, 0.28, 0.26), (OUTER, 0.42, 0.36), (SPINE, 0.45, 0.36), (BEAK, 0.45, 0.36)):
            tubes.append((chain(middle + (points * mirror) @ own.T, radius), cortex))
        socket = middle + (SOCKET * mirror) @ own.T
        tubes.append((chain(socket, 0.95), 0.12))
        plates.append(Ellipsoid(middle + own @ np.array([0, -0.3, 0]), np.array([3.2, 6.6, 0.13]), own @ turn(0, -way * 9.0)))
        head, elbow = np.array(HEAD[study.view]) * mirror, np.array(ELBOW[study.view]) * mirror
        arm = head + np.array([0, 0.02, 0.14, 0.22, 1])[:, None] * (elbow - head)
        tubes += [(chain(arm[:4], np.array([2.1, 1.75, 1.4])), 0.12), (chain(arm[3:], 1.15), 0.34)]
    return tubes, plates


def collar_bone(lift: float, steep: float, bow: float) -> Capsules:
    """The left one: from the breastbone up and out to the shoulder, S-shaped, wide at both ends."""
    t = np.linspace(0, 1, 9)
    points = [
        1.7 + 14.2 * t,
        7.9 + lift + (2.4 + 0.5 * steep) * t + (0.55 + 0.15 * bow) * np.sin(2 * np.pi * t),
        6.4 - 7.8 * t**1.4 + 0.9 * np.sin(2 * np.pi * t),
    ]
    return chain(np.stack(points, 1), 0.58 + 0.24 * np.abs(t[1:] + t[:-1] - 1) ** 2)
