"""What the address of a study of this engine tells: its film, its report, its mentions."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from workbench.phantom.annotations import annotate, rows_of
from workbench.phantom.ct import FINDINGS
from workbench.phantom.ct.edits import Chest, chest_of
from workbench.phantom.ct.paths import paths
from workbench.phantom.ct.scan import load_scan
from workbench.phantom.latents import flat
from workbench.phantom.report import Report
from workbench.phantom.thorax.film import Film, render
from workbench.phantom.thorax.latents import Study, View
from workbench.phantom.thorax.report import report
from workbench.phantom.thorax.rows import frontal

FIELD = 0.82  # of the procedural engine's: a chest CT ends at the neck and below the domes
Source = tuple[str, str | None, tuple[tuple[str, tuple[int, ...]], ...]]  # scan, segmentation, numbers of its structures


@lru_cache(maxsize=1)
def chest(source: Source) -> Chest:
    """The scan of a data set, measured."""
    scan, segmentation, structures = source
    return chest_of(load_scan(scan, segmentation, dict(structures)))


def study_of(seed: int, index: int) -> Study:
    """The study of the procedural engine with the findings that can be written into a scan."""
    study = frontal(seed, index)
    return study._replace(zoom=study.zoom * FIELD, findings=tuple(each for each in study.findings if each.name in FINDINGS))


class Told(NamedTuple):
    """What a store keeps of a study of this engine."""

    patient_index: int
    labels: list[float]
    factors: dict[str, float | str]


def drawn(seed: int, index: int, size: int, view: View | None, source: Source) -> tuple[Told, Film, Report]:
    """What is known of the study, its film from the front or of another view, and its report."""
    study, own = study_of(seed, index), chest(source)
    film = render(study if view is None else study._replace(view=view), size, look=lambda one, fine: paths(own, one, fine))
    factors = flat(study, FINDINGS)
    del factors["build"]  # the scanned person has one
    return Told(study.patient_index, [float(study.has(name)) for name in FINDINGS], factors), film, report(study)


def drawn_entities(seed: int, index: int) -> list[dict[str, Any]]:
    """The mentions of a study by its address, as in Sample["entities"]; of findings that this engine has no label for, without a label."""
    found: Sequence[dict[str, Any]] = rows_of(annotate(report(study_of(seed, index))))
    return [row | {"label": row["label"] if row["label"] in FINDINGS else ""} for row in found]
