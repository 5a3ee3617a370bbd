"""What would a number be with fewer rows? Any diagnostic over nested subsamples of whole patients, with intervals where one covers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.analysis._interval import Interval, withheld
from workbench.analysis._moments import as_array
from workbench.analysis._reading import ENOUGH, Features, Reading
from workbench.analysis.collapse import effective_rank, feature_std, offset, participation_ratio
from workbench.analysis.statistics import jackknife
from workbench.randomness import rng

COVERED: tuple[Callable[..., Reading], ...] = (effective_rank, participation_ratio, feature_std, offset)  # docs/results/coverage.json
UNMEASURED = "no coverage was measured for an interval of this statistic"
ANY_SIZE: tuple[Callable[..., Reading], ...] = (feature_std, offset)


@dataclass(frozen=True)
class Curve:
    """A statistic over sizes (s,): rows and whole patients taken, its value, its isotropic ceiling (NaN where it has none) and its interval."""

    statistic: str
    rows: np.ndarray
    patients: np.ndarray
    values: np.ndarray
    ceilings: np.ndarray
    intervals: tuple[Interval, ...]
    d: int


def nested(patients: Sequence[object] | np.ndarray, sizes: Sequence[int], seed: int = 0) -> list[np.ndarray]:
    """Rows (sorted indices) of each size: whole patients in a seeded order, as many as fit, so that every subsample holds all smaller ones.

    Raises ValueError for a size that the first patient alone exceeds, or that there are not enough rows for.
    """
    names, member, count = np.unique(np.asarray(patients).astype(str), return_inverse=True, return_counts=True)
    order = rng(seed, "nested subsamples", 0, len(names)).permutation(len(names))
    filled, place = np.cumsum(count[order]), np.empty(len(names), int)
    place[order] = np.arange(len(names))
    found = []
    for size in sizes:
        taken = int(np.searchsorted(filled, size, side="right"))
        if not taken or size > len(member):
            raise ValueError(f"no subsample of {size} rows: the first patient has {filled[0]}, all together {len(member)}")
        found.append(np.flatnonzero(place[member] < taken))
    return found


def over_n(
    statistic: Callable[..., Reading],
    z: Features,
    patients: Sequence[object] | np.ndarray,
    sizes: Sequence[int],
    seed: int = 0,
    labels: np.ndarray | None = None,
) -> Curve:
    """`statistic` of features (n, d) at every size, patients (n,) whole and nested; `labels` (n,) go with the rows where it takes groups.

    A curve that still climbs at the last size says that the number measures N. Intervals are delete-group jackknives, withheld with the reason
    where fewer than 4 d rows decide a rank, patients are few, tails are heavy, or no coverage was measured for the statistic. They
    are not independent: each subsample lies in the next.
    """
    rows, people = as_array(z), np.asarray(patients).astype(str)
    if len(people) != len(rows):
        raise ValueError(f"{len(people)} patients for {len(rows)} rows; expected one a row")
    chosen, found, intervals = nested(people, sizes, seed), [], []
    for kept in chosen:
        own, spread = of_rows(statistic, rows, people, kept, labels)
        found.append(own)
        intervals.append(spread)
    return Curve(
        statistic=getattr(statistic, "__name__", "statistic"),
        rows=np.array([len(kept) for kept in chosen]),
        patients=np.array([len(set(people[kept])) for kept in chosen]),
        values=np.array([each.value for each in found]),
        ceilings=np.array([np.nan if each.ceiling is None else each.ceiling for each in found]),
        intervals=tuple(intervals),
        d=rows.shape[1],
    )


def of_rows(
    statistic: Callable[..., Reading], rows: np.ndarray, patients: np.ndarray, kept: np.ndarray, labels: np.ndarray | None = None
) -> tuple[Reading, Interval]:
    """`statistic` of the rows (n, d) at `kept` (m,), and its interval over their patients or why there is none; `labels` (n,) go with the rows."""
    own = rows[kept]
    found = statistic(own) if labels is None else statistic(own, np.asarray(labels)[kept])
    return found, interval(statistic, own, patients[kept], found.value)


def interval(statistic: Callable[..., Reading], rows: np.ndarray, patients: np.ndarray, value: float) -> Interval:
    """The jackknife where it covers, otherwise the value and why there is none."""
    n, d = rows.shape
    if statistic not in COVERED:
        return withheld(value, UNMEASURED)
    if n < ENOUGH * d and statistic not in ANY_SIZE:
        return withheld(value, f"{n} rows for {d} dimensions, fewer than {ENOUGH} each: the number of rows decides the rank")
    return jackknife(lambda part: float(statistic(part)), rows, patients)
