"""How hard the films are: two named levels, fixed by their references alone (tests/full/difficulty.py)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

LevelName = Literal["clinical", "teaching"]


class Range(NamedTuple):
    """Ends of a uniform draw."""

    low: float
    high: float


class Level(NamedTuple):
    """What differs between the levels; lengths in cm, angles in degrees, the rest relative."""

    shift: float  # standard deviation of the patient's place on the detector
    zoom: float  # half width of the log of the field's size
    roll: float  # standard deviation, in the film's plane
    yaw: float  # standard deviation of the patient's rotation about the long axis
    shape: float  # standard deviation of the log of organ sizes
    heart: float  # standard deviation of the log of the heart's size without cardiomegaly
    heart_growth: Range  # log size added by cardiomegaly, least to most severe
    effusion: Range  # cm the fluid stands above the costophrenic angle
    pneumothorax: Range  # share of the lung's width and height lost
    consolidation: Range  # share of the air replaced at the centre
    nodule: Range  # radius
    nodule_contrast: float  # of soft tissue
    device: float  # attenuation of a tube against its surroundings
    tube: float  # width of tubes and lines, of real ones
    texture: float  # lung markings
    photons: Range  # per pixel of 128 across, unattenuated
    window: float  # half width of the draw of the display's ends
    gamma: float  # half width of the log of the display's exponent
    prevalence: float  # log odds added to every finding
    metadata: float  # strength of age, sex and view in the prevalences


LEVELS: Mapping[LevelName, Level] = MappingProxyType(
    {
        "clinical": Level(
            shift=1.6,
            zoom=0.18,
            roll=3.0,
            yaw=4.0,
            shape=0.06,
            heart=0.08,
            heart_growth=Range(0.11, 0.32),
            effusion=Range(2.0, 10.0),
            pneumothorax=Range(0.16, 0.5),
            consolidation=Range(0.45, 0.9),
            nodule=Range(0.85, 1.5),
            nodule_contrast=4.0,
            device=1.4,
            tube=1.6,
            texture=0.8,
            photons=Range(600.0, 2500.0),
            window=0.18,
            gamma=0.4,
            prevalence=0.0,
            metadata=0.65,
        ),
        "teaching": Level(
            shift=1.8,
            zoom=0.18,
            roll=1.5,
            yaw=1.5,
            shape=0.05,
            heart=0.06,
            heart_growth=Range(0.2, 0.36),
            effusion=Range(4.0, 10.0),
            pneumothorax=Range(0.25, 0.5),
            consolidation=Range(0.75, 0.95),
            nodule=Range(1.5, 2.2),
            nodule_contrast=4.5,
            device=2.5,
            tube=3.0,
            texture=0.6,
            photons=Range(4000.0, 8000.0),
            window=0.03,
            gamma=0.1,
            prevalence=0.3,
            metadata=0.7,
        ),
    }
)
