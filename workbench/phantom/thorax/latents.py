"""Who the patient is, how the pictures were taken and what is wrong. Patients are those of the present simulator under the same number."""

import math
from collections.abc import Container
from typing import Literal, NamedTuple

from workbench.errors import UserError
from workbench.phantom.latents import Patient, draw_patient, flat, patient_of
from workbench.phantom.thorax import DEVICES, FINDINGS, SIDES
from workbench.phantom.thorax.acquisition import Acquisition, draw_acquisition
from workbench.phantom.thorax.aim import aim
from workbench.randomness import rng

View = Literal["PA", "AP", "lateral"]
Side = Literal["right", "left", ""]
VIEWS: tuple[View, ...] = ("PA", "AP", "lateral")
ZONES = {"upper": 0.5, "middle": 0.05, "lower": -0.4}  # height in the lung, as `Finding.place` has it
BILATERAL = {"effusion": 0.35, "consolidation": 0.2}  # share of cases with the other side as well
MIDDLE = ("cardiomegaly", "oedema", "endotracheal tube", "feeding tube")  # have no side
# Log odds at the mean, then per unit of (AP, age in 18 years, male, general illness). All of it is our choice: signs and order follow
# what label tables of public sets show (devices and oedema on portable films, pneumothorax in younger men), the numbers follow no table.
ODDS = {
    "cardiomegaly": (-1.7, 0.40, 0.55, -0.15, 0.35),
    "effusion": (-1.8, 0.60, 0.30, 0.00, 0.45),
    "pneumothorax": (-2.0, 0.25, -0.45, 0.40, 0.10),
    "consolidation": (-1.6, 0.45, 0.15, 0.05, 0.40),
    "atelectasis": (-1.8, 0.55, 0.25, 0.05, 0.35),
    "oedema": (-2.2, 0.80, 0.35, -0.05, 0.55),
    "nodule": (-1.5, -0.50, 0.50, 0.10, 0.00),
    "mass": (-1.9, -0.25, 0.60, 0.20, 0.10),
    "rib fracture": (-1.9, 0.20, 0.45, 0.45, 0.00),
    "endotracheal tube": (-2.2, 2.40, 0.10, 0.05, 0.70),
    "feeding tube": (-2.1, 1.60, 0.15, 0.05, 0.60),
    "central venous line": (-1.9, 1.30, 0.10, 0.05, 0.60),
    "pacemaker": (-2.5, 0.20, 0.85, 0.25, 0.20),
}
METADATA = 0.6  # strength of view, age and sex in the odds
# Log odds added by a finding that was drawn before; our choice as well.
TOGETHER = {
    ("cardiomegaly", "effusion"): 0.8,
    ("cardiomegaly", "oedema"): 1.2,
    ("effusion", "oedema"): 1.0,
    ("effusion", "atelectasis"): 0.8,
    ("pneumothorax", "rib fracture"): 1.2,
    ("pneumothorax", "central venous line"): 0.7,
    ("pneumothorax", "endotracheal tube"): 0.7,
    ("endotracheal tube", "feeding tube"): 2.5,
    ("endotracheal tube", "central venous line"): 1.5,
    ("cardiomegaly", "pacemaker"): 0.9,
}
SIZES = {  # least and most severe, and the unit
    "cardiomegaly": (0.08, 0.3),  # log of the heart's scale
    "effusion": (2.0, 11.0),  # cm of fluid above the sulcus
    "pneumothorax": (0.12, 0.45),  # share of the lung's width lost
    "consolidation": (2.6, 5.5),  # cm, radius
    "atelectasis": (1.0, 4.0),  # cm the dome rises
    "oedema": (0.06, 0.3),  # density added at the hilum
    "nodule": (1.15, 1.5),  # cm, radius
    "mass": (1.8, 3.8),  # cm, radius
    "rib fracture": (0.9, 1.8),  # cm, step
    "endotracheal tube": (0.45, 0.65),  # cm, radius
    "feeding tube": (0.35, 0.5),
    "central venous line": (0.25, 0.4),
    "pacemaker": (2.0, 2.6),  # cm, radius of the box
}


class Finding(NamedTuple):
    """One abnormality. Places are relative to its lung: out (to the side), up and front, each in [-1, 1]."""

    name: str
    side: Side
    severity: float  # in [0, 1]
    size: float  # in the unit of SIZES
    place: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def kind(self) -> str:
        """Every device of this engine is a finding of its own, so that none has kinds."""
        return ""

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
        timed = {"visit": float(self.visit), "days": self.days, "progression": self.progression}
        return flat(self, FINDINGS) | self.acquisition.factors | timed


def draw_study(seed: int, index: int, number: int | None = None, alone: bool = True) -> Study:
    """The latents of one study by itself; course.py draws it as one of the studies of patient `number`, with findings of its own."""
    number = patient_of(index) if number is None else number
    patient = draw_patient(seed, number, "clinical")
    draw = rng(seed, "thorax study", 0, index)
    sick = 0.5 * patient.illness + 0.02 * (patient.age - 57)
    lateral, portable = draw.random() < 0.12, draw.random() < 1 / (1 + math.exp(0.3 - sick))
    view: View = "AP" if portable else "lateral" if lateral else "PA"
    restless = 1.4 if portable else 1.0
    inspiration = float(draw.beta(2.5, 2.5) if portable else draw.beta(4, 2))
    yaw, roll, *_ = (float(restless * scale * draw.normal()) for scale in (3.5, 2.0, 1.2, 1.2))  # the field has a stream of its own
    draw.uniform(-0.12, 0.12)
    photons = float(math.exp(draw.uniform(math.log(800.0), math.log(3000.0))))
    style = int(draw.integers(3))
    low, high, gamma = (float(value) for value in draw.uniform(-1, 1, size=3))
    findings = draw_findings(seed, index, patient, view) if alone else ()
    zoom, shift, lean = aim(seed, index, patient, view, inspiration)
    taken = draw_acquisition(seed, index, view)
    tones = low, high, gamma
    return Study(seed, index, number, patient, view, inspiration, yaw, roll + lean, shift, zoom, photons, style, tones, findings, taken)


def draw_findings(seed: int, index: int, patient: Patient, view: str) -> tuple[Finding, ...]:
    """Which findings are there; each has its own stream, so that one more changes no other."""
    found: list[Finding] = []
    for name in FINDINGS:
        odds = odds_of(name, patient, view, {each.name for each in found})
        if rng(seed, f"thorax presence {name}", 0, index).random() < 1 / (1 + math.exp(-odds)):
            found += details(seed, index, name)
    return tuple(found)


def odds_of(name: str, patient: Patient, view: str, found: Container[str]) -> float:
    """The log odds of a finding, given those found before it."""
    base, ap, age, male, illness = ODDS[name]
    about = ap * ((view == "AP") - 0.45) + age * (patient.age - 57) / 18 + male * ((patient.sex == "M") - 0.54)
    more = sum(each for (one, other), each in TOGETHER.items() if other == name and one in found)
    return base + METADATA * about + illness * patient.illness + more


def size_of(name: str, severity: float) -> float:
    """A finding's size at a severity, in the unit of SIZES."""
    low, high = SIZES[name]
    return low + (high - low) * severity


def details(seed: int, index: int, name: str) -> list[Finding]:
    """Side, severity, size and place of a finding, were it there."""
    draw = rng(seed, f"thorax finding {name}", 0, index)
    severity = float(draw.beta(1.6, 1.6))
    first = int(draw.random() < (0.8 if name == "pacemaker" else 0.5))
    out, up, front, second, third = (float(value) for value in draw.random(5))
    place = (0.9 * out - 0.3, 1.05 * up - 0.42, 1.0 * front - 0.5)
    if name == "nodule":  # those behind the heart or at the wall nobody could see
        place = (0.65 * out - 0.1, 0.9 * up - 0.3, 1.0 * front - 0.5)
    if name in DEVICES or name == "rib fracture":
        place = (2 * out - 1, 2 * up - 1, 2 * front - 1)
    if name in MIDDLE:
        return [Finding(name, "", severity, size_of(name, severity), place)]
    sides = [(SIDES[first], severity)]
    if second < BILATERAL.get(name, 0.0):
        sides.append((SIDES[1 - first], severity * third))
    found = [Finding(name, side, worth, size_of(name, worth), place) for side, worth in sides]  # type: ignore[arg-type]
    return sorted(found, key=lambda each: SIDES.index(each.side))


def with_finding(study: Study, name: str, severity: float, side: Side = "", zone: str | None = None) -> Study:
    """The same study with one finding at another severity (0 takes it away), side or zone; all else stays."""
    sides: tuple[str, ...] = ("",) if name in MIDDLE else SIDES
    if name not in FINDINGS or side not in sides or not 0 <= severity <= 1 or (zone is not None and zone not in ZONES):
        raise UserError(
            f"thorax: {name!r}, side {side!r}, severity {severity!r}, zone {zone!r}; the findings are {', '.join(FINDINGS)}, "
            f"the sides of this one {sides}, severities from 0 to 1, zones {', '.join(ZONES)}"
        )
    own = study.of(name, side) or details(study.seed, study.number, name)[0]
    height = own.place[1] if zone is None else ZONES[zone]
    changed = Finding(name, side, severity, size_of(name, severity), (own.place[0], height, own.place[2]))
    findings = [each for each in study.findings if (each.name, each.side) != (name, side)] + [changed] * (severity > 0)
    return study._replace(findings=tuple(sorted(findings, key=lambda each: (FINDINGS.index(each.name), ("", *SIDES).index(each.side)))))
