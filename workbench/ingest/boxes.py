"""Boxes beside the table: a CSV with filename, label, x, y, w, h in pixels of the file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.errors import UserError
from workbench.ingest.decode import Decoded, Fit, placement
from workbench.ingest.table import Film, read_table

COLUMNS = ("filename", "label", "x", "y", "w", "h")


def read(root: Path, name: str | None, films: Sequence[Film]) -> dict[str, list[dict[str, Any]]]:
    """Boxes by image file; raises UserError that names the line's file and field."""
    if name is None:
        return {}
    table = read_table(root, name)
    for column in COLUMNS:
        if column not in table.head:
            raise UserError(f"{name}: no column {column!r}; expected {', '.join(COLUMNS)}; add it or leave `boxes` out")
    known = {film.name for film in films}
    found: dict[str, list[dict[str, Any]]] = {}
    for row in table.rows:
        file = row["filename"]
        if file not in known:
            raise UserError(f"{name}: {file} is not in the table of images; correct or remove its boxes")
        try:
            x, y, w, h = (float(row[column]) for column in "xywh")
        except ValueError:
            x = y = w = h = float("nan")
        if not (w > 0 and h > 0 and abs(x) < 1e6 and abs(y) < 1e6):
            raise UserError(f"{name}: {file}: x, y, w, h must be numbers and w, h positive; correct or remove the line")
        found.setdefault(file, []).append({"label": row["label"], "x": x, "y": y, "w": w, "h": h})
    return found


def on_film(box: dict[str, Any], image: int, film: Decoded, fit: Fit) -> dict[str, Any]:
    """A box in pixels of the square film, cut at its edges."""
    size = film.array.shape[0]
    scale, left, top = placement(film.width, film.height, size, fit)
    x, y = max(0.0, box["x"] * scale + left), max(0.0, box["y"] * scale + top)
    right, bottom = min(size, (box["x"] + box["w"]) * scale + left), min(size, (box["y"] + box["h"]) * scale + top)
    return {"label": box["label"], "image": image, "x": x, "y": y, "w": max(0.0, right - x), "h": max(0.0, bottom - y)}
