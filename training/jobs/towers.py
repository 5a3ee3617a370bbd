"""How images and reports lie in the space they share at a look, and what closing the gap does. Needs torch for the prompts."""

from training.bench import Task
from workbench.run import write_json

VERSION = 2


def compute(task: Task) -> None:
    """Write found.json: the towers at the parameter `step`; raises UserError where there are not two of one width."""
    from workbench import closing

    step = int(task.parameters["step"])
    found = closing.of_run(task.run, step, task.dataset(), lambda: task.method(step), task.progress)
    write_json(task.folder / "found.json", found.as_dict())
