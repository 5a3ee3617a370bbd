"""Three forwards that share one optimizer: their gradients add up before one step."""

from typing import Any

import numpy as np
import torch
from torch import nn

from workbench.method import Batch, Mean, Method, MethodConfig, Phase, StepOutput, part


class Config(MethodConfig):
    """A three-pass toy."""


class ThreePasses(Method):
    """One linear map, three targets."""

    Config = Config
    needs = frozenset({"image"})
    phases = (Phase("one"), Phase("two"), Phase("three"))
    terms = {"one": ("one",), "two": ("two",), "three": ("three",)}
    features = {"image.backbone": "b d"}

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        with part("map"):
            self.map = nn.Linear(20, 2)

    @staticmethod
    def transform(config: Config, sample: Any, rng: np.random.Generator) -> dict[str, Any]:
        return {"images": [sample["images"][0].array[None].astype(np.float32)], "labels": sample["labels"]}

    def forward(self, batch: Batch, phase: str = "one") -> StepOutput:
        target = {"one": batch["labels"], "two": 1 - batch["labels"], "three": 0 * batch["labels"]}[phase]
        error = (self.map(batch["images"].flatten(1)) - target).square()
        return StepOutput({phase: Mean(error.sum(), error.numel())})

    def features_of(self, batch: Batch, names: Any) -> dict[str, torch.Tensor]:
        return {"image.backbone": self.map(batch["images"].flatten(1))}
