"""The control row: which runs, which feature, which checkpoint, and the cell that redraws the page. The same on every page."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from app import buttons, keyboard, place, read, sets, state
from workbench import queries
from workbench.analysis.seeds import Arm
from workbench.queries import Query
from workbench.run import Run

NONE_YET = "none yet"
LOOKS = "looks"  # session key: run -> the looks its figures show; later ones wait until asked for


class Selection(NamedTuple):
    """What a page shows. `feature` is "" and `step` -1 where no chosen run has been looked at; `query` is the set of studies it obeys, if any."""

    runs: list[Run]
    feature: str
    step: int
    query: Query | None = None

    @property
    def arms(self) -> tuple[Arm, ...]:
        return read.grouped(self.runs)

    @property
    def slots(self) -> dict[str, int]:
        """Run -> place in the series colours, the same for all seeds of a setting."""
        held = self.arm_slots
        return {run.id: held[arm.label] for arm in self.arms for run in arm.runs}

    @property
    def labels(self) -> dict[str, str]:
        return {run.id: arm.label for arm in self.arms for run in arm.runs}

    @property
    def names(self) -> dict[Run, str]:
        """Run -> its setting's name, with the seed where the setting has several runs."""
        found = {
            run: arm.label if len(arm.runs) == 1 else f"{arm.label} · seed {run.config.get('seed', 0)}"
            for arm in self.arms
            for run in arm.runs
        }
        count = Counter(found.values())
        return {run: name if count[name] == 1 else f"{name} · {run.id[-4:]}" for run, name in found.items()}

    @property
    def shown(self) -> dict[str, list[int]]:
        """Run -> the looks its figures show."""
        return {run.id: shown_looks(run) for run in self.runs}

    @property
    def arm_slots(self) -> dict[str, int]:
        """Name of a setting -> place in the series colours."""
        return state.slots([arm.label for arm in self.arms])

    @property
    def looks(self) -> list[int]:
        """Steps at which any of the runs was looked at, as far as the page shows them."""
        return sorted({step for run in self.runs for step in shown_looks(run)})


def control_row(root: Path, cell: Callable[[Selection], str] | None = None) -> Selection:
    """Draw the row and return the choice; nothing is drawn where there is no run. `cell` writes the notebook cell of the page."""
    statuses = {status["id"]: status for status in read.statuses(root) if status["state"] != "damaged"}
    if not statuses:
        return Selection([], "", -1)
    saved = queries.names(root)
    widths = [3.3, 1.6, 2.7, 1.6, 1.3] if saved else [4.2, 1.7, 3.2, 1.3]
    wide, middle, slider, *among, last = st.columns(widths, vertical_alignment="bottom", gap="small")
    runs = choose_runs(wide, root, statuses)
    chosen = Selection(runs, choose_feature(middle, runs), -1)
    keyboard.listen(chosen.looks)
    chosen = chosen._replace(step=choose_step(slider, chosen.looks), query=sets.choose(among[0], root, saved) if among else None)
    if state.get("set") and not saved:
        st.caption(f"All studies are shown: no set {state.escape(state.get('set'))} is saved in this folder.")
    if cell and chosen.feature:
        with last:
            buttons.copy("‹› Notebook", cell(chosen), "Copies the notebook cell that redraws this page", "notebook")
    return chosen


def looked_into(root: Path, cell: Callable[[Selection], str], nothing: str) -> Selection:
    """The row of a page about looks, and the line of new ones; where there is no run, or none was looked at, that is said and the page ends.

    `nothing` is our own Markdown for a folder without runs.
    """
    chosen = control_row(root, cell)
    if not chosen.runs:
        place.empty(nothing, "workbench demo")
        st.stop()
    refresh_line(chosen.runs)
    if not chosen.feature:
        said = "**These runs have not been looked at.** The first look is written before the first step, unless `monitors.studies` is 0."
        place.empty(said)
        st.stop()
    return chosen


def labels(statuses: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Run -> what it is called on the page: name and seed, with the end of its identifier where that is not unique."""
    short = {run: f"{status.get('name') or status.get('method') or run} · seed {status.get('seed', 0)}" for run, status in statuses.items()}
    count = Counter(short.values())
    return {run: label if count[label] == 1 else f"{label} · {run[-4:]}" for run, label in short.items()}


def choose_runs(spot: Any, root: Path, statuses: dict[str, dict[str, Any]]) -> list[Run]:
    chosen = state.get("run")
    unknown = [run for run in chosen or [] if run not in statuses]
    if unknown:
        st.caption(f"Not in this folder: {state.escape(', '.join(unknown))}")
    kept = [run for run in chosen or [] if run in statuses]
    if chosen is None or (chosen and not kept):
        kept = default_runs(statuses)
    name = labels(statuses)
    st.session_state["row_runs"] = kept
    spot.multiselect("Runs", list(statuses), format_func=name.get, key="row_runs", on_change=state.follow("run", "row_runs"))
    return [read.run(root / run) for run in kept]


def default_runs(statuses: dict[str, dict[str, Any]]) -> list[str]:
    """The newest run that has features, else the newest that runs, else the newest; with the other settings of its seed and tags."""
    own = {run: status for run, status in statuses.items() if "reference" not in (status.get("tags") or [])} or statuses
    tests = (lambda status: status.get("features"), lambda status: status["state"] in ("running", "starting"), lambda status: True)
    newest = next(run for wanted in tests for run, status in own.items() if wanted(status))
    told = own[newest]
    beside = {str(told.get("name")): newest}
    for run, status in own.items():
        if told.get("tags") and status.get("features") and all(status.get(key) == told.get(key) for key in ("tags", "data", "seed")):
            beside.setdefault(str(status.get("name")), run)
    return sorted(list(beside.values())[:3])


def choose_feature(spot: Any, runs: Sequence[Run]) -> str:
    found = dict.fromkeys(feature for run in runs for feature, shape in run.status.get("features", {}).items() if shape == "b d")
    if not found:
        spot.selectbox("Feature", [NONE_YET], disabled=True, key="row_feature_none")
        return ""
    wanted = state.get("feature")
    preferred = [feature for feature in (wanted, "image.projected", "image.backbone") if feature in found]
    st.session_state["row_feature"] = preferred[0] if preferred else next(iter(found))
    spot.selectbox("Feature", list(found), key="row_feature", on_change=feature_chosen)
    return st.session_state["row_feature"]


def feature_chosen() -> None:
    """Another feature for the page, also where one section showed another."""
    state.put("measured_in", None)
    state.put("feature", st.session_state["row_feature"])


def choose_step(spot: Any, steps: Sequence[int]) -> int:
    if len(steps) < 2:
        spot.select_slider("Checkpoint (step)", [*map(str, steps), NONE_YET, "…"][:2], disabled=True, key="row_step_none")
        return steps[0] if steps else -1
    step = nearest(steps, state.get("step"))
    st.session_state["row_step"] = step
    spot.select_slider("Checkpoint (step)", list(steps), key="row_step", on_change=state.follow("step", "row_step"))
    return step


def nearest(steps: Sequence[int], wanted: int | None) -> int:
    """The last of the ascending `steps` not after `wanted`; the very last where nothing is wanted, the first where all are later."""
    if wanted is None:
        return steps[-1]
    before = [step for step in steps if step <= wanted]
    return before[-1] if before else steps[0]


def shown_looks(run: Run) -> list[int]:
    """The looks of a run that the figures show: those there were when it was first drawn, or last refreshed."""
    held = st.session_state.setdefault(LOOKS, {})
    if not held.get(run.id):
        held[run.id] = run.looks()
    return held[run.id]


def waiting_looks(runs: Sequence[Run]) -> int:
    """Looks written since the figures were drawn."""
    return sum(len(set(run.looks()) - set(shown_looks(run))) for run in runs)


def refresh_line(runs: Sequence[Run]) -> None:
    """The only thing on a page of figures that renews itself, and only while one of the runs trains."""
    trains = any(run.status["state"] in ("running", "starting", "queued") for run in runs)
    drawn = any(st.session_state.get(LOOKS, {}).get(run.id) for run in runs)
    st.fragment(count_looks, run_every=3 if trains else None)(runs, trains, drawn)


def count_looks(runs: Sequence[Run], trains: bool, drawn: bool = True) -> None:
    """How many looks wait, and the button that shows them; the first look of all is shown unasked, no figure can be disturbed by it."""
    if not drawn and any(run.looks() for run in runs):
        st.rerun()
    count = waiting_looks(runs)
    if count and st.button(f"{count} new look{'s' * (count != 1)}: show", type="tertiary", icon=":material/refresh:", key="show_looks"):
        for run in runs:
            st.session_state[LOOKS].pop(run.id, None)
        st.rerun()
    elif not count and trains:
        st.caption("Training goes on; no new looks yet")
