"""Real radiographs: CLIP on NIH label sentences probed on val against its floors, M-FLAG on the COVID notes with its spectra.

Protocol, written before the runs: train part only for everything that is fitted (ridge penalty by patient-grouped cross-validation inside
it), the last step of a fixed number of steps, one probe on val. Labels with at least 10 positive and 10 negative patients count.
"""

import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from tests.full.clip_claim import sum_of_steps, trained
from tests.full.record import head, write
from training import recipe as recipes
from training.threads import set_threads
from workbench.analysis.baselines import metadata_features, pixel_features, ridge_probe, source_features
from workbench.analysis.statistics import Interval, auroc_interval, macro_auroc_interval, paired_auroc
from workbench.dataset import Dataset
from workbench.run import Run, runs_root

NAME = "real-radiographs"
FEATURE = "image.backbone"
STATISTICS = ("n", "d", "patients", "participation_ratio", "effective_rank", "uncentred_rank", "feature_std", "offset", "spectrum")


def shown(found: Interval) -> dict[str, Any]:
    """An interval as recorded; a withheld one keeps its reason."""
    known = {"value": found.value, "low": found.low, "high": found.high, "procedure": found.procedure}
    return known | ({"why": found.why} if found.why else {})


def file_features(dataset: Any, indices: np.ndarray) -> np.ndarray:
    """(n, 1) logarithm of the file's bytes: what compression alone says."""
    return np.log([[dataset.source.films[dataset.members[index][0]].size] for index in indices])


def probed(run: Run, dataset: Dataset) -> dict[str, np.ndarray]:
    """Scores (n, k) on val of ridges fitted on train: the trained network, the untrained one, and the floors."""
    from workbench.features import extract
    from workbench.models import load_method

    train, val = dataset.split("train"), dataset.split("val")
    patients = [str(dataset.patients[index]) for index in train]
    steps = {"trained": run.steps_of("snapshots")[-1], "untrained": 0}
    rows = {
        name: [extract(load_method(run, step), dataset, part, [FEATURE])[FEATURE] for part in (train, val)] for name, step in steps.items()
    }
    for name, of in (
        ("pixels", pixel_features),
        ("metadata", metadata_features),
        ("source", source_features),
        ("file size", file_features),
    ):
        rows[name] = [of(dataset, part) for part in (train, val)]
    return {name: ridge_probe(fit, dataset.labels[train], z, patients) for name, (fit, z) in rows.items()}


def clip_on_nih(run: Run) -> dict[str, Any]:
    """What a probe reads of the findings on val, per label and on average, beside what needs no network."""
    from workbench.features import dataset_of

    dataset = dataset_of(run)
    val = dataset.split("val")
    labels, patients = dataset.labels[val], [str(dataset.patients[index]) for index in val]
    scores = probed(run, dataset)
    macro = {name: macro_auroc_interval(found, labels, patients) for name, found in scores.items()}
    included = macro["trained"].included
    per_label: dict[str, Any] = {}
    for column in included:
        y, who = labels[:, column], np.array(patients)
        row: dict[str, Any] = {name: shown(auroc_interval(found[:, column], y, patients)) for name, found in scores.items()}
        row |= {
            f"trained minus {name}": shown(paired_auroc(scores[name][:, column], scores["trained"][:, column], y, patients))
            for name in ("pixels", "source")
        }
        counts = {"positive patients": len(set(who[y == 1])), "negative patients": len(set(who[y == 0]) - set(who[y == 1]))}
        per_label[dataset.label_names[column]] = counts | row
    last = run.looks()[-1]
    return {
        "what": "label-supervised: texts are sentences written from the labels",
        "feature": FEATURE,
        "macro over": [dataset.label_names[column] for column in included],
        "macro": {name: shown(found) for name, found in macro.items()},
        "labels": per_label,
        "geometry": geometry(run, last),
        "geometry untrained": geometry(run, 0),
    }


def geometry(run: Run, step: int) -> dict[str, Any]:
    """The numbers of one look, per feature."""
    return {feature: {name: found[name] for name in STATISTICS} for feature, found in run.geometry(step).items()}


def main(resume: bool = True) -> None:
    """Train what is missing, probe, write the record; needs WORKBENCH_TEST_DATA."""
    if not os.environ.get("WORKBENCH_TEST_DATA"):
        print("real radiographs are found through WORKBENCH_TEST_DATA, which is not set")
        return
    set_threads()
    start, root = time.time(), runs_root() / "full" / (NAME if resume else f"{NAME}-{int(time.time())}")
    runs = {name: trained(recipes.read(name), Path(root)) for name in ("clip-nih", "mflag-covid")}
    from workbench.features import dataset_of

    clip, mflag = runs["clip-nih"], runs["mflag-covid"]
    found = {"clip-nih": clip_on_nih(clip)}
    found["mflag-covid"] = {
        "what": "clinical notes are case histories: shows that the method runs on real pairs, no claim about performance",
        "geometry": geometry(mflag, mflag.looks()[-1]),
        "geometry untrained": geometry(mflag, 0),
    }
    for name, run in runs.items():
        own = head(run.config, dataset_of(run).data_hash, [run.config["seed"]], start)
        found[name] = own | {"steps": run.status["steps"], "seconds of training": round(sum_of_steps(run), 1)} | found[name]
    found["clip-nih"]["trials"] = 2  # the first was 128 wide: more dimensions than 257 films can tell
    write(NAME, {"terms": "numbers only; no redistribution of films or texts", **found})
    for name, each in found["clip-nih"]["macro"].items():
        print(f"{name:<12} {each['value']:.3f} [{each['low']:.3f}, {each['high']:.3f}]")


if __name__ == "__main__":
    main()
