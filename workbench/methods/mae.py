"""MAE: three quarters of the patches are removed, the encoder sees the rest, a small decoder paints what is missing. He et al., CVPR 2022."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from workbench import transforms
from workbench.config import Config as BaseConfig
from workbench.config import Live
from workbench.dataset import Sample
from workbench.errors import UserError
from workbench.losses.reconstruction import masked_pixel
from workbench.masking import random_mask
from workbench.method import Batch, Mean, Method, MethodConfig, StepOutput, part
from workbench.nn.colours import Normalisation, to_grey, to_input
from workbench.nn.vision import study_means
from workbench.nn.vit import Decoder, Encoder, painted, patchify, pick, split_mask
from workbench.transforms import ImageFields

Size = Annotated[int, Field(ge=1, le=4096)]


class Weights(BaseConfig):
    """Weights of the loss terms."""

    pixels: Live[Annotated[float, Field(ge=0)]] = 1.0
    """Squared error of the removed patches' pixels."""


class MAEConfig(ImageFields, MethodConfig):
    """A ViT on visible patches and a lighter decoder; the paper's ViT-B/16 is width 768, depth 12, heads 12, decoder 512, 8, 16."""

    patch_size: Annotated[int, Field(ge=2, le=64)] = 8
    """Side of a patch in pixels; the image's side is a multiple of it."""
    channels: Literal[1, 3] = 1
    """1 for grey images; 3 where the weights came from colour images, grey is then repeated."""
    normalise: Normalisation = "grey"
    """`grey`: one mean and deviation for all films; `imagenet`: those of the published weights, which see noise otherwise."""
    width: Size = 192
    """Width of the encoder, a multiple of 4 and of `heads`."""
    depth: Annotated[int, Field(ge=1, le=64)] = 6
    """Blocks of the encoder."""
    heads: Size = 3
    """Attention heads of the encoder."""
    decoder_width: Size = 128
    """Width of the decoder, a multiple of 4 and of `decoder_heads`."""
    decoder_depth: Annotated[int, Field(ge=1, le=64)] = 2
    """Blocks of the decoder."""
    decoder_heads: Size = 4
    """Attention heads of the decoder."""
    mask_ratio: Live[Annotated[float, Field(ge=0.02, le=0.98)]] = 0.75
    """Share of the patches that is removed."""
    norm_pix: bool = True
    """Targets are patches standardised by their own mean and deviation, as the paper recommends; off: pixels themselves."""
    pooling: Literal["mean", "class"] = "mean"
    """What `image.backbone` is: the mean of the patch tokens, or the class token."""
    weights: Weights = Weights()
    """Weights of the loss terms."""


class MAE(Method):
    """Encoder on the visible patches, decoder on all of them, loss on the removed ones."""

    Config = MAEConfig
    config: MAEConfig
    needs = frozenset({"image"})
    terms = {"train": ("pixels",)}
    features = {"image.backbone": "b d", "image.patches": "b n d"}
    embeds = "image.backbone"

    def __init__(self, config: MAEConfig) -> None:
        super().__init__(config)
        check(config)
        self.patch_size, self.norm_pix = config.patch_size, config.norm_pix
        side, pixels = config.image_size // config.patch_size, config.patch_size**2 * config.channels
        with part("vit"):
            self.vision = Encoder(config.image_size, config.patch_size, config.channels, config.width, config.depth, config.heads)
        with part("decoder"):
            self.decoder = Decoder(side, pixels, config.width, config.decoder_width, config.decoder_depth, config.decoder_heads)

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
        prediction = self.decoder(encoded, kept, removed)

        pixels = patchify(images, self.patch_size)
        target, every = pick(pixels, removed), torch.ones_like(removed)
        loss = masked_pixel(prediction, target, every, self.norm_pix)
        with torch.no_grad():
            guess = torch.zeros_like(target) if self.norm_pix else pick(pixels, kept).mean((1, 2), keepdim=True).expand_as(target)
            trivial = masked_pixel(guess, target, every, self.norm_pix)
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
        """All patches painted, in the units of `shown`, and their error (i n) in the space of the loss; with `norm_pix` the
        true mean and deviation of each patch turn the prediction into pixels, which no reader of hidden patches has."""
        images = self.shown(batch)
        kept, removed = split_mask(masking[batch["image_index"]])
        prediction = self.decoder(self.vision(images, kept), kept, removed, everywhere=True)
        return painted(prediction, images, self.patch_size, self.norm_pix)

    def levels(self, batch_size: int) -> dict[str, dict[str, Any]]:
        """What zero everywhere reaches on standardised patches; on plain pixels that depends on the film: see the scalar `trivial`."""
        if not self.norm_pix:
            return {}
        count = self.patch_size**2 * self.config.channels
        return {"terms.pixels": {"value": 1 - 1 / count, "why": f"zero in every removed patch of {count} standardised pixels"}}

    @torch.no_grad()
    def mechanism_report(self, batch: Batch) -> dict[str, float]:
        """How much of the removed patches is explained beyond the trivial guess, and how little the encoder was shown."""
        found = self(batch)
        term = found.terms["pixels"]
        return {
            "explained of the trivial error": 1 - float(term.sum / term.count / found.scalars["trivial"]),
            "patches shown": float((~batch["extra"]["mask"]).float().mean()),
        }


def check(config: MAEConfig) -> None:
    """Sizes that divide each other; raises UserError with what to change."""
    if config.image_size % config.patch_size:
        raise UserError(f"method mae: image_size {config.image_size} is no multiple of patch_size {config.patch_size}; change one of them")
    for name, width, heads in (("", config.width, config.heads), ("decoder_", config.decoder_width, config.decoder_heads)):
        if width % heads or width % 4:
            raise UserError(f"method mae: {name}width {width} must be a multiple of 4 and of {name}heads {heads}; change one of them")
