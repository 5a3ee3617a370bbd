"""What asks before it acts: starting a run from a recipe, deleting runs. And what the last action said."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from app import actions, form, place, state, words
from workbench.errors import UserError
from workbench.run import Run, RunConfig

FIELDS = ("name", "seed", "device")
TOLD, REFUSED = "told", "refused"


def act(action: Callable[..., str], *given: Any, forget: str = "") -> None:
    """A button's callback: do it, and keep what it said for the page; `forget` is a choice that is void afterwards."""
    try:
        st.session_state[TOLD] = action(*given)
    except UserError as error:
        st.session_state[REFUSED] = str(error)
    else:
        if forget:
            state.put(forget, None)


def told() -> None:
    """What the last action did, or the sentence that says why it did not; once."""
    if TOLD in st.session_state:
        st.toast(state.escape(st.session_state.pop(TOLD)))
    if REFUSED in st.session_state:
        place.refused(st.session_state.pop(REFUSED))


@st.dialog("Start a run", width="medium")
def start(root: Path) -> None:
    """A recipe with the few fields that change from run to run; refused values are answered inside the dialog."""
    names = actions.recipes()
    if not names:
        st.write("There are no recipes in `training/recipes`.")
        return
    chosen = st.selectbox("Recipe", names, key="start_recipe")
    head, values = actions.recipe(chosen)
    st.code(head or "(this recipe says nothing about itself)", language=None, wrap_lines=True)
    st.caption("Empty fields keep what the recipe says.")
    form.fields(RunConfig.model_json_schema(), values, FIELDS, f"start.{chosen}")
    steps = sum(stage.get("steps", 1000) for stage in values.get("stages") or [{}])
    st.number_input("Steps", 1, None, steps, key=f"start.{chosen}.steps", help="Optimizer steps of the whole run")
    if REFUSED in st.session_state:
        place.refused(st.session_state.pop(REFUSED))
    begun = st.button("Start this run", type="primary", key="start_go", on_click=start_now, args=(root, steps))
    if begun and REFUSED not in st.session_state:
        st.rerun()
    elif begun:
        st.rerun(scope="fragment")


def start_now(root: Path, steps: int) -> None:
    """Values are read when the button is pressed: what was typed last has not been through the dialog yet."""
    chosen = st.session_state["start_recipe"]
    changes = {name: st.session_state.get(f"start.{chosen}.{name}") for name in (*FIELDS, "steps")}
    changes = {name: None if value == "" else value for name, value in changes.items()}
    act(actions.start, root, chosen, changes | ({"steps": None} if changes["steps"] == steps else {}))


@st.fragment
def knobs(runs: Sequence[Run]) -> None:
    """A live field and its new value; opened, it reads what the runs offer."""
    opened = st.popover("Change while it trains", icon=":material/tune:", key="knobs", on_change="rerun")
    if not opened.open:
        return
    with opened:
        known = actions.knobs(runs)
        if not known:
            st.caption("None of these runs offers a live field yet; they do from their first step.")
            return
        name = st.selectbox("Live field", list(known), key="knob_name")
        now = known[name]
        st.number_input("New value", value=now, format="%.6g", step=form.step_of(now), key=f"knob_value.{name}", placeholder="a number")
        value = st.session_state[f"knob_value.{name}"]
        st.caption("It takes effect at the next step and is kept as an event: configuration and events together say what ran.")
        st.button("Set from the next step", key="knob_set", disabled=value is None, on_click=turn_now, args=(runs, name))


def turn_now(runs: Sequence[Run], name: str) -> None:
    act(actions.turn, runs, name, float(st.session_state[f"knob_value.{name}"]))


@st.dialog("Delete runs")
def delete(runs: Sequence[Run]) -> None:
    """Asks once, with the names and the size on disk."""
    many = f"{len(runs)} run{'s' * (len(runs) != 1)}"
    st.write(f"Delete {many} with all checkpoints and results ({words.size(actions.size(runs))})? This cannot be undone.")
    st.code("\n".join(run.id for run in runs), language=None)
    yes, no = st.columns(2)
    pressed = yes.button(f"Delete {many}", type="primary", width="stretch", key="delete_go", on_click=delete_now, args=(runs,))
    if no.button("Keep", width="stretch", key="delete_keep") or pressed:
        st.rerun()


def delete_now(runs: Sequence[Run]) -> None:
    act(actions.delete, runs, forget="run")
