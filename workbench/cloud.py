"""A cloud of points as the map component draws it, and what comes back from a reader's hand: a polygon or one point.  (no torch)

What is sent is drawn only: float32 around the middle, colours in 256 steps. What is selected is found from the float64 coordinates.
"""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple, TypedDict

import numpy as np

from workbench.errors import UserError

Kind = Literal["categorical", "continuous", "factor", "error"]
HUES, NONE = 6, 255  # colours of the series; the code of what is not stated
STEPS = 254  # the highest code of a continuous colour
VERTICES = 256  # of a polygon that is taken from a browser
IDS = 100_000  # points up to which each brings its name and its value; beyond, the component says the row


class Geometry(TypedDict, total=False):
    """What a lasso, a rectangle or a click gives: `polygon` in data coordinates of a lasso (empty: nothing any more), `row` of a click."""

    kind: Literal["lasso", "click"]
    polygon: list[list[float]]
    row: int


@dataclass(frozen=True)
class Colour:
    """What points are coloured by: `codes` (n,) uint8 are places in `categories`, or steps from `low` to `high`; 255 is not stated.

    `kind` "factor" is a known cause of the data, either way; "error" is drawn in the colour of errors.
    """

    name: str
    kind: Kind
    codes: np.ndarray
    categories: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    values: np.ndarray | None = None
    hues: tuple[int, ...] = ()  # places of the categories in the series colours, where they are not 0, 1, 2, …


def colour(name: str, values: np.ndarray, kind: Kind | None = None, continuous: bool | None = None) -> Colour:
    """The colours of a column (n,) of words or numbers; numbers are `continuous` unless said otherwise or there are two at most.

    Of more than six words the five commonest keep a colour, the others share one. NaN and "" are not stated.
    """
    values = np.asarray(values)
    if continuous is None:
        continuous = many(values) or kind in ("continuous", "error")
    if continuous:
        return _continuous(name, values.astype(np.float64), kind or "continuous")
    return _categorical(name, values, kind or "categorical")


def many(values: np.ndarray) -> bool:
    """Whether a column (n,) holds more than two different numbers."""
    if values.dtype.kind not in "fiub":
        return False
    numbers = values.astype(np.float64)
    return len(np.unique(numbers[~np.isnan(numbers)])) > 2


def _continuous(name: str, values: np.ndarray, kind: Kind) -> Colour:
    known = np.isfinite(values)
    low, high = (float(values[known].min()), float(values[known].max())) if known.any() else (0.0, 0.0)
    share = (values - low) / (high - low) if high > low else np.zeros(len(values))
    codes = np.where(known, np.rint(np.nan_to_num(share) * STEPS), NONE).astype(np.uint8)
    return Colour(name, kind, codes, (), low, high, np.where(known, values, np.nan).astype(np.float32))


def _categorical(name: str, values: np.ndarray, kind: Kind) -> Colour:
    words = [_word(value) for value in values.tolist()]
    counts = Counter(word for word in words if word)
    kept = [word for word, _ in counts.most_common(HUES if len(counts) <= HUES else HUES - 1)]
    named = sorted(kept, key=kept.index) + (["other"] if len(counts) > HUES else [])
    place = {word: kept.index(word) if word in kept else HUES - 1 for word in counts}
    return Colour(name, kind, np.asarray([place.get(word, NONE) for word in words], np.uint8), tuple(named))


def _word(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:g}"
    return str(value)


def stated(name: str, states: np.ndarray) -> Colour:
    """The colours of a finding: `states` (n,) is 1 present, 0 absent, NaN not stated; present comes first."""
    states = np.asarray(states, float)
    codes = np.select([states == 1, states == 0], [0, 1], NONE).astype(np.uint8)
    return Colour(name, "categorical", codes, ("present", "absent"), hues=(0, 2))


@dataclass(frozen=True)
class Rescored:
    """Numbers that were computed with the reports moved along the gap: one row of `said` for every amount in `t`, from nothing to beyond closed."""

    t: tuple[float, ...]
    said: tuple[str, ...]


@dataclass(frozen=True)
class Frame:
    """The same rows at another checkpoint, (n, 2), in register with the cloud's own."""

    step: int
    xy: np.ndarray


@dataclass(frozen=True)
class Cloud:
    """Points (n, 2) and what is drawn with them.

    `ids` (n) are shown at the pointer, `towers` (n,) is 1 for reports and 0 for images, `pairs` (m, 2) are the rows of image and report,
    `gap` (2,) is the way on which `rescored` moves reports, `frames` holds other checkpoints, of which the cloud's own step is `step`.
    """

    xy: np.ndarray
    title: str
    axes: tuple[str, str] = ("", "")
    colour: Colour | None = None
    ids: Sequence[str] = ()
    towers: np.ndarray | None = None
    pairs: np.ndarray | None = None
    gap: np.ndarray | None = None
    rescored: Rescored | None = None
    frames: tuple[Frame, ...] = ()
    step: int = -1
    equal: bool = True
    height: int = 520
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        xy = np.asarray(self.xy)
        if xy.ndim != 2 or xy.shape[1] != 2 or not len(xy):
            raise UserError(f"{self.title}: a map needs coordinates of shape (n, 2) and at least one row, these are {xy.shape}")
        lost = int((~np.isfinite(xy).all(1)).sum())
        if lost:
            raise UserError(
                f"{self.title}: {lost} of {len(xy)} points have no place, their coordinates are not numbers; leave these rows out"
            )
        sizes = {"colours": self.colour and len(self.colour.codes), "towers": self.towers is not None and len(self.towers)}
        sizes |= {"ids": len(self.ids), **{f"the points of step {frame.step}": len(frame.xy) for frame in self.frames}}
        for what, size in sizes.items():
            if size and size != len(xy):
                raise UserError(f"{self.title}: {size} {what} for {len(xy)} points")

    @property
    def n(self) -> int:
        return len(self.xy)

    def with_colour(self, own: Colour | None) -> "Cloud":
        """The same points in other colours."""
        return replace(self, colour=own)

    @cached_property
    def packed(self) -> tuple[bytes, dict[str, Any]]:
        """What `pack` gives, made once."""
        return self.pack()

    def pack(self) -> tuple[bytes, dict[str, Any]]:
        """The arrays one after another, and what a browser needs to read and to draw them; equal clouds give equal bytes."""
        low, high = np.min(self.xy, 0), np.max(self.xy, 0)
        origin = (low + high) / 2
        arrays = {"xy": (np.asarray(self.xy) - origin).astype("<f4")}
        arrays |= {f"frame {place}": (np.asarray(frame.xy) - origin).astype("<f4") for place, frame in enumerate(self.frames)}
        header: dict[str, Any] = {"n": self.n, "title": self.title, "axes": list(self.axes), "origin": origin.tolist(), "equal": self.equal}
        header |= {"low": (low - origin).tolist(), "high": (high - origin).tolist(), "height": self.height, "step": self.step}
        header |= {"frames": [frame.step for frame in self.frames], **self.extra}
        if self.colour:
            own = self.colour
            arrays["codes"] = own.codes
            header["colour"] = {"name": own.name, "kind": own.kind, "categories": list(own.categories), "low": own.low, "high": own.high}
            header["colour"] |= {"hues": list(own.hues)} if own.hues else {}
            if own.values is not None and self.n <= IDS:
                arrays["values"] = own.values.astype("<f4")
        if self.towers is not None:
            arrays["towers"] = np.asarray(self.towers, np.uint8)
        if self.pairs is not None:
            arrays["pairs"] = np.asarray(self.pairs, "<u4").reshape(-1, 2)
        if self.ids and self.n <= IDS:
            arrays["ids"] = np.frombuffer("\n".join(" ".join(str(each).split()) for each in self.ids).encode(), np.uint8)
        if self.gap is not None:
            header["gap"] = np.asarray(self.gap, float).tolist()
        if self.rescored is not None:
            header["rescored"] = {"t": list(self.rescored.t), "said": list(self.rescored.said)}
        blob, header["arrays"] = laid_out(arrays)
        header["place"] = hashlib.sha256(arrays["xy"].tobytes()).hexdigest()[:16]
        header["serial"] = hashlib.sha256(blob + json.dumps(header, sort_keys=True).encode()).hexdigest()[:16]
        return blob, header


class Films(NamedTuple):
    """Thumbnails in one sheet of `columns` across: the one at place i is of row `rows[i]`, -1 where it is yet to be drawn; they leave the screen only where `leave` says so."""

    rows: tuple[int, ...]
    sheet: bytes
    columns: int
    edge: int
    leave: bool
    kind: str = "image/jpeg"


def beside(
    place: str,
    chosen: int | None = None,
    polygon: Sequence[Sequence[float]] = (),
    inside: np.ndarray | None = None,
    said: str = "",
    films: Films | None = None,
) -> tuple[bytes, dict[str, Any]]:
    """What changes more often than the points, packed like a cloud: a chosen row, a polygon or the rows (n,) bool of a set, words, films.

    `place` is that of the cloud's header; nothing chosen where neither polygon nor set is given.
    """
    arrays: dict[str, np.ndarray] = {}
    header: dict[str, Any] = {"place": place, "chosen": chosen, "said": said or None}
    if polygon:
        header["polygon"] = [list(map(float, corner)) for corner in polygon]
    elif inside is not None:
        arrays["mask"] = np.packbits(np.asarray(inside, bool))
    else:
        header["cleared"] = True
    if films:
        arrays["sheet"] = np.frombuffer(films.sheet, np.uint8)
        header["films"] = {"rows": list(films.rows), "columns": films.columns, "edge": films.edge, "leave": films.leave, "type": films.kind}
    blob, header["arrays"] = laid_out(arrays)
    header["serial"] = hashlib.sha256(blob + json.dumps(header, sort_keys=True).encode()).hexdigest()[:16]
    return blob, header


def laid_out(arrays: Mapping[str, np.ndarray]) -> tuple[bytes, list[dict[str, Any]]]:
    """Arrays one after another, each from a multiple of four bytes on, and where each lies: name, kind, start, count."""
    parts, places, start = [], [], 0
    for name, array in arrays.items():
        raw = np.ascontiguousarray(array).tobytes()
        places.append({"name": name, "kind": array.dtype.str[-2:], "start": start, "count": int(array.size)})
        parts.append(raw + bytes(-len(raw) % 4))
        start += len(parts[-1])
    return b"".join(parts), places


def framed(blob: bytes, header: Mapping[str, Any]) -> bytes:
    """Both as one run of bytes: length of the header, header as JSON filled up with blanks to a multiple of four, blob."""
    told = json.dumps(header).encode()
    told += b" " * (-len(told) % 4)
    return len(told).to_bytes(4, "little") + told + blob


def checked(value: object, n: int) -> Geometry | None:
    """What a browser sent, where it is a geometry over `n` points; None where it is not: nothing from outside is believed."""
    if not isinstance(value, Mapping):
        return None
    if value.get("kind") == "click":
        row = value.get("row")
        return Geometry(kind="click", row=row) if isinstance(row, int) and not isinstance(row, bool) and 0 <= row < n else None
    polygon = value.get("polygon")
    if value.get("kind") != "lasso" or not isinstance(polygon, Sequence) or not (polygon == [] or 3 <= len(polygon) <= VERTICES):
        return None
    corners = [[float(x) for x in corner] for corner in polygon if _corner(corner)]
    return Geometry(kind="lasso", polygon=corners) if len(corners) == len(polygon) else None


def _corner(value: object) -> bool:
    two = isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2
    return two and all(isinstance(x, int | float) and not isinstance(x, bool) and math.isfinite(x) for x in value)  # type: ignore[attr-defined]
