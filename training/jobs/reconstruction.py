"""An image under one mask, painted by the method at one or several snapshots; needs torch."""

import numpy as np

from training.bench import Task
from workbench.errors import UserError
from workbench.run import write_json

VERSION = 1
MOST = 40  # snapshots of one request


def compute(task: Task) -> None:
    """Write found.json and, a snapshot each, original.npy once, painted.npy (s h w) and errors.npy (s guesses n).

    Parameters: `steps`; `image`: {"study", "place"} or {"upload"}; `mask`: {"ratio", "seed"}, {"patches"} or {"regions"}; `report`: false
    withholds the report of a method that reads it.
    """
    from workbench.painting import decoder_missing, reconstruct

    steps, image, mask = task.parameters["steps"], task.parameters["image"], task.parameters["mask"]
    if not steps or len(steps) > MOST:
        raise UserError(f"{task.run.id}: {len(steps)} snapshots asked for, expected 1 to {MOST}; choose fewer")
    sample, place, report = task.sample(), int(image.get("place", 0)), bool(task.parameters.get("report", True))
    untrained, found = decoder_missing(task.run), []
    for number, step in enumerate(steps):
        task.progress(number / len(steps), f"painting at step {step}")
        found.append(reconstruct(task.method(step), sample, mask, place, task.run.id, int(step), untrained, report))
    first = found[0]
    names = sorted(first.errors)
    np.save(task.folder / "original.npy", first.original)
    np.save(task.folder / "painted.npy", np.stack([each.painted for each in found]))
    np.save(task.folder / "errors.npy", np.stack([[each.errors[name] for name in names] for each in found]))
    facts = {"key": first.key, "run": first.run, "patch": first.patch, "norm_pix": first.norm_pix, "mask": first.mask.tolist()}
    write_json(task.folder / "found.json", facts | {"errors": names, "steps": steps, "notes": [list(each.notes) for each in found]})
