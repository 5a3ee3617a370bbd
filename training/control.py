"""The inbox of a running run: commands are JSON files, acknowledged by a rename."""

import json
import os
from pathlib import Path
from typing import Any

from workbench.run import write_json


def pending(inbox: Path) -> list[tuple[Path, dict[str, Any]]]:
    """Commands not yet acknowledged, in the order they were written; a file that is no JSON object is refused."""
    try:
        names = sorted(entry.name for entry in os.scandir(inbox) if entry.name.endswith(".json") and not entry.name.startswith("."))
    except FileNotFoundError:
        return []
    found = []
    for name in names:
        path = inbox / name
        try:
            command = json.loads(path.read_bytes())
        except (json.JSONDecodeError, UnicodeDecodeError):
            command = None
        if isinstance(command, dict) and isinstance(command.get("command"), str):
            found.append((path, command))
        else:
            refuse(path, {}, "not a JSON object with a text field `command`")
    return found


def acknowledge(path: Path, command: dict[str, Any], **outcome: Any) -> None:
    """Mark a command as done, with what it did."""
    write_json(path, command | outcome)
    os.replace(path, path.with_suffix(".done"))


def refuse(path: Path, command: dict[str, Any], reason: str) -> None:
    """Mark a command as refused, with the reason."""
    write_json(path, command | {"reason": reason})
    os.replace(path, path.with_suffix(".refused"))
