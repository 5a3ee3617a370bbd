"""What does a singular direction mean, and when was it there? Studies at its ends, factors and words that it orders, its life over the looks."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.stats import rankdata

from workbench.analysis._concordance import coded, concordance
from workbench.analysis._interval import Interval
from workbench.analysis.factors import factors_of, placed, principal_scores
from workbench.analysis.statistics import auroc_interval
from workbench.dataset import Dataset
from workbench.embeddings import Embeddings
from workbench.errors import UserError
from workbench.run import Run, read_json

FEW = 10  # patients with, and without, a word: below, it is not asked about
FIRST = 6  # directions that are told about
MATCHED = 16  # that are matched from look to look
KEPT = 0.7  # correlation of a direction's scores with its match at the next look: below, it has turned
HALF = 0.5  # of the largest share of variance that follows it: below, it is not there
ENDS, NAMED = 5, 5  # studies and words that are shown at an end
WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True)
class Ordered:
    """How well the scores order a factor or a word: concordance, of `n` studies that state it."""

    name: str
    interval: Interval
    n: int

    @property
    def mirrored(self) -> "Ordered":
        """The same of the negative scores."""
        found = self.interval
        low, high = (None if limit is None else 1 - limit for limit in (found.high, found.low))
        return replace(self, interval=replace(found, value=1 - found.value, low=low, high=high))


@dataclass(frozen=True)
class Life:
    """A direction over the looks (k,): `share` of the variance that follows its scores, `place` of its match (from 1; 0 outside the first 16),
    `match`: correlation of that one with the match at the neighbouring look on the side of the look it was chosen at (1 there)."""

    steps: tuple[int, ...]
    share: tuple[float, ...]
    place: tuple[int, ...]
    match: tuple[float, ...]

    @property
    def born(self) -> int:
        """The step from which it was there without a gap until its share was largest."""
        there, top = self._there
        gaps = np.flatnonzero(~there[:top])
        return self.steps[int(gaps[-1]) + 1 if len(gaps) else 0]

    @property
    def died(self) -> int | None:
        """The first step after that at which it was gone and stayed so; None where it is there at the last look."""
        there, _ = self._there
        last = int(np.flatnonzero(there)[-1])
        return self.steps[last + 1] if last + 1 < len(self.steps) else None

    @property
    def turned(self) -> tuple[int, ...]:
        """Steps, while it was there, at which no single direction was its continuation although its variance stayed."""
        there, _ = self._there
        return tuple(step for step, here, match in zip(self.steps, there, self.match) if here and match < KEPT)

    @property
    def _there(self) -> tuple[np.ndarray, int]:
        share = np.array(self.share)
        return share >= HALF * share.max(), int(share.argmax())


@dataclass(frozen=True)
class Direction:
    """One principal direction of centred features: `share` of their variance, keys of the studies at its ends (outermost first), what it orders."""

    place: int
    share: float
    low: tuple[str, ...]
    high: tuple[str, ...]
    factors: tuple[Ordered, ...]
    words: tuple[Ordered, ...]
    life: Life

    @property
    def best(self) -> Ordered | None:
        """The factor it orders best of those whose interval excludes chance; None where there is none."""
        sure = [each for each in self.factors if apart(each.interval)]
        return max(sure, key=lambda each: abs(each.interval.value - 0.5), default=None)


@dataclass(frozen=True)
class Directions:
    """The first directions of a feature of a run at a look. `asked` is the number of words, `why` why there are none."""

    run: str
    feature: str
    step: int
    n: int
    d: int
    patients: int
    asked: int
    why: str
    directions: tuple[Direction, ...]

    @cached_property
    def chance(self) -> tuple[float, float]:
        """Share of the variance that follows scores of no meaning, and the best correlation that one of d such directions reaches."""
        return 1 / max(self.n - 1, 1), float(min(1.0, np.sqrt(2 * np.log(max(self.d, 2)) / self.n)))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def of_dict(cls, values: Mapping[str, Any]) -> "Directions":
        """What `as_dict` gave, also through JSON."""

        def listed(given: Sequence[Mapping[str, Any]]) -> tuple[Ordered, ...]:
            return tuple(Ordered(**dict(row) | {"interval": Interval(**row["interval"])}) for row in given)

        every = []
        for each in values["directions"]:
            life = Life(**{name: tuple(column) for name, column in each["life"].items()})
            ends = {name: tuple(each[name]) for name in ("low", "high")}
            nested = {name: listed(each[name]) for name in ("factors", "words")}
            every.append(Direction(**dict(each) | ends | nested | {"life": life}))
        return cls(**dict(values) | {"directions": tuple(every)})


def apart(interval: Interval) -> bool:
    """Whether an interval excludes chance."""
    return interval.low is not None and interval.high is not None and not interval.low <= 0.5 <= interval.high


def unit_scores(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores (n, r) of features (n, d) on their principal directions, each of length 1, and their shares (r,) of the variance, largest first."""
    scores = principal_scores(np.asarray(z, np.float64))
    energy = np.square(scores).sum(0)
    return scores / np.sqrt(energy), energy / energy.sum()


def following(z: np.ndarray, score: np.ndarray) -> float:
    """Share of the variance of features (n, d) that moves with a score (n,): |Z'u|^2 / |Z|^2 of centred rows and the centred unit score u.

    Of a principal direction's own score it is that direction's share; of scores without meaning 1 / (n - 1) on average.
    """
    centred, u = np.asarray(z, np.float64) - np.mean(z, 0, dtype=np.float64), score - score.mean()
    total = float(np.square(centred).sum() * np.square(u).sum())
    return float(np.square(centred.T @ u).sum()) / total if total > 0 else 0.0


def matched(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each unit score of a (n, k) its own partner in b (n, m), or -1, and the absolute correlation with it.

    One to one, the sum of correlations largest (Hungarian method): two directions never continue as the same one.
    """
    alike = np.abs(a.T @ b)
    rows, columns = linear_sum_assignment(-alike)
    place, quality = np.full(a.shape[1], -1), np.zeros(a.shape[1])
    place[rows], quality[rows] = columns, alike[rows, columns]
    return place, quality


def lives(looks: Sequence[Embeddings], at: int, count: int = FIRST) -> list[Life]:
    """The life of the first directions of the look at place `at` over all looks, which hold the same keys in the same order."""
    units = [unit_scores(look.features)[0] for look in looks]
    own = units[at][:, :count]
    shares = [[following(look.features, own[:, place]) for look in looks] for place in range(own.shape[1])]
    places, matches = np.zeros((own.shape[1], len(looks)), int), np.zeros((own.shape[1], len(looks)))
    for way in (range(at, -1, -1), range(at, len(looks))):
        here = np.arange(own.shape[1])
        for before, now in zip((None, *way), way):
            quality = np.ones(len(here))
            if before is not None:
                place, found = matched(units[before][:, :MATCHED], units[now][:, :MATCHED])
                known = here >= 0
                quality = np.where(known, found[here], 0.0)
                here = np.where(known, place[here], -1)
            places[:, now], matches[:, now] = here + 1, quality
    steps = tuple(look.checkpoint for look in looks)
    return [Life(steps, tuple(share), tuple(map(int, p)), tuple(map(float, m))) for share, p, m in zip(shares, places, matches)]


def as_states(factors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Factors (n,) as numbers, NaN where not stated; one of several classes becomes one of two for each class, `name: class`."""
    found: dict[str, np.ndarray] = {}
    for name, values in factors.items():
        coding = coded(values)
        if coding is None:
            continue
        if coding.kind == "several classes":
            found |= {f"{name}: {each}": coding.columns[:, k] for k, each in enumerate(coding.names)}
        else:
            found[name if coding.kind == "number" or not isinstance(values[0], str) else f"{name}: {coding.names[1]}"] = coding.columns[
                :, 0
            ]
    return found


def ordered(score: np.ndarray, states: Mapping[str, np.ndarray], patients: np.ndarray) -> tuple[Ordered, ...]:
    """Concordance of a score (n,) with every factor, the farthest from chance first; intervals are not adjusted for their number."""
    found = [Ordered(name, concordance(score, values, patients), int(np.isfinite(values).sum())) for name, values in states.items()]
    found = [each for each in found if np.isfinite(each.interval.value)]
    return tuple(sorted(found, key=lambda each: -abs(each.interval.value - 0.5)))


def spoken(texts: Sequence[str], patients: np.ndarray) -> dict[str, np.ndarray]:
    """Whether each report holds a word (n,), for words of three letters that ten patients have and ten have not."""
    held: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        for word in set(WORD.findall(text.lower())):
            held.setdefault(word, []).append(row)
    count, found = len(np.unique(patients)), {}
    for word, rows in sorted(held.items()):
        if len(np.unique(patients[rows])) >= FEW and count - len(np.unique(patients[rows])) >= FEW:
            found[word] = np.zeros(len(texts))
            found[word][rows] = 1
    return found


def named_words(score: np.ndarray, words: Mapping[str, np.ndarray], patients: np.ndarray) -> tuple[Ordered, ...]:
    """The words that a score (n,) orders best at either end, where the interval excludes chance after Bonferroni's correction for all words."""
    if not words:
        return ()
    names, present = list(words), np.stack(list(words.values()), 1)
    ranks, with_it = rankdata(score), present.sum(0)
    area = (ranks @ present - with_it * (with_it + 1) / 2) / (with_it * (len(score) - with_it))
    farthest = np.argsort(-np.abs(area - 0.5), kind="stable")[: 4 * NAMED]
    level = 1 - 0.05 / len(names)
    found = [Ordered(names[k], auroc_interval(score, present[:, k], patients, level), len(score)) for k in farthest]
    sure = [each for each in found if apart(each.interval)]
    ends = [[each for each in sure if (each.interval.value > 0.5) == up][:NAMED] for up in (False, True)]
    return tuple(ends[0] + ends[1])


def of_run(
    run: Run, feature: str, step: int, dataset: Dataset, progress: Callable[[float, str], None] = lambda share, message: None
) -> Directions:
    """The first directions of a feature (n, d) stored with the look at `step`: ends, factors, labels, words, and their lives over all looks.

    Looks at other studies are left out. Words of credentialed reports are not read. Raises UserError where no direction has variance.
    """
    chosen = run.embeddings(feature, step)
    places, patients = placed(run, chosen, dataset), np.asarray(chosen.patients).astype(str)
    if not np.ptp(np.asarray(chosen.features, np.float64), axis=0).any():
        raise UserError(f"{run.id}: all rows of {feature} at step {step} are equal: a point has no directions; choose another step")
    progress(0.1, "following the directions over the looks")
    every = [run.embeddings(feature, each) if each != step else chosen for each in run.looks() if feature in run.geometry(each)]
    looks = [each for each in every if each.keys == chosen.keys and np.ptp(each.features, axis=0).any()]
    life = lives(looks, [each.checkpoint for each in looks].index(chosen.checkpoint))
    labels = dict(zip(dataset.label_names, np.asarray(dataset.labels)[places].T)) if len(dataset.label_names) else {}
    states = as_states({name: np.asarray(values)[places] for name, values in factors_of(dataset).items()} | labels)
    words, why = words_of(dataset, places, patients)
    scores, shares = unit_scores(chosen.features)
    found = []
    for place, each in enumerate(life):
        progress(0.3 + 0.7 * place / len(life), f"reading direction {place + 1}")
        score = scores[:, place]
        factors = ordered(score, states, patients)
        if factors and factors[0].interval.value < 0.5:  # the end that has more of what it orders best is the high one
            score, factors = -score, tuple(each.mirrored for each in factors)
        order = [chosen.keys[row] for row in np.argsort(score, kind="stable")]
        ends = {"low": tuple(order[:ENDS]), "high": tuple(order[::-1][:ENDS])}
        found.append(
            Direction(place + 1, float(shares[place]), **ends, factors=factors, words=named_words(score, words, patients), life=each)
        )
    n, d = chosen.features.shape
    return Directions(run.id, feature, step, n, d, len(np.unique(patients)), len(words), why, tuple(found))


def words_of(dataset: Dataset, places: np.ndarray, patients: np.ndarray) -> tuple[dict[str, np.ndarray], str]:
    """The words of the studies' reports, or none and why."""
    if dataset.terms == "credentialed":
        return {}, "the terms of this data set are credentialed: its words stay in its reports"
    if "text" not in dataset.provides:
        return {}, "the data has no reports"
    texts = [" ".join(text.text for text in dataset[int(place)]["texts"]) for place in places]
    found = spoken(texts, patients)
    return found, "" if found else f"no word is in the reports of {FEW} patients and missing in those of {FEW}"


def read(folder: Path) -> Directions:
    """What the job `directions` wrote."""
    return Directions.of_dict(read_json(folder / "found.json"))
