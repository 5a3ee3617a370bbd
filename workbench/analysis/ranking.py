"""Images and reports of the same studies ranked against each other, a block of queries at a time: every number of a Way."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from workbench.analysis import hubs
from workbench.analysis._interval import withheld
from workbench.analysis._reading import unit
from workbench.analysis.retrieval import KS, listed, median_by_chance, median_rank, of_ranks, over_patients, ranks, same_labels
from workbench.analysis.retrieved import BACK, FORTH, WITHIN, Labelled, Score, Way
from workbench.analysis.search import first, usable
from workbench.errors import UserError

BLOCK = 512  # queries compared with all candidates at a time
MOST = 20_000  # studies; of more, as many evenly
LABELLED = 5  # K of the precision of each label
LONGER = 4  # lists this many times k are kept for the jackknife of the hubs
Progress = Callable[[float, str], None]


class Rows(NamedTuple):
    """What is compared: images (n, d), reports (n, d) or None, numbers of the reports' texts (n,), labels (n, c; 1, 0, NaN) and patients (n,)."""

    images: np.ndarray
    reports: np.ndarray | None
    texts: np.ndarray
    labels: np.ndarray
    patients: np.ndarray


def whole(images: np.ndarray, reports: np.ndarray | None, texts: Sequence[str]) -> np.ndarray:
    """Which studies can be compared: finite vectors with a direction, and words where there are reports; of more than 20,000, as many evenly.

    Raises UserError where fewer than two are left.
    """
    kept = set(usable(images).tolist())
    if reports is not None:
        kept &= set(usable(reports).tolist()) & {row for row, text in enumerate(texts) if text.strip()}
    rows = np.array(sorted(kept), int)
    if len(rows) < 2:
        told = " and a report" if reports is not None else ""
        raise UserError(
            f"retrieval: {len(rows)} of {len(images)} studies have finite vectors{told}, it needs two; choose another checkpoint"
        )
    return rows if len(rows) <= MOST else rows[np.linspace(0, len(rows) - 1, MOST).astype(int)]


def ways(rows: Rows, names: Sequence[str], resamples: int = 2000, progress: Progress = lambda share, message: None) -> tuple[Way, ...]:
    """Every direction there is, with labels `names`; values without intervals for 0 resamples."""
    every = (FORTH, BACK, WITHIN) if rows.reports is not None else (WITHIN,)
    found = []
    for place, name in enumerate(every):
        progress(place / len(every), f"ranking, {name}")
        found.append(way(name, rows, names, resamples))
    return tuple(found)


class Block(NamedTuple):
    """Some queries: their rows (b,), cosines to all candidates (b, n), and which of those may answer, none of the query's patient within one tower."""

    at: np.ndarray
    cosine: np.ndarray
    may: np.ndarray


def blocks(x: np.ndarray, y: np.ndarray, patients: np.ndarray, within: bool) -> Iterator[Block]:
    """All queries x (n, d) against y (n, d); equal candidates tie to the bit, who may not answer is infinitely far."""
    distinct, place = np.unique(unit(y), axis=0, return_inverse=True)
    asking = unit(x)
    for start in range(0, len(x), BLOCK):
        at = np.arange(start, min(start + BLOCK, len(x)))
        cosine = (asking[at] @ distinct.T)[:, place.reshape(-1)]
        may = patients[at, None] != patients if within else np.ones(cosine.shape, bool)
        yield Block(at, np.where(may, cosine, -np.inf), may)


def way(name: str, rows: Rows, names: Sequence[str], resamples: int = 2000) -> Way:
    """One direction. Within images no study of the query's own patient answers."""
    within = name == WITHIN
    x, y = (rows.reports, rows.images) if name == BACK else (rows.images, rows.images if within else rows.reports)
    assert x is not None and y is not None
    n, present = len(x), (np.nan_to_num(rows.labels) > 0.5).astype(np.float32)
    ks = tuple(k for k in KS if k < n)
    lists, top = np.full((n, min(LONGER * hubs.K, n - 1)), -1), np.full(n, np.nan)
    rank, alone, own, correct = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan), np.ones(n, int)
    hits = {(kind, k): np.full(n, np.nan) for kind in ("class", "pair") for k in ks}
    level, shares, levels = np.empty(n), np.zeros(present.shape), np.empty(present.shape)
    for at, cosine, may in blocks(x, y, rows.patients, within):
        alike, among = same_labels(rows.labels[at], rows.labels) & may, np.maximum(may.sum(1), 1)
        same = rows.texts[at, None] == rows.texts
        level[at], levels[at] = alike.sum(1) / among, may.astype(np.float32) @ present / among[:, None]
        if not within:
            own[at], correct[at] = cosine[np.arange(len(at)), at], same.sum(1)
            rank[at], alone[at] = ranks(cosine, same), ranks(cosine, at[:, None] == np.arange(n))
        for k in ks:
            weight = listed(cosine, k)
            hits["class", k][at], hits["pair", k][at] = (weight * alike).sum(1) / k, (weight * same).sum(1) / k
            shares[at] = weight @ present / k if k == LABELLED else shares[at]
        for row, line in zip(at, cosine):
            answers = first(line, lists.shape[1])
            lists[row] = np.where(np.isfinite(line[answers]), answers, -1)
        top[at] = cosine.max(1)
    scores = [] if within else of_pairs(rank, alone, correct, {k: hits["pair", k] for k in ks}, rows.patients, resamples)
    told = np.isfinite(rows.labels).any(1)
    if told.any():
        chance, asked = float(level[told].mean()), rows.patients[told]
        scores += [Score("class", k, over_patients(hits["class", k][told], asked, resamples), chance) for k in ks]
    scores += of_hubs(lists, rows.patients, (n, x.shape[1]), within, resamples)
    labels = of_labels(shares, levels, present > 0, names, rows.patients, resamples) if LABELLED in ks else []
    return Way(name, n, n, tuple(scores), tuple(labels), rank, lists[:, 0], own, top, hubs.occurrences(lists[:, : hubs.K], n))


def of_pairs(
    rank: np.ndarray, alone: np.ndarray, correct: np.ndarray, hits: dict[int, np.ndarray], patients: np.ndarray, resamples: int
) -> list[Score]:  # fmt: skip
    """The numbers of n queries that each have right answers: by the same words, and by the own report alone."""
    n, who = len(rank), list(patients)
    same = of_ranks(rank, correct, n, who, tuple(hits), resamples)
    own = of_ranks(alone, np.ones(n, int), n, who, tuple(hits), resamples)
    found = [Score(kind, k, of.recall[k], of.chance[k]) for kind, of in (("recall", same), ("own", own)) for k in hits]
    found += [Score("pair", k, over_patients(each, who, resamples), float(correct.mean() / n)) for k, each in hits.items()]
    return [*found, Score("median rank", 0, median_rank(rank, who), median_by_chance(correct, n))]


def of_hubs(lists: np.ndarray, patients: np.ndarray, shape: tuple[int, int], within: bool, resamples: int) -> list[Score]:
    """How the answers (n, l) crowd at hubs, beside isotropic clouds of this (n, d)."""
    (n, d), k = shape, min(hubs.K, lists.shape[1])
    found, level = hubs.hubs(hubs.occurrences(lists[:, :k], n)), hubs.isotropic(n, n, d, k, within)
    skewness = hubs.interval(lists, k, list(patients), found.skewness) if resamples else withheld(found.skewness, "no interval asked for")
    why = "how a share of candidates moves with other patients is not known"
    shares = (("hubs", found.share, level.share), ("taken", found.taken, level.taken), ("never", found.never, level.never))
    return [Score("skewness", k, skewness, level.skewness), *(Score(kind, k, withheld(value, why), at) for kind, value, at in shares)]


def of_labels(
    shares: np.ndarray, levels: np.ndarray, present: np.ndarray, names: Sequence[str], patients: np.ndarray, resamples: int
) -> list[Labelled]:  # fmt: skip
    """A row a label that some study has: the share (n, c) of the first answers that have it, over the queries that do."""
    found = []
    for place, name in enumerate(names):
        asks = present[:, place]
        if asks.any():
            share = over_patients(shares[asks, place], patients[asks], resamples)
            found.append(Labelled(str(name), int(asks.sum()), share, float(levels[asks, place].mean())))
    return found
