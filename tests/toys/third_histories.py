"""Simulated training runs, family C: log-normal, two-level and broken-line spectra; rows that turn from one draw into another, with light, skewed,
contaminated or Student tails; falls in one sweep, in two stages or to a floor; looks at uneven distances.

Shares no code with families A and B but the measuring of a look and the names of the scenarios, to which it adds tails that change.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tests.toys.histories import BACKBONE, COLLAPSES, IMAGE, TEXT, Simulated, look_at
from tests.toys.histories import HEALTHY as BEFORE

HEALTHY = (*BEFORE, "changing tails")
LEAST = 0.38  # of the largest participation ratio is left at most after directions were lost


@dataclass
class Plan:
    """What one feature is at every look: eigenvalues (k, d), mean (k, d), weight of the tails (k,), and its classes if there are any."""

    values: np.ndarray
    mean: np.ndarray
    tails: np.ndarray
    centres: np.ndarray | None = None  # (c, d)
    inside: np.ndarray | None = None  # (k, c) scale of the rows of a class
    shares: np.ndarray | None = None  # (c,) of the rows


class Family:
    """One run: what is drawn once, and how a fall goes."""

    def __init__(self, draw: np.random.Generator) -> None:
        self.draw = draw
        self.d = int(draw.choice([12, 20, 36, 80]))
        self.n = int(self.d * draw.uniform(4, 20)) + 1
        self.k = int(draw.integers(13, 34))
        gaps = draw.integers(2, 7, size=self.k - 1) * int(draw.choice([1, 5, 40]))
        self.steps = np.concatenate([[0], np.cumsum(gaps)])
        self.marginal = str(draw.choice(["gauss", "uniform", "skewed", "student"]))
        self.turning = float(draw.choice([0.0, 0.4, 1.5]))  # radians that rows turn from first to last look; 0: drawn anew

    def spectrum(self) -> np.ndarray:
        """(d,), mean 1."""
        place = np.arange(self.d)
        shape = self.draw.integers(3)
        if shape == 0:
            found = np.exp(self.draw.uniform(0.2, 1.2) * self.draw.standard_normal(self.d))
        elif shape == 1:
            found = np.where(place < self.draw.integers(2, self.d // 2 + 2), 1.0, self.draw.uniform(0.02, 0.5))
        else:
            knee = self.draw.uniform(0.2, 0.7) * self.d
            found = np.exp(-self.draw.uniform(0, 1) * np.minimum(place, knee) / knee - 3 * np.maximum(0, place - knee) / self.d)
        found = np.sort(found)[::-1]
        return found / found.mean()

    def away(self, length: float) -> np.ndarray:
        """A mean (d,) of this length over the root of d; few of its entries are large."""
        found = self.draw.standard_normal(self.d) ** 3
        return found / np.linalg.norm(found) * np.sqrt(self.d) * length

    def plan(self, values: np.ndarray | None = None, mean: np.ndarray | None = None, tails: np.ndarray | None = None) -> Plan:
        """What stays unless it is given."""
        values = np.tile(self.spectrum(), (self.k, 1)) if values is None else values
        mean = np.tile(self.away(self.draw.uniform(0, 1.2)), (self.k, 1)) if mean is None else mean
        return Plan(values, mean, np.zeros(self.k) if tails is None else tails)

    def fall(self) -> np.ndarray:
        """(k,) from 0 to 1 over 5 to 16 looks: one sweep, two stages with a rest between, or fast at first and slower to the floor."""
        length = min(self.draw.uniform(5, 16), 0.75 * self.k)
        along = ((np.arange(self.k) - self.draw.uniform(2, max(2.5, self.k - length - 1))) / length).clip(0, 1)
        shape = self.draw.integers(3)
        if shape == 0:
            return along**2 * (3 - 2 * along)
        if shape == 1:
            rest = self.draw.uniform(0.3, 0.6)
            return np.interp(along, [0, 0.35, 0.55, 1], [0, rest, rest, 1])
        return (1 - np.exp(-2 * along)) / (1 - np.exp(-2))

    def changed(self) -> np.ndarray:
        """(k, 1) bool: from some look on."""
        return (np.arange(self.k) >= self.draw.integers(3, self.k - 3))[:, None]

    def rows(self, n: int, tails: np.ndarray) -> np.ndarray:
        """(k, n, d) of unit variance; `tails` (k,) is the spread of the logarithm of a row's length."""
        first, second = (self.coordinates((n, self.d)) for _ in range(2))
        lengths, longer = self.draw.standard_normal(n), self.draw.random(n) < 0.03
        heavy = bool(self.draw.random() < 0.5)
        found = np.empty((self.k, n, self.d))
        for place, angle in enumerate(np.linspace(0, self.turning, self.k)):
            found[place] = np.cos(angle) * first + np.sin(angle) * second if self.turning else self.coordinates((n, self.d))
            if not self.turning:
                lengths, longer = self.draw.standard_normal(n), self.draw.random(n) < 0.03
            weight = tails[place]
            log_normal = np.exp(weight * lengths - weight**2)
            few = np.where(longer, 1 + 5 * weight, 1.0) / np.sqrt(1 + 0.03 * ((1 + 5 * weight) ** 2 - 1))
            found[place] *= (log_normal if heavy else few)[:, None]
        return found

    def coordinates(self, shape: tuple[int, int]) -> np.ndarray:
        """Independent entries of unit variance; of `student` a row shares its length."""
        if self.marginal == "uniform":
            return self.draw.uniform(-np.sqrt(3), np.sqrt(3), size=shape)
        if self.marginal == "skewed":
            return (self.draw.gamma(4, size=shape) - 4) / 2
        found = self.draw.standard_normal(shape)
        if self.marginal == "student":
            found = found * np.sqrt(7 / self.draw.chisquare(9, size=(shape[0], 1)))
        return found

    def told(
        self,
        scenario: str,
        plans: dict[str, Plan],
        curve: np.ndarray | None,
        fall: np.ndarray | None,
        gain: float = 0,
        n: int | None = None,
    ) -> Simulated:
        """Looks at rows drawn for every feature; `fall` (k,) is what a probe may follow."""
        n = n or self.n
        measured, true = self.probe(fall, gain)
        looks = []
        for feature, plan in plans.items():
            rows = self.rows(n, plan.tails)
            frame = np.linalg.svd(self.draw.standard_normal((self.d, self.d)))[0]
            member = None if plan.shares is None else self.draw.choice(len(plan.shares), size=n, p=plan.shares)
            for place, step in enumerate(self.steps):
                z = rows[place] * np.sqrt(plan.values[place])
                if member is not None and plan.inside is not None and plan.centres is not None:
                    z = z * plan.inside[place][member][:, None] + plan.centres[member]
                read = None if measured is None else float(measured[place])
                looks.append(look_at(int(step), feature, (z + plan.mean[place]) @ frame.T, read, member))
        return Simulated(scenario, looks, self.steps, curve, true, scenario in COLLAPSES)

    def probe(self, fall: np.ndarray | None, gain: float) -> tuple[np.ndarray | None, np.ndarray | None]:
        """(measured, true where it falls): none, level, rising where it gains, or behind the fall."""
        if not gain and self.draw.random() < 0.2:
            return None, None
        level = self.draw.uniform(0.58, 0.78) + gain * np.linspace(0, 1, self.k) ** 0.7
        follows = fall is not None and self.draw.random() < 0.45
        if follows and fall is not None:
            level = 0.5 + (level - 0.5) * (1 - self.draw.uniform(0.3, 1) * fall**1.3)
        return level + 0.008 * self.draw.standard_normal(self.k), level if follows else None


def rank_of(values: np.ndarray) -> np.ndarray:
    """Participation ratio (k,) of eigenvalues (k, d)."""
    return values.sum(-1) ** 2 / (values**2).sum(-1)


def with_share(values: np.ndarray, share: np.ndarray) -> np.ndarray:
    """(k, d): powers of the eigenvalues (d,), the sum kept, whose participation ratio is `share` (k,) of that of `values`; equal ones get an order."""
    ordered = values * np.linspace(1.05, 0.95, len(values))
    powers = np.linspace(1, 30, 600)
    every = ordered ** powers[:, None]
    ranks = rank_of(every)
    found = every[[int(np.argmax(ranks <= each * ranks[0])) if each < 1 else 0 for each in share]]
    return found * values.sum() / found.sum(1, keepdims=True)


def losing(run: Family, fall: np.ndarray) -> np.ndarray:
    """(k, d): eigenvalues go to a few, each on a straight line of its logarithm, or all rows are pulled to one subspace; scale kept or not."""
    while True:
        start, few = run.spectrum(), int(run.draw.integers(1, max(2, run.d // 7)))
        end = np.where(np.arange(run.d) < few, start, start * np.exp(-run.draw.uniform(2, 7)))
        if run.draw.random() < 0.5:
            values = start ** (1 - fall[:, None]) * end ** fall[:, None]
        else:
            values = (1 - fall[:, None]) * start + fall[:, None] * end
        if run.draw.random() < 0.6:
            values = values * run.d / values.sum(1, keepdims=True)
        ranks = rank_of(values)
        if ranks[-1] < LEAST * ranks.max():
            return values


def collapse(run: Family, kind: str) -> Simulated:
    fall = run.fall()
    depth = run.draw.uniform(2.2, 7)
    if kind in ("dimensional", "tower", "projector"):
        values = losing(run, fall)
        others = {"dimensional": [], "tower": [TEXT, "text.backbone"], "projector": [BACKBONE]}[kind]
        log = np.log(rank_of(values))
        return run.told(kind, {IMAGE: run.plan(values)} | {name: run.plan() for name in others}, log, (log.max() - log) / np.ptp(log))
    if kind in ("total", "scale"):
        left = np.exp(-depth * fall)[:, None]
        mean = run.away(run.draw.uniform(0.3, 1.5)) * (left if kind == "scale" else np.ones_like(left))
        return run.told(kind, {IMAGE: run.plan(run.spectrum() * left**2, mean)}, -depth * fall, fall)
    if kind == "offset":
        values, mean = run.spectrum(), run.away(run.draw.uniform(0.05, 0.6)) * np.exp(run.draw.uniform(2.2, 5.5) * fall)[:, None]
        moments = np.array([np.linalg.eigvalsh(np.diag(values) + np.outer(each, each)) for each in mean])
        share = np.sqrt(moments.clip(1e-300))
        share /= share.sum(1, keepdims=True)
        return run.told(kind, {IMAGE: run.plan(np.tile(values, (run.k, 1)), mean)}, -(share * np.log(share)).sum(1), None)
    count = int(run.draw.integers(3, 7))
    run.n = max(run.n, 50 * count)  # classes of fewer than 20 rows are not judged
    plan = run.plan()
    plan.shares = (1 + run.draw.random(count)) / count
    plan.shares /= plan.shares.sum()
    plan.centres = np.array([run.away(run.draw.uniform(0.3, 0.8)) for _ in range(count)])
    which = np.arange(count) == 0 if kind == "class" else np.ones(count, bool)
    plan.inside = np.exp(-depth * fall[:, None] * which)
    return run.told(kind, {IMAGE: plan}, -depth * fall, None)


def steady(run: Family) -> Plan:
    return run.plan(np.ones((run.k, run.d)))


def low_rank(run: Family) -> Plan:
    few = np.where(np.arange(run.d) < run.draw.integers(1, 6), 1.0, run.draw.choice([0, 1e-5, 3e-3]))
    return run.plan(np.tile(few * run.d / few.sum(), (run.k, 1)))


def heavy(run: Family) -> Plan:
    return run.plan(tails=np.full(run.k, run.draw.uniform(0.5, 1.1)))


def heavier(run: Family) -> Plan:
    """Tails that come or go while everything else stays."""
    ends = run.draw.permutation([run.draw.uniform(0, 0.2), run.draw.uniform(0.6, 1.0)])
    return run.plan(tails=ends[0] + (ends[1] - ends[0]) * run.fall())


def rate(run: Family) -> Plan:
    own, smaller = run.spectrum(), run.draw.uniform(0.6, 1.25) ** 2
    return run.plan(np.where(run.changed(), with_share(own, np.array([run.draw.uniform(0.8, 1)])) * smaller, own))


def temperature(run: Family) -> Plan:
    times = np.where(run.changed(), run.draw.uniform(0.5, 2.1), 1.0)
    return run.plan(run.spectrum() * times**2, run.away(run.draw.uniform(0, 1.2)) * times)


def mask(run: Family) -> Plan:
    own, mean, later = run.spectrum(), run.away(run.draw.uniform(0, 1.2)), run.changed()
    values = np.where(later, with_share(own, np.array([run.draw.uniform(0.85, 1)])), own)
    return run.plan(values, np.where(later, mean * run.draw.uniform(0.75, 1.3), mean))


def unfolding(run: Family) -> Plan:
    """From almost nothing, by way of a lower rank, to full size; the mean grows along."""
    when = np.arange(run.k) / (run.k - 1)
    size = np.exp(-run.draw.uniform(2, 6) * (1 - when / run.draw.uniform(0.25, 0.5)).clip(0))
    share = 1 - run.draw.uniform(0.1, 0.5) * np.exp(-(((when - run.draw.uniform(0.1, 0.25)) / 0.1) ** 2))
    return run.plan(with_share(run.spectrum(), share) * size[:, None] ** 2, run.away(run.draw.uniform(0.3, 0.7)) * np.sqrt(size)[:, None])


def concentrating(run: Family) -> Plan:
    return run.plan(with_share(run.spectrum(), 1 - run.draw.uniform(0.1, 0.6) * np.linspace(0, 1, run.k) ** run.draw.uniform(0.7, 1.2)))


def drifting(run: Family) -> Plan:
    share = 1 - run.draw.uniform(0, 0.15) * run.fall()
    return run.plan(with_share(run.spectrum(), share) * np.linspace(1, run.draw.uniform(0.7, 1.3), run.k)[:, None])


PLANS: dict[str, Callable[[Family], Plan]] = {
    "steady": steady,
    "low rank": low_rank,
    "small N": Family.plan,
    "tails": heavy,
    "rate": rate,
    "temperature": temperature,
    "mask": mask,
    "unfolding": unfolding,
    "concentrating": concentrating,
    "drifting": drifting,
    "changing tails": heavier,
}


def simulate(draw: np.random.Generator, scenario: str) -> Simulated:
    """A run of one scenario of COLLAPSES or HEALTHY."""
    run = Family(draw)
    if scenario in COLLAPSES:
        return collapse(run, scenario)
    gain = draw.uniform(0.07, 0.2) if scenario == "concentrating" else 0.0
    n = int(draw.integers(10, 4 * run.d)) if scenario == "small N" else None
    return run.told(scenario, {IMAGE: PLANS[scenario](run), TEXT: run.plan()}, None, None, gain, n)
