"""Colours, type and the few marks every figure is made of: so notebook, app and report look alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

FONT = "Inter, system-ui, sans-serif"
SIZE, TITLE_SIZE, SMALL = 12, 14, 11
TITLE_CHARACTERS = 60  # longer ones are cut at half the width of a 1280 px screen
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
DASHES = {"untrained": "dash", "isotropic": "dot", "chance": "dot", "trivial": "dot", "pixels": "dashdot", "metadata": "longdashdot"}


@dataclass(frozen=True)
class Palette:
    """One colour for each role; `series` are safe for the common colour-blindnesses, `heat` goes from paper to ink in one hue."""

    name: str
    ink: str
    paper: str
    muted: str
    hairline: str
    accent: str
    series: tuple[str, ...]
    heat: tuple[str, ...]

    def of(self, slot: int) -> str:
        """Series colour of a place; beyond the sixth they repeat."""
        return self.series[slot % len(self.series)]


LIGHT = Palette(
    *("light", "#1B2328", "#FCFCFB", "#66727A", "#E6EAEB", "#0B6E75"),
    series=("#C4513A", "#C79A1B", "#1F6FB2", "#3F8F6B", "#7A5BA6", "#6B7780"),
    heat=("#FCFCFB", "#BFD8D8", "#3C8B8F", "#0F585D", "#063236"),
)
DARK = Palette(
    *("dark", "#E4E9EB", "#14191C", "#93A0A7", "#2C353A", "#4FB3BA"),
    series=("#E07A62", "#E3BC4A", "#5AA5E0", "#6FBF97", "#A98BD0", "#9AA6AD"),
    heat=("#14191C", "#1F474B", "#3C8B8F", "#8FD3D6", "#C9F3F5"),
)
PALETTES = {palette.name: palette for palette in (LIGHT, DARK)}


def clip(text: str, limit: int = TITLE_CHARACTERS) -> str:
    """`text` shortened to `limit` characters, its end marked."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def plain(text: object) -> str:
    """A name from a run or a file, such that Plotly's own markup does not read it."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def faint(colour: str, alpha: float = 0.12) -> str:
    """A hex colour at `alpha`: the fill of an interval."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"


class Canvas:
    """A figure in the making: plain dictionaries until `figure`, because Plotly checks every change of a finished one (milliseconds each)."""

    def __init__(self, palette: Palette, title: str, subtitle: str, height: int = 330) -> None:
        """The finding as title, what is drawn as subtitle, horizontal hairlines only."""
        self.palette = palette
        self.traces: list[dict[str, Any]] = []
        self.shapes: list[dict[str, Any]] = []
        self.annotations: list[dict[str, Any]] = []
        axis = {
            "color": palette.muted,
            "gridcolor": palette.hairline,
            "linecolor": palette.hairline,
            "zeroline": False,
            "tickfont": {"size": SMALL},
            "automargin": True,
        }
        named: dict[str, Any] = {"font": {"size": SMALL}, "standoff": 4}
        self.x: dict[str, Any] = axis | {
            "title": dict(named),
            "showgrid": False,
            "ticks": "outside",
            "ticklen": 3,
            "tickcolor": palette.hairline,
        }
        self.y: dict[str, Any] = axis | {"title": dict(named), "showgrid": True}
        small = f"<span style='font-size:{SMALL + 0.5}px;font-weight:400;color:{palette.muted}'>{plain(clip(subtitle, 90))}</span>"
        self.layout: dict[str, Any] = {
            "template": "none",
            "height": height,
            "margin": {"l": 40, "r": 16, "t": 58, "b": 32},
            "paper_bgcolor": palette.paper,
            "plot_bgcolor": palette.paper,
            "font": {"family": FONT, "size": SIZE, "color": palette.ink},
            "title": {
                "text": f"{plain(clip(title))}<br>{small}",
                "x": 0,
                "xref": "container",
                "xanchor": "left",
                "y": 1,
                "yref": "container",
                "yanchor": "top",
                "automargin": False,
                "pad": {"t": 12, "l": 2},
                "font": {"size": TITLE_SIZE, "color": palette.ink, "weight": 640},
            },
            "showlegend": False,
            "hovermode": "closest",
            "hoverlabel": {"bgcolor": palette.paper, "bordercolor": palette.hairline, "font": {"color": palette.ink, "size": SMALL}},
            "dragmode": False,
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": palette.muted, "activecolor": palette.accent},
        }

    def line(self, x: np.ndarray, y: np.ndarray, colour: str, name: str = "", width: float = 2, dash: str = "solid", **more: Any) -> None:
        """One curve."""
        style = {"color": colour, "width": width, "dash": dash}
        self.traces.append({"type": "scatter", "x": x, "y": y, "mode": "lines", "line": style, "name": plain(name)} | more)

    def points(self, x: np.ndarray, y: np.ndarray, colour: str, size: float = 6, **more: Any) -> None:
        """Markers alone."""
        marker = {"color": colour, "size": size}
        self.traces.append({"type": "scatter", "x": x, "y": y, "mode": "markers", "marker": marker, "hoverinfo": "skip"} | more)

    def band(self, x: np.ndarray, low: np.ndarray, high: np.ndarray, colour: str) -> None:
        """A 95 % interval as a faint area; stretches without an interval (NaN) are left open."""
        x, low, high = (np.asarray(values, float) for values in (x, low, high))
        known = np.flatnonzero(np.isfinite(low) & np.isfinite(high))
        for stretch in np.split(known, np.flatnonzero(np.diff(known) > 1) + 1):
            if len(stretch) == 1:  # one look with an interval: a bar
                bar = {"mode": "lines", "line": {"width": 5, "color": faint(colour, 0.35)}, "hoverinfo": "skip"}
                self.traces.append({"type": "scatter", "x": np.repeat(x[stretch], 2), "y": np.append(low[stretch], high[stretch])} | bar)
            elif len(stretch):
                xs, ys = np.append(x[stretch], x[stretch][::-1]), np.append(high[stretch], low[stretch][::-1])
                area = {"fill": "toself", "fillcolor": faint(colour), "line": {"width": 0}, "mode": "lines", "hoverinfo": "skip"}
                self.traces.append({"type": "scatter", "x": xs, "y": ys} | area)

    def level(self, name: str, value: float) -> None:
        """A grey level across the figure; its dash says which reference it is."""
        self.shapes.append(
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": value,
                "y1": value,
                "layer": "below",
                "line": {"color": self.palette.muted, "width": 1, "dash": DASHES.get(name, "dot")},
            }
        )

    def moment(self, x: float, **style: Any) -> None:
        """A step as a vertical line."""
        drawn = {"color": self.palette.muted, "width": 1, "dash": "dot"} | style
        self.shapes.append({"type": "line", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1, "layer": "above", "line": drawn})

    def text(self, said: str, size: float = SMALL, colour: str | None = None, **place: Any) -> None:
        """Words at a place, read letter by letter."""
        font = {"size": size, "color": colour or self.palette.muted}
        self.annotations.append({"text": plain(said), "showarrow": False, "font": font} | place)

    def end_labels(self, labels: Sequence[tuple[float, str, str]], low: float, high: float, size: float = SIZE) -> None:
        """Names beside the ends of their lines, at (y, text, colour) in axis units (log10 on log axes), pushed apart where they would touch."""
        margin = self.layout["margin"]
        margin["r"] = min(176, 14 + round(0.565 * size * max((len(text) for _, text, _ in labels), default=0)))
        tall = self.layout["height"] - margin["t"] - margin["b"]
        order = sorted(range(len(labels)), key=lambda place: labels[place][0])
        room = (high - low) * (size + 2.5) / tall
        for place, y in zip(order, spread([labels[place][0] for place in order], room, low, high)):
            _, said, colour = labels[place]
            self.text(said, size, colour, xref="paper", x=1, y=y, xanchor="left", xshift=6, align="left")

    def figure(self) -> go.Figure:
        """The finished figure."""
        margin = self.layout["margin"]
        margin["l"] += 14 if self.y["title"].get("text") else 0
        margin["b"] += 14 if self.x["title"].get("text") else 0
        layout = self.layout | {"xaxis": self.x, "yaxis": self.y, "shapes": self.shapes, "annotations": self.annotations}
        return go.Figure({"data": self.traces, "layout": layout})


GAP = 0.05  # between figures in a row, as a share of the width: room for the ticks


def row(canvases: Sequence[Canvas], gap: float = GAP) -> go.Figure:
    """Several figures of one height beside each other as one: a browser draws one of four panels in half the time of four."""
    first, width = canvases[0], (1 - gap * (len(canvases) - 1)) / len(canvases)
    traces: list[dict[str, Any]] = []
    shapes: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    layout = {key: value for key, value in first.layout.items() if key != "title"}
    layout["margin"] = first.layout["margin"] | {"r": max(canvas.layout["margin"]["r"] for canvas in canvases)}
    for place, canvas in enumerate(canvases):
        number = str(place + 1) if place else ""
        x, y, start = f"x{number}", f"y{number}", place * (width + gap)
        own = {"x": x, "y": y, "paper": ""}
        traces += [trace | {"xaxis": x, "yaxis": y} for trace in canvas.traces]
        for item, kept in [(item, shapes) for item in canvas.shapes] + [(item, annotations) for item in canvas.annotations]:
            refs = {f"{axis}ref": name if own[item.get(f"{axis}ref", axis)] else f"{name} domain" for axis, name in (("x", x), ("y", y))}
            kept.append(item | refs)
        at = {"x": start, "xref": "paper", "xanchor": "left", "xshift": -38, "y": 1, "yref": "paper", "yanchor": "top", "align": "left"}
        title = canvas.layout["title"]
        head = {"text": title["text"], "font": title["font"], "yshift": first.layout["margin"]["t"] - 12, "showarrow": False}
        annotations.append(at | head)
        layout[f"xaxis{number}"] = canvas.x | {"domain": [start, start + width], "anchor": y, "automargin": False}
        layout[f"yaxis{number}"] = canvas.y | {"anchor": x, "automargin": False}
    return go.Figure({"data": traces, "layout": layout | {"shapes": shapes, "annotations": annotations}})


class Mark(NamedTuple):
    """A vertical line over a figure: its place as a share of the plot's width, and how it looks."""

    share: float
    colour: str
    width: float
    dash: str


def mark(fig: go.Figure, x: float, colour: str, width: float = 1, dash: str = "dot", axis: str = "xaxis") -> Mark:
    """The line at `x` on an axis of a figure with fixed ranges: a page lays it over the figure, so that moving it draws nothing anew."""
    own = fig.layout[axis]
    (low, high), (start, end) = own.range, own.domain or (0, 1)
    return Mark(start + (end - start) * (x - low) / (high - low), colour, width, dash)


def spread(wanted: Sequence[float], room: float, low: float, high: float) -> list[float]:
    """The ascending positions nearest to `wanted` that are `room` apart, within [low, high] as far as that has place."""
    if not wanted:
        return []
    groups: list[list[float]] = []  # of [sum of (wanted - offset), count]: neighbours that touch move as one
    for place, value in enumerate(wanted):
        groups.append([value - place * room, 1.0])
        while len(groups) > 1 and groups[-1][0] / groups[-1][1] < groups[-2][0] / groups[-2][1]:
            total, count = groups.pop()
            groups[-1][0] += total
            groups[-1][1] += count
    positions: list[float] = []
    for total, count in groups:
        positions += [total / count + (len(positions) + place) * room for place in range(int(count))]
    too_high, too_low = max(0.0, positions[-1] - high), max(0.0, low - positions[0])
    return [
        float(np.clip(value - too_high + (0 if too_high else too_low), low, high)) for value in positions
    ]  # Plotly hides what lies outside by a rounding


def doubling(largest: int) -> list[int]:
    """1, 2, 4, … up to `largest`: the ticks of a log axis that people say."""
    return [2**power for power in range(max(1, largest).bit_length())]


def powers(low: float, high: float, most: int = 5) -> tuple[list[float], list[str]]:
    """Whole powers of ten between log10 `low` and `high`, at most `most`: values and labels (1, 10⁻², …)."""
    first, last = int(np.ceil(low - 1e-9)), int(np.floor(high + 1e-9))
    stride = max(1, int(np.ceil((last - first + 1) / most)))
    exponents = range(last, first - 1, -stride)
    return [10.0**power for power in exponents], ["1" if power == 0 else f"10{str(power).translate(SUPERSCRIPTS)}" for power in exponents]


def number(value: float | None) -> str:
    """Three significant digits; shares without the leading zero (.735); a dash where there is none."""
    if value is None or not np.isfinite(value):
        return "–"
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", "\u2009")
    if 0 < abs(value) < 1e-3:
        return f"{value:.1e}"
    return (f"{value:.3f}" if 0.1 <= abs(value) < 1 else f"{value:.3g}").replace("0.", ".", 1) if 0 < abs(value) < 1 else f"{value:.3g}"
