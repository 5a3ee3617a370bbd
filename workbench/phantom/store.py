"""Rendered films on disk: one folder per (generator version, part, size, seed, first study, count, variant), whole or absent.

Films lie apart from their words, so that other words render no film again.
"""

import hashlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from filelock import FileLock

from workbench.cache import cache_root
from workbench.errors import UserError
from workbench.phantom import GENERATOR_VERSION

LAYOUT = 1  # of these folders
Part = Literal["first", "lateral", "more", "words"]  # films from the front, from the side, all further films of a study; reports alone
ALONE = 150  # studies that are not worth a second process
SPAN = 20  # studies that a process takes at a time


class Request(NamedTuple):
    """Which films."""

    part: Part
    size: int
    seed: int
    first: int
    studies: int
    variant: Sequence[Any] = ()  # values of a Variant, or of the source of `ct`; empty for the simulator as it is
    reports: Literal["plain", "radiologists"] = "plain"
    engine: Literal["procedural", "ct"] = "procedural"

    @property
    def name(self) -> str:
        own: Any = self.variant
        if self.engine == "ct":
            from workbench.phantom.ct import GENERATOR_VERSION as ct_version
            from workbench.phantom.ct.rows import chest, source_of

            version, own = f"ct{ct_version}", chest(source_of(self.variant)).scan.name
        else:
            version = f"v{GENERATOR_VERSION}"
        words = [self.reports] if self.part == "words" else []
        text = json.dumps([version, LAYOUT, *self[:5], own, *words])
        return f"{version}-{self.part}-{self.size}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"

    def counts(self) -> list[int]:
        """Films of every study."""
        if self.engine == "procedural" and self.part in ("more", "words"):
            from workbench.phantom.thorax.rows import further

            none = self.part == "words"
            return [0 if none else further(self.seed, self.first + place, self.variant) for place in range(self.studies)]
        return [1] * self.studies


class Stored(NamedTuple):
    """Films (n, h, w) uint8 and masks (n, h, w), a bit a mask, as read-only maps of the disk, and one row per study.

    A row without "films" has one film; otherwise it tells of each of its films, which follow each other.
    """

    films: np.ndarray
    masks: np.ndarray
    studies: list[dict[str, Any]]


def fetch(request: Request) -> Stored:
    """The films, rendered now if they are not on disk or what is there is torn; safe against other processes."""
    root = cache_root() / "phantoms"
    root.mkdir(parents=True, exist_ok=True)
    folder = root / request.name
    found = read(folder, request)
    if found is not None:
        return found
    with FileLock(root / f"{request.name}.lock"):
        found = read(folder, request)
        if found is None:
            for left_over in root.glob(f".{request.name}-*"):  # of a process that was killed: the lock is ours
                shutil.rmtree(left_over, ignore_errors=True)
            aside = Path(tempfile.mkdtemp(prefix=f".{request.name}-", dir=root))
            try:
                write(aside, request)
                if folder.exists():
                    folder.rename(aside / "torn")
                aside.rename(folder)
                shutil.rmtree(folder / "torn", ignore_errors=True)
            except OSError as error:
                raise UserError(
                    f"{folder}: the films could not be written ({error.strerror or error}); free disk space, or set WORKBENCH_CACHE to another folder"
                ) from None
            finally:
                shutil.rmtree(aside, ignore_errors=True)
            found = read(folder, request)
    if found is None:
        raise UserError(f"{folder}: the films just rendered cannot be read back; check the disk, or set WORKBENCH_CACHE to another folder")
    return found


def read(folder: Path, request: Request) -> Stored | None:
    """What is in a folder, or None where anything is missing, cut off or of other contents than when it was written."""
    try:
        seal = json.loads((folder / "seal.json").read_text())
        text = (folder / "studies.jsonl").read_bytes()
        maps = [np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("films", "masks")]
    except (OSError, ValueError):
        return None
    if hashlib.sha256(text).hexdigest() != seal.get("studies"):
        return None
    rows = [json.loads(line) for line in text.splitlines()]
    shape = (sum(len(row.get("films", (0,))) for row in rows), request.size, request.size)
    if any(each.shape != shape for each in maps) or len(rows) != request.studies:
        return None
    return Stored(maps[0], maps[1], rows)


def write(folder: Path, request: Request) -> None:
    """Render everything into a folder that nobody reads yet; the seal comes last."""
    starts = [0, *itertools.accumulate(request.counts())]
    shape = (starts[-1], request.size, request.size)
    for name, kind in (("films", np.uint8), ("masks", np.uint16)):
        np.lib.format.open_memmap(folder / f"{name}.npy", mode="w+", dtype=kind, shape=shape).flush()
        with open(folder / f"{name}.npy", "rb+") as file:
            if hasattr(os, "posix_fallocate"):  # a full disk is an error here; in the map it would be the end of the process
                os.posix_fallocate(file.fileno(), 0, os.fstat(file.fileno()).st_size)
    spans = shares(request.studies)
    (folder / "work.json").write_text(json.dumps([(start, stop, starts[start]) for start, stop in spans]))
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path[1:]])}
    command = [sys.executable, "-m", "workbench.phantom.store", str(folder), json.dumps(request)]
    workers = [subprocess.Popen(command, env=environment) for _ in range(helpers(request.studies))]
    whole = False
    try:  # this process renders from the first moment on, while the others start
        work(folder, request)
        whole = True
    finally:
        for worker in workers:
            if not whole:
                worker.terminate()
        codes = [worker.wait() for worker in workers]
    if any(codes):
        raise UserError(
            f"{folder.parent}: a process rendering phantoms ended early; free memory or disk, or set WORKBENCH_CACHE to another folder"
        )
    lines = b"".join((folder / f"studies-{start}.jsonl").read_bytes() for start, _ in spans)
    (folder / "studies.jsonl").write_bytes(lines)
    for left_over in (folder / "work.json", *folder.glob("studies-*.jsonl")):
        left_over.unlink()
    (folder / "seal.json").write_text(json.dumps({"request": request, "studies": hashlib.sha256(lines).hexdigest()}))


def helpers(count: int) -> int:
    """Processes besides this one that so many studies are worth."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(min(cores, 8, count // ALONE), 1) - 1


def shares(count: int) -> list[tuple[int, int]]:
    """Consecutive spans of studies, of which every process takes the next that none has."""
    return [(start, min(start + SPAN, count)) for start in range(0, count, SPAN)]


def work(folder: Path, request: Request) -> None:
    """Render one span after the other, but for those that another process has begun: the file of its rows is there."""
    for start, stop, at in json.loads((folder / "work.json").read_text()):
        try:
            (folder / f"studies-{start}.jsonl").touch(exist_ok=False)
        except FileExistsError:
            continue
        part(folder, request, start, stop, at)


def part(folder: Path, request: Request, start: int, stop: int, at: int) -> None:
    """Render studies start to stop of a request; their first film is number `at`."""
    films, masks = (np.load(folder / f"{name}.npy", mmap_mode="r+") for name in ("films", "masks"))
    with open(folder / f"studies-{start}.jsonl", "w") as file:
        for place in range(start, stop):
            made, row = study_row(request, request.first + place)
            for film in made:
                films[at], masks[at] = film.image, film.masks
                at += 1
            file.write(json.dumps(row) + "\n")
    films.flush()
    masks.flush()


def study_row(request: Request, index: int) -> tuple[list[Any], dict[str, Any]]:
    """The films of a study in this request, and what is known of them, as it is stored."""
    if request.engine == "ct":
        from workbench.phantom.ct.rows import source_of
        from workbench.phantom.ct.rows import stored_row as ct_row

        return ct_row(request.part, request.seed, index, request.size, source_of(request.variant))  # type: ignore[arg-type]
    from workbench.phantom.thorax.rows import stored_row

    return stored_row(request.part, request.seed, index, request.size, request.variant, request.reports)


def known(study: Any, film: Any) -> dict[str, Any]:
    """What a row tells of a study and its first film."""
    return {
        "index": study.number,
        "patient": study.patient_index,
        "labels": study.labels,
        "boxes": film.boxes,
        "factors": study.factors,
        "spacing_mm": film.spacing_mm,
    }


if __name__ == "__main__":
    work(Path(sys.argv[1]), Request(*json.loads(sys.argv[2])))
