"""What a radiologist would write about a study: sentences from the latents through a small grammar."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import yaml

from workbench.phantom import DEVICES, FINDINGS
from workbench.phantom.comparison import Change, changes, of
from workbench.phantom.marks import OPENING, Entity, plain, read
from workbench.phantom.thorax.latents import Finding, Study
from workbench.randomness import rng

FOLDER = Path(__file__).parent
NEGATED = 0.4  # chance that an absent finding is mentioned, before the joint sentences
DENIED = MappingProxyType(dict.fromkeys(DEVICES, NEGATED / 4))  # what is mentioned more rarely where it is absent
COMPARED = 0.85  # of the changes
AMOUNTS = ("trace", "small", "moderate", "large")
GRADES = ("mild", "moderate", "severe")
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
    """The zero-shot prompt bank, in the order of FINDINGS."""
    bank = yaml.safe_load((FOLDER / "prompts.yaml").read_text())
    return {name: bank[name] for name in FINDINGS}


def sentence(marked: str) -> Sentence:
    """A sentence from its marked text; it says what its mentions assert, and nothing of what they leave open."""
    text, entities = read(marked)
    return Sentence(
        text, {each.label: each.assertion == "present" for each in entities if each.label and each.assertion != "uncertain"}, entities
    )


def report(study: Study, prior: Study | None = None) -> Report:
    """Every finding is stated and compared with the prior study, some absent ones are ruled out, the rest is boiler-plate."""
    draw, rules = rng(study.seed, "thorax report", 0, study.number), grammar()

    def pick(options: list[str]) -> str:
        return options[int(draw.integers(len(options)))]

    opening = [sentence(pick(rules["technique"][study.view]))] if draw.random() < 0.6 else []
    if prior is not None and draw.random() < 0.5:
        opening.append(sentence(pick(rules["compared"])))
    if draw.random() < 0.35 and study.view != "lateral":
        opening.append(sentence(pick(rules["breath"]["shallow" if study.inspiration < 0.45 else "deep"])))
    present = [name for name in FINDINGS if study.has(name)]
    changed = {name: how for name, how in changes(study, prior).items() if draw.random() < COMPARED}
    body = [[positive(study, name, draw, "present"), *compare(name, changed, draw)] for name in present]
    body += [compare(name, changed, draw) for name, how in changed.items() if how == "resolved"]
    body += [[each] for each in ruled_out(study, draw) if not any(changed.get(name) == "resolved" for name in each.says)]
    places = draw.choice(len(rules["normal"]), int(draw.integers(1, 4)), replace=False)
    normal = [rules["normal"][place] for place in places]
    if study.has("rib fracture"):
        normal = [text for text in normal if "bony" not in text and "osseous" not in text]
    if study.has("oedema"):
        normal = [text for text in normal if "vascularity" not in text]
    body += [[sentence(text)] for text in normal]
    said = [each for place in draw.permutation(len(body)) for each in body[place]]
    closing = [positive(study, name, draw, "impression") for name in present if draw.random() < 0.85]
    if not closing:
        ill = [name for name in present if name not in DEVICES] or present
        closing = [positive(study, ill[0], draw, "impression")] if ill else [sentence(pick(rules["impression"]["normal"]))]
    return Report((*opening, *said), tuple(closing))


def compare(name: str, changed: Mapping[str, Change], draw: np.random.Generator) -> list[Sentence]:
    """A sentence on what has become of a finding since the prior study, where the report tells of it."""
    how, rules = changed.get(name), grammar()
    if how is None:
        return []
    gone, noun = how == "resolved", str(rules["named"][name])
    options = rules["changed"]["removed" if gone and name in DEVICES else how]
    text = options[int(draw.integers(len(options)))].replace("{noun}", noun.replace("<", "<!") if gone else noun)
    return [sentence(text)]


def ruled_out(study: Study, draw: np.random.Generator) -> list[Sentence]:
    """Some of what is absent, alone or together; no nodule in words that deny a mass which is there."""
    absent, rules = [name for name in FINDINGS if not study.has(name)], grammar()["absent"]
    if study.has("mass"):
        rules = rules | {"nodule": [each for each in rules["nodule"] if "mass" not in each]}
    said = [name for name in absent if draw.random() < DENIED.get(name, NEGATED)]
    sentences, together = [], grammar()["absent together"]
    joint = together[int(draw.integers(len(together)))]
    if set(joint["findings"]) <= set(absent) and draw.random() < 0.5:
        text = joint["sentences"][int(draw.integers(len(joint["sentences"])))]
        sentences.append(sentence(text))
        said = [name for name in said if name not in joint["findings"]]
    for name in said:
        sentences.append(sentence(rules[name][int(draw.integers(len(rules[name])))]))
    return sentences


def positive(study: Study, name: str, draw: np.random.Generator, section: str) -> Sentence:
    """One sentence that states a finding; of both sides where the section has such."""
    found = of(study, name)
    worst, rules = max(found, key=lambda finding: finding.severity), grammar()[section]
    options = rules.get(f"bilateral {name}" if len(found) > 1 else name) or rules[name]
    return sentence(fill(options[int(draw.integers(len(options)))], slots(worst, draw)))


def slots(finding: Finding, draw: np.random.Generator) -> dict[str, str]:
    """Words for the slots of a template."""
    words = grammar()["words"]

    def one(options: Sequence[str]) -> str:
        return options[int(draw.integers(len(options)))]

    amount = amount_of(finding)
    return {
        "side": finding.side,
        "amount": one(words[amount]).removesuffix("ly sized") if amount == "moderate" else one(words[amount]),
        "degree": f"{grade_of(finding)}ly",
        "density": density_of(finding),
        "grade": grade_of(finding),
        "zone": one(words["zone"][finding.zone]),
        "millimetres": str(millimetres_of(finding)),
        "ratio": f"{0.52 + 0.15 * finding.severity:.2f}",
    }


def amount_of(finding: Finding) -> str:
    """How much fluid or air, one of AMOUNTS."""
    return AMOUNTS[min(int(4 * finding.severity), 3)]


def grade_of(finding: Finding) -> str:
    """How bad, one of GRADES."""
    return GRADES[min(int(3 * finding.severity), 2)]


def density_of(finding: Finding) -> str:
    """How white, one of DENSITIES."""
    return DENSITIES[min(int(3 * finding.severity), 2)]


def millimetres_of(finding: Finding) -> int:
    """A nodule's or a mass's diameter."""
    return round(20 * finding.size)


def fill(template: str, values: dict[str, str]) -> str:
    """A marked template with its slots filled; a capitalised slot starts a sentence. "a" before a vowel becomes "an"."""
    words = plain(template)
    text = FREE_SLOT.sub(lambda slot: f"[{slot[2].lower()}:{slot[1]}]", template)
    for slot, value in values.items():
        noun = value.removesuffix("ly") if slot == "degree" and adjectival(words) else value
        text = text.replace(f"{{{slot}}}", noun).replace(f"{{{slot.capitalize()}}}", noun[:1].upper() + noun[1:])
    return ARTICLE.sub(r"\1n ", text)


def adjectival(words: str) -> bool:
    """Whether the degree stands before a noun."""
    return bool(re.search(r"\{[Dd]egree\} (cardiomegaly|enlargement)", words)) or words.endswith(", {degree}.")


def text_of(sentences: tuple[Sentence, ...]) -> str:
    """A section as running text."""
    return " ".join(sentence.text for sentence in sentences)
