"""Hidden words of a report: how likely the true one is beside its image and without it, and what is thought likelier."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.filling import CONDITIONS, EMPTY, IMAGE, OTHER, Filled
from workbench.figures import theme
from workbench.figures.theme import LIGHT, Palette, number

ROW, FRAME = 21, 118  # pixels of a hidden token, and of what stands around them
PLOT, COLUMNS = 0.27, (0.31, 0.655)  # right end of the points; where the two columns of guesses begin, as shares of the width
GUESSED = (IMAGE, EMPTY)
MARKS = {IMAGE: ("circle", 10), EMPTY: ("circle-open", 10), OTHER: ("x-thin-open", 8)}
NAMED, LETTERS = 3, 44  # guesses that are written out, and the most letters they take


def title(found: Filled) -> str:
    """How many tokens are right beside the image and without it."""
    own, empty = (int(found.right(name).sum()) for name in GUESSED)
    return f"{own} of {len(found.hidden)} hidden tokens right with the image, {empty} without" if found.hidden else "No word is hidden"


def words(found: Filled, palette: Palette = LIGHT) -> go.Figure:
    """A row a hidden token: its probability beside each image, and the likeliest tokens with the image and without."""
    count = max(1, len(found.hidden))
    canvas = theme.Canvas(
        palette, title(found), f"probability of the hidden token, and the likeliest; step {found.step}", FRAME + ROW * count
    )
    canvas.layout["margin"] |= {"l": 104, "t": 84, "b": 20, "r": 4}
    rows = np.arange(len(found.hidden))
    canvas.x |= {"range": [-0.03, 1.03], "domain": [0, PLOT], "tickvals": [0, 0.5, 1], "ticktext": ["0", ".5", "1"]}
    canvas.y |= {"range": [count - 0.5, -0.5], "tickvals": rows, "automargin": False}
    canvas.y |= {
        "ticktext": [theme.plain(theme.clip(token, 14)) for token in found.wanted],
        "tickfont": {"size": theme.SIZE, "color": palette.ink},
    }
    for name in found.conditions:
        symbol, size = MARKS[name]
        colour = palette.series[2] if name != OTHER else palette.ink
        told = [f"{theme.plain(token)} beside {name}: {number(float(p))}" for token, p in zip(found.wanted, found.truth[name])]
        marker = {"symbol": symbol, "size": size, "color": colour, "line": {"width": 1.8, "color": colour}}
        canvas.points(
            found.truth[name], rows, colour, marker=marker, hoverinfo=None, hovertemplate="%{text}<extra></extra>", text=told, name=name
        )
    canvas.text(key(found), xref="paper", x=0, xanchor="left", xshift=-100, yref="paper", y=1, yanchor="bottom", yshift=4)
    for name, left in zip(GUESSED, COLUMNS):
        canvas.text(f"beside {name}", xref="paper", x=left, xanchor="left", yref="paper", y=1, yanchor="bottom", yshift=4)
        for row in rows:
            right = bool(found.right(name)[row])
            said = guesses(found, name, int(row))
            canvas.text(said, theme.SIZE, palette.ink if right else palette.muted, xref="paper", x=left, xanchor="left", y=int(row))
    return canvas.figure()


def key(found: Filled) -> str:
    """Which mark is which."""
    signs = {IMAGE: "●", EMPTY: "○", OTHER: "×"}
    return "   ".join(f"{signs[name]} {name}" for name in found.conditions)


def guesses(found: Filled, condition: str, row: int) -> str:
    """The likeliest tokens for one hidden one; a tick marks it where it is the first."""
    pairs = zip(found.best[condition][row][:NAMED], found.chances[condition][row])
    said = "   ".join(f"{theme.clip(token, 12)} {float(p):.2f}".replace(" 0.", " .") for token, p in pairs)
    return ("✓ " if found.right(condition)[row] else "") + theme.clip(said, LETTERS)


def rows(found: Filled, spelt: bool = True) -> list[dict[str, Any]]:
    """The drawn numbers; without `spelt` no word is in them, for data whose reports may not be passed on."""
    listed: list[dict[str, Any]] = []
    for row, place in enumerate(found.hidden):
        each: dict[str, Any] = {"token": place + 1} | ({"hidden": found.wanted[row]} if spelt else {})
        for name in found.conditions:
            each[f"probability beside {name}"] = float(found.truth[name][row])
            each[f"right beside {name}"] = int(found.right(name)[row])
            each |= {f"likeliest beside {name}": found.best[name][row][0]} if spelt else {}
        listed.append(each)
    return listed


def legend(names: Sequence[str] = CONDITIONS) -> str:
    """What the conditions are, as Markdown."""
    said = {
        IMAGE: "the film of this study",
        EMPTY: "a film of one middle grey, which no training showed",
        OTHER: "the film of the next study of another patient, as clear as any but the wrong one",
    }
    return " ".join(f"*{name}*: {said[name]}." for name in names)
