"""What is asked of the detached processes: to serve the queue, to continue a run, to compute an analysis.  (no torch)

A job is a folder under `jobs/` of the runs folder with its request and its status; its result lies with the run it is about,
`runs/<run>/analysis/<name>/<key>/`, written aside and renamed, so a result that is there is whole. Deleting `jobs/` loses nothing but who waits.
"""

import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from workbench.errors import UserError
from workbench.run import NAME, Run, find_run, is_alive, read_json, runs_root, write_json

REPOSITORY = Path(__file__).parents[1]
FUNCTIONS = REPOSITORY / "training" / "jobs"  # one file a job; its line `VERSION = n` is read without importing it
OPEN = ("waiting", "running")


@dataclass(frozen=True)
class Job:
    """One analysis asked for: where its request, its status and its result are."""

    root: Path
    id: str
    name: str
    run: str | None
    result: Path

    @property
    def folder(self) -> Path:
        return self.root / "jobs" / self.id

    @property
    def done(self) -> bool:
        """Whether the whole result is there."""
        return self.result.is_dir()

    def status(self) -> dict[str, Any]:
        """state: waiting, running, finished, failed or cancelled; progress 0 to 1, message, error (a sentence)."""
        if self.done:
            return {"state": "finished", "progress": 1.0, "message": "", "error": None}
        try:
            status = read_json(self.folder / "status.json")
        except UserError:
            return {
                "state": "failed",
                "progress": 0.0,
                "message": "",
                "error": f"{self.id}: was never asked for or its folder is damaged; ask again",
            }
        if status["state"] == "finished":
            return status | {"state": "failed", "error": f"{self.result}: this result was deleted; ask for it again"}
        return status

    def cancel(self) -> None:
        """Ask the worker to give the job up; one that waits is never begun."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "cancel").touch()


def functions() -> tuple[str, ...]:
    """The analyses a worker can be asked for: the files of training/jobs."""
    return tuple(sorted(path.stem for path in FUNCTIONS.glob("*.py") if not path.stem.startswith("_")))


@cache
def version(name: str) -> int:
    """The `VERSION` line of a job's file. Raises UserError where there is no such job."""
    if name not in functions():
        raise UserError(f"no analysis job named {name!r}; known: {', '.join(functions())}")
    for line in ast.parse((FUNCTIONS / f"{name}.py").read_text()).body:
        if isinstance(line, ast.Assign) and getattr(line.targets[0], "id", None) == "VERSION":
            return int(ast.literal_eval(line.value))
    raise TypeError(f"training/jobs/{name}.py: no line VERSION = n")


def describe_job(root: str | Path | None, name: str, run_id: str | None, parameters: Mapping[str, Any]) -> Job:
    """The job of these parameters, asked for or not. Its key: checkpoint, version of the analysis, parameters, data hash."""
    base = runs_root(root)
    run = find_run(run_id, base) if run_id is not None else None
    data = run.status.get("data_hash") if run else None
    content = [name, version(name), run.id if run else None, parameters.get("step"), data, dict(parameters)]
    key = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:20]
    folder = run.path / "analysis" if run else base / "jobs" / "results"
    return Job(base, f"{name}-{key}", name, run.id if run else None, folder / name / key)


def request_job(root: str | Path | None, name: str, run_id: str | None, parameters: Mapping[str, Any]) -> Job:
    """Ask for an analysis: at once finished where its result lies on disk, otherwise it waits for the worker, which is started if none lives.

    A job that failed or was cancelled is begun again. Raises UserError for an unknown job, run, or parameters that are no JSON.
    """
    job = describe_job(root, name, run_id, parameters)
    if job.done or job.status()["state"] in OPEN:
        start_queue(job.root) if not job.done else None
        return job
    job.folder.mkdir(parents=True, exist_ok=True)
    (job.folder / "cancel").unlink(missing_ok=True)
    request = {"id": job.id, "name": name, "run": job.run, "parameters": dict(parameters), "result": str(job.result), "asked": time.time()}
    write_json(job.folder / "request.json", request)
    write_json(job.folder / "status.json", {"state": "waiting", "progress": 0.0, "message": "", "error": None, "updated": time.time()})
    (job.root / "jobs" / "waiting").mkdir(exist_ok=True)
    write_json(job.root / "jobs" / "waiting" / f"{time.time_ns()}-{job.id}.json", {"id": job.id})
    start_queue(job.root)
    return job


def open_job(root: str | Path | None, job_id: str) -> Job:
    """A job by its identifier. Raises UserError where none was asked for."""
    base = runs_root(root)
    if not NAME.fullmatch(job_id):
        raise UserError(f"{job_id!r}: no job identifier; ask for the job again")
    request = read_json(base / "jobs" / job_id / "request.json")
    result = Path(request["result"])
    if not result.resolve().is_relative_to(base):
        raise UserError(f"{job_id}: its result would lie outside the runs folder {base}; delete {base / 'jobs' / job_id}")
    return Job(base, job_id, request["name"], request["run"], result)


def list_jobs(root: str | Path | None = None) -> list[dict[str, Any]]:
    """Request and status of every job asked for, newest first; damaged ones are left out."""
    base, found = runs_root(root), []
    for path in (base / "jobs").glob("*/request.json"):
        with suppress(UserError):
            request = read_json(path)
            found.append(request | open_job(base, path.parent.name).status())
    return sorted(found, key=lambda job: job["asked"], reverse=True)


def waiting_jobs(root: Path) -> list[Path]:
    """Tickets of jobs that wait or are being computed, in the order they were asked for; a ticket goes when its job has ended."""
    return sorted((root / "jobs" / "waiting").glob("[0-9]*.json"))


def jobs_wait(root: Path) -> bool:
    """Whether an analysis job waits for the worker."""
    folder = root / "jobs" / "waiting"
    return folder.is_dir() and any(entry.name.endswith(".json") for entry in os.scandir(folder))


def schema(root: str | Path | None, kind: str, name: str) -> dict[str, Any] | None:
    """JSON schema of a method's or data set's Config, cached by the hash of its file; None until a worker has exported it."""
    job = request_job(root, "schema", None, schema_of(kind, name))
    return read_json(job.result / "schema.json") if job.done else None


def schema_of(kind: str, name: str) -> dict[str, str]:
    """The parameters of the job that exports a schema. Raises UserError for a name that is no method or data set."""
    path = REPOSITORY / "workbench" / kind / f"{name}.py"
    if kind not in ("methods", "data") or not NAME.fullmatch(name) or not path.is_file():
        raise UserError(f"no {kind} named {name!r}; `workbench methods` and `workbench datasets` list them")
    return {"kind": kind, "name": name, "file": hashlib.sha256(path.read_bytes()).hexdigest()[:16]}


def forget(root: str | Path | None, older_than: float) -> int:
    """Remove the folders of jobs that ended more than so many seconds ago, and uploads as old; results stay. Returns how many."""
    removed = 0
    for path in (runs_root(root) / "jobs" / "uploads").glob("*.npy"):
        if time.time() - path.stat().st_mtime > older_than:
            path.unlink(missing_ok=True)
    for job in list_jobs(root):
        if job["state"] not in OPEN and time.time() - job["asked"] > older_than:
            shutil.rmtree(runs_root(root) / "jobs" / job["id"], ignore_errors=True)
            removed += 1
    return removed


# ---- images handed in for a view ----------------------------------------------------------------------------------------


def write_upload(root: str | Path | None, pixels: np.ndarray) -> str:
    """Keep an uploaded image, (h, w) uint8 grey, beside the jobs that will look at it; returns its identifier, a hash of its pixels."""
    name = hashlib.sha256(repr(pixels.shape).encode() + np.ascontiguousarray(pixels, np.uint8).tobytes()).hexdigest()[:20]
    path = runs_root(root) / "jobs" / "uploads" / f"{name}.npy"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{name}.{os.getpid()}.npy")
        np.save(aside, pixels.astype(np.uint8))
        os.replace(aside, path)
    return name


def read_upload(root: str | Path | None, name: str) -> np.ndarray:
    """An image kept by `write_upload`, (h, w) uint8. Raises UserError where it is not, or no longer, there."""
    path = runs_root(root) / "jobs" / "uploads" / f"{name}.npy"
    if not re.fullmatch("[0-9a-f]{20}", name) or not path.is_file():
        raise UserError(f"{name!r}: this upload is not here any more; hand the image in again")
    return np.load(path, allow_pickle=False)


# ---- the queue's process ------------------------------------------------------------------------------------------------


def start_queue(root: str | Path | None = None) -> bool:
    """Start the supervisor of a runs folder as a process of its own, where none lives; whether one had to be started.

    To be called after the request is written: a supervisor that is about to leave looks once more after it has taken down its sign.
    """
    base = runs_root(root)
    folder = base / "queue"
    folder.mkdir(parents=True, exist_ok=True)
    if served(folder / "supervisor.json"):
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


def served(sign: Path) -> bool:
    """Whether the process that put up this sign lives; where there is none, nobody serves or one is about to, and its lock decides."""
    try:
        return is_alive(json.loads(sign.read_bytes()))
    except (FileNotFoundError, json.JSONDecodeError):
        return False


def request_resume(run: Run) -> Path:
    """Ask that a run be continued from its newest checkpoint; returns the request's file."""
    queue = run.path.parent / "queue"
    queue.mkdir(exist_ok=True)
    path = queue / f"{time.time_ns()}-{run.id}.json"
    write_json(path, {"run": run.id, "device": run.config.get("device", "auto"), "asked": time.time(), "resume": True}, durable=True)
    return path
