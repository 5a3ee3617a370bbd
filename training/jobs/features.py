"""Features of a whole split at a snapshot, as Embeddings; needs torch."""

from training.bench import Task
from workbench.embeddings import save
from workbench.errors import UserError

VERSION = 1
SPLITS = ("train", "val", "test")


def compute(task: Task) -> None:
    """Write `<feature>/` embeddings for every feature asked for (default: all vectors the method declares)."""
    from workbench.features import features

    split, step = task.parameters.get("split", "test"), task.parameters.get("step", "last")
    if split not in SPLITS:
        raise UserError(f"{task.run.id}: no split named {split!r}; the splits are {', '.join(SPLITS)}")
    task.progress(0.05, "loading the data and the weights")

    def report(share: float) -> None:
        task.progress(0.1 + 0.9 * share, f"{split} at step {step}")

    for name, found in features(task.run, task.parameters.get("features") or (), step, split, report).items():
        save(found, task.folder / name)
