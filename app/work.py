"""Work that leaves the page: asked of the worker, waited for without blocking, shown when it is whole."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import streamlit as st

from app import place, state
from workbench.errors import UserError
from workbench.ingest.decode import decode
from workbench.jobs import OPEN, Job, describe_job, request_job, write_upload
from workbench.run import Run, read_json

POLL = 0.15  # seconds between looks at a job
EDGE = 512  # pixels an uploaded image is brought to; every method resizes it further


def ask(root: Path, name: str, run_id: str | None, parameters: Mapping[str, Any]) -> Job:
    """The job of these parameters, asked of the worker where its result is not there; one that failed or was cancelled waits for `Try again`."""
    job = describe_job(root, name, run_id, parameters)
    if job.done or (job.folder / "request.json").is_file():
        return job
    return request_job(root, name, run_id, parameters)


def one_of(runs: Mapping[str, Run], label: str, key: str, spot: Any = st) -> str:
    """The name of the run a part of a page is about; a choice is drawn at `spot` where there are several, and stands in the address under `key`."""
    if len(runs) == 1:
        return next(iter(runs))
    held = {run.id: name for name, run in runs.items()}
    name = held.get(state.get(key) or "", next(iter(runs)))
    st.session_state[key] = name
    choose = lambda: state.put(key, runs[st.session_state[key]].id)  # noqa: E731
    spot.segmented_control(label, list(runs), required=True, key=key, format_func=state.escape, on_change=choose)
    return name


def on_request(
    root: Path, name: str, run: Run, parameters: Mapping[str, Any], button: str, told: str, height: int, key: str
) -> Path | None:
    """The folder of a result that is computed when somebody presses `button`; until then that button, then what `shown` draws.

    So that the slider stays quick: a checkpoint nobody asked about costs nothing.
    """
    job = describe_job(root, name, run.id, parameters)
    if not job.done and not (job.folder / "request.json").is_file():
        asked = (root, name, run.id, parameters)
        st.button(button, key=f"{key}_ask", icon=":material/play_arrow:", help=told, on_click=ask, args=asked)
        return None
    return shown(ask(root, name, run.id, parameters), height, key)


def shown(job: Job, height: int, key: str) -> Path | None:
    """The folder of the result when it is whole; until then a skeleton of this height with progress and Cancel, which renews itself."""
    if job.done:
        return job.result
    status = job.status()
    if status["state"] in OPEN:
        wait(job, height, key)
        return None
    with st.container(border=True, height=height):
        if status["state"] == "failed":
            place.refused(status["error"])
        else:
            st.caption("Cancelled: nothing was computed.")
        st.button("Try again", key=f"{key}_again", on_click=again, args=(job,))
    return None


def again(job: Job) -> None:
    """Ask once more for a job that failed or was cancelled."""
    request_job(job.root, job.name, job.run, read_json(job.folder / "request.json")["parameters"])


@st.fragment(run_every=POLL)
def wait(job: Job, height: int, key: str) -> None:
    """Runs again by itself until the job has ended, then runs the page."""
    status = job.status()
    if status["state"] not in OPEN:
        st.rerun()
    with st.container(border=True, height=height, key=f"{key}_waits"):
        told = status["message"] or ("waits for the worker" if status["state"] == "waiting" else "at work")
        st.progress(min(1.0, float(status["progress"])), state.escape(told))
        st.button("Cancel", key=f"{key}_cancel", type="tertiary", icon=":material/close:", on_click=job.cancel)


def upload(root: Path, file: BinaryIO | None) -> str | None:
    """Identifier of an uploaded PNG or JPEG, kept grey beside the jobs; None where there is none or it was refused, which is then said."""
    if file is None:
        return None
    try:
        return write_upload(root, decode(file, getattr(file, "name", "this upload"), EDGE, "pad").array)
    except UserError as error:
        place.refused(error)
        return None
