"""How two runs differ at a step, and how alike their layers and steps are. (no torch)"""

from training.bench import Task
from workbench.analysis import across
from workbench.run import find_run, write_json

VERSION = 1


def compute(task: Task) -> None:
    """Write found.json: the task's run beside the parameter `other`, by `feature`, `step` and `measure`; raises UserError where they share no studies."""
    other = find_run(str(task.parameters["other"]), task.job.root)
    told = str(task.parameters["feature"]), int(task.parameters["step"]), task.parameters["measure"]
    write_json(task.folder / "found.json", across.of_runs(task.run, other, *told).as_dict())
