"""What a score rests on, over the film: Grad-CAM, and integrated gradients summed in cells."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.attribution import Attribution, half, pooled
from workbench.figures import theme
from workbench.figures._film import overlay
from workbench.figures.theme import LIGHT, Palette, number

CELLS = 16  # along an edge


def cam(found: Attribution, palette: Palette = LIGHT, slider: bool = False) -> go.Figure:
    """The last feature map, weighed by how the score follows its channels."""
    assert found.cam is not None
    spot = half(found.cam)
    where = "Nothing raises this score" if not found.cam.max() > 0 else f"Half of what raises the score lies in {spot:.0%} of the film"
    subtitle = f"Grad-CAM of the {found.kind} to “{theme.clip(found.target, 40)}”, {len(found.cam)} x {len(found.cam)} cells"
    return overlay(found.film, found.cam, f"gradient x map, {found.kind}", palette, where, subtitle, slider=slider)


def gradients(found: Attribution, palette: Palette = LIGHT, slider: bool = False) -> go.Figure:
    """Integrated gradients from a black film, absolute values summed in cells."""
    side = min(CELLS, len(found.film))
    values = pooled(found.gradients, side)
    title = f"Integrated gradients: half of it in {half(values):.0%} of the film" if values.max() > 0 else "No pixel moves this score"
    subtitle = f"from a black film, {found.steps} steps; completeness delta {number(found.delta)} of {number(found.rise)}"
    return overlay(found.film, values, f"sum of |gradient|, {found.kind}", palette, title, subtitle, slider=slider)


def rows(found: Attribution) -> list[dict[str, Any]]:
    """Cells of both maps as a table."""
    side = min(CELLS, len(found.film))
    maps = {"integrated gradients": pooled(found.gradients, side)} | ({} if found.cam is None else {"grad-cam": np.asarray(found.cam)})
    return [
        {"map": name, "row": r + 1, "column": c + 1, "value": float(values[r, c])}
        for name, values in maps.items()
        for r in range(values.shape[0])
        for c in range(values.shape[1])
    ]
