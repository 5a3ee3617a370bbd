"""Patch tokens of one image, and the colours that all images of a snapshot share; needs torch."""

from dataclasses import asdict
from functools import lru_cache

import numpy as np

from training.bench import Task
from workbench.analysis.attention import Colouring
from workbench.errors import UserError
from workbench.run import write_json

VERSION = 1
IMAGES = 16  # of the validation split, or of all where that is empty


def compute(task: Task) -> None:
    """Write found.json, tokens.npy (n d) and mean.npy (d), directions.npy (3 d), low.npy, high.npy (3). Parameters as of the job attention."""
    from workbench.attending import tokens_of
    from workbench.single import batch_of

    method, sample = task.method(task.parameters["step"]), task.image()
    np.save(task.folder / "tokens.npy", tokens_of(method, batch_of(method, [sample]))[0].astype(np.float16))
    shared = asdict(colours_of(Shared(task)))
    for name in ("mean", "directions", "low", "high"):
        np.save(task.folder / f"{name}.npy", shared.pop(name))
    write_json(task.folder / "found.json", shared)


class Shared:
    """A task as far as the colours of its snapshot depend on it: equal for all images of the same weights."""

    def __init__(self, task: Task) -> None:
        self.task = task
        snapshot = task.run.snapshot(task.parameters["step"])
        self.same = (str(snapshot), snapshot.stat().st_mtime_ns)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shared) and self.same == other.same

    def __hash__(self) -> int:
        return hash(self.same)


@lru_cache(maxsize=4)
def colours_of(shared: Shared) -> Colouring:
    """From some images of the validation split."""
    from workbench.attending import colouring_of
    from workbench.single import one_image

    task = shared.task
    dataset = task.dataset()
    held = dataset.split("val")
    places = held if len(held) else np.arange(len(dataset))
    if not len(places):
        raise UserError(f"{task.run.id}: its data set has no studies to take colours from; choose a run with data")
    chosen = places[np.linspace(0, len(places) - 1, min(IMAGES, len(places))).astype(int)]
    task.progress(0.3, f"patches of {len(chosen)} images")
    return colouring_of(task.method(task.parameters["step"]), [one_image(dataset[int(place)], 0) for place in chosen])
