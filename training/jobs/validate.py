"""Whether a run could be started as it is described: method and data are checked where they can be imported."""

from training.bench import Task
from workbench.errors import UserError
from workbench.run import RunConfig, write_json

VERSION = 1


def compute(task: Task) -> None:
    """Write checked.json for the configuration under `config`: every default spelled out, or the sentence that says what is wrong."""
    from training.setup import resolve

    try:
        config = resolve(RunConfig.parse(task.parameters["config"], "this run"), "this run")
    except UserError as error:
        write_json(task.folder / "checked.json", {"config": None, "error": str(error)})
        return
    write_json(task.folder / "checked.json", {"config": config.to_dict(), "error": None})
