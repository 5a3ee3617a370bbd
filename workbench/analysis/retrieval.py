"""From an image to its report and back: recall, precision and ranks with intervals over patients, and what chance finds."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from scipy.special import gammaln

from workbench.analysis._auroc import members
from workbench.analysis._bootstrap import limits
from workbench.analysis._interval import Interval, withheld
from workbench.errors import UserError

KS = (1, 5, 10)
FEWEST = 10  # patients below which no interval is given
NORMAL = 1.959964  # quantile of 97.5 %


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
    return of_ranks(ranks(scores, correct), correct.sum(1), scores.shape[1], patients, ks, resamples, seed)


def of_ranks(
    found: np.ndarray, correct: np.ndarray, candidates: int, patients: Sequence[str], ks: Sequence[int] = KS, resamples: int = 2000, seed: int = 0
) -> Retrieval:  # fmt: skip
    """The same from the ranks (n,) and how many of the candidates are correct for each query (n,)."""
    recall = {k: over_patients(found <= k, patients, resamples, seed) for k in ks}
    chance = {k: recall_by_chance(correct, candidates, k) for k in ks}
    return Retrieval(recall, chance, found, len(found), candidates, len(set(map(str, patients))))


def over_patients(values: np.ndarray, patients: Sequence[str], resamples: int = 2000, seed: int = 0) -> Interval:
    """Mean over queries (n,) of a number between 0 and 1 each, with BCa limits over patients; without them for 0 resamples."""
    values, n = np.asarray(values, float), len(values)
    member, count = members(patients)
    hits, of = np.bincount(member, values, count), np.bincount(member, minlength=count).astype(float)
    value = float(hits.sum() / n)
    if count < FEWEST:
        return withheld(value, f"{count} patients are too few for an interval")
    if not np.ptp(values):
        return withheld(value, "all queries agree: a bootstrap cannot tell")
    if not resamples:
        return withheld(value, "no interval asked for")

    def share(weights: np.ndarray) -> np.ndarray:
        return np.asarray((hits @ weights) / (of @ weights))

    low, high, _ = limits(share, value, count, count, resamples, seed, 0.95)
    return Interval(value, low, high, f"BCa, {count} patients, {resamples} resamples, 95 %, candidates fixed", "")


def recall_by_chance(correct: np.ndarray, candidates: int, k: int) -> float:
    """Recall at k of candidates in random order; `correct` (n,) counts those of each query."""
    m, k = candidates, min(k, candidates)
    number, times = np.unique(correct, return_counts=True)
    return float(sum(int(t) * (1 - comb(m - int(c), min(k, m)) / comb(m, min(k, m))) for c, t in zip(number, times)) / len(correct))


def median_rank(found: np.ndarray, patients: Sequence[str]) -> Interval:
    """Median of ranks (n,), with the interval of Woodruff (JASA 1952): the share below, its error clustered by patient, turned into ranks."""
    found = np.asarray(found, float)
    (member, count), value = members(patients), float(np.median(found))
    if count < FEWEST:
        return withheld(value, f"{count} patients are too few for an interval")
    below = (found < value) + 0.5 * (found == value)
    apart = np.bincount(member, below - below.mean(), count)
    error = float(np.sqrt(count / (count - 1) * np.sum(apart**2))) / len(found)
    low, high = np.quantile(found, np.clip([0.5 - NORMAL * error, 0.5 + NORMAL * error], 0, 1))
    return Interval(value, float(low), float(high), f"Woodruff, clustered by {count} patients, 95 %")


def median_by_chance(correct: np.ndarray, candidates: int) -> float:
    """Median rank of the best of `correct` (n,) candidates of each query in random order: the least rank that half of the queries reach."""
    number, times = np.unique(correct, return_counts=True)
    places = np.arange(1, candidates + 1)
    left = np.maximum(candidates - number[:, None] - places, -1)
    log = gammaln(candidates - number[:, None] + 1.0) - gammaln(np.maximum(left, 0) + 1.0) + gammaln(candidates - places + 1.0)
    later = np.where(left < 0, 0, np.exp(log - gammaln(candidates + 1.0)))  # that the best comes after this place
    reached = 1 - times @ later / times.sum()
    return float(places[np.argmax(reached >= 0.5 - 1e-9)])


def listed(scores: np.ndarray, k: int) -> np.ndarray:
    """(n, m): how likely each candidate is among the first k of its query; scores that tie share the places left. -inf is never listed."""
    edge = np.partition(scores, -k, axis=1)[:, -k, None]
    above, level = scores > edge, (scores == edge) & np.isfinite(scores)
    left = k - above.sum(1, keepdims=True)
    return above + level * (left / np.maximum(level.sum(1, keepdims=True), 1))


def same_labels(labels: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(n, m) bool: whether two studies agree in every label that both state, and both state one; labels (n, c) and (m, c) 1, 0, NaN."""
    signs = [[(each > 0.5).astype(np.float32), (each <= 0.5).astype(np.float32)] for each in (labels, others)]
    (present, absent), (with_it, without) = signs
    apart = present @ without.T + absent @ with_it.T
    both = (present + absent) @ (with_it + without).T
    return np.asarray((apart == 0) & (both > 0))
