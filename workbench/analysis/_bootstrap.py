"""Patients drawn with replacement, once for all statistics of one page: BCa limits of anything that takes weights of patients."""

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np

from workbench.analysis._auroc import CHUNK, bca, leave_one_out, times_drawn
from workbench.randomness import rng

KEPT = 4_000_000  # weights of one set of draws that is kept for the next statistic: 16 MB

Statistic = Callable[[np.ndarray], np.ndarray]  # weights (patients, r) -> values (r,), NaN where it is not defined


@lru_cache(maxsize=4)
def kept(count: int, resamples: int, seed: int) -> np.ndarray:
    """How often each patient is drawn, (count, resamples)."""
    return times_drawn(rng(seed, "bootstrap", 0, count), count, resamples)


def drawn(count: int, resamples: int, seed: int, chunk: int) -> Iterator[np.ndarray]:
    """Weights (count, at most chunk) without end: the kept draws first, where they are few enough to keep."""
    if count * resamples <= KEPT:
        whole = kept(count, resamples, seed)
        for start in range(0, resamples, chunk):
            yield whole[:, start : start + chunk]
    draw = rng(seed, "bootstrap, further", 0, count)
    while True:
        yield times_drawn(draw, count, min(chunk, resamples))


def limits(statistic: Statistic, value: float, count: int, rows: int, resamples: int, seed: int, level: float) -> tuple[float, float, int]:
    """Low, high, and in how many draws the statistic was not defined: those are drawn again."""
    chunk, found, redraws = max(1, CHUNK // max(rows, 1)), np.empty(0), 0
    for weights in drawn(count, resamples, seed, chunk):
        values = statistic(weights)
        good = values[np.isfinite(values)]
        found, redraws = np.append(found, good), redraws + len(values) - len(good)
        if len(found) >= resamples:
            break
    low, high = bca(value, found[:resamples], leave_one_out(statistic, count, chunk), level)
    return low, high, redraws
