"""What a radiologist would write about a study: sentences from the latents through a small grammar."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import yaml

from workbench.phantom import FINDINGS
from workbench.phantom.latents import Finding, Study
from workbench.phantom.marks import OPENING, Entity, plain, read
from workbench.randomness import rng

if TYPE_CHECKING:
    from workbench.phantom.thorax.latents import Finding as ThoraxFinding

FOLDER = Path(__file__).parent
NEGATED = 0.4  # chance that an absent finding is mentioned, before the joint sentences
AMOUNTS = ("trace", "small", "moderate", "large")
DEGREES = ("mildly", "moderately", "severely")
DENSITIES = ("faint", "patchy", "dense")
FREE_SLOT = re.compile(r"(?<!:)(\{(\w+)\})")  # not inside an attribute's bracket
ARTICLE = re.compile(rf"\b([Aa]) (?={OPENING}*[aeio])")


class Sentence(NamedTuple):
    """One sentence and what it says: finding -> present or not; empty where it says nothing about a finding."""

    text: str
    says: dict[str, bool]
    entities: tuple[Entity, ...]  # every mention of a concept


class Report(NamedTuple):
    """The two sections of a report."""

    findings: tuple[Sentence, ...]
    impression: tuple[Sentence, ...]


@cache
def grammar() -> dict[str, Any]:
    """The templates, with their marks."""
    return yaml.safe_load((FOLDER / "grammar.yaml").read_text())


@cache
def prompts() -> dict[str, dict[str, list[str]]]:
    """The zero-shot prompt bank."""
    return yaml.safe_load((FOLDER / "prompts.yaml").read_text())


def sentence(marked: str, says: dict[str, bool]) -> Sentence:
    """A sentence from its marked text."""
    text, entities = read(marked)
    return Sentence(text, says, entities)


def report(study: Study) -> Report:
    """The report of a study: every finding is stated, some absent ones are ruled out, the rest is boiler-plate."""
    draw, rules = rng(study.seed, "phantom report", 0, study.number), grammar()

    def pick(options: list[str]) -> str:
        return options[int(draw.integers(len(options)))]

    opening = [sentence(pick(rules["technique"][study.view]), {})] if draw.random() < 0.6 else []
    if draw.random() < 0.35:
        opening.append(sentence(pick(rules["breath"]["shallow" if study.inspiration < 0.45 else "deep"]), {}))
    body = [positive(study, name, draw, "present") for name in FINDINGS if study.has(name)] + negatives(
        [name for name in FINDINGS if not study.has(name)], draw, rules
    )
    count = int(draw.integers(1, 4))
    body += [sentence(rules["normal"][place], {}) for place in draw.choice(len(rules["normal"]), count, replace=False)]
    body = [body[place] for place in draw.permutation(len(body))]
    closing = [positive(study, name, draw, "impression") for name in FINDINGS if study.has(name) and draw.random() < 0.85]
    if not any(study.has(name) for name in FINDINGS[:-1]) and not closing:
        closing = [sentence(pick(rules["impression"]["normal"]), {})]
    if not closing:
        named = [name for name in FINDINGS if study.has(name)]
        closing = [positive(study, named[0], draw, "impression")]
    return Report((*opening, *body), tuple(closing))


def negatives(
    absent: Sequence[str], draw: np.random.Generator, rules: Mapping[str, Any], chances: Mapping[str, float] = MappingProxyType({})
) -> list[Sentence]:
    """Some of what is absent, alone or together; `chances` are those of findings that are not mentioned as often as others."""
    said = [name for name in absent if draw.random() < chances.get(name, NEGATED)]
    sentences = []
    joint = rules["absent together"][int(draw.integers(len(rules["absent together"])))]
    if set(joint["findings"]) <= set(absent) and draw.random() < 0.5:
        text = joint["sentences"][int(draw.integers(len(joint["sentences"])))]
        sentences.append(sentence(text, dict.fromkeys(joint["findings"], False)))
        said = [name for name in said if name not in joint["findings"]]
    for name in said:
        options = rules["absent"][name]
        sentences.append(sentence(options[int(draw.integers(len(options)))], {name: False}))
    return sentences


def positive(study: Study, name: str, draw: np.random.Generator, section: str) -> Sentence:
    """One sentence that states a finding."""
    found = [finding for finding in study.findings if finding.name == name]
    worst = max(found, key=lambda finding: finding.severity)
    template = chosen(grammar()[section], name, len(found) > 1, draw, worst.kind)
    return sentence(fill(template, slots(worst, draw)), {name: True})


def chosen(section: Mapping[str, Any], name: str, several: bool, draw: np.random.Generator, kind: str = "") -> str:
    """A template of a finding: of both sides or of its kind where the section has such."""
    options = section.get(f"bilateral {name}" if several else kind or name) or section[name]
    return options[int(draw.integers(len(options)))]


def slots(finding: Finding, draw: np.random.Generator) -> dict[str, str]:
    """Words for the slots of a template."""
    words = grammar()["words"]

    def one(options: list[str]) -> str:
        return options[int(draw.integers(len(options)))]

    amount = amount_of(finding)
    return {
        "side": finding.side,
        "amount": one(words[amount]).removesuffix("ly sized") if amount == "moderate" else one(words[amount]),
        "degree": degree_of(finding),
        "density": density_of(finding),
        "zone": one(words["zone"][zone_of(finding)]),
        "millimetres": str(millimetres_of(finding)),
        "ratio": f"{0.52 + 0.15 * finding.severity:.2f}",
    }


def amount_of(finding: "Finding | ThoraxFinding") -> str:
    """How much fluid or air, one of AMOUNTS."""
    return AMOUNTS[min(int(4 * finding.severity), 3)]


def degree_of(finding: "Finding | ThoraxFinding") -> str:
    """How enlarged, one of DEGREES."""
    return DEGREES[min(int(3 * finding.severity), 2)]


def density_of(finding: "Finding | ThoraxFinding") -> str:
    """How white, one of DENSITIES."""
    return DENSITIES[min(int(3 * finding.severity), 2)]


def zone_of(finding: Finding) -> str:
    """The third of the lung."""
    up = finding.place[1]
    return "upper" if up > 0.25 else "middle" if up > -0.1 else "lower"


def millimetres_of(finding: "Finding | ThoraxFinding") -> int:
    """A nodule's diameter."""
    return round(20 * finding.size)


def fill(template: str, values: dict[str, str]) -> str:
    """A marked template with its slots filled; a capitalised slot starts a sentence. "a" before a vowel becomes "an"."""
    words = plain(template)
    text = FREE_SLOT.sub(lambda slot: f"[{slot[2].lower()}:{slot[1]}]", template)
    for slot, value in values.items():
        noun = {"mildly": "mild", "moderately": "moderate", "severely": "severe"}.get(value, value) if adjectival(words) else value
        text = text.replace(f"{{{slot}}}", noun).replace(f"{{{slot.capitalize()}}}", noun[:1].upper() + noun[1:])
    return ARTICLE.sub(r"\1n ", text)


def adjectival(words: str) -> bool:
    """Whether the degree stands before a noun."""
    return bool(re.search(r"\{[Dd]egree\} (cardiomegaly|enlargement)", words)) or words.endswith(", {degree}.")


def text_of(sentences: tuple[Sentence, ...]) -> str:
    """A section as running text."""
    return " ".join(sentence.text for sentence in sentences)
