"""Formulas of rank on eigenvalues or singular values alone."""

import numpy as np

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


def participation(values: np.ndarray) -> float:
    """(sum)^2 / sum of squares of eigenvalues (d,)."""
    return ratio(values.sum() ** 2, np.sum(values**2))


def spread(values: np.ndarray) -> float:
    """Sum over the largest of eigenvalues (d,)."""
    return ratio(values.sum(), values.max())
