"""Live fields: what may be turned while a run trains, and turning it."""

import math
from collections.abc import Iterable
from typing import Any

import torch

from training import optim
from workbench.config import LiveMarker
from workbench.errors import UserError
from workbench.method import Method, MethodConfig
from workbench.run import Optimizer, Stage


def live_options(config: MethodConfig) -> list[str]:
    """Live fields of a method beside its weights, such as a mask ratio: they act in `transform`."""
    return [name for name, field in type(config).model_fields.items() if any(isinstance(each, LiveMarker) for each in field.metadata)]


def of_stage(stage: Stage, config: MethodConfig) -> MethodConfig:
    """A method's configuration with the live fields that a stage sets; raises UserError for a value out of bounds."""
    return type(config).parse(config.to_dict() | stage.method, f"stage {stage.name}: method") if stage.method else config


def check_stages(stages: Iterable[Stage], config: MethodConfig) -> None:
    """What stages set of the method, before the first step; raises UserError for what is not live or out of bounds."""
    live = live_options(config)
    for stage in stages:
        wrong = [name for name in stage.method if name not in live]
        if wrong:
            raise UserError(f"stage {stage.name}: method.{wrong[0]}: not a live field of this method; live are {', '.join(live) or 'none'}")
        of_stage(stage, config)


def live_fields(weights: Iterable[str], optimizers: dict[str, torch.optim.Optimizer], config: MethodConfig) -> list[str]:
    """Paths of every live field of a run."""
    labels = [label for optimizer in optimizers.values() for label in optim.groups_by_label(optimizer)]
    return [
        *(f"method.weights.{name}" for name in weights),
        *(f"method.{name}" for name in live_options(config)),
        *(f"optimizers.{name}.lr" for name in optimizers),
        *(f"groups.{label}.lr_scale" for label in labels),
    ]


def turn(method: Method, optimizers: dict[str, torch.optim.Optimizer], rates: dict[str, Optimizer], path: str, value: Any) -> float:
    """Set a live field in place; returns its value before. Raises UserError for what is not live or not a finite number."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise UserError(f"{path}: expected a finite number, got {value!r}")
    weights = dict(method.weight.named_buffers())
    part, _, rest = path.partition(".")
    name, _, field = rest.rpartition(".")
    if part == "method" and rest.removeprefix("weights.") in weights and rest.startswith("weights."):
        buffer = weights[rest.removeprefix("weights.")]
        before = float(buffer)
        buffer.fill_(float(value))
        return before
    if part == "method" and rest in live_options(method.config):
        before = method.config.to_dict()[rest]
        method.config = type(method.config).parse(method.config.to_dict() | {rest: value}, path)
        return float(before)
    if part == "optimizers" and field == "lr" and name in rates:
        before = rates[name].lr
        rates[name] = type(rates[name]).parse(rates[name].to_dict() | {"lr": value}, f"optimizers.{name}")
        return before
    if part == "groups" and field == "lr_scale" and value >= 0:
        for optimizer in optimizers.values():
            group = optim.groups_by_label(optimizer).get(name)
            if group is not None:
                before, group["lr_scale"] = group["lr_scale"], float(value)
                return before
    raise UserError(f"{path}: not a live field of this run; live are {', '.join(live_fields(weights, optimizers, method.config))}")
