"""How often do the intervals of factor probes hold the truth, and how often do they call noise a signal? `python -m tests.full factor_coverage`

Features of 16 independent directions, one of which follows the factor; 120 and 500 studies, one in five patients with two. The truth is the
mean of the out-of-fold value over all repeats: what a probe of this many studies is worth on average. Cells are saved as they finish.
"""

import itertools
import json
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.full.record import FOLDER, head, write
from workbench.analysis.factors import CHANCE, read_factors
from workbench.randomness import rng

NAME, SEED, REPEATS, D = "coverage-factors", 0, 300, 16
KINDS = ("number", "two classes", "several classes", "severity")


def grid() -> Iterator[dict[str, Any]]:
    """All settings."""
    for kind, studies, signal in itertools.product(KINDS, (120, 500), (0.0, 0.5, 1.5)):
        yield {"kind": kind, "studies": studies, "signal": signal}


def simulated(draw: np.random.Generator, kind: str, studies: int, signal: float) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Features (n, 16), values of a factor (n,) and patients; a severity is 0 in seven of ten studies."""
    latent = draw.normal(size=studies)
    z = draw.normal(size=(studies, D))
    z[:, 3] += signal * latent
    values = {
        "number": latent,
        "two classes": np.where(latent > 0.5, "F", "M"),
        "several classes": np.digitize(latent, (-0.5, 0.5)).astype(str),
        "severity": np.maximum(latent - 0.52, 0),
    }[kind]
    return z, values, [f"p{row // 5 * 4 + min(row % 5, 3)}" for row in range(studies)]


def measured(setting: dict[str, Any]) -> dict[str, float]:
    """Coverage, and the share of intervals above chance."""
    found = []
    for repeat in range(REPEATS):
        draw = rng(SEED, "coverage of factors", repeat, json.dumps(setting))
        z, values, patients = simulated(draw, setting["kind"], setting["studies"], setting["signal"])
        found.append(read_factors(z, {"factor": values}, patients)["factor"].interval)
    kept = [each for each in found if each.low is not None and each.high is not None]
    truth = float(np.mean([each.value for each in found]))
    low, high = np.array([[each.low, each.high] for each in kept], float).T
    return {
        "truth": truth,
        "coverage": float(np.mean((low <= truth) & (truth <= high))),
        "above chance": float(np.mean(low > CHANCE)),
        "width": float(np.mean(high - low)),
        "withheld": 1 - len(kept) / REPEATS,
    }


def main(resume: bool = True) -> None:
    """Measure the missing cells and write the record after each."""
    start, path = time.time(), FOLDER / f"{NAME}.json"
    config = {"repeats": REPEATS, "d": D, "kinds": list(KINDS)}
    held = json.loads(path.read_text()) if path.exists() else {}
    cells: dict[str, Any] = held.get("cells", {}) if held.get("config") == config else {}
    for setting in grid():
        key = f"{setting['kind']}, {setting['studies']} studies, signal {setting['signal']}"
        if key not in cells:
            cells[key] = {"setting": setting} | measured(setting)
            write(NAME, head(config, "simulated", [SEED], start) | {"config": config, "cells": cells})
            print(f"{key:<44}" + "  ".join(f"{name} {value:.3f}" for name, value in cells[key].items() if name != "setting"), flush=True)


if __name__ == "__main__":
    main()
