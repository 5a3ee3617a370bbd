"""Records of long measurements: committed JSON with what is needed to repeat them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.records import head, write_record

__all__ = ["FOLDER", "head", "write"]
FOLDER = Path(__file__).parents[2] / "docs/results"


def write(name: str, record: Mapping[str, Any]) -> Path:
    """docs/results/NAME.json, numbers rounded to six digits."""
    return write_record(FOLDER / f"{name}.json", record)
