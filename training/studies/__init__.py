"""Studies: several runs and what they say together, one file each with `main(runs, quiet) -> (document, text)`; `workbench study NAME`."""

import importlib
import pkgutil
from pathlib import Path
from typing import Any

from workbench.errors import UserError
from workbench.run_files import write_json


def names() -> list[str]:
    """The studies that come with the workbench."""
    return sorted(info.name.replace("_", "-") for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_"))


def conduct(name: str, runs: Path) -> tuple[dict[str, Any], str]:
    """Train what is missing under RUNS/studies/NAME, score it, keep the record there; returns it with its table. Raises UserError."""
    if name not in names():
        raise UserError(f"study {name!r}: there is none of this name; the studies are {', '.join(names())}")
    root = runs / "studies" / name
    root.mkdir(parents=True, exist_ok=True)
    document, text = importlib.import_module(f"training.studies.{name.replace('-', '_')}").main(root)
    write_json(root / "record.json", document)
    return document, text
