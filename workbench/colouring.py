"""What the points of a map can be coloured by: any column of their data set, and how well the map keeps their neighbours.  (no torch)"""

from collections.abc import Mapping, Sequence

import numpy as np

from workbench.analysis.lost import lost
from workbench.cloud import Colour, colour, many, stated
from workbench.columns import columns
from workbench.dataset import Dataset, Factored
from workbench.errors import UserError

LOST = "neighbours the map lost"
MOST = 4096  # points up to which LOST is offered: all are compared with all


def choices(dataset: Dataset | None, n: int) -> tuple[str, ...]:
    """Names of what `n` points of a data set can be coloured by: findings, what else is known, factors, then LOST (n = 0: without it)."""
    known = tuple(_columns(dataset)) if dataset else ()
    return known + ((LOST,) if 0 < n <= MOST else ())


def of(dataset: Dataset | None, keys: Sequence[str], name: str, z: np.ndarray | None, xy: np.ndarray) -> Colour:
    """The colours of points with these keys, features z (n, d) where they are at hand, and places xy (n, 2); raises UserError for others."""
    if name == LOST and z is not None:
        return colour(LOST, lost(z, xy), "error")
    known = _columns(dataset) if dataset else {}
    if dataset is None or name not in known:
        raise UserError(f"no column {name!r} to colour by; there are {', '.join(choices(dataset, len(keys)))}")
    row = {key: place for place, key in enumerate(dataset.keys)}
    places = np.asarray([row.get(key, -1) for key in keys])
    values = known[name][places]
    if name in dataset.label_names:
        return stated(name, np.where(places >= 0, values, np.nan))
    if values.dtype.kind in "fiub":
        values = np.where(places >= 0, values.astype(float), np.nan)
    else:
        values = np.where(places >= 0, values.astype(str), "")
    factor = "factors" in dataset.provides and isinstance(dataset, Factored) and name in dataset.factors
    return colour(name, values, "factor" if factor else None, many(known[name]))


def _columns(dataset: Dataset) -> Mapping[str, np.ndarray]:
    return {name: values for name, values in columns(dataset).items() if name != "patient"}  # as many as studies, nearly
