"""Does a measure still climb with the number of rows? Its curve over nested subsamples of whole patients, the isotropic cloud's beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.analysis._interval import Interval
from workbench.analysis._moments import as_array
from workbench.analysis._reading import ENOUGH, Features
from workbench.analysis.catalogue import MEASURES, named, read
from workbench.analysis.sheets import ceiling_beside
from workbench.analysis.subsampling import nested, of_rows
from workbench.errors import UserError
from workbench.run import read_json

LEAST, MOST = 16, 6  # rows of the smallest subsample, sizes


@dataclass(frozen=True)
class Growth:
    """A measure of `d` columns over subsamples: rows, patients, values, isotropic ceilings (None where there is none) and intervals of each.

    `left_out` says of a number of rows why it could not be read there.
    """

    measure: str
    d: int
    rows: tuple[int, ...]
    patients: tuple[int, ...]
    values: tuple[float, ...]
    ceilings: tuple[float | None, ...]
    intervals: tuple[Interval, ...]
    left_out: Mapping[str, str]

    @property
    def enough(self) -> int:
        """Rows from which a rank is more than a lower bound."""
        return ENOUGH * self.d

    @property
    def climb(self) -> float | None:
        """Share by which the last doubling of the rows changed the value; None where one size was read, or the value was 0."""
        if len(self.values) < 2 or not self.values[-2]:
            return None
        return self.values[-1] / self.values[-2] - 1

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @classmethod
    def of_dict(cls, values: Mapping[str, Any]) -> "Growth":
        """What `as_dict` gave, also through JSON."""
        listed = {name: tuple(values[name]) for name in ("rows", "patients", "values", "ceilings")}
        return cls(**dict(values) | listed | {"intervals": tuple(Interval(**each) for each in values["intervals"])})


def halves(patients: Sequence[object] | np.ndarray) -> list[int]:
    """Numbers of rows, ascending: all of them, half, a quarter …, none below 16 or the largest patient's own rows."""
    _, count = np.unique(np.asarray(patients).astype(str), return_counts=True)
    n, least = int(count.sum()), max(LEAST, int(count.max()))
    return sorted({n} | {n >> power for power in range(1, MOST) if n >> power >= least})


def grow(name: str, z: Features, patients: Sequence[object] | np.ndarray, beside: Any = None) -> Growth:
    """A measure of rows (n, d) with 1, 1/2, 1/4 … of them; `beside` are their classes (n,) or the other tower (n, d).

    Raises UserError for an unknown measure, or one that cannot be read from all rows, with the reason.
    """
    if name not in MEASURES:
        raise UserError(f"no measure {name!r}; there are {', '.join(MEASURES)}")
    people, sizes = np.asarray(patients).astype(str), halves(patients)
    rows: list[tuple[int, int, float, float | None, Interval]] = []
    left_out: dict[str, str] = {}
    try:
        whole = as_array(z)
        for size, kept in zip(sizes, nested(people, sizes)):
            try:
                rows.append(read_at(name, whole, people, kept, beside))
            except ValueError as error:
                left_out[str(size)] = str(error)
    except ValueError as error:
        raise UserError(f"{named(name)}: {error}") from None
    if str(sizes[-1]) in left_out:
        raise UserError(f"{named(name)}: {left_out[str(sizes[-1])]}")
    taken, people_of, values, ceilings, intervals = zip(*rows)
    return Growth(name, whole.shape[1], taken, people_of, values, ceilings, intervals, left_out)


def read_at(
    name: str, whole: np.ndarray, people: np.ndarray, kept: np.ndarray, beside: Any = None
) -> tuple[int, int, float, float | None, Interval]:
    """Rows, patients, value, isotropic ceiling and interval of a measure of the rows (n, d) at `kept`; ValueError where it cannot be read there."""
    measure = MEASURES[name]
    if measure.needs == "rows":
        found, spread = of_rows(measure.of, whole, people, kept)
    else:
        every = np.arange(len(whole))
        found, spread = of_rows(lambda own, at: read(name, own, beside[at], people[at]), whole, people, kept, every)
    if not np.isfinite(found.value):
        raise ValueError(f"{named(name)} is not defined for these rows")
    ceiling = found.ceiling
    if ceiling is None:
        ceiling = ceiling_beside(name, whole[kept], beside[kept] if measure.needs == "classes" else None)
    return len(kept), len(set(people[kept])), found.value, ceiling, spread


def read_growth(folder: Path) -> Growth:
    """What the job `growth` wrote."""
    return Growth.of_dict(read_json(folder / "found.json"))
