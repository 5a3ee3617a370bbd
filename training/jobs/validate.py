"""Whether a run could be started as it is described: method and data are checked where they can be imported."""

from training.bench import Task
from workbench.errors import UserError
from workbench.run import RunConfig, write_json

VERSION = 2


def compute(task: Task) -> None:
    """Write checked.json for the configuration under `config`: every default spelled out and what became of every key of the start weights,
    or the sentence that says what is wrong."""
    from training.setup import resolve
    from workbench.interop.weights import initialise_from
    from workbench.models import build_method

    report = {}
    try:
        config = resolve(RunConfig.parse(task.parameters["config"], "this run"), "this run")
        if config.init_from:
            report = initialise_from(build_method(config.method, config.seed, "this run"), config.init_from, task.job.root)
    except UserError as error:
        write_json(task.folder / "checked.json", {"config": None, "error": str(error), "init_from": {}})
        return
    write_json(task.folder / "checked.json", {"config": config.to_dict(), "error": None, "init_from": report})
