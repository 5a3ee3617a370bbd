"""From a run's configuration to what its loop needs: data, method, weights, checked before the first step."""

import fnmatch
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from safetensors.torch import load_file

from workbench import registry
from workbench.dataset import Dataset, DatasetConfig
from workbench.errors import UserError
from workbench.method import Method, MethodConfig, initial_seed
from workbench.run import RunConfig, find_run

LOADED: dict[str, Dataset] = {}  # data sets of this process by their configuration: the demo's runs share one


def method_class(name: str) -> type[Method]:
    """The Method subclass defined in a method file."""
    module = registry.load("methods", name)
    found = [
        item for _, item in inspect.getmembers(module, inspect.isclass) if issubclass(item, Method) and item.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise UserError(f"method {name}: its file must define exactly one Method, found {[item.__name__ for item in found]}")
    return found[0]


def method_config(values: Mapping[str, Any], where: str = "config") -> tuple[type[Method], MethodConfig]:
    """The method class and its validated configuration from a `method:` mapping."""
    if "name" not in values:
        raise UserError(f"{where}: method.name is missing; name one of {', '.join(registry.names('methods'))}")
    chosen = method_class(values["name"])
    return chosen, chosen.Config.parse({key: value for key, value in values.items() if key != "name"}, f"{where}: method {values['name']}")


def dataset_config(values: Mapping[str, Any], where: str = "config") -> DatasetConfig:
    if "name" not in values:
        raise UserError(f"{where}: data name is missing; name one of {', '.join(registry.names('data'))}")
    module = registry.load("data", values["name"])
    return module.Config.parse({key: value for key, value in values.items() if key != "name"}, f"{where}: data {values['name']}")


def load_dataset(values: Mapping[str, Any], where: str = "config") -> Dataset:
    """The data set of a `{name: …}` mapping, loaded once per process."""
    config = dataset_config(values, where)
    key = f"{values['name']} {config.model_dump_json()}"
    if key not in LOADED:
        LOADED[key] = registry.load("data", values["name"]).load(config)
    return LOADED[key]


def resolve(config: RunConfig, where: str = "config") -> RunConfig:
    """Every default of method and data spelled out: what config.yaml says is what runs."""
    _, method = method_config(config.method, where)
    data = {
        name: source.model_copy(update={"config": {"name": source.config.get("name"), **dataset_config(source.config, where).to_dict()}})
        for name, source in config.data.items()
    }
    return config.model_copy(update={"method": {"name": config.method["name"], **method.to_dict()}, "data": data})


class Data(NamedTuple):
    """The data sets of a run and their parts."""

    datasets: dict[str, Dataset]
    train: dict[str, np.ndarray]
    validation: np.ndarray  # of the first source
    main: str  # name of the first source: probe, validation and labels come from it

    @property
    def first(self) -> Dataset:
        return self.datasets[self.main]


def open_data(config: RunConfig, chosen: type[Method]) -> Data:
    """Load the sources, check what the method needs and that no patient is in two splits; raises UserError."""
    datasets = {name: load_dataset(source.config) for name, source in config.data.items()}
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


def build_method(config: RunConfig) -> Method:
    """The method with its start weights, a pure function of configuration and seed."""
    chosen, parsed = method_config(config.method)
    with initial_seed(config.seed):
        method = chosen(parsed)
    return method


def trained_names(method: Method, patterns: tuple[str, ...]) -> list[str]:
    """Parameters that a stage with these patterns trains; those the method itself keeps frozen never are."""
    found = [name for name, value in method.named_parameters() if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]
    kept = set(getattr(method, "always_frozen", ()))
    chosen = [name for name in found if not any(fnmatch.fnmatchcase(name, pattern) for pattern in kept)]
    for pattern in patterns:
        if not any(fnmatch.fnmatchcase(name, pattern) for name, _ in method.named_parameters()):
            raise UserError(
                f"stages.trainable: pattern {pattern!r} matches no parameter; the parts are {[n for n, _ in method.named_children()]}"
            )
    return chosen


def initialise_from(method: Method, sources: Mapping[str, str]) -> dict[str, dict[str, list[str]]]:
    """Start weights of parts from a run's snapshot (`run:STEP`) or a local .safetensors; returns matched, missing and unused keys per part."""
    report: dict[str, dict[str, list[str]]] = {}
    for part, source in sources.items():
        own = {name: value for name, value in method.state_dict().items() if part == "*" or name.startswith(part + ".")}
        if not own:
            raise UserError(f"init_from: part {part!r} is not in the method; the parts are {[name for name, _ in method.named_children()]}")
        given = read_weights(source)
        short = {name if part == "*" or name.startswith(part + ".") else f"{part}.{name}": value for name, value in given.items()}
        matched = [name for name in own if name in short and short[name].shape == own[name].shape]
        if not matched:
            raise UserError(f"init_from.{part}: no tensor of {source} fits (first expected: {next(iter(own))}); give weights of this part")
        method.load_state_dict({name: short[name] for name in matched}, strict=False)
        report[part] = {
            "matched": matched,
            "missing": [name for name in own if name not in matched],
            "unused": [name for name in short if name not in matched],
        }
    return report


def read_weights(source: str) -> dict[str, Any]:
    """Tensors of `path.safetensors` or of a run's snapshot `RUN[:STEP]`."""
    if source.endswith(".safetensors"):
        if not Path(source).is_file():
            raise UserError(f"init_from: {source}: no such file; give an existing .safetensors file")
        return load_file(source)
    name, _, step = source.partition(":")
    run = find_run(name)
    return load_file(run.snapshot(int(step) if step else "last") / "model.safetensors")
