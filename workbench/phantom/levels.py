"""How hard the films are: two named levels, fixed by their references alone (tests/full/difficulty.py)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

LevelName = Literal["clinical", "teaching"]


class Level(NamedTuple):
    """What differs between the levels."""

    turned: float  # of the spread of the patient's angles
    tones: float  # of the spread of the display's ends and exponent
    clean: bool  # a bare film: no border, no processing but the scanner's, nothing on the skin, a plain letter
    photons: tuple[float, float]  # per pixel of 128 across, unattenuated; ends of a log-uniform draw
    mildest: float  # severity that a finding has at least, in [0, 1]
    tube: float  # width of tubes and lines, of real ones
    prevalence: float  # log odds added to every finding


LEVELS: Mapping[LevelName, Level] = MappingProxyType(
    {
        "clinical": Level(turned=1.0, tones=1.0, clean=False, photons=(800.0, 3000.0), mildest=0.0, tube=1.0, prevalence=0.0),
        "teaching": Level(turned=0.5, tones=0.2, clean=True, photons=(4000.0, 8000.0), mildest=0.5, tube=1.6, prevalence=0.3),
    }
)
