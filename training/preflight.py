"""What a run will need, measured on one true micro-step before it starts: parameters, FLOPs, memory, step time, disk; and whether it fits.

The step is taken by a child, `python -m training.preflight FOLDER`, which may be ended without harm when it needs more than there is. (no torch at import)
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from workbench.errors import UserError
from workbench.run import RunConfig, create_run, read_lines, runs_root

HEADROOM = 0.9  # share of the free memory that a run may plan with
REPOSITORY = Path(__file__).parents[1]
THREADS = (
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS") if os.environ.get("NUMBA_NUM_THREADS") else ()
)  # a job is modest, the run it asks about is not
LIMIT = 900.0  # seconds for the child


@dataclass(frozen=True)
class Preflight:
    """What was measured, and what follows. Bytes, seconds; `flops` of one step on one process, forward and backward."""

    device: str
    batch: int
    parameters: int
    trainable: int
    flops: float
    memory: int  # at `batch`; predicted from smaller batches where `measured` is smaller
    memory_free: int
    measured: int  # batch of the largest micro-step that was taken
    step_seconds: float | None  # whole step, data included; None where the micro-step was not taken at the full batch
    data_seconds: float | None
    steps: int
    eta_seconds: float | None
    disk: int
    disk_free: int
    snapshots: int
    largest_batch: int | None  # that fits, where `batch` does not
    refused: str | None  # the sentence, where the run cannot fit
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"notes": list(self.notes)}


def free_memory() -> int:
    """Bytes that this machine, or the control group it is confined to, can still give."""
    import psutil

    free = int(psutil.virtual_memory().available)
    with suppress(FileNotFoundError, ValueError):
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
        free = min(free, max(0, limit - int(Path("/sys/fs/cgroup/memory.current").read_text())))
    return free


def preflight(
    config: RunConfig,
    root: str | Path | None = None,
    report: Callable[[float, str], None] = lambda share, told: None,
    cap: int | None = None,
    gpu: str | None = None,
) -> Preflight:
    """Measure a run before it starts. Raises UserError for a configuration that cannot be built at all.

    `cap` bounds the bytes the child may hold, beyond which memory is predicted; `gpu` is the device shown to it (None: what we see).
    """
    from training.setup import resolve

    config = resolve(config, "preflight")
    with tempfile.TemporaryDirectory(prefix="preflight-") as folder:
        run = create_run(config, folder)
        limit = int(HEADROOM * free_memory())
        cap = min(limit, cap or limit)
        (Path(folder) / "asked.json").write_text(json.dumps({"root": str(runs_root(root)), "cap": cap}))
        report(0.1, "taking one step")
        records, died = watch(Path(folder), run.path, cap, gpu, report)
    return conclude(config, records, died, limit, cap, root)


def watch(folder: Path, run: Path, cap: int, gpu: str | None, report: Callable[[float, str], None]) -> tuple[dict[str, Any], str | None]:
    """Let the child measure; it is ended where it holds more than `cap`. Its last words by kind, and why it was ended."""
    import psutil

    log, out = folder / "measured.jsonl", folder / "out.log"
    environment = {name: value for name, value in os.environ.items() if name not in THREADS} | (
        {} if gpu is None else {"CUDA_VISIBLE_DEVICES": gpu}
    )
    with open(out, "wb") as sink:
        child = subprocess.Popen(
            [sys.executable, "-m", "training.preflight", str(run), str(log)],
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    deadline, died = time.monotonic() + LIMIT, None
    try:
        while child.poll() is None:
            with suppress(psutil.NoSuchProcess):
                if psutil.Process(child.pid).memory_info().rss > cap:
                    died = "memory"
            if time.monotonic() > deadline:
                died = "time"
            if died:
                break
            report(0.5, "taking one step")
            time.sleep(0.05)
    finally:
        child.kill()
        child.wait()
    records = {record["kind"]: record for record in read_lines(log)[0]}
    steps = [record for record in read_lines(log)[0] if record["kind"] == "step"]
    if child.returncode == 2 and "refused" in records:
        raise UserError(records["refused"]["error"])
    if died is None and child.returncode != 0:
        lines = [line for line in out.read_text(errors="replace").strip().splitlines() if line.strip()]
        died = "memory" if child.returncode == -9 or any("out of memory" in line.lower() for line in lines[-8:]) else "error"
        if died == "error":
            raise UserError(
                f"preflight: the step failed: {lines[-1][:300] if lines else f'exit code {child.returncode}'}; correct the configuration"
            )
    return records | {"steps": steps}, died


def conclude(config: RunConfig, found: dict[str, Any], died: str | None, limit: int, cap: int, root: str | Path | None) -> Preflight:
    """From what was measured to whether the run fits, and the largest batch that does where it does not."""
    from training.checkpoint import snapshot_steps

    if "network" not in found:
        if died == "time":
            raise UserError(
                f"preflight: data and model were not ready after {LIMIT:g} s; prepare the data first with `workbench data prepare`"
            )
        where = "this machine has free; choose a smaller one or end other runs" if cap >= limit else "a view may; run it in a terminal"
        raise UserError(f"preflight: the data and the model alone hold more than {where}")
    network, steps = found["network"], found["steps"]
    if network["device"] != "cpu":
        limit = cap = int(HEADROOM * network["memory_free"])
    whole = next((step for step in steps if step["batch"] == config.batch), None)
    fixed, each = memory_line(network["memory"], steps)
    memory = whole["memory"] if whole else max(int(fixed + each * config.batch), cap if died == "memory" else 0)
    notes = network["notes"] + ["a view may not hold as much: memory is predicted, `--preflight` in a terminal measures it"] * (
        whole is None and cap < limit
    )
    count = len(snapshot_steps(config.snapshots, config.steps, 4 * network["parameters"])[0])
    state = 4 * (network["parameters"] + 2 * network["trainable"])  # weights, and AdamW's two moments
    disk, disk_free = count * 4 * network["parameters"] + 4 * state, shutil.disk_usage(existing(runs_root(root))).free
    eta = None if whole is None else whole["seconds"] * config.steps
    made = Preflight(
        device=network["device_name"],
        batch=config.batch,
        parameters=network["parameters"],
        trainable=network["trainable"],
        flops=steps[0]["flops"] / steps[0]["batch"] * config.batch * config.accumulate if steps else 0.0,
        memory=memory,
        memory_free=int(limit / HEADROOM),
        measured=steps[-1]["batch"] if steps else 0,
        step_seconds=whole["seconds"] if whole else None,
        data_seconds=whole["data_seconds"] if whole else None,
        steps=config.steps,
        eta_seconds=eta,
        disk=disk,
        disk_free=disk_free,
        snapshots=count,
        largest_batch=None,
        refused=None,
        notes=tuple(notes),
    )
    proven = max((step["batch"] for step in steps if step["memory"] <= limit), default=0)
    return judged(
        made, fixed, each, proven, limit, "memory" if died == "memory" and cap >= limit else died if died == "time" else None, root
    )


def judged(made: Preflight, fixed: float, each: float, proven: int, limit: int, died: str | None, root: str | Path | None) -> Preflight:
    """The sentence that refuses what cannot fit, with the largest batch that does; unchanged where all fits."""
    if died == "time":
        return replace(made, refused=f"one step took longer than {LIMIT:g} s; lower batch or the image size, or choose a smaller model")
    if made.memory > limit or (died == "memory" and made.step_seconds is None):
        fits = int((limit - fixed) // each) if each > 0 else 0
        fits = max(0, min(max(fits, proven), made.batch - 1))
        needs = f"batch {made.batch} needs about {made.memory / 1e9:.3g} GB, {limit / 1e9:.3g} GB are free on {made.device}"
        if made.memory <= limit:
            needs = f"batch {made.batch} needs more than the {limit / 1e9:.3g} GB that are free on {made.device}"
        todo = f"set batch to {fits} or less" if fits else "not even batch 1 fits: choose a smaller model or image size"
        return replace(made, largest_batch=fits or None, refused=f"{needs}; {todo}")
    if made.disk > made.disk_free:
        return replace(
            made,
            refused=f"snapshots and checkpoints need {made.disk / 1e9:.3g} GB, {made.disk_free / 1e9:.3g} GB are free in {runs_root(root)}; "
            "lower snapshots.budget_gb or free space",
        )
    return made


def memory_line(base: int, steps: list[dict[str, Any]]) -> tuple[float, float]:
    """Memory = fixed + each * batch, through the two largest micro-steps; from the network alone where only one was taken."""
    if not steps:
        return float(base), 0.0
    last = steps[-1]
    if len(steps) == 1:
        return float(base), max(0.0, (last["memory"] - base) / last["batch"])
    before = steps[-2]
    each = max(0.0, (last["memory"] - before["memory"]) / (last["batch"] - before["batch"]))
    return last["memory"] - each * last["batch"], each


def command(config: RunConfig, root: str | Path | None) -> tuple[dict[str, Any], str]:
    """For the command line: the document and the text; raises UserError with the sentence where the run does not fit."""
    found = preflight(config, root)
    if found.refused:
        raise UserError(found.refused)
    return found.as_dict(), text(found)


def existing(path: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return path if path.is_dir() else existing(path.parent)


def text(found: Preflight) -> str:
    """For people: one line a quantity, the verdict last."""
    rows = [
        f"parameters      {found.parameters:,} ({found.trainable:,} train)",
        f"FLOPs per step  {found.flops:.3g}",
        f"memory          {found.memory / 1e9:.3g} GB of {found.memory_free / 1e9:.3g} GB free on {found.device}"
        + ("" if found.measured == found.batch else f" (predicted from batch {found.measured})"),
        f"disk            {found.disk / 1e9:.3g} GB of {found.disk_free / 1e9:.3g} GB free ({found.snapshots} snapshots, 4 checkpoints)",
    ]
    if found.step_seconds is not None and found.eta_seconds is not None:
        rows.insert(3, f"step            {found.step_seconds:.3g} s, of which data {found.data_seconds:.2g} s")
        rows.insert(4, f"whole run       {found.eta_seconds / 60:.3g} min for {found.steps} steps, looks apart")
    return "\n".join([*rows, *found.notes, found.refused or "fits"])


if __name__ == "__main__":
    from training.preflight_child import main

    sys.exit(main(sys.argv[1:]))
