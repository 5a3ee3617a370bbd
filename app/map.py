"""The map of a run's studies; a click shows the study beside it."""

from pathlib import Path

import streamlit as st

from app import place, read, state, studies, work
from app.select import Selection
from workbench.analysis import projection
from workbench.errors import UserError
from workbench.figures import projection as figures
from workbench.run import Run

KEY, NO_LABEL = "map", "nothing"
FORMULA = """The two directions of largest variance of the centred features; axes keep their orientation over checkpoints.
Trustworthiness falls with false neighbours, continuity with missing ones (Venna and Kaski, 2001), overlap is the share of neighbours kept; 1 is perfect,
in brackets what points in random places give. Clusters: k-means cuts the features more tightly than 49 Gaussian clouds of their mean and covariance
(Liu et al., 2008), and a gap of at least 4.2 standard deviations parts them."""


@st.cache_data(max_entries=128, show_spinner=False)
def located(path: Path, feature: str, step: int, last: int, measured: bool = True) -> projection.Projection:
    """The map at a look, its axes oriented like the last look's; a look never changes, so it is computed once."""
    run = read.run(path)
    like = None if step == last else located(path, feature, last, last, False)
    return projection.pca(run.embeddings(feature, step), like, measured)


@st.fragment
def section(chosen: Selection) -> None:
    """Runs again by itself when a study or a finding is chosen."""
    runs = {name: run for run, name in chosen.names.items() if at(chosen, run) is not None}
    if not runs:
        return
    left, right = st.columns([2.1, 1], gap="medium")
    with left:
        colour, scale, over = st.columns([1.3, 1.2, 3], vertical_alignment="bottom")
        name = work.one_of(runs, "Map of", "map_of", over)
        run = runs[name]
        loaded, why = opened(run)
        label = coloured(colour, loaded)
        equal = scale.toggle(
            "Equal scale", True, key="map_equal", help="One unit is as long on both axes: a space of one direction is a line"
        )
        draw(chosen, run, name, loaded, label, equal)
    with right:
        if loaded and state.get("sample"):
            studies.card(loaded, state.get("sample"))
        elif loaded:
            st.caption("Click a circle: its image and report appear here.")
        elif why:
            st.caption(f"No images or labels here: {state.escape(why)}")
        else:
            studies.wait(run)


def at(chosen: Selection, run: Run) -> int | None:
    """The look of a run that the slider stands for."""
    return max((step for step in chosen.shown[run.id] if step <= chosen.step), default=None)


def opened(run: Run) -> tuple[studies.Studies | None, str]:
    """The data set, or None while it loads, or None and why it cannot be."""
    try:
        return studies.of_run(run), ""
    except (UserError, ImportError) as error:  # a data set of a plugin may not be installed here
        return None, str(error)


def coloured(spot, loaded: studies.Studies | None) -> str:
    """The finding the circles are coloured by; "" where there is none."""
    names = list(loaded.dataset.label_names) if loaded else []
    if not names:
        return ""
    st.session_state["map_label"] = state.get("label") if state.get("label") in (*names, NO_LABEL) else names[0]
    follow = state.follow("label", "map_label")
    label = spot.selectbox("Colour by", [*names, NO_LABEL], key="map_label", on_change=follow)
    return "" if label == NO_LABEL else label


def draw(chosen: Selection, run: Run, name: str, loaded: studies.Studies | None, label: str, equal: bool) -> None:
    try:
        found = located(run.path, chosen.feature, at(chosen, run), chosen.shown[run.id][-1])
    except (UserError, ValueError) as error:
        place.empty(f"**No map**: {state.escape(error)}")
        return
    states = loaded.states(found.keys, label) if loaded and label else None
    title = f"Where studies lie in {chosen.feature}: {name}"
    palette, sample = place.palette(), state.get("sample")
    held = (
        str(run.path),
        chosen.feature,
        found.step,
        name,
        label,
        repr(states is None),
        sample,
        equal,
        palette.name,
        chosen.shown[run.id][-1],
    )
    fig = place.kept(held, lambda: figures.plane(found, states, label, sample, equal, palette, title))
    keys = found.keys if loaded and loaded.open else studies.hashed(found.keys)
    with st.container(gap=None):
        place.clickable(fig, KEY, title, tick)
        place.details(KEY, FORMULA, lambda: figures.rows(found, keys))


def tick() -> None:
    points = st.session_state[KEY]["selection"]["points"]
    if points and points[0].get("customdata"):
        given = points[0]["customdata"]
        state.put(
            "sample", str(given[0] if isinstance(given, list | tuple) else next(iter(given.values())) if isinstance(given, dict) else given)
        )
