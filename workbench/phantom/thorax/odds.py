"""How likely a finding is: log odds from view, age, sex, illness and the findings before it, after a table of real labels."""

from collections.abc import Container, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml

from workbench.phantom.thorax.patient import Patient

METADATA = 0.3  # of the table's log odds of view, age and sex: all of them would let these three tell findings better than any film does
ABOUT = (0.45, 57.0, 18.0, 0.54)  # share of AP, mean and spread of age in years, share of men, from which log odds are counted


class Odds(NamedTuple):
    """Of one finding."""

    base: float  # log odds at the mean
    ap: float
    age: float  # per 18 years
    male: float
    illness: float  # per standard deviation of what ails a patient in general
    after: Mapping[str, float]  # log odds added by a finding that was drawn before


@cache
def odds() -> Mapping[str, Odds]:
    """Finding -> its odds, from odds.yaml."""
    table = yaml.safe_load((Path(__file__).parent / "odds.yaml").read_text())
    return {name: Odds(**row) for name, row in table.items()}


def odds_of(name: str, patient: Patient, view: str, found: Container[str]) -> float:
    """The log odds of a finding, given those found before it."""
    own = odds()[name]
    portable, years, spread, men = ABOUT
    about = own.ap * ((view == "AP") - portable) + own.age * (patient.age - years) / spread + own.male * ((patient.sex == "M") - men)
    more = sum(each for other, each in own.after.items() if other in found)
    return own.base + METADATA * about + own.illness * patient.illness + more
