"""How images and reports lie in the space they share: asked for by a button, computed by the worker, kept for every checkpoint."""

from functools import partial
from pathlib import Path

import streamlit as st

from app import place, state, studies, work
from app.section import begin
from app.select import Selection
from workbench.analysis import towers
from workbench.analysis.catalogue import MEASURES
from workbench.analysis.towers import IMAGE, TEXT, Towers
from workbench.figures import towers as figures
from workbench.figures.theme import number
from workbench.figures.zeroshot import said
from workbench.run import Run

JOB, KEY, HEIGHT = "towers", "towers", 260
CLOSING = """Both towers' unit rows are moved towards each other along the difference of their means, so much of it in all, and normalised again, which brings a part of the gap back (Liang et al., 2022); prompts move with the reports. Recall: BCa over patients, the same text right for every study that has it. That two amounts differ is not tested."""


@st.cache_data(max_entries=64, show_spinner=False)
def read(folder: Path) -> Towers:
    """A result, which never changes."""
    return towers.read(folder)


def able(run: Run) -> bool:
    return {IMAGE, TEXT} <= set(run.status.get("features") or {})


@st.fragment
def section(root: Path, chosen: Selection) -> None:
    """Nothing for runs of one tower; until someone asks it is one button, so that the slider stays quick."""
    begun = begin(chosen, "How images and reports lie to each other", "Towers of", "towers_of", able)
    if begun is None:
        return
    run, name, step = begun
    if not studies.named(run, "towers"):
        return
    parameters = {"step": step}
    told = "Gap, cones, what the towers share, and the gap closed by quarters; the worker needs seconds for it"
    if folder := work.on_request(root, JOB, run, parameters, "Measure both towers", told, HEIGHT, KEY):
        draw(read(folder), folder, name, chosen.slots[run.id])


def draw(found: Towers, folder: Path, name: str, slot: int) -> None:
    """The sentence, the closing and every number."""
    st.markdown(f"**{state.escape(name)}** {state.escape(sentence(found))}")
    palette = place.palette()
    fig = place.kept((str(folder), slot, palette.name), lambda: figures.closing(found, palette.of(slot), palette))
    place.figure(fig, KEY, "What closing the gap does", CLOSING, partial(figures.rows, found))
    place.listing(figures.numbers(found))
    formulas = "\n".join(f"- **{each.name}**: {MEASURES[each.measure].formula}" for each in found.numbers)
    with st.container():
        place.details("towers_numbers", formulas, partial(figures.numbers, found))
    told = [f"no zero-shot: {found.why}"] if found.why else []
    told += [f"temperature {number(found.temperature)}"] if found.temperature is not None else []
    told += [f"{found.repeated} of {found.n} reports say what another says"] if found.repeated else []
    if told:
        st.caption(state.escape("; ".join(told)) + ".")


def sentence(found: Towers) -> str:
    """The gap, and what removing it does to retrieval and zero-shot."""
    first, last = found.moved[0], found.moved[-1]
    text = f"keeps images and reports {number(first.gap)} apart ({number(100 * found['share of the gap'])} % of their variance)"
    text += (
        f"; with the mean difference removed {number(last.gap)} are left, recall at 5 goes from {said(first.forth)} to {said(last.forth)}"
    )
    if first.auroc is not None and last.auroc is not None:
        text += f", zero-shot from {said(first.auroc)} to {said(last.auroc)}"
    return text + f". Chance of the recall is {number(found.chance[0])}."
