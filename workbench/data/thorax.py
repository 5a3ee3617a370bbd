"""Simulated chest radiographs of one three-dimensional patient each: thirteen findings, from the front and from the side. Not yet as hard as it should be: docs/results."""

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from workbench.data.phantoms import FIRST, Count, Drawn, Masks, factor_columns
from workbench.dataset import DatasetConfig, Image, Sample, Split, Text
from workbench.phantom.store import Request, Stored, fetch
from workbench.phantom.thorax import FINDINGS, GENERATOR_VERSION, MASKS
from workbench.phantom.thorax.rows import drawn_entities, prompts


class Config(DatasetConfig):
    """Simulated chest radiographs (generator: workbench/phantom/thorax)."""

    size: Annotated[int, Field(ge=16, le=1024, multiple_of=2)] = 128
    """Width and height of a film in pixels."""
    train: Count = 2000
    """Studies to train on."""
    val: Count = 500
    """Studies to choose by."""
    test: Count = 500
    """Studies to report on."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    """Another seed is another hospital: other patients, other films."""
    lateral: bool = False
    """A lateral film of every study beside the one from the front: two images a study."""


class Thorax:
    """Studies of one configuration, kept on disk after the first time."""

    label_names = FINDINGS
    terms: Literal["open"] = "open"
    provides = frozenset({"image", "text", "labels", "boxes", "masks", "factors", "entities"})

    def __init__(self, config: Config) -> None:
        self.config = config
        self.prompts: Mapping[str, Mapping[str, list[str]]] = prompts()
        self.counts: dict[Split, int] = {"train": config.train, "val": config.val, "test": config.test}
        self.starts = dict(zip(self.counts, np.cumsum([0, *self.counts.values()]).tolist()))
        views = ("", "lateral") if config.lateral else ("",)
        self.parts: dict[Split, list[Stored]] = {
            split: [fetch(Request(view, config.size, config.seed, FIRST[split], count, engine="thorax")) for view in views]
            for split, count in self.counts.items()
            if count
        }
        self.studies = [row for stored in self.parts.values() for row in stored[0].studies]
        self.places = [(split, place) for split, stored in self.parts.items() for place in range(len(stored[0].films))]
        self.keys = [f"thorax-{config.seed}-{row['index']}" for row in self.studies]
        self.patients = [f"thorax-{config.seed}-patient-{row['patient']}" for row in self.studies]
        self.labels = np.array([row["labels"] for row in self.studies], np.float32).reshape(-1, len(FINDINGS))
        self.covariates = {name: np.array([row["factors"][name] for row in self.studies]) for name in ("view", "age", "sex")}
        text = json.dumps([GENERATOR_VERSION, config.to_dict()], sort_keys=True)
        self.data_hash = hashlib.sha256(text.encode()).hexdigest()[:16]

    @cached_property
    def factors(self) -> dict[str, np.ndarray]:
        """Every latent factor of all studies."""
        return factor_columns(self.studies)

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, index: int) -> Sample:
        row, (split, place) = self.studies[index], self.places[index]
        films = self.parts[split]
        told = [stored.studies[place] for stored in films]
        return {
            "key": self.keys[index],
            "patient": self.patients[index],
            "images": [
                Image(np.array(stored.films[place]), "hw", (own["spacing_mm"],) * 2, row["factors"]["view"] if not number else "lateral")
                for number, (stored, own) in enumerate(zip(films, told))
            ],
            "texts": [Text(row[section], section) for section in ("findings", "impression")],
            "labels": self.labels[index],
            "boxes": [{"image": number, **box} for number, own in enumerate(told) for box in own["boxes"]],
            "masks": Masks(films[0].masks[place], MASKS),
            "entities": Drawn(drawn_entities, self.config.seed, row["index"]),
            "factors": dict(row["factors"]),
            "meta": {"simulated": True, "generator_version": GENERATOR_VERSION},
        }

    def split(self, name: Split) -> np.ndarray:
        """Indices of one split."""
        return self.starts[name] + np.arange(self.counts[name])


def load(config: Config) -> Thorax:
    """The studies of a configuration; renders what is not on disk yet."""
    return Thorax(config)
