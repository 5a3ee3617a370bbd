"""The page Map: studies as points, what is drawn around them, and the study under the pointer."""

from functools import partial
from pathlib import Path

import numpy as np
import streamlit as st

from app import place, points, state, studies, towers, work
from app.charted import PLAIN, Asked, shown
from app.grid import grid
from workbench import colouring, thumbnails
from workbench.analysis import trust
from workbench.analysis.polygon import inside
from workbench.analysis.projection import JOINT, Projection
from workbench.analysis.towers import Towers
from workbench.atlas import cloud_of
from workbench.cloud import Cloud, Films, Geometry, beside
from workbench.exports import public
from workbench.figures.projection import rows, shares
from workbench.jobs import describe_job
from workbench.queries import Query

FORMULA = """*PCA*: the two directions of largest variance of the centred features; axes keep their orientation over checkpoints. *UMAP*, *t-SNE*: who is near whom is kept, sizes of lumps and distances between them are not.
Trustworthiness falls with false neighbours, continuity with missing ones (Venna and Kaski, 2001; 1 is perfect), overlap is the share of neighbours kept; in brackets what a map at random gives.
Images and reports together: unit rows of both, images as circles, reports as diamonds. *gap*: from the images' mean to the reports'; closing it moves every report along it, which on a PCA is exact."""
KEY, CHANGED, LOOKED, HOVERED = "atlas", "atlas changed", "atlas box", "atlas hovered"
EDGE, MOST, PATIENCE = 96, 96, 0.5  # pixels of a film, films at once, seconds for those that have no thumbnail yet
SCORE = "Moves the reports along the gap in tenths and scores retrieval and zero-shot at each; the worker needs seconds"


def verdict(asked: Asked, found: Projection) -> None:
    """How far the picture can be trusted, and whether its lumps can be the data's."""
    said = trust.said(found.quality) or "Too few different points to measure how far this map can be trusted."
    place.verdict([(f"{asked.name}:", said)], shares(found), place.palette().of(asked.slot))


@st.fragment
def section(root: Path, asked: Asked, every: tuple[Projection, ...], saved: Query | None) -> None:
    """The map and a study beside it: a hover or a click runs this part again, what was drawn around something the whole page.

    A `saved` set is lit among the points until something is drawn.
    """
    if st.session_state.pop(CHANGED, False):
        st.rerun()
    found = shown(every, asked.step)
    left, right = st.columns([2.6, 1], gap="medium")
    with left:
        draw(cloud(root, asked, every), asked, found, saved.mask(found.keys) if saved else None)
        place.details(KEY, FORMULA, partial(rows, found, named(asked, found)), pictured=False)
        if asked.feature == JOINT and asked.method == "pca":
            score(root, asked)
    with right:
        beside_it(asked, found)


def cloud(root: Path, asked: Asked, every: tuple[Projection, ...]) -> Cloud:
    """The points as they are asked for."""
    walked = walk(root, asked)
    steps = tuple(each.step for each in every)
    open_ = asked.loaded is not None and asked.loaded.open
    key = (str(asked.run.path), asked.feature, asked.step, asked.last, asked.method, asked.colour, asked.name, steps, open_, walked is None)
    return put_together(key, asked, every, walked)


@st.cache_resource(max_entries=16, show_spinner=False)
def put_together(key: tuple, _asked: Asked, _every: tuple[Projection, ...], _walked: Towers | None) -> Cloud:
    """What `key` names, made once: a look never changes."""
    found, loaded, own = shown(_every, _asked.step), _asked.loaded, None
    if _asked.colour != PLAIN:
        stored = _asked.feature in _asked.run.geometry(_asked.step)
        z = _asked.run.embeddings(_asked.feature, found.step).features if stored else None
        own = colouring.of(loaded.dataset if loaded else None, found.keys, _asked.colour, z, found.xy)
    return cloud_of(found, _asked.title, own, named(_asked, found), _every, _walked)


def named(asked: Asked, found: Projection) -> list[str]:
    """Keys as they may be shown and saved."""
    return public(asked.loaded.dataset if asked.loaded else None, found.keys)


def walk(root: Path, asked: Asked) -> Towers | None:
    """What closing the gap gives, where somebody has asked for it."""
    if asked.feature != JOINT or asked.method != "pca":
        return None
    job = describe_job(root, towers.JOB, asked.run.id, {"step": asked.step})
    return towers.read(job.result) if job.done else None


def score(root: Path, asked: Asked) -> None:
    """Offer to score the closing of the gap, so that the slider under the map has numbers."""
    parameters = {"step": asked.step}
    if not describe_job(root, towers.JOB, asked.run.id, parameters).done:
        work.on_request(root, towers.JOB, asked.run, parameters, "Score the closing of the gap", SCORE, 120, "atlas_gap")


def draw(held: Cloud, asked: Asked, found: Projection, lit: np.ndarray | None) -> None:
    """The component, and beside its points what was chosen."""

    def changed(given: Geometry) -> None:
        st.session_state.pop(HOVERED, None)
        if given["kind"] == "lasso":
            st.session_state[CHANGED] = True
        else:
            state.put("sample", found.keys[given["row"]])

    def hovered(row: int) -> None:
        st.session_state[HOVERED] = found.keys[row]

    able = asked.loaded is not None and asked.loaded.allowed != "nothing"
    here = held.packed[1]["place"]
    looked = (lambda box: st.session_state.update({LOOKED: (here, box)})) if able else None
    points.points(KEY, held, changed, looked, hovered)
    polygon, sample = drawn(held), state.get("sample")
    chosen = found.keys.index(sample) if sample in found.keys else None
    count = int(inside(held.xy, polygon).sum()) if polygon else int(lit.sum()) if lit is not None else 0
    said = f"{count} of {held.n} points inside" if polygon else f"{count} of {held.n} points are in the set" if lit is not None else ""
    points.aside(KEY, beside(here, chosen, polygon, None if polygon else lit, said, films(asked, found, here)))


def polygon(root: Path, asked: Asked, every: tuple[Projection, ...]) -> list[list[float]]:
    """What was drawn on the map that is shown; none where nothing was."""
    return drawn(cloud(root, asked, every))


def drawn(held: Cloud) -> list[list[float]]:
    """The polygon that was drawn on this very map; none where nothing was, or it was wiped away."""
    kept = points.kept(KEY, held, "lasso")
    return kept["polygon"] if kept else []


def images(asked: Asked, query: Query) -> None:
    """The films of a set, to look through and to choose one from."""
    loaded = asked.loaded
    if loaded is None:
        return
    keys = [key for key in query.keys if key in loaded.places]
    label = f"{len(keys)} studies in this set. Click one to look at it."
    grid("atlas_grid", keys, None, loaded, state.get("sample"), lambda key: state.put("sample", key), label=label)


def films(asked: Asked, found: Projection, here: str) -> Films | None:
    """Thumbnails of the images in view, once the component asked for them."""
    held, loaded = st.session_state.get(LOOKED), asked.loaded
    if not held or held[0] != here or loaded is None or loaded.allowed == "nothing":
        return None
    (x0, y0, x1, y1), (x, y) = held[1], found.xy.T
    own = (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)
    if found.towers is not None:
        own &= np.arange(found.n) < found.n // 2
    places = np.flatnonzero(own)[:MOST]
    if not len(places):
        return None
    sheet = thumbnails.sheet(loaded.dataset, [found.keys[row] for row in places], EDGE, True, PATIENCE, loaded.places)
    there = (-1 if why == "pending" else int(row) for row, why in zip(places, sheet.why))
    return Films(tuple(there), sheet.image, sheet.across, EDGE, loaded.open)


def beside_it(asked: Asked, found: Projection) -> None:
    """The study the pointer rests on, else the one that was clicked, else what to do."""
    key = st.session_state.get(HOVERED) or state.get("sample")
    if asked.loaded and key:
        studies.card(asked.loaded, key)
    elif asked.loaded:
        st.caption("Click a point, or rest on one: its image and report appear here. Draw a lasso to see what some of them share.")
    elif asked.why:
        st.caption(f"No images or labels here: {state.escape(asked.why)}")
    else:
        studies.wait(asked.run)


def footer(asked: Asked, found: Projection) -> list[str]:
    """What the map rests on."""
    stored = found.quality
    n = found.n if found.towers is None else found.n // 2
    data = asked.loaded.dataset.data_hash[:8] if asked.loaded else ""
    return [
        f"{n} studies of {len(set(found.patients))} patients",
        f"quality over {stored.k} neighbours of {stored.n} points" if stored else "",
        f"data #{data}" if data else "",
        asked.run.id,
    ]
