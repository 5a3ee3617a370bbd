"""MAE: three quarters of the patches are removed, the encoder sees the rest, a small decoder paints what is missing. He et al., CVPR 2022."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from workbench import transforms
from workbench.config import Config as BaseConfig
from workbench.config import Live
from workbench.dataset import Sample
from workbench.masking import random_mask
from workbench.method import Batch, Mean, Method, MethodConfig, StepOutput, part
from workbench.nn import masked
from workbench.nn.colours import to_grey, to_input
from workbench.nn.masked import MaskedFields
from workbench.nn.vision import study_means
from workbench.nn.vit import split_mask


class Weights(BaseConfig):
    """Weights of the loss terms."""

    pixels: Live[Annotated[float, Field(ge=0)]] = 1.0
    """Squared error of the removed patches' pixels."""


class MAEConfig(MaskedFields, MethodConfig):
    """A ViT on visible patches and a lighter decoder; the paper's ViT-B/16 is width 768, depth 12, heads 12, decoder 512, 8, 16."""

    origins: ClassVar[Mapping[str, str]] = {
        "mask_ratio": "He et al., CVPR 2022",
        "weights": "one term",
    }

    mask_ratio: Live[Annotated[float, Field(ge=0.02, le=0.98)]] = 0.75
    """Share of the patches that is removed."""
    weights: Weights = Weights()
    """Weights of the loss terms."""


class MAE(Method):
    """Encoder on the visible patches, decoder on all of them, loss on the removed ones."""

    Config = MAEConfig
    config: MAEConfig
    equation = "Mean over the removed patches of |prediction - target|^2; target: the patch, with norm_pix standardised by its own mean and deviation"
    needs = frozenset({"image"})
    terms = {"train": ("pixels",)}
    features = {"image.backbone": "b d", "image.patches": "b n d"}
    embeds = "image.backbone"

    def __init__(self, config: MAEConfig) -> None:
        super().__init__(config)
        masked.check_sizes(config, "mae")
        self.patch_size, self.norm_pix = config.patch_size, config.norm_pix
        with part("vit"):
            self.vision = masked.encoder(config)
        with part("decoder"):
            self.decoder = masked.decoder(config)

    @staticmethod
    def transform(config: MAEConfig, sample: Sample, rng: np.random.Generator) -> dict[str, Any]:
        """All images of a study, which share one mask; it is drawn first, so that it does not depend on the augmentation."""
        mask = random_mask((config.image_size // config.patch_size) ** 2, config.mask_ratio, rng)
        return {
            "images": transforms.images(sample, config, rng),
            "labels": sample.get("labels"),
            "mask": mask,
            "mask_ratio": np.float32(config.mask_ratio),
        }

    def shown(self, batch: Batch) -> Tensor:
        """The images in the units of the loss, (i c h w)."""
        return to_input(batch["images"], self.config.channels, self.config.normalise)

    def grey(self, pixels: Tensor) -> Tensor:
        """Grey values (i h w)."""
        return to_grey(pixels, self.config.normalise)

    def forward(self, batch: Batch, phase: str = "train") -> StepOutput:
        images = self.shown(batch)
        kept, removed = split_mask(batch["extra"]["mask"][batch["image_index"]])
        encoded = self.vision(images, kept)
        loss, trivial = masked.hidden_error(self.decoder, images, encoded, kept, removed, self.config)
        z = study_means(encoded.pooled(self.config.pooling), batch["image_index"], len(batch["key"]))
        return StepOutput({"pixels": Mean(loss * removed.numel(), removed.numel())}, {"trivial": trivial}, {"image.backbone": z.detach()})

    def counts(self, batch: Batch, phase: str) -> Mapping[str, int]:
        return {"pixels": int(batch["extra"]["mask"][batch["image_index"]].sum())}

    def features_of(self, batch: Batch, names: Sequence[str]) -> dict[str, Tensor]:
        """Of whole images: the mean over a study's images, and the patches of its first."""
        encoded, index = self.vision(self.shown(batch)), batch["image_index"]
        found = {"image.backbone": study_means(encoded.pooled(self.config.pooling), index, len(batch["key"]))}
        return {name: found[name] if name in found else encoded.patches[batch["view_index"] == 0] for name in names}

    def attention(self, batch: Batch) -> dict[str, Tensor]:
        """Attention of whole images, a study's first, (l b h t t); the class token comes first, then the patches row by row."""
        return {"image": self.vision.attention(self.shown(batch)[batch["view_index"] == 0])}

    def reconstruct(self, batch: Batch, masking: Tensor) -> tuple[Tensor, Tensor]:
        """All patches painted, in the units of `shown`, and their error (i n) in the space of the loss; see `masked.painted`."""
        return masked.painted(self.vision, self.decoder, self.shown(batch), masking[batch["image_index"]], self.config)

    def levels(self, batch_size: int) -> dict[str, dict[str, Any]]:
        """What zero everywhere reaches."""
        return masked.level(self.config)

    @torch.no_grad()
    def mechanism_report(self, batch: Batch) -> dict[str, float]:
        """How much of the removed patches is explained beyond the trivial guess, and how little the encoder was shown."""
        found = self(batch)
        term = found.terms["pixels"]
        return {
            "explained of the trivial error": 1 - float(term.sum / term.count / found.scalars["trivial"]),
            "patches shown": float((~batch["extra"]["mask"]).float().mean()),
        }
