"""How well do scores order the labels, with the patient as the unit?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit, ndtr, ndtri, owens_t, stdtrit
from scipy.stats import rankdata

from workbench.analysis._coverage import shown
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
    own = np.bincount(member, np.where(positive, influence, 0), patients) / m
    other = np.bincount(member, np.where(positive, 0, influence), patients) / n
    i, j = counted(positive, member)
    both = patients / (patients - 1) * np.sum(own * other)
    return float(i / (i - 1) * np.sum(own**2) + j / (j - 1) * np.sum(other**2) + 2 * both)


def members(patients: Sequence[object] | np.ndarray) -> tuple[np.ndarray, int]:
    found, member = np.unique(np.asarray(patients).astype(str), return_inverse=True)
    return member, len(found)


def counted(positive: np.ndarray, member: np.ndarray) -> tuple[int, int]:
    """Patients with a positive row and patients with a negative one."""
    return len(np.unique(member[positive])), len(np.unique(member[~positive]))


def stated(
    scores: np.ndarray, labels: np.ndarray, patients: Sequence[object] | np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Rows with a label: scores, positive, patient number, patients."""
    labels = np.asarray(labels, float)
    kept = np.isfinite(labels)
    member, count = members(np.asarray(patients).astype(str)[kept])
    return np.asarray(scores, float)[kept], labels[kept] > 0.5, member, count


def too_few(i: int, j: int) -> str:
    return f"{i} positive and {j} negative patients; an interval needs {FEW} of each" if min(i, j) < FEW else ""


def auroc_interval(scores: np.ndarray, labels: np.ndarray, patients: Sequence[object] | np.ndarray, level: float = 0.95) -> Interval:
    """AUROC of scores (n,) for labels (n,; NaN left out) with an interval whose unit is the patient.

    From 50 positive and 50 negative patients on logit-DeLong, clustered by patient. From 10 on a test is inverted instead, and the
    coverage measured for so few patients stands in `why`; where that is below .90, and under 10 patients, no interval is given.
    """
    scores, positive, member, count = stated(scores, labels, patients)
    value, (i, j) = auroc(scores, positive), counted(positive, member)
    if too_few(i, j):
        return withheld(value, too_few(i, j), "counts only")
    place = placements(scores, positive) - value
    variance = clustered_variance(place, positive, member, count)
    quantile = float(stdtrit(min(i, j) - 1, (1 + level) / 2))
    if min(i, j) >= ENOUGH and 0 < value < 1 and variance > 0:
        reach = quantile * np.sqrt(variance) / (value * (1 - value))
        low, high = expit(logit(value) - reach), expit(logit(value) + reach)
        return Interval(value, float(low), float(high), f"logit DeLong clustered by patient, {100 * level:.0f} %")
    m, n = int(positive.sum()), int((~positive).sum())
    alone = clustered_variance(place, positive, np.arange(len(place)), len(place))
    clustering = max(1.0, variance / alone) if alone > 0 else 1.0
    low, high = inverted(value, m, n, max(clustering, variance / binormal_variance(value, m, n)) if 0 < value < 1 else clustering, quantile)
    why, kept = shown("auroc", i, j, len(scores) > count) if min(i, j) < ENOUGH else ("", True)
    procedure = f"inverted test clustered by patient, {100 * level:.0f} %"
    return Interval(value, low, high, procedure, why) if kept else withheld(value, why, "counts only")


def binormal_variance(value: float, m: int, n: int) -> float:
    """Variance of the AUROC of m positives and n negatives, both normal with one variance."""
    h = ndtri(value)
    both = ndtr(h) - 2 * owens_t(h, 3**-0.5)  # two of one class on the right side of one of the other: correlation 1/2
    return float((value * (1 - value) + (m + n - 2) * (both - value**2)) / (m * n))


def inverted(value: float, m: int, n: int, inflation: float, quantile: float) -> tuple[float, float]:
    """AUROCs that a test with the variance they themselves would have does not reject."""

    def excess(at: float) -> float:
        return (value - at) ** 2 - quantile**2 * inflation * binormal_variance(at, m, n)

    edge = 1e-9
    low = brentq(excess, edge, value - edge) if value > 2 * edge and excess(edge) > 0 else 0.0
    high = brentq(excess, value + edge, 1 - edge) if value < 1 - 2 * edge and excess(1 - edge) > 0 else 1.0
    return float(low), float(high)


def paired_auroc(
    scores_a: np.ndarray, scores_b: np.ndarray, labels: np.ndarray, patients: Sequence[object] | np.ndarray, level: float = 0.95
) -> Interval:
    """AUROC of b minus that of a on the same rows (n,), with a DeLong interval of the difference clustered by patient."""
    a, positive, member, count = stated(scores_a, labels, patients)
    b, *_ = stated(scores_b, labels, patients)
    value, (i, j) = auroc(b, positive) - auroc(a, positive), counted(positive, member)
    if too_few(i, j):
        return withheld(value, too_few(i, j), "counts only")
    difference = placements(b, positive) - placements(a, positive) - value
    error = np.sqrt(clustered_variance(difference, positive, member, count))
    reach = stdtrit(min(i, j) - 1, (1 + level) / 2) * error
    why, kept = shown("paired", i, j, len(a) > count) if min(i, j) < ENOUGH else ("", True)
    procedure = f"DeLong of the difference clustered by patient, t, {100 * level:.0f} %"
    return Interval(value, float(value - reach), float(value + reach), procedure, why) if kept else withheld(value, why, "counts only")


class Weighted:
    """AUROC of one label under any weights of the patients: sorted once."""

    def __init__(self, scores: np.ndarray, labels: np.ndarray, member: np.ndarray) -> None:
        kept = np.isfinite(labels)
        positive, negative = kept & (labels > 0.5), kept & ~(labels > 0.5)
        order = np.argsort(scores[negative], kind="stable")
        self.positive, self.negative = member[positive], member[negative][order]
        below = scores[negative][order]
        self.first, self.last = (np.searchsorted(below, scores[positive], side) for side in ("left", "right"))

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        """AUROC (r,) under weights (patients, r); NaN where a class has no weight."""
        below = np.zeros((len(self.negative) + 1, weights.shape[1]), weights.dtype)
        np.cumsum(weights[self.negative], 0, out=below[1:])
        positive = weights[self.positive]
        right = np.einsum("mr,mr->r", positive, below[self.first] + below[self.last]) / 2
        with np.errstate(invalid="ignore", divide="ignore"):
            return right / (positive.sum(0) * below[-1].astype(float))


def macro_auroc_interval(
    scores: np.ndarray,
    labels: np.ndarray,
    patients: Sequence[object] | np.ndarray,
    resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> MacroInterval:
    """Mean AUROC over the labels (n, k; NaN not stated) with at least 10 positive and negative patients; BCa over patients drawn jointly."""
    scores, labels = np.asarray(scores, float), np.asarray(labels, float)
    member, count = members(patients)
    finite = np.isfinite(labels)
    each = [auroc(scores[finite[:, k], k], labels[finite[:, k], k]) for k in range(labels.shape[1])]
    rarer = [min(counted(labels[finite[:, k], k] > 0.5, member[finite[:, k]])) for k in range(labels.shape[1])]
    per_label = tuple(None if np.isnan(value) else value for value in each)
    included = tuple(k for k in range(labels.shape[1]) if rarer[k] >= FEW)
    procedure = f"BCa, {count} patients drawn jointly, {resamples} resamples, {100 * level:.0f} %"
    if not included:
        return MacroInterval(float("nan"), None, None, "counts only", f"no label has {FEW} positive and {FEW} negative patients", per_label)
    value = float(np.mean([each[k] for k in included]))
    if not resamples:
        return MacroInterval(value, None, None, "value only", "not computed at this look", per_label, included)
    fewest = min(rarer[k] for k in included)
    why, kept = shown("macro", fewest, fewest, len(scores) > count) if fewest < ENOUGH else ("", True)
    if not kept:
        return MacroInterval(value, None, None, "counts only", why, per_label, included)
    parts = [Weighted(scores[:, k], labels[:, k], member) for k in included]
    chunk = max(1, CHUNK // len(labels))

    def macro(weights: np.ndarray) -> np.ndarray:
        return np.mean([part(weights) for part in parts], 0)

    draw, found, redraws = rng(seed, "bootstrap", 0, count), np.empty(0), 0
    while len(found) < resamples:
        wanted = min(chunk, resamples - len(found))
        values = macro(times_drawn(draw, count, wanted))
        good = np.isfinite(values)
        redraws += int((~good).sum())
        found = np.append(found, values[good])
    low, high = bca(value, found, leave_one_out(macro, count, chunk), level)
    return MacroInterval(value, low, high, procedure, why, per_label, included, redraws)


def times_drawn(draw: np.random.Generator, count: int, resamples: int) -> np.ndarray:
    """How often each patient is drawn (count, r), with replacement, `count` a resample; float32 holds such numbers exactly."""
    drawn = draw.integers(count, size=(count, resamples)) * resamples + np.arange(resamples)
    return np.bincount(drawn.ravel(), minlength=count * resamples).reshape(count, resamples).astype(np.float32)


def leave_one_out(macro: Callable[[np.ndarray], np.ndarray], count: int, chunk: int) -> np.ndarray:
    """The statistic without each patient, or without each of 200 sets of patients where there are more."""
    sets = np.arange(count) % min(count, 200)
    drop = np.arange(sets.max() + 1)
    return np.concatenate(
        [macro((sets[:, None] != drop[start : start + chunk]).astype(np.float32)) for start in range(0, len(drop), chunk)]
    )


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
