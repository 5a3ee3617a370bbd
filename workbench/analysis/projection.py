"""Where do the studies lie in the plane of the two directions of largest variance, and how far can that map be trusted?"""

from dataclasses import dataclass

import numpy as np

from workbench.analysis._moments import as_array
from workbench.embeddings import Embeddings

NEIGHBOURS = 10
EXACT = 2048  # studies up to which neighbourhoods are compared all with all; beyond, an even subset of that size


@dataclass(frozen=True)
class Projection:
    """Studies (n, 2) on the first two principal axes; `explained` (2,) is each axis' share of the variance."""

    xy: np.ndarray
    keys: tuple[str, ...]
    patients: tuple[str, ...]
    feature: str
    step: int
    explained: np.ndarray
    trustworthiness: float | None
    continuity: float | None

    @property
    def n(self) -> int:
        return len(self.keys)


def pca(embeddings: Embeddings, like: Projection | None = None) -> Projection:
    """PCA of features (n, d); axes point so that they agree with the map `like` of the same studies, so a slider does not flip them.

    Raises ValueError where a number is not finite.
    """
    z = as_array(embeddings).astype(np.float64)
    z = z - z.mean(0)
    values, vectors = np.linalg.eigh(z.T @ z)
    axes = vectors[:, ::-1][:, :2]
    xy = z @ axes if axes.shape[1] == 2 else np.pad(z @ axes, ((0, 0), (0, 1)))
    turned = xy * like.xy if like is not None and like.keys == embeddings.keys else xy**3
    sign = np.sign(turned.sum(0))
    xy = xy * np.where(sign == 0, 1, sign)
    total = max(float(np.maximum(values, 0).sum()), 0.0)
    explained = np.append(np.maximum(values[::-1][:2], 0) / total if total > 0 else np.zeros(min(2, len(values))), [0.0])[:2]
    trust, kept = neighbourhoods(z, xy) if total > 0 else (None, None)
    return Projection(xy, embeddings.keys, embeddings.patients, embeddings.feature, embeddings.checkpoint, explained, trust, kept)


def neighbourhoods(z: np.ndarray, xy: np.ndarray, k: int = NEIGHBOURS) -> tuple[float | None, float | None]:
    """Trustworthiness and continuity over k neighbours (Venna and Kaski, ICANN 2001): 1 where no neighbour is false, none is missing."""
    if len(z) > EXACT:
        chosen = np.linspace(0, len(z) - 1, EXACT).astype(int)
        z, xy = z[chosen], xy[chosen]
    n = len(z)
    if 2 * n - 3 * k - 1 <= 0 or n <= k + 1:
        return None, None
    high, low = distances(z), distances(xy)
    scale = 2 / (n * k * (2 * n - 3 * k - 1))
    false, missing = too_far(high, nearest(low, k)), too_far(low, nearest(high, k))
    return 1 - scale * false, 1 - scale * missing


def distances(z: np.ndarray) -> np.ndarray:
    """(n, n) squared distances of rows (n, d); a row is infinitely far from itself."""
    square = np.sum(z**2, 1)
    apart = square[:, None] + square[None] - 2 * z @ z.T
    np.fill_diagonal(apart, np.inf)
    return apart


def nearest(apart: np.ndarray, k: int) -> np.ndarray:
    """(n, k): each row's k nearest, in no order."""
    return np.argpartition(apart, k - 1, axis=1)[:, :k]


def too_far(apart: np.ndarray, neighbours: np.ndarray) -> float:
    """Sum over `neighbours` (n, k) of how far their place by `apart` lies beyond k; only those are ranked, a third of the time of ranking all."""
    k = neighbours.shape[1]
    place = np.stack([(apart <= np.take_along_axis(apart, own[:, None], 1)).sum(1) for own in neighbours.T], 1)
    return float(np.maximum(place - k, 0).sum())
