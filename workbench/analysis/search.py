"""Which images or reports lie nearest to a vector, how near that is for this space, and which labels the answers share."""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.stats import hypergeom

from workbench.analysis._reading import unit
from workbench.cache import cache_root
from workbench.embeddings import Embeddings
from workbench.errors import UserError
from workbench.randomness import rng

EXACT = 50_000  # rows from which on a graph of neighbours is asked instead of all rows
NEIGHBOURS, EPSILON = 30, 0.2  # of that graph, and how far beyond the best it looks
SAMPLE, AMONG = 100, 10  # own rows for which the graph's answers are compared with the exact ones, and how many answers
ASKING = 256  # rows whose similarities to all say what is usual


def usable(rows: np.ndarray) -> np.ndarray:
    """Which rows (n, d) are finite and not zero: those with a direction."""
    return np.flatnonzero(np.isfinite(rows).all(1) & np.any(rows != 0, 1))


class Index:
    """Rows (n, d) by cosine: all are compared below `EXACT` rows; from there on a graph of neighbours is asked (Dong, Moses and Li, WWW 2011).

    Rows that are not finite or zero are never found; `left_out` counts them. Raises UserError where no other row is left.
    """

    def __init__(self, features: np.ndarray, exact: bool | None = None, seed: int = 0) -> None:
        rows = np.asarray(features)
        self.rows = usable(rows)
        if not len(self.rows):
            raise UserError(f"search: none of {len(rows)} rows is finite and has a direction; choose another feature or checkpoint")
        self.unit = unit(rows if len(self.rows) == len(rows) else rows[self.rows]).astype(np.float32)
        self.left_out, self.seed = len(rows) - len(self.rows), seed
        self.exact = len(self.rows) < EXACT if exact is None else exact

    def __len__(self) -> int:
        return len(self.rows)

    def asked(self, vectors: np.ndarray) -> np.ndarray:
        """Queries (q, d) as unit rows. Raises UserError for another width, or one without a direction."""
        given = np.atleast_2d(np.asarray(vectors, np.float64))
        if given.shape[1] != self.unit.shape[1]:
            raise UserError(f"search: a query of {given.shape[1]} dimensions among rows of {self.unit.shape[1]}; ask in the same space")
        if len(usable(given)) < len(given):
            raise UserError("search: the query's vector is zero or not finite: it has no direction; choose another checkpoint")
        return unit(given).astype(np.float32)

    def similarities(self, vectors: np.ndarray) -> np.ndarray:
        """Cosine (q, n) of queries (q, d) to every row that can be found, in the order of `.rows`."""
        return np.asarray(self.asked(vectors) @ self.unit.T)

    def nearest(self, vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows (q, k) of the features given, most similar first, equal ones in their order, and their cosines (q, k); all where there are fewer."""
        if k < 1:
            raise UserError(f"search: {k} neighbours; ask for at least one")
        return self._compared(vectors, min(k, len(self))) if self.exact else self._by_graph(vectors, min(k, len(self)))

    def _compared(self, vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        cosine = self.similarities(vectors)
        found = np.stack([first(row, k) for row in cosine])
        return self.rows[found], np.take_along_axis(cosine, found, 1)

    def _by_graph(self, vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        asked = self.asked(vectors)
        found, _ = self.graph.query(asked, k=k, epsilon=EPSILON)
        cosine = np.where(found >= 0, np.einsum("qd,qkd->qk", asked, self.unit[found]), -np.inf)
        order = np.argsort(-cosine, axis=1, kind="stable")
        found, cosine = np.take_along_axis(found, order, 1), np.take_along_axis(cosine, order, 1)
        for short in np.flatnonzero(found[:, -1] < 0):  # the graph came to an end before k rows
            found[short] = first(asked[short] @ self.unit.T, k)
            cosine[short] = asked[short] @ self.unit[found[short]].T
        return self.rows[found], cosine

    @cached_property
    def graph(self) -> Any:
        """The graph of neighbours, built when it is first asked."""
        compiled = cache_root() / "numba"
        compiled.mkdir(parents=True, exist_ok=True)
        os.environ.setdefault("NUMBA_CACHE_DIR", str(compiled))
        from pynndescent import NNDescent

        built = NNDescent(self.unit, metric="dot", n_neighbors=NEIGHBOURS, random_state=self.seed)
        built.prepare()
        return built

    @cached_property
    def recall(self) -> float:
        """Share of the exact nearest that `nearest` finds, over a sample of its own rows; 1 where all rows are compared."""
        if self.exact:
            return 1.0
        sample = self.unit[rng(self.seed, "index recall", 0, len(self)).choice(len(self), min(SAMPLE, len(self)), replace=False)]
        k = min(AMONG, len(self))
        pairs = zip(self._by_graph(sample, k)[0], self._compared(sample, k)[0])
        return float(np.mean([len(set(got) & set(true)) / k for got, true in pairs]))


def first(similarity: np.ndarray, k: int) -> np.ndarray:
    """Places (k,) of the largest of (n,), largest first, equal ones in their order."""
    if k < len(similarity):
        edge = np.partition(similarity, -k)[-k]
        above = np.flatnonzero(similarity > edge)
        kept = np.concatenate([above, np.flatnonzero(similarity == edge)[: k - len(above)]])
    else:
        kept = np.arange(len(similarity))
    return kept[np.lexsort((kept, -similarity[kept]))]


@dataclass(frozen=True)
class Near:
    """What lies nearest: keys, rows of the features, and cosines (k,), nearest first."""

    keys: tuple[str, ...]
    rows: np.ndarray
    similarity: np.ndarray


def near(embeddings: Embeddings, vector: np.ndarray, k: int, leave_out: Collection[str] = (), index: Index | None = None) -> Near:
    """The k studies nearest to a vector (d,) of the same space, without those of `leave_out`; fewer where there are no more.

    `index` is one of these embeddings, made once for many calls. Raises UserError for a vector of another width or without a direction.
    """
    known = index or Index(embeddings.features)
    rows, cosine = (found[0] for found in known.nearest(vector, k + len(leave_out)))
    kept = [place for place, row in enumerate(rows) if embeddings.keys[row] not in leave_out][:k]
    return Near(tuple(embeddings.keys[row] for row in rows[kept]), rows[kept], cosine[kept])


@dataclass(frozen=True)
class Usual:
    """Quantiles (101,) of the similarities of this kind of pair: of `pairs` taken at random, and of the `best` answer to each of the set's own queries."""

    pairs: np.ndarray
    best: np.ndarray

    def above(self, value: float) -> float:
        """The share of pairs taken at random that are less similar."""
        return share_below(self.pairs, value)

    def best_above(self, value: float) -> float:
        """The share of the set's own queries whose best answer is less similar: near 0, the query means nothing to the network."""
        return share_below(self.best, value)


def share_below(values: np.ndarray, value: float) -> float:
    """The share of values below; equal ones count half."""
    return float(np.mean(values < value) + np.mean(values <= value)) / 2


def usual(asking: np.ndarray, index: Index, own: Sequence[object], of: Sequence[object], seed: int = 0) -> Usual:
    """What is usual between rows (q, d) that ask, of patients `own` (q,), and those of an index, of patients `of` (n,): never of one patient.

    A sample of at most 256 asks. Raises UserError where all are of one patient.
    """
    rows = usable(np.asarray(asking))
    chosen = rows[np.sort(rng(seed, "usual", 0, len(rows)).permutation(len(rows))[:ASKING])]
    _, number = np.unique(np.concatenate([np.asarray(own).astype(str), np.asarray(of).astype(str)]), return_inverse=True)
    mine, theirs = number[: len(own)][chosen], number[len(own) :][index.rows]
    cosine = index.similarities(np.asarray(asking)[chosen])
    other = mine[:, None] != theirs
    if not other.any():
        raise UserError("search: all rows are of one patient; similarities of different patients are what a result is held against")
    best = np.where(other, cosine, -np.inf).max(1)
    grid = np.linspace(0, 1, 101)
    return Usual(np.quantile(cosine[other], grid), np.quantile(best[np.isfinite(best)], grid))


@dataclass(frozen=True)
class Shared:
    """One label among the answers: present in how many of those that state it, its prevalence in the set, and how often as many come by chance."""

    label: str
    present: int
    stated: int
    prevalence: float
    chance: float


def shared(labels: np.ndarray, rows: Sequence[int] | np.ndarray, names: Sequence[str]) -> list[Shared]:
    """Labels (n, c; 1, 0, NaN not stated) of the answers `rows` beside all, the least likely by chance first.

    `chance`: hypergeometric, of so many or more among as many studies drawn without replacement, times the labels tried that are left (Holm, 1979).
    """
    labels = np.asarray(labels, float)
    own, found = labels[np.asarray(rows, int)], []
    for place, name in enumerate(names):
        stated, present = np.isfinite(labels[:, place]), labels[:, place] > 0.5
        asked, hits = int(np.isfinite(own[:, place]).sum()), int((own[:, place] > 0.5).sum())
        if stated.any() and asked:
            tail = float(hypergeom.sf(hits - 1, int(stated.sum()), int(present.sum()), asked))
            found.append(Shared(str(name), hits, asked, float(present.sum() / stated.sum()), min(1.0, tail)))
    found.sort(key=lambda each: (each.chance, -each.present))
    corrected, least = [], 0.0
    for place, each in enumerate(found):
        least = max(least, min(1.0, each.chance * (len(found) - place)))
        corrected.append(Shared(each.label, each.present, each.stated, each.prevalence, least))
    return corrected
