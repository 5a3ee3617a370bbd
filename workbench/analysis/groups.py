"""Does a score serve everyone? AUROC, sensitivity and specificity by sex, age band and view."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.analysis.decisions import share_interval
from workbench.analysis.statistics import Interval, auroc_interval

AGES = (40, 60, 80)  # years: the bands' borders, fixed before any score was seen
KINDS = ("sex", "age", "view")
MOST = 8  # values of one kind; of more the largest are kept


@dataclass(frozen=True)
class Group:
    """One subgroup of the studies judged: what it is by, its name, its size and what the scores are worth in it."""

    kind: str
    name: str
    rows: int
    patients: int
    positive: int
    auroc: Interval
    sensitivity: Interval
    specificity: Interval


def age_band(age: float) -> str:
    """`under 40`, `40 to 59`, `60 to 79`, `80 and over`; "" where the age is not known."""
    if not np.isfinite(age):
        return ""
    below = [border for border in AGES if border <= age]
    if not below:
        return f"under {AGES[0]}"
    after = [border for border in AGES if border > age]
    return f"{below[-1]} to {after[0] - 1}" if after else f"{below[-1]} and over"


def memberships(covariates: Mapping[str, np.ndarray], studies: np.ndarray) -> list[tuple[str, str, np.ndarray]]:
    """(kind, name, rows (n,) bool) of every subgroup of the given studies that the data set knows; the youngest first, else by name."""
    found = []
    for kind in KINDS:
        if kind not in covariates:
            continue
        values = np.asarray(covariates[kind])[studies]
        bands = np.array([age_band(float(value)) if kind == "age" else " ".join(str(value).split()) for value in values])
        names, counts = np.unique(bands[bands != ""], return_counts=True)
        kept = names[np.argsort(-counts, kind="stable")[:MOST]]
        order = sorted(kept, key=lambda name: (name != f"under {AGES[0]}", name)) if kind == "age" else sorted(kept)
        found += [(kind, str(name), bands == name) for name in order]
    return found


def by_group(
    scores: np.ndarray,
    labels: np.ndarray,
    called: np.ndarray,
    patients: Sequence[object] | np.ndarray,
    covariates: Mapping[str, np.ndarray],
    studies: np.ndarray,
) -> list[Group]:
    """Every subgroup of `studies` (indices of the data set, n) for one label: scores, labels (NaN left out) and decisions `called` (n,)."""
    patients, labels = np.asarray(patients).astype(str), np.asarray(labels, float)
    known, found = np.isfinite(labels), []
    for kind, name, inside in memberships(covariates, studies):
        own = inside & known
        if own.any():
            present, absent = own & (labels > 0.5), own & (labels < 0.5)
            auroc = auroc_interval(scores[own], labels[own], patients[own])
            rates = share_interval(called[present], patients[present]), share_interval(~called[absent], patients[absent])
            found.append(Group(kind, name, int(own.sum()), len(np.unique(patients[own])), int(present.sum()), auroc, *rates))
    return found
