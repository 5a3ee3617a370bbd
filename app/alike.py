"""The part of the page Latent space for methods with semantic targets: what the contrast wants of a batch and what its cosines are."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import streamlit as st

from app import place, state, studies, work
from app.select import Selection, nearest
from workbench.analysis import compared
from workbench.analysis.compared import Compared
from workbench.errors import UserError
from workbench.figures import compared as figures
from workbench.figures.theme import number
from workbench.run import Run

JOB, KEY, HEIGHT, STUDIES = "compared", "alike", 470, 48
WHAT = "The two vectors of the largest singular value say which images (left) and which reports (right) make up the strongest direction they share: even bars mean that all are alike, as at collapse, a few tall ones a group of studies."
FORMULA = """$M \\approx \\sigma_1 u v^\\top$: the best approximation of rank one. *targets*: softmax of the likeness of two studies by {source}, divided by the target temperature; rows sum to 1. *cosines*: of the projected whole images and reports; if all embeddings were equal, $\\sigma_1$ would be their number. The Medical-SVD of the form `svd_masked` raises $\\sigma_1$ of the cosines of pairs that match and lowers that of the others, each cut off at 0. Studies that are alike stand together; where several values are as large, the drawn pair is one choice of many."""


@st.cache_resource(max_entries=8, show_spinner=False)
def read(folder: Path) -> Compared:
    """A result, which never changes."""
    return compared.read(folder)


def able(run: Run) -> bool:
    return "Compares" in (run.status.get("capabilities") or [])


@st.fragment
def section(root: Path, chosen: Selection) -> None:
    """Nothing for other methods; until someone asks it is one button, so that the slider stays quick."""
    runs = {name: run for run, name in chosen.names.items() if able(run) and run.steps_of("snapshots")}
    if not runs:
        return
    st.markdown("##### What the contrast compares")
    name = work.one_of(runs, "Compared by", "alike_of")
    run = runs[name]
    parameters = {"step": nearest(run.steps_of("snapshots"), chosen.step if chosen.step >= 0 else None), "studies": STUDIES}
    told = f"Targets and cosines of {STUDIES} validation studies; the worker needs seconds for it"
    if folder := work.on_request(root, JOB, run, parameters, "Compare a batch", told, HEIGHT, KEY):
        draw(read(folder), folder, name, keys_of(run, read(folder)))


def keys_of(run: Run, found: Compared) -> Sequence[str] | None:
    """What studies may be called: their keys where the data is open; None where it is not, or not here."""
    try:
        loaded = studies.of_run(run)
    except (UserError, ImportError, KeyError, StopIteration):
        return None
    return found.keys if loaded and loaded.open else None


def draw(found: Compared, folder: Path, name: str, keys: Sequence[str] | None) -> None:
    """Two sentences and both matrices."""
    st.markdown(f"**{state.escape(name)}** {state.escape(sentence(found))} {WHAT}")
    told = FORMULA.format(source=found.source)
    rows, named, palette = tuple(keys or studies.hashed(found.keys)), None if keys is None else tuple(keys), place.palette()
    for spot, which in zip(st.columns(2, gap="medium"), ("targets", "cosines")):
        with spot:
            drawn = partial(figures.matrix, found, which, palette, named, HEIGHT)
            fig = place.kept((str(folder), which, palette.name, named is None), drawn)
            place.figure(fig, f"alike_{which}", figures.title(found, which), told, figures.rows(found, which, rows))


def sentence(found: Compared) -> str:
    """Cosines of pairs that match beside the others, and their largest singular value beside the untrained network's."""
    value, count = compared.top_pair(found.cosines).value, len(found.keys)
    pairs, others = found.mean(True), found.mean(False)
    said = f"gives pairs that match by {found.source} a mean cosine of {number(pairs)}, the others {number(others)}; the largest singular value of all is {number(value)} (untrained {number(found.untrained)}, all embeddings equal {count})."
    shares = f"Of the most it could be it is {number(found.share(True))} in the matching pairs, {number(found.share(False))} in the others."
    return f"{said} {shares} Step {found.step}, {count} validation studies, images whole."
