"""Which measures of a sheet read true at these rows, and which does something in them fool? From what the sheet itself holds."""

from typing import Literal, NamedTuple

from workbench.analysis._jackknife import HEAVY
from workbench.analysis._reading import ENOUGH
from workbench.analysis.blind import BLIND, SITUATIONS, Situation
from workbench.analysis.sheets import Sheet, Value

MOSTLY, SHRUNK = 0.9, 0.1  # share of energy in the mean; of the untrained network's scale
Grade = Literal["covered", "open", "fooled", "missing"]
GRADES: dict[Grade, str] = {  # in the order in which to read them
    "covered": "interval known",
    "open": "no interval known",
    "fooled": "fooled here",
    "missing": "not read",
}


class Trusted(NamedTuple):
    """A value, how far to trust it here, and what in these rows fools it."""

    value: Value
    grade: Grade
    by: tuple[Situation, ...]

    @property
    def why(self) -> str:
        """What fools it here, in words; "" where nothing is seen that does."""
        return "; ".join(SITUATIONS[each] for each in self.by)


def situations(own: Sheet, untrained: Sheet | None = None) -> tuple[Situation, ...]:
    """What in these rows is known to fool measures: a mean that holds .9 of the energy, heavy tails, a lost scale, few rows, constant columns."""
    offset, scale = own.get("offset"), own.get("feature_std")
    before = untrained.get("feature_std") if untrained else None
    shrunk = scale and before and scale.value is not None and before.value is not None and scale.value < SHRUNK * before.value
    found: dict[Situation, bool] = {
        "mean": bool(offset and offset.value is not None and offset.value >= MOSTLY),
        "tails": own.row_kurtosis is not None and own.row_kurtosis > HEAVY,
        "shrunk": bool(shrunk),
        "few": own.n < ENOUGH * own.d,
        "constant": own.constant > 0,
    }
    return tuple(name for name, present in found.items() if present)


def trusted(own: Sheet, untrained: Sheet | None = None) -> tuple[Trusted, ...]:
    """Every value of a sheet in the order in which to read them: those with an interval first, what these rows fool last but for what was not read."""
    here, found = situations(own, untrained), []
    for each in own.values:
        by = tuple(situation for situation in BLIND[each.name].by if situation in here)
        grade: Grade = "missing" if each.value is None else "fooled" if by else "open" if each.low is None else "covered"
        found.append(Trusted(each, grade, by if each.value is not None else ()))
    order = list(GRADES)
    return tuple(sorted(found, key=lambda each: order.index(each.grade)))
