"""From an image to its report and back: recall at k with intervals, and what chance finds."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np

from workbench.analysis._bootstrap import limits
from workbench.analysis.statistics import Interval
from workbench.errors import UserError

KS = (1, 5, 10)
FEWEST = 10  # patients below which no interval is given


@dataclass(frozen=True)
class Retrieval:
    """How well queries (n) find what belongs to them among m candidates."""

    recall: dict[int, Interval]
    chance: dict[int, float]
    ranks: np.ndarray  # (n,) 1 for found first; ties share the mean of their places
    n: int
    candidates: int
    patients: int


def ranks(scores: np.ndarray, correct: np.ndarray) -> np.ndarray:
    """Rank (n,) of the best correct candidate of each query; scores and correct (n, m)."""
    best = np.where(correct, scores, -np.inf).max(1, keepdims=True)
    wrong = ~correct
    return 1 + (wrong & (scores > best)).sum(1) + 0.5 * (wrong & (scores == best)).sum(1)


def retrieval(
    scores: np.ndarray, correct: np.ndarray, patients: Sequence[str], ks: Sequence[int] = KS, resamples: int = 2000, seed: int = 0
) -> Retrieval:
    """Recall at k of queries, one a row of `scores` (n, m), with BCa limits over patients; the candidates are held fixed.

    `correct` (n, m) says what belongs together: the same text is correct for every study that has it. Raises UserError where a query has none.
    """
    scores, correct = np.asarray(scores, float), np.asarray(correct, bool)
    if scores.shape != correct.shape or len(patients) != len(scores):
        raise UserError(f"retrieval: scores {scores.shape}, correct {correct.shape} and {len(patients)} patients do not fit together")
    if not correct.any(1).all():
        raise UserError(f"retrieval: query {int(np.flatnonzero(~correct.any(1))[0])} has no correct candidate; leave it out")
    found, (n, m) = ranks(scores, correct), scores.shape
    _, member = np.unique(np.asarray(patients).astype(str), return_inverse=True)
    count = int(member.max()) + 1
    recall = {}
    for k in ks:
        hits = np.bincount(member, (found <= k).astype(float), count)
        of = np.bincount(member, minlength=count).astype(float)
        value = float(hits.sum() / n)
        if count < FEWEST or value in (0.0, 1.0):
            why = f"{count} patients are too few for an interval" if count < FEWEST else "all queries agree: a bootstrap cannot tell"
            recall[k] = Interval(value, None, None, "", why)
            continue

        def share(weights: np.ndarray, hits: np.ndarray = hits, of: np.ndarray = of) -> np.ndarray:
            return np.asarray((hits @ weights) / (of @ weights))

        low, high, _ = limits(share, value, count, count, resamples, seed, 0.95)
        recall[k] = Interval(value, low, high, f"BCa, {count} patients, {resamples} resamples, 95 %, candidates fixed", "")
    own = correct.sum(1)
    chance = {k: float(np.mean([1 - comb(m - int(c), min(k, m)) / comb(m, min(k, m)) for c in own])) for k in ks}
    return Retrieval(recall, chance, found, n, m, count)
