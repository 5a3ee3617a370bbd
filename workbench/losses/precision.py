"""Losses compute in float32: in bf16 a Gram matrix is several per cent off."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import torch
from torch import Tensor

Loss = TypeVar("Loss", bound=Callable[..., Tensor])


def in_float32(loss: Loss) -> Loss:
    """Half-precision arguments become float32 and autocast is off inside; float64 stays float64."""

    @wraps(loss)
    def wrapped(*arguments: Any, **named: Any) -> Tensor:
        tensors = [value for value in (*arguments, *named.values()) if isinstance(value, Tensor)]
        device = tensors[0].device.type if tensors else "cpu"
        with torch.autocast(device, enabled=False):
            return loss(*map(_raised, arguments), **{name: _raised(value) for name, value in named.items()})

    return wrapped  # type: ignore[return-value]


def _raised(value: Any) -> Any:
    half = isinstance(value, Tensor) and value.dtype in (torch.float16, torch.bfloat16)
    return value.float() if half else value
