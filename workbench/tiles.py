"""A selection as a grid of thumbnails: which order its columns give, and what of it travels to a screen at once. No torch.

The browser half is `app/components/grid.js`, for Streamlit (app/grid.py) and Jupyter (workbench/gridwidget.py) alike.
"""

import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from workbench.dataset import Dataset, Split
from workbench.errors import UserError
from workbench.exports import public
from workbench.thumbnails import Why, sheet

EDGE = 128  # pixels of a thumbnail: drawn at about 116, enlarged to 256
FIRST, MOST = 48, 240  # cells of the first message and of any
KEPT_ORDERS = 4
LONGEST = 120  # characters of one value
SPLITS: dict[Split, str] = {"train": "Train", "val": "Validation", "test": "Test"}


Column = Sequence[Any] | np.ndarray  # numbers, words, or lists of words


class Wish(NamedTuple):
    """What the browser shows: the cells from `first`, in the order of a column."""

    first: int = 0
    cells: int = FIRST
    sort: str | None = None
    descending: bool = False


class Present(Sequence[tuple[str, ...]]):
    """The labels that are present in each of some rows of a label matrix (n, k), as words, made when asked for; none in a row below 0."""

    def __init__(self, labels: np.ndarray, names: Sequence[str], rows: np.ndarray) -> None:
        self.labels, self.names, self.rows = labels, tuple(names), rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self[at] for at in range(*place.indices(len(self)))]
        row = self.rows[place]
        return tuple(self.names[column] for column in np.flatnonzero(self.labels[row] > 0.5)) if row >= 0 else ()


def said(value: Any) -> str:
    """A value as a caption: three significant digits, thousands apart; nothing where nothing is known."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))[:LONGEST]
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | float | np.number):
        number = float(value)
        if not np.isfinite(number):
            return ""
        if number == round(number) and abs(number) < 1e15:
            return f"{int(number):,}".replace(",", "\u2009")
        text = f"{number:.3f}" if 1e-3 <= abs(number) < 1 else f"{number:.3g}"
        return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text
    return " ".join(str(value).split())[:LONGEST]


def known(dataset: Dataset, rows: np.ndarray) -> dict[str, Column]:
    """What a data set knows of some of its rows (n,), as columns: findings, view, age, sex, split. A row below 0 is a study it does not have."""
    found: dict[str, Column] = {}
    if dataset.label_names:
        found["Findings"] = Present(dataset.labels, dataset.label_names, rows)
    for name in [each for each in ("view", "age", "sex") if each in dataset.covariates]:
        values = np.asarray(dataset.covariates[name])[rows]
        found[name.capitalize()] = (
            np.where(rows < 0, np.nan, np.round(values.astype(float))) if name == "age" else np.where(rows < 0, "", values.astype(str))
        )
    where = np.full(len(dataset), "", dtype="<U10")
    for split, called in SPLITS.items():
        where[dataset.split(split)] = called
    return found | {"Split": np.where(rows < 0, "", where[rows])}


class Tiles:
    """Studies of a data set with columns: numbers, words, or lists of words (drawn as chips), each as long as the keys.

    What travels of a key is its place and, where the terms of the data set are not open, its hash. `shown` False withholds the films.
    """

    def __init__(
        self,
        dataset: Dataset | None,
        keys: Sequence[str],
        columns: Mapping[str, Column] | None = None,
        shown: bool = True,
        places: Mapping[str, int] | None = None,
        sort: str | None = None,
        descending: bool = False,
    ) -> None:
        """`dataset` None: there are no films to be had, only columns; `places` is row by key of the whole data set, where it is known; `sort`
        names the column in whose order it opens.

        Raises UserError where a column is not as long as the keys, or `sort` is no column.
        """
        self.dataset, self.keys, self.columns, self.shown, self.places = dataset, keys, dict(columns or {}), shown, places
        for name, values in self.columns.items():
            if len(values) != len(keys):
                raise UserError(f"grid: column {name!r} has {len(values)} values for {len(keys)} keys; give one value a key")
        if sort is not None and sort not in self.columns:
            raise UserError(f"grid: no column {sort!r} to sort by; there are {', '.join(self.columns) or 'none'}")
        self.opens = Wish(sort=sort, descending=sort is not None and descending)
        self.token = hashlib.blake2b("\0".join(keys).encode(), digest_size=6).hexdigest()
        self.chips = [name for name, values in self.columns.items() if len(values) and isinstance(values[0], list | tuple)]
        self.orders: dict[tuple[str | None, bool], np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.keys)

    def wish(self, asked: Any) -> Wish:
        """What a browser asked for, checked and cut to what there is; the beginning where it asked of other keys (another token)."""
        if not isinstance(asked, Mapping):
            return self.opens
        first, count, sort = asked.get("first"), asked.get("count"), asked.get("sort")
        sort = sort if isinstance(sort, str) and sort in self.columns else None
        descending = sort is not None and asked.get("descending") is True
        if asked.get("of") != self.token or not isinstance(first, int) or not isinstance(count, int):
            return Wish(0, FIRST, sort, descending)
        return Wish(min(max(first, 0), max(len(self) - 1, 0)), min(max(count, 1), MOST), sort, descending)

    def chosen(self, asked: Any) -> str | None:
        """The key a browser chose, told as `{"at": place, "of": token}`; None where these are other keys by now."""
        if not isinstance(asked, Mapping) or asked.get("of") != self.token:
            return None
        at = asked.get("at")
        return self.keys[at] if isinstance(at, int) and not isinstance(at, bool) and 0 <= at < len(self) else None

    def order(self, column: str | None, descending: bool = False) -> np.ndarray:
        """Places of the keys (n,) in the order of a column, ties as given; what is not known comes last either way."""
        if column is None:
            return np.arange(len(self))
        if (column, descending) not in self.orders:
            while len(self.orders) >= KEPT_ORDERS:
                del self.orders[next(iter(self.orders))]
            self.orders[column, descending] = ordered(self.columns[column], descending)
        return self.orders[column, descending]

    def cell(self, at: int, shown_key: str, why: Why, sort: str | None) -> dict[str, Any]:
        """What is written under a thumbnail; the column in whose order it stands comes first."""
        names = [name for name in self.columns if name not in self.chips]
        names.sort(key=lambda name: name != sort)
        facts = [[name, text] for name in names if (text := said(self.columns[name][at]))]
        return {"at": int(at), "key": shown_key, "chips": [str(word) for name in self.chips for word in self.columns[name][at]],
                "facts": facts, "why": why}  # fmt: skip

    def message(self, asked: Any = None, chosen: str | None = None, patience: float | None = None, **more: Any) -> bytes:
        """One window for the browser: length of the JSON (4 bytes, little endian), JSON, JPEG sheet. `patience`: see `thumbnails.sheet`."""
        wish = self.wish(asked)
        order = self.order(wish.sort, wish.descending)
        place = next((at for at, key in enumerate(self.keys) if key == chosen), -1) if chosen is not None else -1
        row = int(np.flatnonzero(order == place)[0]) if place >= 0 else -1
        if asked is None and row >= FIRST // 2:  # at first the grid opens where the chosen one is
            wish = wish._replace(first=row - FIRST // 2)
        window = [int(at) for at in order[wish.first : wish.first + wish.cells]]
        keys = [self.keys[at] for at in window]
        why: Sequence[Why] = ["not here"] * len(keys)
        image, across = b"", 1
        if self.dataset is not None and keys:
            image, across, _, why = sheet(self.dataset, keys, EDGE, self.shown, patience, self.places)
            image = b"" if all(why) else image  # nothing but placeholders: the browser draws its own
        cells = [self.cell(at, key, own, wish.sort) for at, key, own in zip(window, public(self.dataset, keys), why)]
        told = {
            "n": len(self), "token": self.token, "first": wish.first, "sort": wish.sort, "descending": wish.descending, "cells": cells,
            "columns": list(self.columns), "lines": [bool(self.chips), len(self.columns) > len(self.chips)], "across": across,
            "chosen": place, "row": row,
        } | more  # fmt: skip
        head = json.dumps(told, separators=(",", ":")).encode()
        return struct.pack("<I", len(head)) + head + image


def ordered(values: Column, descending: bool) -> np.ndarray:
    """Places (n,) such that the values ascend or descend, ties as they stood; NaN, None and empty words last. Numbers by size, all else as words."""
    array = np.asarray(values) if isinstance(values, np.ndarray) else None
    if array is None and all(isinstance(value, int | float | np.number | None) for value in values):
        array = np.array([np.nan if value is None else value for value in values], float)
    if array is not None and array.dtype.kind in "biuf":
        ranks = array.astype(float)
        missing = np.isnan(ranks)
    else:
        words = np.array([", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value or "") for value in values], object)
        missing = words == ""
        ranks = np.unique(words.astype(str), return_inverse=True)[1].astype(float)
    ranks = np.where(missing, 0.0, -ranks if descending else ranks)
    return np.lexsort((ranks, missing))
