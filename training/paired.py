"""Arms of one recipe over equal seeds: trained once, measured once, each seed of an arm against the same seed of the control."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from training.measures import MEASURES, TUNED, TUNING, Judged, measured
from training.records import shown, trained
from workbench.analysis.claims import paired_seeds
from workbench.analysis.seeds import setting
from workbench.errors import UserError
from workbench.models import read_weights
from workbench.run import Run, RunConfig, list_runs

EQUAL = ("seed", "data", "batch", "accumulate", "precision")  # what a run and its control always share


class Arm(NamedTuple):
    """The finished runs of one setting, by seed."""

    name: str
    runs: Mapping[int, Run]


def train_arm(name: str, config: RunConfig, seeds: Sequence[int], root: Path) -> Arm:
    """Train what is missing of an arm under `root`; what is there is read."""
    own = config.model_copy(update={"name": name})
    return Arm(name, {seed: trained(own.model_copy(update={"seed": seed}), root) for seed in seeds})


def check_pair(control: Run, other: Run) -> None:
    """Raises UserError where a run and its control differ in seed, data or batch, or in start weights that both have.

    Equal seeds give equal orders and masks; that parts of the same name and size also started alike is read from the first snapshots.
    """
    for key in EQUAL:
        if control.config[key] != other.config[key]:
            raise UserError(f"{other.id}: {key} is not that of its control {control.id}; pair runs that differ in the method alone")
    one, two = (read_weights(run.snapshot(0), run.path) for run in (control, other))
    moved = [name for name in one if name in two and one[name].shape == two[name].shape and not torch.equal(one[name], two[name])]
    if moved:
        raise UserError(f"{other.id}: {moved[0]} did not start as in its control {control.id}; train both again from one state of the code")


def compared(control: Arm, other: Arm, names: Sequence[str], tuning: int = TUNING) -> dict[str, dict[str, Any]]:
    """By measure: the values of an arm and of its control, a seed each, and the paired gain with its interval: what a record keeps."""
    for seed, run in other.runs.items():
        check_pair(control.runs[seed], run)
    read = [{seed: Judged(run, tuning) for seed, run in arm.runs.items()} for arm in (control, other)]
    found = {}
    for name in names:
        without, added = ({seed: measured(judged, name) for seed, judged in side.items()} for side in read)
        measure = MEASURES[name]
        told = {"measure": name, "unit": measure.unit, "better": "high" if measure.sign > 0 else "low"}
        sides = {"control": list(without.values()), "with": list(added.values())}
        found[name] = told | sides | {"gain": shown(paired_seeds(without, added, measure.sign))}
    return found


def training_seconds(run: Run) -> float:
    """Wall seconds from the first snapshot, when data and network are ready, to the end of training."""
    events = run.events()
    begun = next(each["time"] for each in events if each["event"] == "snapshot")
    return round(float(events[-1]["time"] - begun), 1)


def arm_seconds(arm: Arm) -> list[float]:
    """Of every run of an arm, those included that a measure fine-tuned."""
    tuned = [Run(run.path / TUNED / each["id"]) for run in arm.runs.values() for each in list_runs(run.path / TUNED)]
    return [training_seconds(run) for run in (*arm.runs.values(), *tuned)]


def tried(name: str, root: Path) -> int:
    """Settings of this name that were ever trained under `root`."""
    there = [Run(root / each["id"]) for each in list_runs(root) if each.get("name") == name]
    return len({setting(run.config) for run in there})
