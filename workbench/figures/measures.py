"""Every measure of a feature between a collapsed and an isotropic cloud, beside the untrained network and the pixels; all numbers as tables."""

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.catalogue import MEASURES, named
from workbench.analysis.grades import GRADES, Grade, Trusted, trusted
from workbench.analysis.measures import Measured, Measures, OfClass
from workbench.analysis.sheets import Sheet, Value
from workbench.figures import theme, zeroshot
from workbench.figures.theme import LIGHT, Palette, number

ROW, RIGHT = 20, 132  # pixels of a row, and beside the plot for the values
LOW, HIGH = -0.25, 1.5  # places beyond are drawn at these edges


def overview(found: Measured, pixels: Sheet | None, colour: str, palette: Palette = LIGHT, title: str = "", step: int = 0) -> go.Figure:
    """A row a measure that has both ends: 0 is what a line or a point gives, 1 an isotropic cloud of the same N and d; its value at the right.

    In the order in which to trust them, under a heading each; what these rows fool is grey. Marks of untrained network and pixels stand at their own
    place between their own ends.
    """
    sheet = found.trained
    graded = [each for each in trusted(sheet, found.untrained) if each.value.place is not None]
    lines: list[Trusted | Grade] = []
    for each in graded:
        if each.grade not in lines:
            lines.append(each.grade)
        lines.append(each)
    kept = {row: each for row, each in enumerate(lines) if isinstance(each, Trusted)}
    canvas = theme.Canvas(
        palette,
        title,
        f"from collapsed to isotropic at N = {sheet.n}, d = {sheet.d}; step {step}",
        zeroshot.HEAD + ROW * max(1, len(lines)),
    )
    names = [named(each.value.name) if isinstance(each, Trusted) else GRADES[each] for each in lines]
    zeroshot.rows(canvas, names)
    canvas.y |= {"tickvals": list(kept), "ticktext": [named(each.value.name) for each in kept.values()]}
    for row in set(range(len(lines))) - set(kept):
        canvas.text(names[row], theme.SMALL, xref="paper", x=0, xanchor="right", xshift=-5, y=row, yref="y")
    for end in (0.0, 1.0):
        canvas.moment(end)
    beside = {name: other for name, other in (("pixels", pixels), ("untrained", found.untrained)) if other is not None}
    for name, other in beside.items():
        for row, each in kept.items():
            twin = other.get(each.value.name)
            if twin is not None and twin.place is not None:
                hollow(canvas, twin, row, name)
    for row, each in kept.items():
        dot(canvas, each, row, palette.muted if each.by else colour)
        ink = palette.muted if each.by else palette.ink
        canvas.text(said(each.value), theme.SMALL, ink, xref="paper", x=1, xanchor="left", xshift=8, y=row, yref="y")
    zeroshot.legend(canvas, {}, {}, beside)
    places = [each.value.place or 0.0 for each in graded]
    reach = [LOW if min(places, default=0) < -0.05 else -0.06, HIGH + 0.04 if max(places, default=1) > 1.1 else 1.12]
    canvas.x |= {"range": reach, "tickvals": [0, 0.5, 1], "ticktext": ["collapsed", "halfway", "isotropic"], "ticks": "outside"}
    canvas.layout["margin"] |= {"r": RIGHT, "l": zeroshot.margin(names or [""])}
    return canvas.figure()


def placed(value: Value, of: float | None) -> float:
    """Where a limit of its interval stands between the ends of a value; NaN where there is none."""
    end, ceiling = MEASURES[value.name].collapsed, value.ceiling
    if of is None or end is None or ceiling is None:
        return float("nan")
    return float(np.clip((of - end) / (ceiling - end), LOW, HIGH))


def dot(canvas: theme.Canvas, of: Trusted, row: int, colour: str) -> None:
    """A value with its interval; hollow without one."""
    each = of.value
    bounds = [placed(each, limit) for limit in (each.low, each.high)]
    known = bool(np.isfinite(bounds).all())
    if known:
        bar = {"mode": "lines", "line": {"width": 2.4, "color": theme.faint(colour, 0.55)}, "hoverinfo": "skip"}
        canvas.traces.append({"type": "scatter", "x": bounds, "y": [row, row]} | bar)
    marker = {"color": colour if known else canvas.palette.paper, "size": 8, "line": {"color": colour, "width": 1.4}}
    told = [f"{named(each.name)} {said(each)}, N = {each.n}, d = {each.d}", f"isotropic {number(each.ceiling)}", each.why]
    told.append(f"fooled here: {of.why}" if of.by else "")
    hover = "<br>".join(theme.plain(part) for part in told if part) + "<extra></extra>"
    canvas.points(np.array([placed(each, each.value)]), np.array([row]), colour, marker=marker, hoverinfo=None, hovertemplate=hover)


def hollow(canvas: theme.Canvas, each: Value, row: int, name: str) -> None:
    """A grey mark of a reference; it tells its own numbers."""
    zeroshot.symbol(canvas, placed(each, each.value), row, name)
    told = f"{name} {said(each)}, N = {each.n}, d = {each.d}<br>isotropic {number(each.ceiling)}"
    canvas.traces[-1]["hovertemplate"] = f"{told}<extra></extra>"


def said(value: Value | None) -> str:
    """`9.31 [8.6, 10]`, the value alone, or a dash."""
    if value is None or value.value is None:
        return "–"
    if value.low is None or value.high is None:
        return number(value.value)
    return f"{number(value.value)} [{number(value.low)}, {number(value.high)}]"


def title(found: Measured) -> str:
    """The finding in at most 60 characters."""
    ratio, gap = found.trained.get("participation_ratio"), found.trained.get("modality_gap")
    if ratio is not None and ratio.limited:
        return theme.clip(f"{theme.clip(found.feature, 26)}: {ratio.n} rows are too few for {ratio.d} dimensions")
    if ratio is not None and ratio.value is not None:
        return theme.clip(f"{theme.clip(found.feature, 26)}: {number(ratio.value)} of {ratio.d} directions in use")
    if gap is not None and gap.value is not None:
        return f"Images and reports lie {number(gap.value)} apart"
    return theme.clip(f"{found.feature} cannot be measured")


def numbers(found: Measured, pixels: Sheet | None) -> list[dict[str, object]]:
    """Every measure as the page lists it, in the order in which to trust them: value with interval, references, and what it says."""
    table: list[dict[str, object]] = []
    for trust in trusted(found.trained, found.untrained):
        each = trust.value
        row: dict[str, object] = {"": named(each.name), "value": said(each)}
        row |= {"isotropic": number(each.ceiling)}
        row |= {"untrained": said(found.untrained.get(each.name) if found.untrained else None)}
        row |= {"pixels": said(pixels.get(each.name) if pixels else None)}
        head = {"fooled": f"Fooled here: {trust.why}. ", "missing": f"Not read: {each.why}. "}.get(trust.grade, "")
        table.append(row | {"says": head + MEASURES[each.name].says})
    return table


def rows(found: Measures, feature: str = "") -> list[dict[str, object]]:
    """Every number of one feature, or of all, as a table: trained, untrained and pixels with what an isotropic cloud of their own (N, d) gives."""
    table: list[dict[str, object]] = []
    for each in found.features:
        if feature in ("", each.feature):
            for source, of in (("trained", each.trained), ("untrained", each.untrained)):
                table += listed(each.feature, source, of)
    return table + listed("pixels", "pixels", found.pixels)


def listed(feature: str, source: str, of: Sheet | None) -> list[dict[str, object]]:
    """The measures of one sheet; none where there is no sheet."""
    found: list[dict[str, object]] = []
    for each in of.values if of else ():
        head: dict[str, object] = {"feature": feature, "network": source, "measure": each.name, "value": each.value}
        head |= {"low": each.low, "high": each.high, "isotropic": each.ceiling, "drawn": each.drawn, "between the ends": each.place}
        found.append(head | {"N": each.n, "d": each.d, "why": each.why})
    return found


def beside_each_other(found: Measures) -> list[dict[str, object]]:
    """Features as columns, measures as rows."""
    table: list[dict[str, object]] = []
    for name in MEASURES:
        own = {each.feature: each.trained.get(name) for each in found.features}
        if any(own.values()):
            row: dict[str, object] = {"": named(name)}
            table.append(row | {feature: said(value) if value else "" for feature, value in own.items()})
    return table


def class_rows(classes: tuple[OfClass, ...]) -> list[dict[str, object]]:
    """A row a class: its studies, scale and ranks, with the untrained network's and why one is withheld."""
    table: list[dict[str, object]] = []
    for each in classes:
        row: dict[str, object] = {"class": each.label, "N": each.trained.n, "patients": each.trained.patients}
        for value in each.trained.values:
            row |= {named(value.name): said(value)}
            row |= {f"{named(value.name)} isotropic": number(value.ceiling)} if MEASURES[value.name].spectral else {}
            row |= {f"{named(value.name)} untrained": said(each.untrained[value.name] if each.untrained else None)}
        table.append(row | {"why": "; ".join(dict.fromkeys(value.why for value in each.trained.values if value.value is None))})
    return table
