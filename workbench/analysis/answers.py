"""What a search found: images and reports with their similarity beside what is usual, shared labels, and what the untrained network answers."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.analysis.search import Index, Shared, Usual, near, share_below
from workbench.embeddings import Embeddings
from workbench.run import read_json


@dataclass(frozen=True)
class List:
    """The nearest studies of one kind, nearest first: cosines (k,), beside the quantiles of what is usual between such pairs, of the n that could answer.

    `own` is the rank of the query's own study where it has one and that may answer.
    """

    kind: str
    keys: tuple[str, ...]
    similarity: tuple[float, ...]
    usual_pairs: tuple[float, ...]
    usual_best: tuple[float, ...]
    n: int
    left_out: int
    exact: bool
    recall: float
    own: int | None = None

    @property
    def usual(self) -> Usual:
        """What is usual between such pairs."""
        return Usual(np.array(self.usual_pairs), np.array(self.usual_best))

    @property
    def above(self) -> tuple[float, ...]:
        """For each answer the share of pairs taken at random that are less similar."""
        return tuple(share_below(np.array(self.usual_pairs), value) for value in self.similarity)

    @property
    def strength(self) -> float:
        """The share of the set's own queries whose best answer is less similar than this one's."""
        return self.usual.best_above(self.similarity[0])


@dataclass(frozen=True)
class Answers:
    """What a query found at a look of a run. `query` is its words, the key of its study or `an image handed in`.

    `untrained` answers the same query, `agreeing` of its answers are among the first `images`; where there is none `why_untrained` says why.
    `labels`: which labels the images share. `unread`: share of the words' tokens that the text tower does not know, and whether it was cut.
    """

    run: str
    step: int
    feature: str
    query: str
    kind: str
    images: List
    reports: List | None
    untrained: List | None
    labels: tuple[Shared, ...]
    prevalence_of: int
    why_reports: str = ""
    why_untrained: str = ""
    unknown: float = 0.0
    cut: bool = False

    @property
    def agreeing(self) -> int:
        """How many images the untrained network finds, too."""
        return len(set(self.images.keys) & set(self.untrained.keys)) if self.untrained else 0

    @property
    def agreeing_by_chance(self) -> float:
        """How many two random lists of this length share."""
        return len(self.images.keys) * len(self.untrained.keys) / max(self.untrained.n, 1) if self.untrained else 0.0

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def of_dict(cls, values: Mapping[str, Any]) -> "Answers":
        """What `as_dict` gave, also through JSON."""
        lists = {name: plain(values[name]) if values[name] else None for name in ("images", "reports", "untrained")}
        return cls(**dict(values) | lists | {"labels": tuple(Shared(**row) for row in values["labels"])})


def plain(values: Mapping[str, Any]) -> List:
    """A list from JSON."""
    tuples = {name: tuple(values[name]) for name in ("keys", "similarity", "usual_pairs", "usual_best")}
    return List(**dict(values) | tuples)


def answer(
    kind: str, among: Embeddings, index: Index, usual: Usual, vector: np.ndarray, k: int, leave_out: Sequence[str] = (), own: str | None = None
) -> List:  # fmt: skip
    """The k nearest of `among` to a vector (d,), without `leave_out`; the rank of the study `own` among all."""
    found = near(among, vector, k, leave_out, index)
    rank = None
    if own is not None and own not in leave_out and own in among.keys:
        similarity = index.similarities(vector)[0]
        place = np.flatnonzero(index.rows == among.keys.index(own))
        rank = int(1 + np.sum(similarity > similarity[place[0]])) if len(place) else None
    quantiles = tuple(map(float, usual.pairs)), tuple(map(float, usual.best))
    n = len(index) - len(set(leave_out) & set(among.keys))
    return List(kind, found.keys, tuple(map(float, found.similarity)), *quantiles, n, index.left_out, index.exact, index.recall, rank)


def read(folder: Path) -> Answers:
    """What the job `search` wrote."""
    return Answers.of_dict(read_json(folder / "found.json"))
