"""The queue's process: owns the device slots, starts runs, finds them again after a restart, writes down how they end.

It starts no thread, imports no torch and holds no state that is not on disk; killing it kills no run.
"""

import math
import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from training import control
from training.processes import ACTIVE, bury, clear_stops, log_head, recorded, same_process, signal_group, stop
from workbench.errors import UserError
from workbench.jobs import REPOSITORY, jobs_wait, served
from workbench.queue import Request, give_back, ordered, queue_cancel, queue_list, queue_move, set_aside, take, waiting
from workbench.run import Run, list_runs, process_started, write_json

POLL, IDLE, GRACE = 0.3, 300.0, 30.0  # seconds between looks; without work before it leaves; for a run to obey a stop


class Slot(NamedTuple):
    """A place for one run at a time."""

    name: str
    kind: str
    environment: dict[str, str]


class Child(NamedTuple):
    """A run in a slot; `process` only where this supervisor started it."""

    run: Run
    pid: int
    started: float
    process: subprocess.Popen[bytes] | None


def slots_of_this_machine(cpu: int | None = None) -> list[Slot]:
    """One slot per CUDA device that is visible, and `cpu` (default 1) for runs on the CPU."""
    found = [Slot(f"cuda:{index}", "cuda", {"CUDA_VISIBLE_DEVICES": index}) for index in cuda_devices()]
    return found + [Slot(f"cpu:{index}", "cpu", {"CUDA_VISIBLE_DEVICES": ""}) for index in range(1 if cpu is None else cpu)]


def cuda_devices() -> list[str]:
    """Indices of the GPUs, asked of the driver's own tool: importing torch would take seconds and a context."""
    return devices_among(os.environ.get("CUDA_VISIBLE_DEVICES"))


def devices_among(chosen: str | None) -> list[str]:
    """Those that a value of CUDA_VISIBLE_DEVICES names; all where it is None."""
    if chosen is not None:
        return [index.strip() for index in chosen.split(",") if index.strip() not in ("", "-1")]
    try:
        command = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
        listed = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
    except (FileNotFoundError, PermissionError, subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return []
    return [line.strip() for line in listed.splitlines() if line.strip().isdigit()]


class Supervisor:
    """What one supervisor knows: its slots and who is in them."""

    def __init__(self, root: Path, slots: list[Slot]) -> None:
        self.root, self.slots = root, slots
        self.children: dict[str, Child] = {}
        self.worker: subprocess.Popen[bytes] | None = None
        self.worker_started = -math.inf
        give_back(root)
        self.attach()

    def attach(self) -> None:
        """Find the runs an earlier supervisor started: living ones keep their slot, dead ones are written down."""
        for status in list_runs(self.root):
            if "slot" not in status or status.get("host") != socket.gethostname() or status.get("process") == "shared":
                continue
            run = Run(self.root / status["id"])
            if status["state"] == "stale":
                say(f"{run.id}: {bury(run)}")
            elif status["state"] in ACTIVE:
                self.children[status["slot"]] = Child(run, int(status["pid"]), float(status["started"]), None)
                say(f"{run.id}: found again, process {status['pid']} in {status['slot']}")

    def cycle(self) -> bool:
        """Look once at everything; whether there is anything to do or to wait for."""
        for name, child in list(self.children.items()):
            if same_process(child.pid, child.started):
                self.insist(child)
            else:
                self.bury(name, child)
        self.fill()
        asked = jobs_wait(self.root)
        if asked:
            self.start_worker()
        return bool(self.children or asked or waiting(self.root))

    def insist(self, child: Child) -> None:
        """A run that has not obeyed a stop for its grace is sent SIGTERM, after twice that SIGKILL: a page asks and does not wait."""
        for path, command in control.pending(child.run.path / "control"):
            if command["command"] == "stop":
                age, grace = time.time() - path.stat().st_mtime, float(command.get("grace", GRACE))
                if age > grace:
                    signal_group(child.pid, child.started, signal.SIGKILL if age > 2 * grace else signal.SIGTERM)

    def bury(self, name: str, child: Child) -> None:
        """Write down an end that the run did not write down itself; then free its slot, so that on a full disk it is tried again."""
        code = child.process.wait() if child.process else None  # gone already: this only collects the exit code
        told = bury(child.run, code) if child.run.path.is_dir() else "its folder is gone"
        del self.children[name]
        say(f"{child.run.id}: {told}")

    def fill(self) -> None:
        """Start what fits into free slots, in order; a request that waits for one device does not hold up the others."""
        if not waiting(self.root):
            return
        with ordered(self.root):
            for path, request in waiting(self.root):
                run, why = self.judge(request)
                if run is None or request is None:
                    say(f"{path.name}: set aside: {why}")
                    set_aside(path, why)
                    continue
                slot = self.free_slot(request.get("device", "auto"))
                if slot is not None:
                    self.launch(take(path), request, run, slot)

    def judge(self, request: Request | None) -> tuple[Run | None, str]:
        """The run of a request, or the reason why it cannot be started."""
        if request is None:
            return None, "not a JSON object with a text field `run`"
        try:
            run = Run(self.root / request["run"])
            state, _ = run.status["state"], run.config
        except (UserError, KeyError) as error:
            return None, str(error)
        if state in ACTIVE:
            return None, f"{run.id}: is running already"
        if state != "queued" and not request.get("resume"):
            return None, f"{run.id}: is {state}, not queued; resume it instead"
        kinds = {slot.kind for slot in self.slots}
        if request.get("device", "auto") not in kinds | {"auto"}:
            why = f"{run.id}: device: {request['device']} asked for, this machine has {', '.join(sorted(kinds))}; set device: auto"
            write_json(run.path / "status.json", recorded(run) | {"state": "failed", "error": why, "updated": time.time()})
            return None, why
        return run, ""

    def free_slot(self, device: str) -> Slot | None:
        """The first free slot of that kind; `auto` takes a GPU where the machine has one."""
        kind = device if device != "auto" else "cuda" if any(slot.kind == "cuda" for slot in self.slots) else "cpu"
        return next((slot for slot in self.slots if slot.kind == kind and slot.name not in self.children), None)

    def launch(self, claimed: Path, request: Request, run: Run, slot: Slot) -> None:
        """Start a run in a session of its own, with a file as stdout, and write down who it is."""
        clear_stops(run, "the run was started again since")
        command = train_command(run) + (["--resume"] if request.get("resume") else [])
        with open(run.path / "out.log", "ab") as log:
            log.write(log_head(run.path, f"for {slot.name}"))
            log.flush()
            process = start(command, log, slot.environment | {"WORKBENCH_RUNS": str(self.root)})
        started = process_started(process.pid) or 0.0  # ended already
        self.children[slot.name] = Child(run, process.pid, started, process)
        who: dict[str, Any] = {"host": socket.gethostname(), "pid": process.pid, "started": started, "slot": slot.name, "process": "own"}
        write_json(run.path / "status.json", recorded(run) | who | {"state": "starting", "error": None, "updated": time.time()})
        claimed.unlink()
        say(f"{run.id}: started, process {process.pid} in {slot.name}")

    def start_worker(self) -> None:
        """Start the analysis worker where none lives, at most every five seconds."""
        living = self.worker is not None and self.worker.poll() is None
        if living or served(self.root / "jobs" / "worker.json") or time.monotonic() - self.worker_started < 5:
            return
        self.worker_started = time.monotonic()
        say("starting the analysis worker")
        with open(self.root / "jobs" / "worker.log", "ab") as log:
            self.worker = start([sys.executable, "-m", "training.worker", str(self.root)], log, {"WORKBENCH_RUNS": str(self.root)})


def train_command(run: Run) -> list[str]:
    return [sys.executable, "-m", "training", "train-folder", str(run.path)]


def start(command: list[str], log: Any, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """A child with a session of its own, no stdin, a file as stdout: it survives us, and we never block it."""
    return subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def say(text: str) -> None:
    print(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {text}", flush=True)


def serve(root: Path, slots: int | None = None, idle: float = IDLE) -> None:
    """Serve the queue of `root` until nothing happened for `idle` seconds; where another process serves it, leave at once."""
    folder = root / "queue"
    folder.mkdir(parents=True, exist_ok=True)
    lock, sign = FileLock(folder / "supervisor.lock"), folder / "supervisor.json"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    while True:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return say("this folder is served by another process")
        try:
            write_json(sign, {"host": socket.gethostname(), "pid": os.getpid(), "started": process_started(os.getpid())})
            attend(Supervisor(root, slots_of_this_machine(slots)), idle)
        except KeyboardInterrupt:
            return say("leaving; running runs go on, the next supervisor finds them again")
        finally:
            sign.unlink(missing_ok=True)
            lock.release()
        if not waiting(root) and not jobs_wait(root):  # asked for while we were leaving: whoever asked still saw our sign
            return None


def attend(supervisor: Supervisor, idle: float) -> None:
    """Look again and again until nothing is left to do for `idle` seconds. Trouble with one file does not end the others' watch."""
    say(f"serving {supervisor.root}: {', '.join(slot.name for slot in supervisor.slots) or 'no slots'}")
    busy = time.monotonic()
    while time.monotonic() - busy < idle:
        try:
            if supervisor.cycle():
                busy = time.monotonic()
        except (OSError, UserError, Timeout):
            say(traceback.format_exc())
            busy = time.monotonic()
            time.sleep(2.0)  # a full disk, say: it is tried again
        with suppress(InterruptedError):
            time.sleep(POLL)
    say(f"nothing to do for {idle:g} s, leaving; the next request starts a new one")


__all__ = ["Supervisor", "queue_cancel", "queue_list", "queue_move", "serve", "slots_of_this_machine", "stop"]
