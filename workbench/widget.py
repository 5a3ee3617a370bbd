"""The map component in Jupyter: the same module as in the app; what is drawn around in the notebook comes back as keys."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from workbench import colouring, mapping
from workbench.analysis import projection
from workbench.analysis.polygon import inside
from workbench.analysis.projection import Projection
from workbench.atlas import cloud_of
from workbench.cloud import Cloud, Geometry, beside, checked
from workbench.dataset import Dataset
from workbench.exports import public
from workbench.jobs import REPOSITORY, describe_job
from workbench.run import Run


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


def of_map(run: Run, found: Projection, dataset: Dataset | None, column: str = "", seed: int = 0) -> PointsWidget:
    """A map of a run to draw on, coloured by a column of its data or by colouring.LOST; raises UserError for others.

    A notebook's file keeps what a widget shows: keys are hashed in the picture where the terms of the data are not open, `.keys` are the data's own.
    """
    stored = found.feature in run.geometry(found.step)
    z = run.embeddings(found.feature, found.step).features if stored else None
    own = colouring.of(dataset, found.keys, column, z, found.xy) if column else None
    title = f"{projection.NAMES[found.method]} of {found.feature} of {run.title}, step {found.step}"
    return PointsWidget(cloud_of(found, title, own, public(dataset, found.keys), frames(run, found, seed)), found.keys)


def frames(run: Run, found: Projection, seed: int = 0) -> tuple[Projection, ...]:
    """The same rows at the other looks, in register; nothing where the method puts no other look into its frame."""
    if found.method == "aligned_umap":
        job = describe_job(run.path.parent, mapping.JOB, run.id, mapping.parameters(run, found.feature, found.step, found.method, seed))
        return mapping.frames(job.result)
    if found.method != "pca" or found.feature not in run.geometry(found.step):
        return ()
    looks = [each for each in run.looks() if found.feature in run.geometry(each)]
    return tuple(found if each == found.step else projection.pca(run.embeddings(found.feature, each), found, False) for each in looks)
