"""Attention of one image at one snapshot, beside the same network with random weights; needs torch."""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from training.bench import Task
from workbench.run import write_json

if TYPE_CHECKING:
    from workbench.method import Method

VERSION = 1


def compute(task: Task) -> None:
    """Write found.json, film.npy (h w), maps.npy (l h t t) float16 and the random network's statistics (l h).

    Parameters: `step`; `image`: {"study", "place"} or {"upload"}.
    """
    from workbench.attending import attend

    step = task.parameters["step"]
    task.progress(0.05, "loading the weights")
    method = task.method(step)
    sample = task.image()
    task.progress(0.4, "looking")
    found = attend(method, untrained(str(task.run.path), task.run.path.stat().st_ino), sample, task.run.id, int(step))
    np.save(task.folder / "film.npy", found.film)
    np.save(task.folder / "maps.npy", found.maps.astype(np.float16))
    for name, values in found.untrained.items():
        np.save(task.folder / f"untrained_{name}.npy", values)
    write_json(task.folder / "found.json", {"key": found.key, "run": found.run, "step": found.step, "patch_mm": found.patch_mm})


@lru_cache(maxsize=1)
def untrained(path: str, folder: int) -> "Method":
    """The run's network with random weights; `folder` tells a run from another that has taken its place."""
    from pathlib import Path

    from workbench.models import build_method
    from workbench.run import Run

    run = Run(Path(path))
    return build_method(run.config["method"], int(run.config.get("seed", 0)), run.id).eval()
