"""A number read from features, with N, d and what an isotropic cloud of the same (N, d) gives; the formulas of a spectrum."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from workbench.analysis._moments import as_array, eigenvalues, floor_of, isotropic_eigenvalues
from workbench.embeddings import Embeddings

Features = np.ndarray | Embeddings
Formula = Callable[[np.ndarray], float]
ENOUGH = 4  # rows a dimension; below, ranks measure N, and the coverage of their intervals falls to .86


def exp_entropy(values: np.ndarray) -> float:
    """exp of the entropy of non-negative values (d,) normalised to sum 1; 0 where all are 0."""
    total = values.sum()
    if total <= 0:
        return 0.0
    share = values[values > 0] / total
    return float(np.exp(-np.sum(share * np.log(share))))


def ratio(above: float, below: float) -> float:
    return float(above / below) if below > 0 else 0.0


def root_entropy(values: np.ndarray) -> float:
    """exp of the entropy of the singular values, from eigenvalues (d,)."""
    return exp_entropy(np.sqrt(values))


def participation(values: np.ndarray) -> float:
    """(sum)^2 / sum of squares of eigenvalues (d,)."""
    return ratio(values.sum() ** 2, np.sum(values**2))


def spread(values: np.ndarray) -> float:
    """Sum over the largest of eigenvalues (d,)."""
    return ratio(values.sum(), values.max())


def evenness(values: np.ndarray) -> float:
    """Participation ratio of eigenvalues (d,) on a scale from 0, one direction, to 1, all of them."""
    return (participation(values) - 1) / (len(values) - 1) if len(values) > 1 else float("nan")


def area(values: np.ndarray) -> float:
    """Mean over k = 1..d of the share of the k largest of descending eigenvalues (d,); 0 where all are 0."""
    return ratio(float(np.cumsum(values).mean()), values.sum())


def decay(values: np.ndarray) -> float:
    """Exponent a of value ~ place^-a by least squares on logarithms, of descending eigenvalues (d,) above 1e-10 of the largest."""
    kept = values[values > 1e-10 * values[0]]
    if len(kept) < 2:
        return float("nan")
    place = np.log(np.arange(1, len(kept) + 1))
    return float(-np.polyfit(place, np.log(kept), 1)[0])


# statistic -> formula of the eigenvalues (d,), and whether of the centred scatter
FORMULAS: dict[str, tuple[Formula, bool]] = {
    "effective_rank": (root_entropy, True),
    "uncentred_rank": (root_entropy, False),
    "participation_ratio": (participation, True),
    "nesum": (spread, True),
    "stable_rank": (spread, False),
    "spectral_rank": (exp_entropy, True),
    "isoscore": (evenness, True),
    "explained_area": (area, True),
    "alpha_req": (decay, True),
}


def ceiling(statistic: str, n: int, d: int) -> float | None:
    """What an isotropic Gaussian cloud around zero of this (n, d) gives on average; None where scale decides."""
    if statistic == "offset":
        return 1 / n
    if statistic not in FORMULAS:
        return None
    return mean_of(statistic, n - 1 if FORMULAS[statistic][1] else n, d)


@lru_cache(maxsize=256)
def mean_of(statistic: str, degrees: int, d: int) -> float:
    return float(np.mean([FORMULAS[statistic][0](found) for found in isotropic_eigenvalues(degrees, d)]))


@dataclass(frozen=True)
class Reading:
    """A number read from features (n, d); `ceiling` is what an isotropic Gaussian cloud of this (n, d) gives, where there is such a value."""

    value: float
    n: int
    d: int
    ceiling: float | None = None

    def __float__(self) -> float:
        return self.value


def reading(z: Features, statistic: str) -> Reading:
    """One of FORMULAS, of features (n, d)."""
    rows = as_array(z)
    (n, d), (formula, centred) = rows.shape, FORMULAS[statistic]
    return Reading(float(formula(eigenvalues(rows, centred, floor_of(z)))), n, d, ceiling(statistic, n, d))


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows (… d) of unit length, float64; a zero row stays zero."""
    rows = np.asarray(rows, np.float64)
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    return rows / np.where(length > 0, length, 1)


def normalised(z: Features) -> np.ndarray:
    """Rows (n, d) float64 of length 1; a row of zeros stays."""
    return unit(as_array(z))
