"""A full disk: room to say so, and the sentence."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

FULL = (errno.ENOSPC, errno.EDQUOT)
WORDS = ("No space left", "StorageFull", "code: 28", "quota exceeded", "PytorchStreamWriter failed writing", "unexpected pos")
RESERVE = 1 << 16


@contextmanager
def reserve(folder: Path) -> Iterator[None]:
    """Hold 64 KB while something is written, and let them go at its end: what failed for want of space can still be written down."""
    path = folder / ".reserve"
    with suppress(OSError):  # no room even for this: the failure that follows says so
        path.write_bytes(os.urandom(RESERVE))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def is_full(error: BaseException) -> bool:
    """Whether an error means that the disk is full: Python says so by number, torch and safetensors only in words."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in FULL
    return any(word in str(error) for word in WORDS)


def sentence(run_id: str, folder: Path, error: BaseException) -> str:
    """What the user reads."""
    what = getattr(error, "filename", None) or folder
    return f"{run_id}: the disk is full ({what}); free space, then `workbench resume {run_id}` continues from its newest checkpoint"


def end_torn_line(path: Path) -> None:
    """Close the line that a crash tore, so that the next record does not become part of it."""
    if not path.is_file() or not path.stat().st_size:
        return
    with open(path, "rb+") as file:
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.write(b"\n")
