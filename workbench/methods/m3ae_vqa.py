"""M3AE answers questions: the pre-trained pair reads image and question, a head chooses among the known answers. Chen et al., MICCAI 2022."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import one_hot

from workbench import text, transforms, words
from workbench.batches import others_images
from workbench.config import Config as BaseConfig
from workbench.config import Live
from workbench.dataset import Sample
from workbench.errors import UserError
from workbench.losses.classification import answer_bce
from workbench.method import Batch, Mean, Method, MethodConfig, ParameterGroup, StepOutput, default_groups, part
from workbench.nn.fusion import Head
from workbench.nn.pair import Pair, TunedFields, check

NONE, UNKNOWN = -2, -1  # places of the target row without a question, and with an answer that is not among the known ones


class Weights(BaseConfig):
    """Weights of the loss terms."""

    answers: Live[Annotated[float, Field(ge=0)]] = 1.0
    """Binary cross-entropy of the answers."""


class M3AEVQAConfig(TunedFields, MethodConfig):
    """The pair and a head over answers."""

    origins: ClassVar[Mapping[str, str]] = {
        "answers": "ours: the least there can be; take those of your data",
        "questions": "ours: published, every question is a pair of its own",
        "weights": "one term",
    }

    answers: Annotated[tuple[str, ...], Field(min_length=2)] = ("no", "yes")
    """The answers there are to choose from (`workbench data answers` lists those of the training split; the published code lists those of validation and test, too). A question with another answer has no right one here and counts as wrong."""
    questions: Annotated[int, Field(ge=1, le=64)] = 4
    """Most questions of a study in one step, drawn anew each time."""
    weights: Weights = Weights()
    """Weights of the loss terms."""


class M3AEVQA(Method):
    """The first image of a study with each of its questions."""

    Config = M3AEVQAConfig
    config: M3AEVQAConfig
    equation = "L = sum over answers, mean over questions, of BCE(logit, right)"
    needs = frozenset({"image", "questions"})
    terms = {"train": ("answers",)}
    features = {"image.backbone": "b d", "image.patches": "b n d", "joint": "b d"}
    embeds = "image.backbone"

    def __init__(self, config: M3AEVQAConfig) -> None:
        super().__init__(config)
        check(config, "m3ae_vqa")
        self.pair = Pair(config, part)
        with part("head"):
            self.head = Head(2 * config.fusion_width, len(config.answers))
        self.gradient_free = self.pair.gradient_free

    @staticmethod
    def transform(config: M3AEVQAConfig, sample: Sample, rng: np.random.Generator) -> dict[str, Any]:
        """A study's images and some of its questions; raises UserError where it has none."""
        asked = list(sample.get("questions", ()))
        if not asked:
            raise UserError(f"study {sample['key']} has no question and method m3ae_vqa needs one; leave it out of the data set")
        chosen = [asked[place] for place in rng.permutation(len(asked))[: config.questions]]
        places = {text.normalise(answer): place for place, answer in enumerate(config.answers)}
        target, closed = np.full(config.questions, NONE), np.zeros(config.questions, bool)
        target[: len(chosen)] = [places.get(text.normalise(each["answer"]), UNKNOWN) for each in chosen]
        closed[: len(chosen)] = [each["answer_type"] == "closed" for each in chosen]
        return {
            "images": transforms.images(sample, config, rng),
            "texts": [words.row(each["question"], config.text, config.text_tokens) for each in chosen],
            "labels": sample.get("labels"),
            "target": target,
            "closed": closed,
        }

    def answer(self, batch: Batch) -> Tensor:
        """Logits (t k) of the known answers."""
        return self.head(self.pair.joint_of(batch, self.pair.see_first(batch), batch["text_index"]))

    def forward(self, batch: Batch, phase: str = "train") -> StepOutput:
        asked = batch["extra"]["target"] != NONE
        target, closed = batch["extra"]["target"][asked], batch["extra"]["closed"][asked]
        logits = self.answer(batch)
        known = (target != UNKNOWN)[:, None]
        scores = one_hot(target.clamp(min=0), logits.shape[1]) * known
        right = (logits.detach().argmax(1) == target).float()
        scalars = {
            name: right[which].sum() / which.sum().clamp(min=1)
            for name, which in (("answers right", target == target), ("closed right", closed), ("open right", ~closed))
        }
        return StepOutput({"answers": Mean(answer_bce(logits, scores), len(target))}, scalars)

    def counts(self, batch: Batch, phase: str) -> Mapping[str, int]:
        return {"answers": int((batch["extra"]["target"] != NONE).sum())}

    def parameter_groups(self) -> Sequence[ParameterGroup]:
        return default_groups(self, scales=self.config.rates())

    def features_of(self, batch: Batch, names: Sequence[str]) -> dict[str, Tensor]:
        """Of a study's first image; `joint` is the mean over its questions."""
        found = self.pair.features(batch, "joint" in names)
        return {name: found[name] for name in names}

    def levels(self, batch_size: int) -> dict[str, dict[str, Any]]:
        """The loss of a coin for every answer."""
        count = len(self.config.answers)
        return {"terms.answers": {"value": count * math.log(2), "why": f"each of {count} answers as likely as not: {count} ln 2"}}

    @torch.no_grad()
    def mechanism_report(self, batch: Batch) -> dict[str, float]:
        """Answers right with the study's own image and with another's: what the question alone gives away."""
        target = batch["extra"]["target"][batch["extra"]["target"] != NONE]
        shown = (("its own image", batch), ("another's image", others_images(batch)))
        return {f"answers right, {name}": float((self.answer(each).argmax(1) == target).float().mean()) for name, each in shown}
