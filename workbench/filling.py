"""A method fills in hidden words of a report: from a study and words to a Filled, beside its image and without it. Needs torch."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

import numpy as np
import torch

from workbench import words
from workbench.analysis.filling import EMPTY, IMAGE, OTHER, Filled, likeliest, probabilities
from workbench.dataset import Dataset, Sample
from workbench.errors import UserError
from workbench.features import dataset_of
from workbench.method import FillsWords, Method
from workbench.models import load_method
from workbench.randomness import rng
from workbench.run import Run
from workbench.single import batch_of, one_image, study_of
from workbench.text import report

SHOWN = 5  # likeliest tokens that are kept
RATIO = 0.3  # of the tokens, where nothing else is asked for


def places_of(spec: Mapping[str, Any], ids: np.ndarray, known: words.Vocabulary, key: str) -> np.ndarray:
    """(l) bool, whole words, from {"ratio", "seed"} or {"words": numbers of words from 0}; raises UserError for one there is not."""
    groups = words.words_of(ids, known)
    if "words" not in spec:
        ratio = float(spec.get("ratio", RATIO))
        if not 0 <= ratio <= 1:
            raise UserError(f"hidden words: expected a share between 0 and 1, got {ratio!r}")
        draw = rng(int(spec.get("seed", 0)), "word view", 0, len(ids))
        return words.hidden_places(ids, known, ratio, len(ids), "fixed", draw) if ratio else np.zeros(len(ids), bool)
    hidden = np.zeros(len(ids), bool)
    for word in spec["words"]:
        if isinstance(word, bool) or not isinstance(word, int) or not 0 <= word < len(groups):
            raise UserError(f"study {key}: word {word!r}: its report is read as {len(groups)} words, counted from 0; choose one of them")
        hidden[groups[word]] = True
    return hidden


@torch.no_grad()
def fill(method: Method, sample: Sample, spec: Mapping[str, Any], other: Sample | None, run: str = "", step: int = 0) -> Filled:
    """A study of one image with words of its report hidden, beside that image, an empty film, and the image of `other`.

    Raises UserError where the method fills in no words, or the study has no report.
    """
    if not isinstance(method, FillsWords):
        raise UserError(f"{type(method).__name__} fills in no words; choose a run whose method does, such as m3ae")
    if not report(sample).strip():
        raise UserError(f"study {sample['key']}: has no report to hide words of; choose another study")
    shown = [sample, sample] if other is None else [sample, sample, {**sample, "images": other["images"][:1]}]
    batch = batch_of(method, [cast(Sample, each) for each in shown])
    batch["images"][1] = 0.0  # the mean grey of all films
    ids, known = batch["input_ids"][0].numpy(), method.known
    hidden = places_of(spec, ids, known, sample["key"])
    logits = method.fill(batch, torch.from_numpy(hidden).expand(len(shown), -1))[:, torch.from_numpy(hidden)].float().numpy()
    wanted = ids[hidden]
    truth, best, chances = {}, {}, {}
    for name, each in zip((IMAGE, EMPTY, OTHER), logits):
        order, chances[name] = likeliest(each, SHOWN)
        truth[name] = probabilities(each)[np.arange(len(wanted)), wanted]
        best[name] = tuple(tuple(known.pieces[token] for token in row) for row in order)
    pieces, groups = tuple(known.pieces[token] for token in ids), tuple(tuple(word) for word in words.words_of(ids, known))
    read = (pieces, groups, tuple(words.spelt(word, ids, known) for word in groups))
    return Filled(sample["key"], run, step, known.size, *read, tuple(np.flatnonzero(hidden).tolist()), truth, best, chances)


def another(dataset: Dataset, sample: Sample) -> Sample | None:
    """The next study of the data set that is of another patient; None where there is none."""
    keys = list(dataset.keys)
    start = keys.index(sample["key"])
    following = (dataset[(start + ahead) % len(keys)] for ahead in range(1, len(keys)))
    return next((each for each in following if each["patient"] != sample["patient"]), None)


def of_run(
    run: Run, study: str | None, hide: float | Sequence[int], seed: int = 0, step: int | Literal["last"] = "last", film: int = 0
) -> Filled:
    """A study of a run's data (the first for validation where none is named) at a snapshot; `hide`: a share, or numbers of words from 0."""
    spec = {"ratio": hide, "seed": seed} if isinstance(hide, int | float) else {"words": list(hide)}
    dataset, at = dataset_of(run), run.snapshot_step(step)
    sample = study_of(dataset, study, run.id)
    return fill(load_method(run, at), one_image(sample, film), spec, another(dataset, sample), run.id, at)
