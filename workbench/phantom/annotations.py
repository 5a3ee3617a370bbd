"""Where a report says what: sentences and mentions as character spans of its sections."""

from typing import Any, NamedTuple

from workbench.phantom.latents import LevelName, Study
from workbench.phantom.marks import Entity
from workbench.phantom.report import Report
from workbench.phantom.styles import Reports, written
from workbench.phantom.variants import PLAIN, Variant, draw

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


def entity_rows(study: Study, reports: Reports = "plain", variant: Variant = PLAIN) -> list[dict[str, Any]]:
    """Every mention of a study's report as in Sample["entities"]. Boiler-plate ("Degenerative changes of the spine.") is in no film."""
    return rows_of(annotate(written(study, reports, variant)))


def rows_of(sentences: list[AnnotatedSentence]) -> list[dict[str, Any]]:
    """The mentions of annotated sentences as rows."""
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


def drawn_entities(seed: int, index: int, level: LevelName, variant: Variant = PLAIN, reports: Reports = "plain") -> list[dict[str, Any]]:
    """The mentions of a study by its address; draws the latents and words again, and no film."""
    return entity_rows(draw(seed, index, level, variant), reports, variant)
