"""Features of a whole split at a snapshot, as Embeddings; needs torch."""

import numpy as np
import torch

from training.worker import Task
from workbench.embeddings import Embeddings, save
from workbench.errors import UserError

VERSION = 1
BATCH = 128


def compute(task: Task) -> None:
    """Write `<feature>/` embeddings for every feature asked for (default: all vectors the method declares)."""
    from training.monitors import vector_features
    from training.setup import open_data
    from workbench.batches import Rows, fixed_batches, to_device
    from workbench.models import load_method
    from workbench.randomness import torch_stream
    from workbench.run import RunConfig

    run, split = task.run, task.parameters.get("split", "test")
    if split not in ("train", "val", "test"):
        raise UserError(f"{run.id}: no split named {split!r}; the splits are train, val and test")
    config = RunConfig.parse(run.config, str(run.path / "config.yaml"))
    step = int(run.snapshot(task.parameters.get("step", "last")).name.removeprefix("step-"))
    task.progress(0.05, "loading the data and the weights")
    method = load_method(run, step)
    data = open_data(config, type(method))
    names = list(task.parameters.get("features") or vector_features(method))
    unknown = [name for name in names if name not in vector_features(method)]
    if unknown:
        raise UserError(f"{run.id}: {unknown[0]} is no feature vector of this method; the vectors are {', '.join(vector_features(method))}")
    dataset, studies = data.first, np.asarray(data.first.split(split))
    if not len(studies):
        raise UserError(f"{run.id}: the split {split} of its data is empty; choose another one")
    rows = Rows(type(method), method.config, data.datasets, 0, "fixed", augment=False)
    parts: dict[str, list[np.ndarray]] = {name: [] for name in names}
    with torch.no_grad(), torch_stream(0, "look"):
        for start in range(0, len(studies), BATCH):
            for batch in fixed_batches(rows, data.main, studies[start : start + BATCH], BATCH):
                for name, value in method.features_of(to_device(batch, torch.device("cpu"), None), names).items():
                    parts[name].append(value.float().numpy())
            task.progress(0.1 + 0.9 * min(start + BATCH, len(studies)) / len(studies), f"{start} of {len(studies)} studies")
    keys = tuple(dataset.keys[index] for index in studies)
    patients = tuple(str(dataset.patients[index]) for index in studies)
    for name, values in parts.items():
        save(Embeddings(np.concatenate(values), keys, patients, name, step, dataset.data_hash), task.folder / name)
