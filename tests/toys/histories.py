"""Simulated training runs as the sentinel sees them, family A: power-law spectra, Gaussian rows drawn anew at every look, logistic falls.

What a run is told by: which features fell, how its true curve went, and looks at rows that were really drawn.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from workbench.analysis._jackknife import row_fourth, row_kurtosis
from workbench.analysis._look import ClassLook, Look

Rows = Callable[[np.random.Generator, int], np.ndarray]
COLLAPSES = ("total", "dimensional", "offset", "scale", "tower", "class", "between-class", "projector")
HEALTHY = ("steady", "low rank", "small N", "tails", "rate", "temperature", "mask", "unfolding", "concentrating", "drifting")
IMAGE, TEXT, BACKBONE = "image.projected", "text.projected", "image.backbone"


@dataclass
class Simulated:
    """A history (interleaved features), its truth, and the true curve (looks,) of what falls: log of rank, scale or uncentred rank."""

    scenario: str
    looks: list[Look]
    steps: np.ndarray
    curve: np.ndarray | None = None
    probe: np.ndarray | None = None  # (looks,) as it is without noise, where it falls
    collapsing: bool = False


@dataclass
class Cloud:
    """The population of one feature at one look: variances (d,) of the directions, mean (d,), centres of classes (c, d), their scale (c,)."""

    variances: np.ndarray
    mean: np.ndarray
    centres: np.ndarray | None = None
    within: np.ndarray | None = None
    tails: float = 0.0  # degrees of freedom of the rows' scale; 0: Gaussian

    @property
    def log_rank(self) -> float:
        """Of the participation ratio of the whole population."""
        scatter = np.diag(self.variances)
        if self.centres is not None and self.within is not None:
            centred = self.centres - self.centres.mean(0)
            scatter = scatter * np.mean(self.within**2) + centred.T @ centred / len(centred)
        return float(np.log(np.trace(scatter) ** 2 / np.sum(scatter**2)))

    @property
    def log_scale(self) -> float:
        return float(0.5 * np.log(self.variances.mean()))

    @property
    def log_uncentred(self) -> float:
        values = np.linalg.eigvalsh(np.diag(self.variances) + np.outer(self.mean, self.mean))
        share = np.sqrt(np.maximum(values, 1e-300))
        share = share / share.sum()
        return float(-np.sum(share * np.log(share)))


def look_at(step: int, feature: str, rows: np.ndarray, probe: float | None, member: np.ndarray | None = None) -> Look:
    """Everything a look holds, from rows (n, d) and the class (n,) of each."""
    n, d = rows.shape
    mean = rows.mean(0)
    moved = rows - mean
    values = np.linalg.eigvalsh(moved.T @ moved if n >= d else moved @ moved.T)[::-1]
    spectrum = np.sqrt(np.maximum(values[: min(n, d)], 0))
    classes = None
    if member is not None:
        parts = {f"class {name}": rows[member == name] for name in range(int(member.max()) + 1)}
        classes = {name: ClassLook(len(part), float(np.sqrt(part.var(0).mean()))) for name, part in parts.items()}
    std = float(np.sqrt(moved.var(0).mean()))
    return Look(step, feature, n, d, spectrum, float(np.linalg.norm(mean)), std, probe, row_kurtosis(rows), classes, row_fourth(rows))


def narrowed(variances: np.ndarray, share: float) -> np.ndarray:
    """The same sum, but a participation ratio of `share` (below 1) of what it was: an exponential slope over the directions."""
    slope, target = np.linspace(0, 1, len(variances)), share * variances.sum() ** 2 / np.sum(variances**2)
    low, high = 0.0, 200.0
    for _ in range(40):
        middle = (low + high) / 2
        tried = variances * np.exp(-middle * slope)
        low, high = (middle, high) if tried.sum() ** 2 / np.sum(tried**2) > target else (low, middle)
    found = variances * np.exp(-low * slope)
    return found * variances.sum() / found.sum()


@dataclass
class World:
    """What a run of family A is drawn from."""

    draw: np.random.Generator
    d: int = 32
    n: int = 256
    count: int = 20
    spacing: int = 50
    variances: np.ndarray = field(default_factory=lambda: np.ones(32))
    mean: np.ndarray = field(default_factory=lambda: np.zeros(32))

    @property
    def steps(self) -> np.ndarray:
        return self.spacing * np.arange(self.count)


def world(draw: np.random.Generator) -> World:
    d = int(draw.choice([16, 32, 64]))
    variances = np.arange(1, d + 1) ** -draw.uniform(0, 1.5)
    variances /= variances.mean()
    away = draw.normal(size=d)
    mean = away / np.linalg.norm(away) * np.sqrt(d) * draw.uniform(0, 1.2)
    return World(draw, d, d * int(draw.choice([4, 8, 16])), int(draw.integers(14, 32)), int(draw.choice([10, 50, 100])), variances, mean)


def logistic(at: World) -> np.ndarray:
    """0 to 1 over the looks; between a tenth and nine tenths lie 2 to 10 looks."""
    middle, width = at.draw.uniform(0.35, 0.65) * at.count, at.draw.uniform(2, 10) / 4.4
    return 1 / (1 + np.exp(-(np.arange(at.count) - middle) / width))


def step_at(at: World) -> np.ndarray:
    """0, then 1 from some look on."""
    return (np.arange(at.count) >= at.draw.integers(4, at.count - 4)).astype(float)


def probes(at: World, fall: np.ndarray | None, gain: float = 0.0) -> tuple[np.ndarray | None, np.ndarray | None]:
    """(as measured, true) over the looks: absent, flat, or falling behind the rank; the truth only where it falls."""
    top = at.draw.uniform(0.62, 0.9)
    true = top - gain + gain * np.linspace(0, 1, at.count)
    falls = fall is not None and at.draw.random() < 0.4
    if falls and fall is not None:
        true = 0.5 + (top - 0.5) * (1 - at.draw.uniform(0.3, 1) * fall ** at.draw.uniform(1, 2))
    if at.draw.random() < 0.2 and not gain:
        return None, None
    return true + at.draw.normal(size=at.count) * 0.008, true if falls else None


def rows_of(at: World, cloud: Cloud, n: int, member: np.ndarray | None) -> np.ndarray:
    noise = at.draw.normal(size=(n, at.d)) * np.sqrt(cloud.variances)
    if cloud.tails:
        noise *= np.sqrt(cloud.tails / at.draw.chisquare(cloud.tails, size=(n, 1)))
    if cloud.centres is not None and cloud.within is not None and member is not None:
        noise = noise * cloud.within[member, None] + cloud.centres[member]
    return noise + cloud.mean


def told(
    at: World, scenario: str, clouds: dict[str, Sequence[Cloud]], curve: np.ndarray | None, fall: np.ndarray | None, **more: float
) -> Simulated:
    """Looks at every feature of every step; classes are labelled where there are any."""
    looks: list[Look] = []
    measured, true = probes(at, fall, more.get("gain", 0.0))
    n = int(more.get("n", at.n))
    first = next(iter(clouds.values()))[0]
    member = None if first.centres is None else np.arange(n) % len(first.centres)
    for place, step in enumerate(at.steps):
        for feature, own in clouds.items():
            probe = None if measured is None else float(measured[place])
            looks.append(look_at(int(step), feature, rows_of(at, own[place], n, member), probe, member))
    return Simulated(scenario, looks, at.steps, curve, true, scenario in COLLAPSES)


def lost(at: World, fall: np.ndarray) -> list[Cloud]:
    """All but a few directions die out; the scale is kept, or what dies is missing from it."""
    while True:
        kept, depth = at.draw.integers(1, max(2, at.d // 8)), at.draw.uniform(2, 8)
        dying = np.arange(at.d) >= kept
        every = [at.variances * np.exp(-depth * each * dying) for each in (0.0, 1.0)]
        ranks = [each.sum() ** 2 / np.sum(each**2) for each in every]
        if ranks[1] < 0.4 * ranks[0]:
            break
    keep = at.draw.random() < 0.5
    found = []
    for each in fall:
        variances = at.variances * np.exp(-depth * each * dying)
        found.append(Cloud(variances * (at.d / variances.sum() if keep else 1.0), at.mean))
    return found


def same(at: World) -> list[Cloud]:
    """A feature that holds."""
    away = at.draw.normal(size=at.d)
    mean = away / np.linalg.norm(away) * np.sqrt(at.d) * at.draw.uniform(0, 1)
    return [Cloud(at.variances, mean)] * at.count


def collapsing(at: World, kind: str) -> Simulated:
    fall = logistic(at)
    if kind in ("dimensional", "tower", "projector"):
        clouds = lost(at, fall)
        others: dict[str, dict[str, Sequence[Cloud]]] = {"dimensional": {}, "tower": {TEXT: same(at)}, "projector": {BACKBONE: same(at)}}
        return told(at, kind, {IMAGE: clouds} | others[kind], np.array([each.log_rank for each in clouds]), fall)
    depth = at.draw.uniform(2.3, 6.5)
    if kind in ("total", "scale"):
        smaller = np.exp(-depth * fall)
        mean = at.mean if kind == "scale" else at.mean / np.linalg.norm(at.mean) * np.sqrt(at.d) * at.draw.uniform(0.3, 1.5)
        clouds = [Cloud(at.variances * each**2, mean * (each if kind == "scale" else 1.0)) for each in smaller]
        return told(at, kind, {IMAGE: clouds}, np.array([each.log_scale for each in clouds]), fall)
    if kind == "offset":
        direction = at.mean / np.linalg.norm(at.mean) * np.sqrt(at.d) * at.draw.uniform(0.1, 0.6)
        clouds = [Cloud(at.variances, direction * np.exp(depth * each)) for each in fall]
        return told(at, kind, {IMAGE: clouds}, np.array([each.log_uncentred for each in clouds]), None)
    count = int(at.draw.integers(3, 6))
    centres = at.draw.normal(size=(count, at.d)) * at.draw.uniform(0.3, 0.9)
    within = np.ones((at.count, count))
    within[:, slice(0, 1) if kind == "class" else slice(None)] *= np.exp(-depth * fall)[:, None]
    clouds = [Cloud(at.variances, at.mean, centres, each) for each in within]
    return told(at, kind, {IMAGE: clouds}, np.log(within[:, 0]), None)


def healthy(at: World, scenario: str) -> Simulated:
    draw, t = at.draw, np.linspace(0, 1, at.count)
    clouds, more = [Cloud(at.variances, at.mean)] * at.count, {}
    if scenario == "steady":
        clouds = [Cloud(np.ones(at.d), at.mean)] * at.count
    elif scenario == "low rank":
        few = np.where(np.arange(at.d) < draw.integers(2, 9), 1.0, draw.choice([1e-4, 1e-2]))
        clouds = [Cloud(few * at.d / few.sum(), at.mean)] * at.count
    elif scenario == "small N":
        more = {"n": int(draw.integers(12, 4 * at.d))}
    elif scenario == "tails":
        clouds = [Cloud(at.variances, at.mean, tails=draw.uniform(2.5, 6))] * at.count
    elif scenario == "rate":
        after = Cloud(narrowed(at.variances, draw.uniform(0.8, 1)) * draw.uniform(0.6, 1.2) ** 2, at.mean * draw.uniform(0.8, 1.1))
        clouds = [after if each else clouds[0] for each in step_at(at)]
    elif scenario == "temperature":
        times = draw.uniform(0.5, 2)
        clouds = [Cloud(at.variances * times**2, at.mean * times) if each else clouds[0] for each in step_at(at)]
    elif scenario == "mask":
        after = Cloud(narrowed(at.variances, draw.uniform(0.85, 1)), at.mean * draw.uniform(0.8, 1.25))
        clouds = [after if each else clouds[0] for each in step_at(at)]
    elif scenario == "unfolding":
        grown = np.exp(np.minimum(0, (t / draw.uniform(0.15, 0.4) - 1)) * draw.uniform(2, 6.5))
        dip = 1 - draw.uniform(0.1, 0.55) * np.exp(-(((t - draw.uniform(0.1, 0.3)) / 0.12) ** 2))
        unit = at.mean / np.linalg.norm(at.mean) * np.sqrt(at.d)
        clouds = [Cloud(narrowed(at.variances, a) * b**2, unit * draw.uniform(0.6, 0.7) * np.sqrt(b)) for a, b in zip(dip, grown)]
    elif scenario == "concentrating":
        share = 1 - draw.uniform(0.1, 0.6) * t
        clouds, more = [Cloud(narrowed(at.variances, each), at.mean) for each in share], {"gain": draw.uniform(0.06, 0.2)}
    elif scenario == "drifting":
        share = 1 - draw.uniform(0, 0.15) * t
        clouds = [Cloud(narrowed(at.variances, each) * (1 + 0.3 * part) ** -2, at.mean) for each, part in zip(share, t)]
    return told(at, scenario, {IMAGE: clouds, TEXT: same(at)}, None, None, **more)


def simulate(draw: np.random.Generator, scenario: str) -> Simulated:
    """A run of one scenario of COLLAPSES or HEALTHY."""
    at = world(draw)
    return collapsing(at, scenario) if scenario in COLLAPSES else healthy(at, scenario)
