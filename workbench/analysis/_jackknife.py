"""How far would a spectral statistic move under another draw of patients? Delete-group jackknife."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import stdtrit

from workbench.analysis._interval import Interval, withheld
from workbench.randomness import rng

GROUPS = 20
HEAVY = 12.0  # kurtosis of row norms; above, the interval of a spectral statistic is withheld


def group_rows(groups: Sequence[object] | np.ndarray, n_groups: int = GROUPS) -> np.ndarray | None:
    """Part (n,) in 0..n_groups-1 of each row: whole patients, equal shares of rows; None where there are fewer patients than parts."""
    _, member, count = np.unique(np.asarray(groups).astype(str), return_inverse=True, return_counts=True)
    if len(count) < n_groups:
        return None
    shuffled = rng(0, "jackknife groups", 0, len(count)).permutation(len(count))
    order = shuffled[np.argsort(-count[shuffled], kind="stable")]  # the largest first, dealt there and back: equal shares
    place = np.arange(len(count)) % (2 * n_groups)
    part = np.empty(len(count), np.int64)
    part[order] = np.where(place < n_groups, place, 2 * n_groups - 1 - place)
    return part[member]


def row_kurtosis(rows: np.ndarray) -> float:
    """Kurtosis (3 for a Gaussian) of the norms of the centred rows (n, d): a heavy tail makes the jackknife too short."""
    norms = np.linalg.norm(rows - rows.mean(0), axis=1)
    deviation = norms - norms.mean()
    variance = np.mean(deviation**2)
    return float(np.mean(deviation**4) / variance**2) if variance > 0 else 3.0


def from_leave_outs(value: float, left_out: np.ndarray, level: float, procedure: str) -> Interval:
    """Interval around `value` from the statistic without each of the g groups (g,)."""
    g = len(left_out)
    error = np.sqrt((g - 1) / g * np.sum((left_out - left_out.mean()) ** 2))
    reach = stdtrit(g - 1, (1 + level) / 2) * error
    return Interval(float(value), float(value - reach), float(value + reach), procedure)


def name(n_groups: int, level: float) -> str:
    return f"delete-group jackknife, {n_groups} groups of patients, t, {100 * level:.0f} %"


def reason(rows: np.ndarray, part: np.ndarray | None, n_groups: int, patients: int) -> str:
    """Why no interval can be given; empty where one can."""
    if part is None:
        return f"{patients} patients, fewer than the {n_groups} groups of the jackknife"
    kurtosis = row_kurtosis(rows)
    return f"heavy tails: kurtosis of row norms {kurtosis:.3g}, above {HEAVY:g}" if kurtosis > HEAVY else ""


def jackknife(
    statistic: Callable[[np.ndarray], float], rows: np.ndarray, groups: Sequence[object], n_groups: int = GROUPS, level: float = 0.95
) -> Interval:
    """Interval of the expected value of `statistic` at this many rows (n, d) under this sampling of `groups` (patients)."""
    rows = np.asarray(rows, np.float64)
    part, value = group_rows(groups, n_groups), float(statistic(rows))
    why = reason(rows, part, n_groups, len(set(map(str, groups))))
    if why or part is None:
        return withheld(value, why, name(n_groups, level))
    left_out = np.array([float(statistic(rows[part != each])) for each in range(n_groups)])
    return from_leave_outs(value, left_out, level, name(n_groups, level))


def paired_jackknife(
    statistic: Callable[[np.ndarray], float],
    rows_a: np.ndarray,
    rows_b: np.ndarray,
    groups: Sequence[object],
    n_groups: int = GROUPS,
    level: float = 0.95,
) -> Interval:
    """Interval of statistic(b) - statistic(a) of two checkpoints or runs whose rows (n, d) have the same keys in the same order."""
    if len(rows_a) != len(rows_b):
        raise ValueError(f"{len(rows_a)} and {len(rows_b)} rows: a difference needs the same keys in the same order")
    a, b = np.asarray(rows_a, np.float64), np.asarray(rows_b, np.float64)
    part, value = group_rows(groups, n_groups), float(statistic(b)) - float(statistic(a))
    patients = len(set(map(str, groups)))
    why = reason(a, part, n_groups, patients) or reason(b, part, n_groups, patients)
    procedure = "difference, " + name(n_groups, level)
    if why or part is None:
        return withheld(value, why, procedure)
    left_out = np.array([float(statistic(b[part != each])) - float(statistic(a[part != each])) for each in range(n_groups)])
    return from_leave_outs(value, left_out, level, procedure)
