"""Rank, offset and what a probe reads after every block of the image tower, and how alike the blocks are."""

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.depth import PROBE, Depth, Stage
from workbench.figures import across, theme
from workbench.figures.theme import LIGHT, Palette, number

HEIGHT, ROOM = 240, 0.28  # ROOM: right of the last block for names, as a share of the blocks
DRAWN = {"participation_ratio": "Directions in use", "offset": "Offset", PROBE: "What a probe reads"}
SAID = {"participation_ratio": "participation ratio", "offset": "share of energy in the mean", PROBE: "macro AUROC of a ridge"}


def panels(found: Depth, colour: str, palette: Palette = LIGHT) -> go.Figure:
    """Block by block: the run with its intervals, the untrained tower dashed, an isotropic cloud or the pixels in grey."""
    return theme.row([panel(found, name, colour, palette) for name in DRAWN if all(name in each.numbers for each in found.stages)])


def panel(found: Depth, statistic: str, colour: str, palette: Palette) -> theme.Canvas:
    """One statistic over the blocks."""
    canvas = theme.Canvas(palette, DRAWN[statistic], SAID[statistic], HEIGHT)
    x, log = np.arange(1, len(found.stages) + 1, dtype=float), statistic == "participation_ratio"
    values, low, high = read(found.stages, statistic)
    before = read(found.untrained, statistic)[0] if found.untrained else np.full(len(x), np.nan)
    ceilings = np.array([np.nan if each is None or statistic == "offset" else each for each in found.ceiling(statistic)])
    canvas.band(x, low, high, colour)
    if np.isfinite(ceilings).any():
        canvas.line(
            x, ceilings, palette.muted, "isotropic", 1.2, theme.DASHES["isotropic"], hovertemplate="isotropic %{y:.3g}<extra></extra>"
        )
    if np.isfinite(before).any():
        canvas.line(
            x, before, palette.muted, "untrained", 1.2, theme.DASHES["untrained"], hovertemplate="untrained %{y:.3g}<extra></extra>"
        )
    told = [f"block {each.name}, {each.d} wide" for each in found.stages]
    canvas.line(x, values, colour, found.tower, customdata=told, hovertemplate="%{y:.3g}<br>%{customdata}<extra></extra>")
    canvas.points(x, values, colour, 6)
    ends = [(float(values[-1]), number(float(values[-1])), colour)]
    ends += [(float(before[-1]), "untrained", palette.muted)] if np.isfinite(before[-1]) else []
    ends += [(float(ceilings[-1]), "isotropic", palette.muted)] if np.isfinite(ceilings[-1]) else []
    if statistic == PROBE and found.pixels is not None:
        canvas.line(x, np.full(len(x), found.pixels), palette.muted, "pixels", 1.2, theme.DASHES["pixels"], hoverinfo="skip")
        ends.append((found.pixels, "pixels", palette.muted))
    seen = np.concatenate([values, low, high, before, ceilings, [end for end, _, _ in ends]])
    bottom, top = extent(statistic, seen[np.isfinite(seen)], log)
    canvas.x |= {"tickvals": list(x), "ticktext": [each.name for each in found.stages], "range": [0.8, len(x) + ROOM * len(x)]}
    canvas.x["title"]["text"] = "block" if len(found.stages) > 6 else f"block ({', '.join(str(each.d) for each in found.stages)} wide)"
    canvas.y |= {"type": "log"} if log else {"nticks": 5}
    ticks = theme.doubling(int(10**top)) if log else []
    canvas.y |= {"range": [bottom, top]} | ({"tickvals": ticks[::2], "ticktext": [str(tick) for tick in ticks[::2]]} if log else {})
    for y, (_, said, shade) in zip(heights(ends, log, bottom, top), sorted(ends)):
        canvas.text(said, theme.SMALL, shade, x=len(x), y=y, xshift=7, xanchor="left", yanchor="middle")
    return canvas


def heights(ends: list[tuple[float, str, str]], log: bool, bottom: float, top: float) -> list[float]:
    """Where the names of the lines' ends stand, apart from each other."""
    wanted = sorted(float(np.log10(max(end, 1e-9))) if log else end for end, _, _ in ends)
    return theme.spread(wanted, (top - bottom) / 9, bottom, top - (top - bottom) / 9)


def extent(statistic: str, seen: np.ndarray, log: bool) -> tuple[float, float]:
    """Ends of the value axis, in log10 where it is logarithmic; 1 direction, no offset or chance stay in view."""
    if log:
        return float(np.log10(0.85)), float(np.log10(max(float(seen.max()), 2.0) * 1.5))
    floor = 0.5 if statistic == PROBE else 0.0
    bottom, top = min(floor, float(seen.min())), float(seen.max())
    room = 0.12 * max(top - bottom, 0.05)
    return bottom - room / 4, top + room


def read(stages: tuple[Stage, ...], statistic: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values and limits over the blocks, NaN where there is none."""
    found = [each.numbers.get(statistic) for each in stages]
    sides = [
        [np.nan if each is None or (value := getattr(each, side)) is None else value for each in found] for side in ("value", "low", "high")
    ]
    values, low, high = (np.array(side, float) for side in sides)
    return values, low, high


def alike(found: Depth, palette: Palette = LIGHT) -> go.Figure:
    """How alike the blocks are."""
    side = f"block of {found.tower}"
    return across.alike(found.alike, "debiased_cka", palette, "Which blocks see alike", (side, side), found.n)


def rows(found: Depth) -> list[dict[str, object]]:
    """Every statistic of every block as a table, the untrained tower beside it."""
    before = {each.name: each for each in found.untrained}
    table: list[dict[str, object]] = []
    for place, each in enumerate(found.stages):
        for name, value in each.numbers.items():
            old = before[each.name].numbers.get(name) if each.name in before else None
            head: dict[str, object] = {
                "block": each.name,
                "width": each.d,
                "statistic": name,
                "value": value.value,
                "low": value.low,
                "high": value.high,
            }
            beside = {"untrained": None if old is None else old.value, "isotropic": found.ceiling(name)[place]}
            table.append(head | beside | {"procedure": value.procedure, "why": value.why})
    return table
