"""`python -m tests.full [NAME …]`: the long tables, every one resumable; without a name all of them, with --list their names."""

import importlib
import pkgutil
import sys

import tests.full as package
from workbench.errors import UserError


def names() -> list[str]:
    """The files of this folder that have a `main`."""
    return [info.name for info in pkgutil.iter_modules(package.__path__) if info.name not in ("__main__", "record")]


def run(chosen: list[str]) -> None:
    known = names()
    if chosen == ["--list"]:
        print("\n".join(f"{name:<14}{(importlib.import_module(f'tests.full.{name}').__doc__ or '').splitlines()[0]}" for name in known))
        return
    unknown = [name for name in chosen if name not in known]
    if unknown:
        sys.exit(f"no long table named {', '.join(unknown)}; there are {', '.join(known)}")
    for name in chosen or known:
        print(f"== {name}", flush=True)
        try:
            importlib.import_module(f"tests.full.{name}").main()
        except UserError as error:  # what it reads is not at hand here
            print(f"not run: {error}")


if __name__ == "__main__":
    run(sys.argv[1:])
