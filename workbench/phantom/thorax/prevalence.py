"""How frequent the findings are, and by how much the odds must be shifted for a stated prevalence: over a population drawn at once."""

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from scipy.special import expit

from workbench.errors import UserError
from workbench.phantom import FINDINGS
from workbench.phantom.levels import LEVELS, LevelName
from workbench.phantom.thorax.course import ROUND, TREND
from workbench.phantom.thorax.odds import odds, odds_of
from workbench.phantom.thorax.patient import Patient
from workbench.phantom.thorax.variants import Variant
from workbench.randomness import rng

PEOPLE = 20_000


@lru_cache(maxsize=1)
def people() -> Mapping[str, np.ndarray]:
    """Log odds (people,) of each finding without others, over studies as `draw_patient`, `draw_study` and `history` draw them; a test holds the two against each other."""
    draw = rng(0, "thorax population")
    age, male = np.clip(draw.normal(57, 18, PEOPLE), 18, 95), draw.random(PEOPLE) >= 0.46
    illness = draw.normal(size=PEOPLE)
    portable = draw.random(PEOPLE) < expit(0.5 * illness + 0.02 * (age - 57) - 0.3)
    places = [place for studies in ROUND for place in range(studies)]
    worse = TREND * draw.normal(size=PEOPLE) * draw.choice(places, PEOPLE)
    return {name: linear(name, age, male, portable, illness + worse) for name in FINDINGS}


def linear(name: str, age: np.ndarray, male: np.ndarray, portable: np.ndarray, illness: np.ndarray) -> np.ndarray:
    """The log odds of a finding without others (n,): `odds_of` is linear in what it depends on."""

    def at(years: float, sex: str, view: str, ill: float) -> float:
        return odds_of(name, Patient(years, sex, 0.5, ill, 0.0, 0.0, ()), view, ())  # type: ignore[arg-type]

    base = at(57, "F", "PA", 0)
    parts = (
        (at(58, "F", "PA", 0) - base, age - 57),
        (at(57, "M", "PA", 0) - base, male),
        (at(57, "F", "AP", 0) - base, portable),
        (at(57, "F", "PA", 1) - base, illness),
    )
    return base + np.stack([slope * values for slope, values in parts]).sum(0)


def settled(targets: Mapping[str, float], shifts: Mapping[str, float], level: LevelName) -> tuple[dict[str, float], dict[str, float]]:
    """Shares of all findings, and the shifts that give the target ones theirs; finding by finding, as the odds are drawn."""
    from scipy.optimize import brentq  # a tenth of the time to a first film, of which few have a stated prevalence

    alone, draw = people(), rng(0, "thorax population", 1)
    found: dict[str, np.ndarray] = {}
    shares, moved = dict[str, float](), dict(shifts)
    for name in FINDINGS:
        more = sum((more * found[one] for one, more in odds()[name].after.items()), np.zeros(PEOPLE))
        own = LEVELS[level].prevalence + alone[name] + more
        if name in targets:
            moved[name] = float(brentq(lambda shift, own=own, name=name: expit(own + shift).mean() - targets[name], -40, 40))
        chance = expit(own + moved.get(name, 0.0))
        found[name] = draw.random(PEOPLE) < chance
        shares[name] = float(chance.mean())
    return shares, moved


@lru_cache(maxsize=16)
def shares_of(variant: Variant) -> Mapping[str, float]:
    """Share of the studies of a variant that show each finding."""
    return {name: share * variant.share_kept(name) for name, share in settled({}, dict(variant.shifts), variant.level)[0].items()}


def shifts_of(prevalence: Mapping[str, float], level: LevelName = "clinical") -> tuple[tuple[str, float], ...]:
    """Log odds to add for each stated prevalence. Raises UserError for what `checked` refuses."""
    _, shifts = settled(checked(prevalence), {}, level)
    return tuple((name, round(shifts[name], 6)) for name in FINDINGS if name in shifts)


def checked(prevalence: Mapping[str, float]) -> Mapping[str, float]:
    """The table, unless it names what is no finding or holds what is no share: UserError with the allowed values."""
    for name, share in prevalence.items():
        if name not in FINDINGS:
            raise UserError(f"prevalence: no finding {name!r}; the findings are {', '.join(FINDINGS)}")
        if isinstance(share, bool) or not isinstance(share, int | float) or not math.isfinite(share) or not 0 < share < 1:
            raise UserError(f"prevalence: {share!r} of {name}; expected a share between 0 and 1, without the ends")
    return prevalence
