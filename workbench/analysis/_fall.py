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


# Chosen on the simulated family A of tests/full/sentinel.py; docs/sentinel.md has the rates on family B, scored once.
DIRECTIONS = Limit(0.05, 0.20, 0.10, 0.32)
DEEP = Limit(1.0, 1.2)  # of directions, where the cloud grew or the probe learnt: concentration is no collapse until little is left
SCALE = Limit(0.35, 0.75)
OFFSET = Limit(0.04, 0.15, 0.08, 0.30)
WITHIN = Limit(0.20, 0.50)  # scale of a class beside that of all rows
NOISE = 1.5  # times the standard error of a difference of two logarithms that is taken off a fall
GROWN = 1.1  # times the scale at a look: a cloud that has grown by more is not measured against that look
LEARNT = 0.025  # macro AUROC that a probe must have gained since the maximum
GONE = 2.3  # logarithm of the fall of a scale beside which lost directions no longer matter: a tenth is left
POINT = 2.0  # times that mean / standard deviation must have risen for a point rather than a smaller cloud


@dataclass(frozen=True)
class Series:
    """What is known of one feature over its looks (k,): one run, or means over the runs of a setting.

    `rank`: participation ratio, centred; `uncentred`: effective rank with the mean; `std`: root mean column variance; `away`: norm of
    the mean over the root of the variance; `probe`: macro AUROC, NaN where none; `…_error`: standard errors of the logarithms
    of ranks and scale under another draw of n rows.
    """

    steps: np.ndarray
    n: int
    d: int
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


def depth(values: np.ndarray, at: int, scale: np.ndarray | None = None) -> tuple[float, int]:
    """Logarithm of the running maximum of `values` (k,) over the value at look `at`, and where that maximum is.

    With `scale` (k,) only looks whose cloud was about as large count: beside a cloud that grew from nothing, every spread looks narrow.
    """
    seen = values[: at + 1] if scale is None else np.where(scale[: at + 1] * GROWN >= scale[at], values[: at + 1], 0.0)
    top = int(seen.argmax())
    return float(np.log(max(float(values[top]), TINY) / max(float(values[at]), TINY))), top


def fallen(values: np.ndarray, limit: Limit, error: np.ndarray | None = None, scale: np.ndarray | None = None) -> int | None:
    """Place of the maximum from which the last two of `values` (k,) have fallen by more than `limit`; None where they have not.

    `error` (k,): standard errors of their logarithms.
    """
    k = len(values)
    if k < 3:
        return None
    earlier, first = depth(values, k - 2, scale)
    now, top = depth(values, k - 1, scale)
    if error is not None:  # of both looks: one outlier among heavy tails raises a maximum as well
        earlier -= NOISE * float(np.hypot(error[first], error[k - 2]))
        now -= NOISE * float(np.hypot(error[top], error[k - 1]))
    deep = now >= limit.settled or now - earlier >= limit.further
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
    if shared is not None and series.away[-1] > series.away[shared]:
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
