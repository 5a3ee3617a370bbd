"""Cases of a benchmark that take turns, each time in a fresh process: CPU and wall seconds of one action, and the peak of the process's memory.

A case is a function that builds its model once and gives back another that readies the action for a number of rows. Before the one that counts, a
small one warms up and makes what stays (gradients' buffers, moments of an optimizer). On CUDA the memory is torch's, else the whole process's.
"""

import multiprocessing
import statistics
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from workbench.masking import random_mask
from workbench.randomness import rng

Action = Callable[[], None]
Case = Callable[[], Callable[[int], Action]]
WARM = 2  # rows of the action that warms up


class Spent(NamedTuple):
    """Seconds of one action; megabytes of its process before it and at most."""

    cpu: float
    wall: float
    held: float
    peak: float


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def to_device(values: Any) -> Any:
    """Tensors of nested dicts on the device."""
    if isinstance(values, dict):
        return {name: to_device(value) for name, value in values.items()}
    return values.to(device()) if isinstance(values, Tensor) else values


def megabytes(line: str) -> float:
    """`VmRSS` or `VmHWM` of this process; not ru_maxrss, which a child takes over from its parent."""
    told = Path("/proc/self/status").read_text()
    return int(next(each.split()[1] for each in told.splitlines() if each.startswith(line))) / 1024


def spent(action: Action) -> Spent:
    """One action of this process, waited for."""
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    held = torch.cuda.memory_allocated() / 2**20 if cuda else megabytes("VmRSS")
    cpu, wall = time.process_time(), time.perf_counter()
    action()
    if cuda:
        torch.cuda.synchronize()
    took = time.process_time() - cpu, time.perf_counter() - wall
    return Spent(*took, held, torch.cuda.max_memory_allocated() / 2**20 if cuda else megabytes("VmHWM"))


def in_child(case: Case, rows: int, answer: Any) -> None:
    ready = case()
    ready(WARM)()
    answer.put(spent(ready(rows)))


def measured(case: Case, rows: int) -> Spent:
    """A case in a process of its own; raises RuntimeError where that ends without an answer, for want of memory for example."""
    context = multiprocessing.get_context("spawn")
    answer = context.SimpleQueue()
    child = context.Process(target=in_child, args=(case, rows, answer))
    child.start()
    child.join()
    if child.exitcode:
        raise RuntimeError(f"the process of {case} ended with {child.exitcode}; fewer rows need less memory")
    return Spent(*answer.get())


def in_turns(cases: Mapping[str, Case], rounds: int, rows: int) -> dict[str, list[Spent]]:
    """Every case once a round, every other round backwards; each time is told on stderr as it comes."""
    found: dict[str, list[Spent]] = {name: [] for name in cases}
    for number in range(rounds):
        for name in list(cases)[:: -1 if number % 2 else 1]:
            found[name].append(measured(cases[name], rows))
            print(number, name, *(round(value, 1) for value in found[name][-1]), file=sys.stderr, flush=True)
    return found


def ratio(found: Mapping[str, Sequence[Spent]], slow: str, fast: str) -> dict[str, list[float]]:
    """How many times as fast: the median over rounds and its range, in CPU and in wall seconds."""
    pairs = list(zip(found[slow], found[fast], strict=True))
    told = {"CPU": [a.cpu / b.cpu for a, b in pairs], "wall": [a.wall / b.wall for a, b in pairs]}
    return {kind: [round(value, 2) for value in (statistics.median(each), min(each), max(each))] for kind, each in told.items()}


def told(found: Mapping[str, Sequence[Spent]]) -> dict[str, dict[str, float]]:
    """Median seconds and largest memory of every case."""
    return {
        name: {
            "CPU seconds": round(statistics.median(each.cpu for each in every), 1),
            "wall seconds": round(statistics.median(each.wall for each in every), 1),
            "MB before": round(max(each.held for each in every)),
            "MB at most": round(max(each.peak for each in every)),
        }
        for name, every in found.items()
    }


def asked(cases: Sequence[str]) -> tuple[int, int, list[str]]:
    """`--rounds`, `--batch` and the cases of `--only`, from the command line."""
    parser = ArgumentParser()
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--only", nargs="+", choices=cases, default=list(cases))
    given = parser.parse_args()
    return given.rounds, given.batch, given.only


def compared(found: Mapping[str, Sequence[Spent]], pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The ratio of every pair (slow, fast) that ran, then every case."""
    there = [(slow, fast) for slow, fast in pairs if slow in found and fast in found]
    ratios = {f"{fast} against {slow}": ratio(found, slow, fast) for slow, fast in there}
    return {"times as fast, median and range over the rounds": ratios, "cases": told(found)}


def named(case: Callable[[str], Callable[[int], Action]], names: Sequence[str]) -> dict[str, Case]:
    """Cases that differ by their name alone."""
    return {name: partial(case, name) for name in names}


class Updating:
    """Fused AdamW on what trains of a module: backward, update, gradients gone."""

    def __init__(self, module: torch.nn.Module) -> None:
        self.optimizer = torch.optim.AdamW([value for value in module.parameters() if value.requires_grad], 1e-6, fused=True)

    def step(self) -> None:
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)


def films(rows: int, extra: Mapping[str, Tensor]) -> dict[str, Any]:
    """Noise of 224 px, one film a study, on the device."""
    index, generator = torch.arange(rows), torch.Generator().manual_seed(0)
    found = {"key": [str(row) for row in range(rows)], "images": torch.randn(rows, 1, 224, 224, generator=generator), "extra": dict(extra)}
    return to_device(found | {"image_index": index, "view_index": index * 0, "text_index": index, "text_id": index + 1})


def masks(rows: int, ratio: float, patches: int = 196) -> Tensor:
    """A mask a film, (rows patches), the same in every case of this ratio."""
    return torch.stack([torch.from_numpy(random_mask(patches, ratio, rng(0, "benchmark", 0, row))) for row in range(rows)])


class WholeBert(torch.nn.Module):
    """BERT-base with random weights on reports of a fixed length: the first token's hidden state."""

    width = 768

    def __init__(self, trains: bool) -> None:
        super().__init__()
        from transformers import BertConfig, BertModel

        self.model = BertModel(BertConfig(), add_pooling_layer=False).train(trains).requires_grad_(trains)
        self.trains = trains

    def train(self, mode: bool = True) -> "WholeBert":
        return self

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(t l), (t l) -> (t d)."""
        with torch.set_grad_enabled(self.trains):
            return self.model(input_ids=ids, attention_mask=mask).last_hidden_state[:, 0]


class CachedText(torch.nn.Module):
    """A frozen tower whose vectors are at hand: they stand in place of the token ids."""

    width = 768

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        return ids.float()


def texts(rows: int, tokens: int) -> dict[str, Tensor]:
    """Random token ids of full length, or with no tokens the vectors of `CachedText`, on the device."""
    generator = torch.Generator().manual_seed(1)
    if not tokens:
        vectors = torch.randn(rows, CachedText.width, generator=generator)
        return to_device({"input_ids": vectors, "attention_mask": vectors})
    ids = torch.randint(1000, 20000, (rows, tokens), generator=generator)
    return to_device({"input_ids": ids, "attention_mask": torch.ones_like(ids)})
