"""The same simulator with something wrong on purpose: rare findings, a marker or a scanner that predicts one, for lessons on shortcuts."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workbench.phantom import FINDINGS
from workbench.phantom.latents import LevelName, Study, draw_study
from workbench.randomness import rng

if TYPE_CHECKING:
    from workbench.phantom.thorax.latents import Study as ThoraxStudy

SCANNERS = {"scanner A": 0, "scanner B": 2}  # device styles: a plain display curve, and one that sharpens
COMMON = (
    "nodule",
    "effusion",
    "consolidation",
    "support device",
    "cardiomegaly",
    "pneumothorax",
)  # as the levels draw them, the commonest first


class Variant(NamedTuple):
    """What differs from the simulator as it is."""

    tail: float = 0.0  # a finding is kept with probability exp(-tail * place among the commonest)
    marker: str = ""  # finding that the letter beside the film predicts
    marker_strength: float = 0.0  # 1: always
    scanner: str = ""  # finding that is mostly filmed with scanner B
    scanner_strength: float = 0.0

    @property
    def unbiased(self) -> "Variant":
        """The same patients filmed without the shortcuts: marker and scanner at random."""
        return self._replace(marker_strength=0.0, scanner_strength=0.0)


PLAIN = Variant()


def draw(seed: int, index: int, level: LevelName, variant: Variant) -> Study:
    """The latents of a study of a variant; whatever the variant does not touch is as in `draw_study`, to the bit."""
    study = draw_study(seed, index, level)
    if variant.tail:
        kept = rng(seed, "phantom tail", 0, index).random(len(FINDINGS))
        rare = {name: np.exp(-variant.tail * place) for place, name in enumerate(COMMON)}
        study = study._replace(findings=tuple(each for each in study.findings if kept[FINDINGS.index(each.name)] < rare[each.name]))
    if variant.marker:
        study = study._replace(marker="LR"[tossed(study, "marker", variant.marker, variant.marker_strength)])
    if variant.scanner:
        style = list(SCANNERS.values())[1 - tossed(study, "scanner", variant.scanner, variant.scanner_strength)]
        study = study._replace(device_style=style)
    return study


def tossed(study: "Study | ThoraxStudy", what: str, finding: str, strength: float) -> int:
    """0 where the finding is, else 1, with probability `strength`; otherwise the toss of a coin."""
    told, coin = rng(study.seed, f"phantom {what}", 0, study.number).random(2)
    return int(not study.has(finding)) if told < strength else int(coin < 0.5)


def scanner_of(study: Study) -> str:
    """The scanner of a study of a variant with two."""
    return next(name for name, style in SCANNERS.items() if style == study.device_style)
