"""Which studies a step sees: a pure function of seed, step, rank and world, so that a checkpoint needs no loader state."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import numpy as np

from workbench.batches import Address
from workbench.errors import UserError
from workbench.randomness import rng


@lru_cache(maxsize=8)
def permutation(seed: int, source: str, epoch: int, size: int) -> np.ndarray:
    return rng(seed, f"order/{source}", epoch).permutation(size)


def apportion(weights: Mapping[str, float], rows: int) -> dict[str, int]:
    """Whole rows per source by largest remainder, at least one each; raises UserError where there are fewer rows than sources."""
    used = {name: weight for name, weight in weights.items() if weight > 0}
    if len(used) > rows:
        raise UserError(f"batch: {rows} rows cannot hold {len(used)} sources; raise the batch or remove a source")
    total = sum(used.values())
    exact = {name: rows * weight / total for name, weight in used.items()}
    share = {name: max(1, int(value)) for name, value in exact.items()}
    for name in sorted(used, key=lambda name: int(exact[name]) - exact[name]):
        if sum(share.values()) < rows:
            share[name] += 1
    while sum(share.values()) > rows:
        share[max(share, key=share.__getitem__)] -= 1
    return share


class Order:
    """The rows of every step. `indices` are the training studies of each source."""

    def __init__(self, seed: int, indices: Mapping[str, np.ndarray], rows: int, separate: bool = False) -> None:
        self.seed, self.indices, self.rows, self.separate = seed, indices, rows, separate
        for name, own in indices.items():
            if len(indices) == 1 and len(own) < rows:
                raise UserError(f"data.{name}: {len(own)} training studies for {rows} rows a step; lower the batch to at most {len(own)}")

    def step(self, step: int, shares: Sequence[tuple[int, Mapping[str, int]]]) -> list[Address]:
        """Rows of one global step; `shares` lists (first step, rows per source) of each stage so far."""
        starts = [first for first, _ in shares] + [step]
        found: list[Address] = []
        for name, own in self.indices.items():
            share = shares[-1][1].get(name, 0)
            done = sum((min(starts[i + 1], step) - starts[i]) * each.get(name, 0) for i, (_, each) in enumerate(shares))
            found += [Address(name, int(own[place]), step) for place in self._places(name, len(own), done, share)]
        if len(self.indices) > 1 and not self.separate:
            found = [found[place] for place in rng(self.seed, "mix", step).permutation(len(found))]
        return found

    def _places(self, name: str, size: int, done: int, share: int) -> Iterator[int]:
        """`share` places after `done` rows; an epoch drops its incomplete last batch, so that no study is in a batch twice."""
        if share and size >= share and done % share == 0:
            epoch, batch = divmod(done // share, size // share)
            yield from permutation(self.seed, name, epoch, size)[batch * share : (batch + 1) * share]
        else:  # a source smaller than its share, or one whose share changed between stages: epochs run into each other
            for position in range(done, done + share):
                yield permutation(self.seed, name, position // size, size)[position % size]


def slice_for(rows: Sequence[Address], micro: int, rank: int, batch: int, world: int) -> list[Address]:
    """The part of a global step that one rank sees in one micro-batch."""
    start = (micro * world + rank) * batch
    return list(rows[start : start + batch])
