"""The film under what a word sees, and the words that a patch sees."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.crossing import Crossing
from workbench.errors import UserError
from workbench.figures import theme
from workbench.figures._film import overlay
from workbench.figures.theme import LIGHT, Palette, number

MOST = 14  # words of a patch that are drawn
FIRST = 24  # letters of a word in a title


def quoted(found: Crossing, word: int) -> str:
    """A word as titles say it."""
    return f"“{theme.clip(found.words[word], FIRST)}”"


def called(found: Crossing, word: int) -> str:
    """A word beside its bar, with its number where the report has it several times."""
    short = theme.clip(found.words[word], 13)
    return f"{short} {word + 1}" if found.words.count(found.words[word]) > 1 else short


def whose(head: int | None) -> str:
    """Of which head a map is."""
    return "mean of heads" if head is None else f"head {head + 1}"


def sharpest(found: Crossing, layer: int) -> int:
    """The word that spreads over the fewest tokens in a layer; of equal ones the first."""
    return int(found.spread(layer).argmin())


def clearest(found: Crossing, layer: int, head: int | None, word: int) -> int:
    """The patch that a word sees most."""
    return int(found.of_word(layer, head, word).argmax())


def places(
    found: Crossing, layer: int | None, head: int | None, word: str | int | None, patch: int | None
) -> tuple[int, int | None, int, int]:
    """Layer and head from 1, a word by its spelling or from 1, a patch from 0, as places; UserError where there is no such one.

    Nothing given: the last layer, the mean of the heads, the sharpest word, and the patch that it sees most.
    """
    for name, value, first, count in (
        ("layer", layer, 1, found.layers),
        ("head", head, 1, found.heads),
        ("patch", patch, 0, found.side**2),
    ):
        if value is not None and not first <= value < first + count:
            raise UserError(f"crossing: {name} {value}: there are {count}, counted from {first}; choose another")
    at, of = (found.layers if layer is None else layer) - 1, None if head is None else head - 1
    if isinstance(word, str):
        said = [each.casefold() for each in found.words]
        if word.casefold() not in said:
            raise UserError(f"crossing: no word {word!r} in this report; it has {', '.join(dict.fromkeys(found.words))}")
        chosen = said.index(word.casefold())
    elif word is not None and not 1 <= word <= len(found.words):
        raise UserError(f"crossing: word {word}: there are {len(found.words)}, counted from 1; choose another")
    else:
        chosen = sharpest(found, at) if word is None else word - 1
    return at, of, chosen, clearest(found, at, of, chosen) if patch is None else patch


def word(
    found: Crossing, layer: int, head: int | None, chosen: int, patch: int | None = None, palette: Palette = LIGHT,
    clickable: bool = False, slider: bool = False,
) -> go.Figure:  # fmt: skip
    """The film under what one word sees; `patch` is outlined."""
    seen = found.of_word(layer, head, chosen)
    subtitle = f"layer {layer + 1} of the fusion, {whose(head)}; weights on patches sum to {number(float(seen.sum()))}; step {found.step}"
    return overlay(found.film, seen, "weight", palette, f"Where {quoted(found, chosen)} looks", subtitle, patch, clickable, slider)


def patch(found: Crossing, layer: int, head: int | None, chosen: int, palette: Palette = LIGHT, height: int = 430) -> go.Figure:
    """The words that one patch sees most, the largest on top; the dotted line is equal attention."""
    seen = found.of_patch(layer, head, chosen)
    order = np.argsort(-seen, kind="stable")[:MOST]
    row, column = divmod(chosen, found.side)
    subtitle = f"layer {layer + 1}, {whose(head)}; {len(order)} of {len(seen)} words, all of them {number(float(seen.sum()))}"
    canvas = theme.Canvas(palette, f"Words that the patch in row {row + 1}, column {column + 1} sees", subtitle, height)
    canvas.layout["margin"] |= {"l": 110, "t": 72, "b": 30, "r": 50}
    level = 1 / max(1, len(seen))
    top = 1.04 * max(level, float(seen.max(initial=0.0)))
    canvas.x |= {"range": [0, top], "nticks": 5, "title": {"text": "weight", "font": {"size": theme.SMALL}, "standoff": 4}}
    canvas.y |= {"range": [max(1, len(order)) - 0.5, -0.5], "tickvals": np.arange(len(order)), "showgrid": False, "automargin": False}
    canvas.y |= {"ticktext": [theme.plain(called(found, int(each))) for each in order]}
    canvas.y["tickfont"] = {"size": theme.SIZE, "color": palette.ink}
    said = [f"{theme.plain(found.words[each])}, word {each + 1}: {number(float(seen[each]))}" for each in order]
    bar = {
        "type": "bar",
        "orientation": "h",
        "x": seen[order],
        "y": np.arange(len(order)),
        "width": 0.62,
        "marker": {"color": palette.series[2]},
    }
    canvas.traces.append(bar | {"text": said, "textposition": "none", "hovertemplate": "%{text}<extra></extra>"})
    canvas.moment(level)
    canvas.text("equal", x=level, xanchor="left", xshift=3, yref="paper", y=1, yanchor="bottom")
    return canvas.figure()


def word_rows(found: Crossing, layer: int, head: int | None, chosen: int) -> list[dict[str, Any]]:
    """The drawn weights of a word as a table."""
    seen = found.of_word(layer, head, chosen)
    return [{"row": r + 1, "column": c + 1, "weight": float(seen[r, c])} for r in range(found.side) for c in range(found.side)]


def patch_rows(found: Crossing, layer: int, head: int | None, chosen: int, spelt: bool = True) -> list[dict[str, Any]]:
    """All words that a patch sees as a table; without `spelt` by their number alone, for data whose reports may not be passed on."""
    seen = found.of_patch(layer, head, chosen)
    return [
        {"word": place + 1} | ({"spelt": each} if spelt else {}) | {"weight": float(seen[place])} for place, each in enumerate(found.words)
    ]
