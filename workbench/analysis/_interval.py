"""A number with its interval, or without one and the reason."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """A statistic with a confidence interval; `low` and `high` are None where it is withheld, `why` then says the reason."""

    value: float
    low: float | None
    high: float | None
    procedure: str
    why: str = ""

    def __float__(self) -> float:
        return float(self.value)


def withheld(value: float, why: str, procedure: str = "") -> Interval:
    return Interval(float(value), None, None, procedure, why)
