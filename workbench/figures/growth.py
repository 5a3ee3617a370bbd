"""A measure over the number of rows, beside what an isotropic cloud of as many gives."""

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.catalogue import MEASURES, named
from workbench.analysis.growth import Growth
from workbench.figures import theme
from workbench.figures.theme import LIGHT, Palette, number

HEIGHT = 262


def curve(found: Growth, colour: str, palette: Palette = LIGHT, feature: str = "") -> go.Figure:
    """Values with intervals over halves of the rows, the isotropic ceiling dotted; a line marks N = 4 d where ranks need so many."""
    canvas = theme.Canvas(palette, title(found), f"{feature or 'features'} of {found.d} dimensions, whole patients, nested", HEIGHT)
    x, values = np.log2(found.rows), np.array(found.values)
    low, high = (np.array([np.nan if limit is None else limit for limit in side]) for side in limits(found))
    ceilings = np.array([np.nan if each is None else each for each in found.ceilings])
    canvas.band(x, low, high, colour)
    dotted = theme.DASHES["isotropic"]
    if np.isfinite(ceilings).any():
        canvas.line(x, ceilings, palette.muted, "isotropic", 1.2, dotted, hovertemplate="isotropic %{y:.3g}<extra></extra>")
    told = [f"{rows} rows, {people} patients" for rows, people in zip(found.rows, found.patients)]
    canvas.line(x, values, colour, named(found.measure), customdata=told, hovertemplate="%{y:.3g}<br>%{customdata}<extra></extra>")
    canvas.points(x, values, colour, 6)
    seen = np.concatenate([values, low, high, ceilings, np.array([np.nan if (end := MEASURES[found.measure].collapsed) is None else end])])
    seen = seen[np.isfinite(seen)]
    room = 0.08 * max(float(np.ptp(seen)), 1e-9 + 0.05 * float(np.abs(seen).max()))
    bottom, top = float(seen.min()) - room, float(seen.max()) + room
    if MEASURES[found.measure].spectral and found.rows[0] < found.enough <= found.rows[-1]:
        canvas.moment(float(np.log2(found.enough)))
        canvas.text("N = 4 d", x=float(np.log2(found.enough)), yref="paper", y=1, xanchor="left", yanchor="top", xshift=3)
    ends = [(float(values[-1]), number(found.values[-1]), colour)]
    if np.isfinite(ceilings[-1]):
        ends.append((float(ceilings[-1]), "isotropic", palette.muted))
    canvas.x |= {"tickvals": list(x), "ticktext": [str(rows) for rows in found.rows]}
    canvas.x["title"]["text"] = "rows"
    canvas.y |= {"range": [bottom, top], "nticks": 5}
    canvas.end_labels(ends, bottom, top)
    return canvas.figure()


def limits(found: Growth) -> tuple[list[float | None], list[float | None]]:
    """Lower and upper ends of the intervals."""
    return [each.low for each in found.intervals], [each.high for each in found.intervals]


def title(found: Growth) -> str:
    """The finding in at most 60 characters: what the last rows that were added changed, and how many there were before and after."""
    name = named(found.measure)
    if found.climb is None:
        return theme.clip(f"{name[:1].upper()}{name[1:]} at one number of rows")
    change = round(100 * found.climb)
    moved = "rose by" if change > 0 else "fell by" if change < 0 else "changed by"
    return theme.clip(f"{name[:1].upper()}{name[1:]} {moved} {abs(change)} % from {found.rows[-2]} to {found.rows[-1]} rows")


def rows(found: Growth) -> list[dict[str, object]]:
    """The drawn numbers as a table, and the sizes that could not be read."""
    table: list[dict[str, object]] = []
    for place, each in enumerate(found.intervals):
        head: dict[str, object] = {"measure": found.measure, "rows": found.rows[place], "patients": found.patients[place]}
        head |= {"value": found.values[place], "low": each.low, "high": each.high, "isotropic": found.ceilings[place]}
        table.append(head | {"procedure": each.procedure, "why": each.why})
    for size, why in found.left_out.items():
        empty = dict.fromkeys(("patients", "value", "low", "high", "isotropic", "procedure"))
        table.append({"measure": found.measure, "rows": int(size)} | empty | {"why": why})
    return table
