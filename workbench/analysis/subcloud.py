"""What cloud do the studies of a set form: how many directions do they use, are their neighbours of the set, and which studies outside are near?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.analysis._interval import Interval
from workbench.analysis._moments import as_array
from workbench.analysis._reading import ENOUGH, ceiling, participation
from workbench.analysis.collapse import summarise
from workbench.analysis.decisions import share_of
from workbench.analysis.spectra import isotropic_spectrum, singular_spectrum
from workbench.analysis.subset import numbered
from workbench.embeddings import Embeddings
from workbench.errors import UserError
from workbench.randomness import rng

LEAST = 5  # studies of a set that have a spectrum
ROWS = 5_000  # of a cloud that are measured; of more an even subset
DRAWS, COSTLY = 20, 40  # sets of no meaning that a small set is held against; from so many rows a dimension they give what the whole gives
THINNED = 5000  # similarities of which the k-th largest bounds that of all from below
ASKED, NEIGHBOURS, TOLD = 200, 10, 12  # members whose neighbours are looked for, how many, and studies outside that are named


@dataclass(frozen=True)
class Subcloud:
    """Singular values (d,) of the n rows of a set, of the whole, of sets of as many rows drawn at random (their mean), of an isotropic cloud.

    `rank` is the participation ratio of the set; `random` that of the random sets: mean, and the smallest and largest of twenty.
    """

    feature: str
    step: int
    n: int
    d: int
    total: int
    values: np.ndarray
    whole: np.ndarray
    drawn: np.ndarray
    isotropic: np.ndarray
    rank: Interval
    random: tuple[float, float, float]
    ceiling: float

    @property
    def enough(self) -> bool:
        """N >= 4 d: enough rows that the rank says more than N does."""
        return self.n >= ENOUGH * self.d


@dataclass(frozen=True)
class Outside:
    """A study outside the set: among the nearest of how many of the members asked, and its largest cosine to one of them."""

    key: str
    members: int
    similarity: float


@dataclass(frozen=True)
class Purity:
    """The share of a member's `k` nearest studies of other patients that are in the set, beside `chance`; `asked` members were asked."""

    share: Interval
    chance: float
    k: int
    asked: int
    outside: tuple[Outside, ...]


def subcloud(embeddings: Embeddings, member: np.ndarray, seed: int = 0) -> Subcloud:
    """The spectrum of the rows in a set, `member` (n,) bool, of features (n, d); raises UserError for fewer than five rows or values not finite."""
    try:
        z = np.asarray(as_array(embeddings))
    except ValueError as error:
        raise UserError(f"{embeddings.feature} at step {embeddings.checkpoint}: {error}; choose an earlier step") from None
    own = even(np.flatnonzero(member))
    if len(own) < LEAST:
        raise UserError(f"{len(own)} studies of this set are among the {len(z)} looked at; a spectrum needs {LEAST}")
    n, d = len(own), z.shape[1]
    found = summarise(z[own], [embeddings.patients[row] for row in own])
    whole = singular_spectrum(z[even(np.arange(len(z)))]).values
    drawn = [whole]
    if n < COSTLY * d:
        draw = rng(seed, "sets of no meaning", 0, n)
        drawn = [singular_spectrum(z[draw.permutation(len(z))[:n]]).values for _ in range(DRAWS)]
    ranks = [participation(values**2) for values in drawn]
    scale = [values / max(float(values.max()), 1e-300) for values in drawn]
    iso = isotropic_spectrum(n, d).values
    limit = ceiling("participation_ratio", n, d)
    return Subcloud(
        embeddings.feature,
        embeddings.checkpoint,
        *(n, d, len(z), found.spectrum, whole),
        np.mean([np.pad(each, (0, d - len(each))) for each in scale], 0),
        iso,
        found.participation_ratio,
        (float(np.mean(ranks)), float(min(ranks)), float(max(ranks))),
        float(limit if limit is not None else d),
    )


def even(rows: np.ndarray) -> np.ndarray:
    """At most `ROWS` of them, evenly spread."""
    return rows if len(rows) <= ROWS else rows[np.linspace(0, len(rows) - 1, ROWS).astype(int)]


def purity(embeddings: Embeddings, member: np.ndarray, k: int = NEIGHBOURS, seed: int = 0) -> Purity:
    """How many of the k nearest (cosine) of a set's members, `member` (n,) bool, are members; studies of the same patient do not count.

    Of more than 200 members a random 200 are asked. Raises UserError where the set is empty, or fewer than k studies are of other patients.
    """
    rows, held = np.asarray(as_array(embeddings), np.float32), np.asarray(member, bool)
    inside = np.flatnonzero(held)
    if not len(inside):
        raise UserError("the set is empty: none of the studies looked at is in it")
    who, count = numbered(embeddings.patients)
    asked = inside if len(inside) <= ASKED else np.sort(rng(seed, "members asked", 0, len(inside)).permutation(inside)[:ASKED])
    of_patient, held_of_patient = np.bincount(who, minlength=count), np.bincount(who, held, count)
    others = len(rows) - of_patient[who[asked]]
    if others.min() < k:
        raise UserError(f"fewer than {k} studies are of other patients: no neighbours to count; choose a larger probe set")
    length = np.maximum(np.sqrt(np.einsum("nd,nd->n", rows, rows)), 1e-30)
    cosine = ((rows[asked] / length[asked, None]) @ rows.T) / length
    order, begins = np.argsort(who, kind="stable"), np.append(0, np.cumsum(of_patient))
    for line, patient in zip(cosine, who[asked]):
        line[order[begins[patient] : begins[patient + 1]]] = -np.inf
    near = np.stack([largest(line, k) for line in cosine])
    chance = float(np.mean((held.sum() - held_of_patient[who[asked]]) / others))
    share = share_of(held[near].mean(1), *numbered(who[asked]))
    return Purity(share, chance, k, len(asked), named(embeddings.keys, near, np.take_along_axis(cosine, near, 1), held))


def largest(line: np.ndarray, k: int) -> np.ndarray:
    """Places (k,) of the largest of (n,), in no order."""
    floor = np.partition(line[:: max(1, len(line) // THINNED)], -k)[-k] if len(line) > 2 * THINNED else -np.inf
    kept = np.flatnonzero(line >= floor)  # at least k pass what the k-th of an even subset does
    return kept[np.argpartition(-line[kept], k - 1)[:k]]


def named(keys: Sequence[str], near: np.ndarray, cosine: np.ndarray, held: np.ndarray) -> tuple[Outside, ...]:
    """The studies outside that are among the nearest (a, k) of most members, the most similar of equal ones first."""
    flat, similar = near.ravel(), cosine.ravel()
    count, best = np.bincount(flat, minlength=len(keys)), np.full(len(keys), -np.inf)
    np.maximum.at(best, flat, similar)
    rows = np.flatnonzero((count > 0) & ~held)
    order = rows[np.lexsort((-best[rows], -count[rows]))][:TOLD]
    return tuple(Outside(keys[row], int(count[row]), float(best[row])) for row in order)
