"""The same patient and film with one thing changed: what it would look like with another severity, side, age or exposure.

>>> before = phantom("teaching", seed=0, index=7)
>>> after = before.edit(finding="effusion", side="left", severity=0.8)
>>> after.film(128).image.astype(int) - before.film(128).image
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from workbench.errors import UserError
from workbench.phantom import FINDINGS, SIDES
from workbench.phantom.film import Film, render
from workbench.phantom.latents import DEVICES, Finding, Study, finding_details, size_of
from workbench.phantom.levels import LEVELS, LevelName
from workbench.phantom.report import Report, report
from workbench.phantom.variants import PLAIN, Variant, draw
from workbench.randomness import rng

if TYPE_CHECKING:
    from workbench.phantom.thorax.latents import Study as ThoraxStudy

ZONES = {"upper": 0.45, "middle": 0.05, "lower": -0.4}  # height in the lung, as `Finding.place` has it
SIDED = {"effusion", "pneumothorax", "consolidation", "nodule", "central venous catheter", "pacemaker"}
ZONED = {"consolidation", "nodule"}
S = TypeVar("S", "Study", "ThoraxStudy")


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
    "view": Factor("view", ("PA", "AP")),
    "inspiration": Factor("inspiration", (0.0, 1.0)),
    "rotation": Factor("yaw", (-15.0, 15.0)),
    "tilt": Factor("roll", (-12.0, 12.0)),
    "shift right": Factor("shift", (-5.0, 5.0)),
    "shift up": Factor("shift", (-5.0, 5.0)),
    "zoom": Factor("zoom", (0.75, 1.35)),
    "exposure": Factor("photons", (math.log(150.0), math.log(10_000.0))),
    "device style": Factor("device_style", ("0", "1", "2")),
}
FACTORS: Mapping[str, Factor] = PATIENT | FILM


@dataclass(frozen=True)
class Phantom:
    """One simulated study and the one it was edited from, whose noise it keeps; `held`: its display window as well."""

    study: Study
    base: Study
    held: bool = True

    def edit(
        self,
        finding: str | None = None,
        side: str | None = None,
        severity: float | None = None,
        zone: str | None = None,
        kind: str | None = None,
        **factors: Any,
    ) -> "Phantom":
        """The same study with one finding at another severity (0 takes it away), side, zone or kind, and with other factors.

        An edited finding keeps noise, texture, vessels and display window: what differs is the finding and the light it scatters over
        the film. Cardiomegaly also moves the heart's border over the lungs, a pneumothorax the markings of the fallen lung. A factor
        changes all that depends on it, the window the device chooses included. Factors whose name has a space are written with `_`.
        Raises UserError with the allowed values for a name or a value there is not.
        """
        study, held = self.study, self.held
        if finding is not None:
            study = study._replace(findings=edited(study, finding, side, severity, zone, kind))
        elif any(given is not None for given in (side, severity, zone, kind)):
            raise UserError(f"phantom: side, severity, zone and kind are of a finding; name one of {', '.join(FINDINGS)}")
        for name, value in factors.items():
            study, held = with_factor(study, name.replace("_", " "), value), False
        return Phantom(study, self.base, held)

    def film(self, size: int = 128) -> Film:
        """Film, masks and boxes, `size` pixels square."""
        check_size(size)
        return render(self.study, size, self.base, self.held)

    def report(self) -> Report:
        """What a radiologist writes about the study as it is now."""
        return report(self.study)


def check_size(size: int) -> None:
    """Raises UserError for what is no size of a film."""
    if isinstance(size, bool) or not isinstance(size, int) or not 16 <= size <= 1024 or size % 2:
        raise UserError(f"phantom: a film of {size} pixels; expected an even number from 16 to 1024")


def check_severity(name: str, severity: float | None) -> None:
    """Raises UserError for what is no severity."""
    if severity is not None and (isinstance(severity, bool) or not isinstance(severity, int | float) or not 0 <= severity <= 1):
        raise UserError(f"phantom: severity {severity!r} of {name}; expected a number from 0 (not there) to 1")


def phantom(level: LevelName = "teaching", seed: int = 0, index: int = 0, variant: Variant = PLAIN) -> Phantom:
    """The study `index` of a seed: the same one the data set `phantoms` has under this number. Raises UserError for a level there is not."""
    if level not in LEVELS:
        raise UserError(f"phantom: no level {level!r}; the levels are {', '.join(LEVELS)}")
    study = draw(seed, index, level, variant)
    return Phantom(study, study)


def edited(study: Study, name: str, side: str | None, severity: float | None, zone: str | None, kind: str | None) -> tuple[Finding, ...]:
    """The findings of a study with one of them changed, in the order reports and masks have them."""
    check(name, severity, zone, kind)
    same = [each for each in study.findings if each.name == name]
    level, found = (
        LEVELS[study.level],
        max(
            (each for each in same if side in (None, each.side) and kind in (None, each.kind)), key=lambda each: each.severity, default=None
        ),
    )
    if severity == 0:
        kept = [each for each in study.findings if each.name != name or (side is not None and each.side != side)]
        return tuple(kept)
    if found is None:  # a function of the study: a slider moves one finding, it does not scatter new ones
        found = finding_details(rng(study.seed, f"phantom edit {name}", 0, study.number), level, name)[0]
    worth = severity if severity is not None else found.severity
    sort = kind or found.kind
    if side is not None and (sort or name) not in SIDED:
        raise UserError(f"phantom: {sort or name} has no side; leave it out")
    where = found.place if zone is None else (found.place[0], ZONES[zone], found.place[2])
    beside = side or (found.side if (sort or name) in SIDED else "") or ("left" if (sort or name) in SIDED else "")
    if beside not in ("", *SIDES):
        raise UserError(f"phantom: no side {beside!r}; the sides are {', '.join(SIDES)}")
    changed = Finding(name, beside, worth, size_of(level, name, worth), where, sort)  # type: ignore[arg-type]
    others = [each for each in study.findings if each.name != name]
    others += [each for each in same if each is not found and each.side != beside and name != "support device"]
    return tuple(sorted([*others, changed], key=lambda each: (FINDINGS.index(each.name), ("", *SIDES).index(each.side))))


def check(name: str, severity: float | None, zone: str | None, kind: str | None) -> None:
    """Raises UserError, with the allowed values, for what no finding can be."""
    if name not in FINDINGS:
        raise UserError(f"phantom: no finding {name!r}; the findings are {', '.join(FINDINGS)}")
    check_severity(name, severity)
    if zone is not None and (zone not in ZONES or name not in ZONED):
        raise UserError(f"phantom: no zone {zone!r} of {name}; {', '.join(sorted(ZONED))} may be in the {', '.join(ZONES)} zone")
    if kind is not None and (name != "support device" or kind not in DEVICES):
        raise UserError(f"phantom: no kind {kind!r} of {name}; a support device is one of {', '.join(DEVICES)}")


def with_factor(study: S, name: str, value: Any, factors: Mapping[str, Factor] = FACTORS) -> S:
    """A study of either engine with one factor of the patient or of the film changed; findings stay."""
    if name not in factors:
        raise UserError(f"phantom: no factor {name!r}; the factors are {', '.join(factors)}")
    field, bounds = factors[name]
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
