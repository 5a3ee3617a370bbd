"""Are pairs of studies ordered right? Concordance of scores with a factor that is a number or a class, with the patient as the unit."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from workbench.analysis._auroc import ENOUGH, FEW, auroc_interval, macro_auroc_interval, members
from workbench.analysis._bootstrap import limits
from workbench.analysis._interval import Interval, withheld
from workbench.randomness import rng

Kind = Literal["number", "two classes", "several classes"]
MOST = 2000  # studies whose pairs are all compared: 16 MB


class Coding(NamedTuple):
    """A factor as numbers (n, k), NaN where it is not stated: itself, 1 for the second of two classes, or a column per class."""

    kind: Kind
    columns: np.ndarray
    names: tuple[str, ...]  # of the classes, ascending


def coded(values: np.ndarray) -> Coding | None:
    """Numbers or words (n,) as columns; None where fewer than two values are stated. NaN, None and "" are not stated."""
    values = np.asarray(values)
    numeric = values.dtype.kind in "fiub"
    plain = values.astype(np.float64) if numeric else np.array(["" if v is None or v != v else str(v) for v in values.tolist()], str)
    stated = np.isfinite(plain) if numeric else plain != ""
    found = np.unique(plain[stated])
    if len(found) < 2:
        return None
    if numeric and len(found) > 2:
        return Coding("number", np.where(stated, plain, np.nan)[:, None], ())
    classes = found[1:] if len(found) == 2 else found
    columns = np.where(stated[:, None], plain[:, None] == classes, np.nan)
    return Coding("two classes" if len(found) == 2 else "several classes", columns, tuple(map(str, found)))


class Ordered:
    """Share of pairs of different value that scores (n,) order right, under any weights of the patients; pairs are compared once."""

    def __init__(self, scores: np.ndarray, values: np.ndarray, member: np.ndarray) -> None:
        order = np.argsort(values, kind="stable")
        scores, values, self.member = scores[order], values[order], member[order]
        self.first = np.searchsorted(values, values)  # rows of a smaller value
        below = np.arange(len(values)) < self.first[:, None]
        self.right = np.where(below, (scores[:, None] > scores) + (scores[:, None] == scores) / 2, 0).astype(np.float32)

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        """Concordance (r,) under weights (patients, r); NaN where no pair has weight."""
        rows = weights[self.member].astype(np.float32)
        total = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, 0, dtype=np.float64)])
        right = np.einsum("nr,nr->r", rows, self.right @ rows, dtype=np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(right / np.einsum("nr,nr->r", rows, total[self.first], dtype=np.float64))


def concordance(
    scores: np.ndarray,
    values: np.ndarray,
    patients: Sequence[object] | np.ndarray,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Share of pairs of studies of different value that scores (n,) order right, ties in score half. Chance is .5. Harrell et al., JAMA 1982.

    Pairs within a patient count too, where the values differ. Of two classes it is the AUROC, of several words the mean AUROC of one
    class against the rest, then scores are (n, classes) in ascending order of the words, over classes of at least 10 patients. Of a
    number the interval is BCa over patients (Efron, JASA 1987); of more than 2,000 studies a fixed draw of 2,000 is compared.
    """
    coding = coded(values)
    if coding is None:
        return withheld(float("nan"), "the factor has one value only")
    scores = np.asarray(scores, np.float64).reshape(len(coding.columns), -1)
    if scores.shape[1] != coding.columns.shape[1]:
        raise ValueError(f"scores have {scores.shape[1]} columns, the factor has {coding.columns.shape[1]}")
    if coding.kind == "two classes":
        return auroc_interval(scores[:, 0], coding.columns[:, 0], patients, level)
    if coding.kind == "several classes":
        macro = macro_auroc_interval(scores, coding.columns, patients, resamples, seed, level)
        procedure = f"mean of {len(macro.included)} of {len(coding.names)} classes, each against the rest; {macro.procedure}"
        return Interval(macro.value, macro.low, macro.high, procedure, macro.why)
    return of_number(scores[:, 0], coding.columns[:, 0], np.asarray(patients).astype(str), resamples, seed, level)


def of_number(scores: np.ndarray, values: np.ndarray, patients: np.ndarray, resamples: int, seed: int, level: float) -> Interval:
    """Concordance with a number (n,; NaN left out)."""
    kept = np.flatnonzero(np.isfinite(values))
    drawn = kept if len(kept) <= MOST else np.sort(rng(0, "concordance", 0, len(kept)).permutation(kept)[:MOST])
    scores, values = scores[drawn], values[drawn]
    member, count = members(patients[drawn])
    statistic = Ordered(scores, values, member)
    value = float(statistic(np.ones((count, 1)))[0])
    levels, often = np.unique(values, return_counts=True)
    apart = len(np.unique(member[values != levels[often.argmax()]]))  # of a severity: the patients who have the finding
    if apart < FEW:
        return withheld(value, f"{apart} patients differ from the commonest value; an interval needs {FEW}", "counts only")
    if value in (0.0, 1.0):
        return withheld(value, "every pair is ordered alike: resamples have no spread", "value only")
    low, high, _ = limits(statistic, value, count, len(drawn), resamples, seed, level)
    some = f", {MOST:,} of {len(kept):,} studies drawn" if len(drawn) < len(kept) else ""
    procedure = f"BCa, {count} patients{some}, {resamples} resamples, {100 * level:.0f} %"
    why = f"few patients ({apart} differ from the commonest value); coverage not measured" if apart < ENOUGH else ""
    return Interval(value, low, high, procedure, why)
