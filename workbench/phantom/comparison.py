"""What has changed since a patient's prior study: from the findings of the two studies and their severities."""

from collections.abc import Sequence
from typing import Literal

from workbench.phantom import DEVICES, FINDINGS
from workbench.phantom.thorax.latents import Finding, Study

Change = Literal["increased", "decreased", "unchanged", "new", "resolved"]
NOTICED = 0.1  # difference of severity that is a change
PLACED = ("consolidation", "atelectasis", "nodule", "mass")  # have a zone


def changes(study: Study, prior: Study | None) -> dict[str, Change]:
    """Finding -> change since the prior study; not in it: what neither shows, and what has come or gone on one side only."""
    if prior is None:
        return {}
    found = {name: change(of(prior, name), of(study, name)) for name in FINDINGS}
    return {name: each for name, each in found.items() if each}


def change(before: Sequence[Finding], now: Sequence[Finding]) -> Change | None:
    """The change of one finding; at another place it is a new one, and devices do not grow."""
    if not before or not now:
        return "new" if now else "resolved" if before else None
    old, fresh = ({place(finding) for finding in each} for each in (before, now))
    if not old & fresh:
        return "new"
    if old != fresh:
        return None
    grown = max(each.severity for each in now) - max(each.severity for each in before)
    if now[0].name in DEVICES or abs(grown) < NOTICED:
        return "unchanged"
    return "increased" if grown > 0 else "decreased"


def place(finding: Finding) -> tuple[str, str]:
    """Where a finding is, as exactly as a report tells."""
    return finding.side, finding.zone if finding.name in PLACED else ""


def of(study: Study, name: str) -> list[Finding]:
    """The findings of one name: two where both sides have it."""
    return [finding for finding in study.findings if finding.name == name]
