"""From a tower's features to the shared space."""

import itertools

from torch import nn

BEFORE_NORM = "a bias before BatchNorm is subtracted again"


def linear(features: int, dim: int) -> nn.Module:
    """One matrix, no bias. Radford et al., CLIP, ICML 2021."""
    return nn.Linear(features, dim, bias=False)


def mflag(features: int, hidden: int, dim: int, batch_norm_ends: bool = True) -> nn.Sequential:
    """Linear, BatchNorm, ReLU, Linear and, with `batch_norm_ends`, a BatchNorm without parameters. Liu et al., M-FLAG, MICCAI 2023.

    The BatchNorm at the end keeps every projected feature at unit variance, whatever the loss: a constant is no solution.
    """
    layers: list[nn.Module] = [nn.Linear(features, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, dim)]
    return nn.Sequential(*layers, *([nn.BatchNorm1d(dim, affine=False)] if batch_norm_ends else []))


def gradient_free(name: str, projector: nn.Module) -> dict[str, str]:
    """The biases of a projector that a BatchNorm right behind them subtracts again."""
    layers = list(projector.children())
    pairs = itertools.pairwise(layers)
    return {f"{name}.{place}.bias": BEFORE_NORM for place, (_, after) in enumerate(pairs) if isinstance(after, nn.BatchNorm1d)}
