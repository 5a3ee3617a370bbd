"""What branches in the lungs: vessels, and the air tubes from the trachea to the lobes; patient axes, unscaled cm."""

from functools import lru_cache

import numpy as np

from workbench.phantom.solids import Ellipsoid
from workbench.phantom.thorax.crossings import Capsules, chain, joined
from workbench.phantom.thorax.latents import Study
from workbench.phantom.thorax.mediastinum import HILA
from workbench.randomness import rng

TRUNKS, REACHES = 8, (2.9, 2.6, 2.3, 2.0, 1.7)  # cm, mean length of each generation
WIDEST, NARROWS = 0.5, 0.73  # cm, radius of a trunk; what a fork leaves of it
BENT = 3  # generations whose branches have a bend

GRAINS, LOWEST = 520, -0.5  # in a lung, above this height in its half axes: what lies lower is below the dome


def grains(study: Study, lung: Ellipsoid, way: int) -> Capsules:
    """What is too fine to be a branch: the smallest vessels and septa as short strands in any direction, more of them below than above."""
    place, reach, radius = strands(study.seed, study.patient_index, way)
    places = lung.centre + (place * lung.radii) @ lung.axes.T
    return Capsules(places - reach, places + reach, radius)


@lru_cache(maxsize=16)
def strands(seed: int, patient: int, way: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places (n, 3) of the grains in a lung's half axes, half their lengths (n, 3) and radii (n,), cm; kept for the patient's next film."""
    draw = rng(seed, f"thorax grains {way}", 0, patient)
    levels = np.linspace(LOWEST, 1, 200)
    share = np.cumsum((1 - levels**2) * (1.5 - levels))
    up = np.interp(draw.random(GRAINS), share / share[-1], levels)
    angle, away = draw.uniform(0, 2 * np.pi, GRAINS), np.sqrt(draw.random(GRAINS) * (1 - up**2))
    place = np.stack([away * np.cos(angle), up, away * np.sin(angle)], 1)
    heading = draw.normal(size=(GRAINS, 3))
    reach = heading / np.sqrt((heading**2).sum(1, keepdims=True)) * draw.uniform(0.1, 0.5, (GRAINS, 1))
    return place, reach, 0.2 * np.exp(0.3 * draw.normal(size=GRAINS))


@lru_cache(maxsize=16)
def vessels(seed: int, patient: int, way: int) -> Capsules:
    """The vessels of one lung, from the arteries of the hilum out, forking and narrowing at every generation, wider and closer below; kept for the patient's next film."""
    draw = rng(seed, f"thorax vessels {way}", 0, patient)
    artery = np.array(HILA["left" if way > 0 else "right"])[1:]
    along = np.clip(np.linspace(0, 2, TRUNKS) + draw.normal(0, 0.15, size=TRUNKS), 0, 2)
    start = np.stack([np.interp(along, np.arange(3), axis) for axis in artery.T], 1) + draw.normal(0, 0.15, size=(TRUNKS, 3))
    down = np.linspace(0, 1, TRUNKS) ** 0.8
    angle = np.deg2rad(78.0 - 160.0 * down + draw.normal(0, 10, size=TRUNKS))
    tilt = draw.uniform(-0.9, 0.9, size=TRUNKS)
    heading = np.stack([way * np.cos(angle) * np.cos(tilt), np.sin(angle) * np.cos(tilt), np.sin(tilt)], 1)
    radius = WIDEST * (0.8 + 0.4 * down) * np.exp(0.15 * draw.normal(size=TRUNKS))
    parts = []
    for generation, reach in enumerate(REACHES):
        length = reach * draw.uniform(0.6, 1.4, size=(len(start), 1))
        middle = start + heading * length / 2
        heading = unit(heading + 0.22 * draw.normal(size=heading.shape))
        ends = middle + heading * length / 2
        if generation < BENT:
            parts += [Capsules(start, middle, radius), Capsules(middle, ends, 0.88 * radius)]
        else:
            parts.append(Capsules(start, ends, radius))
        if generation == len(REACHES) - 1:  # twigs fork no further
            break
        sideways = draw.normal(size=heading.shape)
        sideways = unit(sideways - (sideways * heading).sum(1, keepdims=True) * heading)
        fork = draw.uniform(0.25, 0.75, size=(2, len(start), 1)) * np.array([1, -1])[:, None, None]
        heading = unit((heading + fork * sideways).reshape(-1, 3))
        radius = (NARROWS * radius * np.exp(0.15 * draw.normal(size=(2, len(start))))).ravel()
        start = np.concatenate([ends, ends])
    return joined(parts)


def unit(ways: np.ndarray) -> np.ndarray:
    """Directions (n, 3) of length one."""
    return ways / np.sqrt((ways**2).sum(1, keepdims=True))  # type: ignore[no-any-return]


@lru_cache(maxsize=16)
def airways(shift: float) -> Capsules:
    """Trachea, main and lobar bronchi; `shift` moves the carina to the side."""
    carina = np.array([0.3 + shift, 4.6, -1.4])
    trachea = np.array([[0.0, 26.0, 0.8], [0.1 + 0.4 * shift, 13.0, 0.2], carina])
    parts = [chain(trachea, 0.95)]
    for way, reach in ((-1, 3.4), (1, 4.2)):
        hilum = np.array([way * reach + shift, 2.4 if way < 0 else 2.0, -1.8])
        lobes = hilum + np.array([[way * 1.6, 2.2, 0.3], [way * 1.8, -0.6, 1.6], [way * 1.2, -2.8, -0.6]])
        parts.append(chain(np.stack([carina, hilum]), 0.64 if way < 0 else 0.55))
        parts.append(Capsules(np.tile(hilum, (3, 1)), lobes, np.full(3, 0.38)))
    return joined(parts)
