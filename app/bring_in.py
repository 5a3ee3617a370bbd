"""Weights or features one already has, made a run from the page Launch; and what became of every key of start weights."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from app import actions, place, state, work
from workbench import registry
from workbench.errors import UserError
from workbench.jobs import open_job, request_job
from workbench.run import Run
from workbench.run_files import read_json

JOB, REFUSED = "bring_in_job", "bring_in_refused"
FEATURES = (".npy", ".parquet")
PLAIN = "Weights: `.safetensors`, `.pth`, a folder of transformers or timm, or `timm:NAME`. Features: `.npy` or `.parquet`."
SHOWN = 400  # keys listed


def section(root: Path) -> None:
    """Where the file is, what it is of, and the button."""
    with st.expander("Weights or features you already have", key="bring_in"):
        st.caption(PLAIN)
        source = st.text_input("File, folder or timm:NAME", key="bring_source", max_chars=400)
        features = Path(source.strip()).suffix in FEATURES
        left, right = st.columns(2, gap="small")
        datasets = [*registry.names("data"), *actions.recipes()]
        if features:
            left.text_input("Keys, one a line (file)", key="bring_keys", max_chars=400)
            right.selectbox("Their data", [None, *datasets], key="bring_data", format_func=lambda each: each or "none")
        else:
            left.selectbox("Method", list(registry.names("methods")), key="bring_method")
            right.selectbox("Looked at with", datasets, key="bring_data_of")
        st.text_input(
            "Settings", key="bring_settings", max_chars=400, placeholder="method.image_size=224", help="key=value, apart by spaces"
        )
        st.button("Make it a run", key="bring_go", disabled=not source.strip(), on_click=ask, args=(root, features))
        if REFUSED in st.session_state:
            place.refused(st.session_state.pop(REFUSED))
        if JOB in st.session_state:
            came(root)


def ask(root: Path, features: bool) -> None:
    """The button's callback: a job of the worker, another one at every press."""
    held = st.session_state
    source = held["bring_source"].strip()
    parameters: dict[str, Any] = {"source": source, "asked": time.time_ns(), "settings": held["bring_settings"].split()}
    try:
        if not source.startswith("timm:"):
            parameters["source"] = str(actions.readable(source, "This file"))
        if features:
            keys = held["bring_keys"].strip()
            parameters |= {"data": held["bring_data"], "keys": str(actions.readable(keys, "These keys")) if keys else None}
        else:
            parameters |= {"method": held["bring_method"], "data": held["bring_data_of"]}
        held[JOB] = request_job(root, "bring_in", None, parameters).id
    except UserError as error:
        held[REFUSED] = str(error)


def came(root: Path) -> None:
    """What the worker made of it."""
    folder = work.shown(open_job(root, st.session_state[JOB]), 130, "bring_in_work")
    if folder is None:
        return
    found = read_json(folder / "imported.json")
    st.markdown(f"**{state.escape(found['run'])}** is there.")
    st.code(found["text"], language=None, height=180)
    st.page_link("pages/latent_space.py", label="Its latent space", icon=":material/hub:", query_params={"run": found["run"]})


def reports(runs: Mapping[Run, str]) -> None:
    """Under each run that began with given weights: how many keys matched, and every key with its shapes."""
    for run, name in runs.items():
        report = start_weights(run)
        if report:
            with st.expander(f"Start weights of {state.escape(name)}: {counted(report)}", key=f"weights.{run.id}"):
                told(report)


def start_weights(run: Run) -> dict[str, Any]:
    """The report in a run's provenance; empty where it began at random."""
    try:
        return run.provenance.get("init_from") or {}
    except UserError:
        return {}


def counted(report: Mapping[str, Any]) -> str:
    parts = []
    for part, found in report.items():
        matched = len(found["matched"]) + len(found.get("adapted", {}))
        parts.append(f"{'all' if part == '*' else part} from {Path(str(found.get('source', ''))).name or 'a file'}, {matched} keys fit")
    return state.escape("; ".join(parts))


def told(report: Mapping[str, Any]) -> None:
    """Every key with what became of it."""
    rows = [{"part": part, "key": key, "what": kind, "shape": shape_of(value)} for part, found in report.items()
            for kind in ("missing", "differing", "unused", "adapted", "matched") for key, value in found.get(kind, {}).items()]  # fmt: skip
    st.dataframe(rows[:SHOWN], hide_index=True, height=240, alt="Keys of the start weights")
    if len(rows) > SHOWN:
        st.caption(f"{len(rows) - SHOWN} more in provenance.json")


def shape_of(value: Any) -> str:
    """A shape, or from which to which it was brought, in words."""
    if isinstance(value, Mapping):
        return (
            f"{value['from']} to {value['to']}: {value['how']}"
            if "how" in value
            else f"expected {value['expected']}, found {value['found']}"
        )
    return str(value)
