"""What leaves the workbench of a selection: keys as they are where the data may be passed on, else hashed ones, never pixels or report text."""

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

from workbench.dataset import Dataset


def hashed(keys: Sequence[str]) -> list[str]:
    """What an export carries instead of keys where the data may not be passed on."""
    return [hashlib.sha256(key.encode()).hexdigest()[:12] for key in keys]


def public(dataset: Dataset | None, keys: Sequence[str]) -> list[str]:
    """Keys as an export may carry them: hashed unless the terms of the data set are open. A data set that cannot be asked allows nothing."""
    return list(keys) if dataset is not None and dataset.terms == "open" else hashed(keys)


def keys_csv(dataset: Dataset | None, keys: Sequence[str], columns: Mapping[str, Any] | None = None) -> str:
    """A selection as CSV: `key` as far as the terms allow (`public`), then the columns, each as long as the keys; lists are joined by `|`.

    Columns hold labels, numbers and covariates; a caller never puts report text or names of patients into them.
    """
    columns = columns or {}
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["key", *columns])
    for at, key in enumerate(public(dataset, keys)):
        writer.writerow([key, *(written(columns[name][at]) for name in columns)])
    return file.getvalue()


def written(value: Any) -> Any:
    """A value as a cell of a CSV: lists joined, nothing for what is not known."""
    if isinstance(value, list | tuple):
        return "|".join(map(str, value))
    return "" if value is None or value != value else value  # NaN is no number
