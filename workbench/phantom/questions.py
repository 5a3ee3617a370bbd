"""What can be asked about a study and what is true: presence, place, size, severity, devices, and change since the prior study."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import yaml

from workbench.phantom import DEVICES, FINDINGS
from workbench.phantom.comparison import Change, changes, of
from workbench.phantom.report import AMOUNTS, DENSITIES, GRADES, amount_of, density_of, grade_of, millimetres_of
from workbench.phantom.thorax.latents import BILATERAL, Finding, Study
from workbench.phantom.thorax.prevalence import shares_of
from workbench.phantom.thorax.variants import PLAIN, Variant
from workbench.randomness import rng

CONCEPT = MappingProxyType(  # finding -> noun of the questions, row of the concept table
    {name: (name, name) for name in FINDINGS}
    | {"effusion": ("pleural effusion", "pleural effusion"), "nodule": ("pulmonary nodule", "pulmonary nodule")}
    | {"oedema": ("pulmonary oedema", "pulmonary edema"), "mass": ("lung mass", "mass")}
    | {"rib fracture": ("rib fracture", "fracture"), "central venous line": ("central venous line", "central venous catheter")}
)
UNCOUNTED = ("cardiomegaly", "consolidation", "atelectasis", "oedema")  # words without an article
CHANGES: tuple[Change, ...] = ("increased", "decreased", "unchanged", "new", "resolved")
DISEASES = tuple(name for name in FINDINGS if name not in DEVICES)
Kind = Literal["presence", "side", "location", "amount", "degree", "density", "view", "device", "size", "count", "abnormalities", "change"]


@dataclass(frozen=True)
class Question:
    """A question about a film and its answer."""

    kind: Kind
    question: str
    answer: str
    options: tuple[str, ...]  # of a closed question, else empty
    concepts: tuple[str, ...]  # of the concept table
    evidence: tuple[tuple[str, str], ...]  # label and side of the boxes that show it

    @property
    def answer_type(self) -> Literal["open", "closed"]:
        return "closed" if self.options else "open"


@cache
def wordings() -> dict[str, list[str]]:
    """The ways to put every kind of question."""
    return yaml.safe_load((Path(__file__).parent / "questions.yaml").read_text())


def questions(study: Study, prior: Study | None, variant: Variant = PLAIN) -> list[Question]:
    """All questions of a study and of what has changed since the patient's prior study; a function of its seed and number."""
    draw = rng(study.seed, "thorax questions", 0, study.number)
    return [*presence(study, draw, variant), *details(study, draw), *whole(study, draw), *since(study, prior, draw)]


def presence(study: Study, draw: np.random.Generator, variant: Variant) -> Iterator[Question]:
    """Yes or no, balanced for each finding over the studies of the variant."""
    for name, share in shares_of(variant).items():
        asked = draw.random() < share / (1 - share)
        if study.has(name):
            yield posed(draw, "presence", "yes", name, of(study, name), ("yes", "no"))
        elif asked:
            yield posed(draw, "presence", "no", name, [], ("yes", "no"))


def details(study: Study, draw: np.random.Generator) -> Iterator[Question]:
    """Side, place, severity and size of what is there."""
    for name in FINDINGS:
        found = of(study, name)
        if not found:
            continue
        worst, several = max(found, key=lambda finding: finding.severity), " of two" if len(found) > 1 else ""
        if worst.side:
            sides = ("right", "left", "both") if name in BILATERAL else ("right", "left")
            yield posed(draw, "side", side_of(found), name, found, sides)
        if name in ("consolidation", "nodule", "mass") and not several:
            yield posed(draw, "location", f"{worst.side} {worst.zone} zone", name, found, concepts=(f"{worst.zone} lung zone",))
        if name in ("effusion", "pneumothorax"):
            yield posed(draw, "amount", amount_of(worst), name, [worst], AMOUNTS, wording=f"amount{several}")
        if name in ("cardiomegaly", "oedema"):
            yield posed(draw, "degree", grade_of(worst), name, found, GRADES)
        if name == "consolidation":
            yield posed(draw, "density", density_of(worst), name, [worst], DENSITIES, wording=f"density{several}")
        if name in ("nodule", "mass"):
            yield posed(draw, "size", f"{millimetres_of(worst)} mm", name, found)


def whole(study: Study, draw: np.random.Generator) -> Iterator[Question]:
    """What concerns the study as a whole."""
    ill, devices = ([name for name in names if study.has(name)] for names in (DISEASES, DEVICES))
    seen = [each for name in ill for each in of(study, name)]
    listed = [f"{side} {CONCEPT[name][0]}".strip() for name in ill for side in [side_of(of(study, name)).replace("both", "bilateral")]]
    about = tuple(CONCEPT[name][1] for name in ill)
    yield posed(draw, "view", study.view, "", [], ("PA", "AP"))
    yield posed(draw, "count", str(len(ill)), "", seen, concepts=about)
    yield posed(draw, "abnormalities", ", ".join(listed) or "none", "", seen, concepts=about)
    held = [each for name in devices for each in of(study, name)]
    named = ", ".join(CONCEPT[name][0] for name in devices) or "none"
    yield posed(draw, "device", named, "", held, concepts=tuple(CONCEPT[name][1] for name in devices))


def since(study: Study, prior: Study | None, draw: np.random.Generator) -> Iterator[Question]:
    """What has become of each finding since the prior study."""
    for name, how in changes(study, prior).items():
        yield posed(draw, "change", how, name, of(study, name), CHANGES)


def posed(
    draw: np.random.Generator,
    kind: Kind,
    answer: str,
    name: str,
    shown: Sequence[Finding],
    options: tuple[str, ...] = (),
    concepts: tuple[str, ...] = (),
    wording: str = "",
) -> Question:
    """A question in one of its wordings; `name` is the finding asked about, `shown` what its boxes hold."""
    ways = wordings()[wording or kind]
    noun, row = CONCEPT.get(name, ("", ""))
    counted = f"{'an' if noun[:1] in tuple('aeiou') else 'a'} {noun}"
    text = ways[int(draw.integers(len(ways)))].format(noun=noun, a=noun if name in UNCOUNTED else counted)
    evidence = tuple((each.name, each.side) for each in shown)
    return Question(kind, text, answer, options, tuple(dict.fromkeys(each for each in (row, *concepts) if each)), evidence)


def side_of(found: Sequence[Finding]) -> str:
    """right, left or both; "" of what has no side."""
    return "both" if len(found) > 1 else found[0].side


def question_rows(study: Study, prior: Study | None, boxes: list[dict[str, Any]], variant: Variant = PLAIN) -> list[dict[str, Any]]:
    """The questions of a study as in Sample["questions"]: `boxes` are places in Sample["boxes"], of all its films, that show the answer."""
    return [
        {
            "kind": each.kind,
            "question": each.question,
            "answer": each.answer,
            "answer_type": each.answer_type,
            "options": list(each.options),
            "concepts": list(each.concepts),
            "boxes": [place for place, box in enumerate(boxes) if (box["label"], box["side"]) in each.evidence],
        }
        for each in questions(study, prior, variant)
    ]
