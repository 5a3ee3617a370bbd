"""How do groups of rows lie, views of one sample or images of one class: apart, on a simplex, or each collapsed to a point?"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from workbench.analysis._moments import as_array, moments, seen
from workbench.analysis._reading import Features, Reading, exp_entropy, normalised, reading
from workbench.randomness import rng

DELTA = 1e-4  # added to the within-group variances in LiDAR, as published
DRAWS = 4
Groups = Sequence[object] | np.ndarray


def members(groups: Groups, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Group (n,) in 0..c-1 of each row and sizes (c,); raises ValueError where there is one group only, or not one a row."""
    if len(groups) != n:
        raise ValueError(f"{len(groups)} groups for {n} rows; expected one a row")
    _, member, size = np.unique(np.asarray(groups).astype(str), return_inverse=True, return_counts=True)
    if len(size) < 2:
        raise ValueError("all rows are of one group; two are needed to compare within and between")
    return member, size


def centres(rows: np.ndarray, member: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Group means (c, d)."""
    order = np.argsort(member, kind="stable")
    return np.add.reduceat(rows[order], np.append(0, np.cumsum(size)[:-1]), axis=0) / size[:, None]


def scatters(rows: np.ndarray, member: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Covariances (d, d) within groups, over all rows, and of the group means, each group counted once."""
    means = centres(rows, member, size)
    moved = means - means.mean(0)
    return moments(rows - means[member], np.zeros(rows.shape[1])).cross / len(rows), moved.T @ moved / len(means)


def lidar_of(rows: np.ndarray, member: np.ndarray, size: np.ndarray) -> float:
    within, between = scatters(rows, member, size)
    values, axes = np.linalg.eigh(within)
    white = axes / np.sqrt(np.maximum(values, 0) + DELTA)
    return exp_entropy(seen(np.linalg.eigvalsh(white.T @ between @ white)[::-1]))


@lru_cache(maxsize=64)
def isotropic_lidar(sizes: tuple[int, ...], d: int) -> float:
    """LiDAR of standard normal rows that groups do not tell apart, mean of a few draws."""
    member, draw = np.repeat(np.arange(len(sizes)), sizes), rng(0, "isotropic lidar", len(sizes), d)
    return float(np.mean([lidar_of(draw.normal(size=(len(member), d)), member, np.array(sizes)) for _ in range(DRAWS)]))


def lidar(z: Features, groups: Groups) -> Reading:
    """exp of the entropy of the eigenvalues of Sw^-1/2 Sb Sw^-1/2, Sw + 1e-4 I (Thilak et al., ICLR 2024): 1 to min(d, groups - 1); no epsilon.

    `groups` (n,) are the samples that rows are views of: with rows grouped otherwise the number means nothing. Sb is the covariance of group
    means, each counted once. Rotations, order and a common shift leave it; scale does where variances are far above 1e-4. The ceiling is that of
    an isotropic cloud with these group sizes. Raises ValueError where no group has two rows.
    """
    rows = as_array(z).astype(np.float64)
    member, size = members(groups, len(rows))
    if size.max() < 2:
        raise ValueError("every row is a group of its own: LiDAR needs several views of a sample")
    n, d = rows.shape
    return Reading(lidar_of(rows, member, size), n, d, isotropic_lidar(tuple(sorted(map(int, size))), d))


@dataclass(frozen=True)
class NeuralCollapse:
    """How near c classes of n rows (n, d) are to collapse onto a simplex of points; each measure is 0 there (Papyan, Han and Donoho, PNAS 2020).

    `nc1` = tr(Sw Sb^+) / c, infinite where class means agree; `norms`: standard deviation over mean of the lengths of the centred class means;
    `angles`: standard deviation of their cosines; `simplex`: mean distance of the cosines from -1 / (c - 1). `smallest`: rows of the smallest class.
    """

    nc1: float
    norms: float
    angles: float
    simplex: float
    n: int
    d: int
    classes: int
    smallest: int


def neural_collapse(z: Features, classes: Groups) -> NeuralCollapse:
    """NC1 and NC2 of features and `classes` (n,), one a row. Scale, rotations, shifts and order leave them. NC3 and NC4 need the classifier.

    Raises ValueError for one class.
    """
    rows = as_array(z).astype(np.float64)
    member, size = members(classes, len(rows))
    within, between = scatters(rows, member, size)
    means = centres(rows, member, size)
    moved = means - means.mean(0)
    values, axes = np.linalg.eigh(between)
    kept = values > len(values) * np.finfo(float).eps * max(values[-1], np.finfo(float).eps * float(np.mean(rows**2)))
    count = len(size)
    nc1 = (
        float(np.sum(np.einsum("dk,de,ek->k", axes[:, kept], within, axes[:, kept]) / values[kept])) / count if kept.any() else float("inf")
    )
    length = np.linalg.norm(moved, axis=1)
    unit = moved / np.where(length > 0, length, 1)[:, None]
    cosine = (unit @ unit.T)[np.triu_indices(count, 1)]
    spread = float(length.std() / length.mean()) if kept.any() else float("nan")
    n, d = rows.shape
    off = float(np.mean(np.abs(cosine + 1 / (count - 1))))
    return NeuralCollapse(nc1, spread, float(cosine.std()), off, n, d, count, int(size.min()))


def centroid_cosine(z: Features, classes: Groups) -> Reading:
    """Mean cosine of the means of two different classes, rows as they are: 1 where classes share one direction, -1 / (c - 1) on a centred simplex.

    No ceiling: for an isotropic cloud without classes it is 0 on average at any size.
    """
    rows = as_array(z).astype(np.float64)
    means = normalised(centres(rows, *members(classes, len(rows))))
    count, (n, d) = len(means), rows.shape
    return Reading(float((np.sum(means.sum(0) ** 2) - np.sum(means**2)) / (count * (count - 1))), n, d, 0.0)


def silhouette(z: Features, classes: Groups) -> Reading:
    """Mean of (b - a) / max(a, b): a is the mean distance to the own class, b that to the nearest other (Rousseeuw, 1987); -1 to 1, 0 for no classes.

    A row alone in its class counts 0. Scale, rotations, shifts and order leave it.
    """
    rows = as_array(z).astype(np.float64)
    member, size = members(classes, len(rows))
    rows, total = rows - rows.mean(0), 0.0
    square, one = np.sum(rows**2, 1), np.eye(len(size))[member]
    for start in range(0, len(rows), 1024):
        own, place = member[start : start + 1024], np.arange(min(1024, len(rows) - start))
        apart = np.sqrt(np.maximum(square[start : start + 1024, None] + square - 2 * rows[start : start + 1024] @ rows.T, 0))
        apart[place, start + place] = 0
        sums = apart @ one
        inner = sums[place, own] / np.maximum(size[own] - 1, 1)
        outer = np.where(one[start : start + 1024] > 0, np.inf, sums / size).min(1)
        most = np.maximum(inner, outer)
        total += float(np.sum(np.where((size[own] > 1) & (most > 0), (outer - inner) / np.where(most > 0, most, 1), 0)))
    n, d = rows.shape
    return Reading(total / n, n, d, 0.0)


def class_ranks(z: Features, classes: Groups) -> dict[str, Reading]:
    """Effective rank within every class that has two rows, with the ceiling at that class's size: a class alone can collapse."""
    rows = as_array(z)
    names = np.asarray(classes).astype(str)
    members(classes, len(rows))
    return {str(name): reading(rows[names == name], "effective_rank") for name in np.unique(names) if np.sum(names == name) > 1}
