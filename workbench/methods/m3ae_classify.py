"""M3AE classifies image and text together: the pre-trained pair under a head over labels. Chen et al., MICCAI 2022.

Published for single classes of figures and captions (MELINDA); here for labels of which a study has any number.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from workbench import transforms, words
from workbench.batches import others_images, others_texts
from workbench.config import Config as BaseConfig
from workbench.config import Live
from workbench.dataset import Sample
from workbench.losses.classification import stated_bce
from workbench.method import Batch, Mean, Method, MethodConfig, ParameterGroup, StepOutput, default_groups, part
from workbench.nn.fusion import Head
from workbench.nn.pair import Pair, TunedFields, check


class Weights(BaseConfig):
    """Weights of the loss terms."""

    labels: Live[Annotated[float, Field(ge=0)]] = 1.0
    """Binary cross-entropy of the stated labels."""


class M3AEClassifyConfig(TunedFields, MethodConfig):
    """The pair and a head over labels."""

    origins: ClassVar[Mapping[str, str]] = {
        "labels": "ours; take the number of your data",
        "section": "ours: the whole report",
        "weights": "one term",
    }

    labels: Annotated[int, Field(ge=1)] = 6
    """Number of labels of the data set."""
    section: str = ""
    """Read only this section of a report, such as `impression`; empty: all of it. What states the labels leaves nothing for the image to add."""
    weights: Weights = Weights()
    """Weights of the loss terms."""


class M3AEClassify(Method):
    """The first image of a study with its report."""

    Config = M3AEClassifyConfig
    config: M3AEClassifyConfig
    equation = "L = mean over the stated labels of BCE(logit, label)"
    left_open = ("labels of which a study has any number: published for single classes",)
    needs = frozenset({"image", "text", "labels"})
    terms = {"train": ("labels",)}
    features = {"image.backbone": "b d", "image.patches": "b n d", "joint": "b d", "joint.logits": "b k"}
    embeds = "image.backbone"

    def __init__(self, config: M3AEClassifyConfig) -> None:
        super().__init__(config)
        check(config, "m3ae_classify")
        self.pair = Pair(config, part)
        with part("head"):
            self.head = Head(2 * config.fusion_width, config.labels)
        self.gradient_free = self.pair.gradient_free

    @staticmethod
    def transform(config: M3AEClassifyConfig, sample: Sample, rng: np.random.Generator) -> dict[str, Any]:
        """A study's images, its report or a section of it, its labels; raises UserError where it has another number of labels."""
        read = [each.text for each in sample["texts"] if config.section in ("", each.section)]
        return {
            "labels": transforms.labels(sample, config.labels, "m3ae_classify"),
            "images": transforms.images(sample, config, rng),
            "texts": [words.row("\n\n".join(read), config.text, config.text_tokens)],
        }

    def forward(self, batch: Batch, phase: str = "train") -> StepOutput:
        logits, labels = self.features_of(batch, ["joint.logits"])["joint.logits"], batch["labels"]
        return StepOutput({"labels": Mean(stated_bce(logits, labels), (~labels.isnan()).sum())})

    def counts(self, batch: Batch, phase: str) -> Mapping[str, int]:
        return {"labels": int((~batch["labels"].isnan()).sum())}

    def parameter_groups(self) -> Sequence[ParameterGroup]:
        return default_groups(self, scales=self.config.rates())

    def features_of(self, batch: Batch, names: Sequence[str]) -> dict[str, Tensor]:
        """Of a study's first image and its report."""
        found = self.pair.features(batch, bool({"joint", "joint.logits"} & set(names)))
        if "joint" in found:
            found["joint.logits"] = self.head(found["joint"])
        return {name: found[name] for name in names}

    def levels(self, batch_size: int) -> dict[str, dict[str, Any]]:
        """The loss of a coin."""
        return {"terms.labels": {"value": math.log(2), "why": "every label as likely as not: ln 2"}}

    @torch.no_grad()
    def mechanism_report(self, batch: Batch) -> dict[str, float]:
        """Stated labels right with the pair whole, with another's image, with another's report."""
        stated, labels = ~batch["labels"].isnan(), batch["labels"]
        found = {}
        asked = {"its own pair": batch, "another's image": others_images(batch), "another's report": others_texts(batch)}
        for name, shown in asked.items():
            logits = self.features_of(shown, ["joint.logits"])["joint.logits"]
            found[f"labels right, {name}"] = float(((logits > 0) == (labels == 1))[stated].float().mean())
        return found
