"""Who the patient is, how the film was taken and what is wrong: the latent factors of a study."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from workbench.phantom import FINDINGS, SIDES
from workbench.phantom.levels import LEVELS, Level, LevelName, Range
from workbench.randomness import rng

if TYPE_CHECKING:
    from workbench.phantom.thorax.latents import Study as ThoraxStudy

BLOCK, PATIENTS_OF_BLOCK = 5, 4  # of five studies in a row the last two are one patient's
DEVICES = ("endotracheal tube", "central venous catheter", "pacemaker", "feeding tube")
# log odds at the mean, then per unit of (AP, age in 18 years, male, general illness): the signs and the order follow published tables
ODDS = {
    "cardiomegaly": (-1.45, 0.40, 0.55, -0.15, 0.35),
    "effusion": (-1.35, 0.75, 0.30, 0.00, 0.50),
    "pneumothorax": (-1.65, 0.35, -0.45, 0.40, 0.15),
    "consolidation": (-1.40, 0.50, 0.15, 0.05, 0.40),
    "nodule": (-1.20, -0.50, 0.50, 0.15, 0.00),
    "support device": (-1.45, 1.10, 0.20, 0.05, 0.50),
}


class Finding(NamedTuple):
    """One abnormality. Places are relative to its lung: out (to the side), up and front, each in [-1, 1]."""

    name: str
    side: Literal["right", "left", ""]
    severity: float  # in [0, 1]
    size: float  # in the level's unit for this finding
    place: tuple[float, float, float] = (0.0, 0.0, 0.0)
    kind: str = ""


class Patient(NamedTuple):
    """What stays the same between the films of one patient."""

    age: float  # years
    sex: Literal["F", "M"]
    build: float  # 0 slim, 1 heavy
    illness: float
    size: float  # log of the skeleton's scale
    heart: float  # log of the heart's scale
    shape: tuple[float, ...]  # normal with the level's spread: eight proportions of organs, then three that thorax/shape.py names


class Study(NamedTuple):
    """All that one film and its report depend on, besides the noise and the words."""

    level: LevelName
    seed: int
    number: int  # the index of the study
    patient_index: int
    patient: Patient
    view: Literal["PA", "AP"]
    inspiration: float  # 0 shallow, 1 deep
    yaw: float  # degrees
    roll: float  # degrees
    shift: tuple[float, float]  # cm
    zoom: float
    photons: float
    device_style: int
    display: tuple[float, float, float]  # standard uniform draws in [-1, 1]: lower end, upper end, exponent
    findings: tuple[Finding, ...]
    marker: str = ""  # the letter beside the film, where it is not drawn

    def has(self, name: str) -> bool:
        return any(finding.name == name for finding in self.findings)

    @property
    def labels(self) -> list[float]:
        return [float(self.has(name)) for name in FINDINGS]

    @property
    def factors(self) -> dict[str, float | str]:
        """The latents as flat numbers and words, for probes of what an embedding still holds."""
        return flat(self, FINDINGS)


def flat(study: "Study | ThoraxStudy", findings: Sequence[str]) -> dict[str, float | str]:
    """The latents of a study of either engine, then the severity of every finding."""
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
    return found | {
        f"severity {name}": max((each.severity for each in study.findings if each.name == name), default=0.0) for name in findings
    }


def patient_of(index: int) -> int:
    """The patient of a study: in each block of five, one patient has two."""
    return index // BLOCK * PATIENTS_OF_BLOCK + min(index % BLOCK, PATIENTS_OF_BLOCK - 1)


def draw_patient(seed: int, index: int, level: LevelName) -> Patient:
    """Age, sex, build and body of one patient."""
    draw, own = rng(seed, "phantom patient", 0, index), LEVELS[level]
    age = float(np.clip(draw.normal(57, 18), 18, 95))
    sex: Literal["F", "M"] = "F" if draw.random() < 0.46 else "M"
    build, illness = float(draw.beta(2, 2)), float(draw.normal())
    size = (0.03 if sex == "M" else -0.04) + 0.03 * float(draw.normal())
    heart = own.heart * float(draw.normal()) + 0.04 * (age - 57) / 18
    return Patient(age, sex, build, illness, size, heart, tuple(float(value) for value in own.shape * draw.normal(size=11)))


def draw_study(seed: int, index: int, level: LevelName) -> Study:
    """The latents of one study."""
    own = LEVELS[level]
    patient = draw_patient(seed, patient_of(index), level)
    draw = rng(seed, "phantom study", 0, index)
    sick = 0.5 * patient.illness + 0.02 * (patient.age - 57)
    view: Literal["PA", "AP"] = "AP" if draw.random() < 1 / (1 + math.exp(0.3 - sick)) else "PA"
    restless = 1.0 if view == "PA" else 1.4
    inspiration = float(draw.beta(4, 2) if view == "PA" else draw.beta(2.5, 2.5))
    yaw, roll = (float(restless * scale * draw.normal()) for scale in (own.yaw, own.roll))
    across, up = (float(own.shift * restless * draw.normal()) for _ in range(2))
    zoom = float(math.exp(draw.uniform(-own.zoom, own.zoom)))
    photons = float(math.exp(draw.uniform(math.log(own.photons.low), math.log(own.photons.high))))
    style = int(draw.integers(3))
    low, high, gamma = (float(value) for value in draw.uniform(-1, 1, size=3))
    findings = draw_findings(rng(seed, "phantom findings", 0, index), own, patient, view)
    return Study(
        level,
        seed,
        index,
        patient_of(index),
        patient,
        view,
        inspiration,
        yaw,
        roll,
        (across, up),
        zoom,
        photons,
        style,
        (low, high, gamma),
        findings,
    )


def draw_findings(draw: np.random.Generator, level: Level, patient: Patient, view: str) -> tuple[Finding, ...]:
    """Which findings are there, with side, place and severity."""
    found: list[Finding] = []
    for name, (base, ap, age, male, illness) in ODDS.items():
        about = ap * ((view == "AP") - 0.45) + age * (patient.age - 57) / 18 + male * ((patient.sex == "M") - 0.54)
        odds = base + level.prevalence + level.metadata * about + illness * patient.illness
        present = draw.random() < 1 / (1 + math.exp(-odds))
        own = finding_details(draw, level, name)
        if present:
            found += own
    return tuple(found)


SPANS = {
    "cardiomegaly": "heart_growth",
    "effusion": "effusion",
    "pneumothorax": "pneumothorax",
    "consolidation": "consolidation",
    "nodule": "nodule",
}


def size_of(level: Level, name: str, severity: float) -> float:
    """A finding's size at a severity, in the level's unit for it; a device has one contrast."""
    if name not in SPANS:
        return level.device
    span: Range = getattr(level, SPANS[name])
    return span.low + (span.high - span.low) * severity


def finding_details(draw: np.random.Generator, level: Level, name: str) -> list[Finding]:
    """Side, severity, size and place of one finding; always takes the same number of draws in order."""
    severity = float(draw.beta(1.6, 1.6))
    side: Literal["right", "left"] = "left" if draw.random() < 0.5 else "right"
    other: Literal["right", "left"] = "right" if side == "left" else "left"
    out, up, front, second, third = (float(value) for value in draw.random(5))

    if name == "cardiomegaly":
        return [Finding(name, "", severity, size_of(level, name, severity))]
    if name == "effusion":
        both = [Finding(name, other, severity * third, size_of(level, name, severity * third))] if second < 0.35 else []
        return sorted([Finding(name, side, severity, size_of(level, name, severity)), *both], key=lambda each: SIDES.index(each.side))
    if name == "pneumothorax":
        return [Finding(name, side, severity, size_of(level, name, severity))]
    if name == "consolidation":
        place = (0.75 * out - 0.25, 1.0 * up - 0.40, 1.2 * front - 0.6)
        both = (
            [Finding(name, other, severity * third, size_of(level, name, severity * third), (0.25, place[1], -place[2]))]
            if second < 0.2
            else []
        )
        return sorted(
            [Finding(name, side, severity, size_of(level, name, severity), place), *both], key=lambda each: SIDES.index(each.side)
        )
    if name == "nodule":
        return [Finding(name, side, severity, size_of(level, name, severity), (0.9 * out - 0.2, 1.1 * up - 0.35, 1.2 * front - 0.6))]
    kind = DEVICES[int(second * len(DEVICES))]
    beside = {"pacemaker": "left" if out < 0.8 else "right", "central venous catheter": side}.get(kind, "")
    return [Finding(name, beside, severity, size_of(level, name, severity), (out, up, front), kind)]  # type: ignore[arg-type]
