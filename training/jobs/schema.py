"""JSON schema of a method's or data set's Config: what a form is drawn from. Importing a method imports torch, so a worker does it."""

from training.bench import Task
from workbench import registry
from workbench.config import Config
from workbench.run import write_json

VERSION = 2


def compute(task: Task) -> None:
    """Write schema.json, the file's docstring with it."""
    kind, name = task.parameters["kind"], task.parameters["name"]
    task.progress(0.1, f"reading {name}")
    module = registry.load(kind, name)
    config = config_class(kind, name)
    write_json(task.folder / "schema.json", config.model_json_schema() | {"doc": module.__doc__ or ""})


def config_class(kind: str, name: str) -> type[Config]:
    """The Config of a method or of a data set."""
    if kind == "data":
        return registry.load(kind, name).Config
    from workbench.models import method_class

    return method_class(name).Config
