"""Every measure of every feature at a look, beside the untrained network and the pixels. Needs torch where the look did not store a feature."""

from training.bench import Task
from workbench.run import write_json

VERSION = 3


def compute(task: Task) -> None:
    """Write found.json: all measures at the parameter `step`; raises UserError where that look kept no features."""
    from workbench import measuring

    task.progress(0.05, "loading the data")
    dataset = task.dataset() if task.run.config["data"] else None
    found = measuring.of_run(task.run, int(task.parameters["step"]), dataset, task.method, task.progress)
    write_json(task.folder / "found.json", found.as_dict())
