"""The gap between images and reports closed by quarters: what is left of it, what retrieval and zero-shot do."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from workbench.analysis._interval import Interval
from workbench.analysis.catalogue import MEASURES
from workbench.analysis.towers import RECALL, Moved, Towers
from workbench.figures import theme
from workbench.figures.theme import LIGHT, Palette, number

HEIGHT = 236
TICKS = ["0", "¼", "½", "¾", "1", "1¼", "1½"]


def closing(found: Towers, colour: str, palette: Palette = LIGHT) -> go.Figure:
    """Three panels over the share of the mean difference that is removed, with intervals over patients; chance in view."""
    return panels(found, found.moved, "share of the mean difference removed", (0, 1), colour, palette)


def walk(found: Towers, colour: str, palette: Palette = LIGHT) -> go.Figure:
    """The same as the texts alone go along the gap, past the images' mean at 1."""
    return panels(found, found.walked, "part of the gap that the reports are moved", (0, 1.5), colour, palette)


def panels(found: Towers, moved: Sequence[Moved], said: str, reach: tuple[float, float], colour: str, palette: Palette) -> go.Figure:
    """The gap that is left, retrieval both ways and zero-shot over amounts."""
    x = np.array([each.amount for each in moved])
    gap = theme.Canvas(palette, "What is left of the gap", "distance of the means", HEIGHT)
    line(gap, x, [each.gap for each in moved], colour)
    gap.y |= {"range": [0, 1.1 * max(*(each.gap for each in moved), 0.05)], "nticks": 5}
    recall = theme.Canvas(palette, "Retrieval", f"recall at {RECALL} of {found.n}; solid: report of an image", HEIGHT)
    for name, side, dash in (("forth", palette.series[2], "solid"), ("back", palette.series[1], "dash")):
        intervals = [getattr(each, name) for each in moved]
        band(recall, x, intervals, side)
        line(recall, x, [each.value for each in intervals], side, dash)
    recall.level("chance", found.chance[0])
    highest = [limit for each in moved for own in (each.forth, each.back) for limit in (own.value, own.high or own.value)]
    recall.y |= {"range": [0, min(1.05, 1.15 * max(*highest, 2 * found.chance[0]))], "nticks": 5}
    drawn = [gap, recall]
    scores = [each.auroc for each in moved if each.auroc is not None]
    if len(scores) == len(moved):
        zero = theme.Canvas(palette, "Zero-shot", "macro AUROC of the data set's prompts", HEIGHT)
        band(zero, x, scores, colour)
        line(zero, x, [each.value for each in scores], colour)
        zero.level("chance", 0.5)
        bounds = [limit for each in scores for limit in (each.value, each.low or each.value, each.high or each.value)]
        zero.y |= {"range": [min(0.48, *bounds) - 0.02, max(0.55, *bounds) + 0.02], "nticks": 5}
        drawn.append(zero)
    for canvas in drawn:
        canvas.x |= {"range": [reach[0] - 0.04, reach[1] + 0.04], "tickvals": [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5], "ticktext": TICKS}
        canvas.x["title"]["text"] = said
    return theme.row(drawn)


def line(canvas: theme.Canvas, x: np.ndarray, y: Sequence[float], colour: str, dash: str = "solid") -> None:
    """A value at every amount."""
    canvas.line(x, np.array(y), colour, dash=dash, hovertemplate="%{x}: %{y:.3g}<extra></extra>")
    canvas.points(x, np.array(y), colour, 5)


def band(canvas: theme.Canvas, x: np.ndarray, intervals: Sequence[Interval], colour: str) -> None:
    """The limits of intervals, where there are some."""
    low, high = (
        np.array([np.nan if limit is None else limit for limit in side])
        for side in ([i.low for i in intervals], [i.high for i in intervals])
    )
    canvas.band(x, low, high, colour)


def rows(found: Towers) -> list[dict[str, object]]:
    """The closing as a table."""
    return listed(found.moved, "removed")


def walk_rows(found: Towers) -> list[dict[str, object]]:
    """The walk as a table."""
    return listed(found.walked, "moved")


def listed(moved: Sequence[Moved], name: str) -> list[dict[str, object]]:
    """One amount a row."""
    table: list[dict[str, object]] = []
    for each in moved:
        head: dict[str, object] = {name: each.amount, "gap": each.gap}
        for way, own in (("image to report", each.forth), ("report to image", each.back), ("zero-shot", each.auroc)):
            if own is not None:
                head |= {way: own.value, f"{way} low": own.low, f"{way} high": own.high, f"{way} why": own.why}
        table.append(head)
    return table


def numbers(found: Towers) -> list[dict[str, object]]:
    """Every number with its reference, what it says and how it is computed."""
    return [
        {"": each.name, "value": number(each.value), "reference": number(each.reference), "says": MEASURES[each.measure].says}
        for each in found.numbers
    ]
