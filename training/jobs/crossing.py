"""Attention between the words of a report and the patches of its image at one snapshot, beside random weights; needs torch."""

import numpy as np

from training.bench import Task
from training.jobs.attention import untrained
from workbench.analysis.crossing import ARRAYS
from workbench.capable import need
from workbench.run import write_json

VERSION = 1


def compute(task: Task) -> None:
    """Write found.json, film.npy (h w), on_patches.npy (l h w t), on_words.npy (l h t w) and untrained.npy (l h w).

    Parameters: `step`; `image`: {"study", "place"}.
    """
    from workbench.crossing import cross

    need(task.run, "Crosses", "words that look at patches")
    step, sample = int(task.parameters["step"]), task.image()
    task.progress(0.1, "loading the weights")
    method = task.method(step)
    task.progress(0.5, "looking")
    found = cross(method, untrained(str(task.run.path), task.run.path.stat().st_ino), sample, task.run.id, step)
    for name in ARRAYS:
        np.save(task.folder / f"{name}.npy", getattr(found, name))
    write_json(task.folder / "found.json", {"key": found.key, "run": found.run, "step": found.step, "words": found.words})
