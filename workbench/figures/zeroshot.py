"""What prompts are worth as a forest: every finding and the macro score with interval, chance and references in view."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.groups import Group
from workbench.analysis.statistics import Interval
from workbench.analysis.zeroshot import ZeroShot
from workbench.figures import theme
from workbench.figures.theme import LIGHT, Palette

Statistic = Literal["AUROC", "average precision", "accuracy", "sensitivity", "specificity"]
STATISTICS: tuple[Statistic, ...] = ("AUROC", "average precision", "accuracy")
ROW, HEAD = 27, 92  # pixels of a row, of title and axis
MACRO = "macro"
SHAPES = {
    "chance": ("", "┊"),
    "pixels": ("square", "□"),
    "metadata": ("triangle-up", "△"),
    "shuffled reports": ("circle", "○"),
    "untrained": ("diamond", "◇"),
}
SPLITS = {"train": "training", "val": "validation", "test": "test"}


class Mark(NamedTuple):
    """A grey reference of one row: what it is, and its value."""

    name: str
    value: float


def of(found: ZeroShot, statistic: Statistic) -> list[Interval]:
    """The statistic of every label, then of all where it has a macro score."""
    kinds: dict[str, tuple[tuple[Interval, ...], Interval | None]] = {
        "AUROC": (found.auroc, found.macro_auroc),
        "average precision": (found.precision, found.macro_precision),
        "accuracy": (found.accuracy, found.macro_accuracy),
        "sensitivity": (found.sensitivity, None),
        "specificity": (found.specificity, None),
    }
    own, macro = kinds[statistic]
    return [*own, macro] if macro is not None else list(own)


def chance(found: ZeroShot, statistic: Statistic) -> list[float]:
    """The trivial level of every label and of all: .5, the share present, or always the commoner answer."""
    levels = {"AUROC": np.full(len(found.names), 0.5), "average precision": found.prevalence, "accuracy": found.majority}[statistic]
    included = list(found.macro_auroc.included)
    if statistic == "accuracy" and found.mode == "classes":
        return [*levels, float(np.max(found.prevalence)) if len(levels) else np.nan]
    return [*levels, float(np.mean(levels[included])) if included else np.nan]


def forest(
    every: Mapping[str, ZeroShot],
    slots: Mapping[str, int],
    statistic: Statistic = "AUROC",
    references: Mapping[str, Mapping[str, float]] | None = None,
    palette: Palette = LIGHT,
    title: str = "",
    chosen: str = "",
) -> go.Figure:
    """Findings as rows, the macro score last; a point and its interval for each run, grey ticks for references (name -> label -> value)."""
    first = next(iter(every.values()))
    names = [*first.names, MACRO]
    canvas = theme.Canvas(palette, title, subtitle(first, statistic), HEAD + ROW * len(names))
    rows(canvas, names, chosen)
    for place, level in enumerate(chance(first, statistic)):
        tick(canvas, level, place, "chance")
    for name, values in (references or {}).items():
        for place, label in enumerate(names):
            if label in values and np.isfinite(values[label]):
                symbol(canvas, values[label], place, name)
    spans = []
    for number, (label, found) in enumerate(every.items()):
        shift = (number - (len(every) - 1) / 2) * min(0.26, 0.7 / max(len(every), 1))
        spans += drawn(canvas, of(found, statistic), names, shift, palette.of(slots.get(label, number)), label)
    told = [theme.number(each.value) if len(every) > 1 else said(each) for each in of(first, statistic)]
    if len(every) == 1:
        for place, text in enumerate(told):
            canvas.text(text, theme.SMALL, palette.ink, xref="paper", x=1, xanchor="left", xshift=8, y=place, yref="y")
    legend(canvas, every, slots, ("chance", *(references or {})))
    bounds = [*spans, *[level for level in chance(first, statistic) if np.isfinite(level)]]
    across(canvas, bounds, right=118 if len(every) == 1 else 24)
    canvas.layout["margin"]["l"] = margin(names)
    return canvas.figure()


def subtitle(found: ZeroShot, statistic: Statistic) -> str:
    """What is drawn, of how many studies."""
    left = f", {found.left_out} left out" if found.left_out else ""
    return f"{statistic} with 95 % intervals, {len(found.studies.keys)} {SPLITS.get(found.split, found.split)} studies{left}, step {found.step}"


def rows(canvas: theme.Canvas, names: Sequence[str], chosen: str = "") -> None:
    """Names as the ticks of the upright axis, the first on top, a hairline each; the chosen one in ink."""
    shown = [theme.plain(theme.clip(name, 22)) for name in names]
    labels = [f"<b>{text}</b>" if name in (MACRO, chosen) else text for name, text in zip(names, shown)]
    canvas.y |= {"tickvals": list(range(len(names))), "ticktext": labels, "range": [len(names) - 0.4, -0.6], "color": canvas.palette.ink}
    canvas.y["tickfont"] = {"size": theme.SIZE}


def tick(canvas: theme.Canvas, value: float, place: int, name: str) -> None:
    """A dotted grey stroke through one row; the strokes of rows with one level meet."""
    if np.isfinite(value):
        line = {"color": canvas.palette.muted, "width": 1.2, "dash": theme.DASHES["chance"]}
        canvas.traces.append(
            {"type": "scatter", "x": [value, value], "y": [place - 0.5, place + 0.5], "mode": "lines", "line": line}
            | {"hovertemplate": f"{theme.plain(name)} {theme.number(value)}<extra></extra>"}
        )


def symbol(canvas: theme.Canvas, value: float, place: int, name: str) -> None:
    """A hollow grey mark in one row; its shape says which reference it is."""
    marker = {
        "symbol": SHAPES.get(name, ("x-thin", "×"))[0],
        "size": 7,
        "color": canvas.palette.paper,
        "line": {"color": canvas.palette.muted, "width": 1.2},
    }
    told = f"{theme.plain(name)} {theme.number(value)}<extra></extra>"
    canvas.points(np.array([value]), np.array([place]), canvas.palette.muted, marker=marker, hoverinfo=None, hovertemplate=told)


def drawn(canvas: theme.Canvas, intervals: Sequence[Interval], names: Sequence[str], shift: float, colour: str, label: str) -> list[float]:
    """A point a row with its interval as a bar; without an interval the point is hollow. Returns every value drawn."""
    values = []
    for place, each in enumerate(intervals):
        if not np.isfinite(each.value):
            continue
        bounds = [] if each.low is None or each.high is None else [each.low, each.high]
        if bounds:
            bar = {"mode": "lines", "line": {"width": 2.4, "color": theme.faint(colour, 0.55)}, "hoverinfo": "skip"}
            canvas.traces.append({"type": "scatter", "x": bounds, "y": [place + shift] * 2} | bar)
        marker: dict[str, object] = {"color": colour if bounds else canvas.palette.paper, "size": 9 if names[place] == MACRO else 8}
        marker |= {"symbol": "diamond" if names[place] == MACRO else "circle", "line": {"color": colour, "width": 1.4}}
        hover = (
            f"{theme.plain(label)}<br>{theme.plain(names[place])} {said(each)}<br>{theme.plain(each.why or each.procedure)}<extra></extra>"
        )
        canvas.points(np.array([each.value]), np.array([place + shift]), colour, marker=marker, hoverinfo=None, hovertemplate=hover)
        values += [each.value, *bounds]
    return values


def legend(canvas: theme.Canvas, every: Mapping[str, object], slots: Mapping[str, int], references: Iterable[str]) -> None:
    """What the marks mean, in one line above the right end."""
    runs = [(f"● {label}", canvas.palette.of(slots.get(label, number))) for number, label in enumerate(every)] if len(every) > 1 else []
    greys = [(f"{SHAPES.get(name, ('', '×'))[1]} {name}", canvas.palette.muted) for name in references]
    spans = [f"<span style='color:{colour}'>{theme.plain(theme.clip(text, 30))}</span>" for text, colour in [*runs, *greys]]
    at = {"xref": "paper", "x": 1, "xanchor": "right", "yref": "paper", "y": 1, "yanchor": "bottom", "yshift": -1, "showarrow": False}
    canvas.annotations.append({"text": "   ".join(spans), "font": {"size": theme.SMALL, "color": canvas.palette.muted}} | at)


def across(canvas: theme.Canvas, values: Sequence[float], right: int) -> None:
    """The level axis around everything drawn, in shares."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    reach = max(0.05, 0.06 * (high - low))
    canvas.x |= {"range": [max(-0.02, low - reach), min(1.02, high + reach)], "nticks": 6, "tickformat": ".2~f", "ticks": "outside"}
    canvas.layout["margin"]["r"] = right


def margin(names: Sequence[str]) -> int:
    """Room for the longest name."""
    return 14 + round(0.55 * theme.SIZE * min(22, max(len(name) for name in names)))


def said(interval: Interval) -> str:
    """`.735 [.71, .76]`, or the value alone."""
    if interval.low is None:
        return theme.number(interval.value)
    return f"{theme.number(interval.value)} [{short(interval.low)}, {short(interval.high)}]"


def short(value: float | None) -> str:
    """A limit to two digits: `.71`."""
    if value is None or value >= 0.995:
        return "–" if value is None else "1"
    rounded = round(value, 2) + 0.0  # no minus before a zero
    return f"{abs(rounded):.2f}".removeprefix("0") if rounded >= 0 else "-" + f"{-rounded:.2f}".removeprefix("0")


def subgroups(found: Sequence[Group], label: str, colour: str, palette: Palette = LIGHT, level: float | None = None) -> go.Figure:
    """AUROC, sensitivity and specificity of one label by sex, age band and view, three panels on the same rows; the dashed line is `level`."""
    names = [each.name for each in found]
    panels = []
    for number, statistic in enumerate(("AUROC", "sensitivity", "specificity")):
        intervals = [each.auroc if statistic == "AUROC" else getattr(each, statistic) for each in found]
        told = f"{theme.clip(label, 24)} by group" if not number else "at the threshold chosen on validation"
        canvas = theme.Canvas(palette, statistic if statistic == "AUROC" else statistic.capitalize(), told, HEAD + ROW * len(names))
        rows(canvas, names)
        if number:
            canvas.y |= {"ticktext": [""] * len(names)}
        else:
            canvas.moment(0.5)
            if level is not None and np.isfinite(level):
                canvas.moment(level, dash="dash")
        spans = drawn(
            canvas, intervals, [f"{each.kind} {each.name}, {each.positive} of {each.rows} studies" for each in found], 0, colour, label
        )
        across(canvas, [*spans, 0.5] if not number else spans, 24)
        panels.append(canvas)
    for before, after in zip(range(len(found)), range(1, len(found))):
        if found[before].kind != found[after].kind:  # a line between the kinds of groups
            for canvas in panels:
                line = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": after - 0.5, "y1": after - 0.5, "layer": "below"}
                canvas.shapes.append(line | {"line": {"color": palette.muted, "width": 1}})
    panels[0].layout["margin"]["l"] = margin(names) + 10
    return theme.row(panels)


def group_rows(found: Sequence[Group]) -> list[dict[str, object]]:
    """The subgroups as a table."""
    table = []
    for each in found:
        head: dict[str, object] = {
            "by": each.kind,
            "group": each.name,
            "studies": each.rows,
            "patients": each.patients,
            "positive": each.positive,
        }
        for name in ("auroc", "sensitivity", "specificity"):
            interval: Interval = getattr(each, name)
            head |= {name: interval.value, f"{name} low": interval.low, f"{name} high": interval.high}
        table.append(head)
    return table


def one_image(found: ZeroShot, values: Sequence[float], palette: Palette = LIGHT, title: str = "") -> go.Figure:
    """The scores (k,) of one image among those of the judged studies: grey bars span the middle 90 % without and with each finding."""
    names = list(found.names)
    canvas = theme.Canvas(
        palette,
        title,
        f"its scores among {len(found.studies.keys)} {SPLITS.get(found.split, found.split)} studies, step {found.step}",
        HEAD + ROW * len(names),
    )
    rows(canvas, names)
    spans: list[float] = list(map(float, values))
    for place in range(len(names)):
        for kind, shift, fill in ((0.0, 0.18, palette.series[2]), (1.0, -0.18, palette.series[0])):
            own = found.studies.scores[found.studies.labels[:, place] == kind, place]
            if len(own):
                low, middle, high = np.quantile(own, (0.05, 0.5, 0.95))
                word = "with" if kind else "without"
                bar = {"mode": "lines", "line": {"width": 6, "color": theme.faint(fill, 0.4)}}
                bar |= {
                    "hovertemplate": f"{word} {theme.plain(names[place])}: {theme.number(low)} to {theme.number(high)}, {len(own)} studies<extra></extra>"
                }
                canvas.traces.append({"type": "scatter", "x": [low, middle, high], "y": [place + shift] * 3} | bar)
                spans += [float(low), float(high)]
        marker = {"color": palette.ink, "size": 10, "symbol": "circle", "line": {"color": palette.paper, "width": 1}}
        told = f"this image, {theme.plain(names[place])}: {theme.number(values[place])}<extra></extra>"
        canvas.points(np.array([values[place]]), np.array([place]), palette.ink, marker=marker, hoverinfo=None, hovertemplate=told)
        canvas.text(theme.number(values[place]), theme.SMALL, palette.ink, xref="paper", x=1, xanchor="left", xshift=8, y=place, yref="y")
    kinds = [("● this image", palette.ink), ("▬ with", palette.series[0]), ("▬ without the finding", palette.series[2])]
    text = "   ".join(f"<span style='color:{fill}'>{word}</span>" for word, fill in kinds)
    at = {"xref": "paper", "x": 1, "xanchor": "right", "yref": "paper", "y": 1, "yanchor": "bottom", "yshift": -1, "showarrow": False}
    canvas.annotations.append({"text": text, "font": {"size": theme.SMALL, "color": palette.muted}} | at)
    low, high = min(spans), max(spans)
    reach = max(1e-3, 0.06 * (high - low))
    canvas.x |= {"range": [low - reach, high + reach], "nticks": 6}
    canvas.x["title"]["text"] = (
        "score: cosine to the positive prompts less the negative" if found.mode == "findings" else "cosine to the class"
    )
    canvas.layout["margin"] |= {"l": margin(names), "r": 56}
    return canvas.figure()
