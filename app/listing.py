"""The studies that pass the filters of the page Data: as images in a grid, or as a table; one of them is looked at."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from app import browse, buttons, cells, state, studies
from app.grid import grid, save
from workbench.tiles import known

WAYS = {"images": "Images", "table": "Table"}
LISTED = 300  # studies in the table


def choose(chosen: browse.Chosen) -> str | None:
    """Draw the studies that pass; returns the key of the one that is looked at."""
    loaded, rows = chosen.loaded, chosen.rows
    keys = [loaded.dataset.keys[row] for row in rows]
    looked = state.get("sample") if state.get("sample") in loaded.places else keys[0] if keys else None
    way, saved, notebook = st.columns([2.2, 1.3, 1.3], vertical_alignment="center", gap="small")
    st.session_state["data_listed"] = state.get("listed") if state.get("listed") in WAYS else "images"
    way.segmented_control(
        "Studies as",
        list(WAYS),
        key="data_listed",
        required=True,
        format_func=WAYS.get,
        label_visibility="collapsed",
        on_change=state.follow("listed", "data_listed"),
    )
    columns = known(loaded.dataset, rows)
    save("data_keys", keys, columns, loaded, saved)
    with notebook:
        told = cells.data(chosen.config, looked if loaded.open else None)
        buttons.copy("‹› Notebook", told, "Copies the notebook cell that redraws this page", "notebook")
    patients = len({loaded.dataset.patients[row] for row in rows})
    passing = f"{len(keys)} studies of {patients} patients pass."
    if st.session_state["data_listed"] == "images":
        grid(
            "data_grid",
            keys,
            columns,
            loaded,
            looked,
            lambda key: state.put("sample", key),
            label=f"{passing} Click one to look at it.",
        )
    else:
        table(chosen)
        st.caption(f"The first {LISTED} of {passing}" if len(keys) > LISTED else f"{passing} Tick one to look at it.")
    return looked


def table(chosen: browse.Chosen) -> None:
    """The first of the studies that pass, with one to be ticked."""
    rows = chosen.rows[:LISTED]
    keys = [chosen.loaded.dataset.keys[row] for row in rows]
    shown = keys if chosen.loaded.open else studies.hashed(keys)
    told = known(chosen.loaded.dataset, rows)
    listed = [{"Study": shown[place], **{name: said(values[place]) for name, values in told.items()}} for place in range(len(rows))]
    at = keys.index(state.get("sample")) if state.get("sample") in keys else None
    key = f"data_table_{len(chosen.rows)}_{hash((st.session_state['data_of'], *keys[:3]))}"
    st.dataframe(
        listed,
        hide_index=True,
        height=560,
        key=key,
        column_order=("Study", "Split", "View", "Age", "Sex", "Findings"),
        selection_mode="single-row",
        selection_default={"selection": {"rows": [] if at is None else [at]}},
        on_select=lambda: pick(keys, st.session_state[key]["selection"]["rows"]),
        alt="Studies that pass the filters",
    )


def said(value: Any) -> str:
    """A value as a cell of the table."""
    if isinstance(value, tuple):
        return ", ".join(value)
    number = isinstance(value, int | float | np.number)
    return "" if number and not np.isfinite(float(value)) else f"{float(value):.0f}" if number else str(value)


def pick(keys: Sequence[str], rows: Sequence[int]) -> None:
    """Look at the ticked study."""
    state.put("sample", keys[rows[0]] if rows and rows[0] < len(keys) else None)
