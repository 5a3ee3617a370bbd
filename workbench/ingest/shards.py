"""Converted films of a data set: one memory-mapped array in the cache, made by `workbench data prepare`, safe to delete."""

import hashlib
import json
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from workbench.cache import cache_root
from workbench.ingest.decode import Decoded, Fit
from workbench.ingest.table import Film

VERSION = 1


def key(films: Sequence[Film], size: int, fit: Fit) -> str:
    """Name of the folder that holds exactly these files at this size: a changed file gives another."""
    digest = hashlib.sha256(f"{VERSION}\0{size}\0{fit}".encode())
    for film in films:
        digest.update(f"\0{film.name}\0{film.size}\0{film.modified}".encode())
    return digest.hexdigest()[:24]


def folder(films: Sequence[Film], size: int, fit: Fit) -> Path:
    return cache_root() / "films" / key(films, size, fit)


class Shards:
    """Films (n, size, size) uint8 in the order of the table, with the pixels of the files they came from."""

    def __init__(self, path: Path) -> None:
        self.path = path
        index = json.loads((path / "index.json").read_bytes())
        self.sizes: list[tuple[int, int]] = [tuple(size) for size in index["sizes"]]
        self.unreadable: dict[str, str] = index["unreadable"]

    @cached_property
    def array(self) -> np.ndarray:
        return np.load(self.path / "films.npy", mmap_mode="r", allow_pickle=False)

    def __getstate__(self) -> dict[str, object]:
        """A data worker maps the file itself; pickling would copy it."""
        return {name: value for name, value in self.__dict__.items() if name != "array"}

    def __getitem__(self, place: int) -> Decoded:
        return Decoded(np.array(self.array[place]), *self.sizes[place])


def find(films: Sequence[Film], size: int, fit: Fit) -> Shards | None:
    """The finished conversion of these files, if there is one."""
    path = folder(films, size, fit)
    return Shards(path) if (path / "index.json").is_file() else None


class Writer:
    """Fills a folder film by film; what an interrupted conversion left is kept, and only `finish` makes it readable."""

    def __init__(self, films: Sequence[Film], size: int, fit: Fit) -> None:
        self.path = folder(films, size, fit)
        self.path.mkdir(parents=True, exist_ok=True)
        self.films, self.done = films, self.read_journal()
        shape = (len(films), size, size)
        target = self.path / "films.npy"
        if self.done and target.is_file():
            self.array = np.lib.format.open_memmap(target, mode="r+")
        if not self.done or not target.is_file() or self.array.shape != shape:
            self.done = {}
            (self.path / "journal.jsonl").unlink(missing_ok=True)
            self.array = np.lib.format.open_memmap(target, mode="w+", dtype=np.uint8, shape=shape)
        self.journal = open(self.path / "journal.jsonl", "a")  # noqa: SIM115  closed by finish

    def read_journal(self) -> dict[int, tuple[int, int]]:
        """Places already converted with the pixels of their files; a torn last line is converted again."""
        found: dict[int, tuple[int, int]] = {}
        path = self.path / "journal.jsonl"
        if path.is_file():
            whole = path.read_bytes()
            whole = whole[: whole.rfind(b"\n") + 1]
            path.write_bytes(whole)
            for line in whole.splitlines():
                place, width, height = json.loads(line)
                found[place] = (width, height)
        return found

    def put(self, place: int, film: Decoded) -> None:
        self.array[place] = film.array
        self.done[place] = (film.width, film.height)
        self.journal.write(f"[{place}, {film.width}, {film.height}]\n")

    def flush(self) -> None:
        """Pixels before the line that says they are there."""
        self.array.flush()
        self.journal.flush()

    def finish(self, unreadable: dict[str, str]) -> None:
        """Write the index, aside and renamed: from here on the folder is whole."""
        self.flush()
        self.journal.close()
        sizes = [self.done.get(place, (0, 0)) for place in range(len(self.films))]
        part = self.path / "index.json.part"
        part.write_text(json.dumps({"version": VERSION, "sizes": sizes, "unreadable": unreadable}))
        os.replace(part, self.path / "index.json")
        (self.path / "journal.jsonl").unlink()
