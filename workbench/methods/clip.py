"""CLIP: images and reports told apart within the batch. Radford et al., ICML 2021."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import normalize

from workbench import text, transforms
from workbench.config import Config as BaseConfig
from workbench.config import Live
from workbench.dataset import Sample
from workbench.losses.contrastive import info_nce
from workbench.method import Batch, Mean, Method, MethodConfig, Progress, StepOutput, part
from workbench.nn import projectors
from workbench.nn.attention import attention_maps, lacks_attention
from workbench.nn.gather import gather_batch, gathered_rows
from workbench.nn.language import text_tower
from workbench.nn.temperature import Temperature
from workbench.nn.vision import VisionFields, study_means, vision_tower


class Weights(BaseConfig):
    """Weights of the loss terms."""

    contrastive: Live[Annotated[float, Field(ge=0)]] = 1.0
    """Image-text contrast."""


class CLIPConfig(VisionFields, text.TextFields, MethodConfig):
    """CLIP on studies: the mean over a study's images against its whole report."""

    origins: ClassVar[Mapping[str, str]] = {
        "projector": "Radford et al., ICML 2021",
        "hidden": "ours: what two CPU cores train",
        "dim": "ours: published 512 and more",
        "batch_norm_ends": "Liu et al., M-FLAG: its code",
        "temperature": "Radford et al., ICML 2021",
        "temperature_trainable": "Radford et al., ICML 2021",
        "duplicates": "ours: repeated normal reports are no negatives",
        "weights": "one term",
    }

    projector: Literal["linear", "mflag"] = "linear"
    """Both towers' way into the shared space: one matrix, or M-FLAG's two layers with BatchNorm."""
    hidden: Annotated[int, Field(ge=1)] = 256
    """Hidden width of M-FLAG's projectors."""
    dim: Annotated[int, Field(ge=2)] = 128
    """Width of the shared space."""
    batch_norm_ends: bool = True
    """M-FLAG's projectors end in a BatchNorm without parameters."""
    temperature: Annotated[float, Field(ge=0.01, le=10)] = 0.07
    """Start of the softmax temperature."""
    temperature_trainable: bool = True
    """Learn the temperature; its inverse stays at or below 100."""
    duplicates: Literal["hard", "drop_duplicates", "soft_targets"] = "drop_duplicates"
    """Studies with the same text are left out of each other's negatives, share the target, or (`hard`, as published) are negatives all the same. With a frozen text tower sharing and `hard` are one and the same."""
    weights: Weights = Weights()
    """Weights of the loss terms."""


class CLIP(Method):
    """Two towers, two projectors, one symmetric InfoNCE over the global batch."""

    Config = CLIPConfig
    config: CLIPConfig
    equation = "L = 1/2 [mean_i CE(s x_i Y, i) + mean_j CE(s y_j X, j)], rows of unit length, s = 1 / temperature"
    needs = frozenset({"image", "text"})
    terms = {"train": ("contrastive",)}
    features = {"image.backbone": "b d", "image.patches": "b n d", "image.projected": "b d", "text.projected": "b d"}
    embeds = "image.backbone"

    def __init__(self, config: CLIPConfig) -> None:
        super().__init__(config)
        with part("vision"):
            self.vision = vision_tower(config)
        self.lacks = lacks_attention(self.vision)
        with part("text"):
            self.text = text_tower(config)
        with part("image_projector"):
            self.image_projector = self.projector(self.vision.width)
        with part("text_projector"):
            self.text_projector = self.projector(self.text.width)
        self.temperature = Temperature(config.temperature, config.temperature_trainable)
        self.always_frozen = () if config.temperature_trainable else ("temperature.*",)
        self.gradient_free = {
            **projectors.gradient_free("image_projector", self.image_projector),
            **projectors.gradient_free("text_projector", self.text_projector),
            **{f"text.{name}": why for name, why in getattr(self.text, "gradient_free", {}).items()},
        }

    def projector(self, features: int) -> nn.Module:
        config = self.config
        if config.projector == "linear":
            return projectors.linear(features, config.dim)
        return projectors.mflag(features, config.hidden, config.dim, config.batch_norm_ends)

    @staticmethod
    def transform(config: CLIPConfig, sample: Sample, rng: np.random.Generator) -> dict[str, Any]:
        """All images of a study and its texts as one report; a study without text takes no part in the loss."""
        return {
            "images": transforms.images(sample, config, rng),
            "texts": [text.row(text.report(sample), config)],
            "labels": sample.get("labels"),
        }

    def encode_image(self, batch: Batch) -> Tensor:
        return study_means(self.vision(batch["images"]), batch["image_index"], len(batch["key"]))

    def encode_text(self, batch: Batch) -> Tensor:
        return self.text(batch["input_ids"], batch["attention_mask"]).to(self.temperature.log_scale.dtype)

    def forward(self, batch: Batch, phase: str = "train") -> StepOutput:
        z = self.encode_image(batch)
        x, y = self.image_projector(z), self.text_projector(self.encode_text(batch))
        told = batch["text_id"] != text.NO_TEXT
        every = gather_batch if self.training else lambda rows: rows  # validation runs in one process
        temperature = self.temperature()
        loss = info_nce(every(x[told]), every(y[told]), temperature, every(batch["text_id"][told]), self.config.duplicates)
        tensors = {"image.backbone": z.detach(), "image.projected": x.detach(), "text.projected": y.detach()}
        return StepOutput({"contrastive": Mean(loss, 1)}, {"temperature": temperature.detach()}, tensors)

    def counts(self, batch: Batch, phase: str) -> Mapping[str, int]:
        return {"contrastive": 1}

    def after_step(self, progress: Progress) -> None:
        self.temperature.clamp()

    def features_of(self, batch: Batch, names: Sequence[str]) -> dict[str, Tensor]:
        """Projected features before they are scaled to unit length: their scale is part of the story."""
        found = {}
        if {"image.backbone", "image.projected"} & set(names):
            found["image.backbone"] = self.encode_image(batch)
            found["image.projected"] = self.image_projector(found["image.backbone"])
        if "text.projected" in names:
            found["text.projected"] = self.text_projector(self.encode_text(batch))
        if "image.patches" in names:
            found["image.patches"] = self.vision.patches(batch["images"][batch["view_index"] == 0])
        return {name: found[name] for name in names}

    def attention(self, batch: Batch) -> dict[str, Tensor]:
        """Attention of a study's first image, (l b h t t); only where the tower is a transformer."""
        return {"image": attention_maps(self.vision, batch["images"][batch["view_index"] == 0])}

    def project_image(self, batch: Batch) -> Tensor:
        return normalize(self.image_projector(self.encode_image(batch)), dim=1)

    def project_text(self, batch: Batch) -> Tensor:
        return normalize(self.text_projector(self.encode_text(batch)), dim=1)

    def score(self, image: Tensor, text: Tensor) -> Tensor:
        """Cosines (b t)."""
        return normalize(image, dim=1) @ normalize(text, dim=1).T

    def levels(self, batch_size: int) -> dict[str, dict[str, Any]]:
        """What the loss reads when every pair looks alike."""
        texts = gathered_rows(batch_size)
        why = f"all {texts} texts of a batch equally likely: ln {texts}, less where texts repeat"
        return {"terms.contrastive": {"value": math.log(texts), "why": why}}

    @torch.no_grad()
    def mechanism_report(self, batch: Batch) -> dict[str, float]:
        """How far pairs stand out from non-pairs, and how many rows repeat a text."""
        cosines = self.score(self.project_image(batch), self.project_text(batch))
        ids = batch["text_id"]
        same = ids[:, None] == ids
        return {
            "temperature": float(self.temperature()),
            "cosine of pairs": float(cosines.diagonal().mean()),
            "cosine of non-pairs": float(cosines[~same].mean()) if (~same).any() else math.nan,
            "pair is the nearest text": float((cosines.argmax(1) == torch.arange(len(ids), device=ids.device)).float().mean()),
            "rows that repeat a text": float(1 - len(ids.unique()) / len(ids)),
        }
