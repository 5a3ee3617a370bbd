"""The colours of a snapshot's patch tokens, shared by all images; needs torch."""

from dataclasses import asdict

import numpy as np

from training.bench import Task
from workbench.errors import UserError
from workbench.run import write_json

VERSION = 1
IMAGES = 16  # of the validation split, or of all where that is empty


def compute(task: Task) -> None:
    """Write found.json and mean.npy (d), directions.npy (3 d), low.npy and high.npy (3). Parameters: `step`."""
    from workbench.attending import colouring_of
    from workbench.painting import one_image

    dataset = task.dataset()
    held = dataset.split("val")
    places = held if len(held) else np.arange(len(dataset))
    if not len(places):
        raise UserError(f"{task.run.id}: its data set has no studies to take colours from; choose a run with data")
    task.progress(0.1, f"patches of {min(IMAGES, len(places))} images")
    every = [one_image(dataset[int(place)], 0) for place in places[np.linspace(0, len(places) - 1, min(IMAGES, len(places))).astype(int)]]
    found = asdict(colouring_of(task.method(task.parameters["step"]), every))
    for name in ("mean", "directions", "low", "high"):
        np.save(task.folder / f"{name}.npy", found.pop(name))
    write_json(task.folder / "found.json", found)
