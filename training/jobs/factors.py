"""Which factor can still be read from a feature at a look, from the untrained network and from pixels. (no torch)"""

from training.bench import Task
from workbench.analysis import factors
from workbench.run import write_json

VERSION = 1


def compute(task: Task) -> None:
    """Write found.json: what is read from the parameter `feature` at `step`; raises UserError where that look kept no features."""
    task.progress(0.05, "loading the data")
    found = factors.of_run(task.run, str(task.parameters["feature"]), int(task.parameters["step"]), task.dataset(), task.progress)
    write_json(task.folder / "found.json", found.as_dict())
