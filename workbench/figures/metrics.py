"""Curves of one metric, with the levels they are read against."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.metrics import Key, Metric, Series
from workbench.figures import theme
from workbench.figures.theme import LIGHT, Palette

SAID = {"train": "training", "val": "validation", "ring": "training mode"}


def curves(
    metric: Metric, slots: Mapping[str, int], palette: Palette = LIGHT, marks: Sequence[tuple[int, str]] = (), height: int = 270
) -> go.Figure:
    """Every series of a metric; training solid, validation dotted with markers, `marks` (step, event) as ticks on the step axis."""
    canvas = theme.Canvas(palette, metric.title, drawn(metric), height)
    alone = len({each.kind for each in metric.series}) == 1
    names = {series.label: palette.of(slots.get(series.run, 0)) for series in metric.series}
    for series in metric.series:
        curve(canvas, series, palette.of(slots.get(series.run, 0)), alone)
    low, high = extent(metric)
    ends = [(last_value([each for each in metric.series if each.label == label]), theme.clip(label, 22), names[label]) for label in names]
    for level in metric.levels:
        canvas.level(level.name, level.value)
        ends.append((level.value, f"{level.name} {theme.number(level.value)}", palette.muted))
    canvas.end_labels(ends, low, high)
    for step, event in marks:
        canvas.moment(step)
        canvas.text(event, 9.5, x=step, yref="paper", y=1, yanchor="top", xanchor="left", textangle=90)
    canvas.y |= {"range": [low, high], "nticks": 5}
    canvas.x |= {"nticks": 6, "rangemode": "nonnegative"}
    canvas.x["title"]["text"] = "step"
    return canvas.figure()


def drawn(metric: Metric) -> str:
    """The subtitle: what the values are and how the kinds of series differ."""
    kinds = [kind for kind in SAID if any(series.kind == kind for series in metric.series)]
    marked = {"train": "line training", "val": "dots validation", "ring": "training mode"}
    return metric.drawn if len(kinds) == 1 else f"{metric.drawn}; {', '.join(marked[kind] for kind in kinds)}"


def curve(canvas: theme.Canvas, series: Series, colour: str, alone: bool) -> None:
    """One series; a single point is drawn as a point."""
    validation = series.kind == "val"
    canvas.line(
        series.steps,
        series.values,
        colour,
        series.label,
        mode="lines+markers" if validation or len(series.steps) == 1 else "lines",
        dash="dot" if validation and not alone else "solid",
        width=1.2 if validation else 1.8,
        marker={"size": 5},
        hovertemplate=f"%{{y:.4g}}<br>step %{{x}}, {SAID[series.kind]}<extra>{theme.plain(series.label)}</extra>",
    )


def extent(metric: Metric) -> tuple[float, float]:
    """The range drawn: all finite values and levels with a margin; a share keeps to 0 and 1, a loss term its zero."""
    values = np.concatenate([series.values for series in metric.series] + [[level.value for level in metric.levels]])
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    margin = 0.07 * ((high - low) or abs(high) or 1.0)
    return (max(low - margin, -0.03 * high) if low >= 0 else low - margin), high + margin


def last_value(series: Sequence[Series]) -> float:
    """Where the longest of some series ends, for its label."""
    longest = max(series, key=lambda each: each.steps[-1])
    finite = longest.values[np.isfinite(longest.values)]
    return float(finite[-1]) if len(finite) else 0.0


def rows(metric: Metric) -> list[dict[str, object]]:
    """The drawn points as a table: what a CSV of this figure holds."""
    return [
        {"run": series.run, "metric": str(metric.key), "kind": series.kind, "step": int(step), "value": float(value)}
        for series in metric.series
        for step, value in zip(series.steps, series.values)
    ]


def shown(keys: Sequence[Key]) -> list[Key]:
    """The metrics worth a look first: loss, what a probe reads, then the terms where there are several."""
    terms = [key for key in keys if key.group == "terms"]
    order = [key for key in keys if key.group in ("loss", "probe")] + (terms if len(terms) > 1 else [])
    return order or list(keys)
