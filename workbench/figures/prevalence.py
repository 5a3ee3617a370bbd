"""How common findings are, and which come together."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.prevalence import Prevalence, Together
from workbench.figures import theme
from workbench.figures.theme import LIGHT, Palette
from workbench.figures.zeroshot import HEAD, ROW, across, drawn, legend, margin, rows

SEEN, MORE = 10, 1.2  # studies with both, and times as common, from which on a pair is named in the title
SPLITS = {"train": "train", "val": "validation", "test": "test"}


def shares(found: Sequence[Prevalence], palette: Palette = LIGHT, title: str = "") -> go.Figure:
    """Labels as rows, the commonest on top; a point and its interval for each split."""
    splits = list(dict.fromkeys(each.split for each in found))
    held = {(each.label, each.split): each for each in found}
    names = sorted({each.label for each in found}, key=lambda name: -max(_value(held[name, split]) for split in splits))
    canvas = theme.Canvas(palette, title, "share of the studies that state it, 95 % intervals over patients", HEAD + ROW * len(names))
    rows(canvas, names)
    spans: list[float] = [0.0]
    for number, split in enumerate(splits):
        shift = (number - (len(splits) - 1) / 2) * 0.24
        intervals = [held[name, split].share for name in names]
        spans += drawn(canvas, intervals, names, shift, palette.series[2 + number], SPLITS.get(split, split))
    named = {SPLITS.get(split, split): split for split in splits}
    legend(canvas, named, {name: 2 + number for number, name in enumerate(named)}, {})
    canvas.annotations[-1]["text"] = canvas.annotations[-1]["text"].partition(f"<span style='color:{palette.muted}'>")[0]
    across(canvas, spans, 24)
    canvas.layout["margin"]["l"] = margin(names)
    return canvas.figure()


def _value(each: Prevalence) -> float:
    return each.share.value if np.isfinite(each.share.value) else 0.0


def shares_title(found: Sequence[Prevalence]) -> str:
    """The commonest label of any split."""
    known = [each for each in found if np.isfinite(each.share.value)]
    if not known:
        return "No label is stated in any study"
    most = max(known, key=_value)
    return f"{theme.clip(most.label.capitalize(), 28)} is the commonest: {100 * _value(most):.0f} % of {SPLITS.get(most.split, most.split)}"


def share_rows(found: Sequence[Prevalence]) -> list[dict[str, object]]:
    """The same as a table."""
    return [
        {
            "label": each.label,
            "split": each.split,
            "share of studies": each.share.value,
            "low": each.share.low,
            "high": each.share.high,
            "patients with it": each.positive,
            "patients stated": each.stated,
            "studies stated": each.studies,
            "interval": each.share.procedure if each.share.low is not None else each.share.why,
        }
        for each in found
    ]


def pairs(found: Together, palette: Palette = LIGHT, title: str = "") -> go.Figure:
    """How often the column's label is present where the row's is; its own share stands at the foot of each column."""
    names = [theme.plain(theme.clip(name, 18)) for name in found.labels]
    count = len(names)
    canvas = theme.Canvas(
        palette, title, "share of the studies with the row's finding that have the column's too", HEAD + ROW * (count + 1)
    )
    z = np.vstack([np.where(np.eye(count, dtype=bool), np.nan, found.share), found.alone[None]])
    told = [["" if not np.isfinite(value) else theme.number(value) for value in row] for row in z]
    hover = [
        [
            f"{names[column]} in {found.studies[row, column]} of {found.of[row, column]} studies with {names[row]}"
            if row < count
            else f"{names[column]} in {theme.number(found.alone[column])} of all studies that state it"
            for column in range(count)
        ]
        for row in range(count + 1)
    ]
    canvas.traces.append(
        {
            "type": "heatmap",
            "z": z,
            "zmin": 0.0,
            "zmax": min(1.0, 1.5 * float(np.nanmax(z))) if np.isfinite(z).any() else 1.0,
            "colorscale": [[place / 4, colour] for place, colour in enumerate(palette.heat)],
            "showscale": False,
            "text": told if count <= 10 else [[""] * count] * (count + 1),
            "texttemplate": "%{text}",
            "textfont": {"size": theme.SMALL},
            "customdata": hover,
            "hovertemplate": "%{customdata}<extra></extra>",
            "xgap": 1,
            "ygap": 1,
        }
    )
    canvas.x |= {"tickvals": list(range(count)), "ticktext": names, "ticks": "", "tickangle": -35}
    canvas.y |= {
        "tickvals": list(range(count + 1)),
        "ticktext": [*names, "<b>all studies</b>"],
        "range": [count + 0.5, -0.5],
        "showgrid": False,
    }
    canvas.layout["margin"] |= {"l": margin(["all studies", *names]), "b": 64}
    return canvas.figure()


def pairs_title(found: Together) -> str:
    """The pair, seen ten times at least, that occurs together most above the column's own share."""
    with np.errstate(invalid="ignore", divide="ignore"):
        lift = np.where((found.studies >= SEEN) & ~np.eye(len(found.labels), dtype=bool), found.share / found.alone, 0.0)
    if not lift.size or lift.max() < MORE:
        return "No two findings come together much more than alone"
    row, column = np.unravel_index(int(lift.argmax()), lift.shape)
    return (
        f"{theme.clip(found.labels[column].capitalize(), 16)} is {lift.max():.1f} times as common with {theme.clip(found.labels[row], 16)}"
    )


def pair_rows(found: Together) -> list[dict[str, object]]:
    """The same as a table, a row a pair."""
    return [
        {
            "with": one,
            "label": other,
            "share": found.share[row, column],
            "studies": int(found.studies[row, column]),
            "of": int(found.of[row, column]),
            "in all studies": found.alone[column],
        }
        for row, one in enumerate(found.labels)
        for column, other in enumerate(found.labels)
        if row != column
    ]
