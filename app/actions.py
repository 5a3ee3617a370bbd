"""What a page may do to runs: start, stop, resume, delete. Each returns the sentence to show."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.config import read_yaml
from workbench.errors import UserError
from workbench.jobs import REPOSITORY, request_resume, start_queue
from workbench.queue import queue_move, withdraw
from workbench.run import Run, RunConfig, delete_run, request_launch, runs_root

RECIPES = REPOSITORY / "training" / "recipes"
ACTIVE = ("running", "starting")
RESUMABLE = ("stopped", "failed", "stale", "queued")


def recipes() -> list[str]:
    return sorted(path.stem for path in RECIPES.glob("*.yaml"))


def recipe(name: str) -> tuple[str, dict[str, Any]]:
    """Head comment and values of a recipe; raises UserError where it is not one of the list."""
    if name not in recipes():
        raise UserError(f"{name}: no such recipe; the recipes are {', '.join(recipes())}")
    path = RECIPES / f"{name}.yaml"
    head = [line.lstrip("# ").rstrip() for line in path.read_text().splitlines() if line.startswith("#")]
    values = read_yaml(path)
    values.pop("smoke", None)
    return "\n".join(head), values


def configured(name: str, changes: Mapping[str, Any]) -> RunConfig:
    """The recipe with `changes` of name, seed, steps and device applied; raises UserError."""
    _, values = recipe(name)
    values |= {key: value for key, value in changes.items() if key != "steps" and value is not None}
    if changes.get("steps") is not None:
        stages = values.get("stages") or [{}]
        if len(stages) != 1:
            raise UserError(f"{name}: has {len(stages)} stages, their steps are set in the recipe; leave steps empty")
        values["stages"] = [{**stages[0], "steps": changes["steps"]}]
    return RunConfig.parse(values, f"{name}.yaml")


def start(root: Path, name: str, changes: Mapping[str, Any]) -> str:
    config = configured(name, changes)
    run = request_launch(config, root, device=config.device)
    start_queue(root)
    return f"{run.id} is in the queue"


def start_config(root: Path, config: RunConfig) -> str:
    """Put a described run into the queue; it begins whether or not anybody looks on."""
    run = request_launch(config, root, device=config.device)
    start_queue(root)
    return f"{run.id} is in the queue"


def check_sources(config: RunConfig) -> None:
    """Raises UserError where start weights are a file outside the folders that the app may read."""
    for part, source in config.init_from.items():
        if os.sep in source or source.endswith(".safetensors"):
            readable(source, f"init_from.{part}")


def readable(text: str, where: str) -> Path:
    """A file a page may ask for: below the runs folder, and, where $WORKBENCH_DATA is set, below it or the cache, nowhere else."""
    path, data = Path(text).expanduser().resolve(), os.environ.get("WORKBENCH_DATA")
    roots = [runs_root(), *(Path(folder).resolve() for folder in (data, os.environ.get("WORKBENCH_CACHE")) if folder)]
    if data and not any(path.is_relative_to(folder) for folder in roots):
        raise UserError(f"{where}: {text} lies outside $WORKBENCH_DATA and the runs folder; move it there, or start from a terminal")
    return path


def duplicate(root: Path, run: Run) -> str:
    """The same configuration once more, at the end of the queue."""
    return start_config(root, RunConfig.parse(run.config, run.id))


def move(root: Path, run_id: str, place: int) -> str:
    queue_move(root, run_id, place)
    return f"{run_id} is now number {place} in the queue"


def stop(runs: Iterable[Run]) -> str:
    """Ask runs that train to finish their step; take those that wait out of the queue. The supervisor ends what does not obey."""
    asked, withdrawn = 0, 0
    for run in runs:
        if run.status["state"] in ACTIVE:
            run.command(command="stop")
            asked += 1
        elif withdraw(run):
            withdrawn += 1
    told = [f"asked {asked} run{'s' * (asked != 1)} to stop after this step"] * bool(asked)
    told += [f"took {withdrawn} run{'s' * (withdrawn != 1)} out of the queue"] * bool(withdrawn)
    return "; ".join(told) or "none of these runs is training or waiting"


def turn(runs: Iterable[Run], path: str, value: float) -> str:
    """Ask runs that train to change a live field from their next step; what is not live or out of bounds they refuse in an event of theirs."""
    asked = [run for run in runs if run.status["state"] in ACTIVE and path in run.status.get("live", [])]
    for run in asked:
        run.command(command="set", name=path, value=value)
    return (
        f"asked {len(asked)} run{'s' * (len(asked) != 1)} to set {path} to {value:g}"
        if asked
        else f"none of these runs has {path} and trains"
    )


def knobs(runs: Iterable[Run]) -> dict[str, float | None]:
    """Live fields of the runs that train, with the value of the first that has them; None where only the run knows it."""
    found: dict[str, float | None] = {}
    for run in runs:
        status = run.status
        if status["state"] in ACTIVE:
            turned = {event["name"]: event["to"] for event in run.events() if event.get("event") == "knob"}
            for path in status.get("live", []):
                found.setdefault(path, turned.get(path, configured_at(run.config, path)))
    return found


def configured_at(config: Mapping[str, Any], path: str) -> float | None:
    """The number at a dotted path of a configuration."""
    here: Any = config
    for part in path.split("."):
        here = here.get(part) if isinstance(here, Mapping) else None
    return float(here) if isinstance(here, int | float) else None


def resume(root: Path, runs: Iterable[Run]) -> str:
    asked = [run for run in runs if run.status["state"] in RESUMABLE]
    for run in asked:
        if run.status["state"] != "queued":
            request_resume(run)
    if asked:
        start_queue(root)
    return f"asked to resume {len(asked)} run{'s' * (len(asked) != 1)}" if asked else "none of these runs can be resumed"


def delete(runs: Sequence[Run]) -> str:
    """Remove run folders; raises UserError before the first is touched if one of them still runs or shares a live process."""
    for run in runs:
        if run.status["state"] in ACTIVE:
            raise UserError(f"{run.id}: is running; stop it before deleting it")
    for run in runs:
        delete_run(run)
    return f"deleted {len(runs)} run{'s' * (len(runs) != 1)}"


def size(runs: Iterable[Run]) -> int:
    """Bytes on disk."""
    return sum(path.stat().st_size for run in runs for path in run.path.rglob("*") if path.is_file() and not path.is_symlink())
