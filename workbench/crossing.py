"""A method's report and image look at each other: from a study to a Crossing. Needs torch."""

from typing import Literal

import numpy as np
import torch

from workbench import words
from workbench.analysis.crossing import Crossing, by_words, spread
from workbench.attending import film_of, image_of
from workbench.dataset import Sample
from workbench.errors import UserError
from workbench.method import Batch, Crosses, Method
from workbench.models import build_method, load_method
from workbench.run import Run
from workbench.single import batch_of
from workbench.text import report


@torch.no_grad()
def maps_of(method: Method, batch: Batch) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """What the words of a study see (l h w t) and are seen with (l h t w), and how they are spelt. Raises UserError where a method has none."""
    if not isinstance(method, Crosses):
        raise UserError(f"{type(method).__name__}: its report and image do not look at each other; choose a run whose do, such as m3ae")
    found, ids = method.crossing(batch), batch["input_ids"][0].numpy()
    groups = words.words_of(ids, method.known)
    on_patches = by_words(found["words"][:, 0].float().numpy().swapaxes(-1, -2), groups, mean=True).swapaxes(-1, -2)
    return (
        on_patches,
        by_words(found["patches"][:, 0].float().numpy(), groups, mean=False),
        [words.spelt(word, ids, method.known) for word in groups],
    )


def cross(method: Method, untrained: Method, sample: Sample, run: str = "", step: int = 0) -> Crossing:
    """The words of a study of one image and its patches, beside the same network with random weights. Raises UserError without a report."""
    if not report(sample).strip():
        raise UserError(f"study {sample['key']}: has no report whose words could look at it; choose another study")
    batch = batch_of(method, [sample])
    on_patches, on_words, spelt = maps_of(method, batch)
    random = spread(maps_of(untrained, batch)[0])
    return Crossing(sample["key"], run, step, tuple(spelt), film_of(method, sample), on_patches, on_words, random)


def of_run(run: Run, study: str | None = None, step: int | Literal["last"] = "last", film: int = 0) -> Crossing:
    """A study of a run's data (the first for validation where none is named) at one snapshot."""
    at = run.snapshot_step(step)
    untrained = build_method(run.config["method"], int(run.config.get("seed", 0)), run.id).eval()
    return cross(load_method(run, at), untrained, image_of(run, study, None, film), run.id, at)
