"""A contrast's targets and cosines on a batch of validation: from a run to a Compared. Needs torch."""

from typing import Literal

import numpy as np
import torch

from workbench.analysis.compared import ARRAYS, Compared, top_pair
from workbench.dataset import Dataset, Sample
from workbench.errors import UserError
from workbench.features import dataset_of
from workbench.method import Compares, Method
from workbench.models import build_method, load_method
from workbench.run import Run
from workbench.single import batch_of

STUDIES = 48


def batch(dataset: Dataset, count: int, where: str) -> list[Sample]:
    """At most `count` studies of the validation split, evenly taken; of all studies where that is empty. Raises UserError where there are fewer than 2."""
    held = dataset.split("val")
    rows = held if len(held) else np.arange(len(dataset))
    if len(rows) < 2 or count < 2:
        raise UserError(f"{where}: a batch to compare needs 2 studies, there are {min(len(rows), count)}; choose a run with more data")
    return [dataset[int(row)] for row in rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)]]


@torch.no_grad()
def compare(method: Method, untrained: Method, samples: list[Sample], labels: tuple[str, ...], run: str = "", step: int = 0) -> Compared:
    """Studies as the contrast of a method compares them, images whole; those without a report are left out."""
    if not isinstance(method, Compares) or not isinstance(untrained, Compares):
        raise UserError(f"{type(method).__name__} has no semantic targets; choose a run whose method has, such as medflip")
    given = batch_of(method, samples)
    found, before = method.compared(given), untrained.compared(given)
    told = [sample for sample, has in zip(samples, found["told"].tolist()) if has]
    if len(told) < 2:
        raise UserError(
            f"{run or 'batch'}: {len(told)} of {len(samples)} studies have a report, comparing needs 2; choose a run with reports"
        )
    named = tuple(", ".join(name for name, value in zip(labels, sample.get("labels", ())) if value == 1) for sample in told)
    cosines, targets, positives = (found[name].numpy() for name in ARRAYS)
    source = str(method.config.targets)  # type: ignore[attr-defined]
    first = top_pair(before["cosines"].numpy()).value
    return Compared(run, step, tuple(sample["key"] for sample in told), named, source, cosines, targets, positives, first)


def of_run(run: Run, step: int | Literal["last"] = "last", studies: int = STUDIES) -> Compared:
    """A batch of the run's validation split at one snapshot, alike studies beside each other."""
    at, dataset = run.snapshot_step(step), dataset_of(run)
    untrained = build_method(run.config["method"], int(run.config.get("seed", 0)), run.id).eval()
    samples = batch(dataset, studies, run.id)
    return compare(load_method(run, at), untrained, samples, tuple(dataset.label_names), run.id, at).ordered()
