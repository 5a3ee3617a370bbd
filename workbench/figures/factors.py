"""What can still be read from a feature as a forest: a row per factor, with interval, pixels, untrained network and chance in view."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from workbench.analysis._interval import withheld
from workbench.analysis.factors import CHANCE, Probes, Reading
from workbench.figures import theme, zeroshot
from workbench.figures.theme import LIGHT, Palette, number

RIGHT, NARROW = 218, 24  # pixels beside the plot: for value and direction, or for nothing
NAMED = 20  # characters of a run's name in a title of 60


def forest(every: Mapping[str, Probes], slots: Mapping[str, int], palette: Palette = LIGHT, title: str = "") -> go.Figure:
    """Factors as rows, the best read of the first run on top; a point and its interval for each run, hollow marks for its references."""
    first = next(iter(every.values()))
    names = [each.factor for each in first.readings]
    canvas = theme.Canvas(palette, title, subtitle(first), zeroshot.HEAD + zeroshot.ROW * max(len(names), 1))
    zeroshot.rows(canvas, names)
    canvas.moment(CHANCE)
    spans = [CHANCE]
    for reference, of in first.references.items():
        for place, name in enumerate(names):
            if np.isfinite(value := of[name].interval.value):
                zeroshot.symbol(canvas, value, place, reference)
                spans.append(value)
    for order, (label, found) in enumerate(every.items()):
        own = {each.factor: each for each in found.readings}
        shift = (order - (len(every) - 1) / 2) * min(0.26, 0.7 / len(every))
        intervals = [own[name].interval if name in own else withheld(np.nan, "not a factor of its data") for name in names]
        hovers = [f"{name}, {own[name].n} studies, {along(own[name])}" if name in own else name for name in names]
        spans += zeroshot.drawn(canvas, intervals, hovers, shift, palette.of(slots.get(label, order)), label)
    if len(every) == 1:
        for place, each in enumerate(first.readings):
            said = f"{zeroshot.said(each.interval)}  {along(each)}"
            canvas.text(said, theme.SMALL, palette.ink, xref="paper", x=1, xanchor="left", xshift=8, y=place, yref="y")
    zeroshot.legend(canvas, every, slots, ("chance", *first.references))
    zeroshot.across(canvas, spans, RIGHT if len(every) == 1 else NARROW)
    canvas.layout["margin"]["l"] = zeroshot.margin(names or [""])
    return canvas.figure()


def subtitle(found: Probes) -> str:
    """What is drawn, of how many studies."""
    return f"concordance with 95 % intervals, {found.feature} at step {found.step}, {found.n} studies"


def along(reading: Reading) -> str:
    """`direction 3 (.81)`: the principal direction that follows the factor most, and the correlation."""
    return "no direction" if reading.direction is None else f"direction {reading.direction} ({number(reading.correlation)})"


def title(name: str, found: Probes) -> str:
    """The finding in at most 60 characters."""
    over = "the pixels" if found.pixels else "chance"
    return f"{theme.clip(name, NAMED)} reads {len(found.above)} of {len(found.readings)} factors above {over}"


def rows(every: Mapping[str, Probes]) -> list[dict[str, object]]:
    """The drawn numbers as a table: a row per run, what was read from, and factor."""
    table: list[dict[str, object]] = []
    for label, found in every.items():
        for source, of in {found.feature: found.trained, **found.references}.items():
            for each in (of[reading.factor] for reading in found.readings):
                head: dict[str, object] = {"run": label, "step": found.step, "read from": source, "factor": each.factor, "kind": each.kind}
                value = each.interval.value if np.isfinite(each.interval.value) else None
                head |= {"concordance": value, "low": each.interval.low, "high": each.interval.high, "N": each.n}
                head |= {"direction": each.direction, "correlation": each.correlation}
                table.append(head | {"procedure": each.interval.procedure, "why": each.interval.why})
    return table
