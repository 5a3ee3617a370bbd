"""The same patient and film with one thing changed: what it would look like with another severity, side, age or exposure.

>>> before = phantom(seed=0, index=7)
>>> after = before.edit(finding="effusion", side="left", severity=0.8)
>>> after.film(128).image.astype(int) - before.film(128).image
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from workbench.errors import UserError
from workbench.phantom import FINDINGS, SIDES
from workbench.phantom.levels import LEVELS, LevelName
from workbench.phantom.report import Report, report
from workbench.phantom.thorax.course import drawn_study
from workbench.phantom.thorax.film import Film, render
from workbench.phantom.thorax.films import initialled
from workbench.phantom.thorax.latents import MIDDLE, VIEWS, ZONES, Side, Study, details, with_finding
from workbench.phantom.thorax.variants import PLAIN, Variant

ZONED = ("consolidation", "nodule", "mass")


class Factor(NamedTuple):
    """What may be changed besides findings: the field of the latents, and its bounds or its words."""

    field: str
    bounds: tuple[float, float] | tuple[str, ...]


PATIENT = {
    "age": Factor("age", (18.0, 95.0)),
    "sex": Factor("sex", ("F", "M")),
    "build": Factor("build", (0.0, 1.0)),
    "heart size": Factor("heart", (-0.3, 0.3)),
}
FILM = {
    "view": Factor("view", VIEWS),
    "inspiration": Factor("inspiration", (0.0, 1.0)),
    "rotation": Factor("yaw", (-15.0, 15.0)),
    "tilt": Factor("roll", (-12.0, 12.0)),
    "shift right": Factor("shift", (-5.0, 5.0)),
    "shift up": Factor("shift", (-5.0, 5.0)),
    "zoom": Factor("zoom", (0.75, 1.35)),
    "exposure": Factor("photons", (math.log(150.0), math.log(10_000.0))),
    "device style": Factor("device_style", ("0", "1", "2")),
}
FACTORS: Mapping[str, Factor] = MappingProxyType(PATIENT | FILM)


@dataclass(frozen=True)
class Phantom:
    """One simulated study, and the one with its findings as they were, whose display window it keeps."""

    study: Study
    base: Study

    def edit(
        self, finding: str | None = None, side: str | None = None, severity: float | None = None, zone: str | None = None, **factors: Any
    ) -> "Phantom":
        """The same study with one finding at another severity (0 takes it away), side or zone, and with other factors.

        Without a severity a finding that is there keeps its own, and one that is not takes the one it was drawn with; 0 without a side
        takes both sides away. An edited finding keeps noise, texture, vessels and display window: what differs is the finding, the light
        it scatters (of a nodule or a fracture, which change little themselves, 2 to 11 % of the squared difference lie beyond a twelfth of
        the film), and what it displaces (lost volume the borders of the lungs, a pneumothorax the fallen lung). A
        factor changes all that depends on it, the window included. Factors whose name has a space are written with `_`. Raises UserError
        with the allowed values for a name or value there is not, and for values that contradict each other.
        """
        study, base = self.study, self.base
        for name, value in factors.items():
            study, base = (with_factor(each, name.replace("_", " "), value) for each in (study, base))
        if finding is not None:
            study = edited(study, finding, side, severity, zone)
        elif any(given is not None for given in (side, severity, zone)):
            raise UserError(f"phantom: side, severity and zone are of a finding; name one of {', '.join(FINDINGS)}")
        return Phantom(study, base)

    def film(self, size: int = 128) -> Film:
        """Film, masks and boxes, `size` pixels square."""
        check_size(size)
        return initialled(self.study, render(self.study, size, None if self.study == self.base else self.base))

    def report(self) -> Report:
        """What a radiologist writes about the study as it is now, without a prior one."""
        return report(self.study)


def phantom(seed: int = 0, index: int = 0, level: LevelName | None = None, variant: Variant = PLAIN) -> Phantom:
    """The study `index` of a seed, from the front: the same one the data set `phantoms` has under this number.

    At the variant's level unless another is given. Raises UserError for a level there is not.
    """
    if level is not None and level not in LEVELS:
        raise UserError(f"phantom: no level {level!r}; the levels are {', '.join(LEVELS)}")
    variant = variant if level is None else variant._replace(level=level)
    study = drawn_study(seed, index, variant)
    return Phantom(study, study)


def edited(study: Study, name: str, side: str | None, severity: float | None, zone: str | None) -> Study:
    """The study with one finding changed; raises UserError with the allowed values."""
    check(name, side, severity, zone)
    there = max(
        (each for each in study.findings if each.name == name and side in (None, each.side)), key=lambda each: each.severity, default=None
    )
    if severity == 0:
        return study._replace(findings=tuple(each for each in study.findings if each.name != name or side not in (None, each.side)))
    own = there or max(details(study.seed, study.number, name, study.level), key=lambda each: each.severity)
    beside: Side = "" if name in MIDDLE else side or own.side  # type: ignore[assignment]
    return with_finding(study, name, own.severity if severity is None else severity, beside, zone)


def check(name: str, side: str | None, severity: float | None, zone: str | None) -> None:
    """Raises UserError, with the allowed values, for what no finding can be."""
    if name not in FINDINGS:
        raise UserError(f"phantom: no finding {name!r}; the findings are {', '.join(FINDINGS)}")
    check_severity(name, severity)
    if side is not None and name in MIDDLE:
        raise UserError(f"phantom: {name} has no side; leave it out")
    if side is not None and side not in SIDES:
        raise UserError(f"phantom: no side {side!r}; the sides are {', '.join(SIDES)}")
    if zone is not None and (zone not in ZONES or name not in ZONED):
        raise UserError(f"phantom: no zone {zone!r} of {name}; {', '.join(ZONED)} may be in the {', '.join(ZONES)} zone")
    if zone is not None and severity == 0:
        raise UserError(f"phantom: severity 0 takes {name} away, which contradicts zone {zone!r}; give one of them, or a severity above 0")


def check_size(size: int) -> None:
    """Raises UserError for what is no size of a film."""
    if isinstance(size, bool) or not isinstance(size, int) or not 16 <= size <= 1024 or size % 2:
        raise UserError(f"phantom: a film of {size} pixels; expected an even number from 16 to 1024")


def check_severity(name: str, severity: float | None) -> None:
    """Raises UserError for what is no severity."""
    if severity is not None and (isinstance(severity, bool) or not isinstance(severity, int | float) or not 0 <= severity <= 1):
        raise UserError(f"phantom: severity {severity!r} of {name}; expected a number from 0 (not there) to 1")


def with_factor(study: Study, name: str, value: Any) -> Study:
    """A study with one factor of the patient or of the film changed; findings stay."""
    if name not in FACTORS:
        raise UserError(f"phantom: no factor {name!r}; the factors are {', '.join(FACTORS)}")
    field, bounds = FACTORS[name]
    if isinstance(bounds[0], str):
        good, expected = value in bounds, f"one of {', '.join(map(str, bounds))}"
    else:
        good = isinstance(value, int | float) and not isinstance(value, bool) and bounds[0] <= value <= bounds[1]
        expected = f"{bounds[0]:.3g} to {bounds[1]:.3g}"
    if not good:
        raise UserError(f"phantom: {name} {value!r}; expected {expected}")
    if name in PATIENT:
        return study._replace(patient=study.patient._replace(**{field: value}))
    right, up = study.shift
    if field == "shift":
        return study._replace(shift=(value, up) if name == "shift right" else (right, value))
    changed: dict[str, Any] = {field: math.exp(value) if field == "photons" else int(value) if field == "device_style" else value}
    return study._replace(**changed)
