"""What if? A simulated patient with one finding or factor changed, beside the film as it was and what differs."""

from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from PIL import Image as Pillow

from app import state, studies
from workbench.data.phantoms import Phantoms
from workbench.dataset import Image
from workbench.phantom import FINDINGS, SIDES
from workbench.phantom.report import text_of
from workbench.phantom.thorax.counterfactual import FACTORS, ZONED, Phantom, phantom
from workbench.phantom.thorax.latents import MIDDLE, VIEWS, ZONES

SIZE = 256  # pixels of the films drawn here, whatever the data set's size
NOTHING = "nothing"
OFFERED = [name for name in FACTORS if name != "view"]  # the view has a control of its own
STEPS = {"age": 1.0, "build": 0.05, "heart size": 0.02, "inspiration": 0.05, "rotation": 0.5, "tilt": 0.5, "exposure": 0.1, "zoom": 0.01}


class Pair(NamedTuple):
    """A film before and after a change, as pixels (h w), the boxes of what is there after it, and what a radiologist would write."""

    before: np.ndarray
    after: np.ndarray
    boxes: list[dict[str, Any]]
    names: list[str]
    text: str


@st.fragment
def section(dataset: Phantoms, place: int, key: str) -> None:
    """Sliders of one finding and one factor, and three films that follow them."""
    st.subheader("What if", help="The same simulated patient, with the same noise and texture, and one thing changed")
    controls, films = st.columns([1, 2.6], gap="medium")
    split, _ = dataset.places[place]
    with controls:
        pair = changed(viewed(phantom(dataset.config.seed, dataset.studies[place]["index"], variant=dataset.variants[split]), key), key)
    with films:
        draw(pair, key)


def draw(pair: Pair, key: str) -> None:
    """Before, after, the difference, and the words."""
    difference = pair.after.astype(int) - pair.before
    pictures = (
        ("As it is", studies.picture(Image(pair.before), [])),
        ("Changed", studies.picture(Image(pair.after), pair.boxes)),
        ("What differs", differing(difference)),
    )
    for spot, (name, picture) in zip(st.columns(3, gap="small"), pictures):
        spot.image(picture, caption=name, alt=f"{name}: {state.escape(key)}")
    st.markdown(f"**{', '.join(pair.names).capitalize() or 'No finding'}** · {pair.text}")
    share = float(np.mean(difference != 0))
    st.caption(
        f"{100 * share:.0f} % of the pixels differ, by {np.abs(difference).max()} of 255 grey values at most; warm is brighter, cold darker. Simulated."
    )


def changed(own: Phantom, key: str) -> Pair:
    """A study with the controls of a finding and a factor."""
    edited = factor(finding(own, key), key)
    after, names = edited.film(SIZE), [name for name in FINDINGS if edited.study.has(name)]
    boxes = [box for box in after.boxes if box["label"] in names]
    return Pair(own.film(SIZE).image, after.image, boxes, names, text_of(edited.report().findings))


def viewed(own: Phantom, key: str) -> Phantom:
    """The patient as another view shows him: what is changed is seen from there, before and after."""
    view: Any = st.segmented_control("View", VIEWS, default=own.study.view, required=True, key=f"what_view_{key}")
    return own.edit(view=view)


def finding(own: Phantom, key: str) -> Phantom:
    """The controls of a finding."""
    absent = [name for name in ("effusion", *FINDINGS) if not own.study.has(name)]  # at first something is to be seen
    name = st.selectbox("Finding", [NOTHING, *FINDINGS], index=1 + FINDINGS.index(absent[0]) if absent else 0, key=f"what_finding_{key}")
    if name == NOTHING:
        return own
    there = next((each for each in own.study.findings if each.name == name), None)
    severity, side, zone = details(name, there, name not in MIDDLE, name in ZONED, key)
    return own.edit(finding=name, side=side, severity=severity, zone=zone if severity else None)


def details(name: str, there: Any, sided: bool, zoned: bool, key: str) -> tuple[float, str | None, str | None]:
    """Severity, side and zone of a finding, at first as it is where it is `there`; None for what it has not."""
    severity = st.slider("Severity", 0.0, 1.0, there.severity if there else 0.6, 0.05, key=f"what_severity_{name}_{key}")
    side = zone = None
    if sided:
        begin = there.side if there else "left"
        side = st.segmented_control("Side", SIDES, default=begin, required=True, key=f"what_side_{name}_{key}", format_func=str.capitalize)
    if zoned:
        zone = st.segmented_control("Zone", list(ZONES), key=f"what_zone_{name}_{key}", format_func=str.capitalize)
    return severity, side, zone


def factor(own: Phantom, key: str) -> Phantom:
    """The controls of a factor of the patient or of the film."""
    name = st.selectbox(
        "And", [NOTHING, *OFFERED], key=f"what_factor_{key}", format_func=lambda each: each if each == NOTHING else each.capitalize()
    )
    if name == NOTHING:
        return own
    bounds, now = FACTORS[name].bounds, own.study.factors[name]
    if isinstance(bounds[0], str):
        value: Any = st.segmented_control(name.capitalize(), bounds, default=now, required=True, key=f"what_{name}_{key}")
    else:
        low, high = float(bounds[0]), float(bounds[1])
        value = st.slider(name.capitalize(), low, high, min(max(float(now), low), high), STEPS.get(name, 0.1), key=f"what_{name}_{key}")
    return own if value == now else own.edit(**{name.replace(" ", "_"): value})


def differing(difference: np.ndarray) -> Pillow.Image:
    """Differences (h, w) of grey values on mid grey: brighter towards amber, darker towards blue, scaled to the largest."""
    scaled = difference / max(np.abs(difference).max(), 1)
    warm, cold = np.maximum(scaled, 0)[..., None], np.maximum(-scaled, 0)[..., None]
    paper, up, down = np.array([32.0, 36, 40]), np.array([240.0, 164, 58]), np.array([90.0, 165, 224])
    pixels = paper + warm * (up - paper) + cold * (down - paper)
    return Pillow.fromarray(pixels.round().astype(np.uint8)).resize((studies.WIDTH, studies.WIDTH), Pillow.Resampling.BICUBIC)
