"""Saved sets of studies in the app: which one the pages obey, how one is saved, combined, exported and taken off the list."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from app import dialogs, state, studies, words
from app.grid import save as save_keys
from app.state import escape
from workbench import queries
from workbench.errors import UserError
from workbench.queries import Query

NONE, ICON = "all studies", ":material/bookmark_add:"
COMBINE = {"and": "in both", "or": "in either", "minus": "in the first, not in the second"}


@st.cache_resource(max_entries=32, show_spinner=False)
def read(path: Path, changed: int) -> Query:
    """A saved set, as its file is."""
    return queries.load(path.stem, path.parent.parent)


def load(root: Path, name: str) -> Query:
    """A saved set; raises UserError where there is none, or it is damaged."""
    path = queries.path_of(root, name)
    return read(path, path.stat().st_mtime_ns) if path.is_file() else queries.load(name, root)


def choose(spot: Any, root: Path, there: Sequence[str]) -> Query | None:
    """Draw which set the page obeys; None: all studies. A set that is not there, or cannot be read, is said."""
    wanted = state.get("set")
    st.session_state["row_set"] = wanted if wanted in there else NONE
    told = "A saved set of studies: pages show what it is and look at its studies alone. Sets are made on Map, Retrieval and Data."
    spot.selectbox("Set", [NONE, *there], key="row_set", on_change=follow, help=told)
    if not wanted:
        return None
    try:
        return load(root, wanted)
    except UserError as error:
        st.caption(f"All studies are shown: {escape(error)}")
        return None


def follow() -> None:
    """The widget's value is the choice."""
    chosen = st.session_state["row_set"]
    state.put("set", None if chosen == NONE else chosen)


def save(query: Query, key: str) -> None:
    """A field for a name and the button that keeps the set under it and makes every page obey it; what was refused is said in its place."""
    refused = dialogs.REFUSED in st.session_state
    dialogs.told()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input("Name of this set", key=f"{key}_name", max_chars=121, placeholder="a-name", width=260)
        pressed = st.button("Save as a set", key=f"{key}_save", icon=ICON, on_click=keep, args=(query, key), disabled=not len(query))
    if pressed and not refused:
        st.rerun()  # the whole page: every part of it obeys the set
    if not len(query):
        st.caption("Nothing is in it: there is nothing to save.")


def keep(query: Query, key: str) -> None:
    """Save under the typed name; the name is checked here."""
    name = str(st.session_state.get(f"{key}_name") or "").strip()
    dialogs.act(kept, query, name)


def kept(query: Query, name: str) -> str:
    query.save(name)
    state.put("set", name)
    return f"Saved: {name}, {len(query)} studies; every page now obeys it"


def exported(query: Query, loaded: studies.Studies | None, key: str) -> None:
    """The keys as CSV: hashes where the data may not be passed on, or is not known here."""
    same = loaded is not None and loaded.dataset.data_hash == query.data_hash
    save_keys(f"{key}_csv", query.keys, None, loaded if same else None)


def shelf(root: Path) -> None:
    """All saved sets: what each holds, a combination of two, and taking one off the list."""
    there = queries.names(root)
    if not there:
        return
    found, damaged = [], []
    for name in there:
        try:
            found.append(load(root, name))
        except UserError as error:
            damaged.append(str(error))
    dialogs.told()
    st.markdown("##### Saved sets")
    rows = [
        {"Set": each.name, "Studies": len(each), "Chosen by": each.told, "Made": words.clock(each.created), "Data": each.data_hash[:8]}
        for each in found
    ]
    if rows:
        st.dataframe(rows, hide_index=True, alt="Saved sets", height="content" if len(rows) <= 6 else 246)
    for each in damaged:
        st.caption(escape(each))
    first, how, second, named, go, off = st.columns([2, 2.2, 2, 2, 1.3, 1.3], vertical_alignment="bottom", gap="small")
    names = [each.name for each in found]
    if len(names) > 1:
        a = first.selectbox("Studies of", names, key="sets_a")
        kind = how.selectbox("that are", list(COMBINE), key="sets_how", format_func=COMBINE.get)
        b = second.selectbox("and", [each for each in names if each != a], key="sets_b")
        named.text_input("Name", key="sets_new_name", max_chars=121)
        go.button("Combine", key="sets_combine", on_click=combine, args=(root, a, kind, b), width="stretch")
    with off:
        if st.button("Remove a set", key="sets_remove", icon=":material/delete:", width="stretch"):
            remove(root, there)


def combine(root: Path, a: str, kind: str, b: str) -> None:
    """Save the combination of two sets under the typed name."""
    dialogs.act(combined, root, a, kind, b, str(st.session_state.get("sets_new_name") or "").strip())


def combined(root: Path, a: str, kind: str, b: str, name: str) -> str:
    one, other = load(root, a), load(root, b)
    made = {"and": one.__and__, "or": one.__or__, "minus": one.__sub__}[kind](other)
    if not len(made):
        raise UserError(f"no study is {COMBINE[kind]}: nothing was saved")
    return kept(made, name)


@st.dialog("Remove a set")
def remove(root: Path, there: Sequence[str]) -> None:
    """Asks once; the file is moved, not deleted."""
    name = st.selectbox("Set", there, key="sets_off")
    st.write(f"Take it off the list? Its file stays in the runs folder, under {queries.FOLDER}/{queries.KEPT}.")
    yes, no = st.columns(2)
    pressed = yes.button("Remove it", type="primary", width="stretch", key="sets_off_go", on_click=dialogs.act, args=(removed, root, name))
    if no.button("Keep", width="stretch", key="sets_off_keep") or pressed:
        st.rerun()


def removed(root: Path, name: str) -> str:
    queries.delete(name, root)
    if state.get("set") == name:
        state.put("set", None)
    return f"{name} is off the list; its file was kept"


def unobeyed(query: Query | None) -> None:
    """Say that a page compares all studies, whatever the set."""
    if query:
        st.caption(
            f"Runs are compared over all studies, not over the set {escape(query.name)} alone: Latent space and Map show what it is."
        )
