"""Recipes and configuration files: YAML in, a validated RunConfig out."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from workbench.config import read_yaml
from workbench.errors import UserError
from workbench.run import RunConfig

FOLDER = Path(__file__).parent / "recipes"


def names() -> list[str]:
    """The recipes that come with the workbench."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def find(recipe: str) -> Path:
    """A recipe by name, or any YAML file by path; raises UserError."""
    path = FOLDER / f"{recipe}.yaml" if recipe in names() else Path(recipe)
    if not path.is_file():
        raise UserError(f"{recipe}: no such recipe or file; the recipes are {', '.join(names())}")
    return path


def override(values: dict[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    """`key.path=value` settings, the value read as YAML; raises UserError for a path that leads through a value."""
    for setting in settings:
        path, equals, text = setting.partition("=")
        if not equals or not path:
            raise UserError(f"--set {setting}: expected key=value, for example optimizers.main.lr=0.001")
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError:
            raise UserError(f"--set {path}: {text!r} is not readable as YAML; quote it") from None
        here: Any = values
        *parents, last = path.split(".")
        for part in parents:
            here = here[int(part)] if isinstance(here, list) and part.isdigit() and int(part) < len(here) else here
            if isinstance(here, dict) and not part.isdigit():
                here = here.setdefault(part, {})
            if not isinstance(here, dict | list):
                raise UserError(f"--set {path}: {part} holds a value, not further keys; shorten the path")
        if isinstance(here, list):
            if not last.isdigit() or int(last) >= len(here):
                raise UserError(f"--set {path}: {last} is no position of this list of {len(here)}")
            here[int(last)] = value
        else:
            here[last] = value
    return values


def spelled(settings: Mapping[str, Any]) -> list[str]:
    """A mapping of key paths to values as `key.path=value` settings."""
    return [f"{path}={json.dumps(value)}" for path, value in settings.items()]


def merge(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`changes` laid over `values`, mappings key by key, everything else replaced."""
    merged = dict(values)
    for key, change in changes.items():
        both = isinstance(change, dict) and isinstance(merged.get(key), dict)
        merged[key] = merge(merged[key], change) if both else change
    return merged


def read(recipe: str, settings: Sequence[str] = (), smoke: bool = False) -> RunConfig:
    """The run a recipe describes, with settings applied; `smoke` applies the recipe's small test override."""
    path = find(recipe)
    values = read_yaml(path)
    small = values.pop("smoke", {})
    values = override(merge(values, small) if smoke else values, settings)
    return RunConfig.parse(values, path.name)
