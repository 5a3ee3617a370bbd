"""Simulated chest radiographs of three-dimensional patients with reports, labels, boxes, masks and known latent factors; needs no download.

Thirteen findings, one to four films a study, one to five studies a patient.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, Literal, Self, overload

import numpy as np
from pydantic import Field, field_validator, model_validator

from workbench.dataset import DatasetConfig, Image, Sample, Split, Text
from workbench.errors import UserError
from workbench.phantom import FINDINGS, GENERATOR_VERSION, MASKS
from workbench.phantom.levels import LevelName
from workbench.phantom.report import prompts
from workbench.phantom.store import Part, Request, Stored, fetch
from workbench.phantom.thorax.prevalence import checked, shifts_of
from workbench.phantom.thorax.rows import drawn_entities, drawn_questions
from workbench.phantom.thorax.variants import PLAIN, SCANNERS, Variant
from workbench.randomness import rng

Count = Annotated[int, Field(ge=0, le=1_000_000)]
FIRST = {"train": 0, "val": 1_000_000_000, "test": 2_000_000_000}  # studies of a split do not depend on the size of another
KNOWN = ("name", "level", "size", "train", "val", "test", "seed")  # fields of the configuration that are always part of the data's hash
Predicted = Literal[
    "none",
    "cardiomegaly",
    "effusion",
    "pneumothorax",
    "consolidation",
    "atelectasis",
    "oedema",
    "nodule",
    "mass",
    "rib fracture",
    "endotracheal tube",
    "feeding tube",
    "central venous line",
    "pacemaker",
]
PARTS: dict[str, tuple[Part, ...]] = {"one": ("first",), "two": ("first", "lateral"), "study": ("first", "more")}


class Config(DatasetConfig):
    """Simulated chest radiographs (generator: workbench/phantom)."""

    level: LevelName = "clinical"
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
    films: Literal["one", "two", "study"] = "one"
    """Films of a study: `one` from the front, `two` with one from the side, `study` as a clinic takes them, one to four."""
    long_tail: Annotated[float, Field(ge=0, le=3)] = 0.0
    """Makes findings rarer one after the other: the second commonest is kept with probability exp(-x), the third with exp(-2 x), and so on."""
    prevalence: dict[str, float] = {}
    """Share of the studies that show a finding, for findings that shall be rarer or more frequent than they are; those named with it follow."""
    marker: Predicted = "none"
    """A shortcut: the letter at the foot of the film predicts this finding in the splits train and val; test is filmed without it."""
    marker_strength: Annotated[float, Field(ge=0, le=1)] = 0.9
    """How often the letter tells the finding; otherwise it is one of two by the toss of a coin."""
    scanner: Predicted = "none"
    """Two scanners, of which the second films mostly this finding in train and val; test is filmed with either at random."""
    scanner_strength: Annotated[float, Field(ge=0, le=1)] = 0.8
    """How often the scanner tells the finding."""
    label_noise: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    """Share of the labels of train that say the opposite; reports and the other splits are right."""
    missing_reports: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of the studies of train without a report."""
    reports: Literal["plain", "radiologists"] = "plain"
    """How reports are written: `plain` by a small grammar, `radiologists` in four styles with hedging and typos; both compare with the prior study."""

    @field_validator("prevalence")
    @classmethod
    def _known(cls, prevalence: dict[str, float]) -> dict[str, float]:
        try:
            return dict(checked(prevalence))
        except UserError as error:
            raise ValueError(str(error)) from None

    @model_validator(mode="after")
    def _one_frequency(self) -> Self:
        if self.long_tail and self.prevalence:
            raise ValueError("long_tail and prevalence contradict each other, as both say how frequent findings are; set one of them")
        return self

    def variant(self, split: Split) -> Variant:
        """What the simulator does differently in a split."""
        own = Variant(
            self.long_tail,
            *("", 0.0) if self.marker == "none" else (self.marker, self.marker_strength),
            *("", 0.0) if self.scanner == "none" else (self.scanner, self.scanner_strength),
            shifts_of(self.prevalence, self.level),
            self.level,
        )
        return own.unbiased if split == "test" else own


def told(config: Config) -> dict[str, Any]:
    """The fields that make a difference: a data set is known by them, also by versions that lack the others."""
    values, usual = config.to_dict(), Config().to_dict()
    idle = {f"{name}_strength" for name in ("marker", "scanner") if values[name] == "none"}
    return {key: value for key, value in values.items() if key not in idle and (key in KNOWN or value != usual[key])}


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


def spoilt(true: np.ndarray, train: Sequence[Mapping[str, Any]], config: Config) -> tuple[np.ndarray, np.ndarray]:
    """Labels (n, k) as they are handed out, and which studies (n,) have no report; only the first, those of train, are spoilt."""
    labels, mute = true.copy(), np.zeros(len(true), bool)
    for place, row in enumerate(train if config.label_noise or config.missing_reports else ()):
        tossed = rng(config.seed, "thorax noise in labels", 0, row["index"]).random(true.shape[1] + 1)
        wrong = tossed[:-1] < config.label_noise
        labels[place, wrong] = 1 - labels[place, wrong]
        mute[place] = tossed[-1] < config.missing_reports
    return labels, mute


class Phantoms:
    """Studies of one configuration, kept on disk after the first time; words are written when the first is asked for."""

    label_names = FINDINGS
    terms: Literal["open"] = "open"
    provides = frozenset({"image", "text", "labels", "boxes", "masks", "factors", "entities", "questions"})

    def __init__(self, config: Config) -> None:
        self.config = config
        self.prompts: Mapping[str, Mapping[str, list[str]]] = prompts()
        self.counts: dict[Split, int] = {"train": config.train, "val": config.val, "test": config.test}
        self.starts = dict(zip(self.counts, np.cumsum([0, *self.counts.values()]).tolist()))
        self.variants: dict[Split, Variant] = {name: config.variant(name) for name in self.counts}
        self.parts = {split: [self._fetch(split, part) for part in PARTS[config.films]] for split, count in self.counts.items() if count}
        self.studies = [row for stored in self.parts.values() for row in stored[0].studies]
        self.places = [(split, place) for split in self.parts for place in range(self.counts[split])]
        self.begins = {split: [np.cumsum([0, *map(films_in, each.studies)]) for each in stored] for split, stored in self.parts.items()}
        self.keys = [f"phantom-{config.level}-{config.seed}-{row['index']}" for row in self.studies]
        self.patients = [f"phantom-{config.level}-{config.seed}-patient-{row['patient']}" for row in self.studies]
        self.true_labels = np.array([row["labels"] for row in self.studies], np.float32).reshape(-1, len(FINDINGS))
        self.labels, self.mute = spoilt(self.true_labels, self.studies[: config.train], config)
        self.covariates = {name: np.array([row["factors"][name] for row in self.studies]) for name in ("view", "age", "sex")}
        if config.scanner != "none":
            styles = {str(style): name for name, style in SCANNERS.items()}
            self.covariates["source"] = np.array([styles[row["factors"]["device style"]] for row in self.studies])
        text = json.dumps([GENERATOR_VERSION, told(config)], sort_keys=True)
        self.data_hash = hashlib.sha256(text.encode()).hexdigest()[:16]

    def _fetch(self, split: Split, part: Part) -> Stored:
        own, config = self.variants[split], self.config
        size, values = (0 if part == "words" else config.size), () if own == PLAIN else tuple(own)
        return fetch(Request(part, size, config.seed, FIRST[split], self.counts[split], values, config.reports))

    @cached_property
    def words(self) -> list[dict[str, Any]]:
        """Report and changes since the prior study of all studies."""
        return [row for split in self.parts for row in self._fetch(split, "words").studies]

    @cached_property
    def factors(self) -> dict[str, np.ndarray]:
        """Every latent factor of all studies."""
        return factor_columns(self.studies)

    def __len__(self) -> int:
        return len(self.keys)

    def _films(self, index: int) -> Iterator[tuple[Image, np.ndarray, list[dict[str, Any]]]]:
        """Image, mask planes and boxes of every film of a study."""
        split, place = self.places[index]
        for stored, begins in zip(self.parts[split], self.begins[split]):
            row = stored.studies[place]
            rows = row.get("films", [row | {"view": self.studies[index]["factors"]["view"]}])
            for at, own in enumerate(rows, begins[place]):
                yield Image(np.array(stored.films[at]), "hw", (own["spacing_mm"],) * 2, own["view"]), stored.masks[at], own["boxes"]

    def text_of(self, index: int) -> str:
        """The report of a study, without its films; empty where it has none."""
        return "" if self.mute[index] else "\n\n".join(self.words[index][section] for section in ("findings", "impression"))

    def __getitem__(self, index: int) -> Sample:
        row, words, films = self.studies[index], self.words[index], [*self._films(index)]
        boxes = [{"image": number, **box} for number, (_, _, own) in enumerate(films) for box in own]
        address, sections = (self.config.seed, row["index"]), () if self.mute[index] else ("findings", "impression")
        variant = self.variants[self.places[index][0]]
        factors = row["factors"]
        return {
            "key": self.keys[index],
            "patient": self.patients[index],
            "images": [image for image, _, _ in films],
            "texts": [Text(words[section], section) for section in sections],
            "labels": self.labels[index],
            "boxes": boxes,
            "masks": Masks(films[0][1], MASKS),
            "film_masks": [Masks(planes, MASKS) for _, planes, _ in films],
            "entities": Drawn(drawn_entities, *address, variant, self.config.reports) if sections else (),
            "questions": Drawn(drawn_questions, *address, boxes, variant),
            "factors": dict(factors),
            "meta": {"simulated": True, "generator_version": GENERATOR_VERSION}
            | {"visit": int(factors["visit"]), "days": factors["days"], "changes": dict(words["changes"])},
        }

    def split(self, name: Split) -> np.ndarray:
        """Indices of one split."""
        return self.starts[name] + np.arange(self.counts[name])


def films_in(row: Mapping[str, Any]) -> int:
    """Films of a row of the store."""
    return len(row.get("films", (0,)))


def load(config: Config) -> Phantoms:
    """The studies of a configuration; renders what is not on disk yet."""
    return Phantoms(config)
