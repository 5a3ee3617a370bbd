"""M-FLAG: a frozen language model, an image encoder aligned with it and kept orthogonal. Liu et al., MICCAI 2023.

`official` is what the published code does where that is not what the paper says or what one would want: see orthogonality, augment,
gathering, norm_decay, report, grey_range. At the published sizes 78.5 % fewer parameters train than with both encoders (the paper's
78 %): image encoder 23.5 M and its projector 6.3 M of 138.7 M. With the text projector, which the code trains too, it is 76.5 %.
Unfreezing the language model from the top, which the paper found to collapse: `text_trainable: true` and stages with `top_layers: {text: N}`.
Not taken over: losses in half precision, grey values over .5 (here .25) after a crop to what is not black, text vectors of any length
(here unit rows), the same order every epoch.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, normalize

from workbench import account, text, transforms, warps
from workbench.analysis.collapse import exp_entropy
from workbench.config import Config as BaseConfig
from workbench.config import Live
from workbench.dataset import Image, Sample
from workbench.errors import UserError
from workbench.losses.geometry import mflag_alignment, orthogonality, orthogonality_floor
from workbench.method import Batch, Mean, Method, MethodConfig, ParameterGroup, StepOutput, default_groups, part
from workbench.nn import projectors
from workbench.nn.attention import attention_maps, lacks_attention
from workbench.nn.gather import gather_batch, gathered_rows
from workbench.nn.language import text_tower
from workbench.nn.vision import VisionFields, study_means, vision_tower


class Weights(BaseConfig):
    """Weights of the loss terms."""

    alignment: Live[Annotated[float, Field(ge=0)]] = 1.0
    """Projected image and text point the same way."""
    orthogonality: Live[Annotated[float, Field(ge=0)]] = 1.0
    """Backbone features are uncorrelated."""


class MFLAGConfig(VisionFields, text.TextFields, MethodConfig):
    """M-FLAG on studies: the mean over a study's images against its whole report."""

    origins: ClassVar[Mapping[str, str]] = {
        "hidden": "ours: what two CPU cores train; the code has 2048",
        "dim": "ours: what two CPU cores train; the code has 1024",
        "text_projector": "Liu et al., M-FLAG: its code, not its wording",
        "batch_norm_ends": "Liu et al., M-FLAG: its code",
        "orthogonality": "Liu et al., M-FLAG: its wording, not its code",
        "off_diagonal_weight": "the form's own: Barlow Twins' weight in the code, equal weight in the paper",
        "reduction": "Liu et al., M-FLAG: paper and code",
        "gathering": "ours: the same loss on one process and on several",
        "norm_decay": "ours: norms and biases are not decayed",
        "report": "ours: words at the seam stay apart",
        "grey_range": "ours: the brightest pixel stays bright",
        "weights": "Liu et al., M-FLAG: 1 each",
    }

    hidden: Annotated[int, Field(ge=1)] = 256
    """Hidden width of the projectors (2048 in the paper)."""
    dim: Annotated[int, Field(ge=2)] = 128
    """Width of the shared space (1024 in the paper); the text tower's own width with `text_projector: none`."""
    text_projector: Literal["trainable", "none"] = "trainable"
    """`trainable` as in the official code; `none` as the paper's text has it: the target is the frozen text vector itself."""
    batch_norm_ends: bool = True
    """Projectors end in a BatchNorm without parameters: without it both sides may shrink to one point."""
    orthogonality: Literal["official", "correlation"] = "correlation"
    """`official`: second moments, neither centred nor scaled, as in the code; `correlation`: columns standardised over the batch, as in the paper."""
    off_diagonal_weight: Annotated[float, Field(ge=0)] | None = None
    """Weight of the off-diagonal squares; none: .0051 for `official`, 1 for `correlation`."""
    reduction: Literal["sum", "mean"] = "sum"
    """Sum over the matrix (as published), or that divided by the number of features."""
    augment: Literal["none", "shift_gain", "crop", "official", "mild"] = "shift_gain"  # type: ignore[assignment]
    """Random changes in training. `official`: cropped from 8/7 of the side, turned by 0 to 90 degrees, in half of the films perspective, in half full contrast; `mild`: the crop, turned by up to 10 degrees to either side, contrast and brightness; the others as in every method."""
    gathering: Literal["official", "fixed"] = "fixed"
    """`fixed`: the features' matrix is taken over the rows of all processes; `official`: over each process's own, of less rank."""
    norm_decay: Literal["official", "fixed"] = "fixed"
    """`official`: weight decay on biases and norms as on matrices, all in one group."""
    report: Literal["official", "fixed"] = "fixed"
    """`fixed`: all sections in order; `official`: impression, then findings, with nothing between the two."""
    grey_range: Literal["official", "fixed"] = "fixed"
    """`official`: grey values times 256 cut to 8 bits, so that the brightest pixels turn black; `fixed`: the whole range."""
    weights: Weights = Weights()
    """Weights of the loss terms."""


class MFLAG(Method):
    """Alignment of projected image and text, orthogonality of the backbone's features."""

    Config = MFLAGConfig
    config: MFLAGConfig
    equation = "L = mean_i (4 - 4 cos(x_i, y_i)) + 1/2 [sum_k (C_kk - 1)^2 + w sum_{k!=l} C_kl^2], C = Z'Z / B of the backbone's features (official, w = .0051) or of those standardised over the batch (correlation, w = 1)"
    left_open = (
        "whether the text has a projector: the paper shows none, the code trains one",
        "the weight of the off-diagonal squares in the paper's form",
        "epochs: 100 in the text, 50 in the code's configuration, which runs one more",
        "the protocol of every downstream task: no code was published",
        "how the language model was unfrozen: the code has no such stage",
    )
    needs = frozenset({"image", "text"})
    terms = {"train": ("alignment", "orthogonality")}
    features = {"image.backbone": "b d", "image.patches": "b n d", "image.projected": "b d", "text.projected": "b d"}
    embeds = "image.backbone"

    def __init__(self, config: MFLAGConfig) -> None:
        super().__init__(config)
        with part("vision"):
            self.vision = vision_tower(config)
        self.lacks = lacks_attention(self.vision)
        with part("text"):
            self.text = text_tower(config)
        if config.text_projector == "none" and config.dim != self.text.width:
            raise UserError(
                f"method mflag: text_projector: none compares with the text vector itself; set dim: {self.text.width}, it is {config.dim}"
            )
        with part("image_projector"):
            self.image_projector = self.projector(self.vision.width)
        with part("text_projector"):
            self.text_projector = self.projector(self.text.width) if config.text_projector == "trainable" else nn.Identity()
        self.gradient_free = {
            **projectors.gradient_free("image_projector", self.image_projector),
            **projectors.gradient_free("text_projector", self.text_projector),
            **{f"text.{name}": why for name, why in getattr(self.text, "gradient_free", {}).items()},
        }

    def projector(self, features: int) -> nn.Module:
        return projectors.mflag(features, self.config.hidden, self.config.dim, self.config.batch_norm_ends)

    @staticmethod
    def transform(config: MFLAGConfig, sample: Sample, rng: np.random.Generator) -> dict[str, Any]:
        """All images of a study and its texts as one report; a study without text is not aligned."""
        return {
            "images": films(sample, config, rng),
            "texts": [text.row(report(sample, config.report), config)],
            "labels": sample.get("labels"),
        }

    def encode_image(self, batch: Batch) -> Tensor:
        return study_means(self.vision(batch["images"]), batch["image_index"], len(batch["key"]))

    def encode_text(self, batch: Batch) -> Tensor:
        return self.text(batch["input_ids"], batch["attention_mask"]).to(next(self.image_projector.parameters()).dtype)

    def forward(self, batch: Batch, phase: str = "train") -> StepOutput:
        z = self.encode_image(batch)
        x, y = self.image_projector(z), self.text_projector(self.encode_text(batch))
        told = batch["text_id"] != text.NO_TEXT
        rows = int(told.sum())
        alignment = mflag_alignment(x[told], y[told]) * rows if rows else x.sum() * 0
        config = self.config
        alone = config.gathering == "official" or not self.training  # validation runs in one process
        gathered = z if alone else gather_batch(z)
        spread = orthogonality(gathered, config.orthogonality, config.off_diagonal_weight, config.reduction)
        tensors = {"image.backbone": z.detach(), "image.projected": x.detach(), "text.projected": y.detach()}
        return StepOutput({"alignment": Mean(alignment, rows), "orthogonality": Mean(spread, 1)}, tensors=tensors)

    def counts(self, batch: Batch, phase: str) -> Mapping[str, int]:
        return {"alignment": int((batch["text_id"] != text.NO_TEXT).sum()), "orthogonality": 1}

    def parameter_groups(self) -> Sequence[ParameterGroup]:
        return [ParameterGroup("*")] if self.config.norm_decay == "official" else default_groups(self)

    @staticmethod
    def published() -> dict[str, tuple[nn.Module, bool]]:
        """ResNet-50, BERT-base and the projectors of the paper; the text projector is the code's."""
        from transformers import BertConfig, BertModel

        return {
            "image encoder": (vision_tower(VisionFields(vision="timm:resnet50", image_size=224)), True),
            "image projector": (projectors.mflag(2048, 2048, 1024), True),
            "text projector": (projectors.mflag(768, 2048, 1024), True),
            "language model": (BertModel(BertConfig(), add_pooling_layer=False), False),
        }

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
        """Alignment of unrelated directions, and how far orthogonality can fall with this many rows."""
        config = self.config
        rows = batch_size if config.gathering == "official" else gathered_rows(batch_size)
        floor = orthogonality_floor(rows, self.vision.width, config.orthogonality, config.off_diagonal_weight, config.reduction)
        return {
            "terms.alignment": {"value": 4.0, "why": "image and text unrelated: cosine 0"},
            "terms.orthogonality": {"value": floor, "why": f"the least that {rows} rows of {self.vision.width} features allow"},
        }

    @torch.no_grad()
    def mechanism_report(self, batch: Batch) -> dict[str, float]:
        """Whether alignment was bought with collapse: cosines beside correlation, scale and dead features."""
        found = self.features_of(batch, list(self.features))
        z, x = found["image.backbone"], found["image.projected"]
        standard = (z - z.mean(0)) / (z.var(0, correction=0) + 1e-5).sqrt()
        correlation = standard.T @ standard / len(z)
        unit = normalize(x, dim=1)
        counted = account.of_method(self)
        trained = sum(part.trained for part in counted)
        return {
            "cosine of pairs": float(cosine_similarity(x, found["text.projected"]).mean()),
            "mean |off-diagonal correlation|": float(
                (correlation - correlation.diagonal().diag()).abs().sum() / (z.shape[1] * (z.shape[1] - 1))
            ),
            "std of unit rows x sqrt(d)": float(unit.std(0, correction=0).mean() * unit.shape[1] ** 0.5),
            "projected features of std below .1 / sqrt(d)": float((unit.std(0, correction=0) < 0.1 / unit.shape[1] ** 0.5).float().mean()),
            "effective rank of the backbone": exp_entropy(torch.linalg.svdvals((z - z.mean(0)).float()).double().cpu().numpy()),
            "dead backbone features": float((z.abs().amax(0) == 0).float().mean()),
            "trainable parameters": float(trained),
            "share of the parameters that does not train": account.saved(counted),
        }


def films(sample: Sample, config: MFLAGConfig, rng: np.random.Generator) -> list[np.ndarray]:
    """Every image of a study, (1 h w) each, with the grey values and changes of the configuration."""
    if config.grey_range == "official":
        wrapped = [Image(warps.wrapped(transforms.grey(image, sample["key"]))) for image in sample["images"]]
        sample = {**sample, "images": wrapped}
    kind = config.augment
    if kind == "official" or kind == "mild":
        return [warps.warped(image, config, kind, rng)[None] for image in transforms.images_as_stored(sample)]
    return transforms.images(sample, config, rng)


def report(sample: Sample, order: str) -> str:
    """A study's texts as one; raises UserError where `official` finds neither of its two sections."""
    if order == "fixed" or not sample["texts"]:
        return text.report(sample)
    sections = {(each.section or "").casefold(): each.text for each in sample["texts"]}
    if not {"impression", "findings"} & set(sections):
        raise UserError(
            f"study {sample['key']}: method mflag: report: official joins impression and findings, it has neither; set report: fixed"
        )
    return sections.get("impression", "") + sections.get("findings", "")
