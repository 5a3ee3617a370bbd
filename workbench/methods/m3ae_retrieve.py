"""M3AE finds a report for an image: the matching head's score of the pair, the true text told from others. Chen et al., MICCAI 2022."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from workbench import text, transforms, words
from workbench.config import Config as BaseConfig
from workbench.config import Live
from workbench.dataset import Sample
from workbench.errors import UserError
from workbench.losses.matching import own_text
from workbench.method import Batch, Mean, Method, MethodConfig, ParameterGroup, StepOutput, default_groups, part
from workbench.nn.pair import Pair, TunedFields, check

MATCHES = 1  # row of the matching head that says yes: the published score head starts from it


class Weights(BaseConfig):
    """Weights of the loss terms."""

    ranking: Live[Annotated[float, Field(ge=0)]] = 1.0
    """Cross-entropy of the own report among false ones."""


class M3AERetrieveConfig(TunedFields, MethodConfig):
    """The pair with its matching head."""

    origins: ClassVar[Mapping[str, str]] = {
        "false_texts": "Chen et al., M3AE: its code",
        "negatives": "ours: a report with the same words is no false one",
        "weights": "one term",
    }

    false_texts: Annotated[int, Field(ge=1, le=255)] = 15
    """Other reports of the batch that an image is scored with."""
    negatives: Literal["official", "fixed"] = "fixed"
    """`fixed`: a report with the same words is no false one. `official`: it is."""
    weights: Weights = Weights()
    """Weights of the loss terms."""


class M3AERetrieve(Method):
    """The first image of a study with its own report and those of others in the batch."""

    Config = M3AERetrieveConfig
    config: M3AERetrieveConfig
    equation = "L = mean_i CE(scores of image i with its own report and with false ones, own)"
    needs = frozenset({"image", "text"})
    terms = {"train": ("ranking",)}
    features = {"image.backbone": "b d", "image.patches": "b n d", "joint": "b d"}
    embeds = "image.backbone"

    def __init__(self, config: M3AERetrieveConfig) -> None:
        super().__init__(config)
        check(config, "m3ae_retrieve")
        self.pair = Pair(config, part, match=True)
        no = "only the row of the matching head that says yes is a score"
        self.gradient_free = {**self.pair.gradient_free, "pair.match.bias": f"a constant added to all scores is lost in softmax; {no}"}

    @staticmethod
    def transform(config: M3AERetrieveConfig, sample: Sample, rng: np.random.Generator) -> dict[str, Any]:
        """A study's images and its report; raises UserError where it has none."""
        row = words.row(text.report(sample), config.text, config.text_tokens)
        if row["text_id"] == text.NO_TEXT:
            raise UserError(f"study {sample['key']} has no report and method m3ae_retrieve needs one; leave it out of the data set")
        return {"images": transforms.images(sample, config, rng), "texts": [row], "labels": sample.get("labels")}

    def scores(self, batch: Batch, seen: Tensor, chosen: Tensor) -> Tensor:
        """Scores (b n) of every image with the reports that its row of `chosen` (b n) names."""
        mask, read = batch["attention_mask"], self.pair.read(batch["input_ids"], batch["attention_mask"])
        rows = chosen.flatten()
        images = torch.arange(len(chosen), device=chosen.device).repeat_interleave(chosen.shape[1])
        joint = self.pair.joint(self.pair.fuse(read[rows], mask[rows], seen[images]))
        return self.pair.match(joint)[:, MATCHES].view(chosen.shape)

    def forward(self, batch: Batch, phase: str = "train") -> StepOutput:
        size = len(batch["key"])
        if self.training and size <= self.config.false_texts:
            raise UserError(
                f"method m3ae_retrieve: {self.config.false_texts} false texts for each image, and a batch of {size}; "
                "set method.false_texts below batch"
            )
        order = torch.rand(size, size).fill_diagonal_(-1).argsort(1)  # each image's own text comes first
        chosen = order[:, : self.config.false_texts + 1].to(batch["input_ids"].device)
        scores, ids = self.scores(batch, self.pair.see_first(batch), chosen), batch["text_id"]
        same = ids[chosen] == ids[:, None] if self.config.negatives == "fixed" else None
        right = (scores.detach().argmax(1) == 0).float().mean()
        return StepOutput({"ranking": Mean(own_text(scores, same), size)}, {"own text first": right})

    def counts(self, batch: Batch, phase: str) -> Mapping[str, int]:
        return {"ranking": len(batch["key"])}

    def parameter_groups(self) -> Sequence[ParameterGroup]:
        return default_groups(self, scales=self.config.rates())

    def features_of(self, batch: Batch, names: Sequence[str]) -> dict[str, Tensor]:
        """Of a study's first image and its report."""
        found = self.pair.features(batch, "joint" in names)
        return {name: found[name] for name in names}

    def ranking(self, batch: Batch) -> Tensor:
        """Scores (b b) of every image (row) with every report of a batch, each pair fused for itself; retrieval without fine-tuning, too."""
        every = torch.arange(len(batch["key"]), device=batch["input_ids"].device)
        return self.scores(batch, self.pair.see_first(batch), every.expand(len(every), -1))

    def levels(self, batch_size: int) -> dict[str, dict[str, Any]]:
        """Every text as likely as any."""
        count = self.config.false_texts + 1
        return {"terms.ranking": {"value": math.log(count), "why": f"the own text as likely as any of {count}: ln {count}"}}

    @torch.no_grad()
    def mechanism_report(self, batch: Batch) -> dict[str, float]:
        """Among all pairs of the batch: how often the own report, or one with the same words, has the highest score."""
        ids = batch["text_id"]
        best = self.ranking(batch).argmax(1)
        return {"own report first among all of the batch": float((ids[best] == ids).float().mean()), "chance": 1 / len(ids)}
