"""Where a head looks, all heads of all layers, and what reaches the last layer, over the film."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.attention import FUSIONS, Attention, Colouring, Fusion, colours, rollout, seen_from, side_of
from workbench.errors import UserError
from workbench.figures import theme
from workbench.figures._film import enlarged, framed, numbered, overlay, picture, png, shades, tile, tiled
from workbench.figures.theme import LIGHT, Palette, number

UNITS = {"entropy": "entropy, nats", "distance": "distance, patches"}
NAMED = {"entropy": "How sharply each head looks", "distance": "How far each head looks"}


def where(query: int | None, found: Attention) -> str:
    """What a query is called."""
    if query is None:
        return "the class token" if found.prefix else "all patches"
    row, column = divmod(query, found.side)
    return f"patch row {row + 1}, column {column + 1}"


def places(found: Attention, layer: int | None, head: int | None, patch: int | None) -> tuple[int, int | None, int | None]:
    """Layer and head as people count them, from 1 (None: the last layer, the mean of the heads), as places; UserError beyond the last."""
    for name, value, count in (
        ("layer", layer, found.layers),
        ("head", head, found.heads),
        ("patch", None if patch is None else patch + 1, found.side**2),
    ):
        if value is not None and not 1 <= value <= count:
            raise UserError(
                f"attention: {name} {value if name != 'patch' else patch}: there are {count}, counted from {int(name != 'patch')}; choose another"
            )
    return (found.layers if layer is None else layer) - 1, None if head is None else head - 1, patch


def weights(found: Attention, layer: int, head: int | None, query: int | None) -> np.ndarray:
    """What a query sees on the patches (s s) in one layer, of one head or of their mean."""
    rows = np.asarray(found.maps[layer], np.float64)
    return seen_from(rows.mean(0) if head is None else rows[head], query, found.prefix).reshape(found.side, found.side)


def look(
    found: Attention,
    layer: int,
    head: int | None,
    query: int | None,
    palette: Palette = LIGHT,
    clickable: bool = False,
    slider: bool = False,
) -> go.Figure:
    """The film under what one head sees."""
    who = "mean of heads" if head is None else f"head {head + 1}"
    seen = weights(found, layer, head, query)
    title = f"Layer {layer + 1}, {who}: from {where(query, found)}"
    subtitle = f"softmax weights on {found.side} x {found.side} patches, sum {number(float(seen.sum()))}; step {found.step}"
    return overlay(found.film, seen, "weight", palette, title, subtitle, query, clickable, slider)


def rolled(found: Attention, query: int | None, fusion: Fusion, discard: float, palette: Palette = LIGHT, height: int = 330) -> go.Figure:
    """The film under what reaches a token after the last layer."""
    seen = seen_from(rollout(found.maps, fusion, discard), query, found.prefix).reshape(found.side, found.side)
    cut = f", smallest {discard:.0%} of each row cut" if discard else ""
    title = f"Rollout: what reaches {where(query, found)}"
    return overlay(
        found.film,
        seen,
        "share",
        palette,
        title,
        f"{FUSIONS[fusion]}{cut}; share of patches {number(float(seen.sum()))}",
        query,
        height=height,
    )


def grid(found: Attention, query: int | None, layer: int, head: int | None, palette: Palette = LIGHT) -> go.Figure:
    """Small maps of all heads (rows) and layers (columns); a click chooses one."""
    seen = seen_from(found.maps, query, found.prefix)
    maps = seen.reshape(found.layers, found.heads, found.side, found.side).swapaxes(0, 1)
    canvas = theme.Canvas(
        palette, f"Every head, from {where(query, found)}", "small maps, each scaled to its own largest weight", tall(found)
    )
    place(canvas, found, layer, head)
    drawn = shades(tiled(maps), palette)
    canvas.layout["images"] = [picture(png(enlarged(drawn, 900)), 1) | {"sizex": found.layers, "sizey": found.heads}]
    answer(canvas, found)
    return canvas.figure()


def heads(found: Attention, statistic: str, layer: int, head: int | None, palette: Palette = LIGHT) -> go.Figure:
    """A statistic of all heads (rows) and layers (columns); a click chooses one."""
    values, (name, level) = found.statistic(statistic), found.levels(statistic)
    of = "queries" if statistic == "entropy" else "patches"
    unit = in_mm(found, level) if statistic == "distance" else ", 0 where one token has all"
    canvas = theme.Canvas(palette, NAMED[statistic], f"mean over {of}; {name} = {number(level)}{unit}", tall(found))
    place(canvas, found, layer, head)
    bar = {"thickness": 8, "len": 1, "outlinewidth": 0, "xpad": 6, "nticks": 4, "tickfont": {"size": theme.SMALL, "color": palette.muted}}
    bar |= {"title": {"text": UNITS[statistic], "side": "right", "font": {"size": theme.SMALL, "color": palette.muted}}}
    scale = [[share, colour] for share, colour in zip(np.linspace(0, 1, len(palette.heat)), palette.heat)]
    at = {"x": np.arange(found.layers) + 0.5, "y": np.arange(found.heads) + 0.5, "xgap": 1, "ygap": 1, "hoverinfo": "skip"}
    top = max(level, float(values.max()))
    canvas.traces.append({"type": "heatmap", "z": values.T, "zmin": 0, "zmax": top, "colorscale": scale, "colorbar": bar} | at)
    answer(canvas, found)
    return canvas.figure()


def in_mm(found: Attention, patches: float) -> str:
    """A distance in mm, where the film's spacing is known."""
    return f" ({number(patches * found.patch_mm)} mm)" if found.patch_mm else ""


def tall(found: Attention) -> int:
    """Height at which the cells of half a page's width are about square."""
    return int(np.clip(96 + 400 * found.heads / found.layers, 190, 560))


def place(canvas: theme.Canvas, found: Attention, layer: int, head: int | None) -> None:
    """Axes of layers and heads, the chosen one outlined."""
    framed(canvas, 1, right=66)
    canvas.layout["margin"] |= {"l": 34, "b": 36}
    for axis, count, name in ((canvas.y, found.heads, "head"), (canvas.x, found.layers, "layer")):
        ticks = [each + 0.5 for each in numbered(count)]
        axis |= {"showticklabels": True, "tickvals": ticks, "ticktext": [str(int(each + 0.5)) for each in ticks]}
        axis["title"] = {"text": name, "font": {"size": theme.SMALL}, "standoff": 4}
    canvas.x["range"], canvas.y["range"] = [0, found.layers], [found.heads, 0]
    first, high = (0, found.heads) if head is None else (head, 1)
    outline = {"color": canvas.palette.series[0], "width": 2}
    canvas.shapes.append({"type": "rect", "x0": layer, "x1": layer + 1, "y0": first, "y1": first + high, "line": outline})


def answer(canvas: theme.Canvas, found: Attention) -> None:
    """Unseen squares over all layers and heads: they say the numbers and can be clicked."""
    layer, head = np.divmod(np.arange(found.layers * found.heads), found.heads)
    entropy, distance = found.entropy, found.distance
    told = [
        [
            *(int(l), int(h), int(l) + 1, int(h) + 1, number(entropy[l, h]), number(float(np.exp(entropy[l, h])))),
            number(distance[l, h]) + " patches" + in_mm(found, distance[l, h]),
        ]
        for l, h in zip(layer, head)
    ]
    said = "layer %{customdata[2]}, head %{customdata[3]}<br>entropy %{customdata[4]} nats: %{customdata[5]} tokens<br>looks %{customdata[6]} far<extra></extra>"
    more: dict[str, Any] = {
        "hoverinfo": None,
        "hovertemplate": said,
        "customdata": told,
        "marker": tile(400 / max(found.layers, found.heads)),
    }
    more |= {"selected": {"marker": {"opacity": 0}}, "unselected": {"marker": {"opacity": 0}}}
    canvas.points(layer + 0.5, head + 0.5, canvas.palette.ink, **more)
    canvas.layout["clickmode"] = "event+select"


def depth(found: Attention, statistic: str, palette: Palette = LIGHT, height: int = 250) -> go.Figure:
    """A statistic over the layers: heads as dots, their mean as a line, the untrained network dashed."""
    values, untrained, (name, level) = found.statistic(statistic), found.untrained[statistic], found.levels(statistic)
    title = {"entropy": "How sharply, layer by layer", "distance": "How far, layer by layer"}[statistic]
    canvas = theme.Canvas(palette, title, f"{UNITS[statistic]}: heads as dots, line their mean", height)
    x = np.arange(found.layers) + 1
    canvas.points(np.repeat(x, found.heads), values.ravel(), palette.series[2], 5, opacity=0.45)
    said = "layer %{x}: %{y:.3g}<extra></extra>"
    canvas.line(x, values.mean(1), palette.series[2], hovertemplate=said)
    canvas.line(x, untrained.mean(1), palette.muted, "untrained", 1.5, theme.DASHES["untrained"], hovertemplate=said)
    canvas.level("isotropic", level)
    top = 1.06 * max(level, float(values.max()), float(untrained.max()))
    ends = [
        (values.mean(1)[-1], "trained", palette.series[2]),
        (untrained.mean(1)[-1], "untrained", palette.muted),
        (level, name, palette.muted),
    ]
    canvas.end_labels(ends, 0, top)
    canvas.x |= {"range": [0.7, found.layers + 0.3], "tickvals": [int(each) + 1 for each in numbered(found.layers)]}
    canvas.x["title"]["text"] = "layer"
    canvas.y |= {"range": [0, top]}
    return canvas.figure()


def patches(tokens: np.ndarray, by: Colouring, palette: Palette = LIGHT, height: int = 330) -> go.Figure:
    """Patch tokens of the last layer in three colours: equal colours are equal directions, in every image."""
    side = side_of(len(tokens))
    rgb = (colours(tokens, by) * 255).round().astype(np.uint8).reshape(side, side, 3)
    said = f"{by.images} images share them; explain {', '.join(f'{each:.0%}' for each in by.explained)} of the variance"
    canvas = theme.Canvas(palette, "Patch tokens in three principal colours", said, height)
    framed(canvas, side)
    canvas.layout["images"] = [picture(png(enlarged(rgb)), side)]
    return canvas.figure()


def look_rows(found: Attention, layer: int, head: int | None, query: int | None) -> list[dict[str, Any]]:
    """The drawn weights as a table."""
    seen = weights(found, layer, head, query)
    return [{"row": r + 1, "column": c + 1, "weight": float(seen[r, c])} for r in range(found.side) for c in range(found.side)]


def head_rows(found: Attention) -> list[dict[str, Any]]:
    """Entropy and distance of every head beside the untrained network's."""
    entropy, distance = found.entropy, found.distance
    return [
        {
            "layer": l + 1, "head": h + 1, "entropy": float(entropy[l, h]), "entropy untrained": float(found.untrained["entropy"][l, h]),
            "distance": float(distance[l, h]), "distance untrained": float(found.untrained["distance"][l, h]),
            "distance mm": float(distance[l, h] * found.patch_mm) if found.patch_mm else None,
        }
        for l in range(found.layers) for h in range(found.heads)
    ]  # fmt: skip


def rollout_rows(found: Attention, query: int | None, fusion: Fusion, discard: float) -> list[dict[str, Any]]:
    """The rolled-out shares as a table."""
    seen = seen_from(rollout(found.maps, fusion, discard), query, found.prefix)
    return [{"row": at // found.side + 1, "column": at % found.side + 1, "share": float(share)} for at, share in enumerate(seen)]


def patch_rows(tokens: np.ndarray, by: Colouring) -> list[dict[str, Any]]:
    """The three colours of every patch, 0 to 1."""
    rgb, side = colours(tokens, by), side_of(len(tokens))
    return [
        {"row": at // side + 1, "column": at % side + 1, "first": float(r), "second": float(g), "third": float(b)}
        for at, (r, g, b) in enumerate(rgb)
    ]
