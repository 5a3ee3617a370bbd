"""The encoder trained with the labels themselves: what image-text training is measured against."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from workbench import transforms
from workbench.config import Config as BaseConfig
from workbench.config import Live
from workbench.dataset import Sample
from workbench.losses.classification import stated_bce
from workbench.method import Batch, Mean, Method, MethodConfig, StepOutput, part
from workbench.nn.attention import attention_maps, lacks_attention
from workbench.nn.vision import VisionFields, study_means, vision_tower


class Weights(BaseConfig):
    """Weights of the loss terms."""

    labels: Live[Annotated[float, Field(ge=0)]] = 1.0
    """Binary cross-entropy of the stated labels."""


class SupervisedConfig(VisionFields, MethodConfig):
    """One image tower and one logit per label."""

    origins: ClassVar[Mapping[str, str]] = {
        "labels": "ours: the findings of the phantoms; take the number of your data",
        "weights": "one term",
    }

    labels: Annotated[int, Field(ge=1)] = 13
    """Number of labels of the data set."""
    weights: Weights = Weights()
    """Weights of the loss terms."""


class Supervised(Method):
    """Mean over a study's images -> one logit per label; labels not stated do not count."""

    Config = SupervisedConfig
    config: SupervisedConfig
    equation = "L = mean over the stated labels of BCE(logit, label)"
    needs = frozenset({"image", "labels"})
    terms = {"train": ("labels",)}
    features = {"image.backbone": "b d", "image.patches": "b n d", "image.logits": "b k"}
    embeds = "image.backbone"

    def __init__(self, config: SupervisedConfig) -> None:
        super().__init__(config)
        with part("vision"):
            self.vision = vision_tower(config)
        self.lacks = lacks_attention(self.vision)
        with part("head"):
            self.head = nn.Linear(self.vision.width, config.labels)

    @staticmethod
    def transform(config: SupervisedConfig, sample: Sample, rng: np.random.Generator) -> dict[str, Any]:
        """All images of a study; raises UserError where the study has another number of labels."""
        labels = transforms.labels(sample, config.labels, "supervised")
        return {"images": transforms.images(sample, config, rng), "labels": labels}

    def encode_image(self, batch: Batch) -> Tensor:
        return study_means(self.vision(batch["images"]), batch["image_index"], len(batch["key"]))

    def forward(self, batch: Batch, phase: str = "train") -> StepOutput:
        z = self.encode_image(batch)
        loss = stated_bce(self.head(z), batch["labels"])
        return StepOutput({"labels": Mean(loss, (~batch["labels"].isnan()).sum())}, tensors={"image.backbone": z.detach()})

    def counts(self, batch: Batch, phase: str) -> Mapping[str, int]:
        return {"labels": int((~batch["labels"].isnan()).sum())}

    def features_of(self, batch: Batch, names: Sequence[str]) -> dict[str, Tensor]:
        found = {} if list(names) == ["image.patches"] else {"image.backbone": self.encode_image(batch)}
        if "image.logits" in names:
            found["image.logits"] = self.head(found["image.backbone"])
        if "image.patches" in names:
            found["image.patches"] = self.vision.patches(batch["images"][batch["view_index"] == 0])
        return {name: found[name] for name in names}

    def attention(self, batch: Batch) -> dict[str, Tensor]:
        """Attention of a study's first image, (l b h t t); only where the tower is a transformer."""
        return {"image": attention_maps(self.vision, batch["images"][batch["view_index"] == 0])}

    def levels(self, batch_size: int) -> dict[str, dict[str, Any]]:
        """The loss of a coin."""
        return {"terms.labels": {"value": float(np.log(2)), "why": "every label as likely as not: ln 2"}}

    @torch.no_grad()
    def mechanism_report(self, batch: Batch) -> dict[str, float]:
        """How far the logits of present and absent labels are apart, and how many labels are stated."""
        logits, labels = self.features_of(batch, ["image.logits"])["image.logits"], batch["labels"]
        gap = logits[labels == 1].mean() - logits[labels == 0].mean()
        return {"logit gap present - absent": float(gap), "stated labels": float((~labels.isnan()).float().mean())}
