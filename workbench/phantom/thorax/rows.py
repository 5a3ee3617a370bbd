"""What the address of a study of this engine tells: its film and report for the store, its mentions, and the prompts of all."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from workbench.phantom.annotations import AnnotatedSentence, annotate, rows_of
from workbench.phantom.report import Report
from workbench.phantom.report import prompts as plain_prompts
from workbench.phantom.thorax import FINDINGS
from workbench.phantom.thorax.film import Film, render
from workbench.phantom.thorax.latents import Study, View, draw_study
from workbench.phantom.thorax.report import report


def frontal(seed: int, index: int) -> Study:
    """The study with its film from the front: PA where a lateral one was drawn."""
    study = draw_study(seed, index)
    return study._replace(view="PA") if study.view == "lateral" else study


def drawn(seed: int, index: int, size: int, view: View | None) -> tuple[Study, Film, Report]:
    """The study, its film from the front or of another view, and its report."""
    study = frontal(seed, index)
    return study, render(study if view is None else study._replace(view=view), size), report(study)


def drawn_entities(seed: int, index: int) -> list[dict[str, Any]]:
    """The mentions of a study by its address, as in Sample["entities"]; draws latents and words again, and no film."""
    sentences: list[AnnotatedSentence] = annotate(report(frontal(seed, index)))
    return rows_of(sentences)


@cache
def prompts() -> dict[str, dict[str, list[str]]]:
    """The zero-shot prompt bank of all findings."""
    bank = plain_prompts() | yaml.safe_load((Path(__file__).parent / "prompts.yaml").read_text())
    return {name: bank[name] for name in FINDINGS}
