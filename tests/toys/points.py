"""Gaussian points as 4 x 5 images with a caption and two labels: a data set that needs nothing."""

import hashlib
from collections.abc import Mapping

import numpy as np

from workbench.dataset import DatasetConfig, Image, Sample, Split, Text
from workbench.randomness import rng


class Config(DatasetConfig):
    """Points."""

    studies: int = 60
    """Studies; every patient has two."""
    images: int = 1
    """Images of a study."""
    shift: float = 0.0
    """Added to every pixel."""
    poison: int | None = None
    """Study whose image is not a number."""


class Points:
    label_names = ("up", "right")
    terms = "open"
    provides = frozenset({"image", "text", "labels"})

    def __init__(self, config: Config) -> None:
        self.config = config
        self.keys = [f"point-{index}" for index in range(config.studies)]
        self.patients = [f"patient-{index // 2}" for index in range(config.studies)]
        self.values = (
            np.stack([rng(0, "points", 0, key).normal(size=(config.images, 4, 5)) for key in self.keys]).astype(np.float32) + config.shift
        )
        if config.poison is not None:
            self.values[config.poison] = np.nan
        clean = np.nan_to_num(self.values)
        self.labels = np.stack([clean[:, 0, 0].mean(-1) > 0, clean[:, 0, :, 0].mean(-1) > 0], 1).astype(np.float32)
        self.covariates: Mapping[str, np.ndarray] = {}
        self.data_hash = hashlib.sha256(config.model_dump_json().encode()).hexdigest()[:16]

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, index: int) -> Sample:
        words = f"up {int(self.labels[index, 0])} right {int(self.labels[index, 1])}"
        images = [Image(self.values[index, view]) for view in range(self.config.images)]
        return {
            "key": self.keys[index],
            "patient": self.patients[index],
            "images": images,
            "texts": [Text(words)],
            "labels": self.labels[index],
        }

    def split(self, name: Split) -> np.ndarray:
        third = {"train": (0, 4), "val": (4, 5), "test": (5, 6)}[name]
        size = len(self) // 6 // 2 * 2
        stop = len(self) if name == "test" else third[1] * size
        return np.arange(third[0] * size, stop)


def load(config: Config) -> Points:
    return Points(config)
