"""What separates a set of studies from the rest, in words: findings, metadata and factors that are more or less frequent in it, words of its reports."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import ndtr, stdtr, stdtrit
from scipy.stats import hypergeom, rankdata

from workbench.analysis._auroc import FEW
from workbench.analysis._interval import Interval, withheld
from workbench.analysis.decisions import share_of

LEVEL = 0.05  # of all tests together
NEAR, UNSURE = 1.5, 0.1  # standard deviations up to which no tail is summed, and the least p that then is given
HAIR = 1e-9  # of a count: rounding of a division
NAMED = 12  # words that are told
CORRECTION = "Holm (1979) over all properties and words"
PROCEDURE = "difference, Zou and Donner (2008) of Wilson's intervals clustered by patient, 95 %"
Kind = Literal["share", "mean", "word"]


@dataclass(frozen=True)
class Contrast:
    """One property in the set and in the rest: a share or a mean with its interval over patients. `p` is of no difference, `adjusted` for all tests;

    both are None where `why` says that there was no test. `odds`: the log of the odds ratio, of shares. `n`: studies that state it, inside and outside.
    """

    name: str
    kind: Kind
    inside: Interval
    outside: Interval
    difference: Interval
    odds: float | None
    n: tuple[int, int]
    p: float | None
    adjusted: float | None = None
    why: str = ""

    @property
    def sure(self) -> bool:
        """Whether it separates the set from the rest, after the correction."""
        return self.adjusted is not None and self.adjusted < LEVEL


@dataclass(frozen=True)
class Separation:
    """Set and rest compared: `properties` in the order given, `words` those that separate, the surest first. `tested`: properties and words."""

    studies: tuple[int, int]
    patients: tuple[int, int]
    properties: tuple[Contrast, ...]
    words: tuple[Contrast, ...]
    tested: tuple[int, int]
    why: str

    @cached_property
    def separating(self) -> tuple[Contrast, ...]:
        """Properties that separate, the surest first."""
        return tuple(sorted((each for each in self.properties if each.sure), key=lambda each: each.adjusted or 0.0))


class Sides:
    """Rows (n,) in the set and outside it, with the number of each row's patient."""

    def __init__(self, member: np.ndarray, patients: Sequence[object] | np.ndarray) -> None:
        self.held = np.asarray(member, bool)
        self.who, self.count = numbered(patients)
        inside, outside = (int(np.count_nonzero(np.bincount(self.who[side], minlength=self.count))) for side in (self.held, ~self.held))
        self.patients = (inside, outside)

    @property
    def why(self) -> str:
        """Why nothing can be compared; empty where it can."""
        inside, outside = int(self.held.sum()), int((~self.held).sum())
        if not inside or not outside:
            return (
                "the set is empty: nothing to compare" if not inside else "the set holds every study: there is no rest to compare it with"
            )
        few = min(self.patients)
        side = "in the set" if self.patients[0] <= self.patients[1] else "outside the set"
        return "" if few >= FEW else f"{few} patients {side}: a comparison needs {FEW} on each side"


def numbered(patients: Sequence[object] | np.ndarray) -> tuple[np.ndarray, int]:
    """(n,) the number of each row's patient, in the order they come, and how many there are: sorting 100,000 names takes longer than all tests."""
    if isinstance(patients, np.ndarray) and patients.dtype.kind == "i":
        there = np.bincount(patients) > 0
        return (np.cumsum(there) - 1)[patients], int(there.sum())
    number: dict[str, int] = {}
    found = np.fromiter((number.setdefault(str(each), len(number)) for each in patients), np.int64, len(patients))
    return found, len(number)


def separate(
    member: np.ndarray,
    states: Mapping[str, np.ndarray],
    patients: Sequence[object] | np.ndarray,
    present: csr_matrix | None = None,
    words: Sequence[str] = (),
    ranks: Mapping[str, np.ndarray] | None = None,
) -> Separation:
    """Compare the rows in the set, `member` (n,) bool, with the rest. `states`: name -> (n,) of 0 and 1, or numbers, NaN where not stated.
    `ranks` of such numbers, also among more rows than these, are found here where they are not given.

    `present` (n, w) says which of `words` each report has. Tests treat patients as the unit: shares and words by the hypergeometric tail
    (Fisher's exact test, twice the smaller tail) at counts divided by the design effect of patients with several studies (Rao and Scott, JASA 1984),
    numbers by their ranks with a variance between patients. Together they err in one of twenty sets of no meaning (Holm).
    """
    sides = Sides(member, patients)
    counts = (int(sides.held.sum()), int((~sides.held).sum()))
    found = [_property(name, np.asarray(values, float), sides, (ranks or {}).get(name)) for name, values in states.items()]
    kept, p = _words(present, sides) if present is not None and not sides.why else (np.zeros(0, int), np.zeros(0))
    tested = [place for place, each in enumerate(found) if each.p is not None]
    adjusted = holm(np.append([found[place].p for place in tested], p))
    for place, value in zip(tested, adjusted):
        found[place] = replace(found[place], adjusted=float(value))
    told = []
    for rank in np.argsort(p, kind="stable")[:NAMED]:
        if adjusted[len(tested) + rank] < LEVEL and present is not None:
            column = np.asarray(present[:, kept[rank]].todense(), float).ravel()
            each = _share(words[kept[rank]], "word", column, sides)
            told.append(replace(each, p=float(p[rank]), adjusted=float(adjusted[len(tested) + rank])))
    return Separation(counts, (sides.patients[0], sides.patients[1]), tuple(found), tuple(told), (len(tested), len(p)), sides.why)


def holm(p: np.ndarray) -> np.ndarray:
    """(m,) p values such that those below a level err together at most that often (Holm, Scandinavian Journal of Statistics 1979)."""
    order, m = np.argsort(p, kind="stable"), len(p)
    found = np.empty(m)
    found[order] = np.minimum(1, np.maximum.accumulate(p[order] * (m - np.arange(m)))) if m else p
    return found


def _property(name: str, values: np.ndarray, sides: Sides, ranks: np.ndarray | None) -> Contrast:
    stated = np.isfinite(values)
    binary = not np.any(stated & (values != 0) & (values != 1))
    return _share(name, "share", values, sides) if binary else _mean(name, values, sides, ranks)


def _stated(values: np.ndarray, sides: Sides) -> tuple[Any, Sides | None, str]:
    """The rows that state it, inside and outside, and why they are not to be tested."""
    known = np.isfinite(values)
    if not known.any():
        return None, None, "no study states it"
    own = Sides(sides.held[known], sides.who[known]) if not known.all() else sides
    return values[known], own, own.why


def _share(name: str, kind: Kind, values: np.ndarray, sides: Sides) -> Contrast:
    """Shares of 0 and 1 (n,)."""
    x, own, why = _stated(values, sides)
    if own is None:
        none = withheld(float("nan"), why)
        return Contrast(name, kind, none, none, none, None, (0, 0), None, None, why)
    held = own.held
    n = (int(held.sum()), int((~held).sum()))
    both = [_side(share_of, x, own, side) for side in (held, ~held)]
    with_it = (float(x[held].sum()), float(x[~held].sum()))
    odds = float(np.log((with_it[0] + 0.5) / (n[0] - with_it[0] + 0.5)) - np.log((with_it[1] + 0.5) / (n[1] - with_it[1] + 0.5)))
    p = None if why else float(_tail(np.array([with_it[0]]), np.array([sum(with_it)]), n, np.array([_effect(x, own)]))[0])
    return Contrast(name, kind, both[0], both[1], _apart(both, x, own), odds if min(n) else None, n, p, None, why)


def _side(interval: Any, x: np.ndarray, own: Sides, side: np.ndarray) -> Interval:
    if not side.any():
        return withheld(float("nan"), "no study on this side")
    return interval(x[side], *numbered(own.who[side]))


def _mean(name: str, values: np.ndarray, sides: Sides, given: np.ndarray | None) -> Contrast:
    """Means of numbers (n,); the test is of ranks."""
    x, own, why = _stated(values, sides)
    if own is None:
        raise ValueError(f"{name}: no number is stated")
    held = own.held
    both = [_side(_mean_of, x, own, side) for side in (held, ~held)]
    value = both[0].value - both[1].value
    p, limits = None, withheld(value, why)
    if not why:
        influence = _influence(x, held)
        df = min(own.patients) - 1
        reach = float(stdtrit(df, 0.975) * np.sqrt(_between(influence, own)))
        limits = Interval(value, value - reach, value + reach, "t of the variance between patients, 95 %")
        ranks = rankdata(x) if given is None else given[np.isfinite(values)]
        score = (held - held.mean()) * (ranks - ranks.mean())
        error = np.sqrt(_between(score, own))
        p = float(2 * stdtr(own.count - 1, -abs(score.sum()) / error)) if error > 0 else 1.0
    return Contrast(name, "mean", both[0], both[1], limits, None, (int(held.sum()), int((~held).sum())), p, None, why)


def _mean_of(x: np.ndarray, member: np.ndarray, count: int) -> Interval:
    value = float(x.mean())
    if count < FEW:
        return withheld(value, f"{count} patients; an interval needs {FEW}", "counts only")
    spread = np.bincount(member, x - value, count) / len(x)
    reach = float(stdtrit(count - 1, 0.975) * np.sqrt(count / (count - 1) * np.sum(spread**2)))
    return Interval(value, value - reach, value + reach, "t of the variance between patients, 95 %")


def _influence(x: np.ndarray, held: np.ndarray) -> np.ndarray:
    """(n,) what each row adds to the difference of means."""
    return np.where(held, (x - x[held].mean()) / held.sum(), -(x - x[~held].mean()) / (~held).sum())


def _between(rows: np.ndarray, own: Sides) -> float:
    """Variance of a sum of rows (n,) of mean zero that are independent between patients alone."""
    return float(own.count / (own.count - 1) * np.sum(np.bincount(own.who, rows, own.count) ** 2))


def _effect(x: np.ndarray, own: Sides) -> float:
    """How many rows of patients with several count as one, 1 at least: the design effect of the difference under no difference."""
    if own.count == len(x):
        return 1.0
    score = (own.held - own.held.mean()) * (x - x.mean())
    alone = float(np.sum(score**2))
    together = float(
        np.sum(np.bincount(own.who, score, own.count) ** 2)
    )  # the tail itself knows that patients are drawn without replacement
    return max(1.0, together / alone) if alone > 0 else 1.0


def _apart(both: Sequence[Interval], x: np.ndarray, own: Sides) -> Interval:
    """The difference of two shares, limits of each and their correlation through patients on both sides put together."""
    (a, b), held = both, own.held
    value = a.value - b.value
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return withheld(value, a.why or b.why, "counts only")
    sums = [np.bincount(own.who, np.where(side, x - each.value, 0), own.count) for side, each in ((held, a), (~held, b))]
    size = float(np.sqrt(np.sum(sums[0] ** 2) * np.sum(sums[1] ** 2)))
    r = float(np.sum(sums[0] * sums[1])) / size if size > 0 else 0.0
    down, up = (a.value - a.low, b.high - b.value), (a.high - a.value, b.value - b.low)
    low, high = (float(np.sqrt(max(0.0, p**2 + q**2 - 2 * r * p * q))) for p, q in (down, up))
    return Interval(value, max(-1.0, value - low), min(1.0, value + high), PROCEDURE)


def _tail(with_it: np.ndarray, total: np.ndarray, n: tuple[int, int], effect: np.ndarray) -> np.ndarray:
    """(w,) twice the smaller hypergeometric tail of `with_it` (w,) of `total` (w,) rows being in the set, counts divided by their `effect` (w,)."""
    size, drawn = np.round(sum(n) / effect), np.round(n[0] / effect)
    having = np.clip(np.round(total / effect), 0, size)
    wanted, middle = with_it / effect, drawn * having / size
    seen = np.where(wanted > middle, np.floor(wanted + HAIR), np.ceil(wanted - HAIR))  # rounded towards no difference
    seen = np.clip(seen, np.maximum(0, drawn + having - size), np.minimum(drawn, having))
    spread = np.sqrt(np.maximum(middle * (1 - having / size) * (size - drawn) / np.maximum(size - 1, 1), 1e-300))
    far = np.abs(seen - middle) / spread
    found = np.maximum(2 * ndtr(-far), UNSURE)
    for above in (True, False):  # the exact tail, where it can matter
        own = np.flatnonzero((far > NEAR) & ((seen > middle) == above))
        given = size[own], having[own], drawn[own]
        found[own] = np.minimum(1, 2 * (hypergeom.sf(seen[own] - 1, *given) if above else hypergeom.cdf(seen[own], *given)))
    return found


def _words(present: csr_matrix, sides: Sides) -> tuple[np.ndarray, np.ndarray]:
    """Columns of words that ten patients have and ten have not, and their p."""
    rows, who, held = csr_matrix(present, dtype=np.float64), sides.who, sides.held
    of_patient = csr_matrix((np.ones(len(who)), (who, np.arange(len(who)))), (sides.count, len(who)))
    has = (of_patient @ rows).astype(bool).sum(0).A1
    kept = np.flatnonzero((has >= FEW) & (sides.count - has >= FEW))
    rows = rows[:, kept]
    total, with_it = np.asarray(rows.sum(0)).ravel(), np.asarray(rows[held].sum(0)).ravel()
    n = (int(held.sum()), int((~held).sum()))
    share, centred = total / len(held), held - held.mean()
    effect = np.ones(len(kept))
    if sides.count < len(held) and len(kept):
        weighted = csr_matrix((centred, (who, np.arange(len(who)))), (sides.count, len(who)))
        sums, all_ = weighted @ rows, np.bincount(who, centred, sides.count)
        square = np.asarray(sums.multiply(sums).sum(0)).ravel() - 2 * share * (sums.T @ all_) + share**2 * np.sum(all_**2)
        alone = (rows.T @ centred**2) * (1 - 2 * share) + share**2 * np.sum(centred**2)
        own = square / np.where(alone > 0, alone, 1)
        effect = np.maximum(1, np.maximum(own, np.median(own)))  # that of a rare word is known badly: not below the usual one
    return kept, _tail(with_it, total, n, effect)
