"""Processes of runs: who lives, how one is stopped, what is written down for one that died without a word.  (no torch)"""

import json
import os
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from training import control
from training.disk import end_torn_line
from workbench.queue import withdraw
from workbench.run import Run, process_started, read_json, write_json

ACTIVE = ("running", "starting")
STARTED = "== started "  # head of each launch in out.log
MEMORY_WORDS = ("out of memory", "MemoryError", "can't allocate memory", "Cannot allocate memory", "bad_alloc")


def recorded(run: Run) -> dict[str, Any]:
    """status.json as it stands, without the guess whether its process lives."""
    return read_json(run.path / "status.json")


def same_process(pid: Any, started: Any) -> bool:
    """Whether `pid` still is the process that began at `started`: process numbers are used again."""
    if not pid or not started:
        return False
    found = process_started(int(pid))
    return found is not None and abs(found - float(started)) < 1.0


def signal_group(pid: int, started: float, number: int) -> bool:
    """Signal a process, and its whole group where it leads one; never a process that began at another time."""
    if not same_process(pid, started):
        return False
    with suppress(ProcessLookupError):
        if os.getpgid(pid) == pid:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
        return True
    return False


def wait_for_end(pid: int, started: float, seconds: float) -> bool:
    """Whether the process ends within `seconds`."""
    deadline = time.monotonic() + seconds
    while same_process(pid, started):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def stop(run: Run, grace: float = 30.0) -> str:
    """End a run: finish the step and write a checkpoint; after `grace` seconds SIGTERM, after as many again SIGKILL. Returns what happened."""
    status = run.status
    state = status["state"]
    if state not in ACTIVE and withdraw(run):
        return "taken out of the queue before it began"
    if state == "queued":
        status = wait_for_launch(run)
        state = status["state"]
    if state == "stale":
        return bury(run, asked=True)
    if state not in ACTIVE:
        return f"was {state} already; nothing to stop"
    run.command(command="stop", grace=grace)
    if status.get("process") == "shared" or status.get("host") != socket.gethostname():
        return wait_for_state(run, grace, status)
    pid, started = int(status["pid"]), float(status["started"])
    if wait_for_end(pid, started, grace):
        return ended(run)
    signal_group(pid, started, signal.SIGTERM)
    if wait_for_end(pid, started, grace):
        return ended(run)
    signal_group(pid, started, signal.SIGKILL)
    wait_for_end(pid, started, 10.0)
    return ended(run)


def wait_for_launch(run: Run, seconds: float = 10.0) -> dict[str, Any]:
    """The status once the supervisor, which has just taken the request, wrote whom it started."""
    deadline = time.monotonic() + seconds
    while run.status["state"] == "queued" and time.monotonic() < deadline:
        time.sleep(0.05)
    return run.status


def wait_for_state(run: Run, seconds: float, status: dict[str, Any]) -> str:
    """Wait for a run whose process must not be signalled from here."""
    deadline = time.monotonic() + seconds
    while run.status["state"] in ACTIVE and time.monotonic() < deadline:
        time.sleep(0.05)
    if run.status["state"] in ACTIVE:
        where = "its process trains other runs too" if status.get("process") == "shared" else f"it runs on {status.get('host')}"
        return f"asked to stop after its step; {where}, so it was not signalled"
    return ended(run)


def ended(run: Run) -> str:
    """What became of a run whose process is gone."""
    status = recorded(run)
    if status["state"] in ACTIVE:
        return bury(run, asked=True)
    if status["state"] == "failed":
        return f"failed while it was stopping: {status.get('error')}"
    return f"{status['state']} at step {status['step']}"


def bury(run: Run, code: int | None = None, asked: bool = False) -> str:
    """Write down the end of a run whose process is gone and did not: `stopped` where a stop was asked for, else `failed` with the reason."""
    status = recorded(run)
    if status["state"] not in ACTIVE:
        return status["state"]
    stops = [(path, command) for path, command in control.pending(run.path / "control") if command["command"] == "stop"]
    asked = asked or bool(stops)
    checkpoints = run.steps_of("checkpoints")
    rest = f"its newest checkpoint is of step {checkpoints[-1]}" if checkpoints else "it has no checkpoint yet and will begin anew"
    ended_early = f"its process ended before it could write a checkpoint; {rest}"
    sentence = ended_early if asked else reason(run, code)
    clear_stops(run, "the process ended before it obeyed")
    end_torn_line(run.path / "events.jsonl")
    with open(run.path / "events.jsonl", "a") as events:
        events.write(json.dumps({"event": "died", "step": status["step"], "time": time.time(), "error": sentence, "exit": code}) + "\n")
    state = "stopped" if asked else "failed"
    write_json(run.path / "status.json", status | {"state": state, "error": sentence, "updated": time.time()}, durable=True)
    return f"{state}: {sentence}"


def clear_stops(run: Run, why: str) -> None:
    """Refuse stop commands that were meant for an earlier process: the next one would obey them at its first step."""
    for path, command in control.pending(run.path / "control"):
        if command["command"] == "stop":
            control.refuse(path, command, why)


def reason(run: Run, code: int | None) -> str:
    """Why a process ended, from its exit code and the end of its log."""
    log = run.log_tail().rpartition(STARTED)[2] if STARTED in run.log_tail() else run.log_tail()
    lines = [line.strip() for line in log.splitlines()[1:] if line.strip()]
    if code == 2 and lines:
        return lines[-1]
    how = "without a word" if code is None else f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    hint = ""
    if any(word in log for word in MEMORY_WORDS) or code == -signal.SIGKILL:
        hint = ", probably out of memory: lower `batch` or the image size"
    last = f"; its log ends: {' | '.join(lines[-3:])[-600:]}" if lines else ""
    return f"{run.id}: the process ended {how}{hint}; `workbench resume {run.id}` continues from its newest checkpoint{last}"


def log_head(path: Path, pid: int | str) -> bytes:
    """The line that begins a launch in out.log."""
    return f"{STARTED}{time.strftime('%Y-%m-%d %H:%M:%S')} {path.name} by process {pid}\n".encode()
