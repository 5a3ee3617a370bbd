"""Colours, type and the few marks every figure is made of: so notebook, app and report look alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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


def blank(palette: Palette, title: str, subtitle: str, height: int = 330) -> go.Figure:
    """An empty figure: the finding as title, what is drawn as subtitle, horizontal hairlines only."""
    axis = {
        "color": palette.muted,
        "gridcolor": palette.hairline,
        "linecolor": palette.hairline,
        "zeroline": False,
        "tickfont": {"size": SMALL},
        "title": {"font": {"size": SMALL}, "standoff": 6},
        "automargin": True,
    }
    subtitle_font = {"size": SMALL + 0.5, "color": palette.muted, "weight": 400}
    return go.Figure(
        layout={
            "template": "none",
            "height": height,
            "margin": {"l": 8, "r": 12, "t": 62, "b": 8},
            "paper_bgcolor": palette.paper,
            "plot_bgcolor": palette.paper,
            "font": {"family": FONT, "size": SIZE, "color": palette.ink},
            "title": {
                "text": clip(title),
                "x": 0,
                "xref": "container",
                "xanchor": "left",
                "y": 1,
                "yref": "container",
                "yanchor": "top",
                "pad": {"t": 8, "l": 2},
                "font": {"size": TITLE_SIZE, "color": palette.ink, "weight": 640},
                "subtitle": {"text": clip(subtitle, 90), "font": subtitle_font},
            },
            "xaxis": axis | {"showgrid": False, "ticks": "outside", "ticklen": 3, "tickcolor": palette.hairline},
            "yaxis": axis | {"showgrid": True},
            "showlegend": False,
            "hovermode": "closest",
            "hoverlabel": {"bgcolor": palette.paper, "bordercolor": palette.hairline, "font": {"color": palette.ink, "size": SMALL}},
            "dragmode": False,
        }
    )


def line(x: np.ndarray, y: np.ndarray, colour: str, name: str = "", **more: Any) -> go.Scatter:
    """One curve."""
    style = {"color": colour, "width": more.pop("width", 2), "dash": more.pop("dash", "solid")}
    given = {"mode": "lines", "line": style, "hoverlabel": {"namelength": -1}} | more
    return go.Scatter(x=x, y=y, name=plain(name), **given)


def band(x: np.ndarray, low: np.ndarray, high: np.ndarray, colour: str) -> go.Scatter:
    """A 95 % interval as a faint area; stretches without an interval (NaN) are left open."""
    x, low, high = (np.asarray(values, float) for values in (x, low, high))
    known = np.isfinite(low) & np.isfinite(high)
    xs, ys = [], []
    for stretch in np.split(np.flatnonzero(known), np.flatnonzero(np.diff(np.flatnonzero(known)) > 1) + 1):
        xs += [*x[stretch], *x[stretch][::-1], None]
        ys += [*high[stretch], *low[stretch][::-1], None]
    return go.Scatter(x=xs, y=ys, fill="toself", fillcolor=faint(colour), line={"width": 0}, mode="lines", hoverinfo="skip")


def reference(fig: go.Figure, palette: Palette, name: str, value: float, label: str | None = None) -> None:
    """A grey level across the figure, named at its right end."""
    fig.add_shape(
        type="line",
        xref="paper",
        x0=0,
        x1=1,
        y0=value,
        y1=value,
        layer="below",
        line={"color": palette.muted, "width": 1, "dash": DASHES.get(name, "dot")},
    )
    fig.add_annotation(
        xref="paper",
        x=1,
        y=value,
        xanchor="right",
        yanchor="bottom",
        yshift=-1,
        showarrow=False,
        text=plain(label or name),
        font={"size": 10.5, "color": palette.muted},
    )


def moment(fig: go.Figure, palette: Palette, x: float) -> None:
    """The slider's position as a vertical line."""
    fig.add_shape(
        type="line",
        xref="x",
        yref="paper",
        x0=x,
        x1=x,
        y0=0,
        y1=1,
        layer="below",
        line={"color": palette.muted, "width": 1, "dash": "dot"},
    )


def end_labels(fig: go.Figure, labels: Sequence[tuple[float, str, str]], room: float, low: float, high: float) -> None:
    """Names beside the ends of their lines, at (y, text, colour) in axis units (log10 on log axes), pushed apart by `room`."""
    width = max((len(text) for _, text, _ in labels), default=0)
    fig.update_layout(margin_r=min(170, 14 + round(6.8 * width)))
    order = sorted(range(len(labels)), key=lambda place: labels[place][0])
    for place, y in zip(order, spread([labels[place][0] for place in order], room, low, high)):
        _, text, colour = labels[place]
        fig.add_annotation(
            xref="paper",
            x=1,
            y=y,
            xanchor="left",
            xshift=6,
            showarrow=False,
            align="left",
            text=plain(text),
            font={"size": SIZE, "color": colour},
        )


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
    return [value - too_high + (0 if too_high else too_low) for value in positions]


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
    return f"{value:.3f}".replace("0.", ".", 1) if 0.1 <= abs(value) < 1 else f"{value:.3g}"
