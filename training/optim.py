"""Optimizers and learning-rate schedules from a run's configuration."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from workbench.errors import UserError
from workbench.method import Method, ParameterGroup, group_of
from workbench.run import Optimizer


def schedule(config: Optimizer, step: int, steps: int) -> float:
    """Factor of the peak rate at `step` (0-based) of a stage of `steps`."""
    if step < config.warmup:
        return (step + 1) / config.warmup
    if config.schedule == "constant":
        return 1.0
    if config.schedule == "linear":
        return config.floor + (1 - config.floor) * max(0.0, 1 - (step - config.warmup) / max(1, steps - config.warmup))
    cycle = config.restart or max(1, steps // 2) if config.schedule == "warm_restarts" else max(1, steps - config.warmup)
    along = (step - config.warmup) % cycle if config.schedule == "warm_restarts" else min(step - config.warmup, cycle)
    return config.floor + (1 - config.floor) * 0.5 * (1 + math.cos(math.pi * along / cycle))


def build(method: Method, configs: Mapping[str, Optimizer], ever_trained: Sequence[str]) -> dict[str, torch.optim.Optimizer]:
    """One optimizer per name, its groups those of the method; parameters that no stage trains are left out."""
    declared = {phase.optimizer for phase in method.phases}
    if declared - set(configs):
        raise UserError(f"optimizers: the method needs {sorted(declared)}, given {sorted(configs)}; add the missing ones")
    groups = method.parameter_groups()
    collected: dict[str, dict[tuple[float, float | None, str], list[torch.nn.Parameter]]] = {name: {} for name in declared}
    names: dict[tuple[str, tuple[float, float | None, str]], list[str]] = {}
    wanted = set(ever_trained)
    for name, parameter in method.named_parameters():
        if name not in wanted:
            continue
        group = group_of(name, groups)
        label = group.pattern
        if group.weight_decay == 0.0 and "*" not in group.pattern:
            label = "undecayed" if group.lr_scale == 1 else f"undecayed x {group.lr_scale:g}"
        key = (group.lr_scale, group.weight_decay, label)
        collected[group.optimizer].setdefault(key, []).append(parameter)
        names.setdefault((group.optimizer, key), []).append(name)
    built = {}
    for optimizer, parts in collected.items():
        config = configs[optimizer]
        listed: list[dict[str, Any]] = [
            {
                "params": parameters,
                "lr": config.lr,
                "lr_scale": scale,
                "label": label,
                "names": names[(optimizer, (scale, decay, label))],
                "weight_decay": config.weight_decay if decay is None else decay,
            }
            for (scale, decay, label), parameters in parts.items()
        ]
        if not listed:
            raise UserError(f"optimizers.{optimizer}: no trainable parameter belongs to it; check stages.trainable and parameter_groups")
        if config.kind == "sgd":
            built[optimizer] = torch.optim.SGD(listed, lr=config.lr, momentum=0.0 if config.betas[0] == 0 else config.betas[0])
        else:
            fused = all(parameter.device.type == "cuda" for group in listed for parameter in group["params"])
            built[optimizer] = torch.optim.AdamW(listed, lr=config.lr, betas=config.betas, fused=fused or None)
    return built


def groups_by_label(optimizer: torch.optim.Optimizer) -> dict[str, dict]:
    """The parameter groups by the label shown in forms and logs."""
    return {group["label"]: group for group in optimizer.param_groups}


def apply_rates(optimizer: torch.optim.Optimizer, config: Optimizer, step: int, steps: int) -> float:
    """Set every group's rate for this step; returns the rate before group scales."""
    rate = config.lr * schedule(config, step, steps)
    for group in optimizer.param_groups:
        group["lr"] = rate * group["lr_scale"]
    return rate


def drop_held_gradients(optimizer: torch.optim.Optimizer) -> None:
    """Groups with lr_scale 0 keep values, moments and step count to the bit: they have no gradient at all."""
    for group in optimizer.param_groups:
        if group["lr_scale"] == 0:
            for parameter in group["params"]:
                parameter.grad = None


def gradient_norm(optimizer: torch.optim.Optimizer, clip: float | None) -> torch.Tensor:
    """Norm of this optimizer's gradients, clipped in place where `clip` is given."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"] if parameter.grad is not None]
    if clip is not None:
        return torch.nn.utils.clip_grad_norm_(parameters, clip)
    return torch.nn.utils.get_total_norm([parameter.grad for parameter in parameters]) if parameters else torch.tensor(0.0)


__all__ = ["ParameterGroup", "apply_rates", "build", "drop_held_gradients", "gradient_norm", "groups_by_label", "schedule"]
