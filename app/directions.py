"""What the singular directions of the chosen feature mean: asked for by a button, computed by the worker, kept for every checkpoint."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import streamlit as st

from app import place, state, studies, work
from app.map import opened
from app.section import begin
from app.select import Selection
from workbench.analysis import directions
from workbench.analysis.directions import Direction, Directions
from workbench.figures import directions as figures
from workbench.figures.theme import number
from workbench.figures.zeroshot import short
from workbench.run import Run

JOB, KEY, HEIGHT, THUMB = "directions", "directions", 320, 76
FORMULA = """A direction is a principal direction of the centred features; its *scores* are the studies' places along it, and the sign is chosen so that the high end has more of what it orders best. *concordance*: the share of pairs of studies with different values of a factor that the scores order alike, ties half; .5 is chance. Nothing is fitted; intervals are over patients and not adjusted for the number of factors. *words*: those that reports at one end have more often, whose interval excludes chance after Bonferroni's correction for all {asked} words that ten patients have and ten have not."""
LIFE = """*share*: $\\|Z^\\top u\\|^2 / \\|Z\\|^2$ of the centred features $Z$ of a look and the direction's unit scores $u$: how much of the variance moves with them. $1/(N-1)$ by chance. *born*: the step from which the share was at least half of its largest until it was largest. *gone*: the step from which it never again was. *match*: the correlation of the scores with those of the direction it continues as at the neighbouring look, one to one among the first 16; below .7 while the share stayed it has turned into several."""


@st.cache_data(max_entries=64, show_spinner=False)
def read(folder: Path) -> Directions:
    """A result, which never changes."""
    return directions.read(folder)


@st.fragment
def section(root: Path, chosen: Selection) -> None:
    """Runs again by itself; until someone asks it is one button, so that the slider stays quick."""
    begun = begin(chosen, "What a direction means", "Directions of", "directions_of")
    if begun is None:
        return
    run, name, step = begun
    if not studies.named(run, "directions"):
        return
    parameters = {"feature": chosen.feature, "step": step}
    told = "Studies, factors and words at the ends of the first directions; the worker needs seconds for it"
    if folder := work.on_request(root, JOB, run, parameters, "Say what the directions mean", told, HEIGHT, KEY):
        draw(read(folder), folder, name, run, chosen)


def draw(found: Directions, folder: Path, name: str, run: Run, chosen: Selection) -> None:
    """One direction at a time: a sentence, both ends, what it orders, its life."""
    places = [each.place for each in found.directions]
    which = state.get("direction") if state.get("direction") in places else places[0]
    st.session_state["direction"] = which
    st.segmented_control("Direction", places, required=True, key="direction", on_change=state.follow("direction", "direction"))
    here = found.directions[places.index(which)]
    st.markdown(f"**{state.escape(name)}** {state.escape(sentence(here))}")
    ends(here, run)
    st.caption(state.escape(spoken(here, found)))
    colour, palette = place.palette().of(chosen.slots[run.id]), place.palette()
    left, right = st.columns([1, 1.35], gap="medium")
    for spot, kind, told, rows in (
        (left, "orders", FORMULA.format(asked=found.asked), figures.rows),
        (right, "life", LIFE, figures.life_rows),
    ):
        drawn = partial(getattr(figures, kind), found, here, colour, palette)
        with spot:
            fig = place.kept((str(folder), here.place, kind, colour, palette.name), drawn)
            place.figure(fig, f"direction_{kind}", f"Direction {here.place}", told, partial(rows, found))


def ends(here: Direction, run: Run) -> None:
    """The studies at both ends as thumbnails, as far as the terms of the data allow."""
    loaded, why = opened(run)
    if loaded is None:
        st.caption(f"No images here: {state.escape(why)}") if why else studies.wait(run)
        return
    if loaded.allowed == "nothing":
        studies.ask(loaded)
        return
    for spot, told, keys in zip(st.columns(2, gap="medium"), ("Low end", "High end"), (here.low, here.high)):
        with spot:
            st.caption(told)
            with st.container(horizontal=True, gap="small"):
                for key in (key for key in keys if key in loaded.places):
                    sample = loaded.dataset[loaded.places[key]]
                    present = ", ".join(studies.present_in(loaded, sample)) or "no finding"
                    if sample["images"]:
                        st.image(studies.picture(sample["images"][0], []), width=THUMB, alt=f"Study at the {told.lower()}: {present}")


def sentence(here: Direction) -> str:
    """What it orders, how much of the variance it is, when it was there."""
    best, own = here.best, here.life
    said = f"direction {here.place} carries {number(100 * here.share)} % of the variance and orders "
    said += f"{best.name} ({short(best.interval.value)})" if best else "no factor or label better than chance"
    lived = "; it was there from the first look" if own.born == own.steps[0] else f"; it was born by step {own.born}"
    lived += f", turned at step {listed(own.turned)}" if own.turned else ""
    return f"{said}{lived}, " + (f"gone by step {own.died}." if own.died is not None else "and is there at the last.")


def listed(steps: Sequence[int]) -> str:
    return ", ".join(map(str, steps[:3])) + (f" and {len(steps) - 3} more" if len(steps) > 3 else "")


def spoken(here: Direction, found: Directions) -> str:
    """The words of both ends."""
    if found.why:
        return f"No words: {found.why}."
    low, high = ([each.name for each in here.words if (each.interval.value > 0.5) == up] for up in (False, True))
    said = [f"at the {name} end: {', '.join(own)}" for name, own in (("low", low), ("high", high)) if own]
    return f"Words {'; '.join(said)}." if said else f"None of {found.asked} words is said more often at one end."
