"""Which part of a film does a score rest on? The gradients are taken in workbench/attributing.py."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from workbench.run import read_json


@dataclass(frozen=True)
class Attribution:
    """Grad-CAM (y x) and integrated gradients (h w) of one score of one film (h w) uint8 at one snapshot.

    `delta` is captum's completeness delta: the sum of the integrated gradients minus the rise of the score from the `baseline` film to
    this one; 0 in the limit of many steps. `cam` is not negative; None where the tower has no map to take it from.
    """

    key: str
    run: str
    step: int
    target: str
    kind: str  # "cosine" or "logit"
    film: np.ndarray
    cam: np.ndarray | None
    gradients: np.ndarray
    score: float
    baseline: float
    delta: float
    steps: int

    @property
    def rise(self) -> float:
        """How far the film lifts the score above the baseline."""
        return self.score - self.baseline


def pooled(gradients: np.ndarray, side: int) -> np.ndarray:
    """Sum of |integrated gradients| (h w) in each cell of a grid, (side side): single pixels are too fine to see."""
    height, width = gradients.shape
    rows, columns = (np.arange(size) * side // size for size in (height, width))
    found = np.zeros((side, side))
    np.add.at(found, (rows[:, None], columns[None]), np.abs(gradients))
    return found


def half(weights: np.ndarray) -> float:
    """Share of the cells that carry half of the weight: 0.5 for equal weights, small for a spot."""
    ordered = np.sort(np.asarray(weights, np.float64).ravel())[::-1]
    total = ordered.sum()
    if total <= 0:
        return float("nan")
    return float((np.searchsorted(np.cumsum(ordered), total / 2 * (1 - 1e-12)) + 1) / len(ordered))


def read(folder: Path) -> Attribution:
    """What the job `attribution` wrote."""
    facts = read_json(folder / "found.json")
    film, gradients = (np.load(folder / f"{name}.npy", allow_pickle=False) for name in ("film", "gradients"))
    cam = np.load(folder / "cam.npy", allow_pickle=False) if (folder / "cam.npy").is_file() else None
    return Attribution(**facts, film=film, cam=cam, gradients=gradients)
