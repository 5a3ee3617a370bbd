"""The child that computes analysis jobs one after another, and what a job function is given.

It reads a job's identifier a line from its input and answers the job's exit code; what the job prints goes to the job's own log. (no torch at import)
"""

import ctypes
import importlib
import json
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from workbench.dataset import Dataset, Sample
from workbench.errors import UserError
from workbench.jobs import Job, open_job, read_upload
from workbench.run import Run, read_json, write_json

if TYPE_CHECKING:
    from workbench.method import Method

OOM_CHILD = 900


@dataclass(frozen=True)
class Task:
    """What a job function gets: its run, its parameters, an empty folder to fill, and a way to say how far it is."""

    job: Job
    parameters: Mapping[str, Any]
    folder: Path

    @property
    def run(self) -> Run:
        if self.job.run is None:
            raise UserError(f"{self.job.id}: this analysis is about a run; give one")
        return Run(self.job.root / self.job.run)

    def progress(self, share: float, message: str = "") -> None:
        """Say how far it is, 0 to 1."""
        note(self.job, state="running", progress=float(share), message=message)

    def method(self, step: int | Literal["last"] = "last") -> "Method":
        """The run's method at a snapshot, in eval mode on the CPU, kept for the next job: not to be changed."""
        at = self.run.snapshot_step(step)
        return loaded_method(self.run.path, at, self.run.snapshot(at).stat().st_mtime_ns)

    def dataset(self) -> Dataset:
        """The run's first data set, kept for the next job."""
        first = next(iter(self.run.config["data"].values()), None)
        if first is None:
            raise UserError(f"{self.job.run}: has no data set; this analysis needs images, choose a run with data")
        return loaded_dataset(json.dumps(first["config"], sort_keys=True), self.run.id)

    def sample(self) -> Sample:
        """The study that the parameter `image` asks for, {"study"} of the data set or {"upload"}; raises UserError for one there is not."""
        from workbench.single import study_of, upload_sample

        image = self.parameters["image"]
        if "upload" in image:
            return upload_sample(self.upload(image["upload"]))
        return study_of(self.dataset(), str(image["study"]), self.run.id)

    def image(self) -> Sample:
        """The same with the one image that `image["place"]` says, at first the first."""
        from workbench.single import one_image

        return one_image(self.sample(), int(self.parameters["image"].get("place", 0)))

    def upload(self, name: str) -> np.ndarray:
        """An uploaded image, (h, w) uint8 grey."""
        return read_upload(self.job.root, name)


@lru_cache(maxsize=2)
def loaded_method(path: Path, step: int, written: int) -> "Method":
    from workbench.models import load_method

    return load_method(Run(path), step)


@lru_cache(maxsize=2)
def loaded_dataset(config: str, where: str) -> Dataset:
    from workbench.datasets import load_dataset

    return load_dataset(json.loads(config), where)


def note(job: Job, **changes: Any) -> None:
    """Change a job's status."""
    path = job.folder / "status.json"
    write_json(path, read_json(path) | changes | {"updated": time.time()})


def set_oom_score(value: int) -> None:
    """Tell the kernel what to end first when memory runs out; where that is not possible, nothing is lost but the order."""
    with suppress(FileNotFoundError, PermissionError):
        Path("/proc/self/oom_score_adj").write_text(str(value))


def compute(root: Path, job_id: str) -> int:
    """Compute one job: into a folder aside, renamed when it is whole. 0, or 2 for a user's error, 1 for any other."""
    job = open_job(root, job_id)
    log = os.open(job.folder / "out.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    aside = job.result.with_name(f".{job.result.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        function: Callable[[Task], None] = importlib.import_module(f"training.jobs.{job.name}").compute
        function(Task(job, read_json(job.folder / "request.json")["parameters"], aside))
        os.replace(aside, job.result)
    except UserError as error:
        print(error, flush=True)
        return 2
    except Exception:  # noqa: BLE001 the boundary of a job: whatever it raised is what its status says
        print(traceback.format_exc(), flush=True)
        return 1
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def die_with_parent() -> None:
    """Ask Linux to end this process when the worker dies, so that no job goes on unwatched."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def main(root: Path) -> None:
    """Answer one line a job on the output this process was started with, until its input ends."""
    die_with_parent()
    set_oom_score(OOM_CHILD)
    os.nice(10)
    answers = os.dup(1)
    for line in sys.stdin:
        os.write(answers, f"{compute(root, line.strip())}\n".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
