"""Every draw has an address: (seed, purpose, step, key). Nothing is seeded globally."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.random.bit_generator import ISeedSequence

START = np.zeros(4, np.uint64)  # where every stream begins; a plain 0 takes numpy longer to unpack


class Address(ISeedSequence):
    """The key of a counter-based generator; handed to numpy as a seed, since with `key` it asks the system for randomness first."""

    def __init__(self, key: bytes) -> None:
        self.key = key  # 16 bytes

    def generate_state(self, n_words: int, dtype: Any = np.uint64) -> np.ndarray:
        """The two words that a Philox takes as its key."""
        return np.frombuffer(self.key, "<u8").astype(dtype)


def address(seed: int, purpose: str, step: int, key: int | str) -> bytes:
    """The 16 bytes that stand for a draw; fields are cast so that a numpy integer and an int agree."""
    fields = f"{int(seed)}\x1f{purpose}\x1f{int(step)}\x1f{key}"
    return hashlib.blake2b(fields.encode(), digest_size=16).digest()


def digest(seed: int, purpose: str, step: int, key: int | str) -> int:
    """128-bit address of a draw."""
    return int.from_bytes(address(seed, purpose, step, key), "little")


def rng(seed: int, purpose: str, step: int = 0, key: int | str = 0) -> np.random.Generator:
    """Counter-based generator of one draw; equal addresses give equal streams on every machine."""
    return np.random.Generator(np.random.Philox(Address(address(seed, purpose, step, key)), counter=START))  # type: ignore[arg-type]  # numpy's stub knows its own seeds only


@contextmanager
def torch_stream(seed: int, purpose: str, step: int = 0, key: int | str = 0) -> Iterator[None]:
    """Code that knows only torch's global generator runs inside; the global state is restored afterwards."""
    import torch

    devices = [torch.cuda.current_device()] if torch.cuda.is_available() and torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(digest(seed, purpose, step, key) & 0xFFFFFFFF)  # torch keeps 32 bits of a CPU seed
        yield
