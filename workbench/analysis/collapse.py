"""Has the latent space lost directions, scale, or its centre? Rank, scale and offset together, each with what an isotropic cloud would give."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.analysis._interval import Interval, withheld
from workbench.analysis._jackknife import GROUPS, from_leave_outs, group_rows, name, reason, row_kurtosis
from workbench.analysis._moments import Moments, as_array, floor_of, isotropic_eigenvalues, moments
from workbench.embeddings import Embeddings

Features = np.ndarray | Embeddings
STATISTICS = ("effective_rank", "participation_ratio", "uncentred_rank", "feature_std", "offset")


def exp_entropy(values: np.ndarray) -> np.ndarray:
    """exp of the entropy of non-negative values (…, d) normalised to sum 1; 0 where all are 0."""
    total = values.sum(-1, keepdims=True)
    share = values / np.where(total > 0, total, 1)
    entropy = -np.sum(share * np.log(np.where(share > 0, share, 1)), -1)
    return np.where(total[..., 0] > 0, np.exp(entropy), 0.0)


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.where(below > 0, above / np.where(below > 0, below, 1), 0.0)


def ranks_of(eigenvalues: np.ndarray) -> dict[str, np.ndarray]:
    """Statistics of eigenvalues (…, d) of a scatter that ask for no more."""
    return {
        "effective_rank": exp_entropy(np.sqrt(eigenvalues)),
        "participation_ratio": ratio(eigenvalues.sum(-1) ** 2, (eigenvalues**2).sum(-1)),
        "nesum": ratio(eigenvalues.sum(-1), eigenvalues.max(-1)),
    }


def statistics_of(found: Moments, floor: float = 0.0) -> dict[str, np.ndarray]:
    """The statistics of a look (g,) for each of g sets of rows."""
    eigenvalues, uncentred = found.eigenvalues(True, floor), found.eigenvalues(False, floor)
    ranks = ranks_of(eigenvalues)
    square, trace = np.sum(found.mean**2, -1), eigenvalues.sum(-1) / found.n
    return {
        "effective_rank": ranks["effective_rank"],
        "participation_ratio": ranks["participation_ratio"],
        "uncentred_rank": exp_entropy(np.sqrt(uncentred)),
        "feature_std": np.sqrt(trace / found.d),
        "offset": ratio(square, square + trace),
    }


def ceiling(statistic: str, n: int, d: int) -> float | None:
    """What an isotropic Gaussian cloud around zero of this (n, d) gives on average; None where scale decides."""
    if statistic == "offset":
        return 1 / n
    if statistic in ("effective_rank", "participation_ratio", "nesum"):
        return float(ranks_of(isotropic_eigenvalues(n - 1, d))[statistic].mean())
    if statistic == "uncentred_rank":
        return float(exp_entropy(np.sqrt(isotropic_eigenvalues(n, d))).mean())
    return None


@dataclass(frozen=True)
class Geometry:
    """One look at features (n, d): rank, scale and offset with intervals, and the singular values of the centred rows."""

    n: int
    d: int
    patients: int | None
    procedure: str
    row_kurtosis: float
    mean_norm: float
    effective_rank: Interval
    participation_ratio: Interval
    uncentred_rank: Interval
    feature_std: Interval
    offset: Interval
    spectrum: np.ndarray

    @property
    def limited(self) -> bool:
        """Too few rows for the ranks to be more than a lower bound: N < 4 d."""
        return self.n < 4 * self.d

    def as_dict(self) -> dict[str, Any]:
        """Plain numbers for geometry.json."""
        head = {key: getattr(self, key) for key in ("n", "d", "patients", "procedure", "row_kurtosis", "mean_norm")}
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
    part = None if patients is None else group_rows(patients, n_groups)
    found = moments(rows, part)
    whole = found.all()
    values = {key: float(value[0]) for key, value in statistics_of(whole, floor).items()}
    count = None if patients is None else len(set(map(str, patients)))
    why = "rows without patients" if count is None else reason(rows, part, n_groups, count)
    if why:
        intervals = {key: withheld(value, why) for key, value in values.items()}
    else:
        left_out = statistics_of(found.without([[each] for each in range(n_groups)]), floor)
        intervals = {key: from_leave_outs(value, left_out[key], level, name(n_groups, level)) for key, value in values.items()}
    return Geometry(
        n=len(rows),
        d=rows.shape[1],
        patients=count,
        procedure="" if why else name(n_groups, level),
        row_kurtosis=row_kurtosis(rows),
        mean_norm=float(np.linalg.norm(whole.mean[0])),
        spectrum=np.sqrt(whole.eigenvalues(True, floor)[0]),
        **intervals,
    )


@dataclass(frozen=True)
class Reading:
    """A number read from features (n, d)."""

    value: float
    n: int
    d: int
    ceiling: float | None = None

    def __float__(self) -> float:
        return self.value


def reading(z: Features, formula: Callable[[Moments, float], float], statistic: str = "") -> Reading:
    rows = as_array(z)
    value = float(formula(moments(rows), floor_of(z)))
    return Reading(value, *rows.shape, ceiling=ceiling(statistic, *rows.shape) if statistic else None)


def effective_rank(z: Features, centred: bool = True) -> Reading:
    """exp of the entropy of the normalised singular values (Roy and Vetterli, EUSIPCO 2007); no epsilon."""
    name = "effective_rank" if centred else "uncentred_rank"
    return reading(z, lambda found, floor: exp_entropy(np.sqrt(found.eigenvalues(centred, floor)))[0], name)


def participation_ratio(z: Features) -> Reading:
    """(sum of eigenvalues)^2 / sum of their squares, of the covariance."""
    return reading(z, lambda found, floor: ranks_of(found.eigenvalues(True, floor))["participation_ratio"][0], "participation_ratio")


def nesum(z: Features) -> Reading:
    """Sum of the eigenvalues of the covariance over the largest (He and Ozay, ICML 2022)."""
    return reading(z, lambda found, floor: ranks_of(found.eigenvalues(True, floor))["nesum"][0], "nesum")


def feature_std(z: Features) -> Reading:
    """Root of the mean variance of a column."""
    return reading(z, lambda found, floor: np.sqrt(np.trace(found.scatter()[0]) / found.n[0] / found.d))


def offset(z: Features) -> Reading:
    """|mean|^2 / mean |z|^2: 0 for a centred cloud, 1 for a point; an isotropic cloud around zero gives 1 / n."""
    return reading(z, lambda found, floor: statistics_of(found, floor)["offset"][0], "offset")
