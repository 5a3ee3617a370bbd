"""Whether predicted probabilities hold: reliability as scored and after the map fitted on validation."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from workbench.analysis.calibration import Curve
from workbench.figures import theme
from workbench.figures.theme import LIGHT, Palette


def reliability(
    raw: Curve | None, fitted: Curve | None, colour: str, palette: Palette = LIGHT, title: str = "", subtitle: str = "", height: int = 330
) -> go.Figure:
    """Share present against mean prediction in bins of equally many studies; on the dotted diagonal every prediction holds."""
    canvas = theme.Canvas(palette, title, subtitle, height)
    canvas.line(np.array([0.0, 1.0]), np.array([0.0, 1.0]), palette.muted, width=1, dash="dot", hoverinfo="skip")
    ends = []
    for curve, tone, name in ((raw, palette.muted, "as scored"), (fitted, colour, "fitted")):
        if curve is None:
            continue
        for x, low, high in zip(curve.predicted, curve.low, curve.high):
            if np.isfinite(low):
                bar = {"mode": "lines", "line": {"width": 2, "color": theme.faint(tone, 0.45)}, "hoverinfo": "skip"}
                canvas.traces.append({"type": "scatter", "x": [x, x], "y": [low, high]} | bar)
        told = [
            f"predicted {theme.number(p)}, present {theme.number(o)}, {n} studies"
            for p, o, n in zip(curve.predicted, curve.observed, curve.rows)
        ]
        style = {"type": "scatter", "x": curve.predicted, "y": curve.observed, "mode": "lines+markers"}
        style |= {"line": {"color": tone, "width": 1.8}, "marker": {"color": tone, "size": 7}}
        canvas.traces.append(style | {"text": told, "hovertemplate": f"{name}: %{{text}}<extra></extra>"})
        ends.append((float(curve.observed[-1]), f"{name}: {theme.number(curve.error)}", tone))
    canvas.x |= {"range": [-0.02, 1.02], "nticks": 6, "tickformat": ".1~f"}
    canvas.y |= {"range": [-0.02, 1.02], "nticks": 6, "tickformat": ".1~f"}
    canvas.x["title"]["text"], canvas.y["title"]["text"] = "predicted probability", "share present"
    canvas.end_labels(ends, -0.02, 1.02)
    return canvas.figure()


def rows(curves: Sequence[tuple[str, Curve | None]]) -> list[dict[str, object]]:
    """The bins as a table."""
    return [
        {"curve": name, "predicted": float(p), "present": float(o), "low": float(low), "high": float(high), "studies": int(n)}
        for name, curve in curves
        if curve
        for p, o, low, high, n in zip(curve.predicted, curve.observed, curve.low, curve.high, curve.rows)
    ]
