"""A run is a directory: its configuration, and everything that can be read from it without torch."""

import json
import os
import re
import secrets
import shutil
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from workbench import embeddings as embeddings_on_disk
from workbench.config import Config, Live, read_yaml
from workbench.embeddings import Embeddings
from workbench.errors import UserError

FORMAT = 1
STALE_SECONDS = 180
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")
TIMINGS = ("time", "timing")  # what a metrics record says of the clock, not of the training


# ---- configuration ----------------------------------------------------------------------------------------------------


class Source(Config):
    """One data set of a run."""

    config: dict[str, Any]
    """The data set's own configuration with its `name`, for example {name: phantoms, level: teaching}."""
    weight: Annotated[float, Field(gt=0)] = 1.0
    """Share of the batch rows when several sources are mixed."""
    texts: Literal["own", "shuffled"] = "own"
    """`shuffled` gives every training study the texts of another one: the control that must read chance."""


class Optimizer(Config):
    """One optimizer and its learning-rate schedule."""

    kind: Literal["adamw", "sgd"] = "adamw"
    """Update rule."""
    lr: Live[Annotated[float, Field(ge=0, le=10)]] = 1e-3
    """Peak learning rate."""
    betas: tuple[float, float] = (0.9, 0.999)
    """AdamW's decay rates; the first is the momentum of sgd."""
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Decoupled weight decay; none on biases, norms and tokens."""
    clip: Annotated[float, Field(gt=0)] | None = None
    """Largest gradient norm, or none."""
    schedule: Literal["constant", "cosine", "warm_restarts"] = "cosine"
    """How the rate moves after warm-up, within one stage."""
    warmup: Annotated[int, Field(ge=0)] = 0
    """Steps of linear warm-up from 0."""
    restart: Annotated[int, Field(ge=1)] | None = None
    """Steps of one cycle of `warm_restarts`."""
    floor: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Lowest rate, as a share of the peak."""


class Stage(Config):
    """A part of the run with its own trainable parts, data weights, loss weights and optimizers."""

    name: str = "train"
    """Name shown on the time axis."""
    steps: Annotated[int, Field(ge=1)] = 1000
    """Optimizer steps."""
    trainable: tuple[str, ...] = ("*",)
    """Parameter name patterns that train in this stage; the rest is frozen, its batch statistics too."""
    data: dict[str, float] = {}
    """Weights of the sources in this stage; absent = those of `data`. 0 leaves a source out."""
    weights: dict[str, float] = {}
    """Weights of loss terms in this stage; absent = the method's."""
    optimizers: dict[str, dict[str, Any]] = {}
    """Fields of the optimizers that differ in this stage."""


class Validation(Config):
    """When and on what a run is validated."""

    every: Annotated[int, Field(ge=1)] = 100
    """Steps between validations."""
    batches: Annotated[int, Field(ge=1)] = 2
    """Fixed validation batches, with fixed masks."""
    best: str = "loss"
    """Metric of the validation record that chooses the best checkpoint."""
    mode: Literal["min", "max"] = "min"
    """Whether the best is the smallest or the largest."""


class Monitors(Config):
    """Looks at the latent space while it trains, on a fixed probe set in eval mode."""

    studies: Annotated[int, Field(ge=0)] = 512
    """Validation studies of the probe set (all, if fewer); 0 turns the monitors off."""
    probe_train: Annotated[int, Field(ge=0)] = 1024
    """Training studies on which the ridge probe is fitted; 0 turns the probe off."""
    features: tuple[str, ...] = ()
    """Features looked at; empty = every feature vector the method declares."""
    every: Annotated[int, Field(ge=1)] | None = None
    """Steps between the later looks, after the log-spaced first ones; absent = an eighth of the run."""
    keep_embeddings: bool = True
    """Store the probe set's features with each look."""


class Snapshots(Config):
    """Weights kept for the time machine: steps 0, 1, 2, 4, … then every k, within the budget."""

    every: Annotated[int, Field(ge=1)] | None = None
    """Steps between the later snapshots; absent = an eighth of the run."""
    budget_gb: Annotated[float, Field(gt=0)] = 2.0
    """Disk for all snapshots of the run; the schedule is thinned beforehand to fit."""


class RunConfig(Config):
    """Everything that decides what a run does."""

    method: dict[str, Any]
    """The method's own configuration with its `name`, for example {name: mflag}."""
    data: dict[str, Source]
    """Sources by a name of your choice."""
    name: str | None = None
    """Shown in tables instead of the identifier."""
    tags: tuple[str, ...] = ()
    """Free words to filter runs by."""
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)] = (Stage(),)
    """Parts of the run, one after the other."""
    init_from: dict[str, str] = {}
    """Part of the model -> where its start weights come from: a run's snapshot or a local safetensors file."""
    batch: Annotated[int, Field(ge=1)] = 128
    """Studies of one micro-batch on one process."""
    accumulate: Annotated[int, Field(ge=1)] = 1
    """Micro-batches per step. Does not enlarge the negatives of a contrastive loss."""
    workers: Annotated[int, Field(ge=0)] = 0
    """Data worker processes per training process."""
    optimizers: dict[str, Optimizer] = {"main": Optimizer()}
    """Optimizers by the names the method's phases use."""
    precision: Literal["float32", "bf16", "float64"] | None = None
    """Arithmetic; absent = bf16 on a GPU, float32 on a CPU."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the run trains."""
    threads: Annotated[int, Field(ge=1)] | None = None
    """CPU threads of the process; absent = the physical cores."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Addresses every draw of the run."""
    log_every: Annotated[int, Field(ge=1)] = 1
    """Steps between metric records."""
    checkpoint_every: Annotated[int, Field(ge=1)] = 200
    """Steps between resume checkpoints; the last 2 and the best are kept."""
    validation: Validation = Validation()
    """Validation."""
    monitors: Monitors = Monitors()
    """Looks at the latent space."""
    snapshots: Snapshots = Snapshots()
    """Weights kept for the time machine."""
    on_nan: Literal["stop", "skip"] = "stop"
    """After a loss that is not finite: end the run, or drop that step and go on."""
    trials: Annotated[int, Field(ge=1)] = 1
    """Settings tried before this one: part of the result."""

    @property
    def steps(self) -> int:
        return sum(stage.steps for stage in self.stages)


# ---- small atomic files -----------------------------------------------------------------------------------------------


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
    """Start time of a process of this host, or None where it does not live."""
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.NoSuchProcess:
        return None


def is_alive(status: Mapping[str, Any], heartbeat: float | None = None, now: float | None = None) -> bool:
    """Whether the process that wrote `status` still runs: pid and start time here, the heartbeat elsewhere."""
    if status.get("host") == socket.gethostname():
        started = process_started(int(status.get("pid") or 0)) if status.get("pid") else None
        return started is not None and abs(started - float(status.get("started") or 0)) < 1.0
    return heartbeat is not None and (now or time.time()) - heartbeat < STALE_SECONDS


# ---- a run ------------------------------------------------------------------------------------------------------------


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
        steps = self.steps_of("snapshots")
        chosen = (steps[-1] if steps else None) if step == "last" else step
        if chosen not in steps:
            raise UserError(f"{self.id}: no snapshot of step {step}; there are {steps}")
        return self.path / f"snapshots/step-{chosen}"

    def command(self, **command: Any) -> Path:
        """Put a JSON command into the run's inbox; it is acknowledged by a rename."""
        return write_command(self.path / "control", command)


def write_command(inbox: Path, command: dict[str, Any]) -> Path:
    """One file per command, named so that they sort in the order they were written."""
    inbox.mkdir(parents=True, exist_ok=True)
    path = inbox / f"{time.time_ns()}-{secrets.token_hex(2)}.json"
    write_json(path, command)
    return path


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
    source = next(iter(config.data.values())).config.get("name", "data")
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
