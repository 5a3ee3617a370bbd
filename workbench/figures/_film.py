"""Films and colours as PNGs inside a figure, and maps laid over a film."""

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from workbench.figures import theme
from workbench.figures.theme import Palette

GLOW = "#F0A43A"  # one hue that is seen on black, grey and white films
OPACITY = 0.6
BAR = 48  # pixels under a film for its colour bar


def png(pixels: np.ndarray) -> str:
    """Pixels (h w) or (h w 3) uint8 as a data address."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def enlarged(pixels: np.ndarray, edge: int = 448) -> np.ndarray:
    """Each pixel as a block, so that no browser smooths it; at least `edge` wide."""
    times = max(1, -(-edge // pixels.shape[1]))
    return pixels.repeat(times, 0).repeat(times, 1)


def shades(values: np.ndarray, palette: Palette) -> np.ndarray:
    """Values (h w) in [0, 1] as colours (h w 3) uint8 from paper to ink; NaN is paper."""
    stops = np.array([[int(colour[place : place + 2], 16) for place in (1, 3, 5)] for colour in palette.heat], float)
    at = np.linspace(0, 1, len(stops))
    known = np.clip(np.nan_to_num(values), 0, 1)
    return np.stack([np.interp(known, at, stops[:, channel]) for channel in range(3)], -1).round().astype(np.uint8)


def picture(source: str, side: float) -> dict[str, Any]:
    """A PNG under the traces, over a square of `side` units."""
    at = {"xref": "x", "yref": "y", "x": 0, "y": 0, "xanchor": "left", "yanchor": "top", "sizex": side, "sizey": side}
    return at | {"source": source, "sizing": "stretch", "layer": "below"}


def framed(canvas: theme.Canvas, side: float, right: int = 8) -> None:
    """Square axes without ticks, the first row at the top."""
    bare = {"range": [0, side], "showgrid": False, "zeroline": False, "showticklabels": False, "ticks": "", "constrain": "domain"}
    canvas.x |= bare | {"constraintoward": "left"}
    canvas.y |= bare | {"range": [side, 0], "scaleanchor": "x", "constraintoward": "top"}
    canvas.layout["margin"] = {"l": 4, "r": right, "t": 52, "b": 6}


def overlay(
    film: np.ndarray,
    weights: np.ndarray,
    unit: str,
    palette: Palette,
    title: str,
    subtitle: str,
    query: int | None = None,
    clickable: bool = False,
    slider: bool = False,
    height: int = 430,
) -> go.Figure:
    """A film (h w) uint8 under a map (s s): clear where the map is 0, one hue where it is largest. `slider`: for a notebook."""
    side = len(weights)
    canvas = theme.Canvas(palette, title, subtitle, height + (62 if slider else 0))
    framed(canvas, side)
    canvas.layout["margin"]["b"] = BAR
    top = float(weights.max()) or 1.0
    bar = colour_bar(unit, palette)
    centres = np.arange(side) + 0.5
    canvas.traces.append(
        {
            "type": "heatmap", "z": weights, "x": centres, "y": centres, "zmin": 0, "zmax": top, "opacity": OPACITY, "hoverinfo": "skip",
            "colorscale": [[0, theme.faint(GLOW, 0.0)], [1, GLOW]], "colorbar": bar,
        }
    )  # fmt: skip
    rows, columns = np.divmod(np.arange(side**2), side)
    said = "row %{customdata[1]}, column %{customdata[2]}: %{customdata[3]}<extra></extra>"
    told = [[int(r * side + c), int(r + 1), int(c + 1), theme.number(float(weights[r, c]))] for r, c in zip(rows, columns)]
    more: dict[str, Any] = {"hoverinfo": None, "hovertemplate": said, "customdata": told, "marker": tile((height - 52 - BAR) / side)}
    more |= {"selected": {"marker": {"opacity": 0}}, "unselected": {"marker": {"opacity": 0}}}
    canvas.points(columns + 0.5, rows + 0.5, GLOW, **more)
    if query is not None:
        y, x = divmod(query, side)
        outline = {"color": palette.accent if palette.name == "dark" else "#4FB3BA", "width": 2.5}
        canvas.shapes.append({"type": "rect", "x0": x, "x1": x + 1, "y0": y, "y1": y + 1, "line": outline})
    canvas.layout |= {"images": [picture(png(film), side)]} | ({"clickmode": "event+select"} if clickable else {})
    if slider:
        canvas.layout["margin"]["b"] = BAR + 62
        canvas.layout["sliders"] = [opacity_slider(palette)]
    return canvas.figure()


def colour_bar(unit: str, palette: Palette) -> dict[str, Any]:
    """A thin bar under the film's left edge, wherever that ends."""
    small = {"size": theme.SMALL, "color": palette.muted}
    place = {"orientation": "h", "x": 0, "xanchor": "left", "xpad": 0, "y": 0, "yanchor": "top", "ypad": 4, "lenmode": "pixels", "len": 230}
    return place | {
        "thickness": 7,
        "outlinewidth": 0,
        "nticks": 4,
        "tickfont": small,
        "title": {"text": unit, "side": "top", "font": small},
    }


def tile(size: float) -> dict[str, Any]:
    """An unseen square that answers to the mouse."""
    return {"symbol": "square", "size": max(4.0, size), "opacity": 0, "color": GLOW}


def opacity_slider(palette: Palette) -> dict[str, Any]:
    """Changes the map's opacity in the browser."""
    steps = [{"label": f"{share:.0%}", "method": "restyle", "args": [{"opacity": share}, [0]]} for share in np.linspace(0, 1, 11)]
    return {
        "active": 6,
        "steps": steps,
        "currentvalue": {"prefix": "map "},
        "pad": {"t": BAR},
        "len": 0.8,
        "font": {"size": theme.SMALL, "color": palette.muted},
    }


def tiled(maps: np.ndarray, gap: int = 1) -> np.ndarray:
    """Maps (rows columns s s), each scaled to its own largest, side by side with NaN between them."""
    rows, columns, side, _ = maps.shape
    scaled = maps / np.maximum(maps.max((2, 3), keepdims=True), np.finfo(float).tiny)
    found = np.full((rows * (side + gap) - gap, columns * (side + gap) - gap), np.nan)
    for row in range(rows):
        for column in range(columns):
            found[row * (side + gap) : row * (side + gap) + side, column * (side + gap) : column * (side + gap) + side] = scaled[
                row, column
            ]
    return found


def numbered(count: int, most: int = 16) -> Sequence[int]:
    """Numbers that are written along an axis of `count` places."""
    return range(0, count, -(-count // most))
