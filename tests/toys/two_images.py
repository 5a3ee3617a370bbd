"""Two images per study: their mean codes agree with each other."""

from typing import Any

import numpy as np
import torch
from torch import nn

from workbench.method import Batch, Mean, Method, MethodConfig, StepOutput, part


class Config(MethodConfig):
    """A two-image toy."""


class TwoImages(Method):
    """Pulls the images of a study together."""

    Config = Config
    needs = frozenset({"image"})
    terms = {"train": ("pull",)}
    features = {"image.backbone": "b d"}
    gradient_free = {"map.bias": "it cancels in the difference of two images"}

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        with part("map"):
            self.map = nn.Linear(20, 3)

    @staticmethod
    def transform(config: Config, sample: Any, rng: np.random.Generator) -> dict[str, Any]:
        return {"images": [image.array[None].astype(np.float32) for image in sample["images"]], "labels": sample["labels"]}

    def codes(self, batch: Batch) -> torch.Tensor:
        """(b d): mean over the images of each study."""
        z = self.map(batch["images"].flatten(1))
        sums = torch.zeros(len(batch["key"]), z.shape[1], dtype=z.dtype).index_add(0, batch["image_index"], z)
        return sums / torch.bincount(batch["image_index"], minlength=len(sums))[:, None]

    def forward(self, batch: Batch, phase: str = "train") -> StepOutput:
        apart = self.map(batch["images"].flatten(1)) - self.codes(batch)[batch["image_index"]]
        return StepOutput({"pull": Mean(apart.square().sum(), len(apart))})

    def features_of(self, batch: Batch, names: Any) -> dict[str, torch.Tensor]:
        return {"image.backbone": self.codes(batch)}
