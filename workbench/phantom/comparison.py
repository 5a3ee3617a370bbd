"""What has changed since a patient's prior film: from the findings of the two studies and their severities."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from workbench.phantom import FINDINGS
from workbench.phantom.latents import Finding, Study, patient_of
from workbench.phantom.report import zone_of
from workbench.phantom.variants import Variant, draw

if TYPE_CHECKING:
    from workbench.phantom.thorax.latents import Study as ThoraxStudy

Change = Literal["increased", "decreased", "unchanged", "new", "resolved"]
Place = tuple[str, str, str]
NOTICED = 0.1  # difference of severity that is a change
DEVICES = ("support device",)  # do not grow


def prior_of(study: Study, variant: Variant) -> Study | None:
    """The film before of the same patient, if there is one."""
    before = study.number - 1
    if before < 0 or patient_of(before) != study.patient_index:
        return None
    return draw(study.seed, before, study.level, variant)


def changes(study: Study, prior: Study | None) -> dict[str, Change]:
    """Finding -> change; not in it: what neither film shows, and what has come or gone on one side only."""
    return compared(study, prior, FINDINGS, DEVICES, place)


def compared(
    study: "Study | ThoraxStudy",
    prior: "Study | ThoraxStudy | None",
    findings: Sequence[str],
    devices: Sequence[str],
    where: Callable[..., Place],
) -> dict[str, Change]:
    """The same for either engine: its findings, those that do not grow, and where one is."""
    if prior is None:
        return {}
    found = {name: change(of(prior, name), of(study, name), devices, where) for name in findings}
    return {name: each for name, each in found.items() if each}


def change(before: Sequence[Any], now: Sequence[Any], devices: Sequence[str], where: Callable[..., Place]) -> Change | None:
    """The change of one finding; at another place it is a new one."""
    if not before or not now:
        return "new" if now else "resolved" if before else None
    old, fresh = ({where(finding) for finding in each} for each in (before, now))
    if not old & fresh:
        return "new"
    if old != fresh:
        return None
    grown = max(each.severity for each in now) - max(each.severity for each in before)
    if now[0].name in devices or abs(grown) < NOTICED:
        return "unchanged"
    return "increased" if grown > 0 else "decreased"


def place(finding: Finding) -> Place:
    """Where a finding is, as exactly as a report tells."""
    return finding.side, finding.kind, zone_of(finding) if finding.name in ("nodule", "consolidation") else ""


def of(study: "Study | ThoraxStudy", name: str) -> list[Any]:
    """The findings of one name: two where both sides have it."""
    return [finding for finding in study.findings if finding.name == name]
