"""The simulator at one of its levels, and with something wrong on purpose: rare findings, stated prevalences, a letter or a scanner that predicts a finding."""

import math
from typing import NamedTuple

from workbench.phantom.levels import LevelName
from workbench.phantom.thorax.latents import Study
from workbench.randomness import rng

COMMON = (  # as the odds draw them, the commonest first
    "consolidation",
    "cardiomegaly",
    "atelectasis",
    "effusion",
    "central venous line",
    "nodule",
    "feeding tube",
    "oedema",
    "rib fracture",
    "pacemaker",
    "endotracheal tube",
    "mass",
    "pneumothorax",
)
SCANNERS = {"scanner A": 0, "scanner B": 2}  # device styles: a plain display curve, and one that sharpens
INITIALS = "AT"  # of who took the film: the first predicts the finding


class Variant(NamedTuple):
    """How hard the films are, and what differs from the simulator as it is."""

    tail: float = 0.0  # a finding is kept with probability exp(-tail * place among the commonest)
    marker: str = ""  # finding that the letter at the foot of the film predicts
    marker_strength: float = 0.0  # 1: always
    scanner: str = ""  # finding that is mostly filmed with scanner B
    scanner_strength: float = 0.0
    shifts: tuple[tuple[str, float], ...] = ()  # finding and log odds added to it
    level: LevelName = "clinical"

    @property
    def unbiased(self) -> "Variant":
        """The same patients filmed without the shortcuts: letter and scanner at random."""
        return self._replace(marker_strength=0.0, scanner_strength=0.0)

    @classmethod
    def read(cls, values: object) -> "Variant":
        """The variant from what JSON has made of it; the plain one of nothing."""
        own = cls(*values)  # type: ignore[misc]
        return own._replace(shifts=tuple((name, float(shift)) for name, shift in own.shifts))

    def share_kept(self, name: str) -> float:
        """Probability with which a finding that would be there is there."""
        return math.exp(-self.tail * COMMON.index(name)) if self.tail else 1.0


PLAIN = Variant()


def filmed(study: Study, variant: Variant) -> Study:
    """The study as the variant takes its films: scanner and letter follow a finding, all else stays."""
    if variant.marker:
        study = study._replace(initial=INITIALS[tossed(study, "marker", variant.marker, variant.marker_strength)])
    if variant.scanner:
        style = list(SCANNERS.values())[1 - tossed(study, "scanner", variant.scanner, variant.scanner_strength)]
        study = study._replace(device_style=style)
    return study


def tossed(study: Study, what: str, finding: str, strength: float) -> int:
    """0 where the finding is, else 1, with probability `strength`; otherwise the toss of a coin."""
    told, coin = rng(study.seed, f"phantom {what}", 0, study.number).random(2)
    return int(not study.has(finding)) if told < strength else int(coin < 0.5)
