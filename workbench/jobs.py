"""What is asked of the detached processes: to serve the queue, to continue a run, to compute an analysis.  (no torch)"""

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from workbench.run import Run, is_alive, runs_root, write_json

REPOSITORY = Path(__file__).parents[1]


def start_queue(root: str | Path | None = None) -> bool:
    """Start the supervisor of a runs folder as a process of its own, where none lives; whether one had to be started.

    To be called after the request is written: a supervisor that is about to leave looks once more after it has taken down its sign.
    """
    base = runs_root(root)
    folder = base / "queue"
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError, json.JSONDecodeError):  # no sign: nobody serves, or one is about to begin and the lock decides
        if is_alive(json.loads((folder / "supervisor.json").read_bytes())):
            return False
    with open(folder / "supervisor.log", "ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", "training", "queue", "start", "--runs", str(base)],
            cwd=REPOSITORY,
            env=os.environ | {"WORKBENCH_RUNS": str(base)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return True


def request_resume(run: Run) -> Path:
    """Ask that a run be continued from its newest checkpoint; returns the request's file."""
    queue = run.path.parent / "queue"
    queue.mkdir(exist_ok=True)
    path = queue / f"{time.time_ns()}-{run.id}.json"
    write_json(path, {"run": run.id, "device": run.config.get("device", "auto"), "asked": time.time(), "resume": True}, durable=True)
    return path


def jobs_wait(root: Path) -> bool:
    """Whether an analysis job waits for the worker."""
    folder = root / "jobs" / "waiting"
    return folder.is_dir() and any(entry.name.endswith(".json") for entry in os.scandir(folder))
