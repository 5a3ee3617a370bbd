"""The map component in Jupyter: the same module as in the app; what is drawn around in the notebook comes back as keys."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from workbench.analysis.polygon import inside
from workbench.cloud import Cloud, Geometry, beside, checked
from workbench.jobs import REPOSITORY


@cache
def widget_class() -> type:
    """What anywidget shows; imported when the first is made."""
    import anywidget
    import traitlets

    class PointsModel(anywidget.AnyWidget):
        """Bytes to the browser, geometry back."""

        _esm = (REPOSITORY / "app/components/points.js").read_text()
        header = traitlets.Dict().tag(sync=True)
        blob = traitlets.Bytes().tag(sync=True)
        beside = traitlets.Dict().tag(sync=True)
        besides = traitlets.Bytes().tag(sync=True)
        geometry = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
        hovered = traitlets.Int(allow_none=True, default_value=None).tag(sync=True)

    return PointsModel


class PointsWidget:
    """A cloud of points to draw on: `.selection` is what was drawn or clicked, `.keys` the studies inside, `.select(…)` shows a set.

    `.widget` is the ipywidgets widget itself, for layouts and for `observe(…, "geometry")`.
    """

    def __init__(self, cloud: Cloud, keys: Sequence[str]) -> None:
        blob, header = cloud.packed
        self.cloud, self.rows = cloud, tuple(keys)
        self.widget = widget_class()(blob=blob, header=header)

    @property
    def selection(self) -> Geometry | None:
        """What was drawn around or clicked last; None before, and for anything that is no geometry over these points."""
        return checked(self.widget.geometry, self.cloud.n)

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the points inside the lasso, or of the one that was clicked, each once, in their order."""
        chosen = self.selection
        if chosen is None or chosen.get("polygon") == []:
            return ()
        if chosen["kind"] == "click":
            return (self.rows[chosen["row"]],)
        found = inside(self.cloud.xy, chosen["polygon"])
        return tuple(dict.fromkeys(key for key, own in zip(self.rows, found) if own))

    def select(self, keys: Sequence[str]) -> None:
        """Show these keys as chosen; what is not on the map is left out."""
        wanted = set(keys)
        blob, header = beside(self.widget.header["place"], inside=np.asarray([key in wanted for key in self.rows], bool))
        with self.widget.hold_sync():
            self.widget.besides, self.widget.beside = blob, header

    def _repr_mimebundle_(self, **given: Any) -> Any:
        return self.widget._repr_mimebundle_(**given)
