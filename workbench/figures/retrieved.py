"""Retrieval drawn: recall and precision over k, each label, ranks, and hubs."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.retrieval import KS
from workbench.analysis.retrieved import BACK, FORTH, WITHIN, Retrieved, Score, Way
from workbench.figures import theme, zeroshot
from workbench.figures.theme import LIGHT, Palette, number

HEIGHT, BINS = 270, 20
PANELS = ((FORTH, "recall", "Report of an image"), (BACK, "recall", "Image of a report"), (WITHIN, "class", "Images of the same labels"))
SAID = {
    "recall": "recall, the same words right",
    "own": "recall, its own text alone right",
    "pair": "precision, the same words",
    "class": "precision, the same labels",
    "median rank": "median rank",
    "skewness": "skewness of the lists an answer is in",
    "hubs": "share of answers that are hubs",
    "taken": "share of places that hubs take",
    "never": "share of answers in no list",
}


def overview(every: Mapping[str, Retrieved], slots: Mapping[str, int], palette: Palette = LIGHT) -> go.Figure:
    """Recall both ways and precision among images at 1, 5 and 10, a line a run with its interval; chance dotted, the first run untrained dashed."""
    panels = []
    for name, kind, title in PANELS:
        found = {label: way for label, each in every.items() for way in each.ways if way.name == name and way.at(kind, KS[0])}
        if found:
            panels.append(over_k(found, kind, title, slots, palette))
    return theme.row(panels or [theme.Canvas(palette, "Nothing to rank by", "no reports and no labels", HEIGHT)])


def over_k(found: Mapping[str, Way], kind: str, title: str, slots: Mapping[str, int], palette: Palette) -> theme.Canvas:
    """One panel over k."""
    first = next(iter(found.values()))
    told = "recall" if kind == "recall" else "precision, exactly the same labels"
    canvas = theme.Canvas(palette, title, f"{told}, {first.candidates} candidates", HEIGHT)
    ks = [k for k in KS if first.at(kind, k)]
    x, top, ends = np.arange(len(ks), dtype=float), 0.0, []
    for name, values, dash in levels(first, kind, ks):
        style = {"hovertemplate": f"{name} %{{y:.3g}}<extra></extra>"}
        canvas.line(x, np.array(values), palette.muted, name, 1.2, dash, **style)
        ends.append((values[-1], name, palette.muted))
        top = max(top, *values)
    for place, (label, way) in enumerate(found.items()):
        colour, own = palette.of(slots.get(label, place)), [way.at(kind, k) for k in ks]
        intervals = [each.interval for each in own if each]
        low, high = ([np.nan if side is None else side for side in sides] for sides in zip(*((i.low, i.high) for i in intervals)))
        canvas.band(x, np.array(low), np.array(high), colour)
        y = np.array([each.value for each in intervals])
        hover = [f"{theme.plain(label)}, k = {k}: {zeroshot.said(each)}" for k, each in zip(ks, intervals)]
        canvas.line(x, y, colour, label, hoverinfo="skip")
        canvas.points(x, y, colour, 7, hoverinfo=None, hovertext=hover, hovertemplate="%{hovertext}<extra></extra>")
        ends.append((float(y[-1]), theme.clip(label, 18), colour))
        top = max(top, float(np.nanmax([*y, *high])) if np.isfinite(high).any() else float(y.max()))
    reach = min(1.04, 1.12 * max(top, 0.02))
    canvas.y |= {"range": [0, reach], "nticks": 5}
    canvas.x |= {"range": [-0.15, len(ks) - 1 + 0.4 * len(ks)], "tickvals": list(x), "ticktext": [str(k) for k in ks]}
    canvas.x["title"]["text"] = "k, the first answers that count"
    tall = HEIGHT - canvas.layout["margin"]["t"] - canvas.layout["margin"]["b"]
    order = sorted(range(len(ends)), key=lambda at: ends[at][0])
    for at, level in zip(order, theme.spread([ends[each][0] for each in order], reach * 13 / tall, 0, reach)):
        _, text, shade = ends[at]
        canvas.text(text, theme.SMALL, shade, x=len(ks) - 1, y=level, xanchor="left", xshift=7, align="left")
    return canvas


def levels(way: Way, kind: str, ks: Sequence[int]) -> list[tuple[str, list[float], str]]:
    """The references of a panel: name, values over k, dash."""
    scores = [each for k in ks if (each := way.at(kind, k))]
    found = [("chance", [each.chance for each in scores], theme.DASHES["chance"])]
    untrained = [each.untrained for each in scores if each.untrained is not None]
    return [*found, ("untrained", untrained, theme.DASHES["untrained"])] if len(untrained) == len(scores) else found


def labels(way: Way, label: str, slot: int = 0, palette: Palette = LIGHT, title: str = "", chosen: str = "") -> go.Figure:
    """Labels as rows: the share of the first five answers that have the label of the query, too; ticks at the label's share of the candidates."""
    names = [each.label for each in way.labels]
    canvas = theme.Canvas(
        palette, title, f"precision at 5, {way.name}, {way.candidates} candidates", zeroshot.HEAD + zeroshot.ROW * max(len(names), 1)
    )
    zeroshot.rows(canvas, names, chosen)
    for place, each in enumerate(way.labels):
        zeroshot.tick(canvas, each.chance, place, "chance")
        if each.untrained is not None:
            zeroshot.symbol(canvas, each.untrained, place, "untrained")
    told = [f"{each.label}, {each.queries} queries" for each in way.labels]
    spans = zeroshot.drawn(canvas, [each.interval for each in way.labels], told, 0, palette.of(slot), label)
    for place, each in enumerate(way.labels):
        canvas.text(zeroshot.said(each.interval), theme.SMALL, palette.ink, xref="paper", x=1, xanchor="left", xshift=8, y=place, yref="y")
    zeroshot.legend(
        canvas, {label: way}, {label: slot}, ("chance", *(("untrained",) if any(each.untrained is not None for each in way.labels) else ()))
    )
    zeroshot.across(canvas, [*spans, *(each.chance for each in way.labels), *(each.untrained or 0.0 for each in way.labels)], 118)
    canvas.layout["margin"]["l"] = zeroshot.margin(names or [""])
    return canvas.figure()


def histogram(way: Way, colour: str, palette: Palette = LIGHT, title: str = "") -> go.Figure:
    """How many queries find their right answer at which rank, in twenty bins; dotted: every rank as likely."""
    ranks = way.rank[np.isfinite(way.rank)]
    edges = np.linspace(0.5, way.candidates + 0.5, BINS + 1)
    share = np.histogram(ranks, edges)[0] / max(len(ranks), 1)
    canvas = theme.Canvas(palette, title, f"share of {len(ranks)} queries, {way.name}, among {way.candidates}", HEIGHT)
    told = [f"ranks {int(np.ceil(low))} to {int(np.floor(high))}: {value:.1%}" for low, high, value in zip(edges, edges[1:], share)]
    bar = {"type": "bar", "x": (edges[1:] + edges[:-1]) / 2, "y": share, "width": float(0.92 * (edges[1] - edges[0]))}
    canvas.traces.append(bar | {"marker": {"color": colour}, "hovertext": told, "hovertemplate": "%{hovertext}<extra></extra>"})
    canvas.level("chance", 1 / BINS)
    canvas.text("chance", theme.SMALL, palette.muted, xref="paper", x=1, xanchor="right", y=1 / BINS, yanchor="bottom")
    canvas.x |= {"range": [0, way.candidates + 1], "nticks": 6}
    canvas.x["title"]["text"] = "rank of the right answer"
    canvas.y |= {"range": [0, 1.1 * max(float(share.max()), 2 / BINS)], "nticks": 5, "tickformat": ".0%"}
    return canvas.figure()


def crowding(way: Way, colour: str, palette: Palette = LIGHT, title: str = "") -> go.Figure:
    """In how many lists of ten each candidate is, most asked first; dotted: all as often."""
    score = way.at("skewness", 10)
    canvas = theme.Canvas(palette, title, f"lists of ten that a candidate is in, {way.name}, most asked first", HEIGHT)
    count = np.sort(way.count)[::-1]
    place = np.unique(np.geomspace(1, len(count), 160).astype(int))
    canvas.line(place, count[place - 1], colour, hovertemplate="place %{x}: in %{y} lists<extra></extra>")
    mean = float(count.mean())
    canvas.level("chance", mean)
    canvas.text(
        f"all as often: {number(mean)}", theme.SMALL, palette.muted, xref="paper", x=0, xanchor="left", xshift=4, y=mean, yanchor="bottom"
    )
    ticks = [each for each in (1, 3, 10, 30, 100, 300, 1000, 3000, 10000) if each <= len(count)]
    canvas.x |= {"type": "log", "range": [0, float(np.log10(len(count)))], "tickvals": ticks, "ticktext": list(map(str, ticks))}
    canvas.x["title"]["text"] = "candidates"
    canvas.y |= {"range": [0, 1.08 * max(float(count.max()), 2 * mean)], "nticks": 5}
    if score:
        canvas.text(f"skewness {skewness(score)}, isotropic {number(score.chance)}", theme.SMALL, palette.muted,
                    xref="paper", x=1, xanchor="right", yref="paper", y=1, yanchor="top")  # fmt: skip
    return canvas.figure()


def skewness(score: Score) -> str:
    """`2.10 [1.47, 2.72]`: a number that may exceed 1, with its limits."""
    value = score.interval
    return f"{value.value:.2f}" + (f" [{value.low:.2f}, {value.high:.2f}]" if value.low is not None else "")


def rows(every: Mapping[str, Retrieved]) -> list[dict[str, object]]:
    """Every number as a table: a row a run, direction, number and k."""
    table: list[dict[str, object]] = []
    for label, found in every.items():
        for way in found.ways:
            for each in way.scores:
                head: dict[str, object] = {
                    "run": label,
                    "step": found.step,
                    "direction": way.name,
                    "number": SAID[each.kind],
                    "k": each.k or None,
                }
                head |= {
                    "value": each.interval.value,
                    "low": each.interval.low,
                    "high": each.interval.high,
                    "chance or isotropic": each.chance,
                }
                table.append(
                    head | {"untrained": each.untrained, "N": way.n, "procedure": each.interval.procedure, "why": each.interval.why}
                )
    return table


def label_rows(way: Way) -> list[dict[str, object]]:
    """The labels of a direction as a table."""
    return [
        {"label": each.label, "queries": each.queries, "precision at 5": each.interval.value, "low": each.interval.low}
        | {"high": each.interval.high, "chance": each.chance, "untrained": each.untrained, "why": each.interval.why}
        for each in way.labels
    ]  # fmt: skip


def rank_rows(way: Way, keys: Sequence[str]) -> list[dict[str, object]]:
    """A row a query: its study, the rank of the right answer, the study found first, both similarities."""
    return [
        {"study": key, "rank": float(way.rank[place]), "found first": keys[way.best[place]], "similarity": float(way.own[place])}
        | {"similarity of the first": float(way.top[place])}
        for place, key in enumerate(keys)
    ]


def count_rows(way: Way, keys: Sequence[str]) -> list[dict[str, object]]:
    """A row a candidate, most asked first."""
    return [{"study": keys[place], "in lists of ten": int(way.count[place])} for place in np.argsort(-way.count, kind="stable")]
