"""Rank, scale, offset and what a probe reads, over training: small multiples on one step axis."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.catalogue import MEASURES
from workbench.analysis.looks import Trajectory
from workbench.figures import theme
from workbench.figures.theme import LIGHT, Palette

PROBE = "Ridge on training studies, penalty by cross-validation over patients; mean AUROC of the labels with enough patients"
PANELS = {  # statistic -> title, what is drawn ({d} wide)
    "participation_ratio": ("Directions in use", "participation ratio, of {d}"),
    "uncentred_rank": ("Rank with the offset", "uncentred effective rank"),
    "effective_rank": ("Effective rank", "centred, of {d}"),
    "feature_std": ("Scale", "feature standard deviation"),
    "offset": ("Offset", "share of energy in the mean"),
    "probe": ("What a probe reads", "macro AUROC of a ridge"),
}
MULTIPLES = ("participation_ratio", "feature_std", "offset", "probe")  # what stands beside each other
RANKS = ("participation_ratio", "uncentred_rank", "effective_rank")
NAMES, TINY, LINE = 50, 9.5, 11  # pixels beside a panel for the names of its references, their size and its line
BETWEEN = 0.105  # of the width, between panels: the names of one and the ticks of the next


def formula(statistic: str) -> str:
    """Of a panel, with its source: the catalogue's, or what the probe is."""
    return PROBE if statistic == "probe" else MEASURES[statistic].formula


def position(step: np.ndarray | float) -> np.ndarray:
    """Steps on the drawn axis: log2(1 + step), because looks are spaced so and most happens early."""
    return np.asarray(np.log2(1 + np.asarray(step, float)))


def panel(found: Sequence[Trajectory], step: int | None, slots: Mapping[str, int], palette: Palette = LIGHT) -> go.Figure:
    """One statistic of every run: bands where an arm has one run, thin lines under the mean where it has several."""
    return draw(found, step, slots, palette).figure()


def panels(every: Sequence[Sequence[Trajectory]], step: int | None, slots: Mapping[str, int], palette: Palette = LIGHT) -> go.Figure:
    """Several statistics beside each other."""
    return theme.row([draw(found, step, slots, palette) for found in every], BETWEEN)


def marks(fig: go.Figure, step: int, palette: Palette = LIGHT) -> tuple[theme.Mark, ...]:
    """The chosen step in each panel of a figure drawn without it."""
    axes = sorted({trace.xaxis or "x" for trace in fig.data}, key=lambda name: (len(name), name))
    return tuple(theme.mark(fig, float(position(step)), palette.muted, axis=f"xaxis{name[1:]}") for name in axes)


def draw(found: Sequence[Trajectory], step: int | None, slots: Mapping[str, int], palette: Palette, height: int = 226) -> theme.Canvas:
    """One statistic of every run, unfinished: alone a figure, beside others a panel. Without a step no line stands in it."""
    statistic = found[0].statistic
    title, drawn = PANELS[statistic]
    canvas = theme.Canvas(palette, title, drawn.format(d=found[0].d), height)
    references = levels(found)
    values = np.concatenate([np.concatenate([each.values, each.low, each.high]) for each in found])
    log, low, high = extent(statistic, values, [value for _, value in references])
    for label in dict.fromkeys(each.label for each in found):
        draw_arm(canvas, [each for each in found if each.label == label], palette.of(slots.get(label, 0)))
    name_levels(canvas, references, log, low, high)
    if step is not None:
        canvas.moment(float(position(step)))
    canvas.x |= steps_axis([int(step) for each in found for step in each.steps])
    canvas.y |= {"type": "log"} | values_axis(statistic, low, high) if log else {"nticks": 5}
    canvas.y["range"] = [low, high]
    return canvas


def name_levels(canvas: theme.Canvas, references: Sequence[tuple[str, float]], log: bool, low: float, high: float) -> None:
    """The references as grey lines, name over number beside each right end, apart from each other: over the curves no place is sure to be free."""
    for name, value in references:
        canvas.level(name, value)
    margin = canvas.layout["margin"]
    margin["r"] = NAMES if references else margin["r"]
    order = sorted(references, key=lambda reference: reference[1])
    wanted = [float(np.log10(max(value, 1e-12))) if log else value for _, value in order]
    room = (high - low) * 2 * LINE / (canvas.layout["height"] - margin["t"] - margin["b"])
    for (name, value), y in zip(order, theme.spread(wanted, room, low, high)):
        for said, shift in ((name, LINE / 2), (theme.number(value), -LINE / 2)):
            canvas.text(said, TINY, xref="paper", x=1, y=y, xanchor="left", yanchor="middle", xshift=6, yshift=shift, borderpad=0)


def values_axis(statistic: str, low: float, high: float) -> dict[str, object]:
    """Ticks of a logarithmic value axis: 1, 2, 4 … for ranks, powers of ten otherwise."""
    if statistic in RANKS:
        ticks = theme.doubling(int(10**high))
        ticks = ticks[:: 2 if len(ticks) > 5 else 1]
        return {"tickvals": ticks, "ticktext": [str(tick) for tick in ticks]}
    values, texts = theme.powers(low, high, 4)
    return {"tickvals": values, "ticktext": texts}


def draw_arm(canvas: theme.Canvas, runs: Sequence[Trajectory], colour: str) -> None:
    """An arm: its interval or its seeds, its line, and a point per run at the last look."""
    several = len(runs) > 1
    for each in runs:
        x = position(each.steps)
        if not several:
            canvas.band(x, each.low, each.high, colour)
        else:
            canvas.line(x, each.values, colour, each.label, width=0.8, opacity=0.5, hoverinfo="skip")
        canvas.points(x[-1:], each.values[-1:], colour, 5 if several else 7)
    steps = sorted(set.intersection(*(set(map(int, each.steps)) for each in runs)))
    mean = np.mean([each.values[np.isin(each.steps, steps)] for each in runs], 0)
    told = [hover(runs, step) for step in steps]
    name = runs[0].label + (f", mean of {len(runs)} seeds" if several else "")
    canvas.line(
        position(np.array(steps)), mean, colour, name, customdata=told, hovertemplate="%{y:.3g}%{customdata}<extra>%{fullData.name}</extra>"
    )


def hover(runs: Sequence[Trajectory], step: int) -> str:
    """Interval, N and step behind a value."""
    first = runs[0]
    low, high = (float(values[first.at(step)]) for values in (first.low, first.high))
    known = len(runs) == 1 and np.isfinite(low) and np.isfinite(high)
    interval = f" [{theme.number(low)}, {theme.number(high)}]" if known else ""
    return f"{interval}<br>step {step}, N = {first.n}"


def levels(found: Sequence[Trajectory]) -> list[tuple[str, float]]:
    """References of a panel, each name once: the first run's, and the mean over runs of what differs little."""
    names = dict.fromkeys(name for each in found for name in each.references)
    return [(name, float(np.mean([each.references[name] for each in found if name in each.references]))) for name in names]


def extent(statistic: str, values: np.ndarray, references: Sequence[float]) -> tuple[bool, float, float]:
    """(logarithmic, low, high) of the value axis, in log10 where logarithmic: zero, chance or 1 stays in view."""
    values = np.append(values, references)
    values = values[np.isfinite(values)]
    top = float(values.max()) if len(values) else 1.0
    if statistic in RANKS:
        return True, np.log10(0.85), np.log10(max(top, 2.0) * 1.35)
    if statistic == "probe":
        bottom = min(0.5, float(values.min())) if len(values) else 0.5
        return False, bottom - 0.02, max(top, 0.6) + 0.04
    positive = values[values > 0]
    if statistic == "feature_std" and len(positive) and top > 30 * positive.min():
        return True, float(np.log10(positive.min())) - 0.15, float(np.log10(top)) + 0.15
    return False, -0.03 * top, 1.1 * top if top > 0 else 1.0


def steps_axis(looks: Sequence[int]) -> dict[str, object]:
    """Ticks at a few of the looks, in log2(1 + step)."""
    steps = sorted(set(looks))
    end = float(position(steps[-1])) or 1.0
    kept: list[int] = []
    for step in reversed(steps):
        if not kept or position(kept[-1]) - position(step) > end / 6:
            kept.append(step)
    ticks = {"tickvals": [float(position(step)) for step in kept], "ticktext": [str(step) for step in kept]}
    return ticks | {"range": [-0.02 * end, 1.03 * end]}


def rows(found: Sequence[Trajectory]) -> list[dict[str, object]]:
    """The drawn points as a table."""
    return [
        {
            "run": each.run,
            "name": each.label,
            "statistic": each.statistic,
            "step": int(step),
            "value": float(value),
            "low": known(low),
            "high": known(high),
        }
        for each in found
        for step, value, low, high in zip(each.steps, each.values, each.low, each.high)
    ]


def known(value: float) -> float | None:
    """A number, or None for one that is withheld."""
    return float(value) if np.isfinite(value) else None
