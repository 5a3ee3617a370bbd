"""The same three-dimensional patient and film with one thing changed: the interface of `workbench.phantom.counterfactual` on this engine.

>>> before = phantom(seed=0, index=7)
>>> after = before.edit(finding="effusion", side="left", severity=0.8)
>>> after.film(128).image.astype(int) - before.film(128).image
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from workbench.errors import UserError
from workbench.phantom.counterfactual import FACTORS as FIRST
from workbench.phantom.counterfactual import Factor, check_severity, check_size, with_factor
from workbench.phantom.report import Report
from workbench.phantom.thorax import FINDINGS, SIDES
from workbench.phantom.thorax.course import drawn_study
from workbench.phantom.thorax.film import Film, render
from workbench.phantom.thorax.films import initialled
from workbench.phantom.thorax.latents import MIDDLE, VIEWS, ZONES, Side, Study, details, with_finding
from workbench.phantom.thorax.report import report
from workbench.phantom.thorax.variants import PLAIN, Variant

ZONED = ("consolidation", "nodule", "mass")
FACTORS: Mapping[str, Factor] = MappingProxyType({**FIRST, "view": Factor("view", VIEWS)})


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
            study, base = (with_factor(each, name.replace("_", " "), value, FACTORS) for each in (study, base))
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


def phantom(seed: int = 0, index: int = 0, variant: Variant = PLAIN) -> Phantom:
    """The study `index` of a seed, from the front: the same one the data set `thorax` has under this number."""
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
    own = there or max(details(study.seed, study.number, name), key=lambda each: each.severity)
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
