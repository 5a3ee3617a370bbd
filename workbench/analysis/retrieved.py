"""How well does one look of a run find reports of images, images of reports and images of images? Every number beside chance and the untrained network."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from workbench.analysis._interval import Interval
from workbench.analysis.retrieval import over_patients
from workbench.run import read_json

FORTH, BACK, WITHIN = "image to report", "report to image", "image to image"
ARRAYS = ("rank", "best", "own", "top", "count")  # of a Way


@dataclass(frozen=True)
class Score:
    """One number: `kind` at `k` (0 where it has none) with what chance gives and what the untrained network does.

    Kinds: recall (the same words are right), own (the own report alone), pair and class (precision by the same words, by the same labels),
    median rank, skewness, hubs, taken, never (of analysis.hubs; their `chance` is an isotropic cloud's).
    """

    kind: str
    k: int
    interval: Interval
    chance: float
    untrained: float | None = None


@dataclass(frozen=True)
class Labelled:
    """Precision at 5 of the queries with one label: the share of the answers that have it, too; chance is the label's share of the candidates."""

    label: str
    queries: int
    interval: Interval
    chance: float
    untrained: float | None = None


@dataclass(frozen=True)
class Way:
    """One direction: n queries among `candidates`. Per query: rank of the right answer (NaN where there is none), the first answer's row, and both
    similarities; `count` (candidates,) says in how many lists of ten each candidate is."""

    name: str
    n: int
    candidates: int
    scores: tuple[Score, ...]
    labels: tuple[Labelled, ...]
    rank: np.ndarray
    best: np.ndarray
    own: np.ndarray
    top: np.ndarray
    count: np.ndarray

    def at(self, kind: str, k: int = 0) -> Score | None:
        """A number by its kind, None where this direction has none."""
        return next((each for each in self.scores if (each.kind, each.k) == (kind, k)), None)


@dataclass(frozen=True)
class Retrieved:
    """Retrieval at one look of a run; `why` says why there are no reports, `why_untrained` why no untrained network stands beside it.

    `distinct` reports of `n`; `left_out`: studies without a report or a finite vector, and those beyond the most that are compared.
    """

    run: str
    step: int
    feature: str
    n: int
    d: int
    patients: int
    distinct: int
    left_out: int
    keys: tuple[str, ...]
    ways: tuple[Way, ...]
    why: str = ""
    why_untrained: str = ""

    def __getitem__(self, name: str) -> Way:
        return next(way for way in self.ways if way.name == name)

    @property
    def two_towers(self) -> bool:
        """Whether images and reports were compared."""
        return not self.why


def beside(found: Sequence[Way], untrained: Sequence[Way]) -> tuple[Way, ...]:
    """The directions with the numbers of the same ones of an untrained network."""
    other = {way.name: way for way in untrained}
    result = []
    for each in found:
        if each.name in other:
            level = {(one.kind, one.k): one.interval.value for one in other[each.name].scores}
            label = {one.label: one.interval.value for one in other[each.name].labels}
            scores = tuple(replace(one, untrained=level.get((one.kind, one.k))) for one in each.scores)
            each = replace(each, scores=scores, labels=tuple(replace(one, untrained=label.get(one.label)) for one in each.labels))
        result.append(each)
    return tuple(result)


def of_set(way: Way, inside: np.ndarray, patients: Sequence[str], k: int = 5) -> tuple[Interval, Interval] | None:
    """Recall at k of the queries `inside` (n,) bool a set, and of the others, among all candidates; None where either side has no right answer."""
    known = np.isfinite(way.rank)
    own, rest = known & inside, known & ~inside
    if not own.any() or not rest.any():
        return None
    people = np.asarray(patients).astype(str)
    return over_patients(way.rank[own] <= k, list(people[own])), over_patients(way.rank[rest] <= k, list(people[rest]))


def write(found: Retrieved, folder: Path) -> dict[str, Any]:
    """Write arrays.npz; returns the rest for found.json."""
    np.savez(folder / "arrays.npz", **{f"{place}_{name}": getattr(way, name) for place, way in enumerate(found.ways) for name in ARRAYS})
    head = {name: getattr(found, name) for name in Retrieved.__dataclass_fields__ if name != "ways"}
    plain = [
        {"name": way.name, "n": way.n, "candidates": way.candidates, "scores": [asdict(each) for each in way.scores]}
        | {"labels": [asdict(each) for each in way.labels]}
        for way in found.ways
    ]
    return head | {"ways": plain}


def read(folder: Path) -> Retrieved:
    """What the job `retrieval` wrote."""
    values = read_json(folder / "found.json")
    with np.load(folder / "arrays.npz", allow_pickle=False) as stored:
        arrays = dict(stored)
    found = []
    for place, each in enumerate(values["ways"]):
        scores = tuple(Score(**row | {"interval": Interval(**row["interval"])}) for row in each["scores"])
        labels = tuple(Labelled(**row | {"interval": Interval(**row["interval"])}) for row in each["labels"])
        own = {name: arrays[f"{place}_{name}"] for name in ARRAYS}
        found.append(Way(**each | {"scores": scores, "labels": labels} | own))
    return Retrieved(**values | {"keys": tuple(values["keys"]), "ways": tuple(found)})


def extremes(way: Way, count: int) -> tuple[list[int], list[int]]:
    """Rows of the queries whose right answer ranks last, and of those that find it first, the most similar first."""
    known = np.flatnonzero(np.isfinite(way.rank))
    worst = known[np.lexsort((way.own[known], -way.rank[known]))][:count]
    right = known[way.rank[known] == 1]
    best = right[np.argsort(-way.own[right], kind="stable")][:count]
    return [int(row) for row in worst], [int(row) for row in best]
