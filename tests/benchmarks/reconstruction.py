"""One image through ViT-B/16 at 224 px, asked of a warm worker as the pages ask: `python -m tests.benchmarks.reconstruction [TIMES]`.

Wanted on two cores, from the request to the whole result: a reconstruction under 1.5 s, four guesses and the doctor with it; attention
and rollout, beside those of the same network with random weights, under 2 s.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import product
from pathlib import Path

from training.threads import set_threads

THREADS = set_threads()

import numpy as np  # noqa: E402

from training import checkpoint  # noqa: E402
from training.setup import resolve  # noqa: E402
from workbench import jobs  # noqa: E402
from workbench.analysis import attention  # noqa: E402
from workbench.jobs import Job, request_job, write_upload  # noqa: E402
from workbench.models import build_method  # noqa: E402
from workbench.run import RunConfig, create_run, read_json, write_json  # noqa: E402

SIZES = {"image_size": 224, "patch_size": 16, "channels": 3, "width": 768, "depth": 12, "heads": 12}
SIZES |= {"decoder_width": 512, "decoder_depth": 8, "decoder_heads": 16}
DATA = {"phantoms": {"config": {"name": "phantoms", "size": 64, "level": "teaching", "train": 4, "val": 4, "test": 0}}}
ALLOWED = {"reconstruction": 1.5, "attention": 2.0}


def wait(job: Job) -> Job:
    while not job.done:
        status = job.status()
        assert status["state"] != "failed", status["error"]
        time.sleep(0.01)
    return job


def main(times: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        run = create_run(resolve(RunConfig.model_validate({"method": {"name": "mae", **SIZES}, "data": DATA})), root)
        method = build_method(run.config["method"], 0)
        checkpoint.write_folder(run.path / "snapshots/step-0", method.state_dict())
        write_json(
            run.path / "status.json",
            read_json(run.path / "status.json") | {"state": "finished", "capabilities": ["Reconstructs", "Attends"]},
        )
        film = (np.random.default_rng(0).normal(size=(512, 512)).cumsum(0).cumsum(1) % 256).astype(np.uint8)
        image = {"upload": write_upload(root, film)}
        seconds: dict[str, list[float]] = {name: [] for name in ALLOWED}
        jobs.start_queue = lambda root=None: False  # the worker alone, so that it can be ended here
        worker = subprocess.Popen([sys.executable, "-m", "training.worker", str(root)])
        for name, repeat in product(ALLOWED, range(times + 1)):  # the first starts the worker or loads the model
            film[:4, :4] = repeat  # another image: no answer is kept from before
            image = {"upload": write_upload(root, film)}
            asked = {"steps": [0], "mask": {"ratio": 0.75, "seed": repeat}} if name == "reconstruction" else {"step": 0}
            start = time.perf_counter()
            job = wait(request_job(root, name, run.id, asked | {"image": image}))
            if name == "attention":
                attention.rollout(attention.read(job.result).maps)
            seconds[name].append(time.perf_counter() - start)
        worker.terminate()
        worker.wait()
    found = {
        name: {
            "first": round(each[0], 2),
            "median": round(statistics.median(each[1:]), 2),
            "range": [round(min(each[1:]), 2), round(max(each[1:]), 2)],
        }
        for name, each in seconds.items()
    }
    print(json.dumps(found | {"times": times, "threads": THREADS, "allowed": ALLOWED}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
