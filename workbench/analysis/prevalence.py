"""How common is each finding, and which come together?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.analysis._interval import Interval
from workbench.analysis.decisions import share_interval


@dataclass(frozen=True)
class Prevalence:
    """One label in one split: the share of the studies that state it in which it is present, and the patients behind that."""

    label: str
    split: str
    share: Interval
    positive: int  # patients with it in one study at least
    stated: int  # patients of whom it is stated
    studies: int  # in which it is stated


@dataclass(frozen=True)
class Together:
    """Labels (k) and, for row i and column j, how often j is present where i is.

    `share` (k, k): of the studies in which i is present and j is stated, NaN where there are none; `alone` (k): of all in which j is stated;
    `studies` (k, k): in which both are present; `of` (k, k): in which i is present and j stated.
    """

    labels: tuple[str, ...]
    share: np.ndarray
    alone: np.ndarray
    studies: np.ndarray
    of: np.ndarray


def prevalence(
    labels: np.ndarray, names: Sequence[str], patients: Sequence[object] | np.ndarray, splits: Mapping[str, np.ndarray]
) -> tuple[Prevalence, ...]:
    """For labels (n, k; 1 present, 0 absent, NaN not stated) every label in every split (rows), with Wilson's interval clustered by patient."""
    labels, patients = np.asarray(labels, float), np.asarray(patients).astype(str)
    found = []
    for column, name in enumerate(names):
        for split, rows in splits.items():
            values, who = labels[rows, column], patients[rows]
            known = np.isfinite(values)
            present = values[known] > 0.5
            found.append(
                Prevalence(
                    name,
                    split,
                    share_interval(present, who[known]),
                    len(set(who[known][present])),
                    len(set(who[known])),
                    int(known.sum()),
                )
            )
    return tuple(found)


def together(labels: np.ndarray, names: Sequence[str]) -> Together:
    """Which of the labels (n, k) are present in the same studies."""
    labels = np.asarray(labels, float)
    present, stated = (labels > 0.5).astype(float), np.isfinite(labels).astype(float)
    both, of = present.T @ present, present.T @ stated
    with np.errstate(invalid="ignore", divide="ignore"):
        share, alone = both / of, present.sum(0) / stated.sum(0)
    return Together(tuple(names), share, alone, both.astype(int), of.astype(int))
