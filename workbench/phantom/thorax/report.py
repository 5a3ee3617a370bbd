"""What a radiologist would write about a study of this engine: the sentences of the plain reports, and its own for what they lack."""

from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import yaml

from workbench.phantom.comparison import Change, compared
from workbench.phantom.marks import Entity
from workbench.phantom.report import (
    NEGATED,
    Report,
    Sentence,
    amount_of,
    chosen,
    degree_of,
    density_of,
    fill,
    grammar,
    millimetres_of,
    negatives,
    sentence,
)
from workbench.phantom.thorax import DEVICES, FINDINGS
from workbench.phantom.thorax.latents import Finding, Study
from workbench.randomness import rng

GRADES = ("mild", "moderate", "severe")
PLACED = ("consolidation", "atelectasis", "nodule", "mass")  # have a zone
COMPARED = 0.85  # of the changes
LABELS = MappingProxyType(  # concept -> finding, where the names differ
    {
        "pleural effusion": "effusion",
        "pulmonary edema": "oedema",
        "fracture": "rib fracture",
        "pulmonary nodule": "nodule",
        "pneumonia": "consolidation",
        "central venous catheter": "central venous line",
    }
)


@cache
def own_sentences() -> dict[str, Any]:
    """The templates that the plain grammar lacks."""
    return yaml.safe_load((Path(__file__).parent / "grammar.yaml").read_text())


@cache
def rules() -> dict[str, Any]:
    """The plain grammar and this engine's own sentences."""
    own, plain = own_sentences(), grammar()
    found = {part: plain[part] | own.get(part, {}) if isinstance(plain[part], dict) else plain[part] for part in plain}
    found |= {part: own[part] for part in ("named", "changed", "compared")}
    return found | {"present": found["present"] | {"central venous line": plain["present"]["central venous catheter"]}}


def changes(study: Study, prior: Study | None) -> dict[str, Change]:
    """Finding -> change since the prior study; not in it: what neither shows, and what has come or gone on one side only."""
    return compared(study, prior, FINDINGS, DEVICES, lambda each: (each.side, "", each.zone if each.name in PLACED else ""))


def report(study: Study, prior: Study | None = None) -> Report:
    """Every finding is stated and compared with the prior study, some absent ones are ruled out, the rest is boiler-plate."""
    draw = rng(study.seed, "thorax report", 0, study.number)

    def pick(options: list[str]) -> str:
        return options[int(draw.integers(len(options)))]

    opening = [sentence(pick(rules()["technique"][study.view]), {})] if draw.random() < 0.6 else []
    if prior is not None and draw.random() < 0.5:
        opening.append(sentence(pick(rules()["compared"]), {}))
    if draw.random() < 0.35 and study.view != "lateral":
        opening.append(sentence(pick(rules()["breath"]["shallow" if study.inspiration < 0.45 else "deep"]), {}))
    present = [name for name in FINDINGS if study.has(name)]
    changed = {name: how for name, how in changes(study, prior).items() if draw.random() < COMPARED}
    body = [[positive(study, name, draw, "present"), *compare(name, changed, draw)] for name in present]
    body += [compare(name, changed, draw) for name, how in changed.items() if how == "resolved"]
    body += [[each] for each in ruled_out(study, draw) if not any(changed.get(name) == "resolved" for name in each.says)]
    places = draw.choice(len(rules()["normal"]), int(draw.integers(1, 4)), replace=False)
    normal = [rules()["normal"][place] for place in places]
    if study.has("rib fracture"):
        normal = [text for text in normal if "bony" not in text and "osseous" not in text]
    if study.has("oedema"):
        normal = [text for text in normal if "vascularity" not in text]
    body += [[sentence(text, {})] for text in normal]
    said = [each for place in draw.permutation(len(body)) for each in body[place]]
    closing = [positive(study, name, draw, "impression") for name in present if draw.random() < 0.85]
    if not closing:
        ill = [name for name in present if name not in DEVICES] or present
        closing = [positive(study, ill[0], draw, "impression")] if ill else [sentence(pick(rules()["impression"]["normal"]), {})]
    return Report(tuple(map(own_labels, (*opening, *said))), tuple(map(own_labels, closing)))


def compare(name: str, changed: dict[str, Change], draw: np.random.Generator) -> list[Sentence]:
    """A sentence on what has become of a finding since the prior study, where the report tells of it."""
    how = changed.get(name)
    if how is None:
        return []
    gone, noun = how == "resolved", str(rules()["named"][name])
    options = rules()["changed"]["removed" if gone and name in DEVICES else how]
    text = options[int(draw.integers(len(options)))].replace("{noun}", noun.replace("<", "<!") if gone else noun)
    return [sentence(text, {name: not gone})]


def ruled_out(study: Study, draw: np.random.Generator) -> list[Sentence]:
    """Some of what is absent; devices are ruled out more rarely, and no nodule in words that deny a mass which is there."""
    absent, own = [name for name in FINDINGS if not study.has(name)], rules()
    if study.has("mass"):
        own = own | {"absent": own["absent"] | {"nodule": [each for each in own["absent"]["nodule"] if "mass" not in each]}}
    return negatives(absent, draw, own, dict.fromkeys(DEVICES, NEGATED / 4))


def positive(study: Study, name: str, draw: np.random.Generator, section: str) -> Sentence:
    """One sentence that states a finding."""
    found = [finding for finding in study.findings if finding.name == name]
    worst = max(found, key=lambda finding: finding.severity)
    return sentence(fill(chosen(rules()[section], name, len(found) > 1, draw), slots(worst, draw)), {name: True})


def slots(finding: Finding, draw: np.random.Generator) -> dict[str, str]:
    """Words for the slots of a template."""
    words = rules()["words"]

    def one(options: list[str]) -> str:
        return options[int(draw.integers(len(options)))]

    amount = amount_of(finding)
    return {
        "side": finding.side,
        "amount": one(words[amount]).removesuffix("ly sized") if amount == "moderate" else one(words[amount]),
        "degree": degree_of(finding),
        "density": density_of(finding),
        "grade": grade_of(finding),
        "zone": one(words["zone"][finding.zone]),
        "millimetres": str(millimetres_of(finding)),
        "ratio": f"{0.52 + 0.15 * finding.severity:.2f}",
    }


def grade_of(finding: Finding) -> str:
    """How bad, one of GRADES."""
    return degree_of(finding).removesuffix("ly")


def labelled(entity: Entity) -> Entity:
    """The mention with this engine's finding as its label."""
    name = LABELS.get(entity.concept, entity.concept)
    return entity._replace(label=name if name in FINDINGS else "")


def own_labels(written: Sentence) -> Sentence:
    """The sentence with this engine's labels."""
    return written._replace(entities=tuple(map(labelled, written.entities)))
