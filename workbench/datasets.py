"""From the `{name: …}` mapping of a configuration to a data set, loaded once per process. No torch."""

from collections.abc import Mapping
from typing import Any

from workbench import registry
from workbench.dataset import Dataset, DatasetConfig
from workbench.errors import UserError

LOADED: dict[str, Dataset] = {}  # by configuration: the demo's runs and the pages share one


def dataset_config(values: Mapping[str, Any], where: str = "config") -> DatasetConfig:
    """The validated configuration; raises UserError that names `where`."""
    if "name" not in values:
        raise UserError(f"{where}: data name is missing; name one of {', '.join(registry.names('data'))}")
    module = registry.load("data", values["name"])
    return module.Config.parse({key: value for key, value in values.items() if key != "name"}, f"{where}: data {values['name']}")


def load_dataset(values: Mapping[str, Any], where: str = "config") -> Dataset:
    """The data set of a `{name: …}` mapping."""
    config = dataset_config(values, where)
    key = f"{values['name']} {config.model_dump_json()}"
    if key not in LOADED:
        LOADED[key] = registry.load("data", values["name"]).load(config)
    return LOADED[key]
