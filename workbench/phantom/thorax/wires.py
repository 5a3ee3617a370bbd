"""Things on and in the patient that no report names: electrodes and their leads, clips, sternal wires, tubing, necklaces, buttons; patient axes, cm.

They are in the films alone: a CT is taken without them.
"""

import math
from collections.abc import Callable

import numpy as np

from workbench.phantom.thorax.crossings import Capsules, chain, joined, smooth
from workbench.phantom.thorax.latents import Study
from workbench.randomness import rng

Part = tuple[Capsules, float]  # how much of the material DEVICE it holds
Draw = np.random.Generator


def wires(study: Study) -> list[Part]:
    """The solids of all that the study's acquisition names, scaled with the patient."""
    scale, found = math.exp(study.patient.size), []
    for thing in study.acquisition.things:
        for solids, density in MAKERS[thing](rng(study.seed, f"thorax {thing}", 1, study.number), study):
            found.append((Capsules(solids.starts * scale, solids.ends * scale, solids.radius * scale), density))
    return found


def on_skin(study: Study, x: float, y: float) -> tuple[float, float, float]:
    """The place in front of the chest."""
    fat = 0.5 + 2.0 * study.patient.build
    depth = (11.0 + fat) * math.sqrt(max(1 - (x / 19) ** 2 - ((y + 15) / 42) ** 2, 0.02))
    return x, y, depth


def bead(place: tuple[float, float, float], radius: float) -> Capsules:
    """A ball."""
    at = np.array([place], float)
    return Capsules(at, at + np.array([0, 0, 1e-3]), np.array([radius]))


def curve(study: Study, points: list[tuple[float, float]], radius: float) -> Capsules:
    """A soft tube along the skin."""
    return chain(smooth(np.array([on_skin(study, *each) for each in points])), radius)


def ring(place: tuple[float, float, float], wide: float, high: float, radius: float, corners: int = 10) -> Capsules:
    """A closed loop that faces the beam."""
    turns = np.linspace(0, 2 * np.pi, corners + 1)
    loop = np.array(place) + np.stack([wide * np.cos(turns), high * np.sin(turns), 0 * turns], 1)
    return chain(loop, radius)


def electrodes(draw: Draw, study: Study) -> list[Part]:
    """Three to five discs, each with a snap and a lead that leaves the film."""
    places = np.array([(-10.5, 8.0), (10.5, 8.0), (11.0, -11.0), (-11.0, -11.0), (1.5, -1.0)])[: int(draw.integers(3, 6))]
    places = places + draw.normal(size=places.shape) * 1.8
    away, below = (-1.0 if draw.random() < 0.5 else 1.0), draw.random() < 0.6
    metal, pads = [], []
    for x, y in places:
        end = (away * draw.uniform(6, 20), -34.0) if below else (away * 26.0, draw.uniform(-8, 14))
        bend = 3.5 * draw.normal(size=4)
        lead = [(x, y), (0.8 * x + 0.2 * end[0] + bend[0], 0.8 * y + 0.2 * end[1] + bend[1])]
        lead += [(0.35 * x + 0.65 * end[0] + bend[2], 0.4 * y + 0.6 * end[1] + bend[3]), end]
        metal += [bead(on_skin(study, x, y), 0.42), curve(study, lead, 0.1)]
        pads += [ring(on_skin(study, x, y), 0.85, 0.85, 0.14, 8)]
    return [(joined(metal), 1.7), (joined(pads), 0.4)]


def tubing(draw: Draw, study: Study) -> list[Part]:
    """Oxygen: two soft tubes from the face that meet before the chest."""
    meet, foot, way = draw.uniform(2, 9), draw.uniform(-30, -14), draw.normal()
    sides = [[(side * 6.5, 20.0), (side * (5.0 + draw.random()), 14.0), (side * 2.0, meet + 3), (way, meet)] for side in (-1, 1)]
    tail = [(way, meet), (way + 2 * draw.normal(), meet - 8), (way + 6 * draw.normal(), foot)]
    return [(joined([curve(study, each, 0.2) for each in (*sides, tail)]), 0.35)]


def sternal_wires(draw: Draw, study: Study) -> list[Part]:
    """Five or six loops round the breastbone, each with a twisted end."""
    solids = []
    for height in np.linspace(6.5, -5.5, int(draw.integers(5, 7))):
        x, y = 0.25 * draw.normal(), height + 0.3 * draw.normal()
        solids.append(ring((x, y, 8.2), 1.1 + 0.2 * draw.random(), 0.45 + 0.2 * draw.random(), 0.09, 8))
        solids.append(chain(np.array([(x, y - 0.4, 8.5), (x + 0.4 * draw.normal(), y - 0.9, 8.6)]), 0.09))
    return [(joined(solids), 4.0)]


def clips(draw: Draw, study: Study) -> list[Part]:
    """Four to nine clips in one place: breast, axilla, hilum or below the dome."""
    middle = np.array([(8.0, -8.0, 8.0), (13.0, 3.0, 1.0), (4.0, 0.0, 0.0), (5.0, -18.0, 2.0)][int(draw.integers(4))])
    middle = middle * (1.0 if draw.random() < 0.5 else -1.0, 1, 1)
    starts = middle + draw.normal(size=(int(draw.integers(4, 10)), 3)) * (1.4, 1.6, 1.0)
    return [(Capsules(starts, starts + 0.28 * draw.normal(size=starts.shape), np.full(len(starts), 0.1)), 5.0)]


def necklace(draw: Draw, study: Study) -> list[Part]:
    """A thin chain with a pendant."""
    depth, way = draw.uniform(5, 10), 0.6 * draw.normal()
    points = [(-5.2, 16.0), (-4.2, 12.5), (-2.0 + way, depth + 1.8), (way, depth), (2.0 + way, depth + 1.8), (4.2, 12.5), (5.2, 16.0)]
    return [(joined([curve(study, points, 0.08), bead(on_skin(study, way, depth - 0.4), 0.35 + 0.2 * draw.random())]), 1.3)]


def buttons(draw: Draw, study: Study) -> list[Part]:
    """A row of buttons or snaps of a gown."""
    x, first, apart = 3.0 * draw.normal(), draw.uniform(4, 10), draw.uniform(5, 8)
    rows = [first - apart * place for place in range(int(draw.integers(2, 5)))]
    return [(joined([ring(on_skin(study, x + 0.4 * draw.normal(), row), 0.45, 0.45, 0.13, 8) for row in rows]), 1.6)]


MAKERS: dict[str, Callable[[Draw, Study], list[Part]]] = {
    "electrodes": electrodes,
    "oxygen tubing": tubing,
    "sternal wires": sternal_wires,
    "clips": clips,
    "necklace": necklace,
    "buttons": buttons,
}
