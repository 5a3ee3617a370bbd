"""What studies share: runs that are trained once, scores averaged over seeds, the head of a record."""

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student

from training.provenance import revision
from workbench.analysis.statistics import Interval, macro_auroc_interval
from workbench.run import Run, RunConfig, create_run, list_runs


def trained(config: RunConfig, root: Path) -> Run:
    """The finished run of this configuration under `root`, trained or resumed where need be."""
    from training.loop import train
    from training.setup import resolve

    config = resolve(config)
    for status in list_runs(root):
        if not (root / status["id"] / "config.yaml").is_file():
            continue  # a folder whose making or deleting was cut off
        run = Run(root / status["id"])
        before = resolve(RunConfig.parse(run.config, run.id), run.id)  # fields that came later have their defaults
        if same(before.to_dict(), config.to_dict()):
            if status["state"] != "finished":
                train(run, resume=True)
            return run
    run = create_run(config, root)
    train(run)
    return run


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two configurations train alike: all but what they are called."""
    return {**one, "name": "", "trials": 0} == {**other, "name": "", "trials": 0}


def averaged(scores: Sequence[np.ndarray], labels: np.ndarray, patients: Sequence[str]) -> dict[str, Any]:
    """Macro AUROC of scores (n, k) a seed, averaged over seeds: patients resampled jointly, the seeds' scores side by side as columns.

    That interval is of these networks; `over seeds` (t) is of the method, where there are several.
    """
    found = macro_auroc_interval(np.concatenate(scores, 1), np.tile(labels, len(scores)), patients)
    seeds = [macro_auroc_interval(each, labels, patients, resamples=0).value for each in scores]
    told = shown(found) | {"seeds": seeds}
    if len(seeds) > 1:
        half = float(student.ppf(0.975, len(seeds) - 1) * np.std(seeds, ddof=1) / len(seeds) ** 0.5)
        told["over seeds"] = {"low": found.value - half, "high": found.value + half, "procedure": f"t over {len(seeds)} seeds, 95 %"}
    return told


def shown(found: Interval) -> dict[str, Any]:
    """An interval as recorded; a withheld one keeps its reason."""
    known = {"value": found.value, "low": found.low, "high": found.high, "procedure": found.procedure}
    return known | ({"why": found.why} if found.why else {})


def config_hash(config: Mapping[str, Any]) -> str:
    """Of a resolved configuration, its seed included."""
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:16]


def head(config: Mapping[str, Any], data_hash: str, seeds: Sequence[int], start: float) -> dict[str, Any]:
    """What every record says of itself."""
    git = revision()
    told = {"made": time.strftime("%Y-%m-%d"), "commit": git["commit"], "dirty": git["dirty"], "config_hash": config_hash(config)}
    return told | {"data_hash": data_hash, "seeds": list(seeds), "seconds": round(time.time() - start, 1)}


def write_record(path: Path, record: Mapping[str, Any]) -> Path:
    """The record as JSON, numbers rounded to six digits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rounded = json.loads(json.dumps(record), parse_float=lambda text: float(f"{float(text):.6g}"))
    path.write_text(json.dumps(rounded, indent=1) + "\n")
    return path


def seconds_of(run: Run) -> float:
    """Seconds from launch to finish."""
    events = run.events()
    return round(float(events[-1]["time"] - events[0]["time"]), 1)
