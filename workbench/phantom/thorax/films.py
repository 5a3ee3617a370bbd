"""The films of one study: from the front, from the side, and again from the front with patient and tube in another position."""

import math

import numpy as np

from workbench.phantom.levels import LEVELS
from workbench.phantom.thorax.acquisition import draw_acquisition
from workbench.phantom.thorax.aim import aim
from workbench.phantom.thorax.film import Film, render
from workbench.phantom.thorax.latents import Study, View, taken_as
from workbench.phantom.thorax.lead import Mark, stamp
from workbench.randomness import rng

# Chance of a film from the side, and of another from the front; our choice, with a mean of 1.65 films a study (MIMIC-CXR has 1.66)
BESIDE = {"PA": (0.75, 0.05), "AP": (0.06, 0.30)}
AGAIN = 0.25  # chance of a second repeat after the first
SIDE = 1  # number of the film from the side; those from the front are 0, 2 and 3
FOOT = (0.905, 0.94, 0.05)  # of the initial: row and column of its middle, and its height, shares of the width


def further(study: Study) -> tuple[int, ...]:
    """Numbers of the films of a study besides the first."""
    draw = rng(study.seed, "thorax films", 0, study.number).random(3)
    side, again = BESIDE["AP" if study.view == "AP" else "PA"]
    repeats = int(draw[1] < again) + int(draw[1] < again and draw[2] < AGAIN)
    return (*(SIDE,) * bool(draw[0] < side), *range(2, 2 + repeats))


def posed(study: Study, number: int) -> Study:
    """The patient as film `number` of the study finds him: another position, breath, field and exposure; solids and findings stay."""
    if not number:
        return study
    draw = rng(study.seed, f"thorax film {number}", 0, study.number)
    restless = 1.4 if study.view == "AP" else 1.0
    own = LEVELS[study.level]
    yaw, roll = (float(own.turned * restless * scale * draw.normal()) for scale in (3.5, 2.0))
    breath = 0.5 * (study.inspiration + float(draw.beta(2.5, 2.5) if study.view == "AP" else draw.beta(4, 2)))
    view: View = "lateral" if number == SIDE else study.view
    zoom, shift, lean = aim(study.seed, study.number, study.patient, view, breath, number)
    return study._replace(
        view=view,
        inspiration=breath,
        yaw=yaw,
        roll=roll + lean,
        shift=shift,
        zoom=zoom,
        photons=study.photons * math.exp(draw.uniform(-0.4, 0.4)),
        display=tuple(float(own.tones * value) for value in draw.uniform(-1, 1, size=3)),  # type: ignore[arg-type]
        acquisition=taken_as(draw_acquisition(study.seed, study.number, view, number), study.level),
        film=number,
    )


def filmed(study: Study, number: int, size: int) -> Film:
    """Film `number` of a study, `size` pixels square, with noise of its own."""
    own = posed(study, number)
    return initialled(own, render(own, size))


def initialled(study: Study, film: Film) -> Film:
    """The film with the initial of who took it at its foot, where a variant has one; no other pixel changes."""
    if not study.initial:
        return film
    grey = film.image / 255.0
    stamp(grey, Mark(study.initial, *FOOT))
    return film._replace(image=np.round(255 * grey).astype(np.uint8))
