"""Where the field lies round the patient: chosen to hold both lungs, as a radiographer does, and missed a little."""

import math
from typing import NamedTuple

from workbench.phantom import SIDES
from workbench.phantom.thorax.patient import Patient
from workbench.phantom.thorax.shape import apex, foot, level, shape_of
from workbench.randomness import rng

FIELD = 40.0  # cm across the detector at zoom 1
CENTRE = -2.5  # cm, height of the patient that shift 0 puts into the middle
# Half the width of a plain chest's lungs on the detector, cm, and how much larger than in the patient they are there.
HALF, LARGER = {"PA": 14.6, "AP": 15.6}, {"PA": 1.07, "AP": 1.13}
ROUND = 0.8  # cm round the lungs, above the apex and below the angles
# Of the field's width that the lungs take, our choice: 192 lung masks of other real films say .83 +- .09; a ridge regression on them reads
# .77 +- .06 from 150 films of the NIH, and .06 too much from simulated ones.
SHARE = {"PA": 0.74, "AP": 0.72}


class Aim(NamedTuple):
    """Size and place of the field."""

    zoom: float  # of FIELD
    shift: tuple[float, float]  # cm, the patient's point in the middle, from (0, CENTRE)
    roll: float  # degrees that the patient leans, besides the ordinary


def aim(seed: int, index: int, patient: Patient, view: str, inspiration: float, film: int = 0) -> Aim:
    """The field of one study's film by number. A lateral film has that of a PA one; one film in thirty is centred without care."""
    draw, view = rng(seed, "thorax field", film, index), "AP" if view == "AP" else "PA"
    scale, portable = math.exp(patient.size), view == "AP"
    own, larger = shape_of(patient), scale * LARGER[view]
    half = HALF[view] * scale * math.exp(own.wide)
    top = larger * (max(apex(own, side) for side in SIDES) + ROUND)
    low = larger * (min(foot(own, side, level(own, side, inspiration)) for side in SIDES) - ROUND)
    share = min(max(SHARE[view] + (0.085 if portable else 0.065) * float(draw.normal()), 0.52), 0.93)
    field = max(2 * half / share, (top - low) / 0.96)
    across = (field / 2 - half) * max(min(float(draw.normal()) * (0.5 if portable else 0.3), 0.95), -0.95)
    above = float(draw.beta(2.2, 2.8))
    up = top + above * (field - (top - low)) - field / 2 - CENTRE
    careless, lean = draw.random() < (0.05 if portable else 0.02), draw.random() < (0.15 if portable else 0.04)
    off, leaning = 2.5 * draw.normal(size=2), float(7 * draw.normal())
    if careless:
        across, up = across + float(off[0]), up + float(off[1])
    return Aim(field / FIELD, (across, up), leaning if lean else 0.0)
