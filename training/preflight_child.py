"""The child of a pre-flight: builds the run as training would, takes micro-steps of rising size, writes down what each held and took."""

import json
import os
import resource
import time
from pathlib import Path
from typing import Any

from training.bench import die_with_parent
from training.preflight import memory_line
from training.threads import set_threads
from workbench.errors import UserError
from workbench.run import Run

FIRST = 4  # rows of the first micro-step: small enough to fit, large enough for batch statistics


def main(arguments: list[str]) -> int:
    """Measure the run folder given first into the JSON lines given second; 2 for a user's error."""
    die_with_parent()
    run, log = Run(Path(arguments[0])), Path(arguments[1])
    set_threads(run.config.get("threads"))
    with open(log, "a", buffering=1) as file:

        def say(kind: str, **told: Any) -> None:
            file.write(json.dumps({"kind": kind, **told}) + "\n")

        try:
            measure(run, say)
        except UserError as error:
            say("refused", error=str(error))
            return 2
    return 0


def measure(run: Run, say: Any) -> None:
    """One step of batch FIRST with its FLOPs counted, one of twice that, then larger ones up to the whole batch, taken twice: the second is timed."""
    import torch

    from training.feed import Feed
    from training.loop import Trainer

    asked = json.loads((run.path.parent / "asked.json").read_text())
    root = asked["root"]
    os.environ["WORKBENCH_RUNS"] = root
    trainer = Trainer(run, shared=True, root=root)
    total, trainable = trainer.parameters()
    config, cuda = trainer.config, trainer.device.type == "cuda"
    name = torch.cuda.get_device_name() if cuda else "this machine's CPU"
    notes = ["accumulation does not enlarge the negatives of a contrastive loss"] * (config.accumulate > 1)
    free = torch.cuda.mem_get_info()[0] if cuda else 0
    say(
        "network", parameters=total, trainable=trainable, memory=held(cuda), memory_free=free, device=trainer.device.type,
        device_name=name, notes=notes,
    )  # fmt: skip
    trainer.enter_stage(0, 0)
    taken: list[dict[str, Any]] = []
    for place, batch in enumerate(sizes(config.batch)):
        fixed, each = memory_line(held(cuda), taken)
        if taken and fixed + each * batch > (0.9 * free if cuda else asked["cap"]):
            return  # it would be ended: what was measured tells enough
        feed = Feed(config.model_copy(update={"batch": batch, "workers": 0}), trainer.data, trainer.feed.rows, trainer.separate, 0, 1)
        begun = time.perf_counter()
        batches = feed.make(0)
        data_seconds = time.perf_counter() - begun
        if place == 0:
            trainer.stepper.run(0, batches)  # what is kept on disk, the vectors of a frozen text tower, is made once and not counted
        flops = counted(trainer, batches) if place == 0 else None
        begun = time.perf_counter()
        trainer.stepper.run(0, batches)
        if batch == config.batch:  # the first of a size pays for allocations and caches
            begun = time.perf_counter()
            batches = feed.make(1)
            data_seconds = time.perf_counter() - begun
            trainer.stepper.run(1, batches)
        if cuda:
            torch.cuda.synchronize()
        seconds = time.perf_counter() - begun
        if config.workers:
            seconds = max(seconds - data_seconds * (batch == config.batch), data_seconds / config.workers)
        taken.append({"batch": batch, "memory": held(cuda), "seconds": seconds, "data_seconds": data_seconds, "flops": flops})
        say("step", **taken[-1])


def sizes(batch: int) -> list[int]:
    """Rising micro-batches, each at most four times the one before, so that none is a leap beyond what memory can be told; the last is the run's own."""
    found = [min(FIRST, batch), min(2 * FIRST, batch)]
    while 4 * found[-1] < batch:
        found.append(4 * found[-1])
    return sorted({*found, batch})


def counted(trainer: Any, batches: list[Any]) -> float:
    """Floating-point operations of one step, forward and backward, by torch's own counter."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        trainer.stepper.run(0, batches)
    return float(counter.get_total_flops()) / len(batches)


def held(cuda: bool) -> int:
    """Most bytes held so far: of the process, on a GPU of its tensors."""
    import torch

    return torch.cuda.max_memory_allocated() if cuda else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
