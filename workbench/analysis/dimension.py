"""How many dimensions does the cloud have near each row, and can its clusters be learned? Readings of neighbourhoods."""

import numpy as np
from scipy.cluster.vq import kmeans2

from workbench.analysis._moments import as_array
from workbench.analysis._neighbours import neighbours
from workbench.analysis._reading import Features, Reading
from workbench.randomness import rng


def distinct(z: Features) -> np.ndarray:
    """Rows (m, d) that differ: a row and its copy lie 0 apart and have no dimension."""
    return np.unique(as_array(z), axis=0)


def two_nn(z: Features) -> Reading:
    """N / sum log(r2 / r1), r1 and r2 the distances of a row to its two nearest (Facco et al., Scientific Reports 2017); repeated rows count once.

    Scale, rotations and order leave it. At most d; below it in many dimensions, the more so the fewer rows, so that there is no ceiling in
    closed form. Raises ValueError for fewer than three different rows.
    """
    rows = distinct(z)
    _, apart = neighbours(rows, 2)
    return Reading(float(len(rows) / np.sum(np.log(apart[:, 1] / apart[:, 0]))), *rows.shape)


def intrinsic_dimension(z: Features, k: int = 10) -> Reading:
    """Mean over rows of (k - 1) / sum_{j<k} log(T_k / T_j), T_j the distance to the j-th nearest (Levina and Bickel, NeurIPS 2004).

    Invariances, limits and errors as `two_nn`, with k + 1 different rows.
    """
    if k < 2:
        raise ValueError(f"k is {k}; the estimate compares the k-th nearest with those before it, so k is at least 2")
    rows = distinct(z)
    _, apart = neighbours(rows, k)
    return Reading(float(np.mean((k - 1) / np.log(apart[:, -1:] / apart[:, :-1]).sum(1))), *rows.shape)


def far_apart(rows: np.ndarray, count: int, draw: np.random.Generator) -> np.ndarray:
    """Rows (count, d) drawn by their squared distance to those drawn before (Arthur and Vassilvitskii, SODA 2007); ValueError where fewer differ."""
    chosen = [int(draw.integers(len(rows)))]
    apart = np.full(len(rows), np.inf)
    while len(chosen) < count:
        apart = np.minimum(apart, np.sum((rows - rows[chosen[-1]]) ** 2, 1))
        if not apart.any():
            raise ValueError(f"only {len(chosen)} rows differ; {count} clusters cannot be made")
        chosen.append(int(draw.choice(len(rows), p=apart / apart.sum())))
    return rows[chosen]


def cluster_learnability(z: Features, clusters: int = 10, k: int = 5, seed: int = 0) -> Reading:
    """Accuracy of k nearest neighbours, each row left out, on the labels that k-means gives (the learnability in CLID, Lu et al., 2022).

    High where clusters are apart; read beside `two_nn`, CLID's other half. Published prequentially, each row from those before it; here from all
    others, which needs no order. No ceiling: an isotropic cloud, too, is cut into learnable pieces, in few dimensions into very learnable ones.
    """
    rows = as_array(z).astype(np.float64)
    if len(rows) <= max(clusters, k):
        raise ValueError(f"{len(rows)} rows for {clusters} clusters and {k} neighbours; give more")
    start = far_apart(rows, clusters, rng(seed, "k-means", 0, len(rows)))
    _, label = kmeans2(rows, start, iter=25, minit="matrix", missing="warn")
    index, _ = neighbours(rows, k)
    votes = np.stack([(label[index] == each).sum(1) for each in range(clusters)], 1)
    return Reading(float(np.mean(votes.argmax(1) == label)), *rows.shape)
