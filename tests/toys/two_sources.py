"""One batch of each of two sources per step."""

from typing import Any

import numpy as np
import torch
from torch import nn

from workbench.method import Batch, Mean, Method, MethodConfig, StepOutput, part


class Config(MethodConfig):
    """A two-source toy."""


class TwoSources(Method):
    """Tells the sources' means apart."""

    Config = Config
    needs = frozenset({"image", "source:near", "source:far"})
    terms = {"train": ("near", "far")}
    features = {"image.backbone": "b d"}

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        with part("map"):
            self.map = nn.Linear(20, 1)

    @staticmethod
    def transform(config: Config, sample: Any, rng: np.random.Generator) -> dict[str, Any]:
        return {"images": [sample["images"][0].array[None].astype(np.float32)], "labels": sample["labels"]}

    def forward(self, batch: Batch, phase: str = "train") -> StepOutput:
        values = {name: self.map(batch["sources"][name]["images"].flatten(1)) for name in ("near", "far")}
        return StepOutput({name: Mean((value - float(name == "far")).square().sum(), len(value)) for name, value in values.items()})

    def features_of(self, batch: Batch, names: Any) -> dict[str, torch.Tensor]:
        return {"image.backbone": batch["images"].flatten(1)[:, :3]}
