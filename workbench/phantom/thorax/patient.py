"""Who the patient is: what stays the same between the films of one person."""

from typing import Literal, NamedTuple

import numpy as np

from workbench.randomness import rng

HEART = 0.08  # standard deviation of the log of the heart's size without cardiomegaly
SHAPE = 11  # entries of Patient.shape


class Patient(NamedTuple):
    """One person."""

    age: float  # years
    sex: Literal["F", "M"]
    build: float  # 0 slim, 1 heavy
    illness: float
    size: float  # log of the skeleton's scale
    heart: float  # log of the heart's scale
    shape: tuple[float, ...]  # standard normals: eight of the chest's outline, then three that shape.py names


def draw_patient(seed: int, number: int) -> Patient:
    """Age, sex, build and body of one patient."""
    draw = rng(seed, "phantom patient", 0, number)
    age = float(np.clip(draw.normal(57, 18), 18, 95))
    sex: Literal["F", "M"] = "F" if draw.random() < 0.46 else "M"
    build, illness = float(draw.beta(2, 2)), float(draw.normal())
    size = (0.03 if sex == "M" else -0.04) + 0.03 * float(draw.normal())
    heart = HEART * float(draw.normal()) + 0.04 * (age - 57) / 18
    return Patient(age, sex, build, illness, size, heart, tuple(float(value) for value in draw.normal(size=SHAPE)))
