"""Records of long measurements: committed JSON with what is needed to repeat them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.records import head

__all__ = ["FOLDER", "head", "write"]
FOLDER = Path(__file__).parents[2] / "docs/results"


def write(name: str, record: Mapping[str, Any]) -> Path:
    """docs/results/NAME.json, numbers rounded to six digits."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.json"
    rounded = json.loads(json.dumps(record), parse_float=lambda text: float(f"{float(text):.6g}"))
    path.write_text(json.dumps(rounded, indent=1) + "\n")
    return path
