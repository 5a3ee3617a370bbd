"""A singular direction: what it orders as a forest, and its life over the looks."""

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.directions import KEPT, Direction, Directions, Life
from workbench.figures import collapse, theme, zeroshot
from workbench.figures.theme import LIGHT, Palette, number

SHOWN = 12  # rows of the forest
NAMED = 30  # characters of what it orders in a title of 60


def orders(found: Directions, at: Direction, colour: str, palette: Palette = LIGHT) -> go.Figure:
    """Factors and labels as rows, the one it orders best on top: a point and its interval, chance in view."""
    shown = at.factors[:SHOWN]
    names = [each.name for each in shown]
    told = f"concordance of its scores with 95 % intervals, {found.n} studies, step {found.step}"
    canvas = theme.Canvas(palette, title(at), told, zeroshot.HEAD + zeroshot.ROW * max(len(names), 1))
    zeroshot.rows(canvas, names)
    canvas.moment(0.5)
    hovers = [f"{each.name}, {each.n} studies" for each in shown]
    spans = [0.5, *zeroshot.drawn(canvas, [each.interval for each in shown], hovers, 0, colour, f"direction {at.place}")]
    for place, each in enumerate(shown):
        said = zeroshot.said(each.interval)
        canvas.text(said, theme.SMALL, palette.ink, xref="paper", x=1, xanchor="left", xshift=8, y=place, yref="y")
    zeroshot.across(canvas, spans, 118)
    canvas.layout["margin"]["l"] = zeroshot.margin(names or [""])
    return canvas.figure()


def title(at: Direction) -> str:
    """The finding in at most 60 characters."""
    best = at.best
    return f"Direction {at.place} orders {theme.clip(best.name, NAMED)} best" if best else f"Direction {at.place} orders nothing known"


def life(found: Directions, at: Direction, colour: str, palette: Palette = LIGHT) -> go.Figure:
    """Two panels over the looks: the share of the variance that follows its scores, and how well it is matched from look to look."""
    own, height = at.life, 250
    x, chance = collapse.position(np.array(own.steps)), found.chance
    share = theme.Canvas(palette, life_title(own), "share of variance that follows it", height)
    match = theme.Canvas(palette, "Match from look to look", "correlation; dash-dotted: turned", height)
    for canvas, values in ((share, own.share), (match, own.match)):
        told = [f"step {step}<br>{'direction ' + str(place) if place else 'no match'}" for step, place in zip(own.steps, own.place)]
        canvas.line(x, np.array(values), colour, customdata=told, hovertemplate="%{y:.3g}<br>%{customdata}<extra></extra>")
        canvas.points(x, np.array(values), colour, 5)
        canvas.x |= collapse.steps_axis(own.steps)
    turned = [place for place, step in enumerate(own.steps) if step in own.turned]
    ring = {"symbol": "circle-open", "size": 11, "color": palette.ink}
    match.points(x[turned], np.array(own.match)[turned], palette.ink, marker=ring)
    for canvas, name, value in ((share, "chance", chance[0]), (match, "chance", chance[1])):
        canvas.level(name, value)
        canvas.text(f"{name} {number(value)}", 9.5, xref="paper", x=1, y=value, xanchor="right", yanchor="bottom", borderpad=0)
    match.level("pixels", KEPT)
    share.y |= {"range": [0, 1.12 * max(*own.share, chance[0])], "nticks": 5}
    match.y |= {"range": [0, 1.05], "nticks": 5}
    for step, dash in ((own.born, "dot"), (own.died, "dash"), (found.step, "solid")):
        if step is not None:
            share.moment(float(collapse.position(step)), dash=dash)
    return theme.row([share, match])


def life_title(own: Life) -> str:
    """When it was there, in at most 40 characters: two panels stand in half a page."""
    begun = "There from the first look" if own.born == own.steps[0] else f"Born by step {own.born}"
    ended = f"gone by step {own.died}" if own.died is not None else "still there"
    return f"{begun}, {ended}"


def rows(found: Directions) -> list[dict[str, object]]:
    """The drawn numbers as a table: a row per direction and factor."""
    return [
        {
            "direction": each.place,
            "share": each.share,
            "factor": own.name,
            "concordance": own.interval.value,
            "low": own.interval.low,
            "high": own.interval.high,
            "N": own.n,
            "procedure": own.interval.procedure,
            "why": own.interval.why,
        }
        for each in found.directions
        for own in each.factors
    ]


def life_rows(found: Directions) -> list[dict[str, object]]:
    """The lives as a table: a row per direction and look."""
    return [
        {"direction": each.place, "step": step, "share": share, "matched with": place, "match": match}
        for each in found.directions
        for step, share, place, match in zip(each.life.steps, each.life.share, each.life.place, each.life.match)
    ]
