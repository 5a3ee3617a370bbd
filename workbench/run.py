"""A run is a directory: everything that can be read from it without torch."""

import json
import os
import re
import secrets
import shutil
import time
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from workbench import embeddings as embeddings_on_disk
from workbench.config import read_yaml
from workbench.embeddings import Embeddings
from workbench.errors import UserError
from workbench.run_config import Monitors, Optimizer, RunConfig, Snapshots, Source, Stage, Validation
from workbench.run_files import (
    STALE_SECONDS,
    is_alive,
    metrics_view,
    process_started,
    read_json,
    read_lines,
    with_liveness,
    without_timings,
    write_json,
)

FORMAT = 1
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")


class Run:
    """A run folder, read without torch. All readers tolerate a run that is being written."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        if not (self.path / "status.json").is_file():
            raise UserError(f"{self.path}: not a run folder (no status.json); `workbench runs` lists the runs")

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def status(self) -> dict[str, Any]:
        """status.json, with state `stale` where the process that should be running is not."""
        return with_liveness(read_json(self.path / "status.json"), self.path)

    @cached_property
    def config(self) -> dict[str, Any]:
        """The complete resolved configuration, plain."""
        return read_yaml(self.path / "config.yaml")

    @property
    def source(self) -> tuple[str, dict[str, Any]]:
        """Name and `{name: …}` configuration of the first data set: the one it is probed on. Raises UserError where it has none."""
        for name, each in self.config["data"].items():
            return name, each["config"]
        raise UserError(f"{self.id}: has no data set, only features; import them with `--data NAME` to see studies and labels")

    @property
    def provenance(self) -> dict[str, Any]:
        return read_json(self.path / "provenance.json")

    @property
    def title(self) -> str:
        return self.config.get("name") or self.id

    def metrics(self) -> list[dict[str, Any]]:
        """The metrics view: the last record per (kind, step), what a resume repeated or dropped left out, in step order."""
        return metrics_view(*self._metric_lines())

    def _metric_lines(self) -> tuple[list[tuple[int, dict[str, Any]]], list[dict[str, Any]]]:
        lines, position = [], 0
        path = self.path / "metrics.jsonl"
        data = path.read_bytes() if path.is_file() else b""
        for raw in data.splitlines(keepends=True):
            if raw.endswith(b"\n") and raw.strip():
                with suppress(json.JSONDecodeError):  # a line torn by a crash: its step was repeated after the resume
                    lines.append((position, json.loads(raw)))
            position += len(raw)
        return lines, self.events()

    def events(self) -> list[dict[str, Any]]:
        return read_lines(self.path / "events.jsonl")[0]

    def log_tail(self, size: int = 20_000) -> str:
        """The end of out.log, as text."""
        path = self.path / "out.log"
        if not path.is_file():
            return ""
        with open(path, "rb") as file:
            file.seek(max(0, path.stat().st_size - size))
            return file.read().decode(errors="replace")

    def steps_of(self, folder: Literal["artifacts", "snapshots", "checkpoints"]) -> list[int]:
        """Steps for which that folder holds something whole, ascending."""
        found = []
        if (self.path / folder).is_dir():
            for entry in os.scandir(self.path / folder):
                if entry.name.startswith("step-") and entry.name[5:].isdigit():
                    found.append(int(entry.name[5:]))
        return sorted(found)

    def looks(self) -> list[int]:
        """Steps at which the probe set was looked at."""
        return [step for step in self.steps_of("artifacts") if (self.path / f"artifacts/step-{step}/geometry.json").is_file()]

    def geometry(self, step: int) -> dict[str, dict[str, Any]]:
        """Per feature: the geometry numbers of the probe set at that look (analysis.collapse.Geometry as a dict)."""
        return read_json(self.path / f"artifacts/step-{step}/geometry.json")

    def probe(self, step: int) -> dict[str, dict[str, Any]]:
        """Per feature: what a ridge probe reads at that look; empty where no probe was fitted."""
        path = self.path / f"artifacts/step-{step}/probe.json"
        return read_json(path) if path.is_file() else {}

    def classes(self, step: int) -> dict[str, dict[str, dict[str, float]]]:
        """Per feature and class: rows and scale of that class alone at that look; empty where nothing is labelled."""
        path = self.path / f"artifacts/step-{step}/classes.json"
        return read_json(path) if path.is_file() else {}

    def references(self) -> dict[str, Any]:
        """Chance, trivial levels, pixels, metadata and the untrained network of this run's data; empty until computed."""
        path = self.path / "artifacts/references.json"
        return read_json(path) if path.is_file() else {}

    def training_looks(self) -> list[dict[str, Any]]:
        """The other series: ranks of features the training steps computed anyway (training mode)."""
        return [record for record in self.metrics() if record.get("kind") == "ring"]

    def embeddings(self, feature: str, step: int) -> Embeddings:
        """Probe-set features stored with a look; raises UserError where that look kept none."""
        if not NAME.fullmatch(feature):
            raise UserError(f"{self.id}: {feature!r} is no feature name; the features are {', '.join(self.status.get('features', {}))}")
        return embeddings_on_disk.load(self.path / f"artifacts/step-{step}/embeddings/{feature}")

    def snapshot(self, step: int | Literal["last"] = "last") -> Path:
        """Folder of the weights at `step`; raises UserError that lists the steps there are."""
        return self.path / f"snapshots/step-{self.snapshot_step(step)}"

    def snapshot_step(self, step: int | Literal["last"] = "last") -> int:
        """The step of a snapshot, also of the last; raises UserError that lists the steps there are."""
        steps = self.steps_of("snapshots")
        chosen = (steps[-1] if steps else None) if step == "last" else step
        if not steps and self.status["state"] == "imported":
            raise UserError(f"{self.id}: holds features only, no weights; choose a run with a model, or `workbench import` its weights")
        if chosen not in steps:
            raise UserError(f"{self.id}: no snapshot of step {step}; there are {steps}")
        return int(chosen)

    def command(self, **command: Any) -> Path:
        """Put a JSON command into the run's inbox; it is acknowledged by a rename."""
        return write_command(self.path / "control", command)


def write_command(inbox: Path, command: dict[str, Any]) -> Path:
    """One file per command, named so that they sort in the order they were written."""
    inbox.mkdir(parents=True, exist_ok=True)
    path = inbox / f"{time.time_ns()}-{secrets.token_hex(2)}.json"
    write_json(path, command)
    return path


def runs_root(root: str | Path | None = None) -> Path:
    """The runs folder: what was given, else $WORKBENCH_RUNS, else ./runs."""
    return Path(root or os.environ.get("WORKBENCH_RUNS") or "runs").resolve()


def list_runs(root: str | Path | None = None) -> list[dict[str, Any]]:
    """Status of every run under `root`, newest first, each with its `id`; reads status.json only. Damaged ones have state `damaged`."""
    base = runs_root(root)
    found: list[dict[str, Any]] = []
    if not base.is_dir():
        return found
    with os.scandir(base) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name in ("queue", "jobs", "trash"):
                continue
            try:
                with open(f"{entry.path}/status.json", "rb") as file:
                    status = json.loads(file.read())
            except (FileNotFoundError, NotADirectoryError):
                continue
            except json.JSONDecodeError:
                status = {"state": "damaged"}
            if status.get("state") in ("running", "starting"):
                status = with_liveness(status, Path(entry.path))
            status["id"] = entry.name
            found.append(status)
    return sorted(found, key=lambda status: status["id"], reverse=True)


def find_run(path_or_id: str | Path, root: str | Path | None = None) -> Run:
    """A run by folder or identifier; an identifier never leaves the runs folder. Raises UserError."""
    text = str(path_or_id)
    base = runs_root(root)
    if NAME.fullmatch(text):
        path = base / text
        if not path.resolve().is_relative_to(base):
            raise UserError(f"{text}: leads outside the runs folder {base}; give the identifier of a run in it")
        if path.is_dir():
            return Run(path)
        matching = [status["id"] for status in list_runs(base) if status["id"].endswith(text) or status.get("name") == text]
        if len(matching) == 1:
            return Run(base / matching[0])
        if matching:
            raise UserError(f"{text}: several runs match ({', '.join(matching[:4])}); give the whole identifier")
    if Path(text).is_dir() and os.sep in text:
        return Run(Path(text).resolve())
    raise UserError(f"{text}: no such run under {base}; `workbench runs` lists the runs")


def create_run(config: RunConfig, root: str | Path | None = None, state: str = "queued") -> Run:
    """Make the folder of a new run, exclusively, with its configuration and a first status."""
    import yaml

    base = runs_root(root)
    base.mkdir(parents=True, exist_ok=True)
    source = next((source.config.get("name", "data") for source in config.data.values()), "no_data")
    stem = f"{config.method.get('name', 'method')}-{source}".replace(".", "_")
    while True:
        path = base / f"{time.strftime('%Y%m%d-%H%M%S')}-{stem}-{secrets.token_hex(2)}"
        try:
            path.mkdir()
            break
        except FileExistsError:
            continue
    (path / "control").mkdir()
    (path / "config.yaml").write_text(yaml.safe_dump(config.to_dict(), sort_keys=False))
    status = {"format": FORMAT, "state": state, "step": 0, "steps": config.steps, "name": config.name, "method": config.method.get("name")}
    status |= {
        "data": sorted({source.config.get("name", "") for source in config.data.values()}),
        "seed": config.seed,
        "tags": list(config.tags),
    }
    write_json(path / "status.json", status | {"created": time.time(), "updated": time.time()})
    return Run(path)


def request_launch(config: RunConfig, root: str | Path | None = None, device: str = "auto") -> Run:
    """Create a queued run and the request the supervisor reads; whoever asks starts the supervisor, see training.supervisor."""
    run = create_run(config, root, state="queued")
    queue = run.path.parent / "queue"
    queue.mkdir(exist_ok=True)
    write_json(queue / f"{time.time_ns()}-{run.id}.json", {"run": run.id, "device": device, "asked": time.time()}, durable=True)
    return run


def delete_run(run: Run) -> None:
    """Remove a run folder that nothing writes to; raises UserError while it runs."""
    if run.status["state"] in ("running", "starting"):
        raise UserError(f"{run.id}: is running; stop it before deleting it")
    shutil.rmtree(run.path)


__all__ = [
    "FORMAT",
    "NAME",
    "STALE_SECONDS",
    "Monitors",
    "Optimizer",
    "Run",
    "RunConfig",
    "Snapshots",
    "Source",
    "Stage",
    "Validation",
    "create_run",
    "delete_run",
    "find_run",
    "is_alive",
    "list_runs",
    "metrics_view",
    "process_started",
    "read_json",
    "read_lines",
    "request_launch",
    "runs_root",
    "with_liveness",
    "without_timings",
    "write_command",
    "write_json",
]
