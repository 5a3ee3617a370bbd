"""The image grid in Jupyter: the module the app uses, through anywidget."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.dataset import Dataset
from workbench.errors import UserError
from workbench.jobs import REPOSITORY
from workbench.tiles import Column, Tiles, known

SCRIPT = REPOSITORY / "app/components/grid.js"


def widget(
    dataset: Dataset,
    keys: Sequence[str] | None = None,
    columns: Mapping[str, Column] | None = None,
    films: bool | None = None,
    height: int = 480,
) -> Any:
    """A grid of `keys` (all studies where none are named) with what the data set knows of them, or `columns`; `.key` of what comes back is the study that was clicked, or None.

    A notebook's file keeps what a widget shows: films of a data set whose terms are not open come with `films=True` only. Raises UserError for no
    key, keys the data set has not, or columns of another length.
    """
    import anywidget
    import traitlets

    class GridWidget(anywidget.AnyWidget):
        """Windows go to the browser, wishes and the clicked place come back."""

        _esm = SCRIPT.read_text()
        window = traitlets.Bytes(b"").tag(sync=True)
        view = traitlets.Dict(None, allow_none=True).tag(sync=True)
        picked = traitlets.Dict(None, allow_none=True).tag(sync=True)
        key = traitlets.Unicode(None, allow_none=True)

        @traitlets.observe("view")
        def _answer(self, change: Any) -> None:
            self.window = made.message(change["new"], self.key, height=height)

        @traitlets.observe("picked")
        def _take(self, change: Any) -> None:
            self.key = made.chosen(change["new"]) or self.key

    wanted = list(dataset.keys if keys is None else keys)
    places = {key: row for row, key in enumerate(dataset.keys)}
    gone = [key for key in wanted if key not in places]
    if gone or not wanted:
        lacking = f"{len(gone)} of {len(wanted)} keys are not in this data set, first {gone[0]!r}" if gone else "no key given"
        raise UserError(f"grid: {lacking}; give keys of `dataset.keys`")
    shown = dataset.terms == "open" if films is None else films
    told = known(dataset, np.array([places[key] for key in wanted])) if columns is None else columns
    made = Tiles(dataset, wanted, told, shown, places)
    return GridWidget(window=made.message(height=height))
