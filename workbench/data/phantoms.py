"""Simulated chest radiographs with reports, labels, boxes, masks and known latent factors; needs no download."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, Literal, Protocol, overload

import numpy as np
from pydantic import Field

from workbench.dataset import DatasetConfig, Image, Sample, Split, Text
from workbench.phantom import FINDINGS, GENERATOR_VERSION, MASKS
from workbench.phantom.annotations import drawn_entities
from workbench.phantom.questions import drawn_questions
from workbench.phantom.report import prompts
from workbench.phantom.store import Request, Stored, fetch
from workbench.phantom.variants import PLAIN, SCANNERS, Variant
from workbench.randomness import rng

Count = Annotated[int, Field(ge=0, le=1_000_000)]
FIRST = {"train": 0, "val": 1_000_000_000, "test": 2_000_000_000}  # studies of a split do not depend on the size of another
KNOWN = ("name", "level", "size", "train", "val", "test", "seed")  # fields of the configuration that are always part of the data's hash


class Config(DatasetConfig):
    """Simulated chest radiographs (generator: workbench/phantom)."""

    level: Literal["clinical", "teaching"] = "clinical"
    """How hard: `clinical` is as hard as public chest X-rays, `teaching` is easy on purpose."""
    size: Annotated[int, Field(ge=16, le=1024, multiple_of=2)] = 64
    """Width and height of a film in pixels."""
    train: Count = 6000
    """Studies to train on."""
    val: Count = 1000
    """Studies to choose by."""
    test: Count = 1000
    """Studies to report on."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    """Another seed is another hospital: other patients, other films."""
    long_tail: Annotated[float, Field(ge=0, le=3)] = 0.0
    """Makes findings rarer one after the other: the second commonest is kept with probability exp(-x), the third with exp(-2 x), and so on."""
    marker: Literal["none", "cardiomegaly", "effusion", "pneumothorax", "consolidation", "nodule", "support device"] = "none"
    """A shortcut: the letter beside the film predicts this finding in the splits train and val; test is filmed without it."""
    marker_strength: Annotated[float, Field(ge=0, le=1)] = 0.9
    """How often the letter tells the finding; otherwise it is left or right by the toss of a coin."""
    scanner: Literal["none", "cardiomegaly", "effusion", "pneumothorax", "consolidation", "nodule", "support device"] = "none"
    """Two scanners, of which the second films mostly this finding in train and val; test is filmed with either at random."""
    scanner_strength: Annotated[float, Field(ge=0, le=1)] = 0.8
    """How often the scanner tells the finding."""
    label_noise: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    """Share of the labels of train that say the opposite; reports and the other splits are right."""
    missing_reports: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the studies of train without a report."""
    reports: Literal["plain", "radiologists"] = "plain"
    """How reports are written: `plain` by a small grammar, `radiologists` in four styles with hedging, comparisons with the prior film and typos."""

    def variant(self, split: Split) -> Variant:
        """What the simulator does differently in a split."""
        own = Variant(
            self.long_tail,
            *("", 0.0) if self.marker == "none" else (self.marker, self.marker_strength),
            *("", 0.0) if self.scanner == "none" else (self.scanner, self.scanner_strength),
        )
        return own.unbiased if split == "test" else own


def told(config: DatasetConfig, plain: DatasetConfig, known: Sequence[str]) -> dict[str, Any]:
    """The fields that make a difference: a data set is known by them, also by versions that lack the others."""
    values, usual = config.to_dict(), plain.to_dict()
    idle = {f"{name}_strength" for name in ("marker", "scanner") if values[name] == "none"}
    return {key: value for key, value in values.items() if key not in idle and (key in known or value != usual[key])}


class Masks(Mapping[str, np.ndarray]):
    """The masks of a study by name, each (h w) bool unpacked when it is asked for: training asks for none."""

    def __init__(self, planes: np.ndarray, names: Sequence[str]) -> None:
        self.planes, self.names = planes, names  # (h w) unsigned, a bit a name

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.names:
            raise KeyError(name)
        return (self.planes >> self.names.index(name) & 1).astype(bool)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


class Drawn(Sequence[dict[str, Any]]):
    """Rows drawn from the latents when the first is asked for: training asks for none."""

    def __init__(self, draw: Callable[..., list[dict[str, Any]]], *address: Any) -> None:
        self.draw, self.address = draw, address

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        return self.draw(*self.address)

    @overload
    def __getitem__(self, place: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, place: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, place: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        return self.rows[place]

    def __len__(self) -> int:
        return len(self.rows)


def factor_columns(studies: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """Every latent factor of stored studies (n) as an array (n,)."""
    names = studies[0]["factors"] if studies else ()
    return {name: np.array([row["factors"][name] for row in studies]) for name in names}


class Spoiling(Protocol):
    """The fields of a configuration that spoil labels and reports."""

    @property
    def seed(self) -> int: ...
    @property
    def label_noise(self) -> float: ...
    @property
    def missing_reports(self) -> float: ...


def spoilt(true: np.ndarray, train: Sequence[Mapping[str, Any]], config: Spoiling, engine: str) -> tuple[np.ndarray, np.ndarray]:
    """Labels (n, k) as they are handed out, and which studies (n,) have no report; only the first, those of train, are spoilt."""
    labels, mute = true.copy(), np.zeros(len(true), bool)
    for place, row in enumerate(train if config.label_noise or config.missing_reports else ()):
        tossed = rng(config.seed, f"{engine} noise in labels", 0, row["index"]).random(true.shape[1] + 1)
        wrong = tossed[:-1] < config.label_noise
        labels[place, wrong] = 1 - labels[place, wrong]
        mute[place] = tossed[-1] < config.missing_reports
    return labels, mute


class Phantoms:
    """Studies of one configuration, kept on disk after the first time."""

    label_names = FINDINGS
    terms: Literal["open"] = "open"
    provides = frozenset({"image", "text", "labels", "boxes", "masks", "factors", "entities", "questions"})

    def __init__(self, config: Config) -> None:
        self.config = config
        self.prompts: Mapping[str, Mapping[str, list[str]]] = prompts()
        self.counts: dict[Split, int] = {"train": config.train, "val": config.val, "test": config.test}
        self.starts = dict(zip(self.counts, np.cumsum([0, *self.counts.values()]).tolist()))
        self.variants: dict[Split, Variant] = {name: config.variant(name) for name in self.counts}
        self.parts: dict[Split, Stored] = {name: fetch(self._request(name)) for name, count in self.counts.items() if count}
        self.studies = [row for stored in self.parts.values() for row in stored.studies]
        self.places = [(split, place) for split, stored in self.parts.items() for place in range(len(stored.films))]
        self.keys = [f"phantom-{config.level}-{config.seed}-{row['index']}" for row in self.studies]
        self.patients = [f"phantom-{config.level}-{config.seed}-patient-{row['patient']}" for row in self.studies]
        self.true_labels = np.array([row["labels"] for row in self.studies], np.float32).reshape(-1, len(FINDINGS))
        self.labels, self.mute = spoilt(self.true_labels, self.studies[: config.train], config, "phantom")
        self.covariates = {name: np.array([row["factors"][name] for row in self.studies]) for name in ("view", "age", "sex")}
        if config.scanner != "none":
            styles = {str(style): name for name, style in SCANNERS.items()}
            self.covariates["source"] = np.array([styles[row["factors"]["device style"]] for row in self.studies])
        text = json.dumps([GENERATOR_VERSION, told(config, Config(), KNOWN)], sort_keys=True)
        self.data_hash = hashlib.sha256(text.encode()).hexdigest()[:16]

    def _request(self, split: Split) -> Request:
        own, config = self.variants[split], self.config
        values = () if own == PLAIN else tuple(own)
        return Request(config.level, config.size, config.seed, FIRST[split], self.counts[split], values, config.reports)

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, index: int) -> Sample:
        row = self.studies[index]
        split, place = self.places[index]
        stored = self.parts[split]
        spacing = row["spacing_mm"]
        boxes = [{"image": 0, **box} for box in row["boxes"]]
        address, sections = (self.config.seed, row["index"], self.config.level), () if self.mute[index] else ("findings", "impression")
        return {
            "key": self.keys[index],
            "patient": self.patients[index],
            "images": [Image(np.array(stored.films[place]), "hw", (spacing, spacing), row["factors"]["view"])],
            "texts": [Text(row[section], section) for section in sections],
            "labels": self.labels[index],
            "boxes": boxes,
            "masks": Masks(stored.masks[place], MASKS),
            "entities": Drawn(drawn_entities, *address, self.variants[split], self.config.reports) if sections else (),
            "questions": Drawn(drawn_questions, *address, boxes, self.variants[split]),
            "factors": dict(row["factors"]),
            "meta": {"simulated": True, "generator_version": GENERATOR_VERSION},
        }

    @cached_property
    def factors(self) -> Mapping[str, np.ndarray]:
        """Every latent factor of all studies, an array of floats or words each; training asks for none."""
        return factor_columns(self.studies)

    def split(self, name: Split) -> np.ndarray:
        """Indices of one split."""
        return self.starts[name] + np.arange(self.counts[name])


def load(config: Config) -> Phantoms:
    """The studies of a configuration; renders what is not on disk yet."""
    return Phantoms(config)
