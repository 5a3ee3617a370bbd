"""The table of all runs: what stands in it, which rows are ticked, and the filters above it."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import streamlit as st

from app import read, state, words
from workbench.analysis.metrics import progress

COLUMNS = {
    "name": st.column_config.TextColumn("Name", width=150),
    "state": st.column_config.TextColumn("State", width=82),
    "progress": st.column_config.ProgressColumn("Progress", format="percent", min_value=0, max_value=1, width=95),
    "steps": st.column_config.TextColumn("Step", width=88),
    "loss": st.column_config.TextColumn("Loss", width=66),
    "method": st.column_config.TextColumn("Method", width=92),
    "data": st.column_config.TextColumn("Data", width=88),
    "seed": st.column_config.NumberColumn("Seed", format="%d", width=52),
    "created": st.column_config.DatetimeColumn("Created", format="MMM D, HH:mm", width=112),
    "tags": st.column_config.TextColumn("Tags", width=112),
    "id": st.column_config.TextColumn("Run", width=330),
}


def row(status: Mapping[str, Any]) -> dict[str, Any]:
    """One run as cells."""
    created = status.get("created")
    return {
        "name": status.get("name") or status.get("method") or status["id"],
        "state": status["state"],
        "progress": progress(status),
        "steps": f"{words.number(status.get('step', 0), 12)} of {words.number(status.get('steps', 0), 12)}",
        "loss": words.number((status.get("metrics") or {}).get("loss")),
        "method": status.get("method") or "",
        "data": ", ".join(status.get("data") or []),
        "seed": status.get("seed"),
        "created": datetime.fromtimestamp(created, UTC) if created else None,
        "tags": ", ".join(status.get("tags") or []),
        "id": status["id"],
    }


def filters(statuses: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Draw the search field and the states; returns the runs that pass both."""
    search, states, begin = st.columns([3, 5, 1.4], vertical_alignment="bottom", gap="small")
    st.session_state["search"] = state.get("query") or ""
    told = "Words of the name, method, data, tags or identifier; all must occur"
    search.text_input("Search", key="search", placeholder="Name, method, data, tag", on_change=follow_search, max_chars=200, help=told)
    present = [name for name in words.STATES if any(status["state"] == name for status in statuses)]
    chosen = [name for name in state.get("state") or [] if name in present]
    st.session_state["states"] = chosen
    states.pills("State", present, selection_mode="multi", key="states", on_change=state.follow("state", "states"))
    st.session_state["begin"] = begin.button("Start a run", icon=":material/play_arrow:", width="stretch", key="start")
    wanted = (state.get("query") or "").lower().split()
    return [status for status in statuses if (not chosen or status["state"] in chosen) and all(word in searched(status) for word in wanted)]


def follow_search() -> None:
    state.put("query", st.session_state["search"].strip() or None)


def searched(status: Mapping[str, Any]) -> str:
    """The text in which a search looks."""
    parts = [status["id"], status.get("name"), status.get("method"), *(status.get("data") or []), *(status.get("tags") or [])]
    return " ".join(str(part) for part in parts if part).lower()


def ticked(statuses: Sequence[Mapping[str, Any]]) -> list[str]:
    """Draw the table; returns the ticked runs, which are the choice of every page. Ticks follow a run when rows move."""
    ids = [status["id"] for status in statuses]
    held = [run for run in state.get("run") or [] if run in ids]
    key = "table_" + hashlib.sha256("\n".join(ids).encode()).hexdigest()[:10]
    st.dataframe(
        [row(status) for status in statuses],
        hide_index=True,
        height="content" if len(ids) <= 10 else 392,
        column_config=COLUMNS,
        key=key,
        on_select=lambda: tick(ids, st.session_state[key]["selection"]["rows"]),
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [ids.index(run) for run in held]}},
        alt="All runs with their status",
    )
    return held


def tick(ids: Sequence[str], rows: Sequence[int]) -> None:
    """Make the ticked rows the choice; chosen runs that a filter hides stay chosen."""
    hidden = [run for run in state.get("run") or [] if run not in ids]
    state.put("run", hidden + [ids[place] for place in rows if place < len(ids)])


@st.fragment(run_every=3)
def count_line(root: Path) -> None:
    """How many runs there are in which state: text that renews itself, and the button that renews the table."""
    now = read.statuses(root)
    said = words.count(status["state"] for status in now)
    left, right = st.columns([8, 2], vertical_alignment="center")
    left.caption(said)
    drawn = st.session_state.setdefault("counted", said)
    if drawn != said and right.button("Show the changes", type="tertiary", icon=":material/refresh:", key="recount"):
        st.session_state["counted"] = said
        st.rerun()
