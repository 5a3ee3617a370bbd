"""The map: studies as circles on the first two principal axes, coloured by a finding."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.projection import Projection
from workbench.figures import theme
from workbench.figures.theme import LIGHT, Palette

KINDS = {1.0: "present", 0.0: "absent", -1.0: "not stated"}


def plane(
    found: Projection,
    states: np.ndarray | None,
    label: str,
    chosen: str | None,
    equal: bool = True,
    palette: Palette = LIGHT,
    title: str = "",
    height: int = 430,
) -> go.Figure:
    """Circles of a run's studies; `states` (n,) is 1 present, 0 absent, NaN not stated; the `chosen` study is ringed.

    `equal`: one unit is as long on both axes, so that a space of one direction looks like a line.
    """
    canvas = theme.Canvas(palette, title, subtitle(found), height)
    states = np.full(found.n, -1.0) if states is None else np.nan_to_num(np.asarray(states, float), nan=-1.0)
    looks = {0.0: (palette.series[2], 0.45), -1.0: (palette.series[5], 0.4), 1.0: (palette.series[0], 0.85)}
    counts = [(kind, int((states == kind).sum())) for kind in (1.0, 0.0, -1.0)]
    for kind, (colour, opacity) in looks.items():
        own = np.flatnonzero(states == kind)
        if len(own):
            canvas.points(
                found.xy[own, 0],
                found.xy[own, 1],
                colour,
                7,
                marker={"color": colour, "size": 7, "opacity": opacity, "symbol": "circle", "line": {"width": 0}},
                customdata=[[found.keys[place]] for place in own],
                hoverinfo=None,
                hovertemplate="%{customdata[0]}<extra>" + (f"{theme.plain(label)}: {KINDS[kind]}" if label else "") + "</extra>",
                name=KINDS[kind],
                selected={"marker": {"opacity": 1}},
                unselected={"marker": {"opacity": opacity}},
            )
    if chosen in found.keys:
        x, y = found.xy[found.keys.index(chosen)]
        ring = {"size": 15, "color": "rgba(0,0,0,0)", "line": {"color": palette.ink, "width": 1.8}, "symbol": "circle"}
        canvas.points(np.array([x]), np.array([y]), palette.ink, marker=ring)
    names(canvas, [(KINDS[kind], count, looks[kind][0]) for kind, count in counts if count], label)
    across = {"showgrid": True, "nticks": 5, "zeroline": False}
    canvas.x |= across | {"ticks": ""}
    canvas.y |= across | ({"scaleanchor": "x", "constrain": "domain"} if equal else {})
    canvas.x["title"]["text"] = f"first axis, {found.explained[0]:.0%} of the variance"
    canvas.y["title"]["text"] = f"second axis, {found.explained[1]:.0%}"
    canvas.layout |= {"dragmode": "pan", "clickmode": "event+select"}
    return canvas.figure()


def names(canvas: theme.Canvas, kinds: Sequence[tuple[str, int, str]], label: str) -> None:
    """What the colours mean, over the map's right end, with counts."""
    if not label:
        return
    said = "   ".join(f"<span style='color:{colour}'>● {kind} {count}</span>" for kind, count, colour in kinds)
    at = {"xref": "paper", "x": 1, "yref": "paper", "y": 1, "xanchor": "right", "yanchor": "bottom", "yshift": 2, "showarrow": False}
    canvas.annotations.append(
        {"text": f"{theme.plain(label)}:   {said}", "font": {"size": theme.SMALL, "color": canvas.palette.muted}} | at
    )


def subtitle(found: Projection) -> str:
    """What is drawn and how far the map can be trusted."""
    trust = (
        ""
        if found.trustworthiness is None
        else f", trustworthiness {theme.number(found.trustworthiness)}, continuity {theme.number(found.continuity)}"
    )
    return f"PCA of {found.n} studies, step {found.step}{trust}"


def rows(found: Projection, keys: Sequence[str]) -> list[dict[str, object]]:
    """The map as a table; `keys` are hashed ones where the data may not be passed on."""
    return [{"study": key, "x": float(x), "y": float(y)} for key, (x, y) in zip(keys, found.xy)]
