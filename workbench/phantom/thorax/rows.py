"""One study of this engine as the store of films keeps it, and what an address alone tells of it."""

import math
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from workbench.phantom.annotations import AnnotatedSentence, annotate, rows_of
from workbench.phantom.report import prompts as plain_prompts
from workbench.phantom.report import text_of
from workbench.phantom.thorax import FINDINGS
from workbench.phantom.thorax.film import Film, render
from workbench.phantom.thorax.latents import Study, View, draw_study
from workbench.phantom.thorax.report import report


def frontal(seed: int, index: int) -> Study:
    """The study with its film from the front: PA where a lateral one was drawn."""
    study = draw_study(seed, index)
    return study._replace(view="PA") if study.view == "lateral" else study


def factors(study: Study) -> dict[str, float | str]:
    """The latents as flat numbers and words, for probes of what an embedding still holds."""
    own = study.patient
    found: dict[str, float | str] = {
        "age": own.age,
        "sex": own.sex,
        "build": own.build,
        "view": study.view,
        "inspiration": study.inspiration,
        "rotation": study.yaw,
        "tilt": study.roll,
        "shift right": study.shift[0],
        "shift up": study.shift[1],
        "zoom": study.zoom,
        "exposure": math.log(study.photons),
        "device style": str(study.device_style),
        "heart size": own.heart,
    }
    return found | {f"severity {name}": max((f.severity for f in study.findings if f.name == name), default=0.0) for name in FINDINGS}


def study_row(seed: int, index: int, size: int, view: View | None) -> tuple[Film, dict[str, Any]]:
    """The frontal film, or the one of another view, and what is known of the study."""
    study = frontal(seed, index)
    words, film = report(study), render(study if view is None else study._replace(view=view), size)
    return film, {
        "index": index,
        "patient": study.patient_index,
        "labels": study.labels,
        "findings": text_of(words.findings),
        "impression": text_of(words.impression),
        "boxes": film.boxes,
        "factors": factors(study),
        "spacing_mm": film.spacing_mm,
    }


def drawn_entities(seed: int, index: int) -> list[dict[str, Any]]:
    """The mentions of a study by its address, as in Sample["entities"]; draws latents and words again, and no film."""
    sentences: list[AnnotatedSentence] = annotate(report(frontal(seed, index)))
    return rows_of(sentences)


@cache
def prompts() -> dict[str, dict[str, list[str]]]:
    """The zero-shot prompt bank of all findings."""
    bank = plain_prompts() | yaml.safe_load((Path(__file__).parent / "prompts.yaml").read_text())
    return {name: bank[name] for name in FINDINGS}
