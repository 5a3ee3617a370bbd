"""Targets and cosines of a batch of validation at one snapshot, as the run's contrast compares them; needs torch."""

import numpy as np

from training.bench import Task
from training.jobs.attention import untrained
from workbench.analysis.compared import ARRAYS
from workbench.capable import need
from workbench.run import write_json

VERSION = 1


def compute(task: Task) -> None:
    """Write found.json and cosines.npy, targets.npy, positives.npy (b b each). Parameters: `step`, `studies`."""
    from workbench.comparing import batch, compare

    need(task.run, "Compares", "semantic targets")
    step, dataset = int(task.parameters["step"]), task.dataset()
    task.progress(0.1, "loading the weights")
    method = task.method(step)
    samples = batch(dataset, int(task.parameters["studies"]), task.run.id)
    task.progress(0.4, f"comparing {len(samples)} studies")
    random = untrained(str(task.run.path), task.run.path.stat().st_ino)
    found = compare(method, random, samples, tuple(dataset.label_names), task.run.id, step)
    for name in ARRAYS:
        np.save(task.folder / f"{name}.npy", getattr(found, name))
    write_json(task.folder / "found.json", {name: value for name, value in vars(found).items() if name not in ARRAYS})
