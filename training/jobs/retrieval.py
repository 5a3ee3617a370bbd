"""How well a look of a run finds reports of images, images of reports and images of images. Needs torch where reports are not stored."""

from training.bench import Task
from workbench.run import write_json

VERSION = 1


def compute(task: Task) -> None:
    """Write found.json and arrays.npz at the parameter `step`; `feature` is that of a method with one tower."""
    from workbench import retrieving
    from workbench.analysis import retrieved

    step, feature = int(task.parameters["step"]), str(task.parameters["feature"])
    found = retrieving.of_run(task.run, step, feature, task.dataset(), task.method, task.progress)
    write_json(task.folder / "found.json", retrieved.write(found, task.folder))
