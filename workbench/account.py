"""Which parameters a method has and which of them train, part by part; on the meta device nothing is allocated. Needs torch."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import nn

from workbench.method import Method


class Part(NamedTuple):
    """Numbers of parameters of one part."""

    name: str
    parameters: int
    trained: int


def size(module: nn.Module) -> int:
    return sum(value.numel() for value in module.parameters())


def of_parts(parts: Mapping[str, tuple[nn.Module, bool]]) -> list[Part]:
    """The account of modules that train or do not."""
    return [Part(name, size(module), size(module) if trains else 0) for name, (module, trains) in parts.items()]


def of_method(method: Method, trained: Collection[str] | None = None) -> list[Part]:
    """The account of a method's parts; `trained`: names of the parameters that train (all that require a gradient).

    A frozen text tower is no module of the method and counts as its file does.
    """
    found: dict[str, tuple[int, int]] = {}
    for name, value in method.named_parameters():
        trains = value.requires_grad if trained is None else name in trained
        whole, some = found.get(name.partition(".")[0], (0, 0))
        found[name.partition(".")[0]] = (whole + value.numel(), some + trains * value.numel())
    tower = getattr(method, "text", None)
    if tower is not None and not isinstance(tower, nn.Module):
        found["text"] = (tower.parameter_count(), 0)
    return [Part(name, *counts) for name, counts in found.items()]


def published(chosen: type[Method]) -> list[Part]:
    """The account of a method at its published sizes, on the meta device; empty where the method does not tell them."""
    with torch.device("meta"):
        return of_parts(chosen.published())


def saved(account: Sequence[Part], without: Collection[str] = ()) -> float:
    """Share of the parameters that need not be trained, of all parts but those in `without`."""
    kept = [part for part in account if part.name not in without]
    return 1 - sum(part.trained for part in kept) / sum(part.parameters for part in kept)
