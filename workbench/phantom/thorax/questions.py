"""What can be asked about a study of this engine and what is true: presence, place, size, severity, devices, and change since the prior study."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from workbench.phantom.comparison import Change
from workbench.phantom.questions import Question, of, posed, rows_of, side_of
from workbench.phantom.report import AMOUNTS, DENSITIES, amount_of, density_of, millimetres_of
from workbench.phantom.thorax import DEVICES, FINDINGS
from workbench.phantom.thorax.latents import BILATERAL, Study
from workbench.phantom.thorax.prevalence import shares_of
from workbench.phantom.thorax.report import GRADES, changes, grade_of
from workbench.phantom.thorax.variants import PLAIN, Variant
from workbench.randomness import rng

CONCEPT = MappingProxyType(
    {name: name for name in FINDINGS}
    | {"effusion": "pleural effusion", "nodule": "pulmonary nodule", "oedema": "pulmonary oedema", "mass": "lung mass"}
)
TABLE = MappingProxyType(  # finding -> row of the concept table
    {name: name for name in FINDINGS}
    | {"effusion": "pleural effusion", "nodule": "pulmonary nodule", "oedema": "pulmonary edema"}
    | {"rib fracture": "fracture", "central venous line": "central venous catheter"}
)
UNCOUNTED = ("cardiomegaly", "consolidation", "atelectasis", "oedema")  # words without an article
CHANGES: tuple[Change, ...] = ("increased", "decreased", "unchanged", "new", "resolved")
DISEASES = tuple(name for name in FINDINGS if name not in DEVICES)
ask = partial(posed, nouns=CONCEPT, uncounted=UNCOUNTED)


def questions(study: Study, prior: Study | None, variant: Variant = PLAIN) -> list[Question]:
    """All questions of a study and of what has changed since the patient's prior study; a function of its seed and number."""
    draw = rng(study.seed, "thorax questions", 0, study.number)
    asked = [*presence(study, draw, variant), *details(study, draw), *whole(study, draw), *since(study, prior, draw)]
    return [tabled(each) for each in asked]


def tabled(own: Question) -> Question:
    """The question with its concepts by the names of the concept table, and boxes by the labels of this engine."""
    names = {CONCEPT[name]: concept for name, concept in TABLE.items()}
    shown = tuple(("cardiomegaly" if label == "heart" else label, side) for label, side in own.evidence)
    return replace(own, concepts=tuple(names.get(each, each) for each in own.concepts), evidence=shown)


def presence(study: Study, draw: np.random.Generator, variant: Variant) -> Iterator[Question]:
    """Yes or no, balanced for each finding over the studies of the variant."""
    for name, share in shares_of(variant).items():
        asked = draw.random() < share / (1 - share)
        if study.has(name):
            yield ask(draw, "presence", "yes", name, of(study, name), ("yes", "no"))
        elif asked:
            yield ask(draw, "presence", "no", name, [], ("yes", "no"))


def details(study: Study, draw: np.random.Generator) -> Iterator[Question]:
    """Side, place, severity and size of what is there."""
    for name in FINDINGS:
        found = of(study, name)
        if not found:
            continue
        worst, several = max(found, key=lambda finding: finding.severity), " of two" if len(found) > 1 else ""
        if worst.side:
            sides = ("right", "left", "both") if name in BILATERAL else ("right", "left")
            yield ask(draw, "side", side_of(found), name, found, sides)
        if name in ("consolidation", "nodule", "mass") and not several:
            yield ask(draw, "location", f"{worst.side} {worst.zone} zone", name, found, concepts=(f"{worst.zone} lung zone",))
        if name in ("effusion", "pneumothorax"):
            yield ask(draw, "amount", amount_of(worst), name, [worst], AMOUNTS, wording=f"amount{several}")
        if name in ("cardiomegaly", "oedema"):
            yield ask(draw, "degree", grade_of(worst), name, found, GRADES)
        if name == "consolidation":
            yield ask(draw, "density", density_of(worst), name, [worst], DENSITIES, wording=f"density{several}")
        if name in ("nodule", "mass"):
            yield ask(draw, "size", f"{millimetres_of(worst)} mm", name, found)


def whole(study: Study, draw: np.random.Generator) -> Iterator[Question]:
    """What concerns the study as a whole."""
    ill, devices = ([name for name in names if study.has(name)] for names in (DISEASES, DEVICES))
    seen = [each for name in ill for each in of(study, name)]
    listed = [f"{side} {CONCEPT[name]}".strip() for name in ill for side in [side_of(of(study, name)).replace("both", "bilateral")]]
    about = tuple(CONCEPT[name] for name in ill)
    yield ask(draw, "view", study.view, "", [], ("PA", "AP"), wording="view of the first")
    yield ask(draw, "count", str(len(ill)), "", seen, concepts=about, wording="count of all")
    yield ask(draw, "abnormalities", ", ".join(listed) or "none", "", seen, concepts=about, wording="abnormalities of all")
    held = [each for name in devices for each in of(study, name)]
    named = tuple(CONCEPT[name] for name in devices)
    yield ask(draw, "device", ", ".join(named) or "none", "", held, concepts=named, wording="devices")


def since(study: Study, prior: Study | None, draw: np.random.Generator) -> Iterator[Question]:
    """What has become of each finding since the prior study."""
    for name, how in changes(study, prior).items():
        yield ask(draw, "change", how, name, of(study, name), CHANGES)


def question_rows(study: Study, prior: Study | None, boxes: list[dict[str, Any]], variant: Variant = PLAIN) -> list[dict[str, Any]]:
    """The questions of a study as in Sample["questions"]: `boxes` are places in Sample["boxes"], of all its films, that show the answer."""
    return rows_of(questions(study, prior, variant), boxes)
