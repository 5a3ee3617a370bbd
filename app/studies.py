"""One study beside the map: its image with boxes, its report, its labels; and the data set it comes from."""

import html
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from PIL import Image as Pillow
from PIL import ImageChops, ImageDraw, ImageFilter

from app import place, state, work
from app.state import escape
from workbench.dataset import Dataset, Image, Sample, Text
from workbench.datasets import load_dataset
from workbench.errors import UserError
from workbench.exports import hashed as hashed  # pages say studies.hashed
from workbench.queries import Query
from workbench.run import Run

WIDTH = 420  # pixels of the shown image


class Studies(NamedTuple):
    """A run's first data set and where its keys are."""

    dataset: Dataset
    places: Mapping[str, int]

    def states(self, keys: Sequence[str], label: str) -> np.ndarray:
        """1 present, 0 absent, NaN not stated, for each key."""
        column = list(self.dataset.label_names).index(label)
        found = [self.dataset.labels[self.places[key], column] if key in self.places else np.nan for key in keys]
        return np.asarray(found, float)

    @property
    def open(self) -> bool:
        return self.dataset.terms == "open"

    @property
    def allowed(self) -> place.Allowed:
        """What this page may do with films and reports; those of a credentialed set are shown once a reader of this session has asked for them."""
        if self.open:
            return "all"
        return "screen" if self.dataset.terms != "credentialed" or self.dataset.data_hash in st.session_state.get(ASKED, ()) else "nothing"


def allowed(loaded: Studies | None) -> place.Allowed:
    """The same of the image a view is about; None is an upload, which is the reader's own."""
    return loaded.allowed if loaded else "all"


def ask(loaded: Studies | None) -> None:
    """Offer to show the films of a credentialed set; draws nothing for other sets."""
    if loaded is None or loaded.allowed != "nothing":
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Films and reports of this data set stay off the screen: its terms are *credentialed*. Numbers are shown.")
        st.button("Show them to me, until this tab is closed", key="show_films", on_click=confirm, args=(loaded.dataset.data_hash,))


def confirm(data_hash: str) -> None:
    st.session_state[ASKED] = {*st.session_state.get(ASKED, ()), data_hash}


ASKED = "films asked for"  # session key: data hashes whose films the reader may see and asked to
LISTED = 400  # studies of a selectbox
LOADER = ThreadPoolExecutor(1, "data set")  # films that are not on disk yet take minutes to render: no page waits for that
PATIENCE = 0.7  # seconds in which a data set usually is there


def read(config: str) -> Studies:
    dataset = load_dataset(json.loads(config), "this run")
    return Studies(dataset, {key: index for index, key in enumerate(dataset.keys)})


@st.cache_resource(max_entries=8, show_spinner=False)
def loading(config: str) -> Future[Studies]:
    return LOADER.submit(read, config)


def of_config(config: Mapping[str, Any]) -> Studies | None:
    """None while it is loading; raises UserError where it cannot be loaded here."""
    try:
        return loading(json.dumps(config, sort_keys=True)).result(PATIENCE)
    except TimeoutError:
        return None


def of_run(run: Run) -> Studies | None:
    """None while it is loading; raises UserError where it cannot be loaded here, or is no longer what the run was trained on."""
    name, config = run.source
    found = of_config(config)
    if found is None:
        return None
    trained = run.provenance.get("data", {}).get(name) if (run.path / "provenance.json").is_file() else None
    if trained not in (None, found.dataset.data_hash):
        told = f"was trained on #{trained[:8]}, what is here now is #{found.dataset.data_hash[:8]}"
        raise UserError(f"{run.id}: data {name} has changed: {told}; its images are not these. Train the run again to see them")
    return found


def named(run: Run, what: str) -> bool:
    """Whether the run names a data set; where it does not, that is said of `what` a part of a page would show."""
    try:
        run.source  # noqa: B018 raises where there is no data set
    except UserError as error:
        st.caption(f"No {what} here: {escape(error)}")
        return False
    return True


def wait(run: Run) -> None:
    """The line of `wait_for` for a run's data."""
    wait_for(run.source[1])


@st.fragment(run_every=1)
def wait_for(config: Mapping[str, Any]) -> None:
    """A line that renews itself until the data set is there, then the page."""
    if loading(json.dumps(config, sort_keys=True)).done():
        st.rerun()
    st.caption("Loading the data set: images and labels follow.")


def card(studies: Studies, key: str) -> None:
    """Draw one study."""
    if key not in studies.places:
        st.caption(f"{escape(key)} is not in this run's data set.")
        return
    if studies.allowed == "nothing":
        ask(studies)
        return
    index = studies.places[key]
    sample = studies.dataset[index]
    present = present_in(studies, sample)
    for number, image in enumerate(sample["images"][:2]):
        boxes = [box for box in sample.get("boxes", []) if box.get("image", 0) == number and box.get("label") in present]
        st.image(picture(image, boxes), alt=f"Image of {key}")
    words(studies, sample, key)


def present_in(studies: Studies, sample: Sample) -> list[str]:
    """Labels that are stated as present."""
    return [name for name, value in zip(studies.dataset.label_names, sample.get("labels", ())) if value > 0.5]


def words(studies: Studies, sample: Sample, key: str, mentions: Sequence[Mapping[str, Any]] = ()) -> None:
    """What is written about a study: its findings, its report with the mentions of concepts marked, where it comes from."""
    present, stated = present_in(studies, sample), len(sample.get("labels", ()))
    st.markdown(f"**{escape(', '.join(present))}**" if present else "**No finding stated as present**" if stated else "")
    for number, text in enumerate(sample["texts"][:4]):
        own = [each for each in mentions if each["text"] == number]
        section = f":gray[{escape(text.section).capitalize()}:] " if text.section and not own else ""
        if own:
            st.html(marked(text, own))
        else:
            st.markdown(section + escape(text.text))
    st.caption(" · ".join(part for part in (escape(key), escape(sample["patient"]), source(studies, sample)) if part))


def marked(text: Text, mentions: Sequence[Mapping[str, Any]]) -> str:
    """A report as HTML: what is said to be there underlined, what is denied dotted; hovering tells the concept and its attributes."""
    pieces, last = [], 0
    for each in sorted(mentions, key=lambda found: found["start"]):
        if each["start"] < last:  # inside a mention that is marked already
            continue
        said = [each["concept"], each["assertion"], each["side"], *(f"{own['name']}: {own['words']}" for own in each["attributes"])]
        told, inner = html.escape(", ".join(filter(None, said)), quote=True), html.escape(text.text[each["start"] : each["end"]])
        pieces += [
            html.escape(text.text[last : each["start"]]),
            f'<mark class="{html.escape(each["assertion"])}" title="{told}">{inner}</mark>',
        ]
        last = each["end"]
    head = f'<span class="section">{html.escape(text.section).capitalize()}:</span> ' if text.section else ""
    return f'<p class="report">{head}{"".join(pieces)}{html.escape(text.text[last:])}</p>'


def source(studies: Studies, sample: Sample) -> str:
    """Where the study comes from and what may be done with it."""
    simulated = "simulated" if sample.get("meta", {}).get("simulated") else ""
    return simulated if studies.open else f"terms of use: {studies.dataset.terms}, shown on this screen only"


def has_report(studies: Studies, key: str) -> bool:
    """Whether anything is written about a study."""
    return any(text.text.strip() for text in studies.dataset[studies.places[key]]["texts"])


def without_report(studies: Studies | None) -> None:
    """Why there are no words to look at."""
    st.caption("An upload comes without a report: choose a study." if studies is None else "This study has no report: choose another one.")


def picture(image: Image, boxes: Sequence[Mapping[str, Any]], masks: Sequence[np.ndarray] = ()) -> Pillow.Image:
    """The film as grey values from its darkest to its brightest, boxes and masks (h w) outlined; of volumes and clips the middle slice."""
    array = np.asarray(image.array)
    if image.axes in ("zhw", "thwc"):
        array = array[len(array) // 2]
    if array.ndim == 3:
        array = array.mean(-1)
    low, high = (0.0, 255.0) if array.dtype == np.uint8 else (float(array.min()), float(array.max()))
    grey = np.clip((array.astype(float) - low) / max(high - low, 1e-9) * 255, 0, 255).astype(np.uint8)
    scale = WIDTH / grey.shape[1]
    film = Pillow.fromarray(grey).resize((WIDTH, round(grey.shape[0] * scale)), Pillow.Resampling.BICUBIC).convert("RGB")
    draw = ImageDraw.Draw(film)
    for box in boxes:
        x, y, w, h = (float(box[side]) * scale for side in ("x", "y", "w", "h"))
        draw.rectangle((x, y, x + w, y + h), outline=place.palette().accent, width=2)
    for mask in masks:
        wide = (
            Pillow.fromarray(np.uint8(255) * mask.astype(np.uint8))
            .resize(film.size, Pillow.Resampling.BILINEAR)
            .point(lambda x: 255 * (x > 127))
        )
        edge = ImageChops.subtract(wide, wide.filter(ImageFilter.MinFilter(5)))
        film.paste(place.palette().accent, mask=edge)
    return film


def listed(loaded: Studies, query: Query | None = None) -> list[str]:
    """Studies to choose from: those of a set, else those of validation, the first of all where there are none; that a set has none here is said."""
    among = [key for key in query.keys if key in loaded.places] if query else []
    if query:
        st.caption(f"Studies of the set {escape(query.name)}: {told_of(len(among), len(query))}")
    if among:
        return among[:LISTED]
    held = loaded.dataset.split("val")
    return [loaded.dataset.keys[index] for index in (held if len(held) else range(len(loaded.dataset)))][:LISTED]


def told_of(there: int, count: int) -> str:
    """How many studies of a set a data set has."""
    if there == count:
        return f"{count}."
    return (
        f"{there} of {count}, the others are not in this data." if there else f"none of {count} is in this data; all studies are offered."
    )


def film_of(loaded: Studies, key: str, spot: Any) -> int:
    """Which film of a study, from 0; a choice is drawn where the study has several."""
    images = loaded.dataset[loaded.places[key]]["images"]
    at = (state.get("film") or 1) - 1
    if not 0 <= at < len(images):  # of another study
        state.put("film", None)
        st.rerun()
    if len(images) == 1:
        return 0
    names = [f"{number + 1} {image.view}".strip() for number, image in enumerate(images)]
    st.session_state["film_place"] = names[at]
    spot.segmented_control(
        f"Film of this study, of {len(images)}",
        names,
        required=True,
        key="film_place",
        on_change=lambda: state.put("film", names.index(st.session_state["film_place"]) + 1),
    )
    return at


def chosen_or_upload(kind: Any, which: Any, root: Path, run: Run, key: str) -> Studies | str | None:
    """Where an image comes from: the run's data set, or the identifier of an upload; None where there is neither yet, which is then said."""
    source = kind.segmented_control("Image from", ["Data", "Upload"], default="Data", required=True, key=f"{key}_source")
    if source == "Upload":
        return work.upload(root, which.file_uploader("PNG or JPEG", ["png", "jpg", "jpeg"], key=f"{key}_file"))
    try:
        loaded = of_run(run)
    except (UserError, ImportError, KeyError, StopIteration) as error:
        which.caption(f"No images of its data here: {escape(error)}. Upload one.")
        return None
    if loaded is None:
        wait(run)
    return loaded
