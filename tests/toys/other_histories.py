"""Simulated training runs, family B: spikes on a bulk or an exponential spectrum, turned at random; rows that move slowly from look to look;
Student, Laplace or Gaussian tails; falls as ramps, relaxations or bursts, directions dying one after another; looks spaced as in a run.

Shares no code with family A but the measuring of a look and the names of the scenarios.
"""

from dataclasses import dataclass

import numpy as np

from tests.toys.histories import BACKBONE, COLLAPSES, IMAGE, TEXT, Simulated, look_at
from training.monitors import look_steps

Path = dict[str, np.ndarray]  # one feature over its looks: `sizes` (k, d) standard deviations along the axes, `mean` (k, d)


@dataclass
class Setting:
    """What is fixed for a run."""

    draw: np.random.Generator
    d: int
    n: int
    steps: np.ndarray
    tail: str
    memory: float  # correlation of the rows at neighbouring looks

    @property
    def when(self) -> np.ndarray:
        """Looks (k,) on 0 to 1, as they are spaced after the first, close ones."""
        return np.arange(len(self.steps)) / (len(self.steps) - 1)


def setting(draw: np.random.Generator) -> Setting:
    d, total = int(draw.choice([24, 40, 96])), int(draw.choice([400, 1000, 5000]))
    steps = np.array(sorted(look_steps(total, total // int(draw.choice([8, 16, 24])))))
    n = int(d * np.exp(draw.uniform(np.log(4.2), np.log(25))))
    return Setting(draw, d, n, steps, str(draw.choice(["normal", "laplace", "student"])), float(draw.choice([0.0, 0.5, 0.95])))


def sizes(here: Setting) -> np.ndarray:
    """(d,): a few spikes on a gamma bulk, or exponential decay."""
    if here.draw.random() < 0.5:
        bulk = here.draw.gamma(4, 0.25, size=here.d)
        spikes = here.draw.integers(0, 7)
        bulk[:spikes] *= np.exp(here.draw.uniform(0.5, 3, size=spikes))
        found = np.sort(bulk)[::-1]
    else:
        found = np.exp(-np.arange(here.d) / (here.d * here.draw.uniform(0.08, 0.8)))
    return np.sqrt(found / found.mean())


def direction(here: Setting) -> np.ndarray:
    found = here.draw.standard_cauchy(size=here.d).clip(-6, 6)
    return found * np.sqrt(here.d) / np.linalg.norm(found)


def course(here: Setting) -> np.ndarray:
    """(k,) from 0 to 1: a ramp, a relaxation, or an accelerating burst that is over."""
    start = here.draw.uniform(0.15, 0.4)
    length = here.draw.uniform(0.12, 0.55)
    along = (here.when - start) / length
    shape = here.draw.integers(3)
    if shape == 0:
        return along.clip(0, 1)
    if shape == 1:
        return np.where(along > 0, 1 - np.exp(-2.5 * along.clip(0)), 0.0)
    return along.clip(0, 1) ** 2


def latent(here: Setting, rows: int) -> np.ndarray:
    """(k, rows, d) with unit variance; neighbouring looks correlate, tails as the setting says."""
    k, keep = len(here.steps), here.memory
    found = here.draw.standard_normal((k, rows, here.d))
    if here.tail == "laplace":
        found = here.draw.laplace(scale=np.sqrt(0.5), size=(k, rows, here.d))
    for place in range(1, k):
        found[place] = keep * found[place - 1] + np.sqrt(1 - keep**2) * found[place]
    if here.tail == "student":
        freedom = here.draw.uniform(6, 15)
        found *= np.sqrt((freedom - 2) / here.draw.chisquare(freedom, size=(1, rows, 1)))
    return found


def participation(each: np.ndarray) -> np.ndarray:
    """Of standard deviations (k, d): participation ratio (k,)."""
    return (each**2).sum(1) ** 2 / (each**4).sum(1)


def entropy_with_mean(path: Path) -> np.ndarray:
    """Logarithm (k,) of the effective rank of the second moments, from singular values of the stacked factor."""
    found = []
    for each, mean in zip(path["sizes"], path["mean"]):
        values = np.linalg.svd(np.vstack([np.diag(each), mean]), compute_uv=False)
        share = values / values.sum()
        found.append(-np.sum(share[share > 0] * np.log(share[share > 0])))
    return np.array(found)


def still(here: Setting) -> Path:
    k = len(here.steps)
    own, mean = sizes(here), direction(here) * here.draw.uniform(0, 1.1)
    return {"sizes": np.tile(own, (k, 1)), "mean": np.tile(mean, (k, 1))}


def dying(here: Setting, fall: np.ndarray) -> Path:
    """Directions go out one after another from the smallest on, or the large ones outgrow the others; what is lost is 60 % at least."""
    path = still(here)
    own = path["sizes"][0]
    for _ in range(200):
        if here.draw.random() < 0.5:
            kept, soft = int(here.draw.integers(1, max(2, here.d // 6))), here.draw.uniform(0.08, 0.3)
            turn = np.linspace(1 - soft, 0, here.d - kept)
            gone = ((fall[:, None] - turn) / soft).clip(0, 1)
            found = np.hstack([np.tile(own[:kept], (len(fall), 1)), own[kept:] * np.exp(-here.draw.uniform(1.5, 4) * gone)])
        else:
            power = 1 + here.draw.uniform(1, 9) * fall[:, None]
            found = (np.sort(own + 1e-3 * np.arange(here.d)[::-1])[::-1] / own.max()) ** power
            found = found * np.sqrt(here.d / (found**2).sum(1, keepdims=True))
        ranks = participation(found)
        if ranks[-1] < 0.4 * ranks.max():
            return path | {"sizes": found}
        own = sizes(here)
    raise RuntimeError("no spectrum that can fall was drawn")


def probe_of(here: Setting, fall: np.ndarray | None, gain: float) -> tuple[np.ndarray | None, np.ndarray | None]:
    """(measured, true where it falls)."""
    k, choice = len(here.steps), here.draw.random()
    if choice < 0.25 and gain == 0:
        return None, None
    level = here.draw.uniform(0.6, 0.92) * np.ones(k)
    if gain:
        level = level.clip(0, 0.75) + gain * (1 - np.exp(-3 * here.when))
    follows = fall is not None and choice > 0.6
    if follows and fall is not None:
        level = 0.5 + (level - 0.5) * (1 - here.draw.uniform(0.4, 1.0) * fall)
    wobble = here.draw.standard_t(5, size=k) * 0.007
    return level + wobble, level if follows else None


def seen(
    here: Setting, scenario: str, paths: dict[str, Path], curve: np.ndarray | None, fall: np.ndarray | None, **more: float
) -> Simulated:
    """Rows drawn, turned and looked at."""
    measured, true = probe_of(here, fall, more.get("gain", 0.0))
    rows = int(more.get("rows", here.n))
    looks = []
    for feature, path in paths.items():
        noise = latent(here, rows)
        if "spikes" in path:
            noise *= np.exp(path["spikes"][:1] * here.draw.standard_normal((len(noise), rows, 1)))
        turn, _ = np.linalg.qr(here.draw.standard_normal((here.d, here.d)))
        member = here.draw.integers(len(path["centres"]), size=rows) if "centres" in path else None
        for place, step in enumerate(here.steps):
            z = noise[place] * path["sizes"][place]
            if member is not None:
                z = z * path["within"][place][member, None] + path["centres"][member]
            probe = None if measured is None else float(measured[place])
            looks.append(look_at(int(step), feature, (z + path["mean"][place]) @ turn, probe, member))
    return Simulated(scenario, looks, here.steps, curve, true, scenario in COLLAPSES)


def collapsing(here: Setting, kind: str) -> Simulated:
    fall = course(here)
    if kind in ("dimensional", "tower", "projector"):
        path = dying(here, fall)
        log = np.log(participation(path["sizes"]))
        beside = {"dimensional": {}, "tower": {TEXT: still(here)}, "projector": {BACKBONE: still(here), TEXT: still(here)}}[kind]
        done = (log[0] - log) / (log[0] - log[-1])
        return seen(here, kind, {IMAGE: path, **beside}, log, done.clip(0, 1))
    path, depth = still(here), here.draw.uniform(np.log(8), np.log(2000))
    if kind in ("total", "scale"):
        left = np.exp(-depth * fall)[:, None]
        mean = direction(here) * here.draw.uniform(0.3, 1.6)
        path = {"sizes": path["sizes"] * left, "mean": path["mean"] * left if kind == "scale" else np.tile(mean, (len(fall), 1))}
        return seen(here, kind, {IMAGE: path}, -depth * fall, fall)
    if kind == "offset":
        grown = here.draw.uniform(0.1, 0.5) * np.exp(here.draw.uniform(2, 5) * fall)[:, None]
        path |= {"mean": direction(here) * grown}
        return seen(here, kind, {IMAGE: path}, entropy_with_mean(path), None)
    count = int(here.draw.integers(2 if kind == "between-class" else 3, 7))
    centres = here.draw.standard_normal((count, here.d)) * here.draw.uniform(0.3, 0.8)
    within = np.ones((len(fall), count))
    chosen = slice(None) if kind == "between-class" else slice(int(here.draw.integers(count)), None)
    if kind == "class":
        chosen = slice(chosen.start, chosen.start + 1)
    within[:, chosen] *= np.exp(-here.draw.uniform(2, 5) * fall)[:, None]
    return seen(here, kind, {IMAGE: path | {"centres": centres, "within": within}}, np.log(within[:, chosen.start or 0]), None)


def squeezed(own: np.ndarray, share: np.ndarray) -> np.ndarray:
    """(k, d): the largest direction grown, the scale kept, until the participation ratio is `share` (k,) of that of `own` (d,)."""
    start, found = participation(own[None])[0], []
    for each in share:
        times = 1.0
        tried = own
        while participation(tried[None])[0] > each * start:
            times *= 1.02
            tried = own.copy()
            tried[0] *= times
        found.append(tried * np.sqrt((own**2).sum() / (tried**2).sum()))
    return np.array(found)


def healthy(here: Setting, scenario: str) -> Simulated:
    draw, when = here.draw, here.when
    path, more = still(here), {}
    own, mean = path["sizes"][0], path["mean"][0]
    later = (when >= draw.uniform(0.3, 0.9))[:, None]
    if scenario == "steady":
        path["sizes"] = np.ones_like(path["sizes"])
    elif scenario == "low rank":
        few = np.where(np.arange(here.d) < draw.integers(1, 7), draw.uniform(0.5, 1.5, here.d), draw.choice([1e-3, 0.03]))
        path["sizes"] = np.tile(few, (len(when), 1))
    elif scenario == "small N":
        more["rows"] = int(draw.integers(8, 4 * here.d))
    elif scenario == "tails":
        path["spikes"] = np.full(1, draw.uniform(0.5, 1.0))
    elif scenario == "rate":
        path = {
            "sizes": np.where(later, squeezed(own, np.array([draw.uniform(0.8, 1)])) * draw.uniform(0.6, 1.3), own),
            "mean": path["mean"],
        }
    elif scenario == "temperature":
        times = np.where(later, draw.uniform(0.5, 2.2), 1.0)
        path = {"sizes": path["sizes"] * times, "mean": path["mean"] * times}
    elif scenario == "mask":
        path = {
            "sizes": np.where(later, squeezed(own, np.array([draw.uniform(0.85, 1)])), own),
            "mean": np.where(later, mean * draw.uniform(0.7, 1.3), mean),
        }
    elif scenario == "unfolding":
        size = draw.uniform(1e-3, 0.1) ** (1 - when / draw.uniform(0.3, 0.6)).clip(0)
        dip = 1 - draw.uniform(0.1, 0.5) * np.sin(np.pi * (when / draw.uniform(0.3, 0.6)).clip(0, 1))
        path = {"sizes": squeezed(own, dip) * size[:, None], "mean": direction(here) * (0.8 * size ** draw.uniform(0.3, 0.9))[:, None]}
    elif scenario == "concentrating":
        share = 1 - draw.uniform(0.1, 0.6) * (1 - np.exp(-3 * when))
        path["sizes"], more["gain"] = squeezed(own, share), draw.uniform(0.08, 0.22)
    elif scenario == "drifting":
        share = 1 - draw.uniform(0, 0.15) * np.abs(np.sin(draw.uniform(1, 4) * np.pi * when))
        path["sizes"] = squeezed(own, share) * draw.uniform(0.7, 1.4) ** when[:, None]
    return seen(here, scenario, {IMAGE: path, BACKBONE: still(here)}, None, None, **more)


def simulate(draw: np.random.Generator, scenario: str) -> Simulated:
    """A run of one scenario of COLLAPSES or HEALTHY."""
    here = setting(draw)
    return collapsing(here, scenario) if scenario in COLLAPSES else healthy(here, scenario)
