"""When has a curve over looks fallen? The one definition that the sentinel and the verdicts of pages and notebooks share."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from workbench.analysis._reading import ENOUGH

Kind = Literal["total", "scale", "dimensional", "offset"]
TINY = 1e-12


class Limit(NamedTuple):
    """Least logarithms of maximum over value at two consecutive looks: the first may be small where the second is further down.

    What was changed on purpose steps down and stays; so unless it is `settled` deep, the second look must lie `further` down.
    """

    first: float
    second: float
    further: float = 0.0
    settled: float = 0.0


# Chosen on the simulated families A and B of tests/full/sentinel.py; docs/sentinel.md has the rates on family C, scored once.
DIRECTIONS = Limit(0.035, 0.15, 0.09, 0.27)
DEEP = Limit(1.0, 1.2)  # of directions, where the cloud grew or the probe learnt: concentration is no collapse until little is left
SCALE = Limit(0.10, 0.72)
OFFSET = Limit(0.02, 0.08, 0.05, 0.18)
WITHIN = Limit(0.08, 0.42)  # scale of a class beside that of all rows
NOISE = 1.75  # times the standard error of a difference of two logarithms that is taken off a fall from a value that one look reached
HELD = 1.5  # the same from a value that two looks in a row reached
NEXT = 0.6  # the same of what the second look lies further down than the first
GROWN = 1.1  # times the scale at a look: a cloud that has grown by more is not measured against that look
LEARNT = 0.025  # macro AUROC that a probe must have gained since the maximum
GONE = 2.3  # logarithm of the fall of a scale beside which lost directions no longer matter: a tenth is left
AWAY = 1.2  # times that mean / standard deviation must have risen before rows share a mean
POINT = 2.0  # times that mean / standard deviation must have risen for a point rather than a smaller cloud


@dataclass(frozen=True)
class Series:
    """What is known of one feature over its looks (k,): one run, or means over the runs of a setting.

    `full`: rank of an isotropic cloud; `rank`: participation ratio, centred; `uncentred`: effective rank with the mean; `std`: root mean column variance; `away`: norm of
    the mean over the root of the variance; `probe`: macro AUROC, NaN where none; `…_error`: standard errors of the logarithms
    of ranks and scale under another draw of n rows.
    """

    steps: np.ndarray
    n: int
    d: int
    full: float
    rank: np.ndarray
    uncentred: np.ndarray
    std: np.ndarray
    away: np.ndarray
    probe: np.ndarray
    rank_error: np.ndarray
    uncentred_error: np.ndarray
    std_error: np.ndarray

    @property
    def short(self) -> bool:
        """Too few rows for a verdict on ranks: N < 4 d."""
        return self.n < ENOUGH * self.d


@dataclass(frozen=True)
class Drop:
    """A fall of one quantity: the running maximum and the value now, between which steps, and the place (in looks) of the maximum."""

    kind: Kind
    before: float
    now: float
    from_step: int
    to_step: int
    top: int


def held(logs: np.ndarray) -> np.ndarray:
    """Places (k,) of the median of every look of `logs` (k,) and its two neighbours; at the first look of the lower of the first two."""
    here = np.arange(len(logs))
    window = np.stack([np.maximum(here - 1, 0), here, np.minimum(here + 1, len(logs) - 1)])
    found = window[np.argsort(logs[window], axis=0, kind="stable")[1], here]
    found[0] = int(logs[:2].argmin())
    return found


def depth(values: np.ndarray, at: int, error: np.ndarray | None = None, scale: np.ndarray | None = None) -> tuple[float, int]:
    """Logarithm of the highest level of `values` (k,) until look `at` over the value there, and which look had that level.

    With standard errors `error` (k,) of the logarithms, what noise may have made of the difference is taken off it: more of a value that a
    single look reached, for the largest of many is large by chance, and less of one that the look and a neighbour reached. A look with a
    high rank has a small error of its own and counts with the median of the errors at least. With `scale` (k,) only looks whose cloud was
    about as large count: beside a cloud that grew from nothing, every spread looks narrow.
    """
    logs, here = np.log(np.maximum(values[: at + 1], TINY)), np.arange(at + 1)
    noise = np.zeros(at + 1)
    if error is not None:
        noise = np.hypot(np.maximum(error[: at + 1], np.median(error[: at + 1])), error[at])
    places, times = np.append(here, held(logs)), np.repeat([NOISE, HELD], at + 1)
    levels = logs[places] - times * noise[places]
    if scale is not None:
        levels = np.where(scale[places] * GROWN >= scale[at], levels, -np.inf)
    top = int(levels.argmax())
    return float(levels[top] - logs[at]), int(places[top])


def fallen(values: np.ndarray, limit: Limit, error: np.ndarray | None = None, scale: np.ndarray | None = None) -> int | None:
    """Look with the level from which the last two of `values` (k,) have fallen by more than `limit` (`depth`); None where they have not."""
    k = len(values)
    if k < 3:
        return None
    now, top = depth(values, k - 1, error, scale)
    earlier, _ = depth(values, k - 2, error, scale)
    between_looks = 0.0 if error is None else NEXT * float(np.hypot(error[k - 1], error[k - 2]))
    deep = now >= limit.settled or now - earlier - between_looks >= limit.further
    return top if earlier >= limit.first and now >= limit.second and deep else None


def lost_directions(series: Series) -> int | None:
    """Place of the maximum from which directions were lost: much for a cloud that grew or a probe that learnt, less otherwise."""
    deep = fallen(series.rank, DEEP, series.rank_error)
    if deep is not None:
        return deep
    top = fallen(series.rank, DIRECTIONS, series.rank_error, series.std)
    return None if top is None or series.probe[-1] - series.probe[top] >= LEARNT else top


def pointed(series: Series, top: int) -> bool:
    """Whether what shrank since look `top` is a point away from the origin: the mean stayed, or has become most of what there is."""
    return bool(series.away[-1] >= POINT * series.away[top] and series.away[-1] > 1)


def judge(series: Series) -> Drop | None:
    """What fell and has stayed down for two looks; None where nothing did. Scale is judged before directions, these before the offset."""
    shrunk = fallen(series.std, SCALE, series.std_error)
    lost = None if series.short else lost_directions(series)
    if shrunk is not None and (lost is None or depth(series.std, len(series.std) - 1)[0] >= GONE):
        return drop("total" if lost is not None or pointed(series, shrunk) else "scale", series.steps, series.std, shrunk)
    if lost is not None:
        return drop("dimensional", series.steps, series.rank, lost)
    shared = None if series.short else fallen(series.uncentred, OFFSET, series.uncentred_error, series.std)
    if shared is not None and series.away[-1] > AWAY * series.away[shared]:
        return drop("offset", series.steps, series.uncentred, shared)
    return None


def drop(kind: Kind, steps: np.ndarray, values: np.ndarray, top: int) -> Drop:
    start, end = between(steps[top:], values[top:])
    return Drop(kind, float(values[top]), float(values[-1]), start, end, top)


def between(steps: np.ndarray, values: np.ndarray) -> tuple[int, int]:
    """Where most of the fall from the maximum to the last value lies: the last step above nine tenths, the first below one tenth of it."""
    top, last = values.max(), values[-1]
    if top <= last:
        return int(steps[0]), int(steps[-1])
    start = int(np.flatnonzero(values >= last + 0.9 * (top - last))[-1])
    below = np.flatnonzero(values[start:] <= last + 0.1 * (top - last))
    return int(steps[start]), int(steps[start + below[0]])
