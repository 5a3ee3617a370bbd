"""How often do the intervals of average precision, accuracy and shares hold the truth? `python -m tests.full decisions`, minutes.

Binormal scores of equal variance and 300 negative patients, so that the true values are known: average precision is the area under the
population's precision over recall at this share of positives, accuracy and sensitivity those at a fixed cut. With four images a patient
their scores correlate by .5. Macro: three labels whose positives are drawn independently. Cells are saved as they finish and not computed again.
"""

import itertools
import json
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from tests.full.record import FOLDER, head, write
from workbench.analysis.decisions import accuracy_interval, average_precision, average_precision_interval, macro_interval, share_interval
from workbench.analysis.statistics import Interval
from workbench.randomness import rng

NAME, SEED, REPEATS, RESAMPLES, NEGATIVES, LABELS, CUT = "coverage-decisions", 0, 300, 400, 300, 3, 0.8


def grid() -> Iterator[dict[str, float]]:
    """All settings; macro scores are measured at the middle AUROC."""
    for images, positive, auroc in itertools.product((1, 4), (10, 20, 50), (0.6, 0.8, 0.95)):
        yield {"positive": positive, "images": images, "auroc": auroc}


def true_precision(shift: float, share: float) -> float:
    """Area under the population's precision over recall."""
    recall = (np.arange(200_000) + 0.5) / 200_000
    alarms = ndtr(-(shift - ndtri(recall)))
    return float(np.mean(share * recall / (share * recall + (1 - share) * alarms)))


def simulated(draw: np.random.Generator, positive: int, images: int, shift: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, labels and patients; the patients' order is random, so that labels of a macro score are independent."""
    label = draw.permutation(np.arange(positive + NEGATIVES) < positive).astype(float)
    own = np.repeat(draw.normal(size=len(label)), images)
    scores = np.sqrt(0.5) * (own + draw.normal(size=len(own))) if images > 1 else own
    labels = np.repeat(label, images)
    return scores + shift * labels, labels, np.repeat(np.arange(len(label)), images)


def measured(setting: dict[str, float]) -> dict[str, dict[str, float]]:
    """Statistic -> truth and coverage."""
    positive, images = int(setting["positive"]), int(setting["images"])
    shift = float(np.sqrt(2) * ndtri(setting["auroc"]))
    share = positive / (positive + NEGATIVES)
    truth = {"precision": true_precision(shift, share), "sensitivity": float(ndtr(shift - CUT))}
    truth["accuracy"] = share * truth["sensitivity"] + (1 - share) * float(ndtr(CUT))
    macro = setting["auroc"] == 0.8
    truth |= {"macro-precision": truth["precision"], "macro-accuracy": truth["accuracy"]} if macro else {}
    held: dict[str, list[bool]] = {name: [] for name in truth}
    for repeat in range(REPEATS):
        draw = rng(SEED, "coverage of decisions", repeat, json.dumps(setting))
        sets = [simulated(draw, positive, images, shift) for _ in range(LABELS if macro else 1)]
        scores, labels, patients = (np.stack([each[part] for each in sets], 1) for part in range(3))
        right, patient = (scores >= CUT) == (labels > 0.5), patients[:, 0]
        found: dict[str, Interval] = {
            "precision": average_precision_interval(scores[:, 0], labels[:, 0], patient, RESAMPLES, repeat),
            "accuracy": accuracy_interval(right[:, 0], labels[:, 0], patient, RESAMPLES, repeat),
            "sensitivity": share_interval(right[labels[:, 0] > 0.5, 0], patient[labels[:, 0] > 0.5]),
        }
        if macro:
            values = [average_precision(scores[:, label], labels[:, label]) for label in range(LABELS)]
            every = tuple(range(LABELS))
            found["macro-precision"] = macro_interval(values, scores, labels, patient, "ap", every, RESAMPLES, repeat)
            found["macro-accuracy"] = macro_interval(list(right.mean(0)), right, labels, patient, "accuracy", every, RESAMPLES, repeat)
        for name, interval in found.items():
            held[name].append(interval.low is not None and interval.low <= truth[name] <= (interval.high or 0))
    return {name: {"truth": truth[name], "coverage": float(np.mean(each))} for name, each in held.items()}


def main() -> None:
    """Measure what is missing, write after every setting."""
    path = FOLDER / f"{NAME}.json"
    begun = time.time()
    cells: dict[str, Any] = json.loads(path.read_text())["cells"] if path.is_file() else {}
    settings = {"repeats": REPEATS, "resamples": RESAMPLES, "negatives": NEGATIVES, "labels": LABELS, "cut": CUT}
    for setting in grid():
        tail = " ".join(f"{name} {value:g}" for name, value in setting.items())
        if f"precision {tail}" in cells:
            continue
        for name, each in measured(setting).items():
            cells[f"{name} {tail}"] = {"setting": setting, "statistics": {name: each}}
        write(NAME, head(settings, "none", [SEED], begun) | settings | {"cells": cells})
        print(
            tail,
            {name: round(cells[f"{name} {tail}"]["statistics"][name]["coverage"], 3) for name in ("precision", "accuracy", "sensitivity")},
            flush=True,
        )


if __name__ == "__main__":
    main()
