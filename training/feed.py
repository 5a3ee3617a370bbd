"""Batches of a run by step number: what a step sees does not depend on what was drawn before it."""

from collections.abc import Iterator, Sequence

import torch

from training.order import Order, apportion, slice_for
from training.setup import Data
from workbench.batches import Address, Rows, collate
from workbench.method import Batch, MethodConfig
from workbench.run import RunConfig, Stage


def stage_at(stages: Sequence[Stage], step: int) -> tuple[int, int]:
    """Index of the stage of 0-based `step`, and the first step of that stage."""
    first = 0
    for index, stage in enumerate(stages):
        if step < first + stage.steps:
            return index, first
        first += stage.steps
    return len(stages) - 1, first - stages[-1].steps


class Feed:
    """This rank's micro-batches of every step, made here or by data workers."""

    def __init__(self, config: RunConfig, data: Data, rows: Rows, separate: bool, rank: int, world: int) -> None:
        self.config, self.data, self.rows, self.separate, self.rank, self.world = config, data, rows, separate, rank, world
        self.order = Order(config.seed, data.train, config.batch * config.accumulate * world, separate)
        self.stream: Iterator[list[Batch]] | None = None

    def start(self, step: int) -> None:
        """Set data workers going from `step` on, where the run has any."""
        self.stream = self._from_workers(step) if self.config.workers else None

    def follow(self, config: MethodConfig, step: int) -> None:
        """Draw from `step` on under a configuration in which a live field was turned; what data workers made ahead is made anew."""
        if config != self.rows.config:
            self.rows.config = config
            if self.stream is not None:
                self.start(step)

    def batches(self, step: int) -> list[Batch]:
        """The micro-batches of the next step, which is `step`."""
        return next(self.stream) if self.stream is not None else self.make(step)

    def make(self, step: int) -> list[Batch]:
        """The micro-batches of any step."""
        rows = self.order.step(step, self.shares(stage_at(self.config.stages, step)[0]))
        if self.separate:
            return [self._separated(rows, micro) for micro in range(self.config.accumulate)]
        return [self._collated(rows, micro) for micro in range(self.config.accumulate)]

    def shares(self, index: int) -> list[tuple[int, dict[str, int]]]:
        """First step and rows per source of every stage up to `index`."""
        found, first = [], 0
        for stage in self.config.stages[: index + 1]:
            weights = {name: (stage.data or {}).get(name, source.weight) for name, source in self.config.data.items()}
            found.append((first, dict.fromkeys(weights, self.order.rows) if self.separate else apportion(weights, self.order.rows)))
            first += stage.steps
        return found

    def _collated(self, rows: list[Address], micro: int) -> Batch:
        return collate([self.rows[address] for address in slice_for(rows, micro, self.rank, self.config.batch, self.world)])

    def _separated(self, rows: list[Address], micro: int) -> Batch:
        """One batch per source under `sources`; the first source's fields stand at the top too."""
        parts = {name: self._collated([address for address in rows if address.source == name], micro) for name in self.config.data}
        return parts[self.data.main] | {"sources": parts}  # type: ignore[return-value]

    def _from_workers(self, start: int) -> Iterator[list[Batch]]:
        steps = _Steps(self, range(start, self.config.steps))
        yield from torch.utils.data.DataLoader(steps, batch_size=None, num_workers=self.config.workers, prefetch_factor=2)


class _Steps(torch.utils.data.Dataset):
    """Data workers' view of a run: item = all micro-batches of one step."""

    def __init__(self, feed: Feed, steps: range) -> None:
        self.make, self.steps = feed.make, steps

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, place: int) -> list[Batch]:
        return self.make(self.steps[place])
