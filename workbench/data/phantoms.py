"""Simulated chest radiographs with reports, labels, boxes, masks and known latent factors; needs no download."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from workbench.dataset import DatasetConfig, Image, Sample, Split, Text
from workbench.phantom import FINDINGS, GENERATOR_VERSION, MASKS
from workbench.phantom.report import prompts
from workbench.phantom.store import Request, Stored, fetch

Count = Annotated[int, Field(ge=0, le=1_000_000)]
FIRST = {"train": 0, "val": 1_000_000_000, "test": 2_000_000_000}  # studies of a split do not depend on the size of another


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


class Masks(Mapping[str, np.ndarray]):
    """The masks of a study by name, each (h w) bool unpacked when it is asked for: training asks for none."""

    def __init__(self, planes: np.ndarray) -> None:
        self.planes = planes  # (h w) uint8, a bit a mask

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in MASKS:
            raise KeyError(name)
        return (self.planes >> MASKS.index(name) & 1).astype(bool)

    def __iter__(self) -> Iterator[str]:
        return iter(MASKS)

    def __len__(self) -> int:
        return len(MASKS)


class Phantoms:
    """Studies of one configuration, kept on disk after the first time."""

    label_names = FINDINGS
    terms: Literal["open"] = "open"
    provides = frozenset({"image", "text", "labels", "boxes", "masks", "factors"})

    def __init__(self, config: Config) -> None:
        self.config = config
        self.prompts: Mapping[str, Mapping[str, list[str]]] = prompts()
        self.counts: dict[Split, int] = {"train": config.train, "val": config.val, "test": config.test}
        self.starts = dict(zip(self.counts, np.cumsum([0, *self.counts.values()]).tolist()))
        self.parts: dict[str, Stored] = {
            name: fetch(Request(config.level, config.size, config.seed, FIRST[name], count)) for name, count in self.counts.items() if count
        }
        self.studies = [row for stored in self.parts.values() for row in stored.studies]
        self.places = [(stored, place) for stored in self.parts.values() for place in range(len(stored.films))]
        self.keys = [f"phantom-{config.level}-{config.seed}-{row['index']}" for row in self.studies]
        self.patients = [f"phantom-{config.level}-{config.seed}-patient-{row['patient']}" for row in self.studies]
        self.labels = np.array([row["labels"] for row in self.studies], np.float32).reshape(-1, len(FINDINGS))
        self.covariates = {name: np.array([row["factors"][name] for row in self.studies]) for name in ("view", "age", "sex")}
        text = json.dumps([GENERATOR_VERSION, config.to_dict()], sort_keys=True)
        self.data_hash = hashlib.sha256(text.encode()).hexdigest()[:16]

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, index: int) -> Sample:
        row = self.studies[index]
        stored, place = self.places[index]
        spacing = row["spacing_mm"]
        return {
            "key": self.keys[index],
            "patient": self.patients[index],
            "images": [Image(np.array(stored.films[place]), "hw", (spacing, spacing), row["factors"]["view"])],
            "texts": [Text(row[section], section) for section in ("findings", "impression")],
            "labels": self.labels[index],
            "boxes": [{"image": 0, **box} for box in row["boxes"]],
            "masks": Masks(stored.masks[place]),
            "factors": dict(row["factors"]),
            "meta": {"simulated": True, "generator_version": GENERATOR_VERSION},
        }

    @cached_property
    def factors(self) -> Mapping[str, np.ndarray]:
        """Every latent factor of all studies, an array of floats or words each; training asks for none."""
        names = self.studies[0]["factors"] if self.studies else ()
        return {name: np.array([row["factors"][name] for row in self.studies]) for name in names}

    def split(self, name: Split) -> np.ndarray:
        """Indices of one split."""
        return self.starts[name] + np.arange(self.counts[name])


def load(config: Config) -> Phantoms:
    """The studies of a configuration; renders what is not on disk yet."""
    return Phantoms(config)
