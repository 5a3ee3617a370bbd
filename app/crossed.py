"""The lower part of the page Attention for methods with a report: where a word looks, and which words a patch looks at."""

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from app import attend, place, state, studies, work
from workbench.analysis import crossing
from workbench.analysis.crossing import Crossing
from workbench.figures import crossing as figures
from workbench.figures.theme import number
from workbench.run import Run

HEIGHT = 430
WORD = """Row of $\\mathrm{softmax}(q k^\\top / \\sqrt d)$ of a word's tokens (their mean) on class token and patches of the image, in the fusion's layers of the text. Weights read, they do not conclude: a word may look where nothing is and still be told from the image by other layers."""
PATCH = """Row of the same softmax the other way: a patch on the tokens of the report, in the fusion's layers of the image; a word has the sum of its tokens. What is missing to 1 goes to the marks at the report's ends. The dotted line is equal attention on all words."""


def able(run: Run) -> bool:
    return "Crosses" in (run.status.get("capabilities") or [])


def section(root: Path, run: Run, name: str, step: int, image: dict[str, Any], loaded: studies.Studies | None, others: str) -> None:
    """Words and patches of one study; says why there are none."""
    if not able(run):
        st.caption(f"No words here: {state.escape(name)} has no attention between report and image. Methods that have: {others}.")
        return
    st.markdown("##### Words and patches")
    if loaded is None or not studies.has_report(loaded, image["study"]):
        studies.without_report(loaded)
        return
    folder = work.shown(work.ask(root, "crossing", run.id, {"step": step, "image": image}), HEIGHT, "crossing")
    if folder:
        draw(read(folder), name, studies.allowed(loaded))


@st.cache_resource(max_entries=8, show_spinner=False)
def read(folder: Path) -> Crossing:
    """A result, which never changes."""
    return crossing.read(folder)


def draw(found: Crossing, name: str, allowed: place.Allowed) -> None:
    """The sentence, the report to choose from, both figures with what chooses layer and head."""
    layer = attend.within("fusion_layer", found.layers, found.layers - 1) or 0
    head = attend.within("fusion_head", found.heads, None)
    word = attend.within("word", len(found.words), figures.sharpest(found, layer)) or 0
    patch = attend.within("patch", found.side**2, figures.clearest(found, layer, head, word)) or 0
    st.markdown(f"**{state.escape(name)}** {state.escape(sentence(found, layer, word if allowed != 'nothing' else None))}")
    if allowed != "nothing":
        choose_word(found, word)
    left, right = st.columns(2, gap="medium")
    with left:
        fig = figures.word(found, layer, head, word, patch, place.palette(), clickable=True)
        rows = figures.word_rows(found, layer, head, word)
        place.film(fig, "crossing_word", "The film under what one word of the report sees", WORD, rows, allowed, choose_patch)
        choose_head(found, layer, head)
    with right:
        fig, rows = (
            figures.patch(found, layer, head, patch, place.palette()),
            figures.patch_rows(found, layer, head, patch, allowed == "all"),
        )
        place.film(fig, "crossing_patch", "The words that one patch sees", PATCH, rows, allowed)


def choose_word(found: Crossing, word: int) -> None:
    """The report word by word; a click chooses one."""
    said = {number: state.escape(each) for number, each in enumerate(found.words)}
    st.session_state["crossing_words"] = word
    st.pills(
        "Choose a word of the report; a click on the film chooses a patch",
        list(said),
        key="crossing_words",
        format_func=said.get,
        on_change=put,
        args=("word", "crossing_words"),
    )


def choose_head(found: Crossing, layer: int, head: int | None) -> None:
    """Layer of the fusion and head."""
    first, second, third = st.columns([1.2, 1.2, 2.8], vertical_alignment="bottom", gap="small")
    st.session_state["crossing_layer"], st.session_state["crossing_head"] = layer, "mean" if head is None else head
    said = lambda each: each if each == "mean" else str(each + 1)  # noqa: E731
    first.selectbox(
        "Layer",
        range(found.layers),
        key="crossing_layer",
        format_func=said,
        on_change=put,
        args=("fusion_layer", "crossing_layer"),
    )
    second.selectbox(
        "Head", ["mean", *range(found.heads)], key="crossing_head", format_func=said, on_change=put, args=("fusion_head", "crossing_head")
    )
    with third:
        attend.opacity("crossing_word")


def put(key: str, widget: str) -> None:
    """Make a widget's number the choice; "mean" and nothing are the default."""
    value = st.session_state[widget]
    state.put(key, None if value in (None, "mean") else int(value))


def choose_patch() -> None:
    if given := attend.clicked("crossing_word"):
        state.put("patch", int(given[0]))


def sentence(found: Crossing, layer: int, word: int | None) -> str:
    """How widely words look beside the untrained network, and how widely the chosen one."""
    wide, before = float(np.median(found.spread(layer))), float(np.median(found.untrained[layer]))
    said = f"lets the median word of this report spread over {number(wide)} of {found.count} tokens of the image in layer {layer + 1} of the fusion (untrained {number(before)}, equal attention {found.count})."
    return said if word is None else f"{said} {figures.quoted(found, word)} spreads over {number(float(found.spread(layer)[word]))}."
