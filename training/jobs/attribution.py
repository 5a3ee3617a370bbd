"""Which part of an image a score rests on: Grad-CAM and integrated gradients of a prompt's cosine or a label's logit; needs torch."""

from dataclasses import asdict

import numpy as np

from training.bench import Task
from workbench.run import write_json

VERSION = 1


def compute(task: Task) -> None:
    """Write found.json, film.npy (h w), gradients.npy (h w) and, where the tower has a last map, cam.npy (y x).

    Parameters: `step`; `image` as of the job attention; `prompt`, a text, or `label`, its number and name.
    """
    from workbench.attributing import attribute, cosine_score, logit_score

    step, label = task.parameters["step"], task.parameters.get("label")
    task.progress(0.05, "loading the weights")
    method, sample = task.method(step), task.image()
    task.progress(0.3, "following the gradients")
    if label is None:
        target, kind, score = str(task.parameters["prompt"]), "cosine", cosine_score(method, str(task.parameters["prompt"]))
    else:
        target, kind, score = str(label[1]), "logit", logit_score(method, int(label[0]))
    found = asdict(attribute(method, score, target, kind, sample, task.run.id, int(step)))
    print(f"completeness delta {found['delta']:.3g} of a rise of {found['score'] - found['baseline']:.3g}, {found['steps']} steps")
    for name in ("film", "gradients", "cam"):
        values = found.pop(name)
        if values is not None:
            np.save(task.folder / f"{name}.npy", values)
    write_json(task.folder / "found.json", found)
