"""What an example of the gallery is: three clouds whose truth is known, a bound between healthy and broken, and how the three are drawn."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np

from workbench.figures.theme import number

MISSED, FALSE = "missed", "false alarm"
LINES = "lines"  # in place of a marker: strokes from point to point, a NaN between them


class Case(NamedTuple):
    """What a diagnostic is given, in words and in arrays; `truth` in closed form, `near` how far from it the reading may lie, as a share."""

    said: str
    given: tuple[Any, ...]
    truth: float | None = None
    near: float = 1e-6


class Part(NamedTuple):
    """Rows (n, 2) that are drawn alike: a series colour's place and a marker."""

    xy: np.ndarray
    slot: int = 2
    symbol: str = "circle"


@dataclass(frozen=True)
class Entry:
    """A diagnostic: alarm where it reads `alarm` the `bound`. `fooled` is a case it judges wrongly, `why` says so with {fooled} for the reading.

    `drawing`: spectra (`seen` gives singular values (d,)), rows (`seen` gives parts), sorted (`seen` gives values (k,)), alike or closing.
    """

    name: str
    called: str
    module: str
    measure: Callable[..., Any]
    alarm: Literal["below", "above"]
    bound: float
    healthy: Case
    broken: Case
    fooled: Case
    mistake: Literal["missed", "false alarm"]
    why: str
    drawing: Literal["spectra", "rows", "sorted", "alike", "closing"]
    seen: Callable[..., Any] | None = None

    @property
    def cases(self) -> dict[str, Case]:
        return {"healthy": self.healthy, "broken": self.broken, "fooled": self.fooled}

    @cached_property
    def found(self) -> dict[str, Any]:
        """What the diagnostic returns for each case."""
        return {name: self.measure(*case.given) for name, case in self.cases.items()}

    def value(self, name: str) -> float:
        """The reading of a case to nine digits; what rounding left of a zero is zero."""
        value = float(f"{float(self.found[name]):.9g}")
        return 0.0 if abs(value) < 1e-9 else value

    def reference(self, name: str) -> float | None:
        """What an isotropic cloud of this (N, d), or pairs at random, would give; None where the diagnostic knows no such value."""
        found = self.found[name]
        return getattr(found, "chance", getattr(found, "ceiling", None))

    def alarms(self, name: str) -> bool:
        """Whether a case lies on the broken side of the bound."""
        value = self.value(name)
        return value < self.bound if self.alarm == "below" else value > self.bound

    def right(self, name: str) -> bool:
        """Whether a case lies as near its closed form as it says; True where there is none."""
        case = self.cases[name]
        return case.truth is None or abs(self.value(name) - case.truth) <= case.near * max(1.0, abs(case.truth))

    def told(self) -> str:
        """What fools it, with the readings in place of their names."""
        return self.why.format(**{name: number(self.value(name)) for name in self.cases})
