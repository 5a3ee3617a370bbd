"""How the pictures of a patient were taken and what is wrong: all that a study depends on."""

import math
from typing import Literal, NamedTuple

import numpy as np

from workbench.errors import UserError
from workbench.phantom import DEVICES, FINDINGS, SIDES
from workbench.phantom.levels import LEVELS, LevelName
from workbench.phantom.thorax.acquisition import Acquisition, draw_acquisition
from workbench.phantom.thorax.aim import aim
from workbench.phantom.thorax.patient import Patient, draw_patient
from workbench.randomness import rng

View = Literal["PA", "AP", "lateral"]
Side = Literal["right", "left", ""]
VIEWS: tuple[View, ...] = ("PA", "AP", "lateral")
ZONES = {"upper": 0.5, "middle": 0.05, "lower": -0.4}  # height in the lung, as `Finding.place` has it
BILATERAL = {"effusion": 0.35, "consolidation": 0.2}  # share of cases with the other side as well
MIDDLE = ("cardiomegaly", "oedema", "endotracheal tube", "feeding tube")  # have no side
SIZES = {  # least and most severe, and the unit
    "cardiomegaly": (0.08, 0.3),  # log of the heart's scale
    "effusion": (2.0, 11.0),  # cm of fluid above the sulcus
    "pneumothorax": (0.12, 0.45),  # share of the lung's width lost
    "consolidation": (2.6, 5.5),  # cm, radius
    "atelectasis": (1.0, 4.0),  # cm the dome rises
    "oedema": (0.06, 0.3),  # density added at the hilum
    "nodule": (1.15, 1.5),  # cm, radius
    "mass": (1.8, 3.8),  # cm, radius
    "rib fracture": (1.1, 1.9),  # cm, step
    "endotracheal tube": (0.45, 0.65),  # cm, radius
    "feeding tube": (0.35, 0.5),
    "central venous line": (0.25, 0.4),
    "pacemaker": (2.0, 2.6),  # cm, radius of the box
}


TUBES = ("endotracheal tube", "feeding tube", "central venous line")


class Finding(NamedTuple):
    """One abnormality. Places are relative to its lung: out (to the side), up and front, each in [-1, 1]."""

    name: str
    side: Side
    severity: float  # in [0, 1]
    size: float  # in the unit of SIZES
    place: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def zone(self) -> str:
        return min(ZONES, key=lambda zone: abs(ZONES[zone] - self.place[1]))


class Study(NamedTuple):
    """All that the pictures depend on; another view of a study shows the same solids."""

    seed: int
    number: int
    patient_index: int
    patient: Patient
    view: View
    inspiration: float  # 0 shallow, 1 deep
    yaw: float  # degrees, off the view's own position
    roll: float
    shift: tuple[float, float]  # cm
    zoom: float
    photons: float  # per pixel of 128 across, unattenuated
    device_style: int
    display: tuple[float, float, float]  # uniform draws in [-1, 1]: lower end, upper end, exponent
    findings: tuple[Finding, ...]
    acquisition: Acquisition = Acquisition()
    visit: int = 0  # studies of the same patient before it
    days: float = 0.0  # since the patient's first study
    progression: float = 0.0  # standard normal: how the patient's illness tends, upwards is worse
    film: int = 0  # number among the films of the study
    initial: str = ""  # letter at the foot of the film, where a variant has one
    level: LevelName = "clinical"

    def has(self, name: str) -> bool:
        return any(finding.name == name for finding in self.findings)

    def of(self, name: str, side: str = "") -> Finding | None:
        """The finding of this name on this side, or None."""
        return next((each for each in self.findings if each.name == name and each.side == side), None)

    @property
    def labels(self) -> list[float]:
        return [float(self.has(name)) for name in FINDINGS]

    @property
    def factors(self) -> dict[str, float | str]:
        """The latents as flat numbers and words, for probes of what an embedding still holds."""
        own = self.patient
        found: dict[str, float | str] = {
            "age": own.age,
            "sex": own.sex,
            "build": own.build,
            "view": self.view,
            "inspiration": self.inspiration,
            "rotation": self.yaw,
            "tilt": self.roll,
            "shift right": self.shift[0],
            "shift up": self.shift[1],
            "zoom": self.zoom,
            "exposure": math.log(self.photons),
            "device style": str(self.device_style),
            "heart size": own.heart,
        }
        worst = {name: max((each.severity for each in self.findings if each.name == name), default=0.0) for name in FINDINGS}
        timed = {"visit": float(self.visit), "days": self.days, "progression": self.progression}
        return found | {f"severity {name}": severity for name, severity in worst.items()} | self.acquisition.factors | timed


def draw_study(seed: int, index: int, number: int, level: LevelName = "clinical") -> Study:
    """The study `index`, of patient `number`, before it is known what is wrong: course.py draws the findings of all studies of a patient."""
    patient, own = draw_patient(seed, number), LEVELS[level]
    draw = rng(seed, "thorax study", 0, index)
    sick = 0.5 * patient.illness + 0.02 * (patient.age - 57)
    portable = draw.random() < 1 / (1 + math.exp(0.3 - sick))
    view: View = "AP" if portable else "PA"
    restless = 1.4 if portable else 1.0
    inspiration = float(draw.beta(2.5, 2.5) if portable else draw.beta(4, 2))
    yaw, roll = (float(own.turned * restless * scale * draw.normal()) for scale in (3.5, 2.0))
    photons = log_uniform(draw, *own.photons)
    style = int(draw.integers(3))
    low, high, gamma = (float(own.tones * value) for value in draw.uniform(-1, 1, size=3))
    tones = low, high, gamma
    zoom, shift, lean = aim(seed, index, patient, view, inspiration)
    taken = taken_as(draw_acquisition(seed, index, view), level)
    return Study(
        seed, index, number, patient, view, inspiration, yaw, roll + lean, shift, zoom, photons, style, tones, (), taken, level=level
    )


def log_uniform(draw: np.random.Generator, low: float, high: float) -> float:
    """A number whose logarithm is uniform."""
    return float(math.exp(draw.uniform(math.log(low), math.log(high))))


def taken_as(acquisition: Acquisition, level: LevelName) -> Acquisition:
    """How a film was taken at a level: a clean one keeps its letter only."""
    return Acquisition(letters=acquisition.letters) if LEVELS[level].clean else acquisition


def size_of(name: str, severity: float, level: LevelName = "clinical") -> float:
    """A finding's size at a severity, in the unit of SIZES."""
    low, high = SIZES[name]
    return (low + (high - low) * severity) * (LEVELS[level].tube if name in TUBES else 1.0)


def details(seed: int, index: int, name: str, level: LevelName = "clinical") -> list[Finding]:
    """Side, severity, size and place of a finding, were it there."""
    draw = rng(seed, f"thorax finding {name}", 0, index)
    severity = at_least(LEVELS[level].mildest, float(draw.beta(1.6, 1.6)))
    first = int(draw.random() < (0.8 if name == "pacemaker" else 0.5))
    out, up, front, second, third = (float(value) for value in draw.random(5))
    place = (0.9 * out - 0.3, 1.05 * up - 0.42, 1.0 * front - 0.5)
    if name == "nodule":  # those behind the heart or at the wall nobody could see
        place = (0.65 * out - 0.1, 0.9 * up - 0.3, 1.0 * front - 0.5)
    if name in DEVICES or name == "rib fracture":
        place = (2 * out - 1, 2 * up - 1, 2 * front - 1)
    if name in MIDDLE:
        return [Finding(name, "", severity, size_of(name, severity, level), place)]
    sides = [(SIDES[first], severity)]
    if second < BILATERAL.get(name, 0.0):
        sides.append((SIDES[1 - first], severity * third))
    found = [Finding(name, side, worth, size_of(name, worth, level), place) for side, worth in sides]  # type: ignore[arg-type]
    return sorted(found, key=lambda each: SIDES.index(each.side))


def at_least(mildest: float, severity: float) -> float:
    """A draw of [0, 1] as a severity that begins at the mildest."""
    return mildest + (1 - mildest) * severity


def with_finding(study: Study, name: str, severity: float, side: Side = "", zone: str | None = None) -> Study:
    """The same study with one finding at another severity (0 takes it away), side or zone; all else stays."""
    sides: tuple[str, ...] = ("",) if name in MIDDLE else SIDES
    if name not in FINDINGS or side not in sides or not 0 <= severity <= 1 or (zone is not None and zone not in ZONES):
        raise UserError(
            f"thorax: {name!r}, side {side!r}, severity {severity!r}, zone {zone!r}; the findings are {', '.join(FINDINGS)}, "
            f"the sides of this one {sides}, severities from 0 to 1, zones {', '.join(ZONES)}"
        )
    own = study.of(name, side) or details(study.seed, study.number, name, study.level)[0]
    height = own.place[1] if zone is None else ZONES[zone]
    changed = Finding(name, side, severity, size_of(name, severity, study.level), (own.place[0], height, own.place[2]))
    findings = [each for each in study.findings if (each.name, each.side) != (name, side)] + [changed] * (severity > 0)
    return study._replace(findings=tuple(sorted(findings, key=lambda each: (FINDINGS.index(each.name), ("", *SIDES).index(each.side)))))
