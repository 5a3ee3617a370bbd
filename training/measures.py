"""What studies and claims measure of a finished run, by name, on studies that no run trains on; every run sees the same masks and batches.

A mechanism measure tells whether a term does what it is for, an outcome measure whether that helps. A share of hidden patches or words that
differs between arms is set to one value here: what is compared is the network, not the question it was asked.
"""

import hashlib
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch

from training import recipe as recipes
from training.records import trained
from workbench import prompts
from workbench.analysis.baselines import ridge_probe
from workbench.analysis.collapse import participation_ratio
from workbench.analysis.reconstruction import patch_errors
from workbench.analysis.retrieval import ranks
from workbench.analysis.statistics import macro_auroc_interval
from workbench.batches import Rows, fixed_batches
from workbench.errors import UserError
from workbench.features import dataset_of, extract
from workbench.losses.geometry import svd_global, svd_masked
from workbench.losses.semantic import label_vectors, positive_pairs, semantic_similarity
from workbench.masking import random_mask
from workbench.method import Batch
from workbench.models import load_method, method_class
from workbench.nn.pair import TunedFields
from workbench.painting import paint
from workbench.randomness import rng, torch_stream
from workbench.run import Run, read_json, write_json
from workbench.single import one_image
from workbench.text import report, text_id

VERSION = 1
FIXED = {"mask_ratio": 0.5, "word_ratio": 0.15}
JUDGED, PROBED, SPOKEN, PAINTED, BATCH = (
    1000,
    1500,
    500,
    200,
    50,
)  # test studies, training studies of the ridge, pairs, films, rows of a batch
ANSWERS, TUNING = "m3ae-vqa-phantoms", 240  # the recipe of fine-tuning for questions, and its steps
FAST, STILL = 0.1, 1e-6  # quantile of step times; deviation of a feature below which it does not vary
ASKED, TUNED = 64, "tuned"  # questions of a study; where fine-tuned runs lie in the folder of their run


class Judged:
    """A finished run with what measures share, each read when it is first asked for."""

    def __init__(self, run: Run, tuning: int = TUNING) -> None:
        self.run, self.tuning = run, tuning

    @cached_property
    def method(self) -> Any:
        return load_method(self.run)

    @cached_property
    def dataset(self) -> Any:
        return dataset_of(self.run)

    @cached_property
    def studies(self) -> np.ndarray:
        found = self.dataset.split("test")[:JUDGED]
        if not len(found):
            raise UserError(f"{self.run.id}: its data hold no test studies, on which measures are taken; set test above 0")
        return found

    @cached_property
    def shared(self) -> dict[str, np.ndarray]:
        """Images (n d) in the backbone and in the shared space, reports (n d), of the test studies."""
        wanted = {"image.projected", "text.projected", self.method.embeds} & set(self.method.features)
        return extract(self.method, self.dataset, self.studies, sorted(wanted))

    def batches(self, count: int) -> list[Batch]:
        """Fixed batches of the first test studies, hidden patches and words at shares that are the same for every arm."""
        config = self.method.config
        config = config.model_copy(update={name: value for name, value in FIXED.items() if name in type(config).model_fields})
        rows = Rows(type(self.method), config, {"data": self.dataset}, 0, "measures", augment=False)
        return fixed_batches(rows, "data", self.studies[:count], BATCH)

    @cached_property
    def pairs(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Cosines (n n) of the first test studies' images and reports, which of them share a finding or none at all, and which have the same text."""
        chosen = self.studies[:SPOKEN]
        image, text = (torch.from_numpy(self.shared[f"{side}.projected"][: len(chosen)]) for side in ("image", "text"))
        cosines = torch.nn.functional.normalize(image, dim=1) @ torch.nn.functional.normalize(text, dim=1).T
        ids = torch.tensor([text_id(report(self.dataset[int(index)])) for index in chosen])
        rows = label_vectors(torch.from_numpy(self.dataset.labels[chosen]))
        return cosines, positive_pairs(semantic_similarity(rows, rows), 0.0, ids), ids[:, None] == ids

    @cached_property
    def reported(self) -> dict[str, float]:
        """The method's own mechanism report, averaged over fixed batches."""
        with torch_stream(0, "measures"):
            found = [self.method.mechanism_report(batch) for batch in self.batches(PAINTED)]
        return {name: float(np.mean([each[name] for each in found])) for name in found[0]}


def probe(judged: Judged) -> float:
    name = judged.method.embeds
    train = judged.dataset.split("train")[:PROBED]
    patients, labels = np.asarray(judged.dataset.patients), judged.dataset.labels
    fit = extract(judged.method, judged.dataset, train, [name])[name]
    scores = ridge_probe(fit, labels[train], judged.shared[name], patients[train])
    return macro_auroc_interval(scores, labels[judged.studies], patients[judged.studies], resamples=0).value


def zero_shot(judged: Judged) -> float:
    dataset, known = judged.dataset, list(judged.dataset.label_names)
    names = [name for name in known if name in dataset.prompts]
    scores = prompts.scores(judged.method, judged.shared["image.projected"], dataset.prompts, names)
    labels = dataset.labels[judged.studies][:, [known.index(name) for name in names]]
    return macro_auroc_interval(scores, labels, np.asarray(dataset.patients)[judged.studies], resamples=0).value


def reports_found(judged: Judged) -> float:
    cosines, _, same = judged.pairs
    return float((ranks(cosines.numpy(), same.numpy()) <= 10).mean())


@torch.no_grad()
def questions_answered(judged: Judged) -> float:
    """Fine-tunes the run's pair first, under its own folder; the same steps and the same order for every arm of a seed."""
    run = judged.run
    own = {f"method.{name}": value for name, value in run.config["method"].items() if name in TunedFields.model_fields}
    own |= {"data": run.config["data"], "batch": run.config["batch"], "seed": run.config["seed"], "stages": [{"steps": judged.tuning}]}
    own |= {"init_from.pair": str(run.path), "monitors.studies": 0, "monitors.probe_train": 0, "validation.every": 10 * judged.tuning}
    with torch.enable_grad():
        tuned = trained(recipes.read(ANSWERS, recipes.spelled(own)), run.path / TUNED)
    method = load_method(tuned)
    rows = Rows(type(method), method.config.model_copy(update={"questions": ASKED}), {"data": judged.dataset}, 0, "measures", augment=False)
    right = asked = 0
    for batch in fixed_batches(rows, "data", judged.studies[:PAINTED], BATCH):
        target = batch["extra"]["target"][batch["extra"]["target"] != -2]
        right, asked = right + int((method.answer(batch).argmax(1) == target).sum()), asked + len(target)
    return right / asked


def hidden_patches(judged: Judged) -> float:
    method, chosen = judged.method, judged.studies[:PAINTED]
    count = (method.config.image_size // method.patch_size) ** 2
    samples = [one_image(judged.dataset[int(index)], 0) for index in chosen]
    masks = np.stack([random_mask(count, FIXED["mask_ratio"], rng(0, "measures", 0, sample["key"])) for sample in samples])
    painted = paint(method, samples, masks)
    guess = [patch_errors(truth, mask, method.patch_size, method.norm_pix)["mean patch"] for truth, mask in zip(painted.truth, masks)]
    return 1 - float(painted.error[masks].sum() / np.stack(guess)[masks].sum())


def step_seconds(judged: Judged) -> float:
    """Of the steps after the first quarter, when caches are warm, one of the fastest: other work on the machine spoils these least."""
    found = [each["timing"]["step_seconds"] for each in judged.run.metrics() if each["kind"] == "train" and "timing" in each]
    return float(np.quantile(found[len(found) // 4 :], FAST))


def pair_margin(judged: Judged) -> float:
    cosines, _, same = judged.pairs
    return float(cosines.diagonal().mean() - cosines[~same].mean())


def finding_margin(judged: Judged) -> float:
    cosines, alike, _ = judged.pairs
    return float(cosines[alike].mean() - cosines[~alike].mean())


def singular_gap(judged: Judged) -> float:
    cosines, alike, _ = judged.pairs
    return 1 - float(svd_masked(cosines, alike))


def singular_share(judged: Judged) -> float:
    return -float(svd_global(judged.pairs[0]))


def correlation(judged: Judged) -> float:
    """Features that do not vary are left out: they are correlated with nothing, which is no merit."""
    z = judged.shared[judged.method.embeds].astype(np.float64)
    alive = z[:, z.std(0) > STILL]
    if alive.shape[1] < 2:
        return np.nan
    found = np.abs(np.corrcoef(alive, rowvar=False))
    return float(found[~np.eye(len(found), dtype=bool)].mean())


def directions(judged: Judged) -> float:
    return float(participation_ratio(judged.shared[judged.method.embeds].astype(np.float64)))


def projected_directions(judged: Judged) -> float:
    return float(participation_ratio(judged.shared["image.projected"].astype(np.float64)))


def words_right(judged: Judged) -> float:
    return judged.reported["hidden words right, its own image"]


def words_by_the_image(judged: Judged) -> float:
    return judged.reported["hidden words right, its own image"] - judged.reported["hidden words right, another's image"]


def patches_by_the_report(judged: Judged) -> float:
    return 1 - judged.reported["error of hidden patches, its own report"] / judged.reported["error of hidden patches, another's report"]


def pairs_right(judged: Judged) -> float:
    return judged.reported["pairs right"]


class Measure(NamedTuple):
    """A number of a run; `sign` -1 where low is better; `needs` is what a method must have for it."""

    read: Callable[[Judged], float]
    kind: Literal["mechanism", "outcome"]
    unit: str
    sign: int = 1
    needs: str = "embeds"


MEASURES: Mapping[str, Measure] = {
    "probe": Measure(probe, "outcome", "macro AUROC of a ridge on the image features, test"),
    "zero-shot": Measure(zero_shot, "outcome", "macro AUROC of the prompt difference, test", needs="project_text"),
    "retrieval": Measure(reports_found, "outcome", f"share of films whose report is among the nearest 10 of at most {SPOKEN}, test", needs="project_text"),
    "questions": Measure(questions_answered, "outcome", "share of questions answered right after fine-tuning, test", needs="tell_pairs"),
    "hidden patches": Measure(hidden_patches, "mechanism", "1 - error / error of the mean patch, half hidden, test", needs="reconstruct"),
    "step seconds": Measure(step_seconds, "mechanism", "tenth percentile of the seconds of a training step", sign=-1),
    "pair margin": Measure(pair_margin, "mechanism", "cosine of pairs above that of others, test", needs="project_text"),
    "finding margin": Measure(finding_margin, "mechanism", "cosine of film and report with a common finding above that of others, test", needs="project_text"),
    "singular gap": Measure(singular_gap, "mechanism", "1 - Medical-SVD form B by labels, test", needs="project_text"),
    "singular share": Measure(singular_share, "mechanism", "largest singular value of the cosines / studies, test", needs="project_text"),
    "correlation": Measure(correlation, "mechanism", "mean |correlation| of two image features that vary, test", sign=-1),
    "directions": Measure(directions, "mechanism", "participation ratio of the image features, test"),
    "projected directions": Measure(projected_directions, "mechanism", "participation ratio of the projected images, test", needs="project_text"),
    "words right": Measure(words_right, "mechanism", "share of hidden words right beside the own image, test", needs="fill"),
    "words by the image": Measure(words_by_the_image, "mechanism", "words right beside the own image less beside another's, test", needs="fill"),
    "patches by the report": Measure(patches_by_the_report, "mechanism", "1 - error beside the own report / beside another's, test", needs="fill"),
    "pairs right": Measure(pairs_right, "mechanism", "share of pairs told from non-pairs, test", needs="tell_pairs"),
}  # fmt: skip


def measured(judged: Judged, name: str) -> float:
    """A measure of a finished run, kept under its analysis folder."""
    run = judged.run
    key = hashlib.sha256(f"{VERSION} {name} {judged.tuning}".encode()).hexdigest()[:16]
    path: Path = run.path / "analysis" / "measures" / f"{key}.json"
    if path.is_file():
        return float(read_json(path)["value"])
    value = MEASURES[name].read(judged)
    if not np.isfinite(value):
        raise UserError(f"{run.id}: {name} is not finite; its run may have diverged or its test studies be too few")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {"measure": name, "unit": MEASURES[name].unit, "version": VERSION, "value": value})
    return value


def fits(name: str, method: str) -> bool:
    """Whether a method has what a measure needs."""
    return hasattr(method_class(method), MEASURES[name].needs)


def check_measure(name: str, method: str, where: str, kind: str | None = None) -> None:
    """Raises UserError with the allowed names for a measure there is not, of the other kind, or which the method cannot give."""
    known = [each for each, measure in MEASURES.items() if (kind is None or measure.kind == kind) and fits(each, method)]
    if name not in known:
        what = f"{kind} measure" if kind else "measure"
        raise UserError(f"{where}: no {what} {name!r} for method {method}; the {what}s are {', '.join(known)}")
