"""What every block of the image tower gives at a look, beside the untrained tower. Needs torch for the snapshots."""

from training.bench import Task
from workbench.run import write_json

VERSION = 1


def compute(task: Task) -> None:
    """Write found.json: the tower at the parameter `step`; raises UserError where its blocks are not known."""
    from workbench import depth

    found = depth.of_run(task.run, int(task.parameters["step"]), task.dataset(), task.method, task.progress)
    write_json(task.folder / "found.json", found.as_dict())
