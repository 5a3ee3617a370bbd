"""MedFLIP on phantoms of level `clinical`: zero-shot and what it paints into half of the patches, trained and untrained.

The recipe's run, its first and last snapshot on the test split: zero-shot of all studies by the data set's prompts, and skill = 1 - error /
error of a guess, of the first studies. `python -m tests.full medflip_skill` trains what is missing.
"""

import time
from pathlib import Path
from typing import Any

from tests.full.mae_skill import errors_of, skills
from tests.full.record import head, write
from training import recipe as recipes
from training.eval_command import evaluate
from training.records import trained
from training.threads import set_threads
from workbench.features import dataset_of
from workbench.run import Run

NAME, RECIPE, RATIO, PAINTED = "medflip-skill", "medflip-phantoms", 0.5, 300


def judged(run: Run, step: int) -> dict[str, Any]:
    """Macro AUROC of the prompts and skills over the hidden patches, with intervals over patients."""
    dataset = dataset_of(run)
    indices = dataset.split("test")[:PAINTED]
    errors, masks = errors_of(run, step, dataset, indices, RATIO)
    macro = evaluate(run, "zero-shot", step, "test", None, "findings")[0]["macro"]
    return {"zero-shot": macro, "skill": skills(errors, masks, [str(dataset.patients[index]) for index in indices])}


def main() -> None:
    """Train the recipe where it is missing, judge it, write the record."""
    set_threads()
    start = time.time()
    run = trained(recipes.read(RECIPE), Path("runs/full") / NAME)
    steps, events = run.steps_of("snapshots"), run.events()
    found = {f"step {step}": judged(run, step) for step in (steps[0], steps[-1])}
    record = head(run.config, dataset_of(run).data_hash, [int(run.config["seed"])], start)
    record |= {"studies painted": PAINTED, "wall seconds of the run": round(float(events[-1]["time"] - events[0]["time"]), 1)}
    write(NAME, record | found | {"trials": int(run.config["trials"])})
    for name, told in found.items():
        print(name, told)


if __name__ == "__main__":
    main()
