"""From a run's configuration to what its loop needs: data, method, weights, checked before the first step."""

import fnmatch
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import yaml

from training.layers import beneath
from workbench.dataset import Dataset, Sample
from workbench.datasets import dataset_config, load_dataset
from workbench.errors import UserError
from workbench.method import Method
from workbench.models import method_config
from workbench.randomness import rng
from workbench.run import Run, RunConfig


def resolve(config: RunConfig, where: str = "config") -> RunConfig:
    """Every default of method and data spelled out: what config.yaml says is what runs."""
    _, method = method_config(config.method, where)
    data = {
        name: source.model_copy(update={"config": {"name": source.config.get("name"), **dataset_config(source.config, where).to_dict()}})
        for name, source in config.data.items()
    }
    return config.model_copy(update={"method": {"name": config.method["name"], **method.to_dict()}, "data": data})


def settle(run: Run) -> Run:
    """A run that was asked for without its defaults, with them written into its config.yaml before its first step."""
    whole = resolve(RunConfig.parse(run.config, str(run.path / "config.yaml")), run.id).to_dict()
    if whole != run.config:
        (run.path / "config.yaml").write_text(yaml.safe_dump(whole, sort_keys=False))
    return Run(run.path)


class Data(NamedTuple):
    """The data sets of a run and their parts."""

    datasets: dict[str, Dataset]
    train: dict[str, np.ndarray]
    validation: np.ndarray  # of the first source
    main: str  # name of the first source: probe, validation and labels come from it

    @property
    def first(self) -> Dataset:
        return self.datasets[self.main]


class ShuffledTexts:
    """A data set whose training studies carry the texts of other training studies."""

    def __init__(self, dataset: Dataset, seed: int) -> None:
        self.dataset = dataset
        train = dataset.split("train")
        order = rng(seed, "shuffled texts", 0, dataset.data_hash).permutation(train)
        self.giver = dict(zip(order.tolist(), np.roll(order, 1).tolist()))  # one cycle: nobody keeps its own

    def __getattr__(self, name: str) -> Any:
        if name == "dataset":  # not there yet while it is being unpickled in a data worker
            raise AttributeError(name)
        return getattr(self.dataset, name)

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Sample:
        sample, giver = self.dataset[index], self.giver.get(int(index))
        if giver is None:
            return sample
        given = self.dataset[giver]
        shuffled: Sample = {**sample, "texts": given["texts"]}
        if "entities" in given:
            shuffled["entities"] = given["entities"]
        return shuffled


def open_data(config: RunConfig, chosen: type[Method]) -> Data:
    """Load the sources, check what the method needs and that no patient is in two splits; raises UserError."""
    datasets = {name: load_dataset(source.config) for name, source in config.data.items()}
    datasets |= {name: ShuffledTexts(datasets[name], config.seed) for name, source in config.data.items() if source.texts == "shuffled"}
    for need in chosen.needs:
        if need.startswith("source:"):
            if need[7:] not in datasets:
                raise UserError(f"data: method {config.method['name']} needs a source named {need[7:]!r}, given {list(datasets)}; add it")
        elif not any(need in dataset.provides for dataset in datasets.values()):
            has = {name: sorted(dataset.provides) for name, dataset in datasets.items()}
            raise UserError(f"data: method {config.method['name']} needs {need}, the sources provide {has}; choose a data set with {need}")
    train = {name: dataset.split("train") for name, dataset in datasets.items()}
    for name, dataset in datasets.items():
        patients = np.asarray(dataset.patients)
        shared = set(patients[train[name]]) & (set(patients[dataset.split("val")]) | set(patients[dataset.split("test")]))
        if shared:
            raise UserError(f"data.{name}: patient {sorted(shared)[0]} is in train and in val or test; make the splits patient-disjoint")
        if not len(train[name]):
            raise UserError(f"data.{name}: no training studies; check its split column")
    main = next(iter(datasets))
    return Data(datasets, train, datasets[main].split("val"), main)


def trained_names(method: Method, patterns: tuple[str, ...], top: Mapping[str, int]) -> list[str]:
    """Parameters that a stage trains: those of its patterns, of the parts in `top` only the top layers; never those the method keeps frozen."""
    found = [name for name, value in method.named_parameters() if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]
    kept = set(getattr(method, "always_frozen", ()))
    chosen = [name for name in found if not any(fnmatch.fnmatchcase(name, pattern) for pattern in kept)]
    for pattern in patterns:
        if not any(fnmatch.fnmatchcase(name, pattern) for name, _ in method.named_parameters()):
            raise UserError(
                f"stages.trainable: pattern {pattern!r} matches no parameter; the parts are {[n for n, _ in method.named_children()]}"
            )
    frozen = beneath(method, top, chosen)
    return [name for name in chosen if name not in frozen]
