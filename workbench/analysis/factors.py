"""Which factor of the data can still be read from which feature, and along which singular direction does it lie?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from workbench.analysis._auroc import FEW
from workbench.analysis._concordance import Coding, Kind, coded, concordance
from workbench.analysis._interval import Interval
from workbench.analysis.baselines import FOLDS, patient_folds, pixel_features, ridge_probe
from workbench.dataset import Dataset, Factored
from workbench.embeddings import Embeddings
from workbench.errors import UserError
from workbench.run import Run, read_json

LEAST = 50  # studies
CHANCE = 0.5
COVARIATES = ("view", "age", "sex", "source")  # the factors of a data set that states no others
DIGITS = 9  # of scores in standard deviations: what a feature without variance scores differs by rounding only, and is a tie
WIDER = float(np.sqrt(1 + FOLDS / (FOLDS - 1)))  # 1.5: probes share training patients, so their errors add up
PIXELS: dict[tuple[str, tuple[str, ...]], "Factors"] = {}  # by data hash and keys: the looks of all runs on one probe set share them

__all__ = ["CHANCE", "Factors", "Probes", "Reading", "concordance", "factors_of", "of_run", "read", "read_factors"]


@dataclass(frozen=True)
class Reading:
    """How well one factor is read from `n` studies, and which principal direction (from 1) follows it most: None where none varies."""

    factor: str
    kind: Kind
    interval: Interval
    direction: int | None
    correlation: float | None
    n: int


@dataclass(frozen=True)
class Factors:
    """What is read from one matrix of features; `constant` are factors with fewer than two values in these studies."""

    readings: tuple[Reading, ...]
    constant: tuple[str, ...]

    def __getitem__(self, factor: str) -> Reading:
        return next(each for each in self.readings if each.factor == factor)

    def as_dict(self) -> dict[str, Any]:
        """Plain rows, None for what is not a number."""
        rows = [asdict(each) for each in self.readings]
        for row in rows:
            row["interval"] |= {"value": number(row["interval"]["value"])}
        return {"readings": rows, "constant": list(self.constant)}

    @classmethod
    def of_dict(cls, values: Mapping[str, Any]) -> "Factors":
        """What `as_dict` gave, also through JSON."""
        readings = []
        for row in values["readings"]:
            value = row["interval"]["value"]
            interval = Interval(**row["interval"] | {"value": float("nan") if value is None else value})
            readings.append(Reading(**row | {"interval": interval}))
        return cls(tuple(readings), tuple(values["constant"]))


@dataclass(frozen=True)
class Probes:
    """What is read from a feature of a run at a look, and from pixels and the untrained network of the same studies.

    A reference that there cannot be is None, and `missing` says why under its name.
    """

    run: str
    feature: str
    step: int
    n: int
    patients: int
    trained: Factors
    untrained: Factors | None
    pixels: Factors | None
    missing: Mapping[str, str]

    @property
    def references(self) -> dict[str, Factors]:
        """Those there are, by name."""
        return {name: each for name, each in (("pixels", self.pixels), ("untrained", self.untrained)) if each}

    @cached_property
    def readings(self) -> tuple[Reading, ...]:
        """Of the feature, the best read factor first; those that could not be measured last."""
        return tuple(sorted(self.trained.readings, key=lambda each: -np.nan_to_num(each.interval.value, nan=-1)))

    @property
    def above(self) -> list[Reading]:
        """Factors whose interval lies above what pixels read, and above chance."""
        floor = {each.factor: float(each.interval) for each in self.pixels.readings} if self.pixels else {}
        level = {each.factor: max(CHANCE, np.nan_to_num(floor.get(each.factor, CHANCE), nan=CHANCE)) for each in self.readings}
        return [each for each in self.readings if each.interval.low is not None and each.interval.low > level[each.factor]]

    @property
    def lost(self) -> list[Reading]:
        """Factors whose interval holds chance and lies below what pixels or the untrained network read, whose interval lies above chance."""
        found = []
        for each in self.readings:
            beside = [of[each.factor].interval for of in self.references.values()]
            readable = [other.value for other in beside if other.low is not None and other.low > CHANCE]
            low, high = each.interval.low, each.interval.high
            if low is not None and high is not None and low <= CHANCE and high < max(readable, default=0):
                found.append(each)
        return found

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        every = {"trained": self.trained, "untrained": self.untrained, "pixels": self.pixels}
        nested = {name: each.as_dict() if each else None for name, each in every.items()}
        head = {"run": self.run, "feature": self.feature, "step": self.step, "n": self.n, "patients": self.patients}
        return head | nested | {"missing": dict(self.missing)}

    @classmethod
    def of_dict(cls, values: Mapping[str, Any]) -> "Probes":
        """What `as_dict` gave, also through JSON."""
        nested = {name: Factors.of_dict(values[name]) if values[name] else None for name in ("trained", "untrained", "pixels")}
        return cls(**dict(values) | nested)


def number(value: float | None) -> float | None:
    return float(value) if value is not None and np.isfinite(value) else None


def factors_of(dataset: Dataset) -> Mapping[str, np.ndarray]:
    """The latent factors of all studies where the data set knows them, else its covariates view, age, sex and source."""
    if "factors" in dataset.provides and isinstance(dataset, Factored):
        return dataset.factors
    return {name: np.asarray(dataset.covariates[name]) for name in COVARIATES if name in dataset.covariates}


def read_factors(z: np.ndarray, factors: Mapping[str, np.ndarray], patients: Sequence[object] | np.ndarray) -> Factors:
    """Concordance of every factor (n,) with the out-of-fold scores of a ridge on features z (n, d), and its principal direction.

    Five folds of whole patients; a constant factor is left out and named. Intervals reach 1.5 times as far as those of given scores
    (Nadeau and Bengio, Machine Learning 2003): 95 to 100 % of them held the truth in docs/results/coverage-factors.json.
    The direction is the one of the centred features whose scores correlate most with the factor: absolute Pearson correlation, for
    several words the multiple correlation with their indicators.
    """
    z, patients = np.asarray(z, np.float64), np.asarray(patients).astype(str)
    count = len(np.unique(patients))
    if len(z) < LEAST or count < FEW:
        told = f"{len(z)} studies of {count} patients; reading factors needs {LEAST} studies of {FEW} patients"
        raise UserError(f"{told}: set monitors.studies higher, or give the data more validation studies")
    known = {name: coded(values) for name, values in factors.items()}
    codings = {name: coding for name, coding in known.items() if coding is not None}
    constant = tuple(name for name, coding in known.items() if coding is None)
    if not codings:
        return Factors((), constant)
    scores = out_of_fold(z, np.concatenate([coding.columns for coding in codings.values()], 1), patients)
    own = np.split(scores, np.cumsum([coding.columns.shape[1] for coding in codings.values()])[:-1], axis=1)
    along, readings = principal_scores(z), []
    for (name, coding), score in zip(codings.items(), own):
        direction, correlation = follows(along, coding)
        n = int(np.isfinite(coding.columns[:, 0]).sum())
        interval = widened(concordance(score, factors[name], patients))
        readings.append(Reading(name, coding.kind, interval, direction, correlation, n))
    return Factors(tuple(readings), constant)


def widened(interval: Interval) -> Interval:
    """The interval of out-of-fold scores from that of given ones: its reach times 1.5, within 0 and 1."""
    if interval.low is None or interval.high is None:
        return interval
    low, high = (min(1.0, max(0.0, interval.value + WIDER * (limit - interval.value))) for limit in (interval.low, interval.high))
    return replace(interval, low=low, high=high, procedure=f"{interval.procedure}, reach x {WIDER:.1f} for overlapping folds")


def out_of_fold(z: np.ndarray, targets: np.ndarray, patients: np.ndarray) -> np.ndarray:
    """Scores (n, k), in standard deviations, of ridges for targets (n, k; NaN left out) fitted on the other patients' folds."""
    fold, scores = patient_folds(patients), np.zeros(targets.shape)
    for each in np.unique(fold):
        held = fold == each
        own = targets[~held]
        stated = np.isfinite(own)
        count = np.maximum(stated.sum(0), 1)
        # a fold's mean target is the higher the lower that of the rest: an intercept would order the folds the wrong way round
        centred = own - np.where(stated, own, 0).sum(0) / count
        deviation = np.sqrt(np.square(np.where(stated, centred, 0)).sum(0) / count)
        scores[held] = ridge_probe(z[~held], centred / np.where(deviation > 0, deviation, 1), z[held], patients[~held])
    return np.round(scores, DIGITS)


def principal_scores(z: np.ndarray) -> np.ndarray:
    """Scores (n, r) of centred features (n, d) on their principal directions, largest variance first; those without variance left out."""
    centred = z - z.mean(0)
    few = len(z) < z.shape[1]
    values, vectors = np.linalg.eigh(centred @ centred.T if few else centred.T @ centred)
    values, vectors = values[::-1], vectors[:, ::-1]
    there = values > 1e-12 * max(float(values[0]), np.finfo(np.float64).tiny)
    kept = vectors[:, there]
    return kept * np.sqrt(values[there]) if few else centred @ kept


def follows(along: np.ndarray, coding: Coding) -> tuple[int | None, float | None]:
    """The direction (from 1) whose scores (n, r) correlate most with a factor, and that correlation, 0 to 1; None where none varies."""
    stated = np.isfinite(coding.columns[:, 0])
    columns, scores = coding.columns[stated], along[stated]
    columns, scores = columns - columns.mean(0), scores - scores.mean(0)
    basis, size, _ = np.linalg.svd(columns, full_matrices=False)
    explained = np.square(basis[:, size > 1e-9 * size[0]].T @ scores).sum(0)
    total = np.square(scores).sum(0)
    if not (total > 0).any():
        return None, None
    correlation = np.sqrt(np.clip(explained / np.where(total > 0, total, np.inf), 0, 1))
    return int(correlation.argmax()) + 1, float(correlation.max())


def of_run(
    run: Run, feature: str, step: int, dataset: Dataset, progress: Callable[[float, str], None] = lambda share, message: None
) -> Probes:
    """What is read from a feature (n, d) stored with the look at `step`, from that at step 0 and from 32 x 32 pixels of the same studies."""
    stored = run.embeddings(feature, step)
    places, factors = placed(run, stored, dataset), factors_of(dataset)
    if not factors:
        raise UserError(f"{run.id}: its data states neither factors nor view, age, sex or source; choose a run on data that does")
    own = {name: values[places] for name, values in factors.items()}
    progress(0.1, f"reading {len(own)} factors from {feature}")
    trained, missing = read_factors(stored.features, own, stored.patients), {}
    untrained = pixels = None
    if why := not_untrained(run):
        missing["untrained"] = why
    elif step == 0:
        untrained = trained
    elif (first := run.embeddings(feature, 0)).keys != stored.keys:
        missing["untrained"] = "the first look was at other studies"
    else:
        progress(0.3, "reading them from the untrained network")
        untrained = read_factors(first.features, own, first.patients)
    if "image" in dataset.provides:
        progress(0.5, "reading them from pixels")
        key = (dataset.data_hash, stored.keys)
        if key not in PIXELS:
            PIXELS[key] = read_factors(pixel_features(dataset, places), own, stored.patients)
        pixels = PIXELS[key]
    else:
        missing["pixels"] = "the data has no images"
    return Probes(run.id, feature, step, len(stored.keys), len(set(stored.patients)), trained, untrained, pixels, missing)


def placed(run: Run, stored: Embeddings, dataset: Dataset) -> np.ndarray:
    """Where in the data set the rows of stored features are; raises UserError where the data is no longer what they were computed on."""
    if stored.data_hash != dataset.data_hash:
        told = f"features are of #{stored.data_hash[:8]}, what is here now is #{dataset.data_hash[:8]}"
        raise UserError(f"{run.id}: its data has changed: {told}; train the run again to read its factors")
    place = {key: index for index, key in enumerate(dataset.keys)}
    unknown = [key for key in stored.keys if key not in place]
    if unknown:
        raise UserError(f"{run.id}: {len(unknown)} of {len(stored.keys)} keys are not in its data, the first is {unknown[0]!r}")
    return np.array([place[key] for key in stored.keys], np.int64)


def not_untrained(run: Run) -> str:
    """Why the first look of a run is not that of an untrained network; empty where it is."""
    if run.status["state"] == "imported":
        return "an imported run has no look before training"
    if run.config.get("init_from"):
        return "the run started from given weights"
    return "" if 0 in run.looks() else "the run has no look at step 0"


def read(folder: Path) -> Probes:
    """What the job `factors` wrote."""
    return Probes.of_dict(read_json(folder / "found.json"))
