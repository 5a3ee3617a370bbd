"""Where data lies: a root that may name an environment variable, and paths that never leave it."""

import os
import re
from pathlib import Path, PurePosixPath

from workbench.errors import UserError

VARIABLE = re.compile(r"\$\{([A-Za-z0-9_]*)\}")


def expand(text: str) -> Path:
    """`${WORKBENCH_…}` and `~` replaced; other variables are refused, a received recipe must not read the environment."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if not name.startswith("WORKBENCH_"):
            raise UserError(f"root: {text}: only variables named WORKBENCH_… are read here; write the folder itself or give --root DIR")
        if not os.environ.get(name):
            raise UserError(f"root: {text}: the environment variable {name} is not set; set it to your data folder or give --root DIR")
        return os.environ[name]

    return Path(VARIABLE.sub(value, text)).expanduser()


def data_root(root: str | None) -> Path:
    """The resolved data folder; a relative one lies in $WORKBENCH_DATA, else here, and where that is set nothing else is read."""
    if not root:
        raise UserError("root: the folder of the data is not given; add --root DIR, or root: DIR to the data of the recipe")
    base = os.environ.get("WORKBENCH_DATA")
    path = (Path(base or ".") / expand(root)).resolve()
    allowed = [Path(folder).resolve() for folder in (base, os.environ.get("WORKBENCH_TEST_DATA")) if folder]
    if base and not any(path.is_relative_to(folder) for folder in allowed):
        raise UserError(f"root: {root} lies outside $WORKBENCH_DATA; move the data there, or unset the variable")
    if not path.is_dir():
        raise UserError(f"root: {path} is no folder; give the folder that holds the table and the images")
    return path


def contained(root: Path, relative: str, where: str) -> Path:
    """The file `relative` names below the resolved `root`, symbolic links followed; raises UserError where it leads outside."""
    pure = PurePosixPath(relative.replace("\\", "/"))
    outside = not relative or "\0" in relative or pure.is_absolute() or ".." in pure.parts
    path = root if outside else Path(os.path.realpath(root / pure))
    if outside or not path.is_relative_to(root):
        raise UserError(f"{where}: {relative[:80]!r} leads outside the data folder; give the path of a file below it")
    return path
