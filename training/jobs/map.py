"""A map of a run's studies at a look, or at many looks in one frame, with its quality. Needs torch for reports that a look did not store."""

from training.bench import Task
from workbench import mapping
from workbench.embeddings import Embeddings

VERSION = 2


def compute(task: Task) -> None:
    """Write map.npz and found.json for the parameters of `mapping.parameters`; raises UserError where a map says nothing."""

    def pair(step: int) -> tuple[Embeddings, Embeddings]:
        from workbench import closing

        task.progress(0.01, f"reading reports at step {step}")
        return closing.computed(task.run, step, task.dataset(), task.method(step))

    found = mapping.of_run(task.run, task.parameters, pair, task.progress)
    mapping.save(found, task.folder)
