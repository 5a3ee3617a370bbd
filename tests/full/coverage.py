"""How often do the 95 % intervals hold the truth? 2,000 simulated data sets a cell; `python -m tests.full coverage`.

AUROC: binormal scores of equal variance, so that the true value is known; 500 negative patients; with four images a patient their
scores correlate by .5. Macro: three labels whose positives are drawn independently. Paired: two scores that correlate by .6 and differ
by .05. Spectra: Gaussian clouds whose variances fall as place^-exponent, off the origin by half their spread; with four images a
patient their features correlate by .5. The truth of a spectral statistic is its expected value at this N under this sampling, here
the mean over all repeats. Cells are saved as they finish and not computed again.
"""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy.special import ndtr, ndtri

from tests.full.record import FOLDER, head, write
from training.provenance import revision
from workbench.analysis import _coverage
from workbench.analysis.collapse import STATISTICS, summarise
from workbench.analysis.statistics import Interval, auroc_interval, macro_auroc_interval, paired_auroc
from workbench.randomness import rng

NAME, SEED, REPEATS = "coverage", 0, 2000
NEGATIVES, LABELS, RESAMPLES, APART = 500, 3, 400, 0.05
BOUNDS = (0.93, 0.97)


class Cell(NamedTuple):
    """One condition; `key` names it in the record."""

    kind: str
    setting: dict[str, float]

    @property
    def key(self) -> str:
        return " ".join([self.kind, *(f"{name} {value:g}" for name, value in self.setting.items())])

    @property
    def required(self) -> bool:
        """Whether the coverage must lie within BOUNDS: spectra always, predictions from 50 positive patients on."""
        return self.kind == "spectra" or self.setting["positive"] >= 50


def grid() -> Iterator[Cell]:
    """All cells, the quick ones first."""
    predictions = [
        {"positive": positive, "images": images, "auroc": auroc}
        for images, positive, auroc in itertools.product((1, 4), (10, 20, 50, 200), (0.6, 0.8, 0.95))
    ]
    clouds = [
        {"d": d, "N/d": ratio, "exponent": exponent, "images": images}
        for d, ratio, exponent, images in itertools.product((32, 128), (4, 16), (0, 1, 2), (1, 4))
    ]
    yield from (Cell(kind, setting) for kind in ("auroc", "paired") for setting in predictions)
    yield from (Cell("spectra", setting) for setting in clouds[:12])
    yield from (Cell("macro", setting) for setting in predictions)
    yield from (Cell("spectra", setting) for setting in clouds[12:])


def correlated(draw: np.random.Generator, patients: int, images: int, columns: int) -> np.ndarray:
    """Standard normal (patients * images, columns); images of a patient correlate by .5."""
    if images == 1:
        return draw.normal(size=(patients, columns))
    shared = np.repeat(draw.normal(size=(patients, columns)), images, 0)
    return np.sqrt(0.5) * (shared + draw.normal(size=(patients * images, columns)))


def predictions(cell: Cell, draw: np.random.Generator, labels: int, alike: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores (n, k) without effect, correlated by `alike` across columns; labels (n, k); patients (n,)."""
    positive, images = int(cell.setting["positive"]), int(cell.setting["images"])
    count = positive + NEGATIVES
    y = np.zeros((count, labels))
    for column in range(labels):
        y[draw.permutation(count)[:positive], column] = 1
    noise = np.sqrt(alike) * correlated(draw, count, images, 1) + np.sqrt(1 - alike) * correlated(draw, count, images, labels)
    return noise, np.repeat(y, images, 0), np.repeat(np.arange(count), images)


def shift_of(auroc: float) -> float:
    """Distance of two unit normals with this AUROC."""
    return float(np.sqrt(2) * ndtri(auroc))


Found = dict[str, tuple[Interval, float | None]]  # statistic -> interval, truth (None: the mean over the repeats)


def auroc_once(cell: Cell, draw: np.random.Generator) -> Found:
    noise, y, patients = predictions(cell, draw, 1, 0.0)
    truth = cell.setting["auroc"]
    return {"auroc": (auroc_interval(noise[:, 0] + shift_of(truth) * y[:, 0], y[:, 0], patients), truth)}


def paired_once(cell: Cell, draw: np.random.Generator) -> Found:
    noise, y, patients = predictions(cell, draw, 2, 0.6)
    b = cell.setting["auroc"]
    scores = noise + y[:, :1] * np.array([shift_of(b - APART), shift_of(b)])
    truth = ndtr(shift_of(b) / np.sqrt(2)) - ndtr(shift_of(b - APART) / np.sqrt(2))
    return {"difference": (paired_auroc(scores[:, 0], scores[:, 1], y[:, 0], patients), float(truth))}


def macro_once(cell: Cell, draw: np.random.Generator) -> Found:
    noise, y, patients = predictions(cell, draw, LABELS, 0.3)
    truth = cell.setting["auroc"]
    return {"macro": (macro_auroc_interval(noise + shift_of(truth) * y, y, patients, RESAMPLES), truth)}


def spectra_once(cell: Cell, draw: np.random.Generator) -> Found:
    d, images = int(cell.setting["d"]), int(cell.setting["images"])
    n = int(d * cell.setting["N/d"])
    spread = np.sqrt(np.arange(1, d + 1) ** -float(cell.setting["exponent"]))
    away = rng(SEED, "direction", 0, d).normal(size=d)
    away *= np.sqrt(np.sum(spread**2)) / 2 / np.linalg.norm(away)
    patients = np.repeat(np.arange(n // images), images)
    found = summarise(correlated(draw, n // images, images, d) * spread + away, patients)
    return {name: (getattr(found, name), None) for name in STATISTICS}


ONCE: dict[str, Callable[[Cell, np.random.Generator], Found]] = {
    "auroc": auroc_once,
    "paired": paired_once,
    "macro": macro_once,
    "spectra": spectra_once,
}


def measure(cell: Cell, repeats: int) -> dict[str, Any]:
    """Per statistic: coverage among the intervals given, misses on either side, mean width, share withheld."""
    start = time.process_time()
    rows: dict[str, list[tuple[float, float, float, float]]] = {}
    for repeat in range(repeats):
        for name, (interval, truth) in ONCE[cell.kind](cell, rng(SEED, f"coverage {cell.key}", repeat)).items():
            low, high = (np.nan if edge is None else edge for edge in (interval.low, interval.high))
            rows.setdefault(name, []).append((interval.value, low, high, np.nan if truth is None else truth))
    statistics = {}
    for name, found in rows.items():
        value, low, high, truths = np.array(found).T
        truth = np.where(np.isnan(truths), value.mean(), truths)
        given = np.isfinite(low)
        below, above = (truth < low)[given], (truth > high)[given]
        statistics[name] = {
            "coverage": float(np.mean(~below & ~above)),
            "truth below": float(np.mean(below)),
            "truth above": float(np.mean(above)),
            "width": float(np.mean((high - low)[given])),
            "withheld": float(np.mean(~given)),
        }
    return {"setting": cell.setting, "repeats": repeats, "statistics": statistics, "cpu_seconds": time.process_time() - start}


def summary(cells: dict[str, Any]) -> dict[str, Any]:
    """How many of the required coverages lie within the bounds, and which do not."""
    required = {cell.key for cell in grid() if cell.required}
    found = {
        f"{key}: {name}": each["coverage"] for key, cell in cells.items() if key in required for name, each in cell["statistics"].items()
    }
    outside = {name: value for name, value in found.items() if not BOUNDS[0] <= value <= BOUNDS[1]}
    return {"required": len(found), "outside": outside, "cells_missing": len([cell for cell in grid() if cell.key not in cells])}


def main(repeats: int = REPEATS) -> None:
    """Compute the cells that docs/results/coverage.json lacks."""
    path, start = FOLDER / f"{NAME}.json", time.time()
    cells: dict[str, Any] = json.loads(path.read_text())["cells"] if path.is_file() else {}
    _coverage.measured = dict  # every interval is given, also where few patients make it poor: that is what is measured here
    for cell in grid():
        if cells.get(cell.key, {}).get("repeats") != repeats:
            cells[cell.key] = measure(cell, repeats) | {"commit": revision()["commit"]}
            config = {"repeats": repeats, "negative": NEGATIVES, "labels": LABELS, "resamples": RESAMPLES, "apart": APART}
            record = head(config, "simulated", [SEED], start) | {"config": config, "bounds": BOUNDS, "summary": summary(cells)}
            record["seconds"] = round(sum(each["cpu_seconds"] for each in cells.values()), 1)
            write(NAME, record | {"cells": cells})
        for name, each in cells[cell.key]["statistics"].items():
            print(f"{cell.key:<44} {name:<20} {each['coverage']:.3f}  withheld {each['withheld']:.3f}", flush=True)
    print(summary(cells))


if __name__ == "__main__":
    main()
