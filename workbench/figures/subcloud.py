"""The spectrum of a set of studies beside the whole, beside sets of as many studies drawn at random, and beside an isotropic cloud."""

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.subcloud import Purity, Subcloud
from workbench.figures import theme
from workbench.figures.spectra import FLOOR, curve, end, finished, relative
from workbench.figures.theme import LIGHT, Palette, number


def spectrum(found: Subcloud, colour: str, palette: Palette = LIGHT, title: str = "", height: int = 352) -> go.Figure:
    """Singular values relative to the largest on two log axes; the set's is grey where it has fewer than 4 d studies."""
    told = f"relative to the largest; {found.n} of {found.total} studies, d = {found.d}, step {found.step}"
    canvas = theme.Canvas(palette, title, told, height)
    own = colour if found.enough else palette.muted
    drawn = [("isotropic", found.isotropic, palette.muted, {"dash": theme.DASHES["isotropic"], "width": 1.2})]
    drawn += [("all studies", found.whole, palette.series[5], {"width": 1.4})]
    drawn += [("random sets", found.drawn, palette.muted, {"dash": "dash", "width": 1.2})] if found.n < found.total else []
    drawn += [("this set", found.values, own, {"width": 2.2})]
    lowest = min(float(np.nanmin(np.append(relative(each), 0.0))) for _, each, _, _ in drawn)
    low = max(FLOOR, float(np.floor(min(lowest, -1.0)))) - 0.1
    ends = []
    for name, values, of, style in drawn:
        y = relative(values)
        curve(canvas, y, of, name, **style)
        ends.append((end(y, low), name, of))
    return finished(canvas, found.d, low, ends)


def headline(found: Subcloud) -> str:
    """The finding in at most 60 characters."""
    used = number(found.rank.value)
    if not found.enough:
        return f"{found.n} studies are too few to judge {found.d} dimensions"
    mean, low, high = found.random
    if found.n == found.total:
        return f"All {found.n} studies use {used} of {found.d} directions"
    where = "as random sets do" if low <= found.rank.value <= high else f"random sets {number(mean)}"
    return theme.clip(f"The set uses {used} of {found.d} directions, {where}")


def rows(found: Subcloud) -> list[dict[str, object]]:
    """The drawn numbers as a table, a row a direction."""
    columns = {"this set": found.values, "all studies": found.whole, "random sets": found.drawn, "isotropic": found.isotropic}
    top = {name: max(float(values.max()), 1e-300) for name, values in columns.items()}
    return [
        {"direction": place + 1} | {name: float(values[place] / top[name]) for name, values in columns.items() if place < len(values)}
        for place in range(found.d)
    ]


def outside(found: Purity, keys: dict[str, str]) -> list[dict[str, object]]:
    """Studies outside that are near, as a table; `keys`: what each is called, a hash where the data may not be passed on."""
    return [
        {"study": keys.get(each.key, each.key), f"near to (of {found.asked} members)": each.members, "largest cosine": each.similarity}
        for each in found.outside
    ]
