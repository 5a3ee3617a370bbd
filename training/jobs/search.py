"""The images and reports nearest to words, an image handed in or a study, at a look of a run. Needs torch."""

from training.bench import Task
from workbench.run import write_json

VERSION = 1


def compute(task: Task) -> None:
    """Write found.json. Parameters: `step`, `feature` (of a method with one tower), `k`, and `text`, `study` or `upload`."""
    from workbench import searching

    asked = task.parameters
    image = task.upload(str(asked["upload"])) if asked.get("upload") else None
    query = searching.Query(asked.get("text"), asked.get("study"), image)
    k = int(asked.get("k", searching.K))
    found = searching.of_run(task.run, int(asked["step"]), str(asked["feature"]), query, task.dataset(), task.method, k, task.progress)
    write_json(task.folder / "found.json", found.as_dict())
