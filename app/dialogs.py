"""What asks before it acts: starting a run from a recipe, deleting runs."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from app import actions, form, place, state, words
from workbench.errors import UserError
from workbench.run import Run, RunConfig

FIELDS = ("name", "seed", "device")


@st.dialog("Start a run", width="medium")
def start(root: Path) -> None:
    names = actions.recipes()
    if not names:
        st.write("There are no recipes in `training/recipes`.")
        return
    chosen = st.selectbox("Recipe", names, key="start_recipe")
    head, values = actions.recipe(chosen)
    st.code(head or "(this recipe says nothing about itself)", language=None, wrap_lines=True)
    changes = form.fields(RunConfig.model_json_schema(), values, FIELDS, f"start.{chosen}")
    steps = sum(stage.get("steps", 1000) for stage in values.get("stages") or [{}])
    changes["steps"] = st.number_input("Steps", 1, None, steps, key=f"start.{chosen}.steps", help="Optimizer steps of the whole run")
    if changes["steps"] == steps:
        changes["steps"] = None
    if st.button("Start this run", type="primary", key="start_go"):
        try:
            st.session_state["told"] = actions.start(root, chosen, changes)
        except UserError as error:
            place.refused(error)
        else:
            st.rerun()


@st.dialog("Delete runs")
def delete(runs: Sequence[Run]) -> None:
    many = f"{len(runs)} run{'s' * (len(runs) != 1)}"
    st.write(f"Delete {many} with all checkpoints and results ({words.size(actions.size(runs))})? This cannot be undone.")
    st.code("\n".join(run.id for run in runs), language=None)
    yes, no = st.columns(2)
    if yes.button(f"Delete {many}", type="primary", width="stretch", key="delete_go"):
        try:
            st.session_state["told"] = actions.delete(runs)
        except UserError as error:
            place.refused(error)
        else:
            state.put("run", None)
            st.rerun()
    if no.button("Keep", width="stretch", key="delete_keep"):
        st.rerun()


def told() -> None:
    """What the last action did, once."""
    if "told" in st.session_state:
        st.toast(state.escape(st.session_state.pop("told")))
