"""Singular spectra: now, over each other; and over the whole training as a heat map."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.looks import History, Overlay
from workbench.figures import theme
from workbench.figures.theme import LIGHT, Palette

FLOOR = -6.0  # log10 of a singular value relative to the largest: below, a direction counts as gone
FACETS = 3
EDGE = 0.72  # upper edge of the first row on the log axis


def relative(values: np.ndarray) -> np.ndarray:
    """log10 of singular values (…, d) relative to the largest of each row; NaN for a direction that is not there."""
    values = np.asarray(values, float)
    top = values.max(-1, keepdims=True)
    share = np.divide(values, top, out=np.zeros_like(values), where=top > 0)
    return np.log10(share, out=np.full_like(share, np.nan), where=share > 0)


def overlay(found: Overlay, slots: Mapping[str, int], palette: Palette = LIGHT, title: str = "", height: int = 352) -> go.Figure:
    """Spectra relative to their largest value on two log axes: thin for each run, thick for the mean of an arm's runs; references grey."""
    canvas = theme.Canvas(palette, title, f"singular values relative to the largest, N = {found.n}, step {found.step}", height)
    lowest = min((np.nanmin(np.append(relative(each.values), 0.0)) for each in found.spectra), default=-1.0)
    low = max(FLOOR, float(np.floor(min(lowest, -1.0)))) - 0.1
    ends: list[tuple[float, str, str]] = []
    for name, values in (("isotropic", found.isotropic), ("untrained", found.untrained)):
        if values is not None:
            y = relative(values)
            curve(canvas, y, palette.muted, name, dash=theme.DASHES[name], width=1.2)
            ends.append((end(y, low), name, palette.muted))
    for label in dict.fromkeys(each.label for each in found.spectra):
        arm = [each for each in found.spectra if each.label == label]
        own, colour = [relative(each.values) for each in arm], palette.of(slots.get(label, 0))
        if len(own) > 1:
            for each, y in zip(arm, own):
                curve(canvas, y, colour, f"{label}, seed {each.seed}", width=0.8, opacity=0.55)
        y = own[0] if len(own) == 1 else np.log10(np.mean([10.0 ** np.nan_to_num(each, nan=-300) for each in own], 0))
        curve(canvas, y, colour, label if len(own) == 1 else f"{label}, mean of {len(own)} seeds", width=2.2)
        ends.append((end(y, low), theme.clip(label, 22), colour))
    return finished(canvas, found.d, low, ends)


def finished(canvas: theme.Canvas, d: int, low: float, ends: Sequence[tuple[float, str, str]]) -> go.Figure:
    """The figure of spectra over d directions, from `low` (log10) to the largest, its lines named at their ends."""
    shown, texts = theme.powers(low, 0.0)
    canvas.y |= {"type": "log", "range": [low, 0.06], "tickvals": shown, "ticktext": texts}
    ticks = theme.doubling(d)
    canvas.x |= {
        "type": "log",
        "range": [0, np.log10(max(d, 2)) + 0.01],
        "tickvals": ticks,
        "ticktext": [str(tick) for tick in ticks],
    }
    canvas.y["title"]["text"], canvas.x["title"]["text"] = "σ / σ₁", "direction"
    canvas.end_labels(ends, low, 0.06)
    return canvas.figure()


def curve(canvas: theme.Canvas, y: np.ndarray, colour: str, name: str, **more: Any) -> None:
    """One spectrum (d,) of log10 relative values."""
    hover = "direction %{x}: %{y:.2g} of the largest<extra>%{fullData.name}</extra>"
    canvas.line(np.arange(1, len(y) + 1), 10**y, colour, name, hovertemplate=hover, **more)


def end(y: np.ndarray, low: float) -> float:
    """Where the label of a spectrum stands: at its last direction that is still in view."""
    seen = y[np.isfinite(y)]
    return max(low, float(seen[-1])) if len(seen) else low


def heat(
    histories: Sequence[History], step: int | None, slots: Mapping[str, int], palette: Palette = LIGHT, title: str = "", height: int = 352
) -> go.Figure:
    """Rows are directions, columns looks; up to three runs beside each other on one scale; the line is the chosen checkpoint, if any."""
    shown = histories[:FACETS]
    more = f"; {len(shown)} of {len(histories)} runs" if len(histories) > len(shown) else ""
    canvas = theme.Canvas(palette, title, f"rows are directions, columns looks; the line is the slider{more}", height)
    d = max(history.values.shape[1] for history in shown)
    columns, width = facets(shown)
    seen = np.concatenate([relative(each.values).ravel() for each in shown])
    low = min(-1.0, max(FLOOR, float(np.floor(np.nanquantile(np.append(seen, 0.0), 0.02)))))  # the few smallest do not set the colours
    ticks: dict[float, str] = {}
    for place, history in enumerate(shown):
        start = place * width
        z = np.maximum(np.nan_to_num(relative(history.values), nan=FLOOR), low).T
        canvas.traces.append(cells(history, z, start, low, palette, bar=place == len(shown) - 1))
        ticks |= {start + column + 0.5: str(each) for column, each in thinned(history.steps, 12 // len(shown))}
        if len(shown) > 1:
            colour = palette.of(slots.get(history.label, place))
            canvas.text(theme.clip(history.label, 18), theme.SMALL, colour, x=start, yref="paper", y=1, xanchor="left", yanchor="bottom")
    for x, colour, thick in lines(shown, step, palette) if step is not None else ():
        canvas.moment(x, color=colour, width=thick, dash="solid")
    rows = theme.doubling(d)
    canvas.y |= {"type": "log", "range": [np.log10(d + 0.5), np.log10(EDGE)], "tickvals": rows, "ticktext": [str(row) for row in rows]}
    canvas.x |= {
        "tickvals": list(ticks),
        "ticktext": list(ticks.values()),
        "range": [0, width * len(shown) - (width - columns)],
        "tickangle": 0,
    }
    canvas.y["title"]["text"], canvas.x["title"]["text"], canvas.y["showgrid"] = "direction", "step", False
    canvas.layout["margin"] |= {"t": 76 if len(shown) > 1 else 58, "r": 58}
    return canvas.figure()


def facets(shown: Sequence[History]) -> tuple[int, int]:
    """Columns of the widest run, and columns from one run's start to the next's."""
    columns = max(len(history.steps) for history in shown)
    return columns, columns + max(1, round(columns * 0.08))


def lines(shown: Sequence[History], step: int, palette: Palette) -> list[tuple[float, str, float]]:
    """(x, colour, width) of the lines at the look a step stands for: paper under ink, seen on light and on dark cells."""
    width = facets(shown)[1]
    found = [(place, int((np.asarray(history.steps) <= step).sum())) for place, history in enumerate(shown)]
    return [
        (place * width + count - 0.5, colour, thick)
        for place, count in found
        if count
        for colour, thick in ((palette.paper, 3.6), (palette.ink, 1.4))
    ]


def marks(fig: go.Figure, histories: Sequence[History], step: int, palette: Palette = LIGHT) -> tuple[theme.Mark, ...]:
    """The chosen step over a heat map drawn without it."""
    return tuple(theme.mark(fig, x, colour, thick, "solid") for x, colour, thick in lines(histories[:FACETS], step, palette))


def cells(history: History, z: np.ndarray, start: int, low: float, palette: Palette, bar: bool) -> dict[str, object]:
    """One run's heat map (d, looks), its columns from `start` on; row edges lie half-way between directions on the log axis."""
    values, texts = theme.powers(low, 0.0, 4)
    small = {"size": theme.SMALL, "color": palette.muted}
    direction = np.arange(1, len(z) + 1)
    return {
        "type": "heatmap",
        "z": z,
        "x": start + np.arange(len(history.steps) + 1),
        "y": np.append(EDGE, np.sqrt(direction * (direction + 1.0))),
        "zmin": low,
        "zmax": 0.0,
        "colorscale": [[place / 4, colour] for place, colour in enumerate(palette.heat)],
        "showscale": bar,
        "colorbar": {
            "thickness": 7,
            "len": 0.8,
            "x": 1.01,
            "xpad": 4,
            "ypad": 0,
            "y": 0.5,
            "outlinewidth": 0,
            "title": {"text": "σ / σ₁", "font": small, "side": "top"},
            "tickvals": np.log10(values),
            "ticktext": texts,
            "tickfont": small,
        },
        "customdata": np.broadcast_to(np.asarray(history.steps, np.int32), z.shape),
        "hovertemplate": "direction %{y:.0f}, step %{customdata}<br>10<sup>%{z:.2f}</sup> of the largest"
        f"<extra>{theme.plain(history.label)}</extra>",
    }


def thinned(steps: np.ndarray, most: int) -> list[tuple[int, int]]:
    """(column, step) of at most about `most` columns, the first and the last among them."""
    stride = max(1, -(-len(steps) // max(1, most)))
    kept = list(range(0, len(steps), stride))
    if kept and kept[-1] != len(steps) - 1:
        kept = [column for column in kept if len(steps) - 1 - column >= stride] + [len(steps) - 1]
    return [(column, int(steps[column])) for column in kept]


def rows(found: Overlay) -> list[dict[str, object]]:
    """The drawn spectra as a table."""
    return [
        {
            "run": each.run,
            "name": each.label,
            "step": each.step,
            "direction": place + 1,
            "singular value": float(value),
            "relative": float(value / top),
        }
        for each in found.spectra
        for top in [max(float(each.values.max()), 1e-300)]
        for place, value in enumerate(each.values)
    ]


def history_rows(histories: Sequence[History]) -> list[dict[str, object]]:
    """The heat map as a table: a row per look, a column per direction."""
    return [
        {"run": history.run, "name": history.label, "step": int(step)}
        | {f"σ{place + 1}": float(value) for place, value in enumerate(values)}
        for history in histories
        for step, values in zip(history.steps, history.values)
    ]
