"""The rows of all processes, with gradients that come back to where the rows were made."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def gather_batch(rows: Tensor) -> Tensor:
    """Rows of every process in rank order; the tensor itself where there is one process. Row counts may differ.

    Every process must call it. The backward sums the gradients of all processes: each of them computes a loss from
    these rows, and keeping only one's own share would lose the others'.
    """
    if not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1:
        return rows
    return _Gather.apply(rows) if rows.is_floating_point() else _gathered(rows)[0]


def gathered_rows(own: int) -> int:
    """Rows that `gather_batch` gives a loss when every process has `own` of them."""
    return own * (dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1)


def _gathered(rows: Tensor) -> tuple[Tensor, list[int]]:
    """Rows of all ranks, and how many each gave: all_gather takes equal shapes only, so short ones are padded."""
    world = dist.get_world_size()
    count = torch.tensor([len(rows)], device=rows.device)
    counts = [torch.zeros_like(count) for _ in range(world)]
    dist.all_gather(counts, count)
    sizes = [int(each) for each in counts]
    padded = torch.cat([rows, rows.new_zeros((max(sizes) - len(rows), *rows.shape[1:]))])
    parts = [torch.empty_like(padded) for _ in range(world)]
    dist.all_gather(parts, padded.contiguous())
    return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)]), sizes


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, rows: Tensor) -> Tensor:
        gathered, context.sizes = _gathered(rows)
        return gathered

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        gradient = gradient.contiguous().clone()  # all_reduce writes in place, autograd may share the tensor
        dist.all_reduce(gradient)
        return gradient.split(context.sizes)[dist.get_rank()]
