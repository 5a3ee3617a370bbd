"""The analysis worker: one process a runs folder, one job at a time, each in a child with a memory cap, a time limit and low priority.

`python -m training.worker ROOT` serves; `python -m training.worker ROOT JOB` is the child that computes one. (no torch at import)
"""

import ctypes
import importlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from workbench.errors import UserError
from workbench.jobs import REPOSITORY, Job, forget, jobs_wait, open_job, waiting_jobs
from workbench.run import Run, process_started, read_json, write_json

POLL, IDLE, LIMIT, MEMORY = 0.1, 60.0, 1800.0, 7 * 86400.0  # seconds: between looks, until it leaves, of a job, of what ended
OOM_CHILD, OOM_WORKER = 900, 600  # the kernel ends the highest first: the job, then the worker, a run last


@dataclass(frozen=True)
class Task:
    """What a job function gets: its run, its parameters, an empty folder to fill, and a way to say how far it is."""

    job: Job
    parameters: Mapping[str, Any]
    folder: Path

    @property
    def run(self) -> Run:
        if self.job.run is None:
            raise UserError(f"{self.job.id}: this analysis is about a run; give one")
        return Run(self.job.root / self.job.run)

    def progress(self, share: float, message: str = "") -> None:
        """Say how far it is, 0 to 1."""
        note(self.job, state="running", progress=float(share), message=message)


def note(job: Job, **changes: Any) -> None:
    """Change a job's status."""
    path = job.folder / "status.json"
    write_json(path, read_json(path) | changes | {"updated": time.time()})


def memory_cap() -> int:
    """Bytes a job may hold: $WORKBENCH_JOB_MEMORY_GB, else a quarter of this machine's memory, at least 2 GB."""
    import psutil

    given = os.environ.get("WORKBENCH_JOB_MEMORY_GB")
    return int(float(given) * 1e9) if given else max(int(2e9), psutil.virtual_memory().total // 4)


def set_oom_score(value: int) -> None:
    """Tell the kernel what to end first when memory runs out; where that is not possible, nothing is lost but the order."""
    with suppress(FileNotFoundError, PermissionError):
        Path("/proc/self/oom_score_adj").write_text(str(value))


def memory_of(pid: int) -> int:
    """Resident bytes of a process and its children."""
    import psutil

    total = 0
    with suppress(psutil.NoSuchProcess):
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
    return total


def serve(root: Path, idle: float = IDLE) -> None:
    """Compute what is asked for until nothing was for `idle` seconds; where another worker serves `root`, leave at once."""
    (root / "jobs").mkdir(parents=True, exist_ok=True)
    lock, sign = FileLock(root / "jobs" / "worker.lock"), root / "jobs" / "worker.json"
    set_oom_score(OOM_WORKER)
    forget(root, MEMORY)
    while True:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return
        try:
            write_json(sign, {"host": socket.gethostname(), "pid": os.getpid(), "started": process_started(os.getpid())})
            busy = time.monotonic()
            while time.monotonic() - busy < idle:
                if serve_next(root):
                    busy = time.monotonic()
                time.sleep(POLL)
        finally:
            sign.unlink(missing_ok=True)
            lock.release()
        if not jobs_wait(root):
            return


def serve_next(root: Path) -> bool:
    """Compute the first job that waits; whether there was one. A ticket that names no job is dropped."""
    for ticket in waiting_jobs(root):
        try:
            job = open_job(root, read_json(ticket)["id"])
            read_json(job.folder / "status.json")
        except (UserError, KeyError):
            print(f"{ticket}: names no job, dropped", flush=True)
            ticket.unlink(missing_ok=True)
            continue
        note(job, **compute(job))
        ticket.unlink(missing_ok=True)
        return True
    return False


def compute(job: Job, limit: float | None = None, cap: int | None = None) -> dict[str, Any]:
    """Run one job in a child and watch it; returns its last status."""
    if job.done:
        return {"state": "finished", "progress": 1.0}
    status = read_json(job.folder / "status.json")
    if (job.folder / "cancel").exists():
        return {"state": "cancelled", "error": None}
    tries = status.get("tries", 0) + 1
    if tries > 2:
        return {"state": "failed", "error": f"{job.id}: took the worker down twice; see {job.folder / 'out.log'}, then ask again"}
    note(job, state="running", tries=tries, pid=None)
    limit, cap = limit or LIMIT, cap or memory_cap()
    threads = {
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "NUMBA_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "CUDA_VISIBLE_DEVICES": "",
    }
    with open(job.folder / "out.log", "wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "training.worker", str(job.root), job.id],
            cwd=REPOSITORY,
            env=os.environ | threads | {"WORKBENCH_RUNS": str(job.root)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    ended = watch(job, process, limit, cap)
    if ended:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return ended
    return outcome(job, process.returncode)


def watch(job: Job, process: "subprocess.Popen[bytes]", limit: float, cap: int) -> dict[str, Any] | None:
    """Wait for the child; the status it earns where it has to be ended."""
    deadline = time.monotonic() + limit
    while process.poll() is None:
        if (job.folder / "cancel").exists():
            return {"state": "cancelled", "error": None}
        if time.monotonic() > deadline:
            return {
                "state": "failed",
                "error": f"{job.name}: not finished after {limit:g} s and ended; ask for fewer rows or a smaller model",
            }
        held = memory_of(process.pid)
        if held > cap:
            sentence = f"{job.name}: needs more than {cap / 1e9:.2g} GB and was ended; ask for fewer rows or set WORKBENCH_JOB_MEMORY_GB"
            return {"state": "failed", "error": sentence}
        time.sleep(POLL)
    return None


def outcome(job: Job, code: int) -> dict[str, Any]:
    """The status of a job whose child ended by itself."""
    if job.done:
        return {"state": "finished", "progress": 1.0, "error": None}
    lines = (job.folder / "out.log").read_text(errors="replace").strip().splitlines()
    if code in (1, 2) and lines:
        return {"state": "failed", "error": lines[-1][:1000]}
    how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    return {"state": "failed", "error": f"{job.name}: the process ended with {how} and no result; see {job.folder / 'out.log'}"}


def child(root: Path, job_id: str) -> int:
    """Compute one job here: into a folder aside, renamed when it is whole."""
    die_with_parent()
    set_oom_score(OOM_CHILD)
    os.nice(10)
    job = open_job(root, job_id)
    aside = job.result.with_name(f".{job.result.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        function = importlib.import_module(f"training.jobs.{job.name}")
        function.compute(Task(job, read_json(job.folder / "request.json")["parameters"], aside))
        os.replace(aside, job.result)
    except UserError as error:
        print(error, flush=True)
        return 2
    except Exception:  # noqa: BLE001 the boundary of a job: whatever it raised is what its status says
        print(traceback.format_exc(), flush=True)
        return 1
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return 0


def die_with_parent() -> None:
    """Ask Linux to end this process when the worker dies, so that no job goes on unwatched."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def main(arguments: list[str]) -> int:
    root = Path(arguments[0]).resolve()
    if len(arguments) > 1:
        return child(root, arguments[1])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    serve(root)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
