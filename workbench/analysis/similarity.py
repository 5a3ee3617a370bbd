"""Do two layers, towers or checkpoints say the same of the same studies? CKA, SVCCA, Procrustes and mutual neighbours, each beside its chance level."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from workbench.analysis._interval import Interval, withheld
from workbench.analysis._jackknife import GROUPS, resampled
from workbench.analysis._moments import as_array
from workbench.analysis._neighbours import neighbours
from workbench.analysis._reading import Features, normalised
from workbench.embeddings import Embeddings
from workbench.randomness import rng

PERMUTATIONS = 20
COVERED = ("linear_cka", "debiased_cka")  # measures whose jackknife covers, measured in docs/results/coverage-diagnostics.json
KEPT = 0.99  # of the variance, in SVCCA, as published
Name = Literal["linear_cka", "debiased_cka", "svcca", "procrustes", "mutual_knn"]
UNMEASURED = "the jackknife was too wide or too narrow for this measure where its coverage was measured"


@dataclass(frozen=True)
class Similarity:
    """How alike two clouds of n paired rows are; `chance` is what the same clouds give on average when one's rows are permuted."""

    value: float
    chance: float
    interval: Interval
    n: int
    d: tuple[int, int]

    def __float__(self) -> float:
        return self.value


@dataclass(frozen=True)
class Cloud:
    """Centred rows turned so that they have at most as many columns as rows (n, r); what a measure needs of them is computed once."""

    rows: np.ndarray
    d: int
    squares: np.ndarray  # (n,) of the rows' lengths
    norm: float  # |X'X|_F
    basis: np.ndarray  # (n, k) orthonormal: the directions that hold KEPT of the variance
    index: np.ndarray  # (n, k) nearest rows by cosine; (n, 0) where the measure needs none


@dataclass(frozen=True)
class Measure:
    """`compare` two clouds, the second's rows taken in the given order; `chance` in closed form where there is one."""

    compare: Callable[[Cloud, Cloud], float]
    chance: Callable[[Cloud, Cloud], float] | None


def cloud(z: Features, name: Name, k: int) -> Cloud:
    """What `name` needs of features (n, d), n at least 4."""
    given = as_array(z)
    n, d = given.shape
    if n < 4:
        raise ValueError(f"{n} rows: a similarity needs at least four")
    rows = given.astype(np.float64)
    rows -= rows.mean(0)
    empty = np.zeros((n, 0))
    if name == "mutual_knn":
        return Cloud(empty, d, empty, 0.0, empty, neighbours(normalised(given), k)[0])
    if d > n or name == "svcca":
        left, values, _ = np.linalg.svd(rows, full_matrices=False)
        rows = left * values
        share = np.cumsum(values**2) / max(float(np.sum(values**2)), np.finfo(float).tiny)
        basis = left[:, : int(np.searchsorted(share, KEPT - 1e-12)) + 1] if values[0] > 0 else empty
    else:
        basis = empty
    return Cloud(rows, d, np.sum(rows**2, 1), float(np.linalg.norm(rows.T @ rows)), basis, empty.astype(int))


def shuffled(of: Cloud, order: np.ndarray) -> Cloud:
    """The same cloud, its rows in another order."""
    place = np.argsort(order)
    index = place[of.index[order]] if of.index.size else of.index
    return Cloud(of.rows[order], of.d, of.squares[order], of.norm, of.basis[order], index)


def biased(x: Cloud, y: Cloud) -> float:
    return float(np.sum((x.rows.T @ y.rows) ** 2)) / (x.norm * y.norm) if x.norm > 0 and y.norm > 0 else 0.0


def biased_chance(x: Cloud, y: Cloud) -> float:
    """The mean over all permutations: tr K tr L / ((n - 1) |K| |L|), the root of the participation ratios' product over n - 1."""
    n = len(x.rows)
    return float(x.squares.sum() * y.squares.sum() / ((n - 1) * x.norm * y.norm)) if x.norm > 0 and y.norm > 0 else 0.0


def unbiased(x: Cloud, y: Cloud) -> float:
    """HSIC without diagonals, n (n - 3) times (Song et al., JMLR 2012, eq. 5), from rows: centred Gram matrices have rows that sum to 0."""
    n, diagonals = len(x.rows), float(x.squares @ y.squares)
    off = float(np.sum((x.rows.T @ y.rows) ** 2)) - diagonals
    return off + float(x.squares.sum() * y.squares.sum()) / ((n - 1) * (n - 2)) - 2 * diagonals / (n - 2)


def debiased(x: Cloud, y: Cloud) -> float:
    below = unbiased(x, x) * unbiased(y, y)
    return unbiased(x, y) / float(np.sqrt(below)) if below > 0 else 0.0


def canonical(x: Cloud, y: Cloud) -> float:
    """Mean canonical correlation of two orthonormal bases; 0 where one is empty."""
    least = min(x.basis.shape[1], y.basis.shape[1])
    return float(np.linalg.svd(x.basis.T @ y.basis, compute_uv=False).sum()) / least if least else 0.0


def nuclear(x: Cloud, y: Cloud) -> float:
    length = float(np.sqrt(x.squares.sum() * y.squares.sum()))
    return float(np.linalg.svd(x.rows.T @ y.rows, compute_uv=False).sum()) / length if length > 0 else 0.0


def overlap(x: Cloud, y: Cloud) -> float:
    """Share of the k neighbours that two clouds have in common, mean over rows."""
    return float(np.mean(np.any(x.index[:, :, None] == y.index[:, None], axis=2)))


MEASURES: dict[str, Measure] = {
    "linear_cka": Measure(biased, biased_chance),
    "debiased_cka": Measure(debiased, lambda x, y: 0.0),
    "svcca": Measure(canonical, None),
    "procrustes": Measure(nuclear, None),
    "mutual_knn": Measure(overlap, lambda x, y: x.index.shape[1] / (len(x.index) - 1)),
}


def chance_of(measure: Measure, x: Cloud, y: Cloud, permutations: int, seed: int) -> float:
    """Mean of the measure when rows are paired at random: in closed form, or over seeded permutations."""
    if measure.chance is not None:
        return measure.chance(x, y)
    n, draw = len(y.rows), rng(seed, "similarity by chance", 0, len(y.rows))
    return float(np.mean([measure.compare(x, shuffled(y, draw.permutation(n))) for _ in range(permutations)]))


def check_pairs(features: Sequence[Features]) -> None:
    """Raises ValueError unless all have the same number of rows and, where they have keys, the same keys in the same order."""
    lengths = {len(as_array(each)) for each in features}
    if len(lengths) > 1:
        raise ValueError(f"features have {sorted(lengths)} rows: a similarity compares the same studies in the same order")
    if len({each.keys for each in features if isinstance(each, Embeddings)}) > 1:
        raise ValueError("features have different keys, or in another order: a similarity compares the same studies")


def compared(x: Features, y: Features, name: Name, patients: Any, k: int = 10, seed: int = 0) -> Similarity:
    """One measure of paired features (n, d1) and (n, d2), with its chance; an interval where `patients` (n,) are given and one covers."""
    check_pairs([x, y])
    measure, (a, b) = MEASURES[name], (as_array(x), as_array(y))
    own = cloud(a, name, k), cloud(b, name, k)
    value = measure.compare(*own)
    if name not in COVERED:
        interval = withheld(value, UNMEASURED)
    elif patients is None:
        interval = withheld(value, "rows without patients")
    else:
        interval = resampled(
            lambda kept: measure.compare(cloud(a[kept], name, k), cloud(b[kept], name, k)), [a, b], patients, GROUPS, 0.95, ""
        )
    return Similarity(value, chance_of(measure, *own, PERMUTATIONS, seed), interval, len(a), (a.shape[1], b.shape[1]))


def linear_cka(x: Features, y: Features, patients: Any = None, debiased: bool = False) -> Similarity:
    """|Y'X|_F^2 / (|X'X|_F |Y'Y|_F) of centred rows, 0 to 1 (Kornblith et al., ICML 2019); rotations, scale and shifts of either leave it.

    Reads high by chance where rows are few for their dimensions: its mean over all permutations of rows is sqrt(PR_x PR_y) / (n - 1), PR the
    participation ratios. `debiased` uses the unbiased HSIC (Nguyen et al., ICLR 2021), whose chance is 0 exactly and which may be below 0.
    Pairs must have equal keys; ValueError otherwise, and for fewer than four rows. 0 for a cloud without variance.
    """
    return compared(x, y, "debiased_cka" if debiased else "linear_cka", patients)


def svcca(x: Features, y: Features, seed: int = 0) -> Similarity:
    """Mean canonical correlation of the directions that hold .99 of each cloud's variance (Raghu et al., NeurIPS 2017), 0 to 1.

    Scale, shifts and rotations leave it. Chance from seeded permutations: sqrt(r / n) and more, r the directions kept.
    """
    return compared(x, y, "svcca", None, seed=seed)


def procrustes(x: Features, y: Features, seed: int = 0) -> Similarity:
    """|X'Y|_* of centred clouds of norm 1, 0 to 1: 1 where a rotation maps one to the other. Procrustes distance squared is 2 - 2 of it
    (Ding, Denain and Steinhardt, NeurIPS 2021). Scale, shifts and rotations leave it; chance from seeded permutations."""
    return compared(x, y, "procrustes", None, seed=seed)


def mutual_knn(x: Features, y: Features, k: int = 10) -> Similarity:
    """Share of the k nearest rows by cosine that both clouds agree on, mean over rows (Huh et al., ICML 2024), 0 to 1; chance k / (n - 1).

    Rotations and the scale of each row leave it, shifts do not. Raises ValueError for fewer than k + 1 rows.
    """
    return compared(x, y, "mutual_knn", None, k)


@dataclass(frozen=True)
class Matrix:
    """One measure of every pair of two lists of features (a, b), and the chance level of each pair; no intervals: that is said by `why`."""

    measure: str
    values: np.ndarray
    chance: np.ndarray
    n: int
    why: str


def similarity_matrix(
    features: Sequence[Features],
    measure: Name = "debiased_cka",
    others: Sequence[Features] | None = None,
    k: int = 10,
    permutations: int = 5,
    seed: int = 0,
) -> Matrix:
    """Layers by layers or steps by steps: each of `features` (n, d_i) with each of `others`, or among themselves; rows of equal keys.

    Every cloud is centred and decomposed once. Raises ValueError where rows or keys differ.
    """
    check_pairs([*features, *(others or [])])
    clouds, how = [cloud(each, measure, k) for each in features], MEASURES[measure]
    second = clouds if others is None else [cloud(each, measure, k) for each in others]
    values, chance = np.zeros((len(clouds), len(second))), np.zeros((len(clouds), len(second)))
    for i, x in enumerate(clouds):
        for j, y in enumerate(second):
            if others is None and j < i:
                values[i, j], chance[i, j] = values[j, i], chance[j, i]
            else:
                values[i, j], chance[i, j] = how.compare(x, y), chance_of(how, x, y, permutations, seed)
    return Matrix(
        measure, values, chance, len(as_array(features[0])), "a matrix holds values beside their chance; ask one pair for an interval"
    )
