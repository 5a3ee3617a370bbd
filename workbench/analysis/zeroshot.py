"""What do prompts say of an image, without a label seen? Scores of findings and of classes, and what they are worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from scipy.special import expit, log_softmax, logit

from workbench.analysis import calibration, decisions, groups
from workbench.analysis._reading import unit
from workbench.analysis.decisions import accuracy_interval, average_precision_interval, macro_interval, share_interval
from workbench.analysis.statistics import Interval, MacroInterval, auroc, auroc_interval, macro_auroc_interval
from workbench.dataset import Dataset
from workbench.embeddings import Embeddings

Mode = Literal["findings", "classes"]
MODES: tuple[Mode, ...] = ("findings", "classes")
TEMPERATURE = 0.07  # where the method has none of its own: CLIP's start
SHIFTS = 5  # other findings whose prompts each finding is scored with, in the control


def scores(image: np.ndarray, positive: Sequence[np.ndarray], negative: Sequence[np.ndarray]) -> np.ndarray:
    """(n, k): cosine to the positive prompts minus cosine to the negative ones, each averaged over its templates.

    `image` is (n, d); `positive` and `negative` hold per label (t, d), template counts may differ. The positive
    prompt alone ranks images worse than the difference does.
    """
    if len(positive) != len(negative):
        raise ValueError(f"{len(positive)} labels with positive prompts, {len(negative)} with negative ones")
    z = unit(image)
    sides = [np.stack([(z @ unit(prompts).T).mean(1) for prompts in side], 1) for side in (positive, negative)]
    return sides[0] - sides[1]


def class_scores(image: np.ndarray, prompts: Sequence[np.ndarray]) -> np.ndarray:
    """(n, k): cosine to each class's prompts (t, d), averaged over its templates; the largest is the class predicted."""
    z = unit(image)
    return np.stack([(z @ unit(own).T).mean(1) for own in prompts], 1)


@dataclass(frozen=True)
class Studies:
    """Scores (n, k) of one split beside what is known of its studies."""

    scores: np.ndarray
    labels: np.ndarray  # (n, k) 1 present, 0 absent, NaN not stated
    keys: tuple[str, ...]
    patients: tuple[str, ...]
    indices: np.ndarray  # (n,) in the data set

    def of_one_class(self) -> "Studies":
        """The studies in which exactly one of the labels is present; every other label then counts as absent."""
        found = self.among((self.labels > 0.5).sum(1) == 1)
        return replace(found, labels=(found.labels > 0.5).astype(float))

    def among(self, kept: np.ndarray) -> "Studies":
        """The studies that are kept, (n,) bool."""
        rows = np.flatnonzero(kept)
        keys, patients = (tuple(each[place] for place in rows) for each in (self.keys, self.patients))
        return Studies(self.scores[rows], self.labels[rows], keys, patients, self.indices[rows])


def of_bank(
    image: np.ndarray, bank: Mapping[str, Mapping[str, Sequence[str]]], vectors: Mapping[str, np.ndarray], mode: Mode
) -> np.ndarray:
    """(n, k): a bank's scores of images (n, d), given each prompt's vector (d,)."""
    positive, negative = ([np.stack([vectors[text] for text in pair[side]]) for pair in bank.values()] for side in ("positive", "negative"))
    return scores(image, positive, negative) if mode == "findings" else class_scores(image, positive)


def studies(
    images: Embeddings, bank: Mapping[str, Mapping[str, Sequence[str]]], vectors: Mapping[str, np.ndarray], mode: Mode, dataset: Dataset
) -> Studies:
    """A bank's scores of stored images, with the labels of the data set."""
    found = of_bank(images.features, bank, vectors, mode)
    place = {key: index for index, key in enumerate(dataset.keys)}
    indices = np.array([place[key] for key in images.keys], int)
    columns = [list(dataset.label_names).index(name) for name in bank]
    return Studies(found, np.asarray(dataset.labels, float)[indices][:, columns], images.keys, images.patients, indices)


@dataclass(frozen=True)
class ZeroShot:
    """What the scores of one split are worth: one entry a label, in the order of `names`."""

    mode: Mode
    names: tuple[str, ...]
    split: str
    step: int
    studies: Studies  # `scores` are differences of cosines (findings) or cosines (classes)
    left_out: int  # studies without exactly one class; 0 for findings
    probabilities: np.ndarray  # (n, k): softmax at the method's temperature, of a pair or over the classes
    fitted: np.ndarray  # (n, k): after the logistic map fitted on validation
    called: np.ndarray  # (n, k) bool: at the threshold chosen on validation, or the largest class
    thresholds: np.ndarray  # (k,): of findings; the mean over folds where they are cross-fitted; NaN for classes
    crossfitted: bool  # split is validation itself: threshold and map come from its other patients
    auroc: tuple[Interval, ...]
    precision: tuple[Interval, ...]
    accuracy: tuple[Interval, ...]
    sensitivity: tuple[Interval, ...]
    specificity: tuple[Interval, ...]
    macro_auroc: MacroInterval
    macro_precision: Interval
    macro_accuracy: Interval  # findings: mean of the labels' accuracies; classes: share of studies whose class is the largest
    exchanged: tuple[float, ...]  # AUROC with the prompts of other labels

    @property
    def positive(self) -> np.ndarray:
        """Studies in which each label is present, (k,)."""
        return (self.studies.labels > 0.5).sum(0)

    @property
    def negative(self) -> np.ndarray:
        """Studies in which each label is absent, (k,)."""
        return (self.studies.labels < 0.5).sum(0)

    @property
    def prevalence(self) -> np.ndarray:
        """Share present among the studies in which a label is stated: the chance level of the average precision."""
        stated = self.positive + self.negative
        return np.where(stated > 0, self.positive / np.maximum(stated, 1), np.nan)

    @property
    def majority(self) -> np.ndarray:
        """Accuracy of always saying the commoner answer, (k,)."""
        return np.maximum(self.prevalence, 1 - self.prevalence)

    @property
    def macro_exchanged(self) -> float:
        """Mean over the labels of the macro AUROC, each scored with the prompts of others."""
        return float(np.mean([self.exchanged[label] for label in self.macro_auroc.included])) if self.macro_auroc.included else float("nan")

    def curve(self, label: int, fitted: bool = False) -> calibration.Curve | None:
        """Reliability of one label's probabilities."""
        chosen = self.fitted if fitted else self.probabilities
        return calibration.curve(self.names[label], chosen[:, label], self.studies.labels[:, label], self.studies.patients)

    def worst(self, label: int, count: int = 6) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the highest-scored studies without the label, and of the lowest-scored ones with it, worst first."""
        value, known = self.probabilities[:, label], self.studies.labels[:, label]
        order = np.argsort(-value, kind="stable")
        return order[known[order] < 0.5][:count], order[::-1][known[order[::-1]] > 0.5][:count]

    def groups(self, label: int, covariates: Mapping[str, np.ndarray]) -> list[groups.Group]:
        """One label by sex, age band and view, as far as the data set knows them."""
        order = self.studies.scores if self.mode == "findings" else self.probabilities
        own = (order[:, label], self.studies.labels[:, label], self.called[:, label], self.studies.patients)
        return groups.by_group(*own, covariates, self.studies.indices)

    def rows(self) -> list[dict[str, Any]]:
        """One row a label, then the macro scores, as a table; `pandas.DataFrame(found.rows())`."""
        columns = {"auroc": self.auroc, "average precision": self.precision, "accuracy": self.accuracy}
        columns |= {"sensitivity": self.sensitivity, "specificity": self.specificity}
        found = []
        for label, name in enumerate(self.names):
            head = {"label": name, "positive": int(self.positive[label]), "negative": int(self.negative[label])}
            for key, values in columns.items():
                head |= {key: values[label].value, f"{key} low": values[label].low, f"{key} high": values[label].high}
            references = {"prevalence": float(self.prevalence[label]), "majority": float(self.majority[label])}
            found.append(head | {"threshold": float(self.thresholds[label])} | references | {"prompts of others": self.exchanged[label]})
        last: dict[str, Any] = dict.fromkeys(found[0]) if found else {}
        last |= {"label": "macro", "prompts of others": self.macro_exchanged}
        for key, value in (("auroc", self.macro_auroc), ("average precision", self.macro_precision), ("accuracy", self.macro_accuracy)):
            last |= {key: value.value, f"{key} low": value.low, f"{key} high": value.high}
        return [*found, last]


def exchanged(found: np.ndarray, labels: np.ndarray) -> tuple[float, ...]:
    """Per label the mean AUROC of the scores (n, k) that prompts of other labels give it: what is read without the label's own words.

    This control exchanges prompts among labels. It is not the shuffled-report control, for which a run is trained on texts
    of other studies. Labels that occur together keep it above .5.
    """
    k, known = labels.shape[1], np.isfinite(labels)
    shifts = range(1, min(SHIFTS, k - 1) + 1)
    each = [[auroc(found[known[:, label], (label + shift) % k], labels[known[:, label], label]) for shift in shifts] for label in range(k)]
    return tuple(float(np.mean(own)) if own else float("nan") for own in each)


def probabilities(found: np.ndarray, mode: Mode, temperature: float) -> np.ndarray:
    """(n, k): softmax at a temperature, of each positive and negative pair, or over all classes."""
    return expit(found / temperature) if mode == "findings" else np.exp(log_softmax(found / temperature, 1))


def judge(
    names: Sequence[str],
    studies: Studies,
    validation: Studies,
    split: str,
    step: int,
    mode: Mode = "findings",
    temperature: float = TEMPERATURE,
    resamples: int = decisions.RESAMPLES,
) -> ZeroShot:
    """What scores are worth on one split, thresholds and probability maps chosen on validation: on its other patients where that is the split."""
    crossfit, total = split == "val", len(studies.keys)
    if mode == "classes":
        studies, validation = studies.of_one_class(), validation.of_one_class()
    chance = probabilities(studies.scores, mode, temperature)
    margin, fit_on = (margins(each.scores, mode, temperature) for each in (studies, validation))
    chosen, maps = chosen_on(fit_on, validation, crossfit) if len(validation.keys) > 1 else (np.nan, np.full(2, np.nan))
    thresholds = np.broadcast_to(chosen, margin.shape)
    called = margin >= thresholds if mode == "findings" else margin == margin.max(1, keepdims=True)
    labels = np.where(np.isfinite(thresholds) | (mode == "classes"), studies.labels, np.nan)  # no threshold: nothing is decided
    order, columns, patients = (studies.scores if mode == "findings" else chance), range(len(names)), np.asarray(studies.patients)
    right = called == (labels > 0.5)
    macro = macro_auroc_interval(order, studies.labels, patients, resamples)
    precision = [average_precision_interval(order[:, label], studies.labels[:, label], patients, resamples) for label in columns]
    accuracy = [accuracy_interval(right[:, label], labels[:, label], patients, resamples) for label in columns]
    return ZeroShot(
        mode=mode,
        names=tuple(names),
        split=split,
        step=step,
        studies=studies,
        left_out=total - len(studies.keys),
        probabilities=chance,
        fitted=calibration.probability(margin, maps),
        called=called,
        thresholds=np.mean(thresholds, 0) if mode == "findings" and len(thresholds) else np.full(len(names), np.nan),
        crossfitted=crossfit,
        auroc=tuple(auroc_interval(order[:, label], studies.labels[:, label], patients) for label in columns),
        precision=tuple(precision),
        accuracy=tuple(accuracy),
        sensitivity=tuple(share_interval(called[rows, label], patients[rows]) for label, rows in enumerate((labels > 0.5).T)),
        specificity=tuple(share_interval(~called[rows, label], patients[rows]) for label, rows in enumerate((labels < 0.5).T)),
        macro_auroc=macro,
        macro_precision=macro_interval([float(one) for one in precision], order, studies.labels, patients, "ap", macro.included, resamples),
        macro_accuracy=macro_interval([float(one) for one in accuracy], right, labels, patients, "accuracy", macro.included, resamples)
        if mode == "findings"
        else accuracy_interval((called & right).any(1), None, patients, resamples),
        exchanged=exchanged(order, studies.labels),
    )


def margins(found: np.ndarray, mode: Mode, temperature: float) -> np.ndarray:
    """(n, k) of what thresholds and probability maps act on: the scores of findings, the log odds of classes."""
    if mode == "findings":
        return found
    return logit(np.clip(probabilities(found, mode, temperature), 1e-12, 1 - 1e-12))


def chosen_on(margin: np.ndarray, validation: Studies, crossfit: bool) -> tuple[np.ndarray, np.ndarray]:
    """Thresholds (k,) and logistic maps (k, 2) from validation; a row each (n, …) from its other patients with `crossfit`."""
    fits = (decisions.thresholds, calibration.platts)
    if crossfit:
        thresholds, maps = (decisions.crossfitted(fit, margin, validation.labels, validation.patients) for fit in fits)
    else:
        thresholds, maps = (fit(margin, validation.labels) for fit in fits)
    return thresholds, maps
