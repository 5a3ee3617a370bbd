"""The queue folder: who waits, in which order. Requests are files; a short lock orders who reads and who renames.  (no torch)"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from workbench.errors import UserError
from workbench.run import NAME, Run, read_json, write_json

Request = dict[str, Any]


@contextmanager
def ordered(root: Path) -> Iterator[Path]:
    """The queue folder, which nobody else reorders or takes from meanwhile."""
    folder = root / "queue"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".order.lock", timeout=20):
        yield folder


def waiting(root: Path) -> list[tuple[Path, Request | None]]:
    """Requests in order, as (file, content); None for one that is no request."""
    folder = root / "queue"
    if not folder.is_dir():
        return []
    found = []
    for path in sorted(folder.glob("[0-9]*.json")):
        try:
            request = json.loads(path.read_bytes())
        except FileNotFoundError:
            continue  # taken since the folder was read
        except (json.JSONDecodeError, UnicodeDecodeError):
            request = None
        whole = isinstance(request, dict) and isinstance(request.get("run"), str) and NAME.fullmatch(request["run"])
        found.append((path, request if whole else None))
    return found


def queue_list(root: Path) -> list[Request]:
    """What waits, in order: run, device, when it was asked for."""
    return [{"device": "auto", "resume": False} | request for _, request in waiting(root) if request is not None]


def queue_cancel(root: Path, run_id: str) -> None:
    """Take a run out of the queue; one that never began is then `stopped`. Raises UserError where it does not wait."""
    with ordered(root):
        own = [path for path, request in waiting(root) if request is not None and request["run"] == run_id]
        if not own:
            raise UserError(
                f"{run_id}: does not wait in the queue; `workbench queue list` shows what does, `workbench stop` ends a running one"
            )
        for path in own:
            path.unlink()
    status = root / run_id / "status.json"
    if status.is_file() and read_json(status).get("state") == "queued":
        write_json(status, read_json(status) | {"state": "stopped", "updated": time.time()})


def queue_move(root: Path, run_id: str, position: int) -> None:
    """Give a waiting run the place `position`, 1 being next. Raises UserError where there is no such run or place."""
    with ordered(root):
        entries = [(path, request["run"]) for path, request in waiting(root) if request is not None]
        names = [name for _, name in entries]
        if run_id not in names:
            raise UserError(f"{run_id}: does not wait in the queue; `workbench queue list` shows what does")
        if not 1 <= position <= len(entries):
            raise UserError(f"position {position}: the queue has {len(entries)} places; give one from 1 to {len(entries)}")
        prefixes = [path.name.partition("-")[0] for path, _ in entries]
        entries.insert(position - 1, entries.pop(names.index(run_id)))
        for prefix, (path, name) in zip(prefixes, entries):
            os.replace(path, path.with_name(f"{prefix}-{name}.json"))


def take(path: Path) -> Path:
    """Claim a request: a stop no longer finds it, a supervisor that follows a killed one does."""
    claimed = path.with_name(f".taken-{path.name}")
    os.replace(path, claimed)
    return claimed


def give_back(root: Path) -> None:
    """Put claims of a supervisor that was killed between claim and launch back where they were."""
    with ordered(root) as folder:
        for claimed in folder.glob(".taken-*.json"):
            os.replace(claimed, claimed.with_name(claimed.name.removeprefix(".taken-")))


def set_aside(path: Path, reason: str) -> None:
    """Move a request that cannot be carried out to queue/aside, with the reason."""
    aside = path.parent / "aside"
    aside.mkdir(exist_ok=True)
    try:
        content = json.loads(path.read_bytes())
    except (json.JSONDecodeError, UnicodeDecodeError):
        content = None
    record = content if isinstance(content, dict) else {"content": path.read_bytes()[:2000].decode(errors="replace")}
    write_json(aside / path.name.removeprefix(".taken-"), record | {"reason": reason, "set_aside": time.time()})
    path.unlink()


def withdraw(run: Run) -> bool:
    """Whether the run was still waiting and now is not."""
    try:
        queue_cancel(run.path.parent, run.id)
    except UserError:
        return False
    return True
