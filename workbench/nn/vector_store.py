"""Vectors on disk by the hash of what they were computed from: every process reads and appends, nothing is computed twice."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from filelock import FileLock

from workbench.errors import UserError

KEY_BYTES = 16


class VectorStore:
    """An append-only file of (key, vector) records beside the number of records that are whole."""

    def __init__(self, folder: Path, width: int) -> None:
        self.folder, self.width = folder, width
        self.record = np.dtype([("key", f"V{KEY_BYTES}"), ("vector", "<f4", (width,))])
        self.places: dict[bytes, int] = {}
        self.records = np.zeros(0, self.record)

    def find(self, keys: Sequence[bytes], compute: Callable[[list[int]], np.ndarray]) -> list[int]:
        """Places of `keys`; `compute` gets the positions of those that no process has computed yet and returns their vectors.

        The lock is held while it runs: processes that start together share the work and see the same bits.
        """
        if any(key not in self.places for key in keys):
            try:
                self.complete(keys, compute)
            except OSError as error:
                raise UserError(
                    f"{self.folder}: the text cache cannot be written ({error.strerror}); free space or point WORKBENCH_CACHE elsewhere"
                ) from None
        return [self.places[key] for key in keys]

    def vectors(self, places: Sequence[int] | np.ndarray) -> np.ndarray:
        """(n, width) float32."""
        return self.records["vector"][places]

    def complete(self, keys: Sequence[bytes], compute: Callable[[list[int]], np.ndarray]) -> None:
        """Read what others appended, compute and append the rest."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / "lock"):
            self.refresh()
            first = {key: place for place, key in reversed(list(enumerate(keys))) if key not in self.places}
            missing = sorted(first.values())
            if missing:
                self.append([keys[place] for place in missing], compute(missing))
                self.refresh()

    def refresh(self) -> None:
        """Map the file as it is now; records beyond the whole ones are what a crash left."""
        count = self.folder / "count"
        whole = int(count.read_text()) if count.is_file() else 0
        if whole == len(self.records):
            return
        known = len(self.records)
        if whole < known:
            raise UserError(f"{self.folder}: the text cache was emptied while a run used it; start or resume the run again")
        self.records = np.memmap(self.folder / "vectors", self.record, "r", shape=(whole,))
        for place in range(known, whole):
            self.places[self.records["key"][place].tobytes()] = place

    def append(self, keys: Sequence[bytes], vectors: np.ndarray) -> None:
        """Write records, then their number: a reader never takes half a record for a whole one."""
        new = np.empty(len(keys), self.record)
        new["key"], new["vector"] = np.array(list(keys), f"V{KEY_BYTES}"), vectors
        path, count = self.folder / "vectors", self.folder / "count"
        path.touch()
        with open(path, "r+b") as file:
            file.truncate(len(self.records) * self.record.itemsize)
            file.seek(0, os.SEEK_END)
            file.write(new.tobytes())
            file.flush()
            os.fsync(file.fileno())
        part = count.with_suffix(".part")
        part.write_text(str(len(self.records) + len(keys)))
        os.replace(part, count)
