"""How do the clouds of two towers lie, images and texts of the same studies: how far apart, how narrow, and what if the gap is closed?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.analysis._moments import as_array
from workbench.analysis._reading import Features, Reading, exp_entropy, normalised, ratio
from workbench.analysis.collapse import alignment, modality_gap
from workbench.analysis.isotropy import cone_cosine, mean_cosine
from workbench.analysis.retrieval import Retrieval, retrieval
from workbench.analysis.statistics import MacroInterval, macro_auroc_interval
from workbench.analysis.zeroshot import scores
from workbench.randomness import rng

AMOUNTS = (0.0, 0.25, 0.5, 0.75, 1.0)
WALK = tuple(step / 10 for step in range(16))
FOLDS = 5


def paired(x: Features, y: Features) -> tuple[np.ndarray, np.ndarray]:
    """Normalised rows (n, d) of both towers, float64; ValueError where shapes differ."""
    a, b = normalised(x), normalised(y)
    if a.shape != b.shape:
        raise ValueError(f"towers need rows of the same studies and width; got {a.shape} and {b.shape}")
    return a, b


def gap_share(x: Features, y: Features) -> Reading:
    """Share of the variance of both towers' normalised rows together that lies between their means: (|gap|^2 / 4) / all of it.

    0 where the means agree, 1 where each tower is a point; rotations and the rows' scale leave it. The ceiling is that of two clouds of n
    isotropic directions, 1 / (2 n - 1). The gap: Liang et al., NeurIPS 2022.
    """
    a, b = paired(x, y)
    n, d = a.shape
    between = float(np.sum((a.mean(0) - b.mean(0)) ** 2)) / 4
    within = (float(a.var(0).sum()) + float(b.var(0).sum())) / 2
    return Reading(ratio(between, between + within), n, d, 1 / (2 * n - 1))


def relative_gap(x: Features, y: Features) -> Reading:
    """Distance of matched pairs over itself plus the mean distance within towers, distances 1 - cosine (Schrodi et al., ICLR 2025), 0 to 1.

    0 where pairs coincide, one half where a pair lies as far apart as two studies of one tower do (isotropic clouds).
    """
    a, b = paired(x, y)
    n, d = a.shape
    matched = 1 - float(np.mean(np.sum(a * b, 1)))
    within = 1 - (float(mean_cosine(a)) + float(mean_cosine(b))) / 2
    return Reading(ratio(matched, matched + within), n, d, 0.5)


def separability(x: Features, y: Features, patients: Sequence[object] | np.ndarray | None = None, seed: int = 0) -> Reading:
    """Accuracy of a ridge regression that tells the towers apart, on patients it was not fitted on, five folds (Liang et al., 2022): .5 to 1.

    1 means that a plane separates images from texts. `patients` (n,), or each pair one of its own. Raises ValueError for fewer than five.
    """
    a, b = paired(x, y)
    n, d = a.shape
    _, member = np.unique(np.asarray(range(n) if patients is None else patients).astype(str), return_inverse=True)
    if member.max() + 1 < FOLDS:
        raise ValueError(f"{member.max() + 1} patients: telling towers apart needs {FOLDS} folds of them")
    fold = (rng(seed, "separability", 0, n).permutation(member.max() + 1) % FOLDS)[member]
    rows, side, folds = np.concatenate([a, b]), np.repeat([1.0, -1.0], n), np.tile(fold, 2)
    right = 0
    for each in range(FOLDS):
        fit, test = folds != each, folds == each
        mean = rows[fit].mean(0)
        moved = rows[fit] - mean
        gram = moved.T @ moved
        weights = np.linalg.solve(gram + 1e-3 * max(float(np.trace(gram)) / d, 1e-12) * np.eye(d), moved.T @ side[fit])
        right += int(np.sum((rows[test] - mean) @ weights * side[test] > 0))
    return Reading(right / (2 * n), n, d, 0.5)


@dataclass(frozen=True)
class CrossSpectrum:
    """Singular values (d,) of the cross-covariance X'Y / n of centred normalised towers, descending; `shared` is the exp of their entropy.

    What images and texts have in common: a tower may be rich and share one direction. `strength` is the sum of the values and
    `chance_strength` what permuted pairs give, which few rows make large.
    """

    values: np.ndarray
    shared: float
    strength: float
    chance_strength: float
    n: int
    d: int


def cross_spectrum(x: Features, y: Features, permutations: int = 5, seed: int = 0) -> CrossSpectrum:
    """Spectrum of what two towers (n, d) share over pairs, beside what permuted pairs give (seeded)."""
    a, b = paired(x, y)
    n, d = a.shape
    a, b, draw = a - a.mean(0), b - b.mean(0), rng(seed, "cross spectrum", 0, n)
    values = np.linalg.svd(a.T @ b / n, compute_uv=False)
    values = np.where(values > d * np.finfo(float).eps, values, 0)  # rows have length 1: below is rounding
    noise = [float(np.linalg.svd(a.T @ b[draw.permutation(n)] / n, compute_uv=False).sum()) for _ in range(permutations)]
    return CrossSpectrum(values, exp_entropy(values), float(values.sum()), float(np.mean(noise)), n, d)


def principal_angles(x: Features, y: Features, k: int) -> np.ndarray:
    """Angles (k,) in degrees, smallest first, between the spans of the k largest principal axes of two towers of one width (Bjorck and Golub, 1973).

    Rows need no pairs. Raises ValueError where widths differ or a tower has fewer than k directions.
    """
    axes = []
    for each in (x, y):
        rows = as_array(each).astype(np.float64)
        _, values, right = np.linalg.svd(rows - rows.mean(0), full_matrices=False)
        if np.count_nonzero(values > max(rows.shape) * np.finfo(float).eps * values[0]) < k:
            raise ValueError(f"a tower of shape {rows.shape} has fewer than {k} directions")
        axes.append(right[:k])
    if axes[0].shape != axes[1].shape:
        raise ValueError(f"towers of widths {axes[0].shape[1]} and {axes[1].shape[1]} have no angles")
    cosine = np.linalg.svd(axes[0] @ axes[1].T, compute_uv=False)
    sine = np.linalg.svd(axes[1] - axes[1] @ axes[0].T @ axes[0], compute_uv=False)[::-1]  # exact where the cosine is near 1
    return np.asarray(np.degrees(np.arctan2(np.clip(sine, 0, 1), np.clip(cosine, 0, 1))))


def close_gap(x: Features, y: Features, amount: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Both towers' normalised rows moved towards each other along the difference of their means, `amount` of it in all, and normalised again.

    0 leaves them, 1 removes the mean difference (Liang et al., NeurIPS 2022); what normalising brings back of it stays. Above 1 they pass each other.
    """
    a, b = normalised(x), normalised(y)
    gap = a.mean(0) - b.mean(0)
    return normalised(a - amount / 2 * gap), normalised(b + amount / 2 * gap)


@dataclass(frozen=True)
class Closing:
    """Gap, alignment, retrieval both ways and zero-shot with `amount` of the mean difference removed; `auroc` is None without labels."""

    amount: float
    gap: float
    share: float
    alignment: float
    mean_cosine: tuple[float, float]
    cone_cosine: tuple[float, float]
    forth: Retrieval  # x asks, y is found
    back: Retrieval
    auroc: MacroInterval | None


def closing(
    x: Features,
    y: Features,
    patients: Sequence[str],
    correct: np.ndarray | None = None,
    prompts: tuple[Sequence[np.ndarray], Sequence[np.ndarray]] | None = None,
    labels: np.ndarray | None = None,
    amounts: Sequence[float] = AMOUNTS,
    resamples: int = 1000,
) -> list[Closing]:
    """What becomes of two towers (n, d) of paired rows as their gap is closed.

    `correct` (n, n) bool says which texts belong to which image, the own one alone where none is given. `prompts`: positive and negative vectors
    (t, d) per label, which move with the texts; `labels` (n, k) 1, 0, NaN. Recalls and AUROC have intervals over patients; that two amounts differ
    is not tested.
    """
    a, b = paired(x, y)
    sides, gap, found = both_or_neither(prompts, labels), a.mean(0) - b.mean(0), []
    for amount in amounts:
        u, v = close_gap(a, b, amount)
        spoken = [[each + amount / 2 * gap for each in side] for side in sides]
        found.append(measured(amount, u, v, patients, correct, spoken, labels, resamples))
    return found


def gap_walk(
    x: Features,
    y: Features,
    patients: Sequence[str],
    correct: np.ndarray | None = None,
    prompts: tuple[Sequence[np.ndarray], Sequence[np.ndarray]] | None = None,
    labels: np.ndarray | None = None,
    amounts: Sequence[float] = WALK,
    resamples: int = 300,
) -> list[Closing]:
    """The same with the texts (and prompts) alone moved, by `amount` of the gap: unit rows of `y` + amount * (mean of x - mean of y), in one step.

    At 1 the means coincide, beyond the texts pass the images; images stay. This is the straight line that a map can draw (Liang et al., NeurIPS
    2022); cosines are taken at every place.
    """
    a, b = paired(x, y)
    sides, gap, found = both_or_neither(prompts, labels), a.mean(0) - b.mean(0), []
    for amount in amounts:
        spoken = [[each + amount * gap for each in side] for side in sides]
        found.append(measured(amount, a, b + amount * gap, patients, correct, spoken, labels, resamples))
    return found


def both_or_neither(
    prompts: tuple[Sequence[np.ndarray], Sequence[np.ndarray]] | None, labels: np.ndarray | None
) -> list[list[np.ndarray]]:  # fmt: skip
    """Positive and negative prompts normalised, nothing where there are none; ValueError where they or the labels are missing alone."""
    if (prompts is None) != (labels is None):
        raise ValueError("zero-shot needs prompts and labels; one of them is missing")
    return [[normalised(each) for each in side] for side in prompts or ()]


def measured(
    amount: float,
    u: np.ndarray,
    v: np.ndarray,
    patients: Sequence[str],
    correct: np.ndarray | None,
    sides: Sequence[Sequence[np.ndarray]],
    labels: np.ndarray | None,
    resamples: int,
) -> Closing:
    """Gap, cones, retrieval and zero-shot of two towers (n, d) as they lie, by the cosine."""
    own, cosine = np.eye(len(u), dtype=bool) if correct is None else np.asarray(correct, bool), normalised(u) @ normalised(v).T
    return Closing(
        amount=float(amount),
        gap=float(modality_gap(u, v, normalise=False)),
        share=float(gap_share(u, v)),
        alignment=float(alignment(u, v)),
        mean_cosine=(float(mean_cosine(u)), float(mean_cosine(v))),
        cone_cosine=(float(cone_cosine(u)), float(cone_cosine(v))),
        forth=retrieval(cosine, own, patients, resamples=resamples),
        back=retrieval(cosine.T, own.T, patients, resamples=resamples),
        auroc=None if labels is None else macro_auroc_interval(scores(u, sides[0], sides[1]), labels, np.asarray(patients), resamples),
    )
