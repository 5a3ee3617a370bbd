"""Where a report says what: sentences and mentions as character spans of its sections."""

from typing import Any, NamedTuple

from workbench.phantom.marks import Entity
from workbench.phantom.report import Report

SECTIONS = ("findings", "impression")  # the order of Sample["texts"]


class AnnotatedSentence(NamedTuple):
    """One sentence of a report; all spans are characters of its section's text."""

    section: str
    start: int
    end: int
    entities: tuple[Entity, ...]


def annotate(own: Report) -> list[AnnotatedSentence]:
    """Every sentence of a report, in order."""
    found = []
    for section in SECTIONS:
        start = 0
        for sentence in getattr(own, section):
            end = start + len(sentence.text)
            found.append(AnnotatedSentence(section, start, end, tuple(entity.moved(start) for entity in sentence.entities)))
            start = end + 1  # the space between two sentences
    return found


def rows_of(sentences: list[AnnotatedSentence]) -> list[dict[str, Any]]:
    """The mentions of annotated sentences as in Sample["entities"]. Boiler-plate ("Degenerative changes of the spine.") is in no film."""
    return [
        {
            "text": SECTIONS.index(sentence.section),
            "sentence": place,
            **entity._asdict(),
            "attributes": [each._asdict() for each in entity.attributes],
        }
        for place, sentence in enumerate(sentences)
        for entity in sentence.entities
    ]
