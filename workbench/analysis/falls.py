"""Did the latent space of a setting fall while it trained, between which steps, and does what a probe reads follow? Means over its runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from workbench.analysis._fall import Series, judge
from workbench.analysis._look import COLUMNS, Look, series_of

Kind = Literal["short", "single", "total", "scale", "dimensional", "offset", "kept"]
FALLEN = ("total", "scale", "dimensional", "offset")


@dataclass(frozen=True)
class Fall:
    """What became of one arm up to a step: means over its runs. `before` is the running maximum, `now` the value at the step."""

    label: str
    feature: str
    kind: Kind
    before: float
    now: float
    from_step: int
    to_step: int
    n: int
    d: int
    runs: int


def mean_of(runs: Sequence[Sequence[Look]], until: int) -> Series:
    """Mean over runs at the steps that all share, up to `until` (the first such step, if all are later). Raises ValueError without one."""
    shared = sorted(set.intersection(*({look.step for look in own} for own in runs)))
    if not shared:
        raise ValueError("runs without a common look have no mean")
    steps = [step for step in shared if step <= until] or shared[:1]
    every = [series_of([look for look in own if look.step in steps]) for own in runs]
    columns = (*COLUMNS, "probe")
    return replace(every[0], **{name: np.mean([getattr(each, name) for each in every], 0) for name in columns})


def fall(label: str, runs: Sequence[Sequence[Look]], until: int) -> Fall:
    """Judge the runs (looks at one feature, in step order) of one arm as the sentinel judges a run (`analysis._fall`)."""
    series, feature = mean_of(runs, until), runs[0][0].feature
    drop = judge(series)

    def judged(kind: Kind, before: float, now: float, from_step: int, to_step: int) -> Fall:
        return Fall(label, feature, kind, float(before), float(now), int(from_step), int(to_step), series.n, series.d, len(runs))

    if drop:
        return judged(drop.kind, drop.before, drop.now, drop.from_step, drop.to_step)
    kind: Kind = "short" if series.short else "single" if len(series.steps) == 1 else "kept"
    return judged(kind, series.rank.max(), series.rank[-1], series.steps[0], series.steps[-1])


def follows(ranks: Mapping[str, float], probes: Mapping[str, float]) -> bool | None:
    """Whether the arms stand in the same order by rank and by probe; None where fewer than two have both."""
    both = [label for label in ranks if label in probes]
    if len(both) < 2:
        return None
    return sorted(both, key=lambda label: ranks[label]) == sorted(both, key=lambda label: probes[label])
