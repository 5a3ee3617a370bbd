"""What commands share: the words of their arguments, and how they print."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import tyro

Runs = Annotated[Path | None, tyro.conf.arg(name="runs", help="Runs folder; default $WORKBENCH_RUNS, else ./runs.")]
Json = Annotated[bool, tyro.conf.arg(name="json", help="Print one JSON document and nothing else.")]
Name = tyro.conf.Positional[str]


def show(document: Any, text: str, as_json: bool) -> None:
    """One JSON document, or text for people."""
    print(json.dumps(document, indent=None, allow_nan=False) if as_json else text)


def table(rows: Sequence[Sequence[Any]], heads: Sequence[str]) -> str:
    """Aligned columns."""
    cells = [[str(cell) for cell in row] for row in [heads, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in cells)
