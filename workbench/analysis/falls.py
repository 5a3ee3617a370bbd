"""Did the latent space of a setting fall while it trained, between which steps, did it come back, and did a probe follow? Means over its runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from workbench.analysis._fall import DIRECTIONS, LEARNT, NOISE, TINY, Series, judge
from workbench.analysis._look import COLUMNS, Look, series_of

Kind = Literal["short", "single", "total", "scale", "dimensional", "offset", "kept"]
FALLEN = ("total", "scale", "dimensional", "offset")


@dataclass(frozen=True)
class Dip:
    """Directions in use (participation ratio) that fell and came back: the maximum, and the lowest value with its step."""

    before: float
    low: float
    step: int


@dataclass(frozen=True)
class Fall:
    """What became of one arm up to a step: means over its runs. `before` is the running maximum, `now` the value at the step.

    Both are directions in use, or the scale, or the rank with the offset, whichever fell; `directions` are those in use at the first look and at
    the step whatever fell. `probe`: what a ridge read where the maximum was and reads at the step; None where none was fitted.
    """

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
    directions: tuple[float, float]
    probe: tuple[float, float] | None
    dip: Dip | None


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

    directions = float(series.rank[0]), float(series.rank[-1])

    def judged(kind: Kind, before: float, now: float, from_step: int, to_step: int, top: int, came_back: Dip | None = None) -> Fall:
        probe = float(series.probe[top]), float(series.probe[-1])
        read = probe if np.isfinite(probe).all() else None
        head = label, feature, kind, float(before), float(now), int(from_step), int(to_step)
        return Fall(*head, series.n, series.d, len(runs), directions, read, came_back)

    if drop:
        return judged(drop.kind, drop.before, drop.now, drop.from_step, drop.to_step, drop.top)
    kind: Kind = "short" if series.short else "single" if len(series.steps) == 1 else "kept"
    back = dip(series) if kind == "kept" else None
    return judged(kind, series.rank.max(), series.rank[-1], series.steps[0], series.steps[-1], int(series.rank.argmax()), back)


def dip(series: Series) -> Dip | None:
    """The deepest fall of the directions in use that came back: down by more than noise and as far as a lasting fall, half of it regained since.

    In logarithms, as `analysis._fall` judges a lasting one, but also for a single look, and beside a cloud that grew. None where there is none.
    """
    rank, found, deepest = np.maximum(series.rank, TINY), None, DIRECTIONS.second
    for at in range(1, len(rank) - 1):
        top = int(rank[:at].argmax())
        down, back = np.log(rank[top] / rank[at]), np.log(rank[-1] / rank[at])
        sure = down - NOISE * float(np.hypot(series.rank_error[top], series.rank_error[at]))
        if sure > deepest and back >= down / 2:
            found, deepest = Dip(float(rank[top]), float(rank[at]), int(series.steps[at])), sure
    return found


def together(found: Fall) -> Literal["rose", "stayed", "fell"] | None:
    """What a probe did from the maximum to the step, by more than the sentinel's least change (.025 macro AUROC); None where there is none."""
    if found.probe is None:
        return None
    change = found.probe[1] - found.probe[0]
    return "rose" if change >= LEARNT else "fell" if change <= -LEARNT else "stayed"


def follows(ranks: Mapping[str, float], probes: Mapping[str, float]) -> bool | None:
    """Whether the arms stand in the same order by rank and by probe; None where fewer than two have both."""
    both = [label for label in ranks if label in probes]
    if len(both) < 2:
        return None
    return sorted(both, key=lambda label: ranks[label]) == sorted(both, key=lambda label: probes[label])
