"""The page Data: which data set, which of its studies pass the filters, one of them beside the table, and what the whole holds."""

import json
import time
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from app import actions, filters, place, read, state, studies
from app.state import escape
from workbench import resolving
from workbench.analysis import prevalence
from workbench.criteria import Both, Where
from workbench.dataset import Sample, masks_of
from workbench.errors import UserError
from workbench.figures import prevalence as figures
from workbench.ingest.card import card
from workbench.queries import Query
from workbench.tiles import SPLITS

GALLERY = {"name": "phantoms", "level": "teaching", "size": 128, "train": 300, "val": 100, "test": 100}  # rendered in seconds
CLINIC = {"name": "phantoms", "size": 128, "train": 120, "val": 40, "test": 40, "films": "study", "reports": "radiologists"}
NEWEST = 40  # runs whose data sets are offered
SHARES = "Studies in which a label is present, of those that state it. Interval: Wilson (1927) at the effective number of studies, clustered by patient."
PAIRS = "Row and column: of the studies in which the row's label is present and the column's is stated, the share in which the column's is present too. Last row: of all studies that state it."


class Chosen(NamedTuple):
    """A data set and the rows of it that pass the filters."""

    loaded: studies.Studies
    config: dict[str, Any]
    rows: np.ndarray
    wanted: tuple[Where, ...]
    query: Query | None

    @property
    def as_query(self) -> Query | None:
        """What passes, as a set; None where nothing is filtered, or nothing but by a saved set."""
        if not self.wanted:
            return None
        parts = (*self.wanted, *([self.query.expression] if self.query else []))
        dataset = self.loaded.dataset
        keys = tuple(dataset.keys[row] for row in self.rows)
        expression = parts[0] if len(parts) == 1 else Both(parts=parts)
        return Query(expression, self.config, dataset.data_hash, keys, state.root(), created=time.time())


@st.cache_data(ttl=20, max_entries=4, show_spinner=False)
def sources(root: Path) -> dict[str, dict[str, Any]]:
    """What may be looked at, by what it is called: the data of the newest runs, a few large phantoms, the data of the recipes."""
    found: dict[str, dict[str, Any]] = {}
    for status in [each for each in read.statuses(root) if each["state"] != "damaged"][:NEWEST]:
        for name, each in (read.run(root / status["id"]).config.get("data") or {}).items():
            add(found, called(name, each["config"]), each["config"])
    for each in (GALLERY, CLINIC):
        add(found, called(str(each["name"]), each), each)
    for recipe in actions.recipes():
        for name, each in actions.recipe(recipe)[1].get("data", {}).items():
            add(found, called(name, each["config"]), each["config"])
    return found


def add(found: dict[str, dict[str, Any]], name: str, config: dict[str, Any]) -> None:
    """Equal data sets stand once; others of one name are told apart by a number."""
    if config not in found.values():
        number = 1 + sum(each == name or each.startswith(f"{name}, ") for each in found)
        found[name if number == 1 else f"{name}, {number}"] = config


def called(name: str, config: Mapping[str, Any]) -> str:
    """`phantoms · teaching 32 px · 3000 studies`."""
    size = f"{config['size']} px" if "size" in config else ""
    count = sum(int(config.get(split) or 0) for split in SPLITS)
    parts = (name, " ".join(filter(None, (config.get("level"), size))), f"{count} studies" if count else "")
    return " · ".join(part for part in parts if part)


def choose(root: Path) -> Chosen | None:
    """Draw the control row; None where the data set is loading or cannot be, which is then said."""
    known = sources(root)
    which, split, label, present = st.columns([3.4, 2.3, 1.9, 2.0], vertical_alignment="bottom", gap="small")
    st.session_state["data_of"] = state.get("data") if state.get("data") in known else next(iter(known))
    which.selectbox("Data set", list(known), key="data_of", on_change=state.follow("data", "data_of"))
    config = known[st.session_state["data_of"]]
    try:
        loaded = studies.of_config(config)
    except (UserError, ImportError, KeyError) as error:
        place.empty(f"**This data set cannot be read here**: {escape(error)}")
        return None
    if loaded is None:
        studies.wait_for(config)
        return None
    wanted = [*filters.split_and_finding(loaded, (split, label, present)), *filters.covariates(loaded)]
    try:
        passing = [resolving.filtered(loaded.dataset, each) for each in wanted]
    except UserError as error:
        place.refused(error)
        passing = []
    if query := filters.among(loaded, root):
        passing.append(query.mask(loaded.dataset.keys))
    rows = np.flatnonzero(np.all(passing, axis=0)) if passing else np.arange(len(loaded.dataset))
    return Chosen(loaded, config, rows, tuple(wanted), query)


@st.fragment
def study(chosen: Chosen, key: str) -> None:
    """One study: its films with boxes and masks as the reader wants them, its report, its labels."""
    loaded = chosen.loaded
    if loaded.allowed == "nothing":
        studies.ask(loaded)
        return
    sample: Sample = loaded.dataset[loaded.places[key]]
    every = [masks_of(sample, number) for number in range(len(sample["images"]))]
    masks = {name: True for own in every for name, held in own.items() if held.any()}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        boxed = st.toggle("Boxes", True, key="data_boxes", disabled=not sample.get("boxes"))
        said = st.toggle(
            "Mentions",
            True,
            key="data_mentions",
            disabled="entities" not in sample,
            help="Underlined: said to be there. Wavy: may be there. Dotted: denied.",
        )
        drawn = st.pills("Outlines", list(masks), selection_mode="multi", key=f"data_masks_{key}", format_func=escape) if masks else []
    present = studies.present_in(loaded, sample)
    for number, image in enumerate(sample["images"][:4]):
        boxes = [box for box in sample.get("boxes", []) if boxed and box.get("image", 0) == number and box.get("label") in present]
        outlines = [every[number][name] for name in drawn if name in every[number]]
        st.image(studies.picture(image, boxes, outlines), alt=f"Image {number + 1} of {key}", width=studies.WIDTH)
    studies.words(loaded, sample, key, sample.get("entities", ()) if said else ())
    asked = sample.get("questions", ())
    if asked:
        below = st.popover(f"{len(asked)} questions about it", type="tertiary", key=f"data_questions_{key}", on_change="rerun")
        if below.open:
            with below:
                place.listing([{"question": each["question"], "answer": each["answer"], "kind": each["answer_type"]} for each in asked])


def totals(chosen: Chosen) -> None:
    """Prevalence and co-occurrence over the whole data set."""
    dataset = chosen.loaded.dataset
    if not dataset.label_names:
        st.caption("This data set states no labels.")
        return
    shares, pairs = counted(json.dumps(chosen.config, sort_keys=True), chosen.loaded)
    palette = place.palette()
    left, right = st.columns(2, gap="medium")
    with left:
        title = figures.shares_title(shares)
        fig = place.kept(("prevalence", dataset.data_hash, title, palette.name), lambda: figures.shares(shares, palette, title))
        place.figure(fig, "prevalence", title, SHARES, lambda: figures.share_rows(shares))
    with right:
        title = figures.pairs_title(pairs)
        fig = place.kept(("pairs", dataset.data_hash, title, palette.name), lambda: figures.pairs(pairs, palette, title))
        place.figure(fig, "pairs", title, PAIRS, lambda: figures.pair_rows(pairs))


@st.cache_resource(max_entries=8, show_spinner=False)
def counted(config: str, _loaded: studies.Studies) -> tuple[tuple[prevalence.Prevalence, ...], prevalence.Together]:
    dataset = _loaded.dataset
    splits = {name: np.asarray(dataset.split(name)) for name in SPLITS if len(dataset.split(name))}
    names = list(dataset.label_names)
    return prevalence.prevalence(dataset.labels, names, dataset.patients, splits), prevalence.together(dataset.labels, names)


@st.cache_resource(max_entries=8, show_spinner=False)
def carding(config: str, _loaded: studies.Studies) -> Future[str]:
    return studies.LOADER.submit(lambda: card(_loaded.dataset).text())


@st.fragment
def described(chosen: Chosen) -> None:
    """The data card: counts only."""
    below = st.expander("Data card", key="data_card", on_change="rerun", icon=":material/description:")
    if not below.open:
        return
    with below:
        made = carding(json.dumps(chosen.config, sort_keys=True), chosen.loaded)
        try:
            st.code(made.result(studies.PATIENCE), language=None)
        except TimeoutError:
            again(made)


@st.fragment(run_every=1)
def again(made: Future[str]) -> None:
    """A line that renews itself until the card is there."""
    if made.done():
        st.rerun()
    st.caption("Opening some of its studies to count what they hold.")
