"""A set of studies beside the rest: shares of findings, metadata and words, the surest differences on top."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.subset import Contrast, Separation
from workbench.figures import theme
from workbench.figures.theme import LIGHT, Palette, number
from workbench.figures.zeroshot import HEAD, ROW, across, drawn, legend, margin, rows

SHOWN, RIGHT = 12, 66  # rows of a figure, and pixels for p beside it
INSIDE, OUTSIDE = "in the set", "all others"


def shares(found: Sequence[Contrast], palette: Palette = LIGHT, title: str = "") -> go.Figure:
    """The surest differences of shares, a row each: set and rest with intervals, p after the correction at the right where it is below .05."""
    listed = surest(found)
    canvas = theme.Canvas(
        palette, title, "share of the studies that state it, 95 % intervals over patients", HEAD + ROW * max(len(listed), 1)
    )
    names = [each.name for each in listed]
    rows(canvas, names)
    spans = [0.0]
    for side, shift, slot in ((OUTSIDE, 0.14, 5), (INSIDE, -0.14, 0)):
        intervals = [each.inside if side == INSIDE else each.outside for each in listed]
        spans += drawn(canvas, intervals, names, shift, palette.series[slot], side)
    for place, each in enumerate(listed):
        if each.sure:
            canvas.text(f"p {p_of(each)}", theme.SMALL, palette.ink, xref="paper", x=1, xanchor="left", xshift=8, y=place, yref="y")
    sides = {INSIDE: 0, OUTSIDE: 5}
    legend(canvas, sides, sides, ())
    across(canvas, spans, RIGHT)
    canvas.layout["margin"]["l"] = margin(names or [""])
    return canvas.figure()


def surest(found: Sequence[Contrast]) -> list[Contrast]:
    """The shares that are drawn: those that separate before those that do not, then by the size of the difference."""
    drawable = [each for each in found if each.kind != "mean" and np.isfinite(each.difference.value)]
    return sorted(drawable, key=lambda each: (not each.sure, each.adjusted if each.sure else 0, -abs(each.difference.value)))[:SHOWN]


def p_of(each: Contrast) -> str:
    """`.004`, `< .001`."""
    value = 1.0 if each.adjusted is None else each.adjusted
    return "< .001" if value < 0.001 else f"{value:.3f}".removeprefix("0")


def headline(found: Separation, words: bool = False) -> str:
    """The finding of the figure in at most 60 characters."""
    if found.why:
        return theme.clip(found.why[:1].upper() + found.why[1:])
    named = found.words if words else [each for each in found.separating if each.kind == "share"]
    what = "words" if words else "properties"
    if not named:
        return f"No {what[:-1] if words else 'property'} separates the set from the rest"
    first = named[0]
    more = "more" if first.difference.value > 0 else "less"
    return theme.clip(f"{first.name[:1].upper() + first.name[1:]} is {more} frequent in the set; {len(named)} {what} differ")


def table(found: Separation) -> list[dict[str, object]]:
    """Every comparison as a row."""
    listed = []
    for each in (*found.properties, *found.words):
        row: dict[str, object] = {"what": each.name, "kind": each.kind, "in the set": _value(each.inside.value), "low": each.inside.low}
        row |= {
            "high": each.inside.high,
            "others": _value(each.outside.value),
            "others low": each.outside.low,
            "others high": each.outside.high,
        }
        row |= {"difference": _value(each.difference.value), "difference low": each.difference.low, "difference high": each.difference.high}
        row |= {"log odds ratio": each.odds, "N in the set": each.n[0], "N others": each.n[1], "p": each.p, "p corrected": each.adjusted}
        listed.append(row | {"why": each.why})
    return listed


def _value(of: float) -> float | None:
    return float(of) if np.isfinite(of) else None


def means(found: Separation) -> list[str]:
    """The numbers that separate, in words."""
    return [
        f"{each.name} {number(each.inside.value)} against {number(each.outside.value)} (p {p_of(each)})"
        for each in found.separating
        if each.kind == "mean"
    ]
