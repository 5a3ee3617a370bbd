"""Methods, data sets, recipes and pages are found by their file name; there is nothing to register."""

import importlib
import os
from functools import cache
from pathlib import Path
from types import ModuleType

from workbench.errors import UserError

ROOT = Path(__file__).parent


@cache
def names(kind: str) -> tuple[str, ...]:
    """Names of one kind ("methods", "data", "analysis", "figures"): the files of that folder."""
    return tuple(sorted(path.stem for path in (ROOT / kind).glob("*.py") if not path.stem.startswith("_")))


def load(kind: str, name: str) -> ModuleType:
    """The module of one name; a dotted name is taken from the packages listed in WORKBENCH_PLUGINS. Raises UserError."""
    if name in names(kind):
        return importlib.import_module(f"workbench.{kind}.{name}")
    allowed = [package for package in os.environ.get("WORKBENCH_PLUGINS", "").split(":") if package]
    if any(name.startswith(package + ".") for package in allowed):
        return importlib.import_module(name)
    raise UserError(f"no {kind} named {name!r}; known: {', '.join(names(kind))} (own packages are named in WORKBENCH_PLUGINS)")
