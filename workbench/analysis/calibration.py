"""Do predicted probabilities hold? Reliability by bins, calibration error with its floor, and the logistic map fitted on validation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from workbench.analysis._auroc import stated
from workbench.analysis.decisions import share_interval
from workbench.randomness import rng

BINS = 10
LARGEST = 50.0  # slope per standard deviation: beyond, classes are separable and the slope has no maximum


@dataclass(frozen=True)
class Curve:
    """Bins of equally many rows, ascending: mean prediction, share present with interval, rows; and the calibration error beside its floor."""

    name: str
    predicted: np.ndarray  # (bins,)
    observed: np.ndarray
    low: np.ndarray  # NaN where the interval is withheld
    high: np.ndarray
    rows: np.ndarray
    error: float  # expected calibration error: mean |observed - predicted|, bins weighted by rows
    floor: float  # the same for labels drawn from the predictions: what a perfectly calibrated model of this size reads
    n: int
    patients: int
    procedure: str


def platt(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(2,) slope and intercept of the logistic map from scores to the label (Platt, 1999: targets drawn in by one row of each class).

    NaN without both classes. Rows whose label is NaN are left out.
    """
    scores, labels = np.asarray(scores, float), np.asarray(labels, float)
    known = np.isfinite(labels)
    x, positive = scores[known], labels[known] > 0.5
    spread = float(x.std()) if len(x) else 0.0
    if not positive.any() or positive.all() or spread == 0:
        return np.full(2, np.nan)
    target = np.where(positive, (positive.sum() + 1) / (positive.sum() + 2), 1 / ((~positive).sum() + 2))
    design = np.stack([(x - x.mean()) / spread, np.ones(len(x))], 1)
    found = np.zeros(2)
    for _ in range(100):
        p = expit(design @ found)
        curvature = design.T @ (design * (p * (1 - p))[:, None]) + 1e-9 * np.eye(2)
        step = np.linalg.solve(curvature, design.T @ (target - p))
        found = np.clip(found + step / max(1.0, np.abs(step).max()), -LARGEST, LARGEST)
        if np.abs(step).max() < 1e-10:
            break
    return np.array([found[0] / spread, found[1] - found[0] * x.mean() / spread])


def platts(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(k, 2): the logistic map of each label of scores and labels (n, k)."""
    return np.stack([platt(scores[:, label], labels[:, label]) for label in range(labels.shape[1])])


def probability(scores: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Probabilities of scores (n,) under maps (2,) or one for each row (n, 2)."""
    return expit(scores * maps[..., 0] + maps[..., 1])


def bin_of(predicted: np.ndarray, bins: int = BINS) -> np.ndarray:
    """(n,): number of each row's bin; bins hold equally many rows as far as ties allow, and none is empty."""
    edges = np.unique(np.quantile(predicted, np.linspace(0, 1, bins + 1)[1:-1]))
    return np.unique(np.searchsorted(edges, predicted, side="right"), return_inverse=True)[1]


def calibration_error(predicted: np.ndarray, positive: np.ndarray, member: np.ndarray) -> float:
    """Mean over rows of |share present - mean prediction| of their bin `member` (n,)."""
    rows = np.bincount(member)
    gaps = np.abs(np.bincount(member, positive) - np.bincount(member, predicted)) / rows
    return float(np.sum(gaps * rows) / len(predicted))


def curve(
    name: str, predicted: np.ndarray, labels: np.ndarray, patients: Sequence[object] | np.ndarray, bins: int = BINS, seed: int = 0
) -> Curve | None:
    """Reliability of predictions (n,) for labels (n,; NaN left out); None where nothing is predicted or stated."""
    finite = np.isfinite(predicted)
    predicted, positive, _, count = stated(predicted[finite], np.asarray(labels, float)[finite], np.asarray(patients)[finite])
    known = np.asarray(patients).astype(str)[finite][np.isfinite(np.asarray(labels, float)[finite])]
    if not len(predicted):
        return None
    member = bin_of(predicted, bins)
    rows = np.bincount(member)
    each = [share_interval(positive[member == place], known[member == place]) for place in range(len(rows))]
    draws = rng(seed, "calibration floor", 0, name).random((200, len(predicted))) < predicted
    floor = float(np.mean([calibration_error(predicted, drawn, member) for drawn in draws]))
    return Curve(
        name,
        np.bincount(member, predicted) / rows,
        np.array([one.value for one in each]),
        np.array([np.nan if one.low is None else one.low for one in each]),
        np.array([np.nan if one.high is None else one.high for one in each]),
        rows,
        calibration_error(predicted, positive, member),
        floor,
        len(predicted),
        count,
        next((one.procedure for one in each if one.low is not None), "counts only"),
    )
