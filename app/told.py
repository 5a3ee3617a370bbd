"""The lower part of the page Reconstruction for methods that read reports: the same patches without the report, and hidden words filled in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from app import place, reconstruct, state, studies, work
from workbench.analysis import filling, reconstruction
from workbench.analysis.filling import EMPTY, IMAGE, OTHER, Filled
from workbench.analysis.reconstruction import Reconstruction
from workbench.figures import filling as figures
from workbench.figures import reconstruction as films
from workbench.figures.theme import number
from workbench.run import Run

SHARE, HEIGHT = 30, 330  # % of the tokens hidden at first
NONE = "none"  # in the address: every word is shown
HIDDEN_OF = "hidden words of"  # session key: the study whose words were clicked
FORMULA = """Probability of a hidden token: softmax over the vocabulary of {vocabulary} tokens, all hidden tokens behind the mask token at once. Whole words are hidden; ## begins a token that goes on with the word before it. *surprise*: mean of $-\\ln p$ of the hidden tokens in nats; one who knows nothing has {level}.
{conditions}"""


def able(run: Run) -> bool:
    return "FillsWords" in (run.status.get("capabilities") or [])


def section(
    root: Path, run: Run, name: str, step: int, image: dict[str, Any], mask: Mapping[str, Any], with_it: Reconstruction | None,
    loaded: studies.Studies | None,
) -> None:  # fmt: skip
    """What the report is worth for the patches and the image for the words, of one run."""
    st.markdown(f"##### {state.escape(name)}: report and image beside each other")
    if loaded is None or not studies.has_report(loaded, image["study"]):
        studies.without_report(loaded)
        return
    allowed = studies.allowed(loaded)
    if with_it:
        patches(root, run, step, image, mask, with_it, allowed)
    words(root, run, step, image, allowed)


def patches(
    root: Path, run: Run, step: int, image: Mapping[str, Any], mask: Mapping[str, Any], told: Reconstruction, allowed: place.Allowed
) -> None:
    """The hidden patches painted with and without the report."""
    asked = {"steps": [step], "image": image, "mask": mask, "report": False}
    folder = work.shown(work.ask(root, "reconstruction", run.id, asked), 290, f"untold_{run.id}")
    if folder:
        untold = reconstruction.read(folder)[0]
        fig, rows = films.beside(told, untold, place.palette()), films.beside_rows(told, untold)
        place.film(fig, f"untold_films_{run.id}", films.beside_title(told, untold), reconstruct.told(told), rows, allowed)


def words(root: Path, run: Run, step: int, image: Mapping[str, Any], allowed: place.Allowed) -> None:
    """Hidden words with the image and without."""
    left, right = st.columns([1, 4.4], gap="medium")
    with left:
        hide = choose(str(image["study"]))
    with right:
        folder = work.shown(work.ask(root, "filling", run.id, {"step": step, "image": image, "hide": hide}), HEIGHT, f"filling_{run.id}")
        if not folder:
            return
        found = filling.read(folder)
        st.markdown(state.escape(sentence(found)))
    if allowed != "nothing":
        click(found, run)
    formula = FORMULA.format(
        vocabulary=found.vocabulary, level=f"ln v = {number(found.level)}", conditions=figures.legend(found.conditions)
    )
    fig = figures.words(found, place.palette())
    place.film(fig, f"words_{run.id}", figures.title(found), formula, figures.rows(found, spelt=allowed == "all"), allowed)


def choose(study: str) -> dict[str, Any]:
    """What is hidden: a share of the tokens under the page's draw, or the words that were clicked of this study's report."""
    st.session_state["word_share"] = min(100, SHARE if state.get("words") is None else state.get("words"))
    st.slider(
        "Hidden words, %", 0, 100, key="word_share", on_change=draw_anew, help="Drawn by the number above; a click on a word changes it"
    )
    held = state.get("hidden")
    if held is not None and st.session_state.setdefault(HIDDEN_OF, study) != study:
        state.put("hidden", None)
        held = None
    if held is None:
        st.session_state.pop(HIDDEN_OF, None)
        return {"ratio": st.session_state["word_share"] / 100, "seed": state.get("seed") or 0}
    return {"words": places(held)}


def notebook() -> str:
    """The same as arguments of a notebook's call."""
    share, held = SHARE if state.get("words") is None else min(100, state.get("words")), state.get("hidden")
    return f"{share / 100}, seed={state.get('seed') or 0}" if held is None else repr(places(held))


def places(held: str) -> list[int]:
    """Numbers of words from an address."""
    return [] if held == NONE else sorted({int(each) for each in held.split(".")})


def draw_anew() -> None:
    """Another share: what was clicked no longer counts."""
    state.put("hidden", None)
    state.put("words", st.session_state["word_share"])


def click(found: Filled, run: Run) -> None:
    """The report word by word; the hidden ones are marked, a click hides or shows one."""
    key = f"hidden_words_{run.id}"
    st.session_state[key] = list(found.hidden_words)
    said = {number: state.escape(word) for number, word in enumerate(found.spelt)}
    st.pills(
        "The report; marked words are hidden, a click hides or shows one",
        list(said),
        selection_mode="multi",
        key=key,
        format_func=said.get,
        on_change=lambda: state.put("hidden", ".".join(map(str, st.session_state[key])) or NONE),
    )


def sentence(found: Filled) -> str:
    """How many words are right with the image and without, and what that rests on."""
    if not found.hidden:
        return "No word is hidden: nothing is filled in. Hide some."
    right = {name: int(found.right(name).sum()) for name in found.conditions}
    own, empty, count = right[IMAGE], right[EMPTY], len(found.hidden)
    other = f", {right[OTHER]} beside another's image" if OTHER in right else ""
    said = f"{own} of {count} hidden tokens are filled in right beside the image, {empty} beside an empty film{other}."
    surprise = (
        f"The surprise is {number(found.surprise(IMAGE))} nats beside the image and {number(found.surprise(EMPTY))} beside the empty film"
    )
    return f"{said} {surprise} (one who knows nothing: {number(found.level)}). One report says little."
