"""What a run will need, measured on one true micro-step before it is started."""

from training.bench import Task
from training.preflight import preflight
from training.supervisor import devices_among
from training.worker import memory_cap
from workbench.run import RunConfig, list_runs, write_json

VERSION = 1


def compute(task: Task) -> None:
    """Write preflight.json for the configuration under `config`; its child counts towards the memory a job may hold.

    `visible` is the page's CUDA_VISIBLE_DEVICES: a worker sees no GPU. One that is leased to a run is left alone.
    """
    config = RunConfig.parse(task.parameters["config"], "this run")
    devices = [] if config.device == "cpu" else devices_among(task.parameters.get("visible"))
    leased = [
        run for run in list_runs(task.job.root) if run["state"] in ("running", "starting") and str(run.get("slot")).startswith("cuda")
    ]
    gpu = devices[0] if devices and not leased else ""
    found = preflight(config, task.job.root, task.progress, int(0.8 * memory_cap()), gpu)
    told = found.as_dict()
    if devices and leased:
        told["notes"].append(f"measured on the CPU: the GPU is leased to {leased[0]['id']}")
    write_json(task.folder / "preflight.json", told)
