"""What the address of a study tells: its films and words for the store, its mentions and questions."""

from typing import Any

from workbench.phantom.annotations import annotate, rows_of
from workbench.phantom.comparison import changes
from workbench.phantom.questions import question_rows
from workbench.phantom.report import text_of
from workbench.phantom.store import Part, known
from workbench.phantom.styles import Reports, written
from workbench.phantom.thorax.course import drawn_study, prior_of
from workbench.phantom.thorax.films import SIDE, filmed
from workbench.phantom.thorax.films import further as further_films
from workbench.phantom.thorax.variants import PLAIN, Variant


def further(seed: int, index: int, variant: Any = ()) -> int:
    """Films of a study besides the first, where a study has as many as a clinic takes."""
    return len(further_films(drawn_study(seed, index, Variant.read(variant))))


def stored_row(part: Part, seed: int, index: int, size: int, variant: Any, reports: Reports) -> tuple[list[Any], dict[str, Any]]:
    """The films of a study that a part of the store holds, and its row there."""
    own = Variant.read(variant)
    study = drawn_study(seed, index, own)
    if part == "words":
        prior = prior_of(study, own)
        words = written(study, prior, reports)
        row = {"index": index, "findings": text_of(words.findings), "impression": text_of(words.impression)}
        return [], row | {"changes": changes(study, prior), "films": []}
    if part == "first":
        film = filmed(study, 0, size)
        return [film], known(study, film)
    numbers = (SIDE,) if part == "lateral" else further_films(study)
    films = [filmed(study, number, size) for number in numbers]
    told = [
        {"number": number, "view": each.view, "spacing_mm": each.spacing_mm, "boxes": each.boxes} for number, each in zip(numbers, films)
    ]
    return films, {"index": index, "films": told}


def drawn_entities(seed: int, index: int, variant: Variant = PLAIN, reports: Reports = "plain") -> list[dict[str, Any]]:
    """The mentions of a study by its address, as in Sample["entities"]; draws latents and words again, and no film."""
    study = drawn_study(seed, index, variant)
    return rows_of(annotate(written(study, prior_of(study, variant), reports)))


def drawn_questions(seed: int, index: int, boxes: list[dict[str, Any]], variant: Variant = PLAIN) -> list[dict[str, Any]]:
    """The questions of a study by its address, as in Sample["questions"]; draws latents again, and no film."""
    study = drawn_study(seed, index, variant)
    return question_rows(study, prior_of(study, variant), boxes, variant)
