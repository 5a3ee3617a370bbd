"""How good are lists and decisions made from scores? Average precision, thresholds, accuracy, sensitivity, specificity.

The patient is the unit throughout; thresholds are chosen on one set of patients and judged on another.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from scipy.special import stdtrit

from workbench.analysis._auroc import counted, members, stated, too_few
from workbench.analysis._bootstrap import limits
from workbench.analysis._coverage import shown
from workbench.analysis._interval import Interval, withheld
from workbench.analysis.baselines import patient_folds

FEW, ENOUGH = 10, 50  # patients of the rarer class, as for the AUROC
RESAMPLES = 1000


def average_precision(scores: np.ndarray, labels: np.ndarray) -> float:
    """Mean precision over the positives, ties as one group: sum of (recall step) x precision; NaN without a positive."""
    positive = np.asarray(labels, float) > 0.5
    if not positive.any():
        return float("nan")
    member = np.arange(len(positive))
    return float(_Precision(np.asarray(scores, float), positive, member)(np.ones((len(positive), 1)))[0])


class _Precision:
    """Average precision of one label under any weights of the patients: sorted once, summed between the groups of ties that hold a positive."""

    def __init__(self, scores: np.ndarray, positive: np.ndarray, member: np.ndarray) -> None:
        order = np.argsort(-scores, kind="stable")
        group = np.append(0, np.cumsum(np.diff(scores[order]) != 0))  # number of each row's group of ties, best first
        own = positive[order]
        holding = np.unique(group[own])
        last = np.searchsorted(group, holding, side="right")  # rows up to the end of each such group
        self.starts = np.append(0, last[:-1])
        self.member = member[order][: last[-1]] if len(last) else member[:0]
        self.positive = member[order][own]
        self.first = np.searchsorted(group[own], holding)

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        if not len(self.starts):
            return np.full(weights.shape[1], np.nan)
        listed = np.cumsum(np.add.reduceat(weights[self.member], self.starts, axis=0), 0)
        gained = np.add.reduceat(weights[self.positive], self.first, axis=0)
        found = np.cumsum(gained, 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.sum(gained * (found / np.maximum(listed, 1)), 0) / found[-1]


class _Share:
    """Share of rows that are right under any weights of the patients."""

    def __init__(self, right: np.ndarray, member: np.ndarray, count: int) -> None:
        self.right = np.bincount(member, right, count)
        self.rows = np.bincount(member, minlength=count).astype(float)

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore", divide="ignore"):
            return (self.right @ weights) / (self.rows @ weights)


def average_precision_interval(
    scores: np.ndarray,
    labels: np.ndarray,
    patients: Sequence[object] | np.ndarray,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Average precision of scores (n,) for labels (n,; NaN left out), BCa over patients; its chance level is the prevalence."""
    scores, positive, member, count = stated(scores, labels, patients)
    value = average_precision(scores, positive)
    parts = [_Precision(scores, positive, member)]
    return _bounded("precision", value, parts, counted(positive, member), len(member), count, resamples, seed, level)


def accuracy_interval(
    right: np.ndarray,
    labels: np.ndarray | None,
    patients: Sequence[object] | np.ndarray,
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Share of decisions `right` (n,), BCa over patients: of one label (n,; NaN left out), or with None of rows that are of one class each."""
    if labels is not None:
        right, positive, member, count = stated(right, labels, patients)
        classes = counted(positive, member)
    else:
        (member, count), right = members(patients), np.asarray(right, float)
        classes = (count, count)
    value = float(np.mean(right)) if len(right) else float("nan")
    return _bounded("accuracy", value, [_Share(right, member, count)], classes, len(right), count, resamples, seed, level)


def _bounded(
    kind: str,
    value: float,
    parts: Sequence[Callable[[np.ndarray], np.ndarray]],
    classes: tuple[int, int],
    rows: int,
    count: int,
    resamples: int,
    seed: int,
    level: float,
) -> Interval:
    """The mean of some statistics with BCa limits; withheld with too few patients and where no draw differs from another."""
    if too_few(*classes):
        return withheld(value, too_few(*classes), "counts only")
    if not resamples:
        return withheld(value, "not computed at this look", "value only")
    low, high, redraws = limits(lambda weights: np.mean([part(weights) for part in parts], 0), value, count, rows, resamples, seed, level)
    if low == high:
        return withheld(value, "no draw of patients changes it", "counts only")
    why, kept = shown(kind, *classes, rows > count) if min(classes) < ENOUGH else ("", True)
    if not kept:
        return withheld(value, why, "counts only")
    again = f", {redraws} drawn again" if redraws else ""
    return Interval(value, low, high, f"BCa, {count} patients drawn, {resamples} resamples{again}, {100 * level:.0f} %", why)


def macro_interval(
    values: Sequence[float],
    scores: np.ndarray,
    labels: np.ndarray,
    patients: Sequence[object] | np.ndarray,
    kind: Literal["ap", "accuracy"],
    included: Sequence[int],
    resamples: int = RESAMPLES,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Mean over the `included` labels of average precision (`kind` "ap", of scores n k) or of shares right (`kind` "accuracy", of hits n k).

    Patients are drawn jointly for all labels.
    """
    if not included:
        return withheld(float("nan"), f"no label has {FEW} positive and {FEW} negative patients", "counts only")
    member, count = members(patients)
    parts: list[Callable[[np.ndarray], np.ndarray]] = []
    fewest = count
    for label in included:
        known = np.isfinite(labels[:, label])
        own, positive = member[known], labels[known, label] > 0.5
        fewest = min(fewest, *counted(positive, own))
        column = np.asarray(scores[known, label], float)
        parts.append(_Precision(column, positive, own) if kind == "ap" else _Share(column, own, count))
    value = float(np.mean([values[label] for label in included]))
    procedure = "macro-precision" if kind == "ap" else "macro-accuracy"
    return _bounded(procedure, value, parts, (fewest, fewest), len(labels), count, resamples, seed, level)


def share_interval(right: np.ndarray, patients: Sequence[object] | np.ndarray, level: float = 0.95) -> Interval:
    """Share of rows `right` (n,) with Wilson's interval (JASA 1927) at the effective number of rows: clustering by patient widens it."""
    return share_of(np.asarray(right, float), *members(patients), level)


def share_of(right: np.ndarray, member: np.ndarray, count: int, level: float = 0.95) -> Interval:
    """The same for rows whose patient is known by number, `member` (n,) in 0..count-1, each with a row."""
    n = len(right)
    value = float(right.mean()) if n else float("nan")
    if count < FEW:
        return withheld(value, f"{count} patients; an interval needs {FEW}", "counts only")
    spread = np.bincount(member, right, count) - value * np.bincount(member, minlength=count)
    variance = count / (count - 1) * np.sum(spread**2) / n**2
    alone = value * (1 - value) / n
    effective = n / max(1.0, variance / alone) if alone > 0 else float(count)
    z2 = float(stdtrit(count - 1, (1 + level) / 2)) ** 2
    middle = (value + z2 / (2 * effective)) / (1 + z2 / effective)
    reach = np.sqrt(z2 * (value * (1 - value) / effective + z2 / (4 * effective**2))) / (1 + z2 / effective)
    return Interval(
        value, float(max(0, middle - reach)), float(min(1, middle + reach)), f"Wilson clustered by patient, {100 * level:.0f} %"
    )


def threshold(scores: np.ndarray, labels: np.ndarray) -> float:
    """The score from which on a row is called positive: largest sensitivity + specificity (Youden, Cancer 1950); NaN without both classes."""
    scores, labels = np.asarray(scores, float), np.asarray(labels, float)
    known = np.isfinite(labels)
    scores, positive = scores[known], labels[known] > 0.5
    if not positive.any() or positive.all():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    called = np.cumsum(positive[order])[ends]
    sensitivity, alarms = called / positive.sum(), (ends + 1 - called) / (~positive).sum()
    best = int(np.argmax(sensitivity - alarms))
    last = scores[order][ends[best]]
    below = scores[order][ends[best] + 1] if ends[best] + 1 < len(scores) else last
    return float((last + below) / 2)  # halfway to the next score: neither row decides it


def thresholds(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(k,): the threshold of each label of scores and labels (n, k)."""
    return np.array([threshold(scores[:, label], labels[:, label]) for label in range(labels.shape[1])])


def crossfitted(
    fit: Callable[[np.ndarray, np.ndarray], np.ndarray], scores: np.ndarray, labels: np.ndarray, patients: Sequence[object] | np.ndarray
) -> np.ndarray:
    """For every row what `fit(scores, labels)` finds on the other patients (five folds of whole patients): (n, …)."""
    fold = patient_folds(patients)
    found = [fit(scores[fold != each], labels[fold != each]) for each in range(fold.max() + 1)]
    return np.stack(found)[fold]
