"""What does a contrast want of a batch, and what are its images and reports? Targets and cosines with their top singular pair. The model runs in workbench/comparing.py."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from workbench.run import read_json

ARRAYS = ("cosines", "targets", "positives")
TIE = 1e-3  # relative gap of the two largest singular values below which their vectors are no more than a choice
Which = Literal["targets", "cosines"]


class Pair(NamedTuple):
    """The largest singular value of a matrix, its left (rows) and right (columns) vector, and how many values come as near as a tie."""

    value: float
    left: np.ndarray
    right: np.ndarray
    ties: int


@dataclass(frozen=True)
class Compared:
    """A batch of b studies at one snapshot: cosines (b b) of images (rows) and reports, targets (b b) with rows that sum to 1, positives (b b).

    `named`: the findings of each study. `untrained` is the largest singular value of the cosines before the first step.
    """

    run: str
    step: int
    keys: tuple[str, ...]
    named: tuple[str, ...]
    source: str  # what makes two studies alike: labels, entities, text, hard
    cosines: np.ndarray
    targets: np.ndarray
    positives: np.ndarray
    untrained: float

    def matrix(self, which: Which) -> np.ndarray:
        """`targets` or `cosines`, (b b)."""
        return self.targets if which == "targets" else self.cosines

    def share(self, positive: bool) -> float | None:
        """Largest singular value of the cosines above 0 of pairs that match (or do not), as a share of its most, all of them 1.

        What `svd_masked` raises and lowers; None where there is no such pair.
        """
        mask = self.positives if positive else ~self.positives
        most = top_pair(mask.astype(float)).value
        return top_pair(np.maximum(self.cosines, 0) * mask).value / most if most else None

    def mean(self, positive: bool) -> float | None:
        """Mean cosine of pairs that match, or do not; None where there is no such pair."""
        values = self.cosines[self.positives if positive else ~self.positives]
        return float(values.mean()) if values.size else None

    def ordered(self) -> "Compared":
        """The same with studies that are alike beside each other."""
        order = chain(self.targets)
        keys, named = (tuple(each[place] for place in order) for each in (self.keys, self.named))
        arrays = {name: getattr(self, name)[np.ix_(order, order)] for name in ARRAYS}
        return replace(self, keys=keys, named=named, **arrays)


def top_pair(matrix: np.ndarray) -> Pair:
    """The top singular pair of a matrix (m n), its sign such that the right vector sums to at least 0; zeros for a matrix of zeros."""
    a = np.asarray(matrix, np.float64)
    if not a.size or not a.any():
        return Pair(0.0, np.zeros(a.shape[0]), np.zeros(a.shape[1]), 0)
    left, values, right = np.linalg.svd(a, full_matrices=False)
    sign = -1.0 if right[0].sum() < 0 else 1.0
    return Pair(float(values[0]), sign * left[:, 0], sign * right[0], int((values > values[0] * (1 - TIE)).sum()))


def chain(alike: np.ndarray) -> list[int]:
    """An order of rows in which each is followed by the one, of those left, most like it; it begins with row 0."""
    symmetric = np.asarray(alike, np.float64) + np.asarray(alike, np.float64).T
    order, left = [0] if len(symmetric) else [], list(range(1, len(symmetric)))
    while left:
        order.append(max(left, key=lambda place: (symmetric[order[-1], place], -place)))
        left.remove(order[-1])
    return order


def read(folder: Path) -> Compared:
    """What the job `compared` wrote, alike studies beside each other."""
    facts = read_json(folder / "found.json")
    arrays = {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in ARRAYS}
    return Compared(**facts | {"keys": tuple(facts["keys"]), "named": tuple(facts["named"])}, **arrays).ordered()
