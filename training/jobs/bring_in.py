"""Weights or features one already has become a run, asked for by a page."""

from training.bench import Task
from training.importing import bring_in, summary
from workbench.run import write_json

VERSION = 1


def compute(task: Task) -> None:
    """Write imported.json: the new run and the report of its keys. `asked` makes every request another one."""
    asked = task.parameters
    run = bring_in(
        asked["source"], asked.get("method"), asked.get("data"), asked.get("settings") or (), task.job.root, asked.get("name"),
        asked.get("keys"), asked.get("feature") or "image.backbone", task.progress,
    )  # fmt: skip
    document, text = summary(run)
    write_json(task.folder / "imported.json", {"run": document["run"], "notes": document["notes"], "text": text})
