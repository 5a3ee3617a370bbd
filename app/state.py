"""What the reader has chosen: kept in the session, mirrored in the URL, checked on the server.

The choice is the one truth. Widgets show it and change it through callbacks; a URL that differs from what was last written wins.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from app import navigation
from workbench.run import NAME, runs_root

CHOICE, WRITTEN, PAGE = "choice", "choice_written", "choice_page"
MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>$~:^=@&\"'])")


def escape(text: object) -> str:
    """Text from a run, a file or a URL, such that Markdown shows it letter by letter on one line."""
    return MARKDOWN.sub(r"\\\1", " ".join(str(text).split()))


def names(values: list[str]) -> list[str]:
    return [value for value in dict.fromkeys(values[:64]) if NAME.fullmatch(value)]


def name(values: list[str]) -> str | None:
    return values[-1] if NAME.fullmatch(values[-1]) else None


def step(values: list[str]) -> int | None:
    return int(values[-1]) if re.fullmatch(r"\d{1,12}", values[-1], re.ASCII) else None


def words(values: list[str]) -> str | None:
    text = values[-1][:200]
    return text if text and text.isprintable() else None


def several(values: list[str]) -> list[str]:
    return [text for text in dict.fromkeys(values[:64]) if words([text])]


def places(values: list[str]) -> str | None:
    """Whole numbers with dots between them, or `none`: that nothing is chosen is a choice, too."""
    return values[-1] if re.fullmatch(r"none|\d{1,4}(\.\d{1,4}){0,511}", values[-1], re.ASCII) else None


def mask(values: list[str]) -> str | None:
    return values[-1] if re.fullmatch(r"\d{1,3}\.[0-9a-f]{1,4096}", values[-1], re.ASCII) else None


CHECKS: dict[str, Callable[[list[str]], Any]] = {
    "run": names,
    "feature": name,
    "step": step,
    "sample": words,
    "film": step,
    "label": words,
    "query": words,
    "find": words,
    "k": step,
    "state": names,
    "metric": names,
    "start": words,
    "hide": name,
    "ratio": step,
    "seed": step,
    "mask": mask,
    "region": several,
    "split": name,
    "mode": name,
    "layer": step,
    "head": step,
    "patch": step,
    "prompt": words,
    "words": step,
    "hidden": places,
    "word": step,
    "fusion_layer": step,
    "fusion_head": step,
    "data": words,
    "stated": name,
    "listed": name,
    "against": name,
    "partner": name,
    "measure": name,
    "method": name,
    "colour": words,
    "points": name,
    "measures_of": name,
    "measured_in": words,
    "measured": name,
    "by_class": step,
    "directions_of": name,
    "direction": step,
    "map_of": name,
    "towers_of": name,
    "depth_of": name,
    "alike_of": name,
    "factors_of": name,
    "retrieval_of": name,
    "set": name,
    "set_skill_of": name,
}


def from_url() -> dict[str, Any]:
    """The part of the URL that is a choice, each value checked; what does not pass is as if it were absent."""
    found = {key: check(st.query_params.get_all(key)) for key, check in CHECKS.items() if st.query_params.get_all(key)}
    return {key: value for key, value in found.items() if value not in (None, [])}


def begin(page: str) -> None:
    """Reconcile choice and URL; once per script run, before the page. A page reached without a choice in its URL keeps the session's."""
    choice = st.session_state.setdefault(CHOICE, {})
    given = from_url()
    moved = st.session_state.get(PAGE) not in (None, page)
    if given != st.session_state.get(WRITTEN) and (given or not moved):
        choice.clear()
        choice.update(given)
    st.session_state[PAGE] = page
    write()


def root() -> Path:
    """The runs folder; every page asks for it first. Where Streamlit ran the page by itself, the whole app is run instead.

    It does so for the first address a fresh server is asked for, because of the folder's name `pages`, until `st.navigation` was called once.
    """
    if PAGE not in st.session_state:
        navigation.show()
        st.rerun()
    return runs_root()


def write() -> None:
    """Make the URL say what is chosen, and leave other parameters alone."""
    for key in CHECKS:
        value = st.session_state.get(CHOICE, {}).get(key)
        wanted = [] if value is None else [str(item) for item in value] if isinstance(value, list) else [str(value)]
        if st.query_params.get_all(key) != wanted:
            if wanted:
                st.query_params[key] = wanted
            else:
                del st.query_params[key]
    st.session_state[WRITTEN] = from_url()


def get(key: str) -> Any:
    """The chosen value under one of CHECKS, or None where nothing was chosen."""
    return st.session_state.get(CHOICE, {}).get(key)


def put(key: str, value: Any) -> None:
    """Choose `value` (None: back to the default) and write the URL."""
    choice = st.session_state.setdefault(CHOICE, {})
    if value is None:
        choice.pop(key, None)
    else:
        choice[key] = value
    write()


def follow(key: str, widget: str) -> Callable[[], None]:
    """A widget callback that makes the widget's value the choice under `key`."""
    return lambda: put(key, st.session_state[widget])


def url_of(**changes: Any) -> dict[str, Any]:
    """Query parameters of a link that keeps the choice but for `changes`."""
    choice = st.session_state.get(CHOICE, {}) | changes
    return {key: value if isinstance(value, list) else str(value) for key, value in choice.items() if value not in (None, [])}


def slots(run_ids: list[str]) -> dict[str, int]:
    """Run -> place in the series colours; a run keeps its place, on every page, as long as it stays selected."""
    held = {run: slot for run, slot in st.session_state.get("slots", {}).items() if run in run_ids}
    for run in run_ids:
        if run not in held:
            held[run] = min(set(range(len(run_ids) + 1)) - set(held.values()))
    st.session_state["slots"] = held
    return {run: held[run] for run in run_ids}
