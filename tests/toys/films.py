"""Any number of films, each made when it is asked for: of every depth and kind, some of them damaged."""

import hashlib
from collections.abc import Mapping

import numpy as np

from workbench.dataset import DatasetConfig, Image, Sample, Split, Terms, Text
from workbench.errors import UserError


class Config(DatasetConfig):
    """Films."""

    studies: int = 40
    """Studies; every patient has two."""
    size: int = 64
    """Pixels of a side."""
    terms: Terms = "open"
    """Terms of use."""


class Films:
    """Study i is a film whose upper half is darker than its lower one, and whose left edge is brighter the larger i is."""

    label_names = ("even", "third")
    provides = frozenset({"image", "labels"})

    def __init__(self, config: Config) -> None:
        self.config, self.terms, self.opened = config, config.terms, 0
        number = np.arange(config.studies)
        self.keys = [f"film-{index:06}" for index in number]
        self.patients = [f"patient-{index // 2}" for index in number]
        self.labels = np.stack([number % 2 == 0, number % 3 == 0], 1).astype(np.float32)
        self.covariates: Mapping[str, np.ndarray] = {"age": 20.0 + number * 7919 % 70, "sex": np.array(["F", "M"])[number % 2]}
        self.data_hash = hashlib.sha256(config.model_dump_json().encode()).hexdigest()[:16]
        self.odd: dict[int, Image | None] = {}  # studies whose image is another one, or cannot be read

    def __len__(self) -> int:
        return len(self.keys)

    def film(self, index: int) -> np.ndarray:
        """(size, size) uint8."""
        film = np.linspace(30, 220, self.config.size)[:, None] * np.ones(self.config.size)
        film[:, : self.config.size // 8] = 255 * index / max(1, len(self) - 1)
        return film.astype(np.uint8)

    def __getitem__(self, index: int) -> Sample:
        self.opened += 1
        image = self.odd.get(index, Image(self.film(index)))
        if image is None:
            raise UserError(f"{self.keys[index]}: does not decode")
        return {
            "key": self.keys[index],
            "patient": self.patients[index],
            "images": [image] if image.array.size else [],
            "texts": [Text("")],
            "labels": self.labels[index],
        }

    def split(self, name: Split) -> np.ndarray:
        bounds = {"train": (0.0, 0.7), "val": (0.7, 0.85), "test": (0.85, 1.0)}[name]
        return np.arange(*(int(len(self) * share) for share in bounds))


def load(config: Config) -> Films:
    return Films(config)
