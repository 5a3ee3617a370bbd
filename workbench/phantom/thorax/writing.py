"""Reports of this engine as radiologists write them: the templates of the first engine, and what they lack for thirteen findings."""

from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from workbench.phantom.report import Report
from workbench.phantom.speech import Speech, phrases
from workbench.phantom.styles import NEGATED, Reports, styled
from workbench.phantom.thorax import DEVICES, FINDINGS
from workbench.phantom.thorax.latents import MIDDLE, Finding, Side, Study, size_of
from workbench.phantom.thorax.report import changes, labelled, report

ORGANS = {
    "lines": DEVICES,
    "heart": ("cardiomegaly",),
    "lungs": ("consolidation", "atelectasis", "oedema", "nodule", "mass"),
    "pleura": ("effusion", "pneumothorax"),
    "bones": ("rib fracture",),
    "abdomen": (),
}
DENIED = {name: each for name, each in NEGATED.items() if name in FINDINGS} | {
    "atelectasis": 0.15,
    "oedema": 0.4,
    "mass": 0.2,
    "rib fracture": 0.15,
    **dict.fromkeys(DEVICES, 0.03),
}
DRAWN = ("atelectasis", "fracture", "deformity", "wedging")  # boiler-plate of the first engine that names findings of this one


@cache
def own_phrases() -> dict[str, Any]:
    """The templates that those of the first engine lack."""
    return yaml.safe_load((Path(__file__).parent / "styles.yaml").read_text())


@cache
def rules() -> dict[str, Any]:
    """All templates: this engine's go before the first engine's, and boiler-plate names no finding that films show."""
    found = joined(phrases(), own_phrases())
    for kind in ("old age", "incidental"):
        found[kind] = [each for each in found[kind] if not any(word in each for word in DRAWN)]
    for part in ("nouns", "ruled out"):
        found[part]["central venous line"] = found[part]["central venous catheter"]
    return found


def joined(first: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Two trees of templates; where both have a list, the second's."""
    found = dict(first)
    for name, each in own.items():
        found[name] = joined(first[name], each) if isinstance(each, dict) and isinstance(first.get(name), dict) else each
    return found


def slight(study: Study, name: str, side: Side, up: float) -> Finding:
    """A finding that is hardly there."""
    return Finding(name, side, 0.1, size_of(name, 0.1), (0.0, up, 0.0))


SPEECH = Speech(
    findings=FINDINGS,
    devices=DEVICES,
    organs=MappingProxyType(ORGANS),
    negated=MappingProxyType(DENIED),
    rules=rules,
    slight=slight,
    middle=MIDDLE,
    zone=lambda finding: finding.zone,
    changes=changes,
    labelled=labelled,
)


def written(study: Study, prior: Study | None, reports: Reports = "plain") -> Report:
    """The report of a study whose patient's prior study is known, in either kind of writing."""
    return report(study, prior) if reports == "plain" else styled(study, prior, SPEECH)
