"""How do two looks differ, and how alike are the layers and steps of two runs? Differences on the same studies, similarity beside its chance."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np

from workbench.analysis._interval import Interval, withheld
from workbench.analysis._jackknife import paired_jackknife
from workbench.analysis.collapse import ENOUGH, effective_rank, feature_std, offset, participation_ratio
from workbench.analysis.similarity import Name, similarity_matrix
from workbench.embeddings import Embeddings
from workbench.errors import UserError
from workbench.run import Run, read_json

MEASURES: tuple[Name, ...] = get_args(Name)
STEPS = 12  # looks of a run in a matrix, evenly chosen, first and last among them
RANKS = ("participation_ratio", "effective_rank", "uncentred_rank")
STATISTICS: dict[str, Callable[[np.ndarray], Any]] = {
    "participation_ratio": participation_ratio,
    "effective_rank": effective_rank,
    "uncentred_rank": lambda z: effective_rank(z, centred=False),
    "feature_std": feature_std,
    "offset": offset,
}


class Side(NamedTuple):
    """One of the two looks that are compared."""

    run: str
    feature: str
    step: int


@dataclass(frozen=True)
class Difference:
    """A statistic of the first look, of the second, and second - first on the same studies."""

    statistic: str
    first: float
    second: float
    interval: Interval


@dataclass(frozen=True)
class Grid:
    """How alike each of `rows` (of the first run) is with each of `columns` (of the second), and what rows paired at random give."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: np.ndarray
    chance: np.ndarray

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        named = {"rows": list(self.rows), "columns": list(self.columns)}
        return named | {"values": self.values.tolist(), "chance": self.chance.tolist()}

    @classmethod
    def of_dict(cls, values: Mapping[str, Any]) -> "Grid":
        """What `as_dict` gave, also through JSON."""
        arrays = (np.array(values[name], float) for name in ("values", "chance"))
        return cls(tuple(values["rows"]), tuple(values["columns"]), *arrays)


@dataclass(frozen=True)
class Across:
    """Two looks at the same `n` studies; `layers`: features at these looks, `steps`: the feature over both runs' looks."""

    first: Side
    second: Side
    measure: Name
    n: int
    patients: int
    differences: tuple[Difference, ...]
    layers: Grid
    steps: Grid

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        head = {"first": list(self.first), "second": list(self.second), "measure": self.measure, "n": self.n, "patients": self.patients}
        rows = [asdict(each) for each in self.differences]
        return head | {"differences": rows, "layers": self.layers.as_dict(), "steps": self.steps.as_dict()}

    @classmethod
    def of_dict(cls, values: Mapping[str, Any]) -> "Across":
        """What `as_dict` gave, also through JSON."""
        differences = tuple(Difference(**row | {"interval": Interval(**row["interval"])}) for row in values["differences"])
        sides = {name: Side(*values[name]) for name in ("first", "second")}
        grids = {name: Grid.of_dict(values[name]) for name in ("layers", "steps")}
        return cls(**dict(values) | sides | grids | {"differences": differences})


def differences(a: Embeddings, b: Embeddings) -> tuple[Difference, ...]:
    """Every statistic of two looks at the same keys, with the jackknife of the difference over patients (n, d_a) and (n, d_b).

    Ranks of fewer than four rows a dimension get no interval: the number of rows decides them.
    """
    found = []
    short = next((each for each in (a, b) if len(each.features) < ENOUGH * each.features.shape[1]), None)
    for name, statistic in STATISTICS.items():
        first, second = float(statistic(a.features)), float(statistic(b.features))
        if short is not None and name in RANKS:
            n, d = short.features.shape
            interval = withheld(
                second - first, f"{n} rows for {d} dimensions, fewer than {ENOUGH} each: the number of rows decides the rank"
            )
        else:
            interval = paired_jackknife(lambda z, of=statistic: float(of(z)), a.features, b.features, a.patients)  # type: ignore[misc]
        found.append(Difference(name, first, second, interval))
    return tuple(found)


def thinned(steps: Sequence[int], most: int = STEPS) -> list[int]:
    """At most so many of the ascending steps, evenly chosen, first and last among them."""
    if len(steps) <= most:
        return list(steps)
    return [steps[place] for place in np.unique(np.round(np.linspace(0, len(steps) - 1, most)).astype(int))]


def with_feature(run: Run, feature: str) -> list[int]:
    """Looks at which a feature was stored."""
    return [step for step in run.looks() if feature in run.geometry(step)]


def look_at(run: Run, feature: str, step: int) -> Embeddings:
    """The last look not after `step`; raises UserError where there is none."""
    steps = [each for each in with_feature(run, feature) if each <= step]
    if not steps:
        raise UserError(f"{run.id}: no look of {feature} up to step {step}; choose a later step or another feature")
    return run.embeddings(feature, steps[-1])


def check_same(a: Embeddings, b: Embeddings, one: Run, other: Run) -> None:
    """Raises UserError where two looks are not at the same studies in the same order."""
    if a.keys != b.keys or a.data_hash != b.data_hash:
        common = len(set(a.keys) & set(b.keys))
        told = f"{len(a.keys)} and {len(b.keys)} studies, {common} of them in both"
        raise UserError(
            f"{one.id} and {other.id} were looked at on different studies ({told}); train both on one data set with equal monitors.studies"
        )


def of_runs(one: Run, other: Run, feature: str, step: int, measure: Name = "debiased_cka") -> Across:
    """Two runs at the last looks not after `step`; a run with itself is compared with its own first look.

    Raises UserError where they were not looked at on the same studies, or `measure` is unknown.
    """
    if measure not in MEASURES:
        raise UserError(f"no measure {measure!r}; there are {', '.join(MEASURES)}")
    same = one.path == other.path
    b = look_at(other, feature, step)
    a = one.embeddings(feature, with_feature(one, feature)[0]) if same else look_at(one, feature, step)
    check_same(a, b, one, other)
    runs = [one] if same else [one, other]
    layers = grid([layers_at(run, feature, step) for run in runs], measure)
    steps = grid([steps_of(run, feature) for run in runs], measure)
    sides = Side(one.id, feature, a.checkpoint), Side(other.id, feature, b.checkpoint)
    return Across(*sides, measure, len(a.keys), len(set(a.patients)), differences(a, b), layers, steps)


def layers_at(run: Run, feature: str, step: int) -> dict[str, Embeddings]:
    """Every vector feature at the look that stands for `step`, by name."""
    at = look_at(run, feature, step).checkpoint
    return {name: run.embeddings(name, at) for name in run.geometry(at)}


def steps_of(run: Run, feature: str) -> dict[str, Embeddings]:
    """A feature at its looks, thinned, by step."""
    return {str(step): run.embeddings(feature, step) for step in thinned(with_feature(run, feature))}


def grid(sides: Sequence[Mapping[str, Embeddings]], measure: Name) -> Grid:
    """Everything of the first side with everything of the last, which may be the same; looks at the first one's studies alone."""
    keys = next(iter(sides[0].values())).keys
    kept = [{name: each for name, each in side.items() if each.keys == keys} for side in sides]
    rows, columns = kept[0], kept[-1]
    found = similarity_matrix(list(rows.values()), measure, list(columns.values()) if len(kept) > 1 else None)
    return Grid(tuple(rows), tuple(columns), found.values, found.chance)


def read(folder: Path) -> Across:
    """What the job `across` wrote."""
    return Across.of_dict(read_json(folder / "found.json"))
