"""How well do scores order the labels, with the patient as the unit?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, ndtr, ndtri
from scipy.stats import rankdata

from workbench.analysis._interval import Interval, withheld
from workbench.randomness import rng

FEW, ENOUGH = 10, 50  # patients of the rarer class: below FEW counts only, below ENOUGH "few positives"
CHUNK = 4_000_000  # resampled weights held at once


@dataclass(frozen=True)
class MacroInterval(Interval):
    """Mean AUROC over the `included` labels; `per_label` is None where a label has no two classes."""

    per_label: tuple[float | None, ...] = ()
    included: tuple[int, ...] = ()
    redraws: int = 0


def auroc(scores: np.ndarray, labels: np.ndarray) -> float:
    """Probability that a positive outranks a negative, ties count half; NaN where a class is missing."""
    positive = np.asarray(labels) > 0.5
    m, n = int(positive.sum()), int((~positive).sum())
    if not m or not n:
        return float("nan")
    return float((rankdata(scores)[positive].sum() - m * (m + 1) / 2) / (m * n))


def placements(scores: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Per row (n,), the share of the other class it is ordered rightly against; ties count half. Its class means are the AUROC."""
    ranks, result = rankdata(scores), np.empty(len(scores))
    for own, sign in ((positive, 1), (~positive, -1)):
        below = ranks[own] - rankdata(scores[own])  # rows of the other class below, ties half
        result[own] = below / (len(scores) - own.sum()) if sign > 0 else 1 - below / (len(scores) - own.sum())
    return result


def clustered_variance(influence: np.ndarray, positive: np.ndarray, member: np.ndarray, patients: int) -> float:
    """Obuchowski's variance (Biometrics 1997) of a mean over positives that is also one over negatives, rows grouped by patient."""
    m, n = positive.sum(), (~positive).sum()
    own = np.bincount(member, np.where(positive, influence, 0), patients)
    other = np.bincount(member, np.where(positive, 0, influence), patients)
    i, j = len(np.unique(member[positive])), len(np.unique(member[~positive]))
    return float(
        i / (i - 1) * np.sum(own**2) / m**2 + j / (j - 1) * np.sum(other**2) / n**2 + 2 * i / (i - 1) * np.sum(own * other) / (m * n)
    )


def members(patients: Sequence[object] | np.ndarray) -> tuple[np.ndarray, int]:
    found, member = np.unique(np.asarray(patients).astype(str), return_inverse=True)
    return member, len(found)


def counted(positive: np.ndarray, member: np.ndarray) -> tuple[int, int]:
    """Patients with a positive row and patients with a negative one."""
    return len(np.unique(member[positive])), len(np.unique(member[~positive]))


def stated(scores: np.ndarray, labels: np.ndarray, patients: Sequence[object]) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Rows with a label: scores, positive, patient number, patients."""
    labels = np.asarray(labels, float)
    kept = np.isfinite(labels)
    member, count = members(np.asarray(patients).astype(str)[kept])
    return np.asarray(scores, float)[kept], labels[kept] > 0.5, member, count


def auroc_interval(scores: np.ndarray, labels: np.ndarray, patients: Sequence[object], level: float = 0.95) -> Interval:
    """AUROC (n,) with a logit-DeLong interval clustered by patient."""
    scores, positive, member, count = stated(scores, labels, patients)
    value = auroc(scores, positive)
    i, j = counted(positive, member)
    procedure = f"logit DeLong clustered by patient, {100 * level:.0f} %"
    if min(i, j) < FEW:
        return withheld(value, f"{i} positive and {j} negative patients; an interval needs {FEW} of each", "counts only")
    place = placements(scores, positive)
    error = np.sqrt(clustered_variance(place - value, positive, member, count))
    if not 0 < value < 1 or error == 0:
        return withheld(value, "the classes are separated completely", procedure)
    reach = ndtri((1 + level) / 2) * error / (value * (1 - value))
    low, high = expit(logit(value) - reach), expit(logit(value) + reach)
    return Interval(value, float(low), float(high), procedure, "few positives" if min(i, j) < ENOUGH else "")


def paired_auroc(
    scores_a: np.ndarray, scores_b: np.ndarray, labels: np.ndarray, patients: Sequence[object], level: float = 0.95
) -> Interval:
    """AUROC of b minus that of a on the same rows (n,), with a DeLong interval of the difference clustered by patient."""
    a, positive, member, count = stated(scores_a, labels, patients)
    b, *_ = stated(scores_b, labels, patients)
    value = auroc(b, positive) - auroc(a, positive)
    i, j = counted(positive, member)
    if min(i, j) < FEW:
        return withheld(value, f"{i} positive and {j} negative patients; an interval needs {FEW} of each", "counts only")
    difference = placements(b, positive) - placements(a, positive) - value
    reach = ndtri((1 + level) / 2) * np.sqrt(clustered_variance(difference, positive, member, count))
    procedure = f"DeLong of the difference clustered by patient, {100 * level:.0f} %"
    return Interval(value, float(value - reach), float(value + reach), procedure, "few positives" if min(i, j) < ENOUGH else "")


class Weighted:
    """AUROC of one label under any row weights: sorted once."""

    def __init__(self, scores: np.ndarray, labels: np.ndarray) -> None:
        kept = np.flatnonzero(np.isfinite(labels))
        self.rows = kept[np.argsort(scores[kept], kind="stable")]
        self.positive = labels[self.rows] > 0.5
        _, first, count = np.unique(scores[self.rows], return_index=True, return_counts=True)
        self.first = first if len(first) < len(self.rows) else None  # None: no ties
        self.tie = np.repeat(np.arange(len(first)), count)

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        """AUROC (r,) under weights (r, n) of all rows; NaN where a class has no weight."""
        w = weights[:, self.rows]
        negative = np.where(self.positive, 0, w)
        positive = np.where(self.positive, w, 0)
        if self.first is not None:
            negative, positive = np.add.reduceat(negative, self.first, 1), np.add.reduceat(positive, self.first, 1)
        below = np.cumsum(negative, 1)
        total = below[:, -1] * positive.sum(1)
        below -= negative / 2
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.einsum("rn,rn->r", positive, below) / total


def macro_auroc_interval(
    scores: np.ndarray, labels: np.ndarray, patients: Sequence[object], resamples: int = 2000, seed: int = 0, level: float = 0.95
) -> MacroInterval:
    """Mean AUROC over the labels (n, k; NaN not stated) with at least 10 positive and negative patients; BCa over patients drawn jointly."""
    scores, labels = np.asarray(scores, float), np.asarray(labels, float)
    member, count = members(patients)
    each = [
        auroc(scores[kept, k], labels[kept, k]) if (kept := np.isfinite(labels[:, k])).any() else float("nan")
        for k in range(labels.shape[1])
    ]
    per_label = tuple(None if np.isnan(value) else value for value in each)
    included = tuple(
        k for k in range(labels.shape[1]) if min(counted(labels[(kept := np.isfinite(labels[:, k])), k] > 0.5, member[kept])) >= FEW
    )
    procedure = f"BCa, {count} patients drawn jointly, {resamples} resamples, {100 * level:.0f} %"
    if not included:
        return MacroInterval(float("nan"), None, None, "counts only", f"no label has {FEW} positive and {FEW} negative patients", per_label)
    value = float(np.mean([each[k] for k in included]))
    if not resamples:
        return MacroInterval(value, None, None, "value only", "not computed at this look", per_label, included)
    parts = [Weighted(scores[:, k], labels[:, k]) for k in included]

    def macro(weights: np.ndarray) -> np.ndarray:
        return np.mean([part(weights[:, member]) for part in parts], 0)

    draw, found, redraws = rng(seed, "bootstrap", 0, count), np.empty(0), 0
    size = max(1, CHUNK // (len(labels)))
    while len(found) < resamples:
        wanted = min(size, resamples - len(found))
        drawn = draw.multinomial(count, np.full(count, 1 / count), wanted).astype(float)
        values = macro(drawn)
        good = np.isfinite(values)
        redraws += int((~good).sum())
        found = np.append(found, values[good])
    low, high = bca(value, found, leave_one_out(macro, count, size), level)
    return MacroInterval(value, low, high, procedure, "", per_label, included, redraws)


def leave_one_out(macro, count: int, size: int) -> np.ndarray:
    """The statistic without each patient, or without each of 200 sets of patients where there are more."""
    sets = np.arange(count) % min(count, 200)
    drop = np.arange(sets.max() + 1)
    return np.concatenate([macro((sets != drop[start : start + size, None]).astype(float)) for start in range(0, len(drop), size)])


def bca(value: float, resampled: np.ndarray, left_out: np.ndarray, level: float) -> tuple[float, float]:
    """Bias-corrected accelerated limits (Efron, JASA 1987)."""
    bias = ndtri(np.clip(np.mean(resampled < value) + np.mean(resampled == value) / 2, 1e-6, 1 - 1e-6))
    left_out = left_out[np.isfinite(left_out)]
    deviation = left_out.mean() - left_out
    spread = np.sum(deviation**2)
    acceleration = np.sum(deviation**3) / (6 * spread**1.5) if spread > 0 else 0.0
    z = ndtri(np.array([(1 - level) / 2, (1 + level) / 2]))
    shares = ndtr(bias + (bias + z) / (1 - acceleration * (bias + z)))
    low, high = np.quantile(resampled, shares)
    return float(low), float(high)
