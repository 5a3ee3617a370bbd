"""A training process without torch: keeps the run folder's contract, and stands still or dies in its third step where asked.

`python tests/toys/child.py RUN [--resume]`; what it does stands in the run's name: finish, sleep, deaf, exit, kill, memory, mistake.
"""

import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

from training import control
from workbench.run import Run, process_started, write_json


def main(run: Run, what: str) -> int:
    who = {"state": "running", "host": socket.gethostname(), "pid": os.getpid(), "started": process_started(os.getpid()), "process": "own"}
    if what == "mistake":
        print("config.yaml: unknown key bacth; remove or rename it", file=sys.stderr)
        return 2
    steps = run.steps_of("checkpoints")
    first, path = steps[-1] if steps else 0, run.path / "status.json"
    write_json(path, run.status | who)
    for step in range(first + 1, run.config["stages"][0]["steps"] + 1):
        for file, command in control.pending(run.path / "control"):
            control.acknowledge(file, command, step=step)
            write_json(path, run.status | {"state": "stopped", "step": step - 1})
            return 0
        if step == 3:
            happen(what)
        with open(run.path / "metrics.jsonl", "a") as metrics:
            metrics.write(json.dumps({"kind": "train", "step": step, "loss": 1 / step}) + "\n")
        if step == 2:
            (run.path / "checkpoints" / "step-2").mkdir(parents=True, exist_ok=True)
        time.sleep(0.02)
    write_json(path, run.status | {"state": "finished", "step": run.config["stages"][0]["steps"]})
    return 0


def happen(what: str) -> None:
    if what == "exit":
        os._exit(3)
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "memory":
        raise MemoryError("12 GB for one batch")
    if what in ("sleep", "deaf"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN if what == "deaf" else signal.SIG_DFL)
        time.sleep(60)


if __name__ == "__main__":
    sys.exit(main(Run(Path(sys.argv[1])), Run(Path(sys.argv[1])).config["name"]))
