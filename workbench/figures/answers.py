"""The answers of a search drawn among what is usual, and as tables."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.answers import Answers, List
from workbench.figures import theme
from workbench.figures.theme import LIGHT, Palette, number

HEIGHT = 190


def among_usual(found: Answers, palette: Palette = LIGHT, colour: str = "") -> go.Figure:
    """Each list's answers as marks over what is usual: similarities of pairs at random (grey), best answers of the set's own queries (outline)."""
    lists = [each for each in (found.images, found.reports) if each]
    return theme.row([spread(each, found, palette, colour or palette.accent) for each in lists])


def spread(found: List, asked: Answers, palette: Palette, colour: str) -> theme.Canvas:
    """One list among what is usual between such pairs."""
    asking = "report" if asked.kind == "text" else "image"
    told = f"best nearer than {share(found.strength)} of its own {asking}s' best"
    canvas = theme.Canvas(palette, f"{found.kind.capitalize()}s found, {found.n} searched", told, HEIGHT)
    filled = {"fill": "tozeroy", "fillcolor": theme.faint(palette.muted, 0.22), "width": 0.0}
    for values, style in ((found.usual_pairs, filled), (found.usual_best, {"width": 1.2})):
        x, y = density(np.array(values))
        canvas.line(x, y / max(float(y.max()), 1e-12), palette.muted, hoverinfo="skip", **style)
    for values, name, side in ((found.usual_pairs, "at random", "right"), (found.usual_best, "best", "center")):
        canvas.text(name, theme.SMALL, palette.muted, x=values[len(values) // 2], y=1.02, yanchor="bottom", xanchor=side)
    hits = np.array(found.similarity)
    hover = [
        f"answer {place + 1}: cosine {value:.3f}, above {share(above)} of pairs"
        for place, (value, above) in enumerate(zip(hits, found.above))
    ]
    marker = {"color": colour, "size": 9, "symbol": "circle" if found.kind == "image" else "diamond", "opacity": 0.75}
    level = np.full(len(hits), 0.07)
    canvas.points(hits, level, colour, marker=marker, hoverinfo=None, hovertext=hover, hovertemplate="%{hovertext}<extra></extra>")
    spans = [*found.usual_pairs, *found.usual_best, *found.similarity]
    reach = max(1e-3, 0.04 * (max(spans) - min(spans)))
    canvas.x |= {"range": [min(spans) - reach, max(spans) + reach], "nticks": 6}
    canvas.x["title"]["text"] = "cosine"
    canvas.y |= {"showticklabels": False, "showgrid": False, "range": [0, 1.22]}
    return canvas


def share(value: float) -> str:
    """A share of 101 quantiles in whole percent."""
    return f"{value:.0%}"


def density(quantiles: np.ndarray, points: int = 80) -> tuple[np.ndarray, np.ndarray]:
    """A smooth curve (x, height) of the values whose 101 quantiles these are: Gaussian bumps on each of them."""
    width = max(1.06 * float(quantiles.std()) * len(quantiles) ** -0.2, 1e-6)
    x = np.linspace(quantiles[0] - 2 * width, quantiles[-1] + 2 * width, points)
    bumps = np.exp(-0.5 * ((x[:, None] - quantiles) / width) ** 2).sum(1) / (len(quantiles) * width * np.sqrt(2 * np.pi))
    return x, bumps


def answer_rows(found: Answers, keys: Mapping[str, str] | None = None) -> list[dict[str, object]]:
    """A row an answer; `keys` maps studies to what they are called in an export."""
    table: list[dict[str, object]] = []
    for name, each in (("network", found.images), ("network", found.reports), ("untrained", found.untrained)):
        if each:
            for place, (key, value, above) in enumerate(zip(each.keys, each.similarity, each.above)):
                head: dict[str, object] = {"by": name, "kind": each.kind, "rank": place + 1, "study": (keys or {}).get(key, key)}
                table.append(head | {"cosine": value, "above share of pairs": above})
    return table


def shared_rows(found: Answers) -> list[dict[str, object]]:
    """Labels of the images found beside their prevalence."""
    table: list[dict[str, object]] = []
    for each in found.labels:
        head: dict[str, object] = {
            "label": each.label,
            "present": f"{each.present} of {each.stated}",
            "prevalence": number(each.prevalence),
        }
        table.append(head | {"expected": number(each.prevalence * each.stated), "chance of as many": number(each.chance)})
    return table
