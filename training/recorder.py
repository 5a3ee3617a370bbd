"""What a training process writes into its run folder: metrics, events, status, heartbeat, black box."""

import json
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from workbench.run import Run, process_started, write_json


class Recorder:
    """Writes as rank 0 and is silent on every other rank. `step` is set by the loop."""

    def __init__(self, run: Run, silent: bool = False) -> None:
        self.run, self.silent, self.step = run, silent, 0
        self.status: dict[str, Any] = {}
        self.rate: float | None = None
        self.last_status = 0.0

    @contextmanager
    def open(self, resumed: Mapping[str, Any] | None) -> Iterator[None]:
        """Keep the logs open and the heart beating; the first event says how the run began."""
        if self.silent:
            yield
            return
        path = self.run.path
        with (
            Heartbeat(path / "heartbeat"),
            open(path / "metrics.jsonl", "a", buffering=1) as self.metrics,
            open(path / "events.jsonl", "a", buffering=1) as self.events,
        ):
            self.event("resumed", **resumed) if resumed else self.event("launched")
            yield

    def log(self, record: Mapping[str, Any]) -> None:
        """One line of metrics."""
        if not self.silent:
            self.metrics.write(json.dumps(record) + "\n")

    def event(self, name: str, /, **more: Any) -> None:
        """Something that is drawn on every time axis."""
        if not self.silent:
            self.events.write(json.dumps({"event": name, "step": self.step, "time": time.time()} | more) + "\n")

    def begin(self, **facts: Any) -> None:
        """The first status of this process."""
        self.status = dict(self.run.status) if not self.silent else {}
        if self.status.get("pid") != os.getpid():  # not started by the supervisor, which wrote us down: the slot is of an earlier process
            self.status.pop("slot", None)
        self.write_status(
            state="running", host=socket.gethostname(), pid=os.getpid(), started=process_started(os.getpid()), error=None, **facts
        )

    def write_status(self, **changes: Any) -> None:
        if not self.silent:
            self.status |= {"step": self.step, "updated": time.time()} | changes
            write_json(self.run.path / "status.json", self.status)
            self.last_status = time.monotonic()

    def progress(self, record: Mapping[str, Any] | None, seconds: float, left: int, stage: str) -> None:
        """Status at most twice a second: a list of runs need not be newer."""
        self.rate = seconds if self.rate is None else 0.9 * self.rate + 0.1 * seconds
        if time.monotonic() - self.last_status > 0.5:
            metrics = {"loss": record["loss"], **record["terms"]} if record else {}
            self.write_status(stage=stage, metrics=metrics, eta_seconds=self.rate * left, rate=1 / self.rate)

    def black_box(
        self, error: str, keys: Sequence[str], method: nn.Module, spectra: Mapping[str, Any], recent: Sequence[Mapping[str, float]] = ()
    ) -> None:
        """What led to a number that is not finite, or to a collapse: batch keys, norms, last spectra, loss and gradient norm of recent steps."""
        box = {
            "error": error,
            "step": self.step,
            "keys": list(keys),
            "finite": {name: bool(torch.isfinite(value).all()) for name, value in method.named_parameters()},
            "parameter_norms": {name: float(value.detach().norm()) for name, value in method.named_parameters()},
            "gradient_norms": {name: float(value.grad.norm()) for name, value in method.named_parameters() if value.grad is not None},
            "spectra": spectra,
            "recent": list(recent),
        }
        if not self.silent:
            folder = self.run.path / f"artifacts/step-{self.step}"
            folder.mkdir(parents=True, exist_ok=True)
            write_json(folder / "black-box.json", box)


class Heartbeat:
    """Touches a file every ten seconds from a thread, so that a long step does not look like death."""

    def __init__(self, path: Path, seconds: float = 10.0) -> None:
        self.path, self.seconds, self.done = path, seconds, threading.Event()

    def __enter__(self) -> None:
        self.path.touch()
        self.thread = threading.Thread(target=self.beat, daemon=True)
        self.thread.start()

    def beat(self) -> None:
        while not self.done.wait(self.seconds):
            self.path.touch()

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.thread.join()
