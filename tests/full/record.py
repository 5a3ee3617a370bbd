"""Records of long measurements: committed JSON with what is needed to repeat them."""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from training.provenance import revision

FOLDER = Path(__file__).parents[2] / "docs/results"


def head(config: Mapping[str, Any], data_hash: str, seeds: Sequence[int], start: float) -> dict[str, Any]:
    """What every record says of itself."""
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:16]
    git = revision()
    head = {"made": time.strftime("%Y-%m-%d"), "commit": git["commit"], "dirty": git["dirty"], "config_hash": digest}
    return head | {"data_hash": data_hash, "seeds": list(seeds), "seconds": round(time.time() - start, 1)}


def write(name: str, record: Mapping[str, Any]) -> Path:
    """docs/results/NAME.json, numbers rounded to six digits."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.json"
    rounded = json.loads(json.dumps(record), parse_float=lambda text: float(f"{float(text):.6g}"))
    path.write_text(json.dumps(rounded, indent=1) + "\n")
    return path
