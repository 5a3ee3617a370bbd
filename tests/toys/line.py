"""A linear autoencoder with dropout and BatchNorm: the smallest method with every kind of state."""

from typing import Any

import numpy as np
import torch
from torch import nn

from workbench.config import Config as BaseConfig
from workbench.config import Live
from workbench.method import Batch, Mean, Method, MethodConfig, StepOutput, part


class Weights(BaseConfig):
    """Loss weights."""

    pixels: Live[float] = 1.0
    """Reconstruction."""
    size: Live[float] = 0.01
    """Squared code length."""


class Config(MethodConfig):
    """A linear autoencoder."""

    width: int = 3
    """Code width."""
    dropout: float = 0.1
    """Dropout of the code."""
    weights: Weights = Weights()
    """Loss weights."""


class Line(Method):
    """Pixels -> code -> pixels."""

    Config = Config
    needs = frozenset({"image"})
    terms = {"train": ("pixels", "size")}
    features = {"image.backbone": "b d"}
    gradient_free = {"encoder.bias": "a bias before BatchNorm is subtracted again"}
    embeds = "image.backbone"

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        with part("encoder"):
            self.encoder = nn.Linear(20, config.width)
        self.norm = nn.BatchNorm1d(config.width)
        self.dropout = nn.Dropout(config.dropout)
        with part("decoder"):
            self.decoder = nn.Linear(config.width, 20)

    @staticmethod
    def transform(config: Config, sample: Any, rng: np.random.Generator) -> dict[str, Any]:
        image = sample["images"][0].array + 0.1 * rng.normal(size=(4, 5))
        return {"images": [image[None].astype(np.float32)], "labels": sample["labels"]}

    def forward(self, batch: Batch, phase: str = "train") -> StepOutput:
        x = batch["images"].flatten(1)
        code = self.norm(self.encoder(x))
        error = (self.decoder(self.dropout(code)) - x).square()
        terms = {"pixels": Mean(error.sum(), error.numel()), "size": Mean(code.square().sum(), len(code))}
        return StepOutput(terms, tensors={"image.backbone": code})

    def features_of(self, batch: Batch, names: Any) -> dict[str, torch.Tensor]:
        return {"image.backbone": self.norm(self.encoder(batch["images"].flatten(1)))}
