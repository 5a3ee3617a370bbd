"""Does the jackknife cover for diagnostics of the latent space and similarities? `python -m tests.full diagnostics_coverage`

Gaussian clouds of n rows whose variances fall as place^-exponent, off the origin by half their spread; with four images a patient their
features correlate by .5. The second cloud is the first, turned, plus as much noise, moved by its spread. The truth of a statistic is its
mean over all repeats: the expected value at this n. A statistic may be given intervals where no cell's coverage is below .9, which is .95 less what 120 repeats leave open. Cells are saved as they finish.
"""

import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.full.coverage import correlated
from tests.full.record import FOLDER, head, write
from workbench.analysis import collapse, isotropy, modality, similarity
from workbench.analysis._interval import Interval
from workbench.analysis._jackknife import GROUPS, resampled
from workbench.randomness import rng

NAME, SEED, REPEATS, LEAST = "coverage-diagnostics", 0, 120, 0.9
CELLS = [
    {"d": d, "n": n, "exponent": exponent, "images": images}
    for d, n, exponent, images in [(32, 24, 1, 1), (16, 128, 1, 1), (16, 256, 1, 4), (16, 128, 0, 1), (16, 256, 2, 1), (32, 256, 1, 1)]
]
FEW_ROWS = ("linear_cka", "debiased_cka", "procrustes", "svcca")  # all of the cells; the others where n is at least 4 d
ONE = {
    each.__name__: each
    for each in (
        collapse.nesum,
        collapse.stable_rank,
        collapse.spectral_rank,
        collapse.explained_area,
        collapse.isoscore,
        collapse.alpha_req,
        collapse.unit_std,
        collapse.uniformity,
        isotropy.mean_cosine,
        isotropy.cone_cosine,
        isotropy.self_clustering,
    )
}
TWO: dict[str, Callable[[Any, Any], Any]] = {
    each.__name__: each for each in (collapse.alignment, collapse.modality_gap, modality.gap_share, modality.relative_gap)
}


def pair_of(name: similarity.Name) -> Callable[[np.ndarray, np.ndarray], float]:
    measure = similarity.MEASURES[name]
    return lambda x, y: measure.compare(similarity.cloud(x, name, 10), similarity.cloud(y, name, 10))


TWO |= {name: pair_of(name) for name in ("linear_cka", "debiased_cka", "svcca", "procrustes", "mutual_knn")}


def clouds(cell: dict[str, int], repeat: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two paired clouds (n, d) and the patients (n,)."""
    draw, patients = rng(SEED, NAME, repeat, str(sorted(cell.items()))), cell["n"] // cell["images"]
    scale = np.arange(1, cell["d"] + 1) ** (-cell["exponent"] / 2)
    turn = np.linalg.qr(rng(SEED, "turn", 0, cell["d"]).normal(size=(cell["d"], cell["d"])))[0]
    a, b = (correlated(draw, patients, cell["images"], cell["d"]) * scale for _ in range(2))
    return a + 0.5 * scale, (a + b) @ turn - scale, np.repeat(np.arange(patients), cell["images"])


def once(name: str, pair: list[np.ndarray], patients: np.ndarray) -> Interval:
    """The jackknife of one statistic."""
    if name in ONE:
        return resampled(lambda kept: float(ONE[name](pair[0][kept])), pair[:1], patients, GROUPS, 0.95, "")
    return resampled(lambda kept: float(TWO[name](pair[0][kept], pair[1][kept])), pair, patients, GROUPS, 0.95, "")


def covered(cell: dict[str, int]) -> dict[str, dict[str, float]]:
    """Coverage of the 95 % interval and the values' mean, per statistic."""
    few = cell["n"] < 4 * cell["d"]
    names = [*([] if few else ONE), *(name for name in TWO if not few or name in FEW_ROWS)]
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in names}
    for repeat in range(REPEATS):
        *pair, patients = clouds(cell, repeat)
        for name in names:
            each = once(name, pair, patients)
            found[name].append((each.value, each.low, each.high) if each.low is not None else (each.value, np.nan, np.nan))
    record = {}
    for name, rows in found.items():
        value, low, high = np.array(rows).T
        given, truth = np.isfinite(low), value.mean()
        record[name] = {
            "coverage": float(np.mean((low <= truth) & (truth <= high), where=given)),
            "mean": float(truth),
            "sd": float(value.std()),
        }
        record[name] |= {"width_over_sd": float(np.mean(high - low, where=given) / value.std()), "given": int(given.sum())}
    return record


def main() -> None:
    """Compute the cells that docs/results/coverage-diagnostics.json lacks."""
    path, begun = FOLDER / f"{NAME}.json", time.time()
    cells: dict[str, Any] = json.loads(path.read_text())["cells"] if path.is_file() else {}
    for cell in CELLS:
        key = " ".join(f"{name} {value}" for name, value in cell.items())
        if cells.get(key, {}).get("repeats") == REPEATS:
            continue
        cells[key] = {"repeats": REPEATS, "statistics": covered(cell)}
        found = [each["statistics"] for each in cells.values()]
        worst = {name: min((each[name]["coverage"] for each in found if name in each), default=None) for name in [*ONE, *TWO]}
        good = sorted(name for name, value in worst.items() if value is not None and value >= LEAST)
        record = {"least": LEAST, "cells": cells, "worst": worst, "covered": good}
        write(NAME, head({"repeats": REPEATS, "cells": CELLS}, "none", [SEED], begun) | record)
        print(key, {name: round(each["coverage"], 3) for name, each in cells[key]["statistics"].items()}, flush=True)


if __name__ == "__main__":
    main()
