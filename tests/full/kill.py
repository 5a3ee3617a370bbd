"""kill -9 at twenty random moments, each followed by a resume: weights and metrics equal the uninterrupted run, to the bit.

`python -m tests.full.kill`; moments already in docs/results/kill.json are not repeated for the same code.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.full.record import FOLDER, head, write
from training.provenance import revision
from workbench.run import Run, RunConfig, create_run, without_timings

REPOSITORY = Path(__file__).parents[2]
MOMENTS, STEPS, SEED = 20, 600, 0
CONFIG = {
    "method": {"name": "tests.toys.line"},  # dropout and BatchNorm: the state that a careless resume loses
    "data": {"points": {"config": {"name": "tests.toys.points"}}},
    "stages": [{"name": "first", "steps": STEPS // 2}, {"name": "second", "steps": STEPS // 2, "weights": {"size": 0.1}}],
    "batch": 8,
    "device": "cpu",
    "threads": 1,
    "checkpoint_every": 30,
    "validation": {"every": 50},
    "monitors": {"studies": 10, "probe_train": 20, "every": 60},
}


def begin(root: Path) -> Run:
    from training.setup import resolve

    return create_run(resolve(RunConfig.model_validate(CONFIG)), root)


def process(run: Run, *more: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "training", "train-folder", str(run.path), *more]
    with open(run.path / "out.log", "ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=REPOSITORY, start_new_session=True)


def finish(run: Run, *more: str) -> None:
    code = process(run, *more).wait(timeout=600)
    assert code == 0 and run.status["state"] == "finished", run.log_tail()


def position(run: Run) -> int:
    """Bytes of metrics written so far: a moment between steps too."""
    path = run.path / "metrics.jsonl"
    return path.stat().st_size if path.is_file() else 0


def kill_at(run: Run, share: float, whole: int, jitter: float) -> int:
    """Kill the run somewhere after that share of its metrics is written; returns the last step it logged."""
    child = process(run)
    while position(run) < share * whole and child.poll() is None:
        time.sleep(0.002)
    time.sleep(jitter)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    return max((record["step"] for record in run.metrics()), default=0)


def differences(first: Run, second: Run) -> list[str]:
    """What is not equal to the bit: tensors of all snapshots, looks, and the metrics view but for its timings."""
    from safetensors.numpy import load_file

    found = []
    for step in first.steps_of("snapshots"):
        a, b = (load_file(run.snapshot(step) / "model.safetensors") for run in (first, second))
        found += [f"snapshot {step}: {name}" for name in a if a[name].tobytes() != b[name].tobytes()]
    found += [
        f"look {step}" for step in first.looks() if first.geometry(step) != second.geometry(step) or first.probe(step) != second.probe(step)
    ]
    if without_timings(first.metrics()) != without_timings(second.metrics()):
        found.append("metrics")
    return found


def earlier() -> list[dict[str, Any]]:
    """Moments of an interrupted measurement of this very code."""
    path = FOLDER / "kill.json"
    record = json.loads(path.read_text()) if path.is_file() else {}
    mine = record.get("commit") == revision()["commit"] and record.get("moments_asked") == MOMENTS
    return record["moments"] if mine and len(record["moments"]) < MOMENTS else []


def main() -> None:
    """One uninterrupted run, then one killed and resumed run a moment."""
    begun, done = time.time(), earlier()
    os.environ["WORKBENCH_PLUGINS"] = "tests.toys"
    draw = random.Random(SEED)
    shares = [(draw.uniform(0.0, 0.97), draw.uniform(0.0, 0.03)) for _ in range(MOMENTS)]
    with tempfile.TemporaryDirectory() as folder:
        whole = begin(Path(folder))
        finish(whole)
        for share, jitter in shares[len(done) :]:
            run = begin(Path(folder))
            step = kill_at(run, share, position(whole), jitter)
            resumed_from = max(run.steps_of("checkpoints"), default=0)
            killed = run.status["state"] == "stale"
            finish(run, "--resume")
            done.append(
                {"share": share, "step": step, "resumed_from": resumed_from, "killed": killed, "different": differences(whole, run)}
            )
            record = head(CONFIG, whole.status["data_hash"], [SEED], begun) | {"moments_asked": MOMENTS, "steps": STEPS, "moments": done}
            write("kill", record | {"equal": all(not each["different"] for each in done)})
            print(done[-1], flush=True)
    assert all(each["killed"] and not each["different"] for each in done), "a resumed run differs, or a kill came after the end"


if __name__ == "__main__":
    main()
