"""The page Map: one run's studies as points in the map component, what is drawn around them, and the study under the pointer."""

import streamlit as st

from app import map as small
from app import points, state, studies, work
from app.select import Selection
from workbench import colouring
from workbench.analysis.polygon import inside
from workbench.analysis.projection import Projection
from workbench.cloud import Cloud, Frame, Geometry, beside
from workbench.run import Run

KEY, PLAIN, CHANGED = "atlas", "nothing", "atlas changed"


def run_of(chosen: Selection) -> tuple[Run, str] | None:
    """The run the map is about, and its name; a choice is drawn where several of the chosen runs have been looked at."""
    runs = {name: run for run, name in chosen.names.items() if small.at(chosen, run) is not None}
    if not runs:
        return None
    name = work.one_of(runs, "Map of", "map_of")
    return runs[name], name


@st.fragment
def section(chosen: Selection, run: Run, name: str) -> None:
    """The map and the study beside it: a hover or a click runs this part again, what was drawn around something the whole page."""
    if st.session_state.pop(CHANGED, False):
        st.rerun()
    left, right = st.columns([2.6, 1], gap="medium")
    with left:
        loaded, why = small.opened(run)
        held = coloured(chosen, run, name, loaded)
        draw(held, loaded)
    with right:
        beside_it(run, loaded, why)


def coloured(chosen: Selection, run: Run, name: str, loaded: studies.Studies | None) -> Cloud:
    """The points in the colours that are asked for; a choice of the column is drawn above them."""
    step = small.at(chosen, run)
    looks = tuple(chosen.shown[run.id])
    found = small.located(run.path, chosen.feature, step, looks[-1])
    names = colouring.choices(loaded.dataset, found.n) if loaded else ()
    spot, walked = st.columns([1.4, 2.6], vertical_alignment="bottom")
    follow, asked = state.follow("colour", "atlas_colour"), PLAIN
    if names:
        st.session_state["atlas_colour"] = state.get("colour") if state.get("colour") in (*names, PLAIN) else names[0]
        asked = spot.selectbox("Colour by", [*names, PLAIN], key="atlas_colour", format_func=state.escape, on_change=follow)
    walk = walked.toggle(
        "Walk through the checkpoints", key="atlas_walk", help="Every look of this run, its axes turned like the last one's"
    )
    return cloud(
        (
            str(run.path),
            chosen.feature,
            step,
            looks if walk else looks[-1:],
            name,
            asked,
            loaded is None,
            loaded is not None and loaded.open,
        ),
        found,
        run,
        loaded,
    )


@st.cache_resource(max_entries=16, show_spinner=False)
def cloud(key: tuple, _found: Projection, _run: Run, _loaded: studies.Studies | None) -> Cloud:
    """What `key` names, put together once: a look never changes."""
    _, feature, step, looks, name, asked, _, open_ = key
    z = _run.embeddings(feature, step).features
    own = None if asked == PLAIN else colouring.of(_loaded.dataset if _loaded else None, _found.keys, asked, z, _found.xy)
    frames = tuple(Frame(each, small.located(_run.path, feature, each, looks[-1]).xy) for each in looks) if len(looks) > 1 else ()
    shown = _found.keys if open_ else studies.hashed(_found.keys)
    return Cloud(_found.xy, f"Map of {feature} of {name}, step {step}", axes(_found), own, shown, frames=frames, step=step)


def axes(found: Projection) -> tuple[str, str]:
    """What lies along the axes."""
    first, second = found.explained
    return f"first axis, {first:.0%} of the variance", f"second axis, {second:.0%}"


def draw(held: Cloud, loaded: studies.Studies | None) -> None:
    def changed(given: Geometry) -> None:
        if given["kind"] == "lasso":
            st.session_state[CHANGED] = True
        else:
            state.put("sample", held.ids[given["row"]])

    kept = points.points(KEY, held, changed, on_hover=lambda row: st.session_state.update({"atlas_hovered": row}))
    polygon = kept["polygon"] if kept and kept["kind"] == "lasso" else []
    said = f"{int(inside(held.xy, polygon).sum())} of {held.n} points inside" if polygon else ""
    points.aside(KEY, beside(held.packed[1]["place"], polygon=polygon, said=said))


def beside_it(run: Run, loaded: studies.Studies | None, why: str) -> None:
    """The study that was clicked, else what to do."""
    if loaded and state.get("sample"):
        studies.card(loaded, state.get("sample"))
    elif loaded:
        st.caption("Click a point: its image and report appear here.")
    elif why:
        st.caption(f"No images or labels here: {state.escape(why)}")
    else:
        studies.wait(run)
