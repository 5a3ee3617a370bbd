"""Which map the page Map shows: choices above it, and the map itself, at once or from the worker."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from app import map as small
from app import state, studies, towers, work
from app.select import Selection
from workbench import colouring, mapping
from workbench.analysis.projection import JOINT, NAMES, Method, Projection
from workbench.jobs import describe_job
from workbench.run import Run

PLAIN, HEIGHT = "nothing", 520
METHODS = {**NAMES, "aligned_umap": "UMAP over checkpoints"}
POINTS = {"one": "this feature", "both": "images and reports"}
TOLD = {
    "umap": "Follows neighbours; the worker needs seconds, the first time a minute",
    "tsne": "Follows neighbours; the worker needs seconds",
    "aligned_umap": "One picture of many checkpoints, in which a study stays where it was unless its neighbours changed; about a minute",
    "pca": "Reads the reports of this checkpoint; the worker needs seconds",
}


class Asked(NamedTuple):
    """What a map is asked of: a feature of a run at a look, by a method, in colours; with the data set, or why it is not here."""

    run: Run
    name: str
    feature: str
    step: int
    last: int
    method: Method
    colour: str
    slot: int
    loaded: studies.Studies | None
    why: str

    @property
    def parameters(self) -> dict[str, Any]:
        """What the job is asked for."""
        return mapping.parameters(self.run, self.feature, self.step, self.method)

    @property
    def title(self) -> str:
        """What is drawn, as a sentence without its end."""
        return f"{METHODS[self.method]} of {self.feature} of {self.name}, step {self.step}"


def choose(chosen: Selection) -> Asked | None:
    """Draw the choices; None where none of the runs was looked at up to the slider's step."""
    runs = {name: run for run, name in chosen.names.items() if small.at(chosen, run) is not None}
    if not runs:
        return None
    spots = st.columns([3.4, 1.9, 1.9, 2.2] if len(runs) > 1 else [1, 1.9, 1.9, 2.2], vertical_alignment="bottom", gap="small")
    name = work.one_of(runs, "Map of", "map_of", spots[0]) if len(runs) > 1 else next(iter(runs))
    run = runs[name]
    step, looks = small.at(chosen, run) or 0, chosen.shown[run.id]
    both = towers.able(run) and of(spots[1], "Points", "points", POINTS) == "both"
    feature = JOINT if both else chosen.feature
    known = {key: said for key, said in METHODS.items() if key != "aligned_umap" or len(looks) > 1}
    method: Any = of(spots[2], "Method", "method", known)
    loaded, why = small.opened(run)
    colour = coloured(spots[3], loaded, run, feature, step) if loaded or why else PLAIN
    return Asked(run, name, feature, step, looks[-1], method, colour, chosen.slots[run.id], loaded, why)


def of(spot: Any, label: str, key: str, known: Mapping[str, str]) -> str:
    """One of some words, kept in the address."""
    st.session_state[f"atlas_{key}"] = state.get(key) if state.get(key) in known else next(iter(known))
    return spot.selectbox(label, list(known), key=f"atlas_{key}", format_func=known.get, on_change=state.follow(key, f"atlas_{key}"))


def coloured(spot: Any, loaded: studies.Studies | None, run: Run, feature: str, step: int) -> str:
    """The column that colours the points."""
    stored = feature in run.geometry(step)
    names = colouring.choices(loaded.dataset if loaded else None, len(run.embeddings(feature, step).keys) if stored else 0)
    return of(spot, "Colour by", "colour", {name: state.escape(name) for name in (*names, PLAIN)})


def maps(root: Path, asked: Asked) -> tuple[Projection, ...] | None:
    """The map, the last of what is drawn, or the frames of one over checkpoints; None while the worker is at it, which is then drawn.

    Raises UserError and ValueError where features are no map.
    """
    run = asked.run
    if asked.method == "pca" and asked.feature in run.geometry(asked.step):
        looks = [each for each in run.looks() if each <= asked.last]
        return tuple(small.located(run.path, asked.feature, each, asked.last, each == asked.step) for each in looks)
    told, button = TOLD[asked.method], f"Draw {METHODS[asked.method]}" if asked.method != "pca" else "Read the reports and draw the map"
    if not describe_job(root, mapping.JOB, run.id, asked.parameters).done:
        st.caption(f"{told}.")
    folder = work.on_request(root, mapping.JOB, run, asked.parameters, button, told, HEIGHT, "atlas_map")
    return kept(folder) if folder else None


@st.cache_resource(max_entries=16, show_spinner=False)
def kept(folder: Path) -> tuple[Projection, ...]:
    """A result, which never changes."""
    return mapping.frames(folder)


def shown(found: tuple[Projection, ...], step: int) -> Projection:
    """The frame that the slider stands for."""
    return next((each for each in reversed(found) if each.step <= step), found[0])
