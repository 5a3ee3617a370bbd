"""The targets of a contrast and the cosines of a batch, each with its top singular pair as bars along the axes."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.compared import Compared, Which, top_pair
from workbench.figures import theme
from workbench.figures.theme import LIGHT, Palette, number

SHARE, GAP = 0.84, 0.03  # of the square that the matrix takes, and between it and the bars
NAMES: dict[Which, str] = {"targets": "mass that each report should have, image by image", "cosines": "of every image with every report"}


def title(found: Compared, which: Which) -> str:
    """The largest singular value, beside what it is at most or at least."""
    pair = top_pair(found.matrix(which))
    tied = f", {pair.ties} as large" if pair.ties > 1 else ""
    most = f" of at most {len(found.keys)}" if which == "cosines" else ""
    return f"{which.capitalize()}: largest singular value {number(pair.value)}{most}{tied}"


def matrix(found: Compared, which: Which, palette: Palette = LIGHT, keys: tuple[str, ...] | None = None, height: int = 470) -> go.Figure:
    """The matrix, its left singular vector as bars beside the rows and its right one as bars above the columns.

    `keys` name the studies under the mouse; without them their numbers do, and no finding is told.
    """
    values, pair, count = found.matrix(which), top_pair(found.matrix(which)), len(found.keys)
    canvas = theme.Canvas(palette, title(found, which), f"{NAMES[which]}; {count} studies", height)
    canvas.layout["margin"] = {"l": 30, "r": 60, "t": 58, "b": 30}
    places = np.arange(count)
    low, high = min(0.0, float(values.min())), float(values.max())
    scale = [[share, colour] for share, colour in zip(np.linspace(0, 1, len(palette.heat)), palette.heat)]
    bar = {"thickness": 8, "len": SHARE, "y": 0, "yanchor": "bottom", "x": 1, "xpad": 8, "outlinewidth": 0, "nticks": 5}
    bar |= {"tickfont": {"size": theme.SMALL, "color": palette.muted}}
    heat = {
        "type": "heatmap",
        "z": values,
        "x": places,
        "y": places,
        "zmin": low,
        "zmax": high or 1.0,
        "colorscale": scale,
        "colorbar": bar,
    }
    canvas.traces.append(heat | {"customdata": said(found, values, keys), "hovertemplate": "%{customdata}<extra></extra>"})
    top = {"type": "bar", "x": places, "y": pair.right, "xaxis": "x", "yaxis": "y2", "marker": {"color": palette.series[1]}}
    side = {
        "type": "bar",
        "x": pair.left,
        "y": places,
        "xaxis": "x2",
        "yaxis": "y",
        "orientation": "h",
        "marker": {"color": palette.series[2]},
    }
    canvas.traces += [top | {"hovertemplate": "report %{x}: %{y:.3f}<extra>right vector</extra>"}]
    canvas.traces += [side | {"hovertemplate": "image %{y}: %{x:.3f}<extra>left vector</extra>"}]
    frame = {"showgrid": False, "ticks": "", "showticklabels": False, "automargin": False}
    canvas.x |= frame | {
        "range": [-0.5, count - 0.5],
        "domain": [0, SHARE],
        "title": {"text": "reports", "font": {"size": theme.SMALL}, "standoff": 6},
    }
    canvas.y |= frame | {
        "range": [count - 0.5, -0.5],
        "domain": [0, SHARE],
        "title": {"text": "images", "font": {"size": theme.SMALL}, "standoff": 6},
    }
    reach = [
        1.08 * min(0.0, *(float(v.min()) for v in (pair.left, pair.right))),
        1.08 * max(1e-9, *(float(v.max()) for v in (pair.left, pair.right))),
    ]
    bare = frame | {"zeroline": True, "zerolinecolor": palette.muted, "zerolinewidth": 1, "range": reach, "domain": [SHARE + GAP, 1]}
    canvas.layout |= {"yaxis2": bare | {"anchor": "x"}, "xaxis2": bare | {"anchor": "y"}, "bargap": 0.1}
    canvas.text("right vector: reports", colour=palette.series[1], xref="paper", x=0, xanchor="left", yref="paper", y=1, yanchor="bottom")
    canvas.text(
        "left vector", colour=palette.series[2], xref="paper", x=SHARE + GAP, xanchor="left", yref="paper", y=SHARE + GAP, yanchor="bottom"
    )
    return canvas.figure()


def said(found: Compared, values: np.ndarray, keys: tuple[str, ...] | None) -> list[list[str]]:
    """What each cell says."""
    if keys is None:
        names = [f"study {place + 1}" for place in range(len(found.keys))]
    else:
        names = [theme.plain(f"{key}: {theme.clip(each, 48) or 'no finding'}") for key, each in zip(keys, found.named)]
    return [
        [f"image of {image}<br>report of {report}<br>{number(float(value))}" for report, value in zip(names, row)]
        for image, row in zip(names, values)
    ]


def rows(found: Compared, which: Which, keys: tuple[str, ...]) -> list[dict[str, Any]]:
    """The singular pair, study by study, with what lies on its own pair."""
    pair, values = top_pair(found.matrix(which)), found.matrix(which)
    return [
        {
            "study": key,
            "left (image)": float(pair.left[row]),
            "right (report)": float(pair.right[row]),
            "with its own report": float(values[row, row]),
        }
        for row, key in enumerate(keys)
    ]
