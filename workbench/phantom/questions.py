"""What can be asked about a film and what is true: question-answer pairs from the latents of a study."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import yaml

from workbench.phantom import FINDINGS
from workbench.phantom.latents import LevelName, Study
from workbench.phantom.report import AMOUNTS, DEGREES, DENSITIES, amount_of, degree_of, density_of, millimetres_of, zone_of
from workbench.phantom.variants import PLAIN, Variant, draw
from workbench.randomness import rng

if TYPE_CHECKING:
    from workbench.phantom.thorax.latents import Study as ThoraxStudy

CONCEPT = MappingProxyType({name: {"effusion": "pleural effusion", "nodule": "pulmonary nodule"}.get(name, name) for name in FINDINGS})
UNCOUNTED = ("cardiomegaly", "consolidation")  # words without an article
# odds of each finding in 40,000 studies: absent ones are asked for this often, so that yes and no are equally frequent for each
ODDS: Mapping[LevelName, Mapping[str, float]] = MappingProxyType(
    {
        "clinical": dict(zip(FINDINGS, (0.251, 0.286, 0.198, 0.257, 0.316, 0.260))),
        "teaching": dict(zip(FINDINGS, (0.337, 0.379, 0.269, 0.345, 0.423, 0.346))),
    }
)
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


def questions(study: Study) -> list[Question]:
    """All questions of a study; a function of its seed and number."""
    draw = rng(study.seed, "phantom questions", 0, study.number)
    return [*presence(study, draw), *details(study, draw), *whole(study, draw)]


def presence(study: Study, draw: np.random.Generator) -> Iterator[Question]:
    """Yes or no, balanced for each finding over the studies."""
    for name in FINDINGS:
        asked = draw.random() < ODDS[study.level][name]
        if study.has(name):
            yield posed(draw, "presence", "yes", name, of(study, name), ("yes", "no"))
        elif asked:
            yield posed(draw, "presence", "no", name, [], ("yes", "no"))


def details(study: Study, draw: np.random.Generator) -> Iterator[Question]:
    """Side, place, severity, kind and size of what is there."""
    for name in FINDINGS:
        found = of(study, name)
        if not found:
            continue
        worst, several = max(found, key=lambda finding: finding.severity), " of two" if len(found) > 1 else ""
        if worst.side:
            sides = ("right", "left", "both") if name in ("effusion", "consolidation") else ("right", "left")
            yield posed(draw, "side", side_of(found), name, found, sides)
        if name in ("nodule", "consolidation") and not several:
            yield posed(draw, "location", f"{worst.side} {zone_of(worst)} zone", name, found, concepts=(f"{zone_of(worst)} lung zone",))
        if name in ("effusion", "pneumothorax"):
            yield posed(draw, "amount", amount_of(worst), name, [worst], AMOUNTS, wording=f"amount{several}")
        if name == "cardiomegaly":
            degrees = tuple(each.removesuffix("ly") for each in DEGREES)
            yield posed(draw, "degree", degree_of(worst).removesuffix("ly"), name, found, degrees)
        if name == "consolidation":
            yield posed(draw, "density", density_of(worst), name, [worst], DENSITIES, wording=f"density{several}")
        if name == "support device":
            yield posed(draw, "device", worst.kind, name, found, concepts=(worst.kind,))
        if name == "nodule":
            yield posed(draw, "size", f"{millimetres_of(worst)} mm", name, found)


def whole(study: Study, draw: np.random.Generator) -> Iterator[Question]:
    """What concerns the film as a whole."""
    named = [name for name in FINDINGS[:-1] if study.has(name)]
    shown = [finding for name in named for finding in of(study, name)]
    about = tuple(CONCEPT[name] for name in named)
    listed = [f"{side} {CONCEPT[name]}".strip() for name in named for side in [side_of(of(study, name)).replace("both", "bilateral")]]
    yield posed(draw, "view", study.view, "", [], ("PA", "AP"))
    yield posed(draw, "count", str(len(named)), "", shown, concepts=about)
    yield posed(draw, "abnormalities", ", ".join(listed) or "none", "", shown, concepts=about)


def posed(
    draw: np.random.Generator,
    kind: Kind,
    answer: str,
    name: str,
    shown: Sequence[Any],
    options: tuple[str, ...] = (),
    concepts: tuple[str, ...] = (),
    wording: str = "",
    nouns: Mapping[str, str] = CONCEPT,
    uncounted: Sequence[str] = UNCOUNTED,
) -> Question:
    """A question in one of its wordings; `name` is the finding asked about, `shown` what its boxes hold."""
    ways = wordings()[wording or kind]
    noun = nouns.get(name, "")
    counted = f"{'an' if noun[:1] in tuple('aeiou') else 'a'} {noun}"
    text = ways[int(draw.integers(len(ways)))].format(noun=noun, a=noun if name in uncounted else counted)
    evidence = tuple(("heart" if each.name == "cardiomegaly" else each.name, each.side) for each in shown)
    return Question(kind, text, answer, options, tuple(dict.fromkeys(each for each in (noun, *concepts) if each)), evidence)


def of(study: "Study | ThoraxStudy", name: str) -> list[Any]:
    """The findings of one name: two where both sides have it."""
    return [finding for finding in study.findings if finding.name == name]


def side_of(found: Sequence[Any]) -> str:
    """right, left or both; "" of what has no side."""
    return "both" if len(found) > 1 else str(found[0].side)


def question_rows(study: Study, boxes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The questions of a study as in Sample["questions"]: `boxes` are places in Sample["boxes"] that show the answer."""
    return rows_of(questions(study), boxes)


def rows_of(asked: Sequence[Question], boxes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Questions as rows of Sample["questions"]."""
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
        for each in asked
    ]


def drawn_questions(seed: int, index: int, level: LevelName, boxes: list[dict[str, Any]], variant: Variant = PLAIN) -> list[dict[str, Any]]:
    """The questions of a study by its address; draws the latents again, and no film."""
    return question_rows(draw(seed, index, level, variant), boxes)
