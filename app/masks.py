"""The mask of an image: drawn at random, painted with the mouse or the keyboard, or an organ or finding of the study."""

import re
from collections.abc import Sequence
from typing import Any

import streamlit as st

from app import place, state

KINDS = {"random": "Random", "painted": "Painted", "region": "Region"}
CODE = re.compile(r"(\d{1,3})\.([0-9a-f]{1,4096})")
RATIO, SEED = 75, 0

HTML = """
<canvas tabindex="0" role="application"></canvas>
<p></p>
"""
CSS = """
canvas { width: 100%; aspect-ratio: 1; display: block; touch-action: none; cursor: crosshair; border-radius: 3px; }
canvas:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
p { margin: 0.35rem 0 0; font-family: var(--st-font); font-size: 0.8rem; line-height: 1.4; color: var(--st-text-color); opacity: 0.65; }
"""
SCRIPT = """
export default function ({ data, parentElement, setTriggerValue }) {
  const canvas = parentElement.querySelector("canvas");
  const told = parentElement.querySelector("p");
  const side = data.side, size = 512, cell = size / side, pen = canvas.getContext("2d");
  const hidden = new Set(data.hidden);
  const style = getComputedStyle(canvas);
  const accent = style.getPropertyValue("--st-primary-color");
  let at = 0, from = null, hide = true, box = null, focused = false;
  canvas.width = canvas.height = size;
  canvas.setAttribute("aria-label", "Mask of " + side + " by " + side + " patches");
  const film = new Image();
  const inBox = (patch) => {
    const rows = [from, box].map((each) => Math.floor(each / side)), columns = [from, box].map((each) => each % side);
    const row = Math.floor(patch / side), column = patch % side;
    return row >= Math.min(...rows) && row <= Math.max(...rows) && column >= Math.min(...columns) && column <= Math.max(...columns);
  };
  const draw = () => {
    pen.imageSmoothingEnabled = false;
    pen.clearRect(0, 0, size, size);
    pen.drawImage(film, 0, 0, size, size);
    for (let patch = 0; patch < side * side; patch++) {
      const x = (patch % side) * cell, y = Math.floor(patch / side) * cell;
      const off = box !== null && inBox(patch) ? hide : hidden.has(patch);
      if (off) { pen.fillStyle = data.cover; pen.fillRect(x, y, cell, cell); }
      pen.strokeStyle = off ? accent : "rgba(128,128,128,.28)";
      pen.lineWidth = off ? 1.5 : 1;
      pen.strokeRect(x + 0.75, y + 0.75, cell - 1.5, cell - 1.5);
      if (focused && patch === at) { pen.strokeStyle = accent; pen.lineWidth = 4; pen.strokeRect(x + 2, y + 2, cell - 4, cell - 4); }
    }
    told.textContent = hidden.size + " of " + side * side + " patches hidden. Drag to hide or show, with Shift a box; arrows and space work too.";
  };
  const send = () => setTriggerValue("painted", [...hidden].sort((a, b) => a - b));
  const patchAt = (event) => {
    const area = canvas.getBoundingClientRect();
    const cut = (value) => Math.min(side - 1, Math.max(0, Math.floor(value * side)));
    return cut((event.clientY - area.top) / area.height) * side + cut((event.clientX - area.left) / area.width);
  };
  const put = (patch) => (hide ? hidden.add(patch) : hidden.delete(patch));
  canvas.onpointerdown = (event) => {
    canvas.setPointerCapture(event.pointerId);
    from = at = patchAt(event);
    hide = !hidden.has(from);
    box = event.shiftKey ? from : null;
    if (box === null) put(from);
    draw();
  };
  canvas.onpointermove = (event) => {
    if (from === null) return;
    at = patchAt(event);
    if (box !== null) box = at; else put(at);
    draw();
  };
  canvas.onpointerup = canvas.onpointercancel = () => {
    if (from === null) return;
    if (box !== null) for (let patch = 0; patch < side * side; patch++) if (inBox(patch)) put(patch);
    from = box = null;
    draw();
    send();
  };
  canvas.onkeydown = (event) => {
    const move = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -side, ArrowDown: side }[event.key];
    if (move !== undefined) at = Math.min(side * side - 1, Math.max(0, at + move));
    else if (event.key === " ") { hide = !hidden.has(at); put(at); send(); }
    else return;
    event.preventDefault();
    draw();
  };
  canvas.onfocus = () => { focused = canvas.matches(":focus-visible"); draw(); };
  canvas.onblur = () => { focused = false; draw(); };
  film.onload = draw;
  film.src = data.film;
}
"""
COMPONENT = st.components.v2.component("mask_painter", html=HTML, css=CSS, js=SCRIPT)


def code(hidden: Sequence[int], side: int) -> str:
    """A mask as a URL carries it: patches along an edge, then a bit a patch."""
    return f"{side}.{sum(1 << patch for patch in hidden):x}"


def decoded(text: str | None) -> tuple[int, list[int]] | None:
    """Patches along an edge and the hidden ones; None where the text is no mask."""
    match = CODE.fullmatch(text or "")
    if not match:
        return None
    side, bits = int(match[1]), int(match[2], 16)
    if not 1 <= side <= 128 or bits >> side**2:
        return None
    return side, [patch for patch in range(side**2) if bits >> patch & 1]


def choose_kind(spot: Any) -> str:
    """Random, painted or a region; in the URL as `hide`."""
    st.session_state["hide_kind"] = state.get("hide") if state.get("hide") in KINDS else "random"
    follow = state.follow("hide", "hide_kind")
    spot.segmented_control("Hide", list(KINDS), format_func=KINDS.get, required=True, key="hide_kind", on_change=follow)
    return st.session_state["hide_kind"]


def choose_random(left: Any, right: Any) -> dict[str, Any]:
    """Ratio and seed of a random mask."""
    st.session_state["mask_ratio"] = min(100, max(0, RATIO if state.get("ratio") is None else state.get("ratio")))
    st.session_state["mask_seed"] = state.get("seed") or SEED
    left.slider(
        "Hidden, %",
        0,
        100,
        key="mask_ratio",
        step=5 if st.session_state["mask_ratio"] % 5 == 0 else 1,
        on_change=state.follow("ratio", "mask_ratio"),
    )
    right.number_input(
        "Draw", 0, 9999, key="mask_seed", help="Another number, another mask of that size", on_change=state.follow("seed", "mask_seed")
    )
    return {"ratio": st.session_state["mask_ratio"] / 100, "seed": int(st.session_state["mask_seed"])}


def choose_regions(spot: Any, names: Sequence[str]) -> dict[str, Any]:
    """Which organs and findings of the study are hidden; every patch they touch."""
    held = [name for name in state.get("region") or [] if name in names] or list(names[:1])
    st.session_state["mask_regions"] = held
    spot.multiselect("Organs and findings", list(names), key="mask_regions", on_change=state.follow("region", "mask_regions"))
    return {"regions": st.session_state["mask_regions"]}


def choose_painted(side: int, start: Sequence[int]) -> dict[str, Any]:
    """The painted mask for a grid of `side`; at first `start`."""
    held = decoded(state.get("mask"))
    return {"patches": held[1] if held and held[0] == side else list(start)}


def paint(film: str, side: int, hidden: Sequence[int]) -> None:
    """The painter: a film, its patches, and buttons for all at once. What is painted goes to the URL and the page runs again."""

    def take() -> None:
        given = st.session_state["painter"].painted
        wanted = [patch for patch in given or [] if isinstance(patch, int | float) and float(patch).is_integer() and 0 <= patch < side**2]
        put(sorted({int(patch) for patch in wanted}), side)

    COMPONENT(
        key="painter",
        data={"film": film, "side": side, "hidden": list(hidden), "cover": place.palette().hairline},
        on_painted_change=take,
    )
    every = range(side**2)
    left = [patch for patch in every if patch not in set(hidden)]
    with st.container(horizontal=True, gap="small"):
        for label, chosen in (("None", []), ("All", list(every)), ("Invert", left)):
            st.button(label, key=f"painter_{label}", type="tertiary", on_click=put, args=(chosen, side))


def put(hidden: Sequence[int], side: int) -> None:
    """Make these patches the painted mask."""
    state.put("mask", code(hidden, side))
