"""The curve of one measure over the number of rows. Needs torch where the look did not store the feature."""

from training.bench import Task
from workbench.run import write_json

VERSION = 1


def compute(task: Task) -> None:
    """Write found.json: the parameter `measure` of `feature` at `step`; raises UserError where it cannot be read there."""
    from workbench import measuring

    told = int(task.parameters["step"]), str(task.parameters["feature"]), str(task.parameters["measure"])
    dataset = task.dataset() if task.run.config["data"] else None
    write_json(task.folder / "found.json", measuring.growth_of(task.run, *told, dataset, task.method).as_dict())
