"""How well the films of a set are painted beside others; needs torch."""

from dataclasses import asdict

from training.bench import Task
from workbench.run import write_json

VERSION = 1


def compute(task: Task) -> None:
    """Write found.json. Parameters: `step`, `ratio`, keys `inside` and `others`."""
    from workbench.painting import of_set

    step, asked = int(task.parameters["step"]), task.parameters
    found = of_set(
        task.method(step), task.dataset(), asked["inside"], asked["others"], task.run.id, step, float(asked["ratio"]), task.progress
    )
    write_json(task.folder / "found.json", asdict(found))
