"""JSON schema of a method's or data set's Config: what a form is drawn from. Importing a method imports torch, so a worker does it."""

from training.bench import Task
from workbench import registry
from workbench.run import write_json

VERSION = 1


def compute(task: Task) -> None:
    """Write schema.json, the file's docstring with it."""
    kind, name = task.parameters["kind"], task.parameters["name"]
    task.progress(0.1, f"reading {name}")
    module = registry.load(kind, name)
    config = module.Config
    write_json(task.folder / "schema.json", config.model_json_schema() | {"doc": module.__doc__ or ""})
