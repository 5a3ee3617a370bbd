"""The filters of the page Data, each a condition that a saved set is made of."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from app import sets, state, studies
from app.state import escape
from workbench import queries
from workbench.criteria import Where
from workbench.queries import Query
from workbench.tiles import SPLITS

STATES = {"present": "Present", "absent": "Absent"}


def split_and_finding(loaded: studies.Studies, spots: Sequence[Any]) -> list[Where]:
    """Filters of the split and of one finding."""
    split, label, present = spots
    found = []
    there = [name for name in SPLITS if len(loaded.dataset.split(name))]
    st.session_state["data_split"] = state.get("split") if state.get("split") in there else None
    wanted = split.segmented_control(
        "Split", there, key="data_split", format_func=SPLITS.get, on_change=state.follow("split", "data_split")
    )
    if wanted:
        found.append(Where(column="split", value=wanted))
    names = list(loaded.dataset.label_names)
    if names:
        st.session_state["data_label"] = state.get("label") if state.get("label") in names else None
        label.selectbox("Finding", names, key="data_label", placeholder="any", on_change=state.follow("label", "data_label"))
        chosen = st.session_state["data_label"]
        st.session_state["data_state"] = state.get("stated") if state.get("stated") in STATES else "present"
        present.segmented_control(
            "It is",
            list(STATES),
            key="data_state",
            required=True,
            format_func=STATES.get,
            disabled=chosen is None,
            on_change=state.follow("stated", "data_state"),
        )
        if chosen:
            found.append(Where(column=chosen, value=st.session_state["data_state"]))
    return found


def covariates(loaded: studies.Studies) -> list[Where]:
    """Filters of view, sex, age and words of the report, where the data set knows them."""
    known = {name: np.asarray(values) for name, values in loaded.dataset.covariates.items() if name in ("view", "sex", "age")}
    spots, found = st.columns([2.1, 1.5, 2.6, 2.6, 1.9], vertical_alignment="bottom", gap="small"), []
    for spot, name in zip(spots, ("view", "sex")):
        words = sorted({str(value) for value in known.get(name, ())} - {""})[:6]
        if len(words) > 1:
            picked = spot.pills(name.capitalize(), words, selection_mode="multi", key=f"data_{name}", format_func=escape)
            found += [Where(column=name, value=tuple(picked))] if picked else []
    ages = known.get("age")
    if ages is not None and np.isfinite(ages.astype(float)).any():
        ages = ages.astype(float)
        low, high = int(np.nanmin(ages)), int(np.ceil(np.nanmax(ages)))
        if low < high:
            youngest, oldest = spots[2].slider("Age", low, high, (low, high), key="data_age")
            found += [Where(column="age", op="at least", value=float(youngest))] if youngest > low else []
            found += [Where(column="age", op="at most", value=float(oldest))] if oldest < high else []
    if "text" in loaded.dataset.provides:
        said = spots[3].text_input("Report says", key="data_says", placeholder="pleural effusion", max_chars=200).strip()
        found += [Where(column="report", op="says", value=said)] if said else []
    return found


def among(loaded: studies.Studies, root: Path) -> Query | None:
    """The saved set the page obeys; how many of its studies are here is said."""
    there = queries.names(root)
    if not there:
        return None
    spot, told = st.columns([2.4, 8.3], vertical_alignment="bottom", gap="small")
    query = sets.choose(spot, root, there)
    if query:
        here = int(query.mask(loaded.dataset.keys).sum())
        other = "" if query.data_hash == loaded.dataset.data_hash else ", which was made of other data"
        told.caption(f"{here} of the {len(query)} studies of {escape(query.name)}{other} are here.")
    return query
