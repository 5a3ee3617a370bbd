"""Where do the studies lie in the plane, and how far can that map be trusted? PCA here; what takes longer comes from `workbench.mapping`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.linalg import eigh

from workbench.analysis._moments import BLOCK, as_array, as_rows, moments
from workbench.analysis.trust import EXACT, Quality, quality
from workbench.embeddings import Embeddings

Method = Literal["pca", "umap", "tsne", "aligned_umap"]
METHODS: tuple[Method, ...] = get_args(Method)
NAMES = {"pca": "PCA", "umap": "UMAP", "tsne": "t-SNE", "aligned_umap": "AlignedUMAP"}
IMAGE, TEXT = "image.projected", "text.projected"
JOINT = f"{IMAGE}+{TEXT}"


@dataclass(frozen=True)
class Projection:
    """Studies (n, 2) in the plane; `explained` (2,) is each axis' share of the variance, of PCA alone.

    In a map of images and reports together (`feature` is JOINT) rows are all images, then all reports, `keys` come twice, and `towers` names
    the feature of each row.
    """

    xy: np.ndarray
    keys: tuple[str, ...]
    patients: tuple[str, ...]
    feature: str
    step: int
    method: Method = "pca"
    explained: np.ndarray | None = None
    quality: Quality | None = None
    towers: tuple[str, ...] | None = None

    @property
    def n(self) -> int:
        return len(self.keys)


def pca(embeddings: Embeddings, like: Projection | None = None, measured: bool = True) -> Projection:
    """PCA of features (n, d) by their covariance, in blocks; axes agree with the map `like` of the same studies, so a slider does not flip them.

    Unless `measured` its quality is left out, which takes a hundred times as long as the map. Raises ValueError where a number is not finite.
    """
    mean, axes, explained = plane(embeddings)
    xy = np.concatenate([(rows - mean) @ axes for rows in blocks(embeddings)])
    turned = xy * like.xy if like is not None and like.keys == embeddings.keys else xy**3
    sign = np.sign(turned.sum(0))
    xy = xy * np.where(sign == 0, 1, sign)
    return shown(embeddings, xy, "pca", explained, measured)


def plane(embeddings: Embeddings) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean (d,), the two axes of largest variance (d, 2) and their shares of it (2,); a second axis that is not there is 0.

    Raises ValueError where a number is not finite.
    """
    rows = as_rows(embeddings)
    try:
        found = moments(rows)
    except ValueError:
        as_array(rows)  # counts the rows over all blocks
        raise
    scatter, d = found.scatter(), found.d
    values, vectors = eigh(scatter, subset_by_index=[max(0, d - 2), d - 1])
    axes, largest = vectors[:, ::-1], np.maximum(values[::-1], 0)
    if d == 1:
        axes, largest = np.pad(axes, ((0, 0), (0, 1))), np.append(largest, 0.0)
    total = float(np.trace(scatter))
    moving = total > len(rows) * d * np.finfo(float).eps * float(np.sum(found.mean**2))
    return found.mean, axes, largest / total if moving else np.zeros(2)


def blocks(embeddings: Embeddings) -> Iterator[np.ndarray]:
    """The features, in float64, some rows at a time."""
    for start in range(0, len(embeddings.features), BLOCK):
        yield embeddings.features[start : start + BLOCK].astype(np.float64)


def shown(embeddings: Embeddings, xy: np.ndarray, method: Method, explained: np.ndarray | None = None, measured: bool = True) -> Projection:
    """A layout (n, 2) of features as a map with its quality."""
    z = embeddings.features
    chosen = np.linspace(0, len(z) - 1, EXACT).astype(int) if len(z) > EXACT else slice(None)
    at = np.asarray(xy, np.float64)
    towers = tuple(name for name in JOINT.split("+") for _ in range(len(z) // 2)) if embeddings.feature == JOINT else None
    trusted = quality(z[chosen], at[chosen]) if measured and (explained is None or explained.any()) else None
    return Projection(
        at, embeddings.keys, embeddings.patients, embeddings.feature, embeddings.checkpoint, method, explained, trusted, towers
    )


def gap_on(found: Projection) -> np.ndarray:
    """The gap (2,) on a PCA of images and reports: from the mean of the reports to that of the images, exact, since the map is linear.

    Raises ValueError for another method, whose pictures have no such vector, or a map of one tower.
    """
    if found.method != "pca" or found.towers is None:
        raise ValueError(f"{NAMES[found.method]} of {found.feature}: a gap vector can be drawn on a PCA of images and reports together")
    image = np.array([name == IMAGE for name in found.towers])
    return np.asarray(found.xy[image].mean(0) - found.xy[~image].mean(0))
