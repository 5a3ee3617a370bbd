"""What does every measure read of one matrix of features, with what interval, and what would an isotropic cloud give?"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from workbench.analysis._jackknife import row_kurtosis
from workbench.analysis._moments import as_rows
from workbench.analysis._reading import ENOUGH, Features
from workbench.analysis.catalogue import MEASURES, named, needing, read
from workbench.analysis.collapse import STATISTICS, Geometry, summarise
from workbench.analysis.subsampling import UNMEASURED
from workbench.embeddings import Embeddings
from workbench.randomness import rng

DRAWS = 4  # clouds whose mean stands for a ceiling without a closed form
ROWS = needing("rows")


@dataclass(frozen=True)
class Value:
    """One measure of `n` rows of `d` columns: None where it cannot be read; `why` says why it, or its interval, is missing.

    `ceiling` is what an isotropic cloud of this (n, d) gives, `drawn` whether that is a mean of draws.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    why: str
    n: int
    d: int
    ceiling: float | None = None
    drawn: bool = False

    @property
    def limited(self) -> bool:
        """Whether the number of rows, not the cloud, decides the value."""
        return MEASURES[self.name].spectral and self.n < ENOUGH * self.d

    @property
    def place(self) -> float | None:
        """Where it stands between a collapsed cloud, 0, and an isotropic one of the same (n, d), 1; None where there are no such ends."""
        end = MEASURES[self.name].collapsed
        if self.value is None or end is None or self.ceiling is None or self.ceiling == end:
            return None
        return (self.value - end) / (self.ceiling - end)


@dataclass(frozen=True)
class Sheet:
    """Every measure of one matrix (n, d) of `patients`; `constant` of its columns never change. `row_kurtosis`: of the norms of its centred rows."""

    n: int
    d: int
    patients: int
    constant: int
    procedure: str
    values: tuple[Value, ...]
    row_kurtosis: float | None = None

    def __getitem__(self, name: str) -> Value:
        return next(each for each in self.values if each.name == name)

    def get(self, name: str) -> Value | None:
        """The measure of that name, where it was asked for."""
        return next((each for each in self.values if each.name == name), None)

    @classmethod
    def of_dict(cls, values: Mapping[str, Any]) -> "Sheet":
        """What `asdict` gave, also through JSON."""
        return cls(**dict(values) | {"values": tuple(Value(**row) for row in values["values"])})


@lru_cache(maxsize=1024)
def isotropic(name: str, n: int, d: int, scale: float = 1.0, sizes: tuple[int, ...] = ()) -> float | None:
    """Mean of a measure over a few Gaussian clouds (n, d) around zero; `sizes` are those of classes that the rows do not tell apart.

    None for the scale itself, which no cloud bounds. `scale`: standard deviation of a column, for measures that the unit changes.
    """
    if name == "feature_std":
        return None
    draw, needs = rng(0, f"isotropic {name}", n, d), MEASURES[name].needs
    found = []
    for _ in range(DRAWS):
        rows = scale * draw.normal(size=(n, d))
        beside = {"classes": np.repeat(np.arange(len(sizes)), sizes), "towers": draw.normal(size=(n, d))}.get(needs)
        found.append(read(name, rows, beside).value)
    return float(np.mean(found)) if np.isfinite(found).all() else None


def ceiling_beside(name: str, rows: np.ndarray, beside: Any = None) -> float | None:
    """`isotropic` of the same size as rows (n, d), their scale and their classes."""
    measure = MEASURES[name]
    scale = float(np.sqrt(np.mean(np.var(rows.astype(np.float64), 0)))) if measure.scaled else 1.0
    sizes = tuple(sorted(map(int, np.unique(beside, return_counts=True)[1]))) if measure.needs == "classes" else ()
    return isotropic(name, *rows.shape, scale, sizes)


def value_of(name: str, z: Features, patients: Sequence[object] | np.ndarray, beside: Any = None, known: Geometry | None = None) -> Value:
    """One measure of rows (n, d) with its ceiling, and its interval where `known` has one; what cannot be read says so."""
    rows = as_rows(z)
    n, d = rows.shape
    if n < 2:
        return Value(name, None, None, None, "one row: a cloud has at least two", n, d)
    try:
        found = read(name, z, beside, patients)
    except ValueError as error:
        return Value(name, None, None, None, str(error), n, d)
    if not np.isfinite(found.value):
        return Value(name, None, None, None, f"{named(name)} is not defined for these rows", n, d)
    drawn = found.ceiling is None
    ceiling = ceiling_beside(name, rows, beside) if drawn else found.ceiling
    interval = getattr(known, name) if known is not None and name in STATISTICS else None
    low, high, why = (interval.low, interval.high, interval.why) if interval is not None else (None, None, UNMEASURED)
    return Value(name, found.value, low, high, why, found.n, found.d, ceiling, drawn and ceiling is not None)


def sheet(z: Features, patients: Sequence[object] | np.ndarray, names: Iterable[str] = ROWS, beside: Any = None) -> Sheet:
    """Measures of rows (n, d) of `patients` (n,), all that need the rows alone unless others are named.

    Intervals are the delete-group jackknives of `collapse.summarise`; rows that are not finite, or too few, are said under every measure.
    """
    rows, names = as_rows(z), tuple(names)
    finite = bool(np.isfinite(rows).all())
    known = summarise(z, list(patients)) if finite and len(rows) > 1 and set(names) & set(STATISTICS) else None
    values = tuple(value_of(name, z, patients, beside, known) for name in names)
    constant = int(np.sum(np.ptp(rows, axis=0) == 0)) if finite else 0
    procedure = known.procedure if known is not None else ""
    kurtosis = row_kurtosis(rows.astype(np.float64)) if finite and len(rows) > 1 else None
    return Sheet(len(rows), rows.shape[1], len(set(map(str, patients))), constant, procedure, values, kurtosis)


def part(z: Features, rows: np.ndarray) -> Features:
    """Some rows, of quantised embeddings with what was lost by that."""
    if not isinstance(z, Embeddings):
        return z[rows]
    keys, patients = (tuple(column[row] for row in rows) for column in (z.keys, z.patients))
    return replace(z, features=z.features[rows], keys=keys, patients=patients)
