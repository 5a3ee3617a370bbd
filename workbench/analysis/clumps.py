"""Do features fall into clusters at all, beyond what one Gaussian cloud of their mean and covariance does?"""

from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from scipy.sparse.csgraph import minimum_spanning_tree

from workbench.analysis._moments import as_array
from workbench.embeddings import Embeddings
from workbench.randomness import rng

ROWS, AXES = 1024, 10  # an even subset of the rows, on so many principal axes
NUMBERS = (2, 3, 5, 8)  # of clusters tried
CLOUDS, LEVEL = 49, 0.02  # Gaussian clouds drawn: the least p is 1 / (CLOUDS + 1), the rows must be lumpier than all of them
APART = 4.2  # standard deviations between two groups: a uniform bar cut in two has 3.46, a thin ring 4.14
ROUNDS, STARTS = 8, 2
Kind = Literal["none", "shape", "clusters"]


@dataclass(frozen=True)
class Clumps:
    """How much tighter k-means cuts the rows than Gaussian clouds of the same singular values, at the number of clusters that differs most.

    `p` over the Gaussian clouds, corrected for the numbers tried; `apart` is the widest gap between two groups of clusters in standard deviations.
    `kind`: "none" where a Gaussian cloud does as well, "shape" where it does not but the clusters hang together, nothing lies APART.
    """

    p: float
    clusters: int
    within: float
    within_gaussian: float
    apart: float
    n: int
    axes: int

    @property
    def kind(self) -> Kind:
        if self.p > LEVEL:
            return "none"
        return "clusters" if self.apart >= APART else "shape"


def clumps(z: np.ndarray | Embeddings, seed: int = 0) -> Clumps | None:
    """Test of features (n, d) against one Gaussian cloud; None for fewer than five rows or a point. Raises ValueError for numbers not finite.

    The cluster index of SigClust (Liu, Hayes, Nobel and Marron, JASA 2008) for several numbers of clusters, on the first principal axes. Its null
    is exact for a Gaussian of any mean and covariance, at any n and d: given the singular values, the scores' left singular vectors are uniform
    on the orthonormal frames beside 1 (rotation test, Langsrud, Statistics and Computing 2005), so clouds are drawn as such frames.
    """
    rows = as_array(z)
    if len(rows) > ROWS:
        rows = rows[np.linspace(0, len(rows) - 1, ROWS).astype(int)]
    n = len(rows)
    scores = principal(rows.astype(np.float64))
    if n < 5 or scores.shape[1] == 0:
        return None
    frames = rng(seed, "clumps", 0, n).normal(size=(CLOUDS, n, scores.shape[1]))
    frames = np.linalg.qr(frames - frames.mean(1, keepdims=True))[0]
    clouds = np.concatenate([scores[None], frames * np.linalg.norm(scores, axis=0)]).astype(np.float32)
    draw, tried = rng(seed, "centres", 0, n), [number for number in NUMBERS if 2 * number <= n]
    cuts = [kmeans(clouds, number, draw) for number in tried]
    index = np.log(np.stack([np.maximum(within, np.finfo(float).tiny) for within, _ in cuts], 1))  # (1 + CLOUDS, numbers)
    height = (index.mean(0) - index) / np.maximum(index.std(0), np.finfo(float).eps)  # rows are exchangeable under the null
    best = int(height[0].argmax())
    top = height.max(1)
    within, labels = cuts[best]
    return Clumps(
        p=float(np.mean(top >= top[0])),
        clusters=tried[best],
        within=float(within[0]),
        within_gaussian=float(within[1:].mean()),
        apart=widest_gap(scores, labels[0]),
        n=n,
        axes=scores.shape[1],
    )


def principal(rows: np.ndarray) -> np.ndarray:
    """Centred rows (n, d) on their first principal axes that are not rounding (n, at most AXES)."""
    rows = rows - rows.mean(0)
    n, d = rows.shape
    if n <= d:
        values, vectors = np.linalg.eigh(rows @ rows.T)
        scores = vectors[:, ::-1][:, :AXES] * np.sqrt(np.maximum(values[::-1][:AXES], 0))
    else:
        values, vectors = np.linalg.eigh(rows.T @ rows)
        scores = rows @ vectors[:, ::-1][:, :AXES]
    values = values[::-1][:AXES]
    return np.asarray(scores[:, values > max(n, d) * np.finfo(np.float32).eps * max(float(values[0]), np.finfo(float).tiny)])


def kmeans(clouds: np.ndarray, number: int, draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Lloyd's rounds in every cloud (c, n, m) at once, from k-means++ starts: share of the variance within clusters (c,), their labels (c, n)."""
    c, n, m = clouds.shape
    square, every = np.einsum("cnm,cnm->cn", clouds, clouds), np.arange(c)
    total = square.sum(1)
    extended = np.concatenate([clouds, np.ones((c, n, 1), clouds.dtype)], 2)  # its last column counts

    def apart(centres: np.ndarray) -> np.ndarray:
        return np.asarray(clouds @ (-2 * centres.transpose(0, 2, 1)) + np.einsum("ckm,ckm->ck", centres, centres)[:, None])

    best, labels = np.full(c, np.inf), np.zeros((c, n), int)
    for _ in range(STARTS):
        centres, nearest = clouds[every, draw.integers(n, size=c)][:, None], np.full((c, n), np.inf, clouds.dtype)
        while centres.shape[1] < number:
            nearest = np.minimum(nearest, np.maximum(apart(centres[:, -1:])[:, :, 0] + square, 0))
            reach = np.cumsum(nearest, 1)
            row = np.minimum((reach < draw.random((c, 1)) * reach[:, -1:]).sum(1), n - 1)
            centres = np.concatenate([centres, clouds[every, row][:, None]], 1)
        for _ in range(ROUNDS):
            member = (apart(centres).argmin(2)[:, None] == np.arange(number)[None, :, None]).astype(clouds.dtype)
            sums = member @ extended
            centres = np.where(sums[:, :, m:] > 0, sums[:, :, :m] / np.maximum(sums[:, :, m:], 1), centres)
        last = apart(centres)
        within = np.maximum(square + last.min(2), 0).sum(1) / total
        labels = np.where((within < best)[:, None], last.argmin(2), labels)
        best = np.minimum(best, within)
    return best, labels


def widest_gap(scores: np.ndarray, labels: np.ndarray) -> float:
    """Width of the widest gap that parts the clusters of rows (n, m) in two groups; clusters of under 1 % are left out, 0 where one is left.

    A gap's width: distance of two clusters' means in pooled standard deviations along it. The groups are those of single linkage, and the widest
    gap its largest step, so that an arc hangs together.
    """
    sizes = np.bincount(labels)
    kept = np.flatnonzero(sizes >= max(3, 0.01 * len(labels)))
    means = np.array([scores[labels == each].mean(0) for each in kept]).reshape(len(kept), scores.shape[1])
    gaps = np.zeros((len(kept), len(kept)))
    for one, other in combinations(range(len(kept)), 2):
        line = means[one] - means[other]
        length = float(np.linalg.norm(line))
        sides = [scores[labels == kept[each]] @ line / length for each in (one, other)]
        spread = float(np.sqrt(np.mean(np.concatenate([side - side.mean() for side in sides]) ** 2)))
        gaps[one, other] = length / max(spread, 1e-12 * length)
    return float(minimum_spanning_tree(gaps).toarray().max(initial=0.0))
