"""Real tables and archives that the package torchxrayvision carries: read in place, never copied."""

import importlib.util
import os
from pathlib import Path

from workbench.errors import UserError


def in_package(name: str) -> Path | None:
    """A file of the package's data, where it is installed."""
    package = importlib.util.find_spec("torchxrayvision")
    path = Path(package.origin).parent / "data" / name if package and package.origin else None
    return path if path and path.is_file() else None


def at_hand(name: str, variable: str) -> Path | None:
    """The file that a variable of the environment names, else that of the package; raises UserError where the named one is not there."""
    if given := os.environ.get(variable):
        if not Path(given).is_file():
            raise UserError(f"{variable}: {given} is no file; name the archive {name}, or unset it")
        return Path(given)
    return in_package(name)
