"""Did a latent space fall while it trained, between which steps, and does what a probe reads follow?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from workbench.analysis.looks import Trajectory

HALF = 0.5  # of the running maximum: below, directions count as lost
SHRUNK = 0.05  # of the running maximum of the feature standard deviation: below, the cloud counts as a point
Kind = Literal["short", "single", "total", "lost", "offset", "kept"]


@dataclass(frozen=True)
class Fall:
    """What became of one arm up to a step: means over its runs. `before` is the running maximum, `now` the value at the step."""

    label: str
    feature: str
    kind: Kind
    before: float
    now: float
    from_step: int
    to_step: int
    n: int
    d: int
    runs: int


def mean_of(runs: Sequence[Trajectory], until: int) -> tuple[np.ndarray, np.ndarray]:
    """Steps (k,) that all runs share, up to `until`, and the mean value (k,) at them."""
    steps = sorted(set.intersection(*(set(map(int, each.steps)) for each in runs)))
    steps = [step for step in steps if step <= until] or steps[:1]
    return np.array(steps), np.mean([each.values[np.isin(each.steps, steps)] for each in runs], 0)


def fall(feature: str, ranks: Sequence[Trajectory], scales: Sequence[Trajectory], until: int, uncentred: Sequence[Trajectory] = ()) -> Fall:
    """Judge one arm by participation ratio, scale and uncentred rank together.

    A centred rank alone sees neither a cloud that shrinks to a point (`total`) nor one whose rows come to share one mean (`offset`).
    """
    steps, values = mean_of(ranks, until)
    first = ranks[0]

    def judged(kind: Kind, before: float, now: float, from_step: int, to_step: int) -> Fall:
        return Fall(first.label, feature, kind, float(before), float(now), int(from_step), int(to_step), first.n, first.d, len(ranks))

    if first.n < 4 * first.d:
        return judged("short", values.max(), values[-1], steps[0], steps[-1])
    if len(steps) < 2:
        return judged("single", values[0], values[0], steps[0], steps[0])
    if scales:
        scale_steps, scale = mean_of(scales, until)
        if scale[-1] < SHRUNK * scale.max():
            start, end = between(scale_steps, scale)
            return judged("total", scale.max(), scale[-1], start, end)
    start, end = between(steps, values)
    if halved(ranks, steps, values):
        return judged("lost", values.max(), values[-1], start, end)
    if uncentred:
        its_steps, its_values = mean_of(uncentred, until)
        if halved(uncentred, its_steps, its_values):
            return judged("offset", its_values.max(), its_values[-1], *between(its_steps, its_values))
    return judged("kept", values.max(), values[-1], start, end)


def halved(runs: Sequence[Trajectory], steps: np.ndarray, values: np.ndarray) -> bool:
    """Whether the last of the mean values (k,) lies below half of the largest, and no run's intervals there touch."""
    return bool(values[-1] < HALF * values.max()) and not overlapping(runs, int(steps[values.argmax()]), int(steps[-1]))


def overlapping(runs: Sequence[Trajectory], top: int, now: int) -> bool:
    """Whether in any run the interval at step `now` reaches into that at step `top`; a withheld one reaches nowhere."""
    return any(bool(each.high[each.at(now)] >= each.low[each.at(top)]) for each in runs)


def between(steps: np.ndarray, values: np.ndarray) -> tuple[int, int]:
    """Where most of the fall from the maximum to the last value lies: the last step above nine tenths, the first below one tenth of it."""
    top, last = values.max(), values[-1]
    drop = top - last
    if drop <= 0:
        return int(steps[0]), int(steps[-1])
    above = np.flatnonzero(values >= last + 0.9 * drop)
    start = int(above[-1])
    below = np.flatnonzero(values[start:] <= last + 0.1 * drop)
    return int(steps[start]), int(steps[start + below[0]])


def follows(ranks: Mapping[str, float], probes: Mapping[str, float]) -> bool | None:
    """Whether the arms stand in the same order by rank and by probe; None where fewer than two have both."""
    both = [label for label in ranks if label in probes]
    if len(both) < 2:
        return None
    return sorted(both, key=lambda label: ranks[label]) == sorted(both, key=lambda label: probes[label])
