"""Marked sentences: text in which mentions of concepts and attributes are bracketed, read into the text and its entities."""

import re
from functools import lru_cache
from typing import Literal, NamedTuple

from workbench.phantom.concepts import concept_of

MARK = re.compile(r"<[!?]?|>|\[[a-z ]+:|\]")
OPENING = r"(?:<[!?]?|\[[a-z ]+:)"
QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(?: (\w+))?")
ASSERTIONS: dict[str, Literal["present", "absent", "uncertain"]] = {"<": "present", "<!": "absent", "<?": "uncertain"}
SIDE_OF_WORD: dict[str, Literal["right", "left", "both"]] = {
    "right": "right",
    "left": "left",
    "bilateral": "both",
    "right-sided": "right",
    "left-sided": "left",
    "bilat": "both",
    "rt": "right",
    "lt": "left",
    "r": "right",
    "l": "left",
}


class Attribute(NamedTuple):
    """Words of a sentence that say more of a concept: its amount, zone, size; `start` and `end` are characters of the text."""

    name: str
    words: str
    start: int
    end: int
    number: float | None = None  # of a measurement
    unit: str = ""


class Entity(NamedTuple):
    """One mention of a concept; `start` and `end` are characters of the text."""

    concept: str
    label: str  # of FINDINGS, or ""
    start: int
    end: int
    assertion: Literal["present", "absent", "uncertain"]  # uncertain: hedged, may be in the film or not
    side: Literal["right", "left", "both", ""]  # as the sentence says
    attributes: tuple[Attribute, ...] = ()
    typo: bool = False  # its words are misspelt or doubled

    def moved(self, by: int) -> "Entity":
        """The same mention in a text that has `by` more characters in front."""
        attributes = tuple(each._replace(start=each.start + by, end=each.end + by) for each in self.attributes)
        return self._replace(start=self.start + by, end=self.end + by, attributes=attributes)


def plain(marked: str) -> str:
    """The text without its marks."""
    return MARK.sub("", marked)


@lru_cache(maxsize=4096)
def read(marked: str) -> tuple[str, tuple[Entity, ...]]:
    """The text of a marked sentence and its entities, in order; a phrase that the concept table lacks is a KeyError."""
    text, last = "", 0
    opened: list[tuple[str, int]] = []
    mentions: list[tuple[int, int, Literal["present", "absent", "uncertain"]]] = []
    attributes: list[Attribute] = []
    for mark in MARK.finditer(marked):
        text += marked[last : mark.start()]
        last = mark.end()
        if mark[0] not in (">", "]"):
            opened.append((mark[0], len(text)))
            continue
        opening, start = opened.pop()
        if opening[0] == "<":
            mentions.append((start, len(text), ASSERTIONS[opening]))
        else:
            attributes.append(attribute(opening[1:-1], text[start:], start))
    text += marked[last:]
    return text, tuple(entity(text, *mention, attributes) for mention in sorted(mentions))


def attribute(name: str, words: str, start: int) -> Attribute:
    """An attribute, with number and unit where its words are a measurement."""
    quantity = QUANTITY.fullmatch(words)
    number, unit = (float(quantity[1]), quantity[2] or "") if quantity else (None, "")
    return Attribute(name, words, start, start + len(words), number, unit)


def entity(text: str, start: int, end: int, assertion: Literal["present", "absent", "uncertain"], attributes: list[Attribute]) -> Entity:
    """A mention with those attributes of its sentence that its concept takes; of what is denied, only that it has changed."""
    concept = concept_of()[text[start:end].lower()]
    own = tuple(each for each in attributes if each.name in concept.takes and (assertion != "absent" or each.name == "change"))
    side = next((SIDE_OF_WORD[each.words.lower()] for each in own if each.name == "side"), "")
    return Entity(concept.name, concept.label, start, end, assertion, side, own)  # type: ignore[arg-type]
