"""M3AE on phantoms of level `clinical`: what each side of a pair adds to the other, trained and untrained, then answers to questions.

Hidden words: share right beside the study's own image, beside another's, beside none (only the class token is seen). Hidden patches: error with
the own report, with another's. Intervals over patients (BCa) of shares and of 1 - error / error of the comparison. Fine-tuning for questions starts
from the pre-trained pair and, as its control, from random weights. `python -m tests.full.m3ae_skill [STUDIES] RUN …`; no training here: give runs of
`workbench train`, ended or stopped; the first and the last snapshot of each are judged on the test split.
"""

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.full.record import write
from training.records import head, shown
from workbench.analysis.reconstruction import skill_interval
from workbench.batches import Rows, fixed_batches, others_images, others_texts
from workbench.features import dataset_of
from workbench.method import Batch
from workbench.models import load_method
from workbench.run import Run

NAME, BATCH = "m3ae-skill", 50
OWN, OTHER, NONE = "own", "another's", "none"
PASSES = 4  # every study is asked under so many draws of hidden words


def blind(method: Any, batch: Batch, hidden: torch.Tensor) -> torch.Tensor:
    """`fill` with every patch of the image removed."""
    tokens, mask = batch["input_ids"].masked_fill(hidden, method.known.mark), batch["attention_mask"]
    seen = method.pair.see(batch["images"], torch.zeros(len(tokens), 0, dtype=torch.long))
    return method.word_head(method.pair.fuse(method.pair.read(tokens, mask), mask, seen).text)


@torch.no_grad()
def measured(method: Any, dataset: Any, indices: np.ndarray) -> dict[str, np.ndarray]:
    """Per study: hidden words, wrong ones by image shown, squared error of hidden patches by report read, pairs and wrong pairs."""
    found: dict[str, list[np.ndarray]] = {}
    given_words: list[np.ndarray] = []

    def keep(name: str, values: torch.Tensor) -> None:
        found.setdefault(name, []).append(values.double().numpy())

    for draw in range(PASSES):
        rows = Rows(type(method), method.config, {"data": dataset}, draw, "skill", augment=False)
        for batch in fixed_batches(rows, "data", indices, BATCH):
            hidden = batch["extra"]["hidden_words"][:, : batch["input_ids"].shape[1]]
            wanted = batch["input_ids"]
            keep("words", hidden.sum(1))
            given_words += [each[which].numpy() for each, which in zip(wanted, hidden)]
            given = {OWN: method.fill(batch, hidden), OTHER: method.fill(others_images(batch), hidden)}
            for name, logits in (given | {NONE: blind(method, batch, hidden)}).items():
                keep(f"words wrong, image: {name}", ((logits.argmax(-1) != wanted) & hidden).sum(1))
            if draw == 0:
                mask = batch["extra"]["mask"]
                for name, told in ((OWN, batch), (OTHER, others_texts(batch))):
                    keep(f"patches, report: {name}", (method.reconstruct(told, mask)[1] * mask).sum(1))
                grey = method.shown(batch)
                patches = method.patch_size
                cells = torch.nn.functional.unfold(grey, patches, stride=patches).transpose(1, 2)
                mean = (cells * ~mask[..., None]).sum((1, 2)) / ((~mask).sum(1) * cells.shape[-1])
                keep("patches, mean of what is visible", ((cells - mean[:, None, None]).square().mean(-1) * mask).sum(1))
    studies = len(indices)
    commonest = np.bincount(np.concatenate(given_words)).argmax()
    found["words wrong, always the commonest"] = [np.array([(each != commonest).sum() for each in given_words], float)]
    return {name: np.concatenate(parts).reshape(-1, studies).sum(0) for name, parts in found.items()}


def of_pretraining(method: Any, dataset: Any, indices: np.ndarray) -> dict[str, Any]:
    """Shares and skills with intervals."""
    patients = [str(dataset.patients[index]) for index in indices]
    each = measured(method, dataset, indices)
    wrong = {name: each[f"words wrong, image: {name}"] for name in (OWN, OTHER, NONE)}
    own, other, trivial = (each[f"patches, {name}"] for name in ("report: own", "report: another's", "mean of what is visible"))
    found = {f"hidden words right, image: {name}": skill_interval(wrong[name], each["words"], patients) for name in wrong}
    found["hidden words right, always the commonest of them"] = skill_interval(
        each["words wrong, always the commonest"], each["words"], patients
    )
    found["word errors saved against the commonest"] = skill_interval(wrong[OWN], each["words wrong, always the commonest"], patients)
    found["word errors saved by the own image against another's"] = skill_interval(wrong[OWN], wrong[OTHER], patients)
    found["word errors saved by the own image against none"] = skill_interval(wrong[OWN], wrong[NONE], patients)
    found["pixel skill against the mean of what is visible"] = skill_interval(own, trivial, patients)
    found["pixel error saved by the own report against another's"] = skill_interval(own, other, patients)
    return {name: shown(interval) for name, interval in found.items()} | {"hidden words": int(each["words"].sum())}


@torch.no_grad()
def of_answers(method: Any, dataset: Any, indices: np.ndarray) -> dict[str, Any]:
    """Share of all questions answered right, with the own image and with another's, by kind of answer."""
    config = method.config.model_copy(update={"questions": 64})
    rows = Rows(type(method), config, {"data": dataset}, 0, "skill", augment=False)
    patients = [str(dataset.patients[index]) for index in indices]
    asked: dict[str, list[np.ndarray]] = {}
    for batch in fixed_batches(rows, "data", indices, BATCH):
        target, closed = batch["extra"]["target"], batch["extra"]["closed"]
        there = target != -2
        for name, each in ((OWN, batch), (OTHER, others_images(batch))):
            right = torch.zeros_like(there)
            right[there] = method.answer(each).argmax(1) == target[there]
            for kind, which in (("all", there), ("closed", there & closed), ("open", there & ~closed)):
                asked.setdefault(f"{kind}: asked", []).append(which.sum(1).numpy()) if name == OWN else None
                asked.setdefault(f"{kind}: wrong, image: {name}", []).append((which & ~right).sum(1).numpy())
    sums = {name: np.concatenate(parts).astype(float) for name, parts in asked.items()}
    found: dict[str, Any] = {}
    for kind in ("all", "closed", "open"):
        count, own, other = sums[f"{kind}: asked"], *(sums[f"{kind}: wrong, image: {name}"] for name in (OWN, OTHER))
        kept = count > 0
        people = [patient for patient, there in zip(patients, kept) if there]
        found[f"{kind} right, image: own"] = shown(skill_interval(own[kept], count[kept], people))
        found[f"{kind} right, image: another's"] = shown(skill_interval(other[kept], count[kept], people))
        found[f"{kind} errors saved by the own image"] = shown(skill_interval(own[kept], other[kept], people))
        found[f"{kind} asked"] = int(count.sum())
    return found


def main() -> None:
    """Judge finished runs on the test split and write the record."""
    start = time.time()
    runs = [Run(Path(each)) for each in sys.argv[1:] if not each.isdigit()]
    studies = next((int(each) for each in sys.argv[1:] if each.isdigit()), 500)
    dataset = dataset_of(runs[0])
    indices = dataset.split("test")[:studies]
    record: dict[str, Any] = head(runs[0].config, dataset.data_hash, [int(runs[0].config["seed"])], start) | {
        "studies": len(indices),
        "runs": {},
    }
    for run in runs:
        judge = of_pretraining if run.config["method"]["name"] == "m3ae" else of_answers
        steps = run.steps_of("snapshots")
        told = {f"step {step}": judge(load_method(run, step), dataset, indices) for step in (steps[0], steps[-1])}
        record["runs"][run.title] = told | {"trials": int(run.config["trials"])}
        for step, found in told.items():
            print(f"{run.title}, {step}")
            for name, each in found.items():
                print(f"  {name:<60} {each if isinstance(each, int) else (each['value'], each['low'], each['high'])}")
    record["seconds"] = round(time.time() - start, 1)
    write(NAME, record)


if __name__ == "__main__":
    main()
