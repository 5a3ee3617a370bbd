"""From a configuration or a run's snapshot to a method: needs torch."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from safetensors.torch import load_file
from torch import Tensor

from workbench import registry
from workbench.errors import UserError
from workbench.method import Method, MethodConfig, initial_seed
from workbench.run import Run


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


def build_method(values: Mapping[str, Any], seed: int, where: str = "config") -> Method:
    """The method with its start weights, a pure function of its configuration and the run's seed."""
    chosen, parsed = method_config(values, where)
    with initial_seed(seed):
        return chosen(parsed)


def load_method(run: Run, step: int | Literal["last"] = "last") -> Method:
    """The method of a run at one of its snapshots, in eval mode on the CPU; raises UserError that lists the snapshots there are."""
    snapshot = run.snapshot(step)
    method = build_method(run.config["method"], int(run.config.get("seed", 0)), run.id)
    load_weights(method, snapshot, run.path)
    return method.eval()


def read_weights(folder: Path, run: Path) -> dict[str, Tensor]:
    """Tensors of a snapshot or checkpoint folder, with the run's frozen part; raises UserError where a file is damaged."""
    found: dict[str, Tensor] = {}
    for file in [folder / "model.safetensors", *sorted((run / "frozen").glob("*.safetensors"))]:
        try:
            found |= load_file(file)
        except FileNotFoundError:
            raise UserError(f"{file}: no such file; this checkpoint is incomplete, use another step") from None
        except Exception as error:
            if type(error).__name__ != "SafetensorError":
                raise
            raise UserError(f"{file}: damaged ({error}); restore it from a copy or use another step") from None
    return found


def load_weights(method: Method, folder: Path, run: Path) -> None:
    """Load a snapshot or checkpoint into a method; raises UserError naming the first tensor that does not fit."""
    found, wanted = read_weights(folder, run), method.state_dict()
    missing = [name for name in wanted if name not in found]
    unknown = [name for name in found if name not in wanted]
    wrong = [name for name in wanted if name in found and found[name].shape != wanted[name].shape]
    if missing or unknown or wrong:
        first = (
            f"tensor {wrong[0]} has shape {tuple(found[wrong[0]].shape)}, expected {tuple(wanted[wrong[0]].shape)}"
            if wrong
            else f"tensor {missing[0]} is missing"
            if missing
            else f"tensor {unknown[0]} is unknown to this method"
        )
        raise UserError(f"{folder}: weights of another method or size ({first}); use the configuration the run was trained with")
    method.load_state_dict(found)
