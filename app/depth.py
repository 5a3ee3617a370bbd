"""What every block of the image tower gives: asked for by a button, computed by the worker, kept for every checkpoint."""

from functools import partial
from pathlib import Path

import streamlit as st

from app import place, state, work
from app.section import begin
from app.select import Selection
from workbench.analysis import depth
from workbench.analysis.depth import PROBE, Depth
from workbench.figures import across
from workbench.figures import depth as figures
from workbench.figures.theme import number

JOB, KEY, HEIGHT = "depth", "depth", 250
FORMULA = """After each block one vector an image: the mean over its tokens (class token left out) or over its map, and over the images of a study. *Directions in use*: $(\\sum_i \\lambda_i)^2 / \\sum_i \\lambda_i^2$ of the covariance's eigenvalues, delete-group jackknife over patients; blocks differ in width, so compare with the dotted isotropic cloud of the same N and width. *Offset*: $|\\bar z|^2 / \\overline{|z|^2}$. *Probe*: a ridge fitted on training studies; BCa over patients."""
ALIKE = """Debiased linear CKA of the same vectors (Kornblith et al., 2019; Nguyen, Raghu and Kornblith, 2021): 1 is the same up to rotation and scale; the value of rows paired at random stands under the mouse."""


@st.cache_data(max_entries=64, show_spinner=False)
def read(folder: Path) -> Depth:
    """A result, which never changes."""
    return depth.read(folder)


@st.fragment
def section(root: Path, chosen: Selection) -> None:
    """Nothing for runs without snapshots; until someone asks it is one button, so that the slider stays quick."""
    begun = begin(
        chosen, "Block by block through the image tower", "Tower of", "depth_of", lambda run: depth.kept(run, chosen.step) is not None
    )
    if begun is None:
        return
    run, name, step = begun
    told = "Rank, offset and probe after every block, beside the untrained tower; the worker needs seconds for it"
    parameters = {"step": depth.kept(run, step)}
    if folder := work.on_request(root, JOB, run, parameters, "Measure every block", told, HEIGHT, KEY):
        draw(read(folder), folder, name, chosen.slots[run.id])


def draw(found: Depth, folder: Path, name: str, slot: int) -> None:
    """The sentence, the panels and the likeness of the blocks."""
    st.markdown(f"**{state.escape(name)}** {state.escape(sentence(found))}")
    palette = place.palette()
    fig = place.kept((str(folder), slot, palette.name), lambda: figures.panels(found, palette.of(slot), palette))
    place.figure(fig, KEY, "Every block of the image tower", FORMULA, partial(figures.rows, found))
    fig = place.kept((str(folder), "alike", palette.name), lambda: figures.alike(found, palette))
    place.figure(fig, "depth_alike", "Which blocks see alike", ALIKE, partial(across.grid_rows, found.alike))
    if found.why:
        st.caption(f"No untrained tower beside it: {state.escape(found.why)}.")


def sentence(found: Depth) -> str:
    """Where the tower opens most directions and what is left of them at its end; where a probe reads most."""
    used, place = "participation_ratio", found.widest("participation_ratio")
    told = f"at step {found.step} spreads over {beside(found, place, used)} directions after block {found.stages[place].name}"
    if place + 1 < len(found.stages):
        told += f" and {beside(found, len(found.stages) - 1, used)} after the last"
    else:
        told += ", the last"
    if all(PROBE in each.numbers for each in found.stages):
        told += f". A probe reads most after block {found.stages[found.widest(PROBE)].name}: {beside(found, found.widest(PROBE), PROBE)}"
        told += "" if found.pixels is None else f", from pixels {number(found.pixels)}"
    return told + "."


def beside(found: Depth, place: int, statistic: str) -> str:
    """A number of a block with the untrained tower's behind it."""
    told = number(float(found.stages[place].numbers[statistic]))
    if found.untrained:
        told += f" (untrained {number(float(found.untrained[place].numbers[statistic]))})"
    return told
