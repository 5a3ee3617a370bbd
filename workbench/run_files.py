"""The small files of a run folder: replaced at once, read while they grow, and whether their writer lives.  (no torch)"""

import json
import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from workbench.errors import UserError

STALE_SECONDS = 180
TIMINGS = ("time", "timing")  # what a metrics record says of the clock, not of the training


def write_json(path: Path, value: Any, durable: bool = False) -> None:
    """Replace `path` by `value` at once: a reader sees the old document or the new one."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(part, "w") as file:
            json.dump(value, file)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def read_json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; this folder is not a complete run") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: damaged ({error}); restore it from a copy or delete the run") from None


def read_lines(path: Path, cursor: int = 0) -> tuple[list[dict[str, Any]], int]:
    """Whole JSON lines from byte `cursor` on, and the new cursor; a torn last line is left for the next call."""
    try:
        with open(path, "rb") as file:
            file.seek(cursor)
            data = file.read()
    except FileNotFoundError:
        return [], cursor
    end = data.rfind(b"\n") + 1
    records = []
    for line in data[:end].splitlines():
        if line.strip():
            with suppress(json.JSONDecodeError):  # a line torn by a crash: its step was repeated after the resume
                records.append(json.loads(line))
    return records, cursor + end


def process_started(pid: int) -> float | None:
    """When a process of this host began, in seconds, or None where it does not live.

    On Linux since the machine started: the time of day moves there whenever the clock is set, and every run would look dead.
    """
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return float(process.create_time() - (psutil.boot_time() if psutil.LINUX else 0.0))
    except psutil.NoSuchProcess:
        return None


def is_alive(status: Mapping[str, Any], heartbeat: float | None = None, now: float | None = None) -> bool:
    """Whether the process that wrote `status` still runs: pid and start time here, the heartbeat elsewhere."""
    if status.get("host") == socket.gethostname():
        started = process_started(int(status.get("pid") or 0)) if status.get("pid") else None
        return started is not None and abs(started - float(status.get("started") or 0)) < 1.0
    return heartbeat is not None and (now or time.time()) - heartbeat < STALE_SECONDS


def with_liveness(status: dict[str, Any], path: Path) -> dict[str, Any]:
    """`status`, its state `stale` where it says running and nothing runs."""
    if status.get("state") in ("running", "starting"):
        try:
            heartbeat = (path / "heartbeat").stat().st_mtime
        except FileNotFoundError:
            heartbeat = None
        if not is_alive(status, heartbeat):
            status = status | {"state": "stale"}
    return status


def metrics_view(lines: list[tuple[int, dict[str, Any]]], events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Records by (kind, step), where a resume superseded what came after its checkpoint."""
    resumed = [(event["metrics_bytes"], event["step"]) for event in events if event.get("event") == "resumed"]
    kept: dict[tuple[str, int], dict[str, Any]] = {}
    for position, record in lines:
        step = record["step"]
        if any(position < start and step > from_step for start, from_step in resumed):
            continue
        kept[(record.get("kind", "train"), step)] = record
    return [kept[key] for key in sorted(kept, key=lambda item: (item[1], item[0]))]


def without_timings(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What exact resume compares."""
    return [{name: value for name, value in record.items() if name not in TIMINGS} for record in records]
