"""Hidden words of a report filled in beside its image and without it, at one snapshot; needs torch."""

from training.bench import Task
from workbench.analysis.filling import as_dict
from workbench.capable import need
from workbench.run import write_json

VERSION = 1


def compute(task: Task) -> None:
    """Write found.json. Parameters: `step`; `image`: {"study", "place"}; `hide`: {"ratio", "seed"} or {"words"}."""
    from workbench.filling import another, fill

    need(task.run, "FillsWords", "hidden words")
    step, sample = int(task.parameters["step"]), task.image()
    task.progress(0.1, "loading the weights")
    method = task.method(step)
    other = another(task.dataset(), sample) if "study" in task.parameters["image"] else None
    task.progress(0.6, "reading")
    write_json(task.folder / "found.json", as_dict(fill(method, sample, task.parameters["hide"], other, task.run.id, step)))
