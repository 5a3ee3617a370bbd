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
from workbench.analysis.sheets import ceiling_beside, part
from workbench.analysis.subsampling import nested, over_n
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
    people, measure = np.asarray(patients).astype(str), MEASURES[name]
    rows: list[tuple[int, int, float, float | None, Interval]] = []
    try:
        whole = as_array(z)
        read(name, z, beside, people)
    except ValueError as error:
        raise UserError(f"{named(name)}: {error}") from None
    left_out: dict[str, str] = {}
    for size in halves(people):
        try:
            if measure.needs == "rows":
                found = over_n(measure.of, z, people, [size])
            else:
                found = over_n(lambda own, at: read(name, own, beside[at], people[at]), whole, people, [size], labels=np.arange(len(whole)))
        except ValueError as error:
            left_out[str(size)] = str(error)
            continue
        if not np.isfinite(found.values[0]):
            left_out[str(size)] = f"{named(name)} is not defined for these rows"
            continue
        kept = nested(people, [size])[0]
        ceiling: float | None = float(found.ceilings[0])
        if np.isnan(found.ceilings[0]):
            ceiling = ceiling_beside(name, as_array(part(z, kept)), beside[kept] if measure.needs == "classes" else None)
        rows.append((int(found.rows[0]), int(found.patients[0]), float(found.values[0]), ceiling, found.intervals[0]))
    if not rows:
        raise UserError(f"{named(name)}: {next(iter(left_out.values()))}")
    sizes, people_of, values, ceilings, intervals = zip(*rows)
    return Growth(name, whole.shape[1], sizes, people_of, values, ceilings, intervals, left_out)


def read_growth(folder: Path) -> Growth:
    """What the job `growth` wrote."""
    return Growth.of_dict(read_json(folder / "found.json"))
