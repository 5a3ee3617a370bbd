"""What can be read without a network? Pixels, metadata, the source of the film; and the ridge that reads them and any features."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from workbench.dataset import Dataset, Image

SIDE = 32
PENALTIES = np.logspace(-3, 5, 17)  # of standardised columns, times the number of training rows / 1000
FOLDS = 5
DECODED: dict[tuple[str, int], np.ndarray] = {}  # (data hash, index) -> (SIDE * SIDE,) float32
DECODED_MOST = 50_000  # 200 MB


@lru_cache(maxsize=256)
def area_weights(size: int, cells: int) -> np.ndarray:
    """(cells, size): each row averages its share of `size` pixels, edges by the part that is covered."""
    edges = np.linspace(0, size, cells + 1)
    pixel = np.arange(size)
    covered = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    covered = np.maximum(covered, 0)
    return covered / covered.sum(1, keepdims=True)


def thumbnail(image: Image) -> np.ndarray:
    """Grey image (SIDE, SIDE) by area averages, whole numbers as shares of their type's largest; volumes and clips are averaged."""
    array = image.array.astype(np.float64)
    if image.axes in ("hwc", "thwc"):
        array = array.mean(-1)
    if image.axes in ("zhw", "thwc"):
        array = array.mean(0)
    if image.array.dtype in (np.uint8, np.uint16):
        array = array / np.iinfo(image.array.dtype).max
    return area_weights(array.shape[0], SIDE) @ array @ area_weights(array.shape[1], SIDE).T


def pixel_features(dataset: Dataset, indices: Sequence[int] | np.ndarray) -> np.ndarray:
    """(n, 1024) float32: 32 x 32 grey, mean over a study's images."""
    found = np.empty((len(indices), SIDE * SIDE), np.float32)
    for row, index in enumerate(indices):
        key = (dataset.data_hash, int(index))
        if key not in DECODED:
            if len(DECODED) >= DECODED_MOST:
                DECODED.clear()
            images = dataset[int(index)]["images"]
            DECODED[key] = np.mean([thumbnail(image) for image in images], 0).ravel().astype(np.float32)
        found[row] = DECODED[key]
    return found


def columns_of(values: np.ndarray) -> np.ndarray:
    """One covariate of all studies as numbers (n, c): a column per word, or the number (its mean where missing) and whether it is missing."""
    values = np.asarray(values)
    if values.dtype.kind in "fiub":
        number = values.astype(np.float64)
        missing = ~np.isfinite(number)
        known = number[~missing]
        columns = [np.where(missing, known.mean() if len(known) else 0.0, number)]
        return np.stack([*columns, missing] if missing.any() else columns, 1).astype(np.float64)
    words = np.array(["" if value is None or value != value else str(value) for value in values.tolist()])
    return (words[:, None] == np.unique(words)).astype(np.float64)


def covariate_features(dataset: Dataset, indices: Any, names: Sequence[str]) -> np.ndarray:
    present = [columns_of(dataset.covariates[name]) for name in names if name in dataset.covariates]
    varying = [column[:, column.std(0) > 0] for column in present]
    return np.concatenate([np.zeros((len(indices), 0)), *(column[np.asarray(indices, int)] for column in varying)], 1)


def metadata_features(dataset: Dataset, indices: Sequence[int] | np.ndarray) -> np.ndarray:
    """(n, m) of view, age and sex, where the data set knows them; m = 0 where it knows none."""
    return covariate_features(dataset, indices, ("view", "age", "sex"))


def source_features(dataset: Dataset, indices: Sequence[int] | np.ndarray) -> np.ndarray:
    """(n, m): a column per source the films came from; m = 0 where that is unknown or the same for all."""
    return covariate_features(dataset, indices, ("source",))


def patient_folds(groups: Sequence[object] | np.ndarray, folds: int = FOLDS) -> np.ndarray:
    """Fold (m,) of each row; whole patients, dealt by size, then by name."""
    _, member, count = np.unique(np.asarray(groups).astype(str), return_inverse=True, return_counts=True)
    fold = np.empty(len(count), np.int64)
    fold[np.argsort(-count, kind="stable")] = np.arange(len(count)) % folds
    return fold[member]


class Sums:
    """Sums of rows x (m, p) and targets y (m, k), from which any subset's ridge follows."""

    def __init__(self, x: np.ndarray, y: np.ndarray) -> None:
        self.n, self.x, self.y, self.xx, self.xy = len(x), x.sum(0), y.sum(0), x.T @ x, x.T @ y

    def minus(self, other: "Sums") -> "Sums":
        left = object.__new__(Sums)
        left.n, left.x, left.y, left.xx, left.xy = (
            self.n - other.n,
            self.x - other.x,
            self.y - other.y,
            self.xx - other.xx,
            self.xy - other.xy,
        )
        return left

    def solve(self, penalties: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights (a, p, k) and intercepts (a, k) for each penalty: columns standardised on these rows, one eigendecomposition."""
        mean, target = self.x / self.n, self.y / self.n
        scatter = self.xx - self.n * np.outer(mean, mean)
        variance = np.maximum(np.diag(scatter) / self.n, 0)
        known = variance > 1e-12 * np.maximum(np.diag(self.xx) / self.n, 1e-30)
        scale = np.where(known, 1 / np.sqrt(np.where(known, variance, 1)), 0)
        values, vectors = np.linalg.eigh(scatter * np.outer(scale, scale))
        side = vectors.T @ (scale[:, None] * (self.xy - self.n * np.outer(mean, target)))
        shrunk = side / (np.maximum(values, 0)[None, :, None] + (penalties * self.n / 1000)[:, None, None])
        weights = scale[:, None] * (vectors @ shrunk)
        return weights, target - mean @ weights


def ridge_probe(fit: np.ndarray, labels: np.ndarray, z: np.ndarray, groups: Sequence[object] | np.ndarray) -> np.ndarray:
    """Scores (n, k) for rows z (n, p) of ridges fitted on `fit` (m, p) and labels (m, k; NaN left out).

    Columns are standardised on the training rows; each label has the penalty of least squared error in 5-fold
    cross-validation over whole patients (`groups`) inside them. A label with one value only scores that value.
    """
    fit, z, labels = np.asarray(fit, np.float64), np.asarray(z, np.float64), np.asarray(labels, np.float64)
    centre = fit.mean(0)
    fit, z = fit - centre, z - centre
    scores = np.zeros((len(z), labels.shape[1]))
    stated = np.isfinite(labels)
    for pattern in np.unique(stated.T, axis=0):  # labels stated on the same rows share every decomposition
        own = np.flatnonzero((pattern == stated.T).all(1))
        if pattern.any():
            scores[:, own] = ridge(fit[pattern], labels[np.ix_(pattern, own)], z, np.asarray(groups).astype(str)[pattern])
    return scores


def solve_few(x: np.ndarray, y: np.ndarray, penalties: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What Sums.solve gives for rows x (m, p) and targets y (m, k), through the m x m products: for fewer rows than columns."""
    mean, target = x.mean(0), y.mean(0)
    variance = x.var(0)
    known = variance > 1e-12 * np.maximum((x**2).mean(0), 1e-30)
    scale = np.where(known, 1 / np.sqrt(np.where(known, variance, 1)), 0)
    standard = (x - mean) * scale
    values, vectors = np.linalg.eigh(standard @ standard.T)
    side = vectors.T @ (y - target)
    shrunk = side / (np.maximum(values, 0)[None, :, None] + (penalties * len(x) / 1000)[:, None, None])
    weights = scale[:, None] * (standard.T @ (vectors @ shrunk))
    return weights, target - mean @ weights


def ridge(fit: np.ndarray, labels: np.ndarray, z: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Scores (n, k) of labels (m, k) without gaps."""
    fold, few = patient_folds(groups), len(fit) < fit.shape[1]
    whole = None if few else Sums(fit, labels)

    def solved(held: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Ridges of all penalties on the rows that are not held out."""
        if whole is None:
            return solve_few(fit[~held], labels[~held], PENALTIES)
        return (whole.minus(Sums(fit[held], labels[held])) if held.any() else whole).solve(PENALTIES)

    error = np.zeros((len(PENALTIES), labels.shape[1]))
    for each in np.unique(fold) if len(np.unique(fold)) > 1 else ():
        held = fold == each
        weights, intercept = solved(held)
        error += np.sum((fit[held] @ weights + intercept[:, None] - labels[held]) ** 2, 1)
    weights, intercept = solved(np.zeros(len(fit), bool))
    best, label = error.argmin(0), np.arange(labels.shape[1])
    return z @ weights[best, :, label].T + intercept[best, label]
