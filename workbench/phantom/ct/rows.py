"""What the address of a study of this engine tells: its films and words for the store, and its mentions."""

from functools import lru_cache
from typing import Any, Literal

import numpy as np

from workbench.phantom import FINDINGS as ALL
from workbench.phantom.annotations import annotate, rows_of
from workbench.phantom.ct import FINDINGS
from workbench.phantom.ct.edits import Chest, chest_of
from workbench.phantom.ct.paths import MIDDLE, paths
from workbench.phantom.ct.scan import Scan, load_scan
from workbench.phantom.report import Report, text_of
from workbench.phantom.store import known
from workbench.phantom.styles import written
from workbench.phantom.thorax.aim import CENTRE, FIELD
from workbench.phantom.thorax.course import drawn_study, prior_of
from workbench.phantom.thorax.film import render
from workbench.phantom.thorax.films import SIDE, posed
from workbench.phantom.thorax.latents import Study
from workbench.phantom.thorax.variants import PLAIN

BEYOND = 1.0  # cm of a film at most above and below the scan, which goes on there as at its rim
NO_PIXEL = ("build",)  # factors that change nothing here: the scanned person has one
Source = tuple[str, str | None, tuple[tuple[str, tuple[int, ...]], ...]]  # scan, segmentation, numbers of its structures


@lru_cache(maxsize=1)
def chest(source: Source) -> Chest:
    """The scan of a data set, measured."""
    scan, segmentation, structures = source
    return chest_of(load_scan(scan, segmentation, dict(structures)))


def source_of(values: Any) -> Source:
    """The source as JSON gives it back."""
    scan, segmentation, structures = values
    return scan, segmentation, tuple((name, tuple(numbers)) for name, numbers in structures)


def shown(study: Study) -> Study:
    """The study with those of its findings that can be written into a scan."""
    return study._replace(findings=tuple(each for each in study.findings if each.name in FINDINGS))


def study_of(seed: int, index: int) -> Study:
    """The study of the procedural engine under this number, as a scan can show it."""
    return shown(drawn_study(seed, index))


def framed(study: Study, scan: Scan) -> Study:
    """The study with a field that lies on the scan: a chest CT ends at the neck and below the domes."""
    ends = np.array([-scan.middle[0], scan.hounsfield.shape[0] - scan.middle[0]]) * scan.spacing_mm[0] / 10
    foot, top = MIDDLE[1] + ends * np.exp(study.patient.size) + np.array([-BEYOND, BEYOND])
    zoom = min(study.zoom, float(top - foot) / FIELD)
    room = zoom * FIELD / 2
    middle = float(np.clip(CENTRE + study.shift[1], foot + room, top - room))
    return study._replace(zoom=zoom, shift=(study.shift[0], middle - CENTRE))


def report_of(study: Study) -> Report:
    """What a radiologist writes of it, the prior study of the patient beside it."""
    prior = prior_of(drawn_study(study.seed, study.number), PLAIN)
    return written(study, None if prior is None else shown(prior), "plain")


def stored_row(part: Literal["first", "lateral"], seed: int, index: int, size: int, source: Source) -> tuple[list[Any], dict[str, Any]]:
    """The film of a study from the front or from the side, and its row in the store."""
    study, own = study_of(seed, index), chest(source)
    seen = framed(posed(study, 0 if part == "first" else SIDE), own.scan)
    film = render(seen, size, look=lambda one, fine: paths(own, one, fine))
    unseen = {*NO_PIXEL, *(f"severity {name}" for name in ALL if name not in FINDINGS)}
    row = known(study, film) | {"labels": [float(study.has(name)) for name in FINDINGS]}
    words = report_of(study)
    row |= {"findings": text_of(words.findings), "impression": text_of(words.impression)}
    return [film], row | {"factors": {name: value for name, value in study.factors.items() if name not in unseen}}


def drawn_entities(seed: int, index: int) -> list[dict[str, Any]]:
    """The mentions of a study by its address, as in Sample["entities"]; of findings that this engine has no label for, without a label."""
    found = rows_of(annotate(report_of(study_of(seed, index))))
    return [row | {"label": row["label"] if row["label"] in FINDINGS else ""} for row in found]
