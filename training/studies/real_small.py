"""Small real sets: MAE, CLIP, M-FLAG and MedFLIP on 1,077 NIH films, the last three and M3AE on 214 clinical notes, against every floor.

Protocol, written before the runs. NIH: images alone (MAE) or images with sentences written from their labels (CLIP, M-FLAG, MedFLIP: label-supervised);
everything that is fitted sees the train part only, ridge penalties come from patient-grouped cross-validation inside it; the last step of a
fixed number of steps is probed once on the val part. `from phantoms`: an encoder that has seen simulated films only, probed alike. All encoders
start from random weights: no ImageNet weights are used. Notes: image-text methods train on train and val and retrieve on test, which shows that
they run (M3AE by its matching head, every pair fused for itself); case histories support no claim about performance. Labels with at least 10 positive and 10 negative patients count.
"""

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from training import recipe as recipes
from training.asked import Asked
from training.records import averaged, head, seconds_of, shown, trained
from workbench.analysis.baselines import metadata_features, pixel_features, ridge_probe, source_features
from workbench.analysis.retrieval import retrieval
from workbench.analysis.statistics import auroc_interval, macro_auroc_interval
from workbench.batches import Rows, fixed_batches
from workbench.dataset import Dataset
from workbench.errors import UserError
from workbench.features import dataset_of, extract
from workbench.interop.weights import initialise_from
from workbench.method import Projects
from workbench.models import build_method, load_method
from workbench.nn.pair import PairFields
from workbench.run import Run
from workbench.text import report, text_id

SEEDS = (0, 1, 2)
SIGHTED = {
    "CLIP": ["clip-nih"],
    "M-FLAG": ["mflag-nih"],
    "MedFLIP": ["medflip-nih"],
    "MAE": ["mae-nih", "stages=[{steps: 300}]"],  # a tenth of its recipe: three seeds on a laptop
}
SPOKEN = {"CLIP": "clip-covid", "M-FLAG": "mflag-covid", "MedFLIP": "medflip-covid", "M3AE": "m3ae-covid"}
PHANTOMS, RANKER = "clip-phantoms", "m3ae_retrieve"


def main(root: Path, asked: Asked) -> tuple[dict[str, Any], str]:
    """Train what is missing under `root`, probe and retrieve; raises UserError where the data folder is not named."""
    asked.refuse("real-small")
    if not os.environ.get("WORKBENCH_TEST_DATA"):
        raise UserError("study real-small: WORKBENCH_TEST_DATA is not set; let it name the folder with nih_cxr14 and covid_cxr_ieee8023")
    start = time.time()
    sighted = {
        name: [trained(recipes.read(recipe, [*more, f"seed={seed}"]), root) for seed in SEEDS] for name, (recipe, *more) in SIGHTED.items()
    }
    spoken = {name: [trained(recipes.read(recipe, [f"seed={seed}"]), root) for seed in SEEDS] for name, recipe in SPOKEN.items()}
    simulated = trained(recipes.read(PHANTOMS), root)
    first = sighted["CLIP"][0]
    document = head(first.config, dataset_of(first).data_hash, list(SEEDS), start) | {
        "terms": "numbers only; no redistribution of films or texts",
        "nih": probes(sighted, simulated),
        "notes": {name: retrieved(runs) for name, runs in spoken.items()},
        "seconds of training": {name: [seconds_of(run) for run in runs] for name, runs in {**sighted, **spoken}.items()},
        "trials": {
            "CLIP": 2,
            "M-FLAG": 1,
            "MAE": 1,
            "MedFLIP": 1,
            "M3AE": 1,
        },  # CLIP was 128 wide first: more dimensions than 257 films can tell
    }
    return document, table(document)


def probes(sighted: dict[str, list[Run]], simulated: Run) -> dict[str, Any]:
    """Macro and per-label AUROC on val of a ridge on every encoder and on every floor."""
    dataset = dataset_of(sighted["CLIP"][0])
    train, val = dataset.split("train"), dataset.split("val")
    labels, patients = dataset.labels[val], [str(dataset.patients[index]) for index in val]
    groups = [str(dataset.patients[index]) for index in train]

    def score(read: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        return ridge_probe(read(train), dataset.labels[train], read(val), groups)

    rows = {name: [score(encoder(run, dataset, "last")) for run in runs] for name, runs in sighted.items()}
    rows["from phantoms"] = [score(encoder(simulated, dataset, "last"))]
    rows |= {f"untrained {name}": [score(encoder(run, dataset, 0)) for run in sighted[name]] for name in ("CLIP", "MAE")}
    floors: dict[str, Callable[..., np.ndarray]] = {
        "pixels": pixel_features,
        "metadata": metadata_features,
        "source": source_features,
        "file size": file_size,
    }
    rows |= {name: [score(partial(of, dataset))] for name, of in floors.items()}
    included = macro_auroc_interval(rows["pixels"][0], labels, patients, resamples=0).included
    return {
        "macro": {name: averaged(found, labels, patients) for name, found in rows.items()},
        "labels": {
            dataset.label_names[column]: {
                name: [shown(auroc_interval(each[:, column], labels[:, column], patients)) for each in found]
                for name, found in rows.items()
            }
            for column in included
        },
    }


def encoder(run: Run, dataset: Dataset, step: Any) -> Callable[[np.ndarray], np.ndarray]:
    """Reads the vector a method hands on, of films of any data set."""
    method = load_method(run, step)
    return lambda part: extract(method, dataset, part, [method.embeds])[method.embeds]


def file_size(dataset: Any, indices: np.ndarray) -> np.ndarray:
    """(n, 1) logarithm of the file's bytes: what compression alone says."""
    return np.log([[dataset.source.films[dataset.members[index][0]].size] for index in indices])


def retrieved(runs: list[Run]) -> dict[str, Any]:
    """Image to note and back on the held-out films, a seed at a time; the same note is correct for every film that has it."""
    dataset = dataset_of(runs[0])
    held = dataset.split("val")
    patients = [str(dataset.patients[index]) for index in held]
    names = [text_id(report(dataset[int(index)])) for index in held]
    correct = np.equal.outer(np.array(names), np.array(names))
    found: dict[str, Any] = {"films": len(held), "image to note": [], "note to image": []}
    for run in runs:
        scores = pair_scores(run, dataset, held)
        for way, given in (("image to note", scores), ("note to image", scores.T)):
            each = retrieval(given, correct, patients)
            found[way].append({f"recall at {k}": shown(each.recall[k]) | {"chance": each.chance[k]} for k in each.recall})
    return found


def pair_scores(run: Run, dataset: Dataset, held: np.ndarray) -> np.ndarray:
    """(n, n) scores of images (rows) and notes: cosines in a shared space, else the matching head's, as retrieval without fine-tuning has them."""
    method = load_method(run)
    if isinstance(method, Projects):
        z = extract(method, dataset, held, ["image.projected", "text.projected"])
        x, y = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (z["image.projected"], z["text.projected"]))
        return x @ y.T
    own = {name: value for name, value in run.config["method"].items() if name in PairFields.model_fields}
    ranker = build_method({**own, "name": RANKER}, 0).eval()
    initialise_from(ranker, {"pair": str(run.path)})
    rows = Rows(type(ranker), ranker.config, {"data": dataset}, 0, "study", augment=False)
    (batch,) = fixed_batches(rows, "data", held, len(held))
    with torch.no_grad():
        return ranker.ranking(batch).numpy()


def table(document: dict[str, Any]) -> str:
    """What a reader compares."""
    lines = ["NIH val, macro AUROC of a ridge probe     value  [95 % over patients]  seeds"]
    for name, each in document["nih"]["macro"].items():
        seeds = " ".join(f"{value:.3f}" for value in each["seeds"])
        lines.append(f"{name:<40}  {each['value']:.3f}  [{each['low']:.3f}, {each['high']:.3f}]  {seeds}")
    for name, found in document["notes"].items():
        for way in ("image to note", "note to image"):
            at = [each["recall at 5"] for each in found[way]]
            values = " ".join(f"{each['value']:.3f}" for each in at)
            lines.append(f"{name}, {way}, recall at 5: {values}, chance {at[0]['chance']:.3f}")
    return "\n".join(lines)
