"""Do rows point everywhere alike, or into a cone, at a few hubs, along spikes? Directions and their crowding, beside what an isotropic cloud gives."""

from math import sqrt

import numpy as np

from workbench.analysis._moments import as_array, moments
from workbench.analysis._neighbours import neighbours
from workbench.analysis._reading import Features, Reading, normalised, ratio
from workbench.randomness import rng

REACH, STEPS = 6.0, 120  # of the quadrature over frequencies: steps of .05 are exact while projections lie within 60


def resultant(rows: np.ndarray) -> float:
    """Length of the mean of unit rows (n, d)."""
    return float(np.linalg.norm(rows.mean(0)))


def mean_cosine(z: Features) -> Reading:
    """Mean cosine of two different rows, the anisotropy (Ethayarajh, EMNLP 2019): 0 for an isotropic cloud, 1 where all point one way.

    Rotations, order and the scale of each row leave it. Raises ValueError for a single row.
    """
    rows = normalised(z)
    n, d = rows.shape
    if n < 2:
        raise ValueError("the mean cosine of pairs needs two rows")
    return Reading((n**2 * resultant(rows) ** 2 - float(np.sum(rows**2))) / (n * (n - 1)), n, d, 0.0)


def cone_cosine(z: Features) -> Reading:
    """Mean cosine of a row to the mean of the normalised rows, which is that mean's length: 1 for a needle, 1 / sqrt(n) for an isotropic cloud."""
    rows = normalised(z)
    n, d = rows.shape
    return Reading(resultant(rows), n, d, sqrt(1 / n))


def cone_angle(z: Features) -> Reading:
    """Angle, in degrees, whose cosine is `cone_cosine`: 0 for a needle, near 90 for an isotropic cloud (Liang et al., NeurIPS 2022, call it the cone)."""
    found = cone_cosine(z)
    at = [float(np.degrees(np.arccos(np.clip(value, -1, 1)))) for value in (found.value, sqrt(1 / found.n))]
    return Reading(at[0], found.n, found.d, at[1])


def partition_isotropy(z: Features) -> Reading:
    """min over max of F(c) = sum_i exp(c'z_i) over the eigenvectors c of Z'Z, with both signs (Mu and Viswanath, ICLR 2018): 1 isotropic.

    Depends on the scale of the rows, as published. An eigenvector has no sign, so that both are taken: rotations then leave the value.
    No ceiling: it depends on scale.
    """
    rows = as_array(z).astype(np.float64)
    _, axes = np.linalg.eigh(rows.T @ rows)
    along = rows @ axes
    found = [log_sum(sign * along) for sign in (1, -1)]
    return Reading(float(np.exp(min(map(np.min, found)) - max(map(np.max, found)))), *rows.shape)


def log_sum(values: np.ndarray) -> np.ndarray:
    """log sum exp over rows (n, d) -> (d,)."""
    top = values.max(0)
    return np.asarray(top + np.log(np.exp(values - top).sum(0)))


def self_clustering(z: Features) -> Reading:
    """(d |UU'|_F^2 - n (d + n - 1)) / ((d - 1)(n - 1) n) of normalised rows U (Tsitsulin et al., ICML 2023 workshops): 0 for random directions, 1 collapsed."""
    rows = normalised(z)
    n, d = rows.shape
    if n < 2 or d < 2:
        raise ValueError(f"self-clustering needs two rows and two columns; got ({n}, {d})")
    square = float(np.sum(moments(rows, np.zeros(d)).cross ** 2))  # |UU'| = |U'U|
    return Reading((d * square - n * (d + n - 1)) / ((d - 1) * (n - 1) * n), n, d, 0.0)


def coherence(z: Features) -> Reading:
    """(n / r) max_i |U_i|^2, U (n, r) the left singular vectors of the rows, r their rank (Candes and Recht, 2009): 1 where all rows share, n / r for a spike.

    No ceiling: the largest of n leverages has no closed mean.
    """
    rows = as_array(z).astype(np.float64)
    left, values, _ = np.linalg.svd(rows, full_matrices=False)
    rank = int(np.count_nonzero(values > max(rows.shape) * np.finfo(float).eps * values[0]))
    value = len(rows) / rank * float(np.sum(left[:, :rank] ** 2, 1).max()) if rank else 0.0
    return Reading(value, *rows.shape)


def hubness(z: Features, k: int = 10) -> Reading:
    """Skewness of how often a row is among the k nearest of others (Radovanovic et al., JMLR 2010): above 1 a few rows answer every query.

    Cosine neighbours, as retrieval ranks. No ceiling: isotropic clouds have hubs, too, by no closed form.
    """
    rows = normalised(z)
    index, _ = neighbours(rows, k)
    return Reading(skewness(np.bincount(index.ravel(), minlength=len(rows))), *rows.shape)


def skewness(values: np.ndarray) -> float:
    """Third standardised moment of (n,) values; 0 where all are equal."""
    moved = np.asarray(values, float) - np.mean(values)
    return ratio(float(np.mean(moved**3)), float(np.mean(moved**2)) ** 1.5)


def orthogonality_residual(z: Features) -> Reading:
    """Sum over pairs of columns of their squared correlation, and 1 for each constant column (the loss of M-FLAG, Liu et al., MICCAI 2023, as a measure).

    0 where columns are uncorrelated and alive; d (d - 1) / (n - 1) for an isotropic cloud. Follows rotations, as the loss does.
    """
    rows = as_array(z)
    found = moments(rows).scatter()
    alive = np.diag(found) > len(rows) * np.finfo(float).eps * max(float(np.diag(found).max()), np.finfo(float).tiny)
    root = np.sqrt(np.where(alive, np.diag(found), 1))
    correlation = np.where(np.outer(alive, alive), found / np.outer(root, root), 0)
    (n, d), off = rows.shape, float(np.sum(correlation**2) - np.sum(np.diag(correlation) ** 2))
    return Reading(off + float(np.sum(~alive)), n, d, d * (d - 1) / (n - 1) if n > 1 else None)


def sliced_gaussianity(z: Features, directions: int = 64, seed: int = 0) -> Reading:
    """Mean over random directions of the Epps-Pulley distance to N(0, 1), the integral of |phi_n(t) - exp(-t^2/2)|^2 under N(0, 1) weights.

    Rows as they are: the target is zero mean and unit variance (LeJEPA, Balestriero and LeCun, 2025). 0 at the target; the ceiling is what n rows
    of it give, (1 - 1/sqrt 3) / n; 1 - sqrt 2 + 1/sqrt 3 = .163 for a point at 0.
    """
    rows = as_array(z).astype(np.float64)
    n, d = rows.shape
    draw = rng(seed, "sliced gaussianity", 0, d).normal(size=(d, directions))
    along = rows @ (draw / np.linalg.norm(draw, axis=0))
    total = 0.0
    for t in np.linspace(0, REACH, STEPS + 1):  # the integrand is even
        distance = (np.cos(t * along).mean(0) - np.exp(-(t**2) / 2)) ** 2 + np.sin(t * along).mean(0) ** 2
        total += float(distance.mean()) * float(np.exp(-(t**2) / 2)) * (1 if t == 0 else 2)
    return Reading(total * REACH / STEPS / sqrt(2 * np.pi), n, d, (1 - 1 / sqrt(3)) / n)
