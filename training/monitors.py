"""Looks at the latent space on a fixed probe set, and the ring buffer of what training computed anyway."""

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from training.setup import Data
from workbench import prompts
from workbench.analysis.baselines import metadata_features, pixel_features, ridge_probe, source_features
from workbench.analysis.collapse import class_scales, summarise
from workbench.analysis.statistics import macro_auroc_interval
from workbench.batches import Rows, fixed_batches
from workbench.embeddings import Embeddings, save
from workbench.features import of_batches
from workbench.method import Batch, Method, Projects
from workbench.randomness import rng
from workbench.run import RunConfig, write_json

FLOORS: dict[str, dict[str, Any]] = {}  # of this process, by data and probe set: the demo's runs share them


def look_steps(steps: int, every: int | None) -> set[int]:
    """0, 1, 2, 4, … below `every`, then its multiples (an eighth of the run by default), and the last step."""
    spacing = every or max(1, steps // 8)
    return {0, steps} | {2**power for power in range(spacing.bit_length()) if 2**power < spacing} | set(range(spacing, steps, spacing))


def vector_features(method: Method) -> list[str]:
    """The declared features that are one vector per study."""
    return [name for name, shape in method.features.items() if shape == "b d"]


class Probe:
    """The probe set of a run: fixed validation studies, and training studies on which a ridge is fitted."""

    def __init__(self, config: RunConfig, method: Method, data: Data, rows: Rows, device: torch.device, dtype: torch.dtype | None) -> None:
        self.config, self.method, self.data, self.device, self.dtype = config.monitors, method, data, device, dtype
        self.features = list(config.monitors.features) or vector_features(method)
        dataset = data.first
        validation, train = data.validation, data.train[data.main]
        draw = rng(0, "probe set", 0, dataset.data_hash)  # the same studies for every run on this data: runs are compared on equal keys
        self.studies = np.sort(draw.permutation(validation)[: config.monitors.studies])
        self.fit_on = np.sort(draw.permutation(train)[: config.monitors.probe_train]) if len(dataset.label_names) else train[:0]
        size = min(256, config.batch * 2)
        self.batches = fixed_batches(rows, data.main, self.studies, size)
        self.fit_batches = fixed_batches(rows, data.main, self.fit_on, size)
        self.patients = np.asarray(dataset.patients)

    def extract(self, batches: Sequence[Batch]) -> dict[str, np.ndarray]:
        """Features (n, d) float32 by name."""
        return of_batches(self.method, batches, self.features, self.dtype)

    def look(self, folder: Path, step: int, interval: bool) -> dict[str, dict[str, float]]:
        """Write geometry, probe, zero-shot and embeddings of this moment; returns macro AUROCs, per feature under `probe`."""
        if not len(self.studies):
            return {}
        dataset, found = self.data.first, self.extract(self.batches)
        folder.mkdir(parents=True, exist_ok=True)
        keys = tuple(dataset.keys[index] for index in self.studies)
        patients = tuple(str(patient) for patient in self.patients[self.studies])
        geometry = {name: summarise(z, patients).as_dict() for name, z in found.items()}
        if len(dataset.label_names):
            labels = dataset.labels[self.studies]
            write_json(folder / "classes.json", {name: class_scales(z, labels, dataset.label_names) for name, z in found.items()})
        if self.config.keep_embeddings:
            for name, z in found.items():
                save(Embeddings(z, keys, patients, name, step, dataset.data_hash), folder / "embeddings" / name)
        probes: dict[str, Any] = {}
        if len(self.fit_on):
            fitted = self.extract(self.fit_batches)
            probes = {name: self.read(fitted[name], z, interval) for name, z in found.items()}
            write_json(folder / "probe.json", probes)
        read: dict[str, dict[str, float]] = {"probe": {name: probe["macro_auroc"]["value"] for name, probe in probes.items()}}
        given = getattr(dataset, "prompts", None)
        if given and isinstance(self.method, Projects) and "image.projected" in found:
            record = self.zero_shot(found["image.projected"], given, interval)
            write_json(folder / "zeroshot.json", record)
            read["zeroshot"] = {"macro_auroc": record["macro_auroc"]["value"]}
        write_json(folder / "geometry.json", geometry)
        known = {group: {name: value for name, value in values.items() if value is not None} for group, values in read.items()}
        return {group: values for group, values in known.items() if values}

    def zero_shot(self, projected: np.ndarray, given: Mapping[str, Mapping[str, Sequence[str]]], interval: bool) -> dict[str, Any]:
        """AUROCs of the prompt difference on the probe set (at most 512 studies), no label seen."""
        dataset, studies = self.data.first, self.studies[:512]
        names = [name for name in dataset.label_names if name in given]
        columns = [list(dataset.label_names).index(name) for name in names]
        found = prompts.scores(self.method, projected[: len(studies)], given, names, self.dtype)
        return auroc_record(found, dataset.labels[studies][:, columns], self.patients[studies], names, n_train=0, interval=interval)

    def read(self, fit: np.ndarray, z: np.ndarray, interval: bool) -> dict[str, Any]:
        """Macro AUROC on the probe set of a ridge fitted on training studies."""
        return read_features(self.data, fit, self.fit_on, z, self.studies, interval)

    def references(self, path: Path, levels: dict[str, Any]) -> None:
        """Pixels, metadata and source read by the same ridge, and the trivial levels of the losses; written once."""
        values: dict[str, Any] = {"chance": 0.5, "levels": levels, "n_train": len(self.fit_on), "n": len(self.studies)}
        if len(self.fit_on) and len(self.studies):
            key = f"{self.data.first.data_hash} {self.fit_on.tolist()} {self.studies.tolist()}"
            if key not in FLOORS:
                FLOORS[key] = self.floors()
            values |= FLOORS[key]
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, values)

    def floors(self) -> dict[str, Any]:
        """What is read without a network, by what it is read from."""
        found, dataset = {}, self.data.first
        for name, features in (("pixels", pixel_features), ("metadata", metadata_features), ("source", source_features)):
            fit, z = features(dataset, self.fit_on), features(dataset, self.studies)
            if fit.shape[1]:
                found[name] = self.read(fit, z, interval=True)
        return found


def read_features(data: Data, fit: np.ndarray, fit_on: np.ndarray, z: np.ndarray, studies: np.ndarray, interval: bool) -> dict[str, Any]:
    """What a ridge fitted on `fit` (training rows) reads from `z`: macro AUROC and one per label."""
    dataset = data.first
    patients = np.asarray(dataset.patients)
    scores = ridge_probe(fit, dataset.labels[fit_on], z, patients[fit_on])
    return auroc_record(scores, dataset.labels[studies], patients[studies], dataset.label_names, len(fit_on), interval)


def auroc_record(
    scores: np.ndarray, labels: np.ndarray, patients: np.ndarray, names: Sequence[str], n_train: int, interval: bool
) -> dict[str, Any]:
    """Macro and per-label AUROC as stored in probe.json; without `interval` the low and high are null, with the reason."""
    macro = macro_auroc_interval(scores, labels, patients, resamples=1000 if interval else 0)
    per_label = {}
    for column, name in enumerate(names):
        stated = np.isfinite(labels[:, column])
        y = labels[stated, column] > 0.5
        per_label[name] = {"value": number(macro.per_label[column]), "positive": int(y.sum()), "negative": int((~y).sum())}
    head = {"value": number(macro.value), "low": macro.low, "high": macro.high, "procedure": macro.procedure, "why": macro.why}
    return {"macro_auroc": head, "labels": per_label, "n_train": n_train, "n": len(labels)}


def number(value: float | None) -> float | None:
    """A finite number, or None: JSON has no NaN."""
    return float(value) if value is not None and math.isfinite(value) else None


class Ring:
    """Features of the last training steps (training mode): a free second series, part of the checkpoint."""

    def __init__(self, rows: int = 1024) -> None:
        self.rows = rows
        self.parts: dict[str, Tensor] = {}

    def add(self, tensors: dict[str, Tensor], names: Sequence[str]) -> None:
        for name in names:
            if name in tensors:
                new = tensors[name].detach().float().cpu()
                old = self.parts.get(name)
                self.parts[name] = new[-self.rows :] if old is None else torch.cat([old, new])[-self.rows :]

    def summary(self) -> dict[str, dict[str, float]]:
        """Ranks and scale of the rows that are finite: what led to a NaN is told by those before it."""
        found = {}
        for name, rows in self.parts.items():
            z = rows[torch.isfinite(rows).all(1)]
            if len(z) > 1:
                geometry = summarise(z.numpy(), None)
                found[name] = {key: float(getattr(geometry, key)) for key in ("participation_ratio", "uncentred_rank", "feature_std")} | {
                    "n": geometry.n,
                    "d": geometry.d,
                }
        return found


class Clock:
    """Seconds by what they were spent on."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self.last = time.perf_counter()

    def lap(self, name: str) -> float:
        now = time.perf_counter()
        seconds, self.last = now - self.last, now
        self.spent[name] = self.spent.get(name, 0.0) + seconds
        return seconds
