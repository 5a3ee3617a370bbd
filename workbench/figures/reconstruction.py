"""A film, what was hidden, what was painted, and where that is wrong; skill against guesses and over checkpoints."""

import base64
import io
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from workbench.analysis.reconstruction import GUESSES, METHOD, Reconstruction
from workbench.figures import theme
from workbench.figures.theme import LIGHT, Palette, number

PANELS = ("original", "masked", "reconstructed", "pasted", "error")
NAMES = {"zero": "zero", "mean patch": "mean patch", "nearest": "nearest patch", "cubic": "cubic interpolation"}


def row(found: Reconstruction, palette: Palette = LIGHT, title: str = "", height: int = 290) -> go.Figure:
    """Original, masked, reconstructed, pasted and the error of each patch, side by side."""
    canvas = theme.Canvas(palette, title, subtitle(found), height)
    canvas.layout["margin"] |= {"l": 4, "r": 56, "t": 74, "b": 6}
    hidden = found.hidden_pixels
    films = [(found.original, None), (found.original, hidden), (found.painted, ~hidden), (found.pasted, None)]  # no loss taught the visible
    axes: dict[str, dict[str, object]] = {}
    for place, (film, cover) in enumerate(films):
        x, y = axis(axes, place, len(PANELS), film.shape)
        canvas.traces.append({"type": "image", "source": picture(film, cover, palette), "hoverinfo": "skip", "xaxis": x, "yaxis": y})
    x, y = axis(axes, 4, len(PANELS), found.original.shape)
    canvas.traces.append(error_map(found, palette) | {"xaxis": x, "yaxis": y})
    for place, name in enumerate(PANELS):
        left = domain(place, len(PANELS))[0]
        canvas.text(name, xref="paper", x=left, xanchor="left", yref="paper", y=1, yanchor="bottom", yshift=2)
    canvas.layout |= axes | {"dragmode": False}
    return finished(canvas)


def beside(told: Reconstruction, untold: Reconstruction, palette: Palette = LIGHT, height: int = 290) -> go.Figure:
    """The same hidden patches painted with the report and without it, and both errors on one scale."""
    canvas = theme.Canvas(palette, beside_title(told, untold), subtitle(told), height)
    canvas.layout["margin"] |= {"l": 4, "r": 56, "t": 74, "b": 6}
    names, both = ("with its report", "without", "error with it", "error without"), (told, untold)
    axes: dict[str, dict[str, object]] = {}
    top = max(float(each.errors[METHOD][each.mask].max(initial=0.0)) for each in both) or 1.0
    for place, name in enumerate(names):
        x, y = axis(axes, place, len(names), told.original.shape)
        each = both[place % 2]
        film = {"type": "image", "source": picture(each.painted, ~each.hidden_pixels, palette), "hoverinfo": "skip"}
        heat = error_map(each, palette) | {"zmax": top, "showscale": place == 3}
        canvas.traces.append((film if place < 2 else heat) | {"xaxis": x, "yaxis": y})
        left = domain(place, len(names))[0]
        canvas.text(name, xref="paper", x=left, xanchor="left", yref="paper", y=1, yanchor="bottom", yshift=2)
    canvas.layout |= axes | {"dragmode": False}
    return finished(canvas)


def beside_title(told: Reconstruction, untold: Reconstruction) -> str:
    """What the report is worth here."""
    own, other = told.error(), untold.error()
    if own is None or other is None:
        return "Nothing is hidden"
    return f"Error {number(own)} with the report, {number(other)} without it"


def beside_rows(told: Reconstruction, untold: Reconstruction) -> list[dict[str, object]]:
    """The error of every hidden patch with the report and without."""
    side = told.side
    return [
        {"row": int(place) // side + 1, "column": int(place) % side + 1}
        | {name: float(each.errors[METHOD][place]) for name, each in (("with the report", told), ("without", untold))}
        for place in np.flatnonzero(told.mask)
    ]


def error_map(found: Reconstruction, palette: Palette) -> dict[str, object]:
    """Heat of the hidden patches' errors; the visible ones are left open."""
    side, step = found.side, found.patch
    error = np.where(found.mask, found.errors[METHOD], np.nan).reshape(side, side)
    said = [[hover(found, line * side + column) for column in range(side)] for line in range(side)]
    centres = (np.arange(side) + 0.5) * step - 0.5
    named = {"text": "error", "side": "top", "font": {"size": theme.SMALL}}
    bar = {
        "title": named,
        "thickness": 8,
        "len": 0.9,
        "outlinewidth": 0,
        "x": 1.005,
        "xpad": 4,
        "tickfont": {"size": theme.SMALL},
        "nticks": 4,
    }
    return {
        "type": "heatmap",
        "z": error,
        "x": centres,
        "y": centres,
        "zmin": 0,
        "colorscale": theme_scale(palette),
        "colorbar": bar,
        "customdata": said,
        "hovertemplate": "%{customdata}<extra></extra>",
        "hoverongaps": False,
        "xgap": 0.5,
        "ygap": 0.5,
    }


def hover(found: Reconstruction, place: int) -> str:
    """What one patch says: its error and that of each guess."""
    row_at, column = divmod(place, found.side)
    if not found.mask[place]:
        return f"row {row_at + 1}, column {column + 1}: visible"
    lines = [f"row {row_at + 1}, column {column + 1}: error {number(found.errors[METHOD][place])}"]
    return "<br>".join([*lines, *(f"{NAMES[name]} {number(found.errors[name][place])}" for name in GUESSES)])


def skills(found: Mapping[str, Reconstruction], slots: Mapping[str, int], palette: Palette = LIGHT, height: int = 300) -> go.Figure:
    """Skill against each guess, a dot a run (name -> its reconstruction); the line at 0 is as good as the guess."""
    names = list(GUESSES)
    values = {label: [each.skill(name) for name in names] for label, each in found.items()}
    known = [value for each in values.values() for value in each if value is not None]
    best = max((each[-1] for each in values.values() if each[-1] is not None), default=None)
    said = (
        "Nothing to compare" if best is None else "Better than cubic interpolation" if best > 0 else "Not better than cubic interpolation"
    )
    first = next(iter(found.values()))
    canvas = theme.Canvas(palette, said, f"skill = 1 - error / error of the guess, in {first.space}, {first.hidden} patches", height)
    canvas.layout["margin"]["l"] = 120
    canvas.x |= {"range": [min([-0.25, *known]) - 0.06, 1.04], "showgrid": False, "title": {"text": "skill", "font": {"size": theme.SMALL}}}
    canvas.y |= {"range": [len(names) - 0.5, -0.5], "tickvals": list(range(len(names))), "ticktext": [NAMES[name] for name in names]}
    canvas.moment(0.0)
    canvas.text("as the guess", x=0, y=-0.45, xanchor="left", xshift=4)
    for place, (label, each) in enumerate(values.items()):
        shift = (place - (len(values) - 1) / 2) * 0.18
        at = [(value, line + shift) for line, value in enumerate(each) if value is not None]
        if at:
            x, y = np.array(at).T
            texts = [
                f"{theme.plain(label)}: skill {number(value)} against {NAMES[name]}"
                for name, value in zip(names, each)
                if value is not None
            ]
            canvas.points(x, y, palette.of(slots[label]), 9, hoverinfo=None, hovertemplate="%{text}<extra></extra>", text=texts, name=label)
    undefined = [line for line, name in enumerate(names) if all(each[line] is None for each in values.values())]
    for line in undefined:
        canvas.text("needs a visible patch" if first.hidden else "nothing hidden", x=0, y=line, xanchor="left", xshift=8)
    if len(values) > 1:
        for place, label in enumerate(values):
            canvas.text(label, colour=palette.of(slots[label]), xref="paper", x=1, xanchor="right", yref="paper", y=0.02 + 0.09 * place)
    return canvas.figure()


def over_steps(
    found: Mapping[str, Sequence[Reconstruction]],
    step: int,
    slots: Mapping[str, int],
    palette: Palette = LIGHT,
    guess: str = "cubic",
    height: int = 300,
) -> go.Figure:
    """Skill against one guess at every snapshot, the same image and mask; a line a run."""
    lines = {label: [(each.step, each.skill(guess)) for each in every] for label, every in found.items()}
    known = {label: [(at, value) for at, value in line if value is not None] for label, line in lines.items()}
    last = [line[-1][1] for line in known.values() if line]
    said = "No skill to draw" if not last else f"Skill reaches {number(max(last))} over training"
    canvas = theme.Canvas(palette, said, f"skill against {NAMES[guess]}, the same image and mask at every snapshot", height)
    values = [value for line in known.values() for _, value in line]
    low = max(min([0.0, *values]) - 0.08, -3.0)
    largest = max([1, *(at for line in known.values() for at, _ in line)])
    canvas.y["range"] = [low, 1.02]
    ticks = theme.doubling(largest)[:: max(1, len(theme.doubling(largest)) // 6)]
    canvas.x |= {"type": "log", "range": [-0.15, np.log10(largest) + 0.05], "tickvals": ticks, "ticktext": [str(tick) for tick in ticks]}
    canvas.x["title"]["text"] = "step; 0 is drawn at the left edge"
    canvas.level("trivial", 0.0)
    canvas.moment(max(step, 0.72), color=palette.ink, dash="solid")
    labels = []
    for label, line in known.items():
        if line:
            x, y = np.maximum([at for at, _ in line], 0.72), np.clip([value for _, value in line], low, None)
            colour = palette.of(slots[label])
            texts = [f"step {at}: skill {number(value)}" for at, value in line]
            canvas.traces.append(
                {
                    "type": "scatter",
                    "x": x,
                    "y": y,
                    "mode": "lines+markers",
                    "line": {"color": colour, "width": 2},
                    "marker": {"size": 5, "color": colour},
                    "text": texts,
                    "hovertemplate": "%{text}<extra>" + theme.plain(label) + "</extra>",
                    "name": theme.plain(label),
                }
            )
            labels.append((float(y[-1]), label, colour))
    canvas.end_labels([*labels, (0.0, f"as {NAMES[guess].split()[0]}", palette.muted)], low, 1.02)
    return canvas.figure()


def strip(found: Sequence[Reconstruction], palette: Palette = LIGHT, title: str = "", height: int = 212) -> go.Figure:
    """The pasted film at snapshots in order, at most eight, evenly chosen."""
    chosen = [found[place] for place in np.unique(np.linspace(0, len(found) - 1, min(8, len(found))).astype(int))]
    canvas = theme.Canvas(palette, title, subtitle(found[-1]), height)
    canvas.layout["margin"] |= {"l": 4, "r": 8, "t": 74, "b": 6}
    axes: dict[str, dict[str, object]] = {}
    for place, each in enumerate(chosen):
        x, y = axis(axes, place, len(chosen), each.original.shape)
        canvas.traces.append({"type": "image", "source": picture(each.pasted, None, palette), "hoverinfo": "skip", "xaxis": x, "yaxis": y})
        left = domain(place, len(chosen))[0]
        canvas.text(f"step {each.step}", xref="paper", x=left, xanchor="left", yref="paper", y=1, yanchor="bottom", yshift=2)
    canvas.layout |= axes | {"dragmode": False}
    return finished(canvas)


def domain(place: int, count: int, gap: float = 0.012) -> tuple[float, float]:
    """Left and right end of one of `count` panels, as shares of the width."""
    width = (1 - gap * (count - 1)) / count
    return place * (width + gap), place * (width + gap) + width


def axis(axes: dict[str, dict[str, object]], place: int, count: int, shape: tuple[int, ...]) -> tuple[str, str]:
    """Add the bare axes of a panel; returns their names. Squares stay square, pushed to the panel's left and top."""
    end = "" if place == 0 else str(place + 1)
    bare = {"visible": False, "constrain": "domain", "fixedrange": True}
    axes[f"xaxis{end}"] = bare | {"domain": domain(place, count), "range": [-0.5, shape[1] - 0.5], "constraintoward": "left"}
    axes[f"yaxis{end}"] = bare | {"range": [shape[0] - 0.5, -0.5], "scaleanchor": f"x{end}", "constraintoward": "top", "anchor": f"x{end}"}
    return f"x{end}", f"y{end}"


def finished(canvas: theme.Canvas) -> go.Figure:
    """A figure whose axes are all its panels'."""
    layout = canvas.layout | {"shapes": canvas.shapes, "annotations": canvas.annotations}
    return go.Figure({"data": canvas.traces, "layout": layout})


def picture(film: np.ndarray, cover: np.ndarray | None, palette: Palette) -> str:
    """Grey values (h w) as the address of a PNG; covered pixels in the hairline's colour, which no film has."""
    grey = (np.clip(film, 0, 1) * 255).round().astype(np.uint8)
    colours = np.repeat(grey[..., None], 3, -1)
    if cover is not None:
        colours[cover] = [int(palette.hairline[place : place + 2], 16) for place in (1, 3, 5)]
    file = io.BytesIO()
    Image.fromarray(colours).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def theme_scale(palette: Palette) -> list[list[object]]:
    """The palette's one hue from paper to ink."""
    return [[place / (len(palette.heat) - 1), colour] for place, colour in enumerate(palette.heat)]


def subtitle(found: Reconstruction) -> str:
    """What is drawn: how much is hidden, the space, the step."""
    told = f"{found.hidden} of {len(found.mask)} patches of {found.patch} x {found.patch} hidden, step {found.step}"
    return told + (", grey values restored with the true mean and deviation of each patch" if found.norm_pix else "")


def rows(found: Reconstruction) -> list[dict[str, object]]:
    """The error of every patch as a table."""
    side = found.side
    return [
        {"row": place // side + 1, "column": place % side + 1, "hidden": int(found.mask[place])}
        | {who: float(found.errors[who][place]) if found.mask[place] else None for who in (METHOD, *GUESSES)}
        for place in range(len(found.mask))
    ]


def skill_rows(found: Mapping[str, Sequence[Reconstruction]]) -> list[dict[str, object]]:
    """Errors and skills by run and step as a table."""
    return [
        {"run": label, "step": each.step, "error": each.error()}
        | {f"error of {name}": each.error(name) for name in GUESSES}
        | {f"skill against {name}": each.skill(name) for name in GUESSES}
        for label, every in found.items()
        for each in every
    ]
