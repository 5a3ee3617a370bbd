"""M-FLAG on phantoms of level `clinical`: what a ridge reads of the backbone, with and without the text projector, by form of the orthogonality.

Written before the runs: the setting that counts is `text_projector: none`, `correlation`, `mean`; the trainable setting stands in the same table,
whatever it says. One seed, the recipe's rate and batch, fewer steps; ridge on 2,000 training studies, judged on test, intervals over patients;
beside it the effective rank of the backbone and the cosine of pairs. The last two settings were added after the first five had been judged:
after 150 steps the one that counts read no more than the untrained network. `python -m tests.full.mflag_skill [STEPS]` trains what is missing.
"""

import sys
import time
from pathlib import Path
from typing import Any

import torch

from tests.full.record import write
from training import recipe as recipes
from training.records import averaged, head, seconds_of, trained
from training.threads import set_threads
from workbench.analysis.baselines import pixel_features, ridge_probe
from workbench.analysis.collapse import effective_rank
from workbench.batches import Rows, fixed_batches
from workbench.features import dataset_of, extract
from workbench.models import load_method
from workbench.run import Run

NAME, STEPS, FIT = "mflag-skill", 150, 2000
ITSELF = ("method.text_projector=none", "method.dim=384")
CORRELATION = ("method.orthogonality=correlation", "method.reduction=mean")
LONGER = f"stages=[{{steps: {3 * STEPS}}}]"
SETTINGS = {
    "text itself, correlation, mean": (*ITSELF, *CORRELATION),
    "text projector, correlation, mean": CORRELATION,
    "text itself, official": ITSELF,
    "text projector, official": (),
    "text projector, alignment alone": ("method.weights.orthogonality=0",),
    "text itself, correlation, mean, thrice as long": (*ITSELF, *CORRELATION, LONGER),
    "text projector, correlation, mean, thrice as long": (*CORRELATION, LONGER),
}


def judged(run: Run, step: Any) -> dict[str, Any]:
    """Macro AUROC of a ridge on the backbone, its effective rank on validation, the mechanism of a validation batch."""
    method, dataset = load_method(run, step), dataset_of(run)
    fit, test, val = dataset.split("train")[:FIT], dataset.split("test"), dataset.split("val")
    read, seen, shape = (extract(method, dataset, part, [method.embeds])[method.embeds] for part in (fit, test, val))
    scores = ridge_probe(read, dataset.labels[fit], seen, [str(dataset.patients[index]) for index in fit])
    rows = Rows(type(method), method.config, {"data": dataset}, 0, "skill", augment=False)
    with torch.no_grad():
        mechanism = method.mechanism_report(fixed_batches(rows, "data", val[:256], 256)[0])
    patients = [str(dataset.patients[index]) for index in test]
    return {
        "probe": averaged([scores], dataset.labels[test], patients),
        "effective rank": float(effective_rank(shape)),
        "mechanism": mechanism,
    }


def main() -> None:
    """Train what is missing, judge every setting on the test split, write the record."""
    set_threads()
    start, root = time.time(), Path("runs/full") / NAME
    steps = next((int(each) for each in sys.argv[1:] if each.isdigit()), STEPS)
    runs = {}
    for name, settings in SETTINGS.items():
        config = recipes.read("mflag-phantoms", [f"name={name}", f"stages=[{{steps: {steps}}}]", "monitors.probe_train=0", *settings])
        runs[name] = trained(config, root)
    first = next(iter(runs.values()))
    dataset = dataset_of(first)
    fit, test = dataset.split("train")[:FIT], dataset.split("test")
    pixels = ridge_probe(
        pixel_features(dataset, fit), dataset.labels[fit], pixel_features(dataset, test), [str(dataset.patients[index]) for index in fit]
    )
    rows = {"untrained": judged(first, 0)} | {name: judged(run, "last") for name, run in runs.items()}
    record = head(first.config, dataset.data_hash, [0], start) | {
        "method": "mflag",
        "steps": steps,
        "settings": rows,
        "pixels": averaged([pixels], dataset.labels[test], [str(dataset.patients[index]) for index in test]),
        "seconds of training": {name: seconds_of(run) for name, run in runs.items()},
        "trials": 2,  # steps of the setting that counts; the rest stands beside it
    }
    write(NAME, record)
    for name, each in rows.items():
        probe, told = each["probe"], each["mechanism"]
        print(
            f"{name:<50} {probe['value']:.3f} [{probe['low']:.3f}, {probe['high']:.3f}]  rank {each['effective rank']:6.1f}  "
            f"cosine {told['cosine of pairs']:.2f}  |off-diagonal| {told['mean |off-diagonal correlation|']:.2f}"
        )
    print(f"{'pixels':<50} {record['pixels']['value']:.3f}")


if __name__ == "__main__":
    main()
