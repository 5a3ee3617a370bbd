"""The analysis worker: one process a runs folder, one job at a time, computed by a child with a memory cap, a time limit and low priority.

`python -m training.worker ROOT` serves; the child is `training.bench`. (no torch at import)
"""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from training.bench import note, set_oom_score
from workbench.errors import UserError
from workbench.jobs import REPOSITORY, Job, forget, jobs_wait, open_job, waiting_jobs
from workbench.run import process_started, read_json, write_json

POLL, IDLE, LIMIT, MEMORY = 0.05, 300.0, 1800.0, 7 * 86400.0  # seconds: between looks, until it leaves, of a job, of what ended
OOM_WORKER = 600  # the kernel ends the highest first: the job (900), then the worker, a run last
DIED = 1000  # added to the exit code of a child that ended instead of answering
MODEST = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "CUDA_VISIBLE_DEVICES": "",
}


def memory_cap() -> int:
    """Bytes a job may hold: $WORKBENCH_JOB_MEMORY_GB, else a quarter of this machine's memory, at least 2 GB."""
    import psutil

    given = os.environ.get("WORKBENCH_JOB_MEMORY_GB")
    return int(float(given) * 1e9) if given else max(int(2e9), psutil.virtual_memory().total // 4)


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
        bench = Bench(root)
        try:
            write_json(sign, {"host": socket.gethostname(), "pid": os.getpid(), "started": process_started(os.getpid())})
            busy = time.monotonic()
            while time.monotonic() - busy < idle:
                if serve_next(root, bench):
                    busy = time.monotonic()
                else:
                    time.sleep(POLL)
        finally:
            bench.end()
            sign.unlink(missing_ok=True)
            lock.release()
        if not jobs_wait(root):
            return


def serve_next(root: Path, bench: "Bench | None" = None) -> bool:
    """Compute the first job that waits; whether there was one. A ticket that names no job is dropped."""
    for ticket in waiting_jobs(root):
        try:
            job = open_job(root, read_json(ticket)["id"])
            read_json(job.folder / "status.json")
        except (UserError, KeyError):
            print(f"{ticket}: names no job, dropped", flush=True)
            ticket.unlink(missing_ok=True)
            continue
        note(job, **compute(job, bench=bench))
        ticket.unlink(missing_ok=True)
        return True
    return False


class Bench:
    """The child that computes: it keeps what it has imported and loaded for the next job, until a job takes it down or the code changes."""

    def __init__(self, root: Path) -> None:
        self.root, self.code = root, 0.0
        self.process: subprocess.Popen[bytes] | None = None
        self.questions = self.answers = -1  # our ends of its input and output

    def begin(self, job: Job) -> None:
        """Hand the child a job; a child is started where none lives or its code is no longer that on disk."""
        newest = max(path.stat().st_mtime for name in ("training", "workbench") for path in (REPOSITORY / name).rglob("*.py"))
        if self.process is None or self.process.poll() is not None or newest != self.code:
            self.end()
            self.code = newest
            self.start()
        with suppress(BrokenPipeError):  # it died between two jobs: the answer says so
            os.write(self.questions, f"{job.id}\n".encode())

    def start(self) -> None:
        its_input, self.questions = os.pipe()
        self.answers, its_output = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "training.bench", str(self.root)],
            cwd=REPOSITORY,
            env=os.environ | MODEST | {"WORKBENCH_RUNS": str(self.root)},
            stdin=its_input,
            stdout=its_output,
            start_new_session=True,
        )
        os.close(its_input)
        os.close(its_output)

    def answer(self, seconds: float) -> int | None:
        """The exit code of the job, as the child answers it; that of the child itself, plus DIED, where it ended; None where neither came in time."""
        if not select.select([self.answers], [], [], seconds)[0]:
            return None
        said = os.read(self.answers, 16)
        return int(said) if said or self.process is None else DIED + self.process.wait()

    def held(self) -> int:
        """Resident bytes of the child."""
        return memory_of(self.process.pid) if self.process else 0

    def end(self) -> None:
        """End the child; the next job gets a new one."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            os.close(self.questions)
            os.close(self.answers)
            self.process = None


def compute(job: Job, limit: float | None = None, cap: int | None = None, bench: Bench | None = None) -> dict[str, Any]:
    """Run one job in a child (a new one where no bench is given) and watch it; returns its last status."""
    if job.done:
        return {"state": "finished", "progress": 1.0}
    status = read_json(job.folder / "status.json")
    if (job.folder / "cancel").exists():
        return {"state": "cancelled", "error": None}
    tries = status.get("tries", 0) + 1
    if tries > 2:
        return {"state": "failed", "error": f"{job.id}: took the worker down twice; see {job.folder / 'out.log'}, then ask again"}
    note(job, state="running", tries=tries, pid=None)
    cap, own = cap or memory_cap(), bench or Bench(job.root)
    try:
        own.begin(job)
        ended = watch(job, own, limit or LIMIT, cap)
        if "state" in ended or own.held() > cap / 2:  # what it keeps must leave room for the next job
            own.end()
        return ended if "state" in ended else outcome(job, ended["code"])
    finally:
        if bench is None:
            own.end()


def watch(job: Job, bench: Bench, limit: float, cap: int) -> dict[str, Any]:
    """Wait for the child: the code it answers, or the status the job earns where it has to be ended."""
    deadline = time.monotonic() + limit
    while True:
        code = bench.answer(POLL)
        if code is not None:
            return {"code": code}
        if (job.folder / "cancel").exists():
            return {"state": "cancelled", "error": None}
        if time.monotonic() > deadline:
            return {
                "state": "failed",
                "error": f"{job.name}: not finished after {limit:g} s and ended; ask for fewer rows or a smaller model",
            }
        held = bench.held()
        if held > cap:
            sentence = f"{job.name}: needs more than {cap / 1e9:.2g} GB and was ended; ask for fewer rows or set WORKBENCH_JOB_MEMORY_GB"
            return {"state": "failed", "error": sentence}


def outcome(job: Job, code: int) -> dict[str, Any]:
    """The status of a job that ended by itself, or took its child along."""
    if job.done:
        return {"state": "finished", "progress": 1.0, "error": None}
    log = job.folder / "out.log"
    lines = log.read_text(errors="replace").strip().splitlines() if log.is_file() else []
    if code in (1, 2) and lines:
        return {"state": "failed", "error": lines[-1][:1000]}
    code -= DIED
    how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    return {"state": "failed", "error": f"{job.name}: the process ended with {how} and no result; see {log}"}


def main(arguments: list[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    serve(Path(arguments[0]).resolve())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
