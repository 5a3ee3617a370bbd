"""Thumbnails of any selection, sorted by any column, over a hundred thousand images: only what is seen travels."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from app import place, studies
from workbench.errors import UserError
from workbench.exports import keys_csv
from workbench.tiles import Column, Tiles, known

PATIENCE = 0.5  # seconds for films that have no thumbnail yet; the rest of the window comes with the next question
HEIGHT = 560
SCRIPT = (Path(__file__).parent / "components" / "grid.js").read_text()
COMPONENT = st.components.v2.component("image_grid", js=SCRIPT)


def grid(
    key: str,
    keys: Sequence[str],
    columns: Mapping[str, Column] | None,
    loaded: studies.Studies | None,
    selected: str | None = None,
    on_pick: Callable[[str], None] | None = None,
    sort: str | None = None,
    descending: bool = False,
    height: int = HEIGHT,
    label: str = "",
) -> str | None:
    """Draw the grid of `keys`; returns the one that was clicked in this run, after `on_pick` was called with it.

    `columns` hold numbers, words or tuples of words (chips), one a key; None stands for what the data set knows of them (`columns_of`, to which a
    page adds scores), and the grid opens in the order of `sort`. `loaded` is the data set the films come from (None: no films). Scrolling and
    sorting run this part of the page alone, a click the whole page; `label` says above them what they are, else their number
    is; the grid is at most `height` pixels tall. Films of a set whose terms withhold them stay on the server, keys are hashed.
    """
    if not keys:
        st.caption("No image to show here.")
        return None
    allowed = loaded is not None and loaded.allowed != "nothing"
    if columns is None and loaded:
        columns = columns_of(loaded, keys)
    made = Tiles(loaded.dataset if loaded else None, keys, columns, allowed, loaded.places if loaded else None, sort, descending)
    clicked = st.session_state.pop(f"{key}_clicked", None)
    part(key, made, selected, on_pick, height, label)
    return clicked


def columns_of(loaded: studies.Studies, keys: Sequence[str]) -> dict[str, Column]:
    """Findings, view, age, sex and split of some studies, as columns; a key the data set does not have gets empty cells."""
    return known(loaded.dataset, np.array([loaded.places.get(key, -1) for key in keys], int))


def save(key: str, keys: Sequence[str], columns: Mapping[str, Column] | None, loaded: studies.Studies | None, spot: Any = st) -> None:
    """A button that saves the keys of a selection, and its columns, as CSV; hashed where the terms of the data set keep keys here."""
    spot.download_button(
        "Keys as CSV",
        lambda: keys_csv(loaded.dataset if loaded else None, keys, columns),
        "keys.csv",
        "text/csv",
        key=key,
        on_click="ignore",
        help=None if loaded and loaded.open else "Keys are hashed: the terms of this data set keep them here",
        width="stretch",
    )


@st.fragment
def part(key: str, made: Tiles, selected: str | None, on_pick: Callable[[str], None] | None, height: int, label: str) -> None:
    """What scrolling and sorting draw anew."""
    if f"{key}_clicked" in st.session_state:  # set by a click, taken by `grid`
        st.rerun()

    def take() -> None:
        picked = made.chosen(st.session_state[key].picked)
        if picked is not None:
            st.session_state[f"{key}_clicked"] = picked
            if on_pick:
                on_pick(picked)

    asked = st.session_state.get(key, {}).get("view")
    try:
        message = made.message(asked, selected, PATIENCE, height=height, label=label)
    except UserError as error:  # the cache cannot be written
        place.refused(error)
        return
    COMPONENT(key=key, data=message, on_view_change=lambda: None, on_picked_change=take)
