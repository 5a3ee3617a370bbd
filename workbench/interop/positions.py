"""Position tables brought to another grid of patches; needs torch."""

import math

import torch
from torch import Tensor
from torch.nn.functional import interpolate

NAMES = ("pos_embed", "position_embeddings", "position_embedding.weight", "positional_embedding", "decoder_pos_embed")
PREFIXES = (1, 0, 2, 5)  # class token; none; class and distillation; class and four registers


def is_table(name: str) -> bool:
    """Whether a tensor of this name holds one row per token."""
    return name.endswith(NAMES)


def prefix_of(rows: int) -> int | None:
    """How many rows of a table of `rows` belong to tokens before the patches; None where no square grid is left."""
    found = [prefix for prefix in PREFIXES if rows - prefix >= 4 and math.isqrt(rows - prefix) ** 2 == rows - prefix]
    return found[0] if found else None


def resized(table: Tensor, like: Tensor) -> tuple[Tensor, str] | None:
    """`table` (… n d) on the square grid of `like`, bicubic, and how it was done; None where that is not possible.

    Rows before the grid (class token, registers) are copied as they are; where only one side has them, they stay out or as they were.
    """
    old, new = table.reshape(-1, table.shape[-1]), like.reshape(-1, like.shape[-1])
    had, wanted = prefix_of(len(old)), prefix_of(len(new))
    if had is None or wanted is None or old.shape[1] != new.shape[1] or old.numel() != table.numel() or new.numel() != like.numel():
        return None
    before, after = math.isqrt(len(old) - had), math.isqrt(len(new) - wanted)
    grid = old[had:].T.reshape(1, -1, before, before).float()
    if before != after:
        grid = interpolate(grid, size=(after, after), mode="bicubic", align_corners=False, antialias=True)
    rows = grid.reshape(old.shape[1], -1).T.to(new.dtype)
    prefix = old[:had].to(new.dtype) if had == wanted else new[:wanted]
    told = f"grid {before} x {before}" + (f" to {after} x {after}, bicubic" if before != after else "")
    told += (
        f"; {wanted} token{'s' * (wanted != 1)} before it as they were" if had == wanted else f"; {had} tokens before it, {wanted} expected"
    )
    return torch.cat([prefix, rows]).reshape(like.shape), told
