"""The control row: which runs, which feature, which checkpoint. The same on every page."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from app import keyboard, state
from workbench.run import Run, list_runs

NONE_YET = "none yet"


class Selection(NamedTuple):
    """What a page shows. `feature` is "" and `step` -1 where no chosen run has been looked at."""

    runs: list[Run]
    feature: str
    step: int


def control_row(root: Path, single: bool = False) -> Selection:
    """Draw the row and return the choice; `single` offers one run instead of several. Nothing is drawn where there is no run."""
    statuses = {status["id"]: status for status in list_runs(root) if status["state"] != "damaged"}
    if not statuses:
        return Selection([], "", -1)
    wide, middle, slider = st.columns([4, 2, 4], vertical_alignment="top", gap="medium")
    runs = choose_runs(wide, root, statuses, single)
    feature = choose_feature(middle, runs)
    steps = sorted({step for run in runs for step in run.looks()})
    keyboard.listen(steps)
    return Selection(runs, feature, choose_step(slider, steps))


def labels(statuses: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Run -> what it is called on the page: name and seed, with the end of its identifier where that is not unique."""
    short = {run: f"{status.get('name') or status.get('method') or run} · {status.get('seed', 0)}" for run, status in statuses.items()}
    count = Counter(short.values())
    return {run: label if count[label] == 1 else f"{label} · {run[-4:]}" for run, label in short.items()}


def choose_runs(place: Any, root: Path, statuses: dict[str, dict[str, Any]], single: bool) -> list[Run]:
    chosen = state.get("run")
    unknown = [run for run in chosen or [] if run not in statuses]
    if unknown:
        place.caption(f"Not in this folder: {state.escape(', '.join(unknown))}")
    kept = [run for run in chosen or [] if run in statuses]
    if chosen is None or (chosen and not kept):
        kept = [default_run(statuses)]
    name = labels(statuses)
    if single:
        st.session_state["row_run"] = kept[0] if kept else default_run(statuses)
        place.selectbox("Run", list(statuses), format_func=name.get, key="row_run", on_change=choose_one)
        kept = [st.session_state["row_run"]]
    else:
        st.session_state["row_runs"] = kept
        place.multiselect("Runs", list(statuses), format_func=name.get, key="row_runs", on_change=state.follow("run", "row_runs"))
    return [Run(root / run) for run in kept if run in statuses]


def choose_one() -> None:
    state.put("run", [st.session_state["row_run"]])


def default_run(statuses: dict[str, dict[str, Any]]) -> str:
    """The newest run that runs, else the newest that has features, else the newest."""
    for wanted in (lambda status: status["state"] in ("running", "starting"), lambda status: status.get("features"), lambda status: True):
        for run, status in statuses.items():
            if wanted(status):
                return run
    raise LookupError("no runs")


def choose_feature(place: Any, runs: Sequence[Run]) -> str:
    found = dict.fromkeys(feature for run in runs for feature, shape in run.status.get("features", {}).items() if shape == "b d")
    if not found:
        place.selectbox("Feature", [NONE_YET], disabled=True, key="row_feature_none")
        return ""
    wanted = state.get("feature")
    preferred = [feature for feature in (wanted, "image.projected", "image.backbone") if feature in found]
    st.session_state["row_feature"] = preferred[0] if preferred else next(iter(found))
    place.selectbox("Feature", list(found), key="row_feature", on_change=state.follow("feature", "row_feature"))
    return st.session_state["row_feature"]


def choose_step(place: Any, steps: Sequence[int]) -> int:
    if not steps:
        place.select_slider("Checkpoint (step)", [NONE_YET, "…"], disabled=True, key="row_step_none")
        return -1
    step = nearest(steps, state.get("step"))
    if len(steps) == 1:
        place.select_slider("Checkpoint (step)", [step, "…"], disabled=True, key="row_step_one")
        return step
    st.session_state["row_step"] = step
    place.select_slider("Checkpoint (step)", list(steps), key="row_step", on_change=state.follow("step", "row_step"))
    return step


def nearest(steps: Sequence[int], wanted: int | None) -> int:
    """The last of the ascending `steps` not after `wanted`; the very last where nothing is wanted, the first where all are later."""
    if wanted is None:
        return steps[-1]
    before = [step for step in steps if step <= wanted]
    return before[-1] if before else steps[0]
