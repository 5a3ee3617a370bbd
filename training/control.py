"""The inbox of a running run: commands are JSON files, acknowledged by a rename."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from workbench.errors import UserError
from workbench.run import Run, delete_run, write_json


@contextmanager
def exclusive(run: Run, seconds: float = 10.0) -> Iterator[None]:
    """Hold a run folder for this process: two never train one run. The lock falls with the process, also by kill -9.

    It waits a little: data workers of a killed process hold the lock until they notice. Of several ranks the first one
    holds it for all. Raises UserError.
    """
    if int(os.environ.get("RANK", 0)) > 0:
        yield
        return
    try:
        with FileLock(run.path / ".lock", timeout=seconds):
            yield
    except Timeout:
        raise UserError(f"{run.id}: another process is training this run; stop it first with `workbench stop {run.id}`") from None


@contextmanager
def gone_unless_begun(run: Run) -> Iterator[None]:
    """Take the folder of a new run away again where an error comes before its first status: nothing of it was worth keeping."""
    try:
        yield
    except BaseException:
        if run.status["state"] == "queued":
            delete_run(run)
        raise


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
