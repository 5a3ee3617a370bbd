"""The pictures of the gallery: the figures of the app where they fit, rows and sorted values otherwise; beside them every reading and the bound."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from tests.gallery.entry import LINES, Entry, Part
from tests.gallery.kinds import Kind
from tests.gallery.pairs import layers
from tests.toys.histories import IMAGE
from workbench.analysis._interval import Interval
from workbench.analysis.across import Grid
from workbench.analysis.looks import History, Overlay, RunSpectrum, Trajectory
from workbench.analysis.modality import closing
from workbench.analysis.retrieval import Retrieval
from workbench.analysis.sentinel import Look
from workbench.analysis.similarity import similarity_matrix
from workbench.analysis.spectra import isotropic_spectrum
from workbench.analysis.towers import RECALL, Moved, Towers
from workbench.figures import across, collapse, spectra, theme, towers, zeroshot
from workbench.figures.theme import LIGHT, number

WIDTH, HEIGHT, READINGS = 900, 270, 300
SLOTS = {"healthy": 2, "broken": 0, "fooled": 1}
STATISTICS = ("participation_ratio", "feature_std", "uncentred_rank")
LINEAR = 8  # places up to which their axis is linear
ORDERED = {  # title and what is drawn
    "coherence": ("What every row owns", "leverage of a row beside the mean one, largest first"),
    "hubness": ("How often a row is an answer", "times among the 10 nearest of other rows, most asked first"),
    "orthogonality_residual": ("How columns repeat each other", "squared correlation of a pair of columns, largest first"),
    "cross_spectrum": ("What images and reports share", "singular values of the cross-covariance beside the largest"),
    "principal_angles": ("Angles between main axes", "degrees, largest first"),
}


class Panel(NamedTuple):
    """A figure and how many pixels it takes."""

    figure: go.Figure
    width: int


def picture(entry: Entry) -> list[list[Panel]]:
    """Lines of panels: the two examples, then all readings."""
    draw = {"spectra": over, "rows": rows, "sorted": ordered, "alike": matrix, "closing": closed}[entry.drawing]
    first, *others = draw(entry)
    return [[*first, Panel(readings(entry), READINGS)], *others]


def readings(entry: Entry) -> go.Figure:
    """A row a case: the reading, beside the bound (solid, its broken side shaded) and what an isotropic cloud or chance gives (dotted)."""
    names = list(entry.cases)
    values = [entry.value(name) for name in names]
    known = {reference for name in names if (reference := entry.reference(name)) is not None}
    dotted = f"; dotted: {'chance' if entry.module == 'similarity' else 'isotropic'}" if known else ""
    canvas = theme.Canvas(LIGHT, "Readings", f"broken {entry.alarm} {number(entry.bound)}, the line{dotted}", HEIGHT)
    spans = [*values, *known, entry.bound]
    zeroshot.rows(canvas, names)
    reach = 0.12 * (max(spans) - min(spans))
    low, high = min(spans) - reach, max(spans) + reach
    edge = low if entry.alarm == "below" else high
    shade = {"type": "rect", "x0": entry.bound, "x1": edge, "yref": "paper", "y0": 0, "y1": 1, "layer": "below", "line": {"width": 0}}
    canvas.shapes.append(shade | {"fillcolor": theme.faint(LIGHT.of(SLOTS["broken"]), 0.08)})
    canvas.moment(entry.bound, dash="solid")
    for reference in known:
        canvas.moment(reference, dash=theme.DASHES["isotropic"])
    for place, (name, value) in enumerate(zip(names, values)):
        canvas.points(np.array([value]), np.array([place]), LIGHT.of(SLOTS[name]), 9)
        canvas.text(number(value), theme.SIZE, LIGHT.ink, xref="paper", x=1, xanchor="left", xshift=8, y=place, yref="y")
    canvas.x |= {"range": [low, high], "nticks": 4}
    canvas.layout["margin"] |= {"l": zeroshot.margin(names), "r": 64}
    return canvas.figure()


def said(figure: go.Figure, *gone: str) -> go.Figure:
    """A figure of the app without words that speak of a slider or a step."""
    for words in gone:
        figure.layout.title.text = figure.layout.title.text.replace(words, "")
    return figure


def over(entry: Entry) -> list[list[Panel]]:
    """Spectra of all cases of one width over each other, relative to the largest value."""
    assert entry.seen is not None
    first = np.asarray(entry.healthy.given[0])
    n, d = first.shape
    found = {name: np.asarray(entry.seen(*case.given)) for name, case in entry.cases.items()}
    own = [RunSpectrum(name, name, 0, 0, values) for name, values in found.items() if len(values) == d]
    seen = Overlay(0, n, d, None, tuple(own), isotropic_spectrum(n, d).values, None)
    return [[Panel(said(spectra.overlay(seen, SLOTS, LIGHT, "Spectra", HEIGHT), ", step 0"), WIDTH - READINGS)]]


def rows(entry: Entry) -> list[list[Panel]]:
    """The healthy and the broken rows in one frame, the origin marked."""
    assert entry.seen is not None
    parts = {name: entry.seen(*entry.cases[name].given) for name in ("healthy", "broken")}
    every = np.concatenate([np.zeros((1, 2)), *(part.xy for own in parts.values() for part in own)])
    low, high = np.nanmin(every, 0), np.nanmax(every, 0)
    middle, reach = (high + low) / 2, 0.56 * float((high - low).max())
    return [[Panel(scatter(name, entry, own, middle, reach), (WIDTH - READINGS) // 2) for name, own in parts.items()]]


def scatter(name: str, entry: Entry, parts: Sequence[Part], middle: np.ndarray, reach: float) -> go.Figure:
    """One cloud in its frame."""
    canvas = theme.Canvas(LIGHT, f"{name.capitalize()}: {number(entry.value(name))}", theme.clip(entry.cases[name].said, 46), HEIGHT)
    for part in parts:
        colour = LIGHT.of(part.slot)
        if part.symbol == LINES:
            canvas.line(part.xy[:, 0], part.xy[:, 1], LIGHT.muted, width=0.8, opacity=0.6)
            continue
        marker = {"color": colour, "size": 5, "opacity": 0.55, "symbol": part.symbol, "line": {"width": 0}}
        canvas.points(part.xy[:, 0], part.xy[:, 1], colour, marker=marker)
    canvas.points(
        np.zeros(1), np.zeros(1), LIGHT.ink, marker={"symbol": "cross-thin", "size": 13, "line": {"width": 1.4, "color": LIGHT.ink}}
    )
    bare = {"showticklabels": False, "ticks": "", "showgrid": False, "zeroline": False, "constrain": "domain"}
    canvas.x |= bare | {"range": [middle[0] - reach, middle[0] + reach]}
    canvas.y |= bare | {"range": [middle[1] - reach, middle[1] + reach], "scaleanchor": "x"}
    canvas.layout["margin"] |= {"l": 8, "r": 8, "b": 8}
    return canvas.figure()


def ordered(entry: Entry) -> list[list[Panel]]:
    """Values of all cases, largest first, on one axis."""
    assert entry.seen is not None
    canvas = theme.Canvas(LIGHT, ORDERED[entry.name][0], ORDERED[entry.name][1], HEIGHT)
    found = {name: np.asarray(entry.seen(*case.given), float) for name, case in entry.cases.items()}
    for name, values in found.items():
        canvas.line(np.arange(1, len(values) + 1), values, LIGHT.of(SLOTS[name]), name)
    top = max(float(values.max()) for values in found.values())
    low, high = -0.03 * top, 1.08 * top
    longest = max(map(len, found.values()))
    ticks = theme.doubling(longest)[:: 2 if longest > 64 else 1]
    canvas.x |= {"type": "log" if longest > LINEAR else "linear", "tickvals": ticks, "ticktext": [str(tick) for tick in ticks]}
    canvas.y |= {"range": [low, high], "nticks": 5}
    canvas.x["title"]["text"] = "place"
    canvas.end_labels([(float(values[-1]), name, LIGHT.of(SLOTS[name])) for name, values in found.items()], low, high)
    return [[Panel(canvas.figure(), WIDTH - READINGS)]]


def matrix(entry: Entry) -> list[list[Panel]]:
    """A layer, itself turned, with noise, and an unrelated one: every pair beside chance."""
    every = layers()
    found = similarity_matrix(list(every.values()), entry.name)  # type: ignore[arg-type]
    grid = Grid(tuple(every), tuple(every), found.values, found.chance)
    figure = across.alike(grid, entry.name, LIGHT, "Four layers with each other", ("", ""), found.n)
    figure.update_layout(height=HEIGHT)
    return [[Panel(figure, WIDTH - READINGS)]]


def closed(entry: Entry) -> list[list[Panel]]:
    """The figure of the page for the healthy towers, under it for the broken ones."""
    return [[Panel(amounts(name, entry), WIDTH - READINGS)] for name in ("healthy", "broken")]


def amounts(name: str, entry: Entry) -> go.Figure:
    """Gap and retrieval over the share of the mean difference that is removed."""
    x, y = entry.cases[name].given
    patients = [str(row) for row in range(len(x))]
    found = closing(x, y, patients, resamples=100)
    moved = tuple(Moved(each.amount, each.gap, at(each.forth), at(each.back), None) for each in found)
    seen = Towers(name, 0, *x.shape, len(x), 0, (), moved, (found[0].forth.chance[RECALL], found[0].back.chance[RECALL]), None, "")
    figure = towers.closing(seen, LIGHT.of(SLOTS[name]), LIGHT)
    return figure.update_layout(height=HEIGHT)


def at(found: Retrieval) -> Interval:
    """Recall at a few, with its interval."""
    return found.recall[RECALL]


def trajectory(name: str, statistic: str, looks: Sequence[Look]) -> Trajectory:
    """One statistic of a history, as the page draws it."""
    of = {
        "participation_ratio": lambda look: look.rank,
        "feature_std": lambda look: look.std,
        "uncentred_rank": lambda look: look.uncentred,
    }
    steps, values = np.array([look.step for look in looks]), np.array([of[statistic](look) for look in looks])
    nothing = np.full(len(looks), np.nan)
    return Trajectory(name, name, statistic, looks[-1].n, looks[-1].d, steps, values, nothing, nothing, {}, "", "")


def of_kind(kind: Kind) -> list[list[Panel]]:
    """Lines of panels: rank, scale and rank with the mean of both histories, what stands beside, and for lost directions all spectra."""
    own = {name: [look for look in kind.cases[name].looks if look.feature == IMAGE] for name in ("healthy", "broken")}
    panels = [
        collapse.draw([trajectory(name, statistic, looks) for name, looks in own.items()], None, SLOTS, LIGHT) for statistic in STATISTICS
    ]
    for place, name in enumerate(own):
        canvas, at_left = panels[0], {"xref": "paper", "x": 0.02, "yref": "paper", "xanchor": "left", "yanchor": "bottom"}
        canvas.text(name, theme.SIZE, LIGHT.of(SLOTS[name]), y=0.02 + 0.12 * (1 - place), **at_left)
    panels.append(beside(kind, own))
    lines = [[Panel(theme.row(panels), WIDTH)]]
    if kind.name == "dimensional":
        found = [
            History(name, name, np.array([look.step for look in looks]), np.array([look.spectrum for look in looks]))
            for name, looks in own.items()
        ]
        figure = spectra.heat(found, None, SLOTS, LIGHT, "Singular values over training", HEIGHT)
        lines.append([Panel(said(figure, "; the line is the slider"), WIDTH)])
    return lines


def beside(kind: Kind, own: dict[str, list[Look]]) -> theme.Canvas:
    """Of the broken history: the classes, the feature that held, or the probe of both."""
    height = 226
    if kind.beside == "classes":
        canvas = theme.Canvas(LIGHT, "Scale of each class", "over that of all rows, broken", height)
        names = list(own["broken"][-1].classes or {})
        curves = [
            (name, LIGHT.of(SLOTS["broken"]), [(look.classes or {})[name].std / look.std for look in own["broken"]]) for name in names
        ]
    elif kind.beside:
        tower = "reports" if kind.beside.startswith("text") else "backbone"
        canvas = theme.Canvas(LIGHT, f"The {tower} beside", "participation ratio, broken", height)
        held = [look.rank for look in kind.broken.looks if look.feature == kind.beside]
        curves = [(tower, LIGHT.of(SLOTS["broken"]), held)]
    else:
        canvas = theme.Canvas(LIGHT, "Away from the origin", "|mean| over the spread", height)
        curves = [(name, LIGHT.of(SLOTS[name]), [look.away for look in looks]) for name, looks in own.items()]
    steps = [look.step for look in own["broken"]]
    for name, colour, values in curves:
        canvas.line(collapse.position(np.array(steps)), np.array(values), colour, name)
    top = max(max(values) for _, _, values in curves)
    canvas.x |= collapse.steps_axis(steps)
    canvas.y |= {"range": [-0.03 * top, 1.1 * top], "nticks": 5}
    return canvas
