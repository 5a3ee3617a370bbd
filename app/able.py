"""Which runs can do what a page asks for, and which methods could; found without torch."""

import ast
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from app import place
from app.state import escape
from workbench import registry
from workbench.run import Run

METHODS = Path(registry.ROOT) / "methods"


def able(runs: Sequence[Run], capability: str) -> list[Run]:
    """Those of the runs whose method has a capability and that keep a snapshot to load."""
    return [run for run in runs if capability in (run.status.get("capabilities") or []) and run.steps_of("snapshots")]


@cache
def methods_with(function: str) -> tuple[str, ...]:
    """Names of the methods whose class defines this function."""
    found = []
    for name in registry.names("methods"):
        classes = [node for node in ast.parse((METHODS / f"{name}.py").read_text()).body if isinstance(node, ast.ClassDef)]
        if any(isinstance(item, ast.FunctionDef) and item.name == function for node in classes for item in node.body):
            found.append(name)
    return tuple(found)


def explain(runs: Sequence[Run], capability: str, function: str, does: str, command: str) -> None:
    """What to do where none of the chosen runs can."""
    names = ", ".join(escape(str(run.config["method"]["name"])) for run in runs)
    if any(capability in (run.status.get("capabilities") or []) for run in runs):
        place.empty(
            "**No snapshot to load yet.** The first is written before the first step, unless the budget of `snapshots` is too small."
        )
        return
    which = ", ".join(methods_with(function)) or "no method yet"
    place.empty(f"**The chosen runs' methods ({names}) do not {does}.** These do: {which}. Choose such a run above, or train one:", command)
