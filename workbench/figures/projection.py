"""The map: studies as circles in the plane, coloured by a finding, with how far it can be trusted beside chance."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.projection import NAMES, Projection
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
    if found.explained is not None:
        canvas.x["title"]["text"] = f"first axis, {found.explained[0]:.0%} of the variance"
        canvas.y["title"]["text"] = f"second axis, {found.explained[1]:.0%}"
    else:  # its units mean nothing
        canvas.x["showticklabels"] = canvas.y["showticklabels"] = False
        canvas.x["title"]["text"] = "who is near counts; sizes of lumps and distances between them do not"
    trust(canvas, found)
    canvas.layout |= {"dragmode": "pan", "clickmode": "event+select"}
    return canvas.figure()


def names(canvas: theme.Canvas, kinds: Sequence[tuple[str, int, str]], label: str) -> None:
    """What the colours mean, over the map's right end, with counts."""
    if not label:
        return
    said = "   ".join(f"<span style='color:{colour}'>● {kind} {count}</span>" for kind, count, colour in kinds)
    at: dict[str, Any] = {
        "xref": "paper",
        "x": 1,
        "yref": "paper",
        "y": 1,
        "xanchor": "right",
        "yanchor": "bottom",
        "yshift": 2,
        "showarrow": False,
    }
    canvas.annotations.append(
        {"text": f"{theme.plain(label)}:   {said}", "font": {"size": theme.SMALL, "color": canvas.palette.muted}} | at
    )


def trust(canvas: theme.Canvas, found: Projection) -> None:
    """Under the map: three shares, each beside its chance level, and whether lumps can be the data's."""
    if found.quality is None:
        return
    lines = [shares(found)] + ([short] if (short := SHORT[found.quality.clumps.kind] if found.quality.clumps else "") else [])
    canvas.layout["margin"]["b"] += 16 * len(lines) + 8
    for place, line in enumerate(lines):
        at: dict[str, Any] = {
            "xref": "paper",
            "x": 0,
            "xanchor": "left",
            "yref": "paper",
            "y": 0,
            "yanchor": "top",
            "yshift": -38 - 16 * place,
        }
        canvas.text(line, colour=canvas.palette.ink if place else None, **at)


SHORT = {
    "none": "No more clusters than a Gaussian cloud has: lumps are the method's, not the data's",
    "shape": "No separate clusters: no Gaussian cloud, but no gap parts it",
    "clusters": "More clusters than a Gaussian cloud has",
}


def shares(found: Projection) -> str:
    """Trustworthiness, continuity and overlap, in brackets what a map at random gives."""
    of = found.quality
    if of is None:
        return ""
    pairs = {
        "trustworthiness": (of.trustworthiness, of.chance_trustworthiness),
        "continuity": (of.continuity, of.chance_continuity),
        "overlap": (of.overlap, of.chance_overlap),
    }
    told = ", ".join(f"{name} {theme.number(value)} ({theme.number(chance)})" for name, (value, chance) in pairs.items())
    return told.replace("(", "(chance ", 1) + f"; {of.k} neighbours" + (f" of an even {of.n}" if of.n < found.n else "")


def subtitle(found: Projection) -> str:
    """What is drawn."""
    n, what = (found.n, "studies") if found.towers is None else (found.n // 2, "images and their reports")
    return f"{NAMES[found.method]} of {n:,}".replace(",", "\u2009") + f" {what}, step {found.step}"


def rows(found: Projection, keys: Sequence[str]) -> list[dict[str, object]]:
    """The map as a table; `keys` are hashed ones where the data may not be passed on."""
    return [{"study": key, "x": float(x), "y": float(y)} for key, (x, y) in zip(keys, found.xy)]
