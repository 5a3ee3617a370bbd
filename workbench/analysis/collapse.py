"""Has the latent space lost directions, scale, or its centre? Rank, scale and offset together, each with what an isotropic cloud would give."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from workbench.analysis._interval import Interval, withheld
from workbench.analysis._jackknife import (
    GROUPS,
    Parts,
    around,
    group_rows,
    pairs_of,
    procedure,
    reason,
    row_fourth,
    row_kurtosis,
    standard_error,
)
from workbench.analysis._moments import Moments, as_array, eigenvalues, floor_of, moments, seen
from workbench.analysis._reading import ENOUGH, Features, Reading, ceiling, exp_entropy, normalised, participation, ratio, reading
from workbench.analysis.classes import lidar
from workbench.analysis.sentinel import Look, Verdict, sentinel
from workbench.randomness import rng

__all__ = [
    "STATISTICS",
    "Geometry",
    "Look",
    "Reading",
    "Verdict",
    "alignment",
    "alpha_req",
    "ceiling",
    "class_scales",
    "effective_rank",
    "exp_entropy",
    "explained_area",
    "feature_std",
    "isoscore",
    "lidar",
    "modality_gap",
    "nesum",
    "offset",
    "participation_ratio",
    "rankme",
    "sentinel",
    "spectral_rank",
    "stable_rank",
    "summarise",
    "uniformity",
    "unit_std",
]
NO_LABEL = "none of these"  # among the classes: rows with no label present
STATISTICS = ("effective_rank", "participation_ratio", "uncentred_rank", "feature_std", "offset")


def statistics_of(found: Moments, centred: np.ndarray, uncentred: np.ndarray) -> dict[str, float]:
    """The statistics of a look, from moments and the eigenvalues (d,) of both scatters."""
    square = float(np.sum(found.mean**2))
    return {
        "effective_rank": exp_entropy(np.sqrt(centred)),
        "participation_ratio": participation(centred),
        "uncentred_rank": exp_entropy(np.sqrt(uncentred)),
        "feature_std": float(np.sqrt(found.variance / found.d)),
        "offset": ratio(square, square + found.variance),
    }


@dataclass(frozen=True)
class Geometry:
    """One look at features (n, d): rank, scale and offset with intervals, and the singular values of the centred rows."""

    n: int
    d: int
    patients: int | None
    procedure: str
    row_kurtosis: float
    row_fourth: float
    mean_norm: float
    effective_rank: Interval
    participation_ratio: Interval
    uncentred_rank: Interval
    feature_std: Interval
    offset: Interval
    spectrum: np.ndarray

    @property
    def limited(self) -> bool:
        """Too few rows for the ranks to be more than a lower bound: N < 4 d; their intervals are withheld."""
        return self.n < ENOUGH * self.d

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers for geometry.json."""
        head = {key: getattr(self, key) for key in ("n", "d", "patients", "procedure", "row_kurtosis", "row_fourth", "mean_norm")}
        for key in STATISTICS:
            found: Interval = getattr(self, key)
            head[key] = {
                "value": found.value,
                "low": found.low,
                "high": found.high,
                "why": found.why,
                "ceiling": ceiling(key, self.n, self.d),
            }
        return head | {"spectrum": self.spectrum.tolist()}


def summarise(z: Features, patients: Sequence[object] | None, n_groups: int = GROUPS, level: float = 0.95) -> Geometry:
    """Geometry of features (n, d); intervals where `patients` (n,) are given and the jackknife is valid."""
    rows, floor = as_array(z), floor_of(z)
    n, d = rows.shape
    whole, spectrum = moments(rows), eigenvalues(rows, True, floor)
    values = statistics_of(whole, spectrum, eigenvalues(rows, False, floor))
    count, part = (None, None) if patients is None else (len(set(map(str, patients))), group_rows(patients, n_groups))
    why = "rows without patients" if count is None else reason(rows, part, n_groups, count)
    name = "" if why or count is None else procedure(n_groups, level, count, n > count)
    if why or part is None:
        intervals = {key: withheld(value, why) for key, value in values.items()}
    else:
        intervals = jackknifed(rows, part, values, floor, level, name)
    return Geometry(
        n=n,
        d=d,
        patients=count,
        procedure=name,
        row_kurtosis=row_kurtosis(rows),
        row_fourth=row_fourth(rows),
        mean_norm=float(np.linalg.norm(whole.mean)),
        spectrum=np.sqrt(spectrum),
        **intervals,
    )


def jackknifed(rows: np.ndarray, part: np.ndarray, values: dict[str, float], floor: float, level: float, name: str) -> dict[str, Interval]:
    """Intervals of all statistics at once: every leave-out is one subtraction and two eigendecompositions."""
    parts, few = Parts(rows, part), len(rows) < ENOUGH * rows.shape[1]
    n_groups, names = len(parts.sizes), [name for name in STATISTICS if not few or name in ("feature_std", "offset")]

    def left_out(sets: Sequence[Sequence[int]]) -> np.ndarray:
        found = []
        for each in parts.without(sets):
            share = floor * each.n / len(rows)
            none = np.zeros(1)
            both = (none, none) if few else (seen(each.eigenvalues(True), share), seen(each.eigenvalues(False), share))
            of_each = statistics_of(each, *both)
            found.append([of_each[name] for name in names])
        return np.array(found)

    evenness = 0.0 if few else parts.evenness()
    two = left_out(pairs_of(n_groups)) if evenness else None
    errors = standard_error(np.array([values[name] for name in names]), left_out(parts.singles), two, parts.sizes, evenness)
    found = {key: around(values[key], error, n_groups, level, name) for key, error in zip(names, errors)}
    why = f"{len(rows)} rows for {rows.shape[1]} dimensions, fewer than {ENOUGH} each: the number of rows decides the rank"
    return {name: found.get(name) or withheld(values[name], why) for name in STATISTICS}


def class_scales(z: Features, labels: np.ndarray, names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Of the rows (n, d) of every label that is present in `labels` (n, c), and of those with none: how many, and their `feature_std` alone."""
    rows = as_array(z)
    return {name: {"n": int(own.sum()), "std": float(feature_std(rows[own]))} for name, own in class_rows(labels, names).items()}


def class_rows(labels: np.ndarray, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Which rows (n,) bool have each label of `labels` (n, c) present, and which have none; those that some row has."""
    present: Any = np.asarray(labels) > 0.5
    parts: dict[str, np.ndarray] = {name: present[:, column] for column, name in enumerate(names)} | {NO_LABEL: ~present.any(1)}
    return {name: own for name, own in parts.items() if own.any()}


def effective_rank(z: Features, centred: bool = True) -> Reading:
    """exp of the entropy of the normalised singular values (Roy and Vetterli, EUSIPCO 2007); no epsilon."""
    return reading(z, "effective_rank" if centred else "uncentred_rank")


def participation_ratio(z: Features) -> Reading:
    """(sum of eigenvalues)^2 / sum of their squares, of the covariance (Gao et al., 2017)."""
    return reading(z, "participation_ratio")


def nesum(z: Features) -> Reading:
    """Sum of the eigenvalues of the covariance over the largest (He and Ozay, ICML 2022)."""
    return reading(z, "nesum")


def stable_rank(z: Features) -> Reading:
    """|Z|_F^2 / |Z|_2^2 of the rows as they are, not centred (Rudelson and Vershynin, J. ACM 2007): 1 where one direction, or the mean, holds all."""
    return reading(z, "stable_rank")


def spectral_rank(z: Features) -> Reading:
    """exp of the entropy of the normalised eigenvalues of the covariance, 1 to d (von Neumann entropy: Kim et al., CVPR 2023)."""
    return reading(z, "spectral_rank")


def explained_area(z: Features) -> Reading:
    """Area under the cumulative explained variance, mean over k = 1..d (Li, Efros and Pathak, ECCV 2022): 1 for a line, (d + 1) / 2d for equal eigenvalues."""
    return reading(z, "explained_area")


def rankme(z: Features) -> Reading:
    """As published (Garrido et al., ICML 2023): uncentred, epsilon 1e-7 after normalising, so it may exceed d slightly.

    The ceiling is without the epsilon, which adds d * 1e-7 * log(1e7) at most to the entropy. Larger ones break it: 1e-5 reads 797 of 768.
    """
    rows = as_array(z)
    n, d = rows.shape
    singular = np.sqrt(eigenvalues(rows, False, floor_of(z))[: min(n, d)])
    share = singular / max(singular.sum(), np.finfo(float).tiny) + 1e-7
    return Reading(float(np.exp(-np.sum(share * np.log(share)))), n, d, ceiling("uncentred_rank", n, d))


def alpha_req(z: Features) -> Reading:
    """Exponent a of eigenvalue ~ place^-a by least squares on logarithms (Agrawal et al., NeurIPS 2022), of all above 1e-10 of the largest."""
    return reading(z, "alpha_req")


def isoscore(z: Features) -> Reading:
    """0 for a line to 1 for an isotropic cloud (Rudman et al., ACL Findings 2022), which is (participation ratio - 1) / (d - 1)."""
    return reading(z, "isoscore")


def feature_std(z: Features) -> Reading:
    """Root of the mean variance of a column."""
    rows = as_array(z)
    return Reading(float(np.sqrt(moments(rows).variance / rows.shape[1])), *rows.shape)


def offset(z: Features) -> Reading:
    """|mean|^2 / mean |z|^2: 0 for a centred cloud, 1 for a point; an isotropic cloud around zero gives 1 / n."""
    rows = as_array(z)
    found, (n, d) = moments(rows), rows.shape
    square = float(np.sum(found.mean**2))
    return Reading(ratio(square, square + found.variance), n, d, ceiling("offset", n, d))


def unit_std(z: Features) -> Reading:
    """Mean standard deviation of a column of normalised rows (Chen and He, SimSiam, CVPR 2021): 1 / sqrt(d) isotropic, 0 where all rows point one way.

    The rows' scale and order leave it, rotations do not (a mean of roots over columns). It sees the mean: a constant with noise reads 0
    whatever the noise's rank.
    """
    rows = normalised(z)
    n, d = rows.shape
    return Reading(float(rows.std(0).mean()), n, d, float(np.sqrt((1 - 1 / n) / d)))


def uniformity(z: Features, t: float = 2, pairs: Literal["all"] | int = "all") -> Reading:
    """log of the mean of exp(-t |x - y|^2) over pairs of different normalised rows, all or so many drawn (Wang and Isola, ICML 2020)."""
    rows = normalised(z)
    n = len(rows)
    if n < 2:
        raise ValueError("uniformity needs two rows")
    if pairs == "all":
        total = 0.0
        for start in range(0, n, 1024):
            total += float(np.exp(-t * np.maximum(2 - 2 * rows[start : start + 1024] @ rows.T, 0)).sum())
        mean = (total - n) / (n * (n - 1))
    else:
        draw = rng(0, "uniformity", 0, n)
        first = draw.integers(n, size=pairs)
        second = (first + draw.integers(1, n, size=pairs)) % n
        mean = float(np.mean(np.exp(-t * np.sum((rows[first] - rows[second]) ** 2, 1))))
    return Reading(float(np.log(mean)), *rows.shape)


def alignment(x: Features, y: Features) -> Reading:
    """Mean |x - y|^2 of normalised pairs (n, d), 0 to 4 (Wang and Isola, ICML 2020)."""
    a, b = normalised(x), normalised(y)
    if a.shape != b.shape:
        raise ValueError(f"pairs need equal shapes; got {a.shape} and {b.shape}")
    return Reading(float(np.mean(np.sum((a - b) ** 2, 1))), *a.shape)


def modality_gap(x: Features, y: Features, normalise: bool = True) -> Reading:
    """Distance of the means of two clouds (n, d) and (m, d), rows normalised first (Liang et al., NeurIPS 2022). ValueError where widths differ."""
    a, b = (normalised(x), normalised(y)) if normalise else (as_array(x).astype(np.float64), as_array(y).astype(np.float64))
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"clouds of widths {a.shape[1]} and {b.shape[1]} share no space: their means have no distance")
    return Reading(float(np.linalg.norm(a.mean(0) - b.mean(0))), *a.shape)
