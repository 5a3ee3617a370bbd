"""MedFLIP: one masked view of a film is reconstructed and compared with its report; meaning, not identity, says what matches. Wang et al., 2024.

A re-implementation from the description (arXiv 2403.04626): no code was published. The paper states: masking for speed and for a
second signal, text left whole, soft targets from a semantic similarity matrix as in MedCLIP, and a loss on the largest singular value
of the image-text similarity matrix, raised for positive and lowered for negative pairs. What it leaves open is configuration, listed
under `left_open`; where each default comes from stands under `origins`. Published sizes: recipe medflip-mimic.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn.functional import normalize

from workbench import text, transforms
from workbench.config import Config as BaseConfig
from workbench.config import Live
from workbench.dataset import Sample
from workbench.errors import UserError
from workbench.losses.contrastive import info_nce, soft_clip, soft_floor
from workbench.losses.geometry import Sign, medical_svd, svd_tokens, token_affinity
from workbench.losses.singular import largest_singular
from workbench.masking import random_mask
from workbench.method import Batch, Mean, Method, MethodConfig, Progress, StepOutput, part
from workbench.nn import masked, meaning, projectors
from workbench.nn.attention import attention_maps, lacks_attention
from workbench.nn.colours import to_grey, to_input
from workbench.nn.gather import gather_batch, gathered_rows
from workbench.nn.language import text_tower
from workbench.nn.masked import MaskedFields
from workbench.nn.meaning import MeaningFields
from workbench.nn.temperature import Temperature
from workbench.nn.vision import VisionFields, study_means, vision_tower
from workbench.nn.vit import Encoded, split_mask

VIT = "vit"


class Weights(BaseConfig):
    """Weights of the loss terms."""

    pixels: Live[Annotated[float, Field(ge=0)]] = 1.0
    """Squared error of the removed patches' pixels; at 0 the decoder rests."""
    contrastive: Live[Annotated[float, Field(ge=0)]] = 1.0
    """Image-text contrast."""
    svd: Live[Annotated[float, Field(ge=0)]] = 0.1
    """Medical-SVD; at 0 it is not computed."""


class MedFLIPConfig(MaskedFields, MeaningFields, text.TextFields, MethodConfig):
    """MedFLIP on studies: the mean over a study's images against its whole report."""

    origins: ClassVar[Mapping[str, str]] = {
        "vision": "He et al., MAE, in a size of ours; published ViT-B/16",
        "norm_pix": "He et al., MAE: the paper takes MAE's decoder",
        "mask_ratio": "Li et al., FLIP: half costs nothing; the paper asks for 10, 25 and 50 % and measures no best",
        "dim": "ours: 512 in MedCLIP",
        "temperature": "Wang et al., MedCLIP, and Radford et al., CLIP",
        "temperature_trainable": "Wang et al., MedCLIP, and Radford et al., CLIP",
        "svd": "ours: the form that collapse does not win",
        "svd_sign": "ours: singular values are blind to sign",
        "svd_temperature": "ours",
        "svd_words": "ours: what bounds the cost",
        "weights": "ours",
    }

    vision: str = VIT
    """Image tower: `vit` of the sizes below; any other (`resnet_small`, `timm:NAME`) cannot drop patches and needs mask_ratio 0 and weights.pixels 0."""
    mask_ratio: Live[Annotated[float, Field(ge=0, le=0.98)]] = 0.5
    """Share of the patches that is removed in training; features, maps and zero-shot see whole images."""
    dim: Annotated[int, Field(ge=2)] = 128
    """Width of the shared space."""
    temperature: Annotated[float, Field(ge=0.01, le=10)] = 0.07
    """Start of the softmax temperature."""
    temperature_trainable: bool = True
    """Learn the temperature; its inverse stays at or below 100."""
    svd: Literal["svd_masked", "svd_tokens", "svd_global", "svd_spectrum"] = "svd_masked"
    """Form of the Medical-SVD: masked batch matrix (B), patches against words of every pair (A), whole batch matrix (C, rewards collapse), spectrum matching (D)."""
    svd_sign: Sign = "relu"
    """What svd_masked makes of negative cosines, to which singular values are blind: cut off, left, or (1 + S) / 2."""
    svd_temperature: Annotated[float, Field(ge=0.01, le=10)] = 0.1
    """Softmax temperature inside svd_tokens and svd_spectrum."""
    svd_words: Annotated[int, Field(ge=1, le=512)] = 32
    """Most words of a report that svd_tokens compares."""
    weights: Weights = Weights()
    """Weights of the loss terms."""

    @model_validator(mode="after")
    def only_a_vit_drops_patches(self) -> "MedFLIPConfig":
        if self.vision != VIT and self.mask_ratio:
            raise ValueError(f"vision {self.vision} cannot drop patches; set mask_ratio: 0 and weights.pixels: 0, or vision: {VIT}")
        return self


class MedFLIP(Method):
    """An encoder on the visible patches, a decoder for the hidden ones, a text tower; reconstruction, soft contrast, Medical-SVD."""

    Config = MedFLIPConfig
    config: MedFLIPConfig
    equation = "L = a L_pixels + b L_contrastive + c L_SVD; L_pixels as in MAE; L_contrastive = CE(softmax(S / temperature), softmax(likeness / target_temperature)), both ways; L_SVD (svd_masked) = 1 - s1(S x M+) / s1(M+) + s1(S x M-) / max(s1(M-), 1)"
    left_open = (
        "sizes of encoder, decoder, projectors, images and patches",
        "the mask ratio, of which it asks for several and finds no best",
        "the text tower, its length, and whether it trains",
        "temperature and target temperature",
        "which matrix enters the SVD, its sign and form, and how positives are told from negatives",
        "the weights of the terms",
        "data, optimizer, schedule, batch, augmentation, prompts",
        "whether training ends unmasked: `stages` with `method: {mask_ratio: 0}`",
    )
    needs = frozenset({"image", "text"})
    terms = {"train": ("pixels", "contrastive", "svd")}
    features = {"image.backbone": "b d", "image.patches": "b n d", "image.projected": "b d", "text.projected": "b d"}
    embeds = "image.backbone"
    unused_parameters = True  # the decoder, where nothing is hidden

    def __init__(self, config: MedFLIPConfig) -> None:
        super().__init__(config)
        check(config)
        self.patch_size, self.norm_pix = config.patch_size, config.norm_pix
        with part("vit" if config.vision == VIT else "vision"):
            self.vision = masked.encoder(config) if config.vision == VIT else other_tower(config)
        if config.vision == VIT:
            with part("decoder"):
                self.decoder = masked.decoder(config)
        else:
            self.lacks = lacks_attention(self.vision) | {"Reconstructs": "its image tower cannot drop patches"}
        with part("text"):
            self.text = text_tower(config)
        with part("image_projector"):
            self.image_projector = nn.Sequential(nn.LayerNorm(self.vision.width), projectors.linear(self.vision.width, config.dim))
        with part("text_projector"):
            self.text_projector = projectors.linear(self.text.width, config.dim)
        self.temperature = Temperature(config.temperature, config.temperature_trainable)
        self.always_frozen = () if config.temperature_trainable else ("temperature.*",)
        self.gradient_free = {f"text.{name}": why for name, why in getattr(self.text, "gradient_free", {}).items()}

    @staticmethod
    def transform(config: MedFLIPConfig, sample: Sample, rng: np.random.Generator) -> dict[str, Any]:
        """All images of a study, which share one mask, and its texts as one report; a study without text is only reconstructed."""
        row: dict[str, Any] = {"mask": random_mask((config.image_size // config.patch_size) ** 2, config.mask_ratio, rng)}
        row |= {"images": transforms.images(sample, config, rng), "texts": [text.row(text.report(sample), config)]}
        row |= {"labels": sample.get("labels"), "mask_ratio": np.float32(config.mask_ratio)}
        return row | meaning.needed(sample, config, "medflip")

    def shown(self, batch: Batch) -> Tensor:
        """The images in the units of the loss, (i c h w)."""
        return to_input(batch["images"], self.config.channels, self.config.normalise)

    def grey(self, pixels: Tensor) -> Tensor:
        """Grey values (i h w)."""
        return to_grey(pixels, self.config.normalise)

    def encode(self, images: Tensor, kept: Tensor | None = None) -> Encoded:
        """Whole images, or their `kept` patches; another tower's vector is the mean of its patches."""
        if self.config.vision == VIT:
            return self.vision(images, kept)
        patches = self.vision.patches(images)
        return Encoded(patches.mean(1), patches)

    def of_studies(self, encoded: Encoded, batch: Batch) -> Tensor:
        return study_means(encoded.pooled(self.config.pooling), batch["image_index"], len(batch["key"]))

    def encode_text(self, batch: Batch) -> Tensor:
        return self.text(batch["input_ids"], batch["attention_mask"]).to(self.temperature.log_scale.dtype)

    def forward(self, batch: Batch, phase: str = "train") -> StepOutput:
        config, images = self.config, self.shown(batch)
        kept, removed = split_mask(batch["extra"]["mask"][batch["image_index"]])
        encoded = self.encode(images, kept if removed.shape[1] else None)
        z, t = self.of_studies(encoded, batch), self.encode_text(batch)
        x, y = self.image_projector(z), self.text_projector(t)
        terms: dict[str, Mean] = {}
        scalars = {"temperature": self.temperature().detach()}

        if float(self.weight.pixels):
            loss, scalars["trivial"] = x.sum() * 0, torch.zeros((), device=x.device)
            if removed.shape[1]:
                loss, scalars["trivial"] = masked.hidden_error(self.decoder, images, encoded, kept, removed, config)
            terms["pixels"] = Mean(loss * removed.numel(), removed.numel())

        told = batch["text_id"] != text.NO_TEXT
        every: Callable[[Tensor], Tensor] = gather_batch if self.training else lambda rows: rows  # validation runs in one process
        ids, alike = every(batch["text_id"][told]), self.likeness(batch, t, told, every)
        u, v = every(x[told]), every(y[told])
        if alike is None:
            contrast = info_nce(u, v, self.temperature(), ids, config.duplicates)
        else:
            contrast = soft_clip(u, v, alike / config.target_temperature, 1 / self.temperature())
            scalars["contrastive floor"] = soft_floor(alike / config.target_temperature).detach()
        terms["contrastive"] = Mean(contrast, 1)

        if float(self.weight.svd):
            if config.svd == "svd_tokens":
                svd = self.compare_tokens(batch, encoded, told, every, ids, alike)
            else:
                positives = meaning.positives(alike, ids, config)
                cosines = normalize(u, dim=1) @ normalize(v, dim=1).T
                target = meaning.soft_targets(alike, positives, config).to(u.dtype)
                svd = medical_svd(config.svd, cosines, positives, target, config.svd_sign, config.svd_temperature)
            terms["svd"] = Mean(svd, 1)
        tensors = {"image.backbone": z.detach(), "image.projected": x.detach(), "text.projected": y.detach()}
        return StepOutput(terms, scalars, tensors)

    def likeness(self, batch: Batch, texts: Tensor, told: Tensor, every: Callable[[Tensor], Tensor]) -> Tensor | None:
        """The semantic similarity matrix (b b) of all studies that have a text; none with hard targets."""
        sources = {"labels": batch.get("labels"), "entities": batch["extra"].get("concepts"), "text": texts.detach()}
        rows = sources.get(self.config.targets)
        return None if rows is None else meaning.likeness(every(rows[told]), self.config, "medflip")

    def compare_tokens(
        self, batch: Batch, encoded: Encoded, told: Tensor, every: Callable[[Tensor], Tensor], ids: Tensor, alike: Tensor | None
    ) -> Tensor:
        """Form A on the visible patches of each study's first film and the words of its report."""
        config = self.config
        patches, words, there = self.tokens(batch, encoded, told)
        targets = alike / config.target_temperature if alike is not None else None
        return svd_tokens(every(patches), every(words), every(there.long()).bool(), config.svd_temperature, ids, config.duplicates, targets)

    def tokens(self, batch: Batch, encoded: Encoded, told: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Projected patches (t n d) of the first film and words (t l d) of the report of each study `told` of, and which words there are."""
        words, there = self.text.words(batch["input_ids"][told], batch["attention_mask"][told], self.config.svd_words)
        patches = self.image_projector(encoded.patches[batch["view_index"] == 0][told])
        return patches, self.text_projector(words.to(self.temperature.log_scale.dtype)), there

    def counts(self, batch: Batch, phase: str) -> Mapping[str, int]:
        return {"pixels": int(batch["extra"]["mask"][batch["image_index"]].sum()), "contrastive": 1, "svd": 1}

    def after_step(self, progress: Progress) -> None:
        self.temperature.clamp()

    def features_of(self, batch: Batch, names: Sequence[str]) -> dict[str, Tensor]:
        """Projected features before they are scaled to unit length: their scale is part of the story."""
        found = {}
        if any(name.startswith("image.") for name in names):
            encoded = self.encode(self.shown(batch))
            z = self.of_studies(encoded, batch)
            found = {"image.backbone": z, "image.projected": self.image_projector(z)}
            found["image.patches"] = encoded.patches[batch["view_index"] == 0]
        if "text.projected" in names:
            found["text.projected"] = self.text_projector(self.encode_text(batch))
        return {name: found[name] for name in names}

    def attention(self, batch: Batch) -> dict[str, Tensor]:
        """Attention of a study's first image, (l b h t t); the class token comes first."""
        first = batch["view_index"] == 0
        if self.config.vision == VIT:
            return {"image": self.vision.attention(self.shown(batch)[first])}
        return {"image": attention_maps(self.vision, self.shown(batch)[first])}

    def reconstruct(self, batch: Batch, masking: Tensor) -> tuple[Tensor, Tensor]:
        """All patches painted, in the units of `shown`, and their error (i n) in the space of the loss; see `masked.painted`."""
        return masked.painted(self.vision, self.decoder, self.shown(batch), masking[batch["image_index"]], self.config)

    def project_image(self, batch: Batch) -> Tensor:
        return normalize(self.features_of(batch, ["image.projected"])["image.projected"], dim=1)

    def project_text(self, batch: Batch) -> Tensor:
        return normalize(self.text_projector(self.encode_text(batch)), dim=1)

    def score(self, image: Tensor, text: Tensor) -> Tensor:
        """Cosines (b t)."""
        return normalize(image, dim=1) @ normalize(text, dim=1).T

    def levels(self, batch_size: int) -> dict[str, dict[str, Any]]:
        """What each term reads when nothing is known, and what the chosen form reads at collapse."""
        texts = gathered_rows(batch_size)
        alike = {"value": math.log(texts), "why": f"all {texts} texts of a batch equally likely: ln {texts}"}
        collapse = {
            "svd_masked": {"value": 1.0, "why": "all embeddings equal; unrelated ones read about .99"},
            "svd_tokens": alike,
            "svd_global": {"value": -1.0, "why": "all embeddings equal: this form's best value is collapse"},
        }
        chosen = {"terms.svd": collapse[self.config.svd]} if self.config.svd in collapse else {}
        pixels = masked.level(self.config) if self.config.vision == VIT else {}
        return pixels | {"terms.contrastive": alike} | chosen

    def compared(self, batch: Batch) -> dict[str, Tensor]:
        """Whole images (rows) and reports: "cosines", soft "targets" whose rows sum to 1, "positives", each (t t) over the studies `told` (b) of."""
        told = batch["text_id"] != text.NO_TEXT
        alike = self.likeness(batch, self.encode_text(batch), told, lambda rows: rows)
        positives = meaning.positives(alike, batch["text_id"][told], self.config)
        cosines = self.project_image(batch)[told] @ self.project_text(batch)[told].T
        return {"cosines": cosines, "targets": meaning.soft_targets(alike, positives, self.config), "positives": positives, "told": told}

    @torch.no_grad()
    def mechanism_report(self, batch: Batch) -> dict[str, float]:
        """What masking leaves, how soft the targets are, and the largest singular values the Medical-SVD raises and lowers."""
        found, pairs = self(batch), self.compared(batch)
        told, cosines, positives, targets = (pairs[name] for name in ("told", "cosines", "positives", "targets"))
        x, ids = self.project_image(batch)[told], batch["text_id"][told]
        report = {
            "patches shown": float((~batch["extra"]["mask"]).float().mean()),
            "cosine of masked and whole view": float((normalize(found.tensors["image.projected"][told], dim=1) * x).sum(1).mean()),
            "temperature": float(self.temperature()),
            "rows that repeat a text": float(1 - len(ids.unique()) / len(ids)),
        }
        report["s1 of all, share of its most"] = float(largest_singular(cosines) / max(len(cosines), 1))  # 1: all embeddings equal
        for name, mask in (("positives", positives), ("negatives", ~positives)):
            most = largest_singular(mask.float()).clamp(min=1)
            report[f"cosine of {name}"] = float(cosines[mask].mean()) if mask.any() else math.nan
            report[f"s1 of {name}, share of its most"] = float(largest_singular(cosines.relu() * mask) / most)
        if self.config.svd == "svd_tokens":
            affinity = token_affinity(*self.tokens(batch, self.encode(self.shown(batch)), told))
            others = ~torch.eye(len(ids), dtype=torch.bool, device=ids.device)
            report["s1 of patches and words, own report"] = float(affinity.diagonal().mean())
            report["s1 of patches and words, others"] = float(affinity[others].mean())
        if found.scalars.get("trivial"):
            term = found.terms["pixels"]
            report["explained of the trivial error"] = 1 - float(term.sum / term.count / found.scalars["trivial"])
        if "contrastive floor" in found.scalars:
            report["target on the pair"] = float(targets.diagonal().mean())
            report["entropy of the targets"] = float(found.scalars["contrastive floor"])
        return report


def other_tower(config: MedFLIPConfig) -> nn.Module:
    """A tower that is no ViT of ours and sees whole images."""
    return vision_tower(VisionFields(vision=config.vision, image_size=config.image_size, width=min(config.width, 128)))


def check(config: MedFLIPConfig) -> None:
    """Settings that exclude each other; raises UserError with what to change."""
    if config.vision == VIT:
        masked.check_sizes(config, "medflip")
    elif config.channels != 1 or config.pooling != "mean":
        raise UserError(
            f"method medflip: vision {config.vision} takes grey images and the mean of its patches; set channels: 1, pooling: mean"
        )
    if not config.mask_ratio and config.weights.pixels:
        raise UserError("method medflip: mask_ratio 0 hides nothing to reconstruct; set weights.pixels: 0 too, or a mask_ratio")
