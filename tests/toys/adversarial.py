"""A generator and a critic with an optimizer each; the critic steps every second step."""

from typing import Any

import numpy as np
import torch
from torch import nn

from workbench.method import Batch, Mean, Method, MethodConfig, ParameterGroup, Phase, StepOutput, part


class Config(MethodConfig):
    """An adversarial toy."""


class Adversarial(Method):
    """The generator denoises, the critic tells its output from clean images."""

    Config = Config
    needs = frozenset({"image"})
    phases = (Phase("generate"), Phase("criticise", "critic", every=2))
    terms = {"generate": ("fool", "pixels"), "criticise": ("tell",)}
    features = {"image.backbone": "b d"}

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        with part("generator"):
            self.generator = nn.Linear(20, 20)
        with part("critic"):
            self.critic = nn.Linear(20, 1)

    @staticmethod
    def transform(config: Config, sample: Any, rng: np.random.Generator) -> dict[str, Any]:
        image = sample["images"][0].array[None].astype(np.float32)
        return {"images": [image], "noisy": image + rng.normal(size=image.shape).astype(np.float32), "labels": sample["labels"]}

    def parameter_groups(self) -> list[ParameterGroup]:
        return [ParameterGroup("generator.*"), ParameterGroup("critic.*", "critic")]

    def forward(self, batch: Batch, phase: str = "generate") -> StepOutput:
        made = self.generator(batch["extra"]["noisy"].flatten(1))
        clean = batch["images"].flatten(1)
        rows = len(clean)
        if phase == "generate":
            fool = nn.functional.softplus(-self.critic(made)).sum()
            return StepOutput({"fool": Mean(fool, rows), "pixels": Mean((made - clean).square().sum(), made.numel())})
        tell = nn.functional.softplus(-self.critic(clean)).sum() + nn.functional.softplus(self.critic(made.detach())).sum()
        return StepOutput({"tell": Mean(tell, 2 * rows)})

    def features_of(self, batch: Batch, names: Any) -> dict[str, torch.Tensor]:
        return {"image.backbone": self.generator(batch["images"].flatten(1))}
