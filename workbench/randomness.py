"""Every draw has an address: (seed, purpose, step, key). Nothing is seeded globally."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


def digest(seed: int, purpose: str, step: int, key: int | str) -> int:
    """128-bit address of a draw; fields are cast so that a numpy integer and an int agree."""
    fields = f"{int(seed)}\x1f{purpose}\x1f{int(step)}\x1f{key}"
    return int.from_bytes(hashlib.blake2b(fields.encode(), digest_size=16).digest(), "little")


def rng(seed: int, purpose: str, step: int = 0, key: int | str = 0) -> np.random.Generator:
    """Counter-based generator of one draw; equal addresses give equal streams on every machine."""
    return np.random.Generator(np.random.Philox(key=digest(seed, purpose, step, key)))


@contextmanager
def torch_stream(seed: int, purpose: str, step: int = 0, key: int | str = 0) -> Iterator[None]:
    """Code that knows only torch's global generator runs inside; the global state is restored afterwards."""
    import torch

    devices = [torch.cuda.current_device()] if torch.cuda.is_available() and torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(digest(seed, purpose, step, key) & 0xFFFFFFFF)  # torch keeps 32 bits of a CPU seed
        yield
