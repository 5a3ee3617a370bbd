"""The map component on a page: points go to the browser once, what changes often goes beside them, a polygon or a row comes back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from workbench.cloud import Cloud, Geometry, checked, framed

SCRIPT = (Path(__file__).parent / "components" / "points.js").read_text()
BESIDE = """
export default function ({ data }) {
  const bytes = new Uint8Array(data.buffer ?? data, data.byteOffset ?? 0, data.byteLength);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  const { key } = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const all = (globalThis[Symbol.for("workbench.points")] ??= new Map());
  const own = all.get(key) ?? {};
  all.set(key, own);
  own.aside = bytes;
  own.take?.(bytes);
}
"""
COMPONENT = st.components.v2.component("points", js=SCRIPT)
ASIDE = st.components.v2.component("points_aside", js=BESIDE)


def points(
    key: str,
    cloud: Cloud,
    on_change: Callable[[Geometry], None],
    on_look: Callable[[list[float]], None] | None = None,
    on_hover: Callable[[int], None] | None = None,
) -> Geometry | None:
    """Draw the cloud; returns what was last drawn around on this very map, else what was clicked, None where nothing was.

    `on_change` is called with it first. `on_look` gets the box (x0, y0, x1, y1) that is in view when films are asked for, `on_hover` a row
    the pointer rests on. All are checked here: what is no geometry over these points is as if it had not come.
    """
    blob, header = cloud.packed
    place = header["place"]

    def changed() -> None:
        given = checked(st.session_state[key].geometry, cloud.n)
        if given is not None:
            st.session_state.setdefault(f"{key}_kept", {})[given["kind"]] = (place, given)
            on_change(given)

    def looked() -> None:
        box = st.session_state[key].looking
        if on_look and (given := checked({"kind": "lasso", "polygon": [box[:2], box[2:], box[:2]]} if isinstance(box, list) else None, 0)):
            on_look([*given["polygon"][0], *given["polygon"][1]])

    def hovered() -> None:
        given = checked({"kind": "click", "row": st.session_state[key].hovered}, cloud.n)
        if on_hover and given is not None:
            on_hover(given["row"])

    COMPONENT(
        key=key,
        data=framed(blob, header | {"key": key, "films": on_look is not None}),
        on_geometry_change=changed,
        on_looking_change=looked,
        on_hovered_change=hovered,
    )
    return kept(key, cloud, "lasso") or kept(key, cloud, "click")


def kept(key: str, cloud: Cloud, kind: str) -> Geometry | None:
    """The last lasso or click on this very map; a click takes no lasso away."""
    place, given = st.session_state.get(f"{key}_kept", {}).get(kind, (None, None))
    return given if place == cloud.packed[1]["place"] else None


def aside(key: str, packed: tuple[bytes, dict[str, Any]]) -> None:
    """Give the map of this key what `cloud.beside` packed."""
    blob, header = packed
    ASIDE(key=f"{key}_aside", data=framed(blob, header | {"key": key}), height=1)
