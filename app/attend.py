"""The page Attention in words and places: which image, what its heads look at, what reaches the last layer."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from app import place, state, studies
from app.select import nearest
from workbench.analysis import attention
from workbench.analysis.attention import FUSIONS, Attention, Colouring
from workbench.figures import attention as figures
from workbench.figures.theme import number
from workbench.queries import Query
from workbench.run import Run

HEIGHT, SMALL = 430, 330
SHOWN = {"maps": "Maps", "entropy": "Entropy", "distance": "Distance"}
LOOK = """Row of $\\mathrm{softmax}(q k^\\top / \\sqrt d)$ of one query, computed beside the fused kernel of training and equal to it. Only weights on patches are drawn: what goes to the class token or registers is missing from the sum in the subtitle. Attention says where the network reads, not what it concludes."""
HEADS = """*entropy* of a head: $-\\sum_k a_{qk} \\ln a_{qk}$, mean over its queries; $e^{entropy}$ is the number of tokens it spreads over, $\\ln t$ the ceiling.
*distance*: $\\sum_k a_{qk} \\lVert x_q - x_k \\rVert$ over patches, each row scaled to 1, mean over patches (Dosovitskiy et al., 2021). *untrained*: the same network with random weights, on this image."""
ROLLOUT = "$\\prod_l$ of the fused heads plus the identity, rows scaled to 1 (Abnar and Zuidema, 2020): how much of each patch has reached a token after the last layer. It leaves out values and MLPs."
COLOURS = "The three main directions of the last layer's patch tokens over several validation images, as red, green and blue, from their 2nd to their 98th percentile. Their signs are fixed, so colours compare across images of this checkpoint, not across checkpoints."


def choose_run(spot: Any, runs: Sequence[Run], names: Mapping[Run, str]) -> Run:
    """One of the chosen runs."""
    by_name = {names[run]: run for run in runs}
    first = next(iter(by_name))
    if len(by_name) == 1:
        return by_name[first]
    said = spot.segmented_control("Run", list(by_name), default=first, required=True, key="attention_of", format_func=state.escape)
    return by_name.get(said or first, by_name[first])


def choose_image(
    spots: Sequence[Any], root: Path, run: Run, query: Query | None = None
) -> tuple[dict[str, Any], studies.Studies | None] | None:
    """The image to look at: a study of the run's data, one before or after it, or an upload; None where there is none yet."""
    kind, before, which, after = spots
    found = studies.chosen_or_upload(kind, which, root, run, "attention")
    if found is None or isinstance(found, str):
        return ({"upload": found}, None) if found else None
    keys = studies.listed(found, query)
    chosen = state.get("sample") if state.get("sample") in (keys if query else found.places) else keys[0]
    keys = list(dict.fromkeys([*keys, chosen]))
    at = keys.index(chosen)
    st.session_state["attention_study"] = chosen
    before.button(
        "",
        icon=":material/chevron_left:",
        key="attention_before",
        help="The study before",
        disabled=at == 0,
        on_click=state.put,
        args=("sample", keys[at - 1]),
    )
    which.selectbox("Study", keys, key="attention_study", on_change=state.follow("sample", "attention_study"))
    after.button(
        "",
        icon=":material/chevron_right:",
        key="attention_after",
        help="The next study",
        disabled=at + 1 == len(keys),
        on_click=state.put,
        args=("sample", keys[(at + 1) % len(keys)]),
    )
    return {"study": chosen, "place": studies.film_of(found, chosen, which)}, found


def snapshot(run: Run, step: int) -> int:
    """The snapshot the slider stands for."""
    return nearest(run.steps_of("snapshots"), step if step >= 0 else None)


def within(key: str, count: int, otherwise: int | None) -> int | None:
    """A place from the address, where there is such a one."""
    value = state.get(key)
    return value if value is not None and 0 <= value < count else otherwise


@st.cache_resource(max_entries=8, show_spinner=False)
def read(folder: Path) -> Attention:
    """A result, whose statistics are computed once."""
    return attention.read(folder)


def chosen_of(found: Attention) -> tuple[int, int | None, int | None]:
    """Layer, head (None: their mean) and query patch (None: class token) of the address; at first the last layer."""
    layer = within("layer", found.layers, found.layers - 1)
    return layer or 0, within("head", found.heads, None), within("patch", found.side**2, None)


def verdict(found: Attention, name: str, colour: str) -> tuple[list[tuple[str, str]], str, str]:
    """How widely and how far heads look, the numbers that rests on, and the colour of the run."""
    entropy, distance = found.entropy, found.distance
    random = found.untrained
    tokens, before = (float(np.exp(np.median(each))) for each in (entropy, random["entropy"]))
    far, was = float(np.median(distance)), float(np.median(random["distance"]))
    layer, head = np.unravel_index(entropy.argmin(), entropy.shape)
    wide = (
        "as widely as before training"
        if abs(tokens - before) < 0.05 * before
        else "more sharply than before training"
        if tokens < before
        else "more widely than before training"
    )
    said = f"looks {wide}: the median head spreads over {number(tokens)} of {found.count} tokens (untrained {number(before)}) and {number(far)} patches{figures.in_mm(found, far)} far (untrained {number(was)}, equal attention {number(found.levels('distance')[1])})."
    aside = f"Sharpest: layer {layer + 1}, head {head + 1}, {number(float(np.exp(entropy[layer, head])))} tokens. Where it reads is not what it concludes."
    return [(name, said)], aside, colour


def look(found: Attention, allowed: place.Allowed) -> None:
    """The film under one head's weights, with what chooses them."""
    layer, head, query = chosen_of(found)
    fig = figures.look(found, layer, head, query, place.palette(), clickable=True)
    with st.container(gap=None):
        place.film(
            fig,
            "look",
            "The film under the attention of one query",
            LOOK,
            figures.look_rows(found, layer, head, query),
            allowed,
            choose_patch,
        )
    first, second, third, fourth = st.columns([1.2, 1.2, 1.55, 1.3], vertical_alignment="bottom", gap="small")
    st.session_state["attention_layer"] = layer + 1
    first.select_slider("Layer", range(1, found.layers + 1), key="attention_layer", on_change=choose_layer)
    names = ["mean", *range(1, found.heads + 1)]
    st.session_state["attention_head"] = "mean" if head is None else head + 1
    second.selectbox(
        "Head", names, key="attention_head", on_change=choose_head, format_func=lambda each: "mean" if each == "mean" else str(each)
    )
    third.button(
        "Class token" if found.prefix else "All patches",
        key="attention_class",
        disabled=query is None,
        on_click=state.put,
        args=("patch", None),
        help="Attention from the class token, or the mean of all patches where there is none; a click on the film chooses a patch",
    )
    with fourth:
        opacity("look")


@st.fragment
def opacity(key: str) -> None:
    """How strongly the map lies over the film: a style, nothing is drawn anew."""
    share = st.slider("Map over film", 0, 100, 100, 5, format="%d %%", key=f"{key}_opacity")
    st.html(f"<style>.st-key-{key} .heatmaplayer {{ opacity: {int(share) / 100:.2f}; }}</style>")


def choose_layer() -> None:
    state.put("layer", int(st.session_state["attention_layer"]) - 1)


def choose_head() -> None:
    value = st.session_state["attention_head"]
    state.put("head", None if value == "mean" else int(value) - 1)


def clicked(key: str) -> list[Any]:
    """What a figure's clicked point carries."""
    points = (st.session_state.get(key) or {}).get("selection", {}).get("points", [])
    given = points[0].get("customdata") if points else None
    return list(given.values()) if isinstance(given, dict) else list(given or [])


def choose_patch() -> None:
    if given := clicked("look"):
        state.put("patch", int(given[0]))


def choose_head_by_click() -> None:
    if given := clicked("heads"):
        state.put("layer", int(given[0]))
        state.put("head", int(given[1]))


def heads(found: Attention) -> None:
    """All layers and heads: small maps or a statistic; a click chooses."""
    layer, head, query = chosen_of(found)
    shown = st.session_state.get("attention_shown") or "maps"
    fig = (
        figures.grid(found, query, layer, head, place.palette())
        if shown == "maps"
        else figures.heads(found, shown, layer, head, place.palette())
    )
    place.film(fig, "heads", "All layers and heads", HEADS, figures.head_rows(found), "all", choose_head_by_click)
    st.segmented_control(
        "Shown", list(SHOWN), default="maps", required=True, key="attention_shown", format_func=SHOWN.get, label_visibility="collapsed"
    )


def depth(found: Attention) -> None:
    """Entropy over the layers beside the untrained network."""
    shown = st.session_state.get("attention_shown") or "maps"
    statistic = "distance" if shown == "distance" else "entropy"
    fig = figures.depth(found, statistic, place.palette())
    place.figure(fig, "depth", "Entropy or distance over the layers", HEADS, figures.head_rows(found))


def rolled(found: Attention, allowed: place.Allowed) -> None:
    """Rollout with its options."""
    fusion = st.session_state.get("rollout_fusion") or "mean"
    discard = int(st.session_state.get("rollout_discard") or 0) / 100
    query = chosen_of(found)[2]
    fig = figures.rolled(found, query, fusion, discard, place.palette(), SMALL)
    place.film(fig, "rollout", "Attention rollout over the film", ROLLOUT, figures.rollout_rows(found, query, fusion, discard), allowed)
    left, right = st.columns(2, vertical_alignment="bottom")
    left.selectbox("Heads by", list(FUSIONS), key="rollout_fusion", format_func=FUSIONS.get)
    right.slider("Cut the smallest", 0, 95, 0, 5, format="%d %%", key="rollout_discard")


def patches(tokens: np.ndarray, by: Colouring, allowed: place.Allowed) -> None:
    """Patch tokens in colours."""
    fig = figures.patches(tokens, by, place.palette(), SMALL)
    place.film(fig, "patches", "Patch tokens in three principal colours", COLOURS, figures.patch_rows(tokens, by), allowed)


def footer(key: str, step: int, run: Run, loaded: studies.Studies | None, *more: str) -> list[str]:
    """What the numbers rest on."""
    said = key if loaded is None or loaded.open else studies.hashed([key])[0]
    data = f"terms {loaded.dataset.terms}, #{loaded.dataset.data_hash[:8]}" if loaded else "an upload"
    return [f"1 image ({said})", data, *more, "no interval: one image", f"{run.id} at step {step}"]
