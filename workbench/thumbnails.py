"""Small pictures of studies, many in one sheet: drawn once, then read from the cache. No torch.

A thumbnail is one JPEG under `cache_root()/thumbnails`, named by the data set's hash, the study's key and the edge. Those lie in 256 folders by the
first two letters of their name; a folder that holds more than `KEPT` gives up its least recently written half, so all of them together stay below
256 * KEPT files (about 1 GB at an edge of 128). Like the films that `data prepare` converts they never leave that folder: who may see them is asked
each time they are handed out (`shown`).
"""

import hashlib
import io
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from workbench.cache import cache_root
from workbench.dataset import Dataset, Image
from workbench.errors import UserError

VERSION = 1  # of how a film becomes a thumbnail
ACROSS = 16  # thumbnails in a row of a sheet
MOST = 4096  # thumbnails of a sheet
KEPT = 1024  # thumbnails of one of the 256 folders
SAMPLED = 250_000  # pixels that tell the window of a deep image
EDGES = (8, 512)
Why = Literal["", "no image", "unreadable", "withheld", "not here", "pending"]


class Sheet(NamedTuple):
    """Thumbnail i stands in column i % across and row i // across; `why[i]` says in words why it is a placeholder, or is empty."""

    image: bytes  # JPEG, grey
    across: int
    edge: int
    why: tuple[Why, ...]


def atlas(dataset: Dataset, keys: Sequence[str], edge: int = 96) -> bytes:
    """A sheet of `keys` as JPEG, all of them, `min(len(keys), ACROSS)` in a row; see `sheet`."""
    return sheet(dataset, keys, edge).image


def sheet(
    dataset: Dataset,
    keys: Sequence[str],
    edge: int = 96,
    shown: bool = True,
    patience: float | None = None,
    places: Mapping[str, int] | None = None,
) -> Sheet:
    """The first image of each study as a square of `edge` pixels, letterboxed; placeholders say what is missing.

    With `shown` False no film is opened: what the terms of a data set forbid is withheld here, before a pixel is read. With `patience` (seconds)
    films that are not in the cache wait ("pending") once it is used up, but for the first of them; `places` spares the search for the rows of the
    keys. Raises UserError for more than MOST keys or an edge outside EDGES.
    """
    if len(keys) > MOST or not EDGES[0] <= edge <= EDGES[1]:
        raise UserError(f"thumbnails: {len(keys)} of {edge} px; ask for at most {MOST} of {EDGES[0]} to {EDGES[1]} px at once")
    where = rows_of(dataset, keys) if places is None else places
    drawn: list[np.ndarray | None] = [None] * len(keys)
    why: list[Why] = ["" if shown else "withheld"] * len(keys)
    left = []
    for at, key in enumerate(keys if shown else ()):
        if key not in where:
            why[at] = "not here"
            continue
        drawn[at] = kept(path_of(dataset.data_hash, key, edge), edge)
        if drawn[at] is None:
            left.append(at)
    begun = time.monotonic()
    for at in left:
        if patience is not None and at != left[0] and time.monotonic() - begun > patience:
            why[at] = "pending"
        else:
            drawn[at], why[at] = made(dataset, where[keys[at]], keys[at], edge)
    return Sheet(encoded(together([placeholder(said, edge) if film is None else film for film, said in zip(drawn, why)], edge)),
                 min(max(len(keys), 1), ACROSS), edge, tuple(why))  # fmt: skip


def rows_of(dataset: Dataset, keys: Sequence[str]) -> dict[str, int]:
    """Key -> row of the data set, for those of `keys` that it has."""
    wanted = set(keys)
    return {key: row for row, key in enumerate(dataset.keys) if key in wanted}


def folder() -> Path:
    """Where all thumbnails lie."""
    return cache_root() / "thumbnails"


def path_of(data_hash: str, key: str, edge: int) -> Path:
    """The file of a thumbnail. Only a digest of the key reaches the file system: no key leads out of the cache."""
    name = hashlib.sha256(f"{VERSION}\0{data_hash}\0{key}\0{edge}".encode()).hexdigest()
    return folder() / name[:2] / f"{name}.jpg"


def kept(path: Path, edge: int) -> np.ndarray | None:
    """(edge, edge) uint8 from the cache; None where it is not there or is torn."""
    try:
        with Pillow.open(path, formats=("JPEG",)) as image:
            found = np.asarray(image)
    except (OSError, SyntaxError):  # not there, or cut short: it is drawn again
        return None
    return found if found.shape == (edge, edge) else None


def made(dataset: Dataset, row: int, key: str, edge: int) -> tuple[np.ndarray | None, Why]:
    """A thumbnail drawn from its film and kept, or why there is none."""
    try:
        images = dataset[row]["images"]
    except (UserError, OSError, ValueError):
        return None, "unreadable"
    if not images or not np.asarray(images[0].array).size:
        return None, "no image"
    film = thumbnail(images[0], edge)
    keep(path_of(dataset.data_hash, key, edge), encoded(film, 92))
    return film, ""


def keep(path: Path, data: bytes) -> None:
    """Write aside and rename; raises UserError where the cache cannot be written. A folder that is full gives up its older half."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        names = os.listdir(path.parent)
        if len(names) >= KEPT:
            older = sorted(names, key=lambda name: written(path.parent / name))[: len(names) // 2]
            for name in older:
                (path.parent / name).unlink(missing_ok=True)
        part = path.with_name(f".{uuid.uuid4().hex}")
        part.write_bytes(data)
        os.replace(part, path)
    except OSError as error:
        raise UserError(
            f"{path.parent}: a thumbnail cannot be written ({error.strerror}); free disk space, or set WORKBENCH_CACHE to another folder"
        ) from None


def written(path: Path) -> float:
    """When a file was written; 0 where another process has just removed it."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def thumbnail(image: Image, edge: int) -> np.ndarray:
    """(edge, edge) uint8: the whole film with black bars. Of a volume the middle slice, of a clip the first frame, of colours their mean; deeper than
    8 bit from its 1st to its 99th percentile. Reduced by the mean over the area of each pixel."""
    array = np.asarray(image.array)
    if image.axes in ("zhw", "thwc"):
        array = array[len(array) // 2 if image.axes == "zhw" else 0]
    if array.ndim == 3:
        array = array.astype(np.float32).mean(-1) if array.dtype != np.uint8 else np.rint(array.mean(-1)).astype(np.uint8)
    grey = Pillow.fromarray(np.ascontiguousarray(array if array.dtype == np.uint8 else windowed(array)))
    scale = edge / max(grey.size)
    size = (max(1, round(grey.width * scale)), max(1, round(grey.height * scale)))
    small = grey.resize(size, Pillow.Resampling.BOX if scale < 1 else Pillow.Resampling.BICUBIC)
    film = np.zeros((edge, edge), np.uint8)
    top, left = (edge - size[1]) // 2, (edge - size[0]) // 2
    film[top : top + size[1], left : left + size[0]] = np.asarray(small)
    return film


def windowed(array: np.ndarray) -> np.ndarray:
    """(h, w) of any depth as uint8 from its 1st to its 99th percentile; what is not finite is black, and so is an image of one value."""
    every = max(1, int(np.sqrt(array.size / SAMPLED)))
    sample = array[::every, ::every].astype(np.float32)
    sample = sample[np.isfinite(sample)]
    if not sample.size:
        return np.zeros(array.shape, np.uint8)
    low, high = (float(value) for value in np.percentile(sample, (1, 99)))
    if high <= low:  # nearly all of one value: what differs shall be seen all the same
        low, high = float(sample.min()), float(sample.max())
    scaled = (array.astype(np.float32) - low) * (255.0 / (high - low) if high > low else 0.0)
    return np.clip(np.nan_to_num(scaled, nan=0.0, posinf=255.0, neginf=0.0), 0, 255).astype(np.uint8)


def together(films: Sequence[np.ndarray], edge: int) -> np.ndarray:
    """Squares in rows of at most ACROSS, as one (rows * edge, across * edge) uint8."""
    across = min(max(len(films), 1), ACROSS)
    down = max(1, -(-len(films) // across))
    canvas = np.zeros((down * edge, across * edge), np.uint8)
    for at, film in enumerate(films):
        y, x = at // across * edge, at % across * edge
        canvas[y : y + edge, x : x + edge] = film
    return canvas


def encoded(array: np.ndarray, quality: int = 85) -> bytes:
    """(h, w) uint8 as JPEG."""
    file = io.BytesIO()
    Pillow.fromarray(array).save(file, "JPEG", quality=quality)
    return file.getvalue()


@lru_cache(maxsize=32)
def placeholder(why: Why, edge: int) -> np.ndarray:
    """(edge, edge) uint8: a frame with the reason in it, for those who see the sheet alone."""
    canvas = Pillow.new("L", (edge, edge), 40)
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((1, 1, edge - 2, edge - 2), outline=90)
    font = ImageFont.load_default(max(6.0, edge / 8))
    draw.multiline_text((edge / 2, edge / 2), why.replace(" ", "\n"), fill=170, font=font, anchor="mm", align="center")
    return np.asarray(canvas)
