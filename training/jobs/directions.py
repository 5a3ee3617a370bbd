"""What the first directions of a feature at a look mean, and when they were there. (no torch)"""

from training.bench import Task
from workbench.analysis import directions
from workbench.run import write_json

VERSION = 2


def compute(task: Task) -> None:
    """Write found.json: directions of the parameter `feature` at `step`; raises UserError where that look kept no features."""
    found = directions.of_run(task.run, str(task.parameters["feature"]), int(task.parameters["step"]), task.dataset(), task.progress)
    write_json(task.folder / "found.json", found.as_dict())
