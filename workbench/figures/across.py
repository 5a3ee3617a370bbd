"""Runs beside each other: every seed a point, differences as a forest, and how alike their layers and steps are."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.across import Across, Grid
from workbench.analysis.looks import Overlay, Trajectory
from workbench.figures import collapse, theme, zeroshot
from workbench.figures._film import tile
from workbench.figures.theme import LIGHT, Palette, number

NAMES = {
    "linear_cka": "linear CKA",
    "debiased_cka": "debiased CKA",
    "svcca": "SVCCA",
    "procrustes": "Procrustes similarity",
    "mutual_knn": "mutual 10 nearest neighbours",
}
CELLS = 8  # a side up to which values are written into the cells


def seeds(every: Sequence[Sequence[Trajectory]], step: int, slots: Mapping[str, int], palette: Palette = LIGHT) -> go.Figure:
    """A panel a statistic, a row a setting: every run a point at the last look not after `step`, their mean a stroke, an interval where one run stands alone."""
    labels = list(dict.fromkeys(each.label for found in every for each in found))
    panels = []
    for order, found in enumerate(every):
        title, drawn = collapse.PANELS[found[0].statistic]
        canvas = theme.Canvas(palette, title, drawn.format(d=found[0].d), zeroshot.HEAD + 12 + 34 * len(labels))
        spans: list[float] = []
        for place, label in enumerate(labels):
            spans += strip(canvas, [each for each in found if each.label == label], step, place, palette.of(slots.get(label, place)))
        for name, value in collapse.levels(found):
            if name in ("untrained", "chance", "pixels"):
                canvas.moment(value, dash=theme.DASHES[name])
                spans.append(value)
        zeroshot.rows(canvas, labels if order == 0 else [""] * len(labels))
        low, high = min(spans), max(spans)
        reach = max(1e-3, 0.08 * (high - low))
        canvas.x |= {"range": [low - reach, high + reach], "nticks": 4}
        panels.append(canvas)
    panels[0].layout["margin"]["l"] = zeroshot.margin(labels)
    return theme.row(panels)


def strip(canvas: theme.Canvas, runs: Sequence[Trajectory], step: int, place: int, colour: str) -> list[float]:
    """One setting's runs in a row; returns every value drawn."""
    if not runs:
        return []
    at = [each.at(step) for each in runs]
    values = np.array([each.values[k] for each, k in zip(runs, at)])
    spans = list(map(float, values))
    if len(runs) == 1 and np.isfinite(runs[0].low[at[0]]):
        bounds = [float(runs[0].low[at[0]]), float(runs[0].high[at[0]])]
        canvas.line(np.array(bounds), np.array([place, place]), theme.faint(colour, 0.55), width=2.4, hoverinfo="skip")
        spans += bounds
    if len(runs) > 1:
        mean = float(values.mean())
        canvas.line(
            np.array([mean, mean]),
            np.array([place - 0.26, place + 0.26]),
            colour,
            width=2,
            hovertemplate=f"mean {number(mean)}<extra></extra>",
        )
    told = [f"{theme.plain(each.run)}, step {int(each.steps[k])}, N = {each.n}" for each, k in zip(runs, at)]
    hover = "%{x:.3g}<br>%{customdata}<extra></extra>"
    canvas.points(values, np.full(len(values), place), colour, 8, customdata=told, hoverinfo=None, hovertemplate=hover)
    return spans


def ratio(found: Overlay, reference: str, slots: Mapping[str, int], palette: Palette = LIGHT, height: int = 352) -> go.Figure:
    """Spectra of all settings over that of the reference, each relative to its largest value: above 1 a direction carries more than there."""
    means: dict[str, np.ndarray] = {}
    for label in dict.fromkeys(each.label for each in found.spectra):
        own = [each.values / max(each.values.max(), 1e-300) for each in found.spectra if each.label == label]
        if len({len(values) for values in own}) == 1 and len(own[0]) == found.d:
            means[label] = np.mean(own, 0)
    base = means.pop(reference)
    canvas = theme.Canvas(
        palette,
        f"Spectra over that of {theme.clip(reference, 36)}",
        f"each relative to its largest value, N = {found.n}, step {found.step}",
        height,
    )
    canvas.level("chance", 1.0)
    ends, spans = [], [-0.5, 0.5]
    for label, values in means.items():
        y = np.divide(values, base, out=np.full(len(base), np.nan), where=(base > 0) & (values > 0))
        colour = palette.of(slots.get(label, 0))
        canvas.line(
            np.arange(1, len(y) + 1), y, colour, label, hovertemplate="direction %{x}: %{y:.3g} times<extra>%{fullData.name}</extra>"
        )
        seen = np.log10(y[np.isfinite(y)])
        spans += [float(seen.min()), float(seen.max())]
        ends.append((float(seen[-1]), theme.clip(label, 22), colour))
    low, high = min(spans) - 0.1, max(spans) + 0.1
    shown, texts = theme.powers(low, high)
    if len(shown) < 2:
        shown = [times for times in (0.125, 0.25, 0.5, 1, 2, 4, 8) if low <= np.log10(times) <= high]
        texts = [number(times) for times in shown]
    ticks = theme.doubling(found.d)
    canvas.y |= {"type": "log", "range": [low, high], "tickvals": shown, "ticktext": texts}
    canvas.x |= {
        "type": "log",
        "range": [0, np.log10(max(found.d, 2)) + 0.01],
        "tickvals": ticks,
        "ticktext": [str(tick) for tick in ticks],
    }
    canvas.y["title"]["text"], canvas.x["title"]["text"] = "times the reference", "direction"
    canvas.end_labels(ends, low, high)
    return canvas.figure()


def ratio_rows(found: Overlay) -> list[dict[str, object]]:
    """Every spectrum relative to its largest value, as a table."""
    return [
        {"run": each.run, "name": each.label, "seed": each.seed, "step": each.step, "direction": place + 1, "relative": float(value)}
        for each in found.spectra
        for place, value in enumerate(each.values / max(each.values.max(), 1e-300))
    ]


def differences(found: Mapping[str, Across], slots: Mapping[str, int], palette: Palette = LIGHT) -> go.Figure:
    """A panel a statistic, a row a run: its value less the reference's, with the jackknifed interval; the line is no difference."""
    names, panels = list(found), []
    first = next(iter(found.values()))
    for order, statistic in enumerate([each.statistic for each in first.differences]):
        own = [next(each for each in across.differences if each.statistic == statistic) for across in found.values()]
        canvas = theme.Canvas(palette, collapse.PANELS[statistic][0], "difference", zeroshot.HEAD + 12 + 34 * len(names))
        canvas.moment(0.0, dash="solid")
        spans = [0.0]
        for place, (name, each) in enumerate(zip(names, own)):
            spans += zeroshot.drawn(
                canvas, [each.interval], [f"{number(each.first)} to {number(each.second)}"], place, palette.of(slots.get(name, place)), name
            )
        zeroshot.rows(canvas, names if order == 0 else [""] * len(names))
        reach = max(1e-3, 0.1 * (max(spans) - min(spans)))
        canvas.x |= {"range": [min(spans) - reach, max(spans) + reach], "nticks": 4}
        panels.append(canvas)
    panels[0].layout["margin"]["l"] = zeroshot.margin(names)
    return theme.row(panels)


def alike(
    of: Grid, measure: str, palette: Palette = LIGHT, title: str = "", axes: tuple[str, str] = ("", ""), n: int = 0, clickable: bool = False
) -> go.Figure:  # fmt: skip
    """Rows of the first run, columns of the second: from no likeness (paper) to the same up to rotation and scale (ink); chance under the mouse.

    `clickable`: an unseen mark in each cell carries the names of its row and column.
    """
    canvas = theme.Canvas(palette, title, f"{NAMES[measure]}, {n} studies; by chance up to {number(float(of.chance.max()))}", 330)
    scale = [[share, colour] for share, colour in zip(np.linspace(0, 1, len(palette.heat)), palette.heat)]
    bar = {"thickness": 8, "outlinewidth": 0, "nticks": 5, "tickfont": {"size": theme.SMALL, "color": palette.muted}, "xpad": 6}
    told = [
        [
            f"{theme.plain(row)} · {theme.plain(column)}<br>{number(float(of.values[i, j]))} (chance {number(float(of.chance[i, j]))})"
            for j, column in enumerate(of.columns)
        ]
        for i, row in enumerate(of.rows)
    ]
    heat = {"type": "heatmap", "z": of.values, "x": list(range(len(of.columns))), "y": list(range(len(of.rows))), "zmin": 0, "zmax": 1}
    canvas.traces.append(
        heat
        | {"colorscale": scale, "colorbar": bar, "customdata": told, "hovertemplate": "%{customdata}<extra></extra>", "xgap": 1, "ygap": 1}
    )
    if clickable:
        answer(canvas, of, told)
    if max(of.values.shape) <= CELLS:
        for i, row in enumerate(of.values):
            for j, value in enumerate(row):
                dark = (value > 0.5) == (palette.name == "light")
                canvas.text(number(float(value)), theme.SMALL, palette.paper if dark else palette.ink, x=j, y=i)
    for axis, names, side in ((canvas.x, of.columns, axes[1]), (canvas.y, of.rows, axes[0])):
        axis |= {"tickvals": list(range(len(names))), "ticktext": [theme.plain(theme.clip(name, 18)) for name in names], "showgrid": False}
        axis["title"]["text"] = theme.plain(theme.clip(side, 40))
    canvas.y |= {"range": [len(of.rows) - 0.5, -0.5]}
    canvas.x |= {"range": [-0.5, len(of.columns) - 0.5], "tickangle": 0 if max(map(len, of.columns)) < 8 else -20}
    canvas.layout["margin"]["l"] = zeroshot.margin(list(of.rows)) + 8
    return canvas.figure()


def answer(canvas: theme.Canvas, of: Grid, told: list[list[str]]) -> None:
    """Marks over the cells of a matrix that answer to the mouse, because a heat map does not."""
    i, j = np.divmod(np.arange(of.values.size), of.values.shape[1])
    named = [[of.rows[row], of.columns[column], told[row][column]] for row, column in zip(i, j)]
    unseen = {"marker": {"opacity": 0}}
    look = {"selected": unseen, "unselected": unseen, "marker": tile((canvas.layout["height"] - zeroshot.HEAD) / len(of.rows))}
    canvas.traces.append(
        {"type": "scatter", "x": j, "y": i, "mode": "markers", "customdata": named, "hovertemplate": "%{customdata[2]}<extra></extra>"}
        | look
    )
    canvas.layout["clickmode"] = "event+select"


def rows(found: Mapping[str, Across]) -> list[dict[str, object]]:
    """The differences as a table."""
    return [
        {
            "run": name,
            "step": across.second.step,
            "against": across.first.run,
            "at step": across.first.step,
            "statistic": each.statistic,
            "against value": each.first,
            "value": each.second,
            "difference": each.interval.value,
            "low": each.interval.low,
            "high": each.interval.high,
            "procedure": each.interval.procedure,
            "why": each.interval.why,
        }
        for name, across in found.items()
        for each in across.differences
    ]


def grid_rows(of: Grid) -> list[dict[str, object]]:
    """A matrix as a table."""
    return [
        {"row": row, "column": column, "value": float(of.values[i, j]), "chance": float(of.chance[i, j])}
        for i, row in enumerate(of.rows)
        for j, column in enumerate(of.columns)
    ]
