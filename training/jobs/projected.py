"""One uploaded image in the shared space of a run's method at a snapshot. Needs torch."""

import numpy as np

from training.bench import Task
from workbench.capable import need

VERSION = 1
SHARED = "image.projected"


def compute(task: Task) -> None:
    """Write vector.npy (1, d)."""
    from workbench.features import of_batches
    from workbench.single import batch_of, upload_sample

    need(task.run, "Projects", "prompts")
    pixels = task.upload(task.parameters["upload"])
    task.progress(0.2, "loading the method")
    method, labels = task.method(task.parameters.get("step", "last")), len(task.run.status.get("label_names") or [])
    sample = upload_sample(pixels) | {"labels": np.full(labels, np.nan, np.float32)}  # a method may want them; nothing is stated
    found = of_batches(method, [batch_of(method, [sample])], [SHARED])
    np.save(task.folder / "vector.npy", found[SHARED])
