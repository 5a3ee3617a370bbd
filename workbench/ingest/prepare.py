"""`workbench data prepare`: every file decoded once, what is missing or damaged listed by name, the films kept in the cache."""

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from time import perf_counter
from typing import Any

from filelock import FileLock, Timeout

from workbench.data.manifest import Config, Manifest
from workbench.errors import UserError
from workbench.ingest import shards
from workbench.ingest.decode import Decoded, decode
from workbench.ingest.source import Source
from workbench.ingest.table import Film

TOLERATED = 0.01  # share of files that may be left out; more means a broken download, not a few bad films
CHUNK = 64


@dataclass(frozen=True)
class Report:
    """What a conversion did."""

    table: str
    images: int
    converted: int
    kept: int  # from an earlier or interrupted conversion
    unreadable: dict[str, str]  # file -> why; left out of the data set
    bytes: int
    folder: str
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def text(self) -> str:
        lines = [
            f"{self.table}: {self.images} images; {self.converted} converted, {self.kept} kept from before, in {self.seconds:.1f} s",
            f"films: {self.bytes / 1e6:.1f} MB in {self.folder}",
        ]
        if self.unreadable:
            lines.append(f"left out, {len(self.unreadable)} files:")
            lines += [f"  {why}" for why in self.unreadable.values()]
        return "\n".join(lines)


def prepare(config: Config, progress: Callable[[int, int], None] | None = None) -> Report:
    """Validate the table, decode every file, keep the films; resumes where an interrupted call stopped. Raises UserError.

    The source is only read. Files that are missing or do not decode are listed and left out; more than 1 % of them is an error.
    """
    start = perf_counter()
    source = Source(config)
    folder = shards.folder(source.films, config.size, config.fit)
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(f"{folder}.lock", timeout=0):
            converted = convert(config, source.films, progress)
    except Timeout:
        raise UserError(f"{config.table}: another process is converting these films; wait for it and call again") from None
    Manifest(config)  # studies, patients and splits of what is left hold together
    finished = shards.Shards(folder)
    return Report(
        config.table,
        len(source.films),
        converted,
        len(source.films) - converted - len(finished.unreadable),
        finished.unreadable,
        (folder / "films.npy").stat().st_size,
        str(folder),
        perf_counter() - start,
    )


def convert(config: Config, films: list[Film], progress: Callable[[int, int], None] | None) -> int:
    """Fill the shard folder of these films; the number converted now."""
    if shards.find(films, config.size, config.fit):
        return 0
    writer = shards.Writer(films, config.size, config.fit)
    waiting = [place for place in range(len(films)) if place not in writer.done]
    unreadable: dict[str, str] = {}
    read = partial(attempt, films, config)
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for begin in range(0, len(waiting), CHUNK):
            chunk = waiting[begin : begin + CHUNK]
            for place, found in zip(chunk, pool.map(read, chunk)):
                if isinstance(found, Decoded):
                    writer.put(place, found)
                else:
                    unreadable[films[place].name] = found
            writer.flush()
            if progress:
                progress(len(writer.done) + len(unreadable), len(films))
    if len(unreadable) > TOLERATED * len(films):
        listed = writer.path / "unreadable.json"
        listed.write_text(json.dumps(unreadable, indent=1))
        raise UserError(
            f"{config.table}: {len(unreadable)} of {len(films)} images are missing or unreadable, more than {TOLERATED:.0%}; "
            f"complete the folder or correct the table; all are listed in {listed}, first: {next(iter(unreadable.values()))}"
        )
    writer.finish(unreadable)
    return len(waiting) - len(unreadable)


def attempt(films: list[Film], config: Config, place: int) -> Decoded | str:
    """The film, or why there is none."""
    try:
        return decode(films[place].path, films[place].name, config.size, config.fit)
    except UserError as error:
        return str(error)
