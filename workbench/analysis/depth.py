"""Where in the image tower do directions go, or come? Rank, offset and what a probe reads after every block, beside the untrained tower's."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.analysis._auroc import macro_auroc_interval
from workbench.analysis._interval import Interval
from workbench.analysis.across import Grid, grid
from workbench.analysis.baselines import ridge_probe
from workbench.analysis.collapse import STATISTICS, ceiling, summarise
from workbench.embeddings import Embeddings
from workbench.errors import UserError
from workbench.run import Run, read_json

PROBE = "probe"
RESAMPLES = 1000


@dataclass(frozen=True)
class Stage:
    """What one block gives: `d` numbers an image; statistics by name, and `probe`, the macro AUROC of a ridge, where labels are stated."""

    name: str
    d: int
    numbers: Mapping[str, Interval]


@dataclass(frozen=True)
class Labels:
    """What the probe is fitted on (m, k) and judged by (n, k), NaN not stated, with the patients of the rows it is fitted on."""

    fit: np.ndarray
    patients: Sequence[str]
    judged: np.ndarray


@dataclass(frozen=True)
class Depth:
    """The image tower of a run at `step`, block by block, on `n` studies; `untrained` is empty where `why` says so.

    `alike`: how alike the blocks are, debiased CKA beside its chance. `pixels`: what the same ridge reads without a network.
    """

    run: str
    step: int
    tower: str
    n: int
    patients: int
    stages: tuple[Stage, ...]
    untrained: tuple[Stage, ...]
    why: str
    pixels: float | None
    alike: Grid

    def ceiling(self, statistic: str) -> list[float | None]:
        """What an isotropic cloud of equal (N, d) gives after each block; None where there is no such level."""
        return [None if statistic == PROBE else ceiling(statistic, self.n, stage.d) for stage in self.stages]

    def widest(self, statistic: str) -> int:
        """Place of the block after which a statistic is largest."""
        return int(np.argmax([float(stage.numbers[statistic]) for stage in self.stages]))

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"alike": self.alike.as_dict()}

    @classmethod
    def of_dict(cls, values: Mapping[str, Any]) -> "Depth":
        """What `as_dict` gave, also through JSON."""

        def stages(rows: Sequence[Mapping[str, Any]]) -> tuple[Stage, ...]:
            return tuple(Stage(each["name"], each["d"], {key: Interval(**one) for key, one in each["numbers"].items()}) for each in rows)

        both = {name: stages(values[name]) for name in ("stages", "untrained")}
        return cls(**dict(values) | both | {"alike": Grid.of_dict(values["alike"])})


def measure(blocks: Mapping[str, Embeddings], fit: Mapping[str, np.ndarray], labels: Labels | None) -> tuple[Stage, ...]:
    """Statistics with intervals of each block's vectors (n, d); with `labels`, a ridge fitted on `fit` (m, d) reads them.

    Raises UserError where a vector is not finite.
    """
    found = []
    for name, block in blocks.items():
        if not np.isfinite(block.features).all():
            raise UserError(f"{name}: {int((~np.isfinite(block.features)).any(1).sum())} studies have features that are no numbers")
        geometry = summarise(block, block.patients)
        numbers: dict[str, Interval] = {key: getattr(geometry, key) for key in STATISTICS}
        if labels is not None:
            numbers |= probed(fit[name], block, labels)
        found.append(Stage(name, block.features.shape[1], numbers))
    return tuple(found)


def probed(fit: np.ndarray, block: Embeddings, labels: Labels) -> dict[str, Interval]:
    """Macro AUROC of a ridge fitted on rows (m, d), judged on a block's vectors (n, d), BCa over patients; empty where no label is common enough."""
    scores = ridge_probe(fit, labels.fit, block.features, labels.patients)
    found = macro_auroc_interval(scores, labels.judged, block.patients, RESAMPLES)
    return {PROBE: Interval(found.value, found.low, found.high, found.procedure, found.why)} if found.included else {}


def resemblance(blocks: Mapping[str, Embeddings]) -> Grid:
    """Debiased CKA of every block with every other."""
    return grid([blocks], "debiased_cka")


def kept(run: Run, step: int | None = None) -> int | None:
    """The last step, up to `step`, with a look and a snapshot; None where there is none."""
    both = set(run.steps_of("snapshots")) & set(run.looks())
    return max((each for each in both if step is None or each <= step), default=None)


def read(folder: Path) -> Depth:
    """What the job `depth` wrote."""
    return Depth.of_dict(read_json(folder / "found.json"))
