"""Features of any split at any snapshot of a run: needs torch."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

import numpy as np
import torch

from workbench.analysis.factors import placed
from workbench.batches import Rows, fixed_batches, to_device
from workbench.dataset import Dataset, Split
from workbench.datasets import load_dataset
from workbench.embeddings import Embeddings
from workbench.errors import UserError
from workbench.method import Batch, Method
from workbench.models import load_method
from workbench.randomness import torch_stream
from workbench.run import Run


def dataset_of(run: Run) -> Dataset:
    """The data set of a run's first source: the one it is probed and validated on."""
    return load_dataset(run.source[1], run.id)


@torch.no_grad()
def of_batches(method: Method, batches: Iterable[Batch], names: Sequence[str], dtype: torch.dtype | None = None) -> dict[str, np.ndarray]:
    """Named features (n, …) float32 by name, in eval mode without autocast, without touching training streams; the method is left as it was."""
    device, training = next(method.parameters()).device, method.training
    method.eval()
    parts: dict[str, list[np.ndarray]] = {name: [] for name in names}
    with torch_stream(0, "look"), torch.autocast(device.type, enabled=False):
        for batch in batches:
            for name, value in method.features_of(to_device(batch, device, dtype), names).items():
                if name in parts:
                    parts[name].append(value.float().cpu().numpy())
    method.train(training)
    return {name: np.concatenate(values) for name, values in parts.items() if values}


def extract(
    method: Method,
    dataset: Dataset,
    indices: np.ndarray,
    names: Sequence[str],
    batch: int = 256,
    report: Callable[[float], None] = lambda share: None,
) -> dict[str, np.ndarray]:
    """Named features (n, …) float32 of studies in the order of `indices`, without augmentation."""
    rows = Rows(type(method), method.config, {"data": dataset}, 0, "fixed", augment=False)

    def batches() -> Iterator[Batch]:
        for start in range(0, len(indices), batch):
            yield from fixed_batches(rows, "data", indices[start : start + batch], batch)
            report(min(1.0, (start + batch) / len(indices)))

    return of_batches(method, batches(), names)


def of_look(run: Run, step: int, dataset: Dataset, method: Method, names: Sequence[str]) -> dict[str, Embeddings]:
    """Named features of the studies that the look at `step` kept, computed with the method as it was then; raises UserError without such a look."""
    look = run.embeddings(next(iter(run.geometry(step))), step)
    found = extract(method, dataset, placed(run, look, dataset), names)
    return {name: Embeddings(z, look.keys, look.patients, name, step, look.data_hash) for name, z in found.items()}


def features(
    run: Run,
    names: Sequence[str] = (),
    step: int | Literal["last"] = "last",
    split: Split = "val",
    report: Callable[[float], None] = lambda share: None,
) -> dict[str, Embeddings]:
    """Embeddings of one split at one snapshot, per feature; raises UserError for a feature the method does not declare."""
    method, dataset = load_method(run, step), dataset_of(run)
    chosen = list(names) or [name for name, shape in method.features.items() if shape == "b d"]
    unknown = [name for name in chosen if name not in method.features]
    if unknown:
        raise UserError(f"{run.id}: no feature {unknown[0]!r}; the features are {', '.join(method.features)}")
    indices = dataset.split(split)
    if not len(indices):
        raise UserError(f"{run.id}: split {split} of its data has no studies; choose another split")
    keys, patients = tuple(dataset.keys[index] for index in indices), tuple(str(dataset.patients[index]) for index in indices)
    at = run.steps_of("snapshots")[-1] if step == "last" else step
    found = extract(method, dataset, indices, chosen, report=report)
    return {name: Embeddings(z, keys, patients, name, at, dataset.data_hash) for name, z in found.items()}
