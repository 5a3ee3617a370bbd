"""What methods share that hide patches: sizes, masks, the error of the hidden patches, painting them."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import torch
from jaxtyping import Bool, Float, Int
from pydantic import Field
from torch import Tensor

from workbench.errors import UserError
from workbench.losses.reconstruction import masked_pixel
from workbench.nn import vit
from workbench.nn.colours import Normalisation
from workbench.nn.vit import Decoder, Encoded, Encoder, patchify, pick, split_mask
from workbench.transforms import ImageFields

Size = Annotated[int, Field(ge=1, le=4096)]


class MaskedFields(ImageFields):
    """Sizes of a ViT on visible patches and of a lighter decoder; ViT-B/16 is width 768, depth 12, heads 12, decoder 512, 8, 16."""

    origins: ClassVar[Mapping[str, str]] = {
        "patch_size": "ours: 64 patches of a film of 64 pixels",
        "channels": "ours: films are grey",
        "normalise": "ours: there are no published weights to suit",
        "width": "ours: a quarter of ViT-B/16",
        "depth": "ours: half of ViT-B/16",
        "heads": "ours: a quarter of ViT-B/16",
        "decoder_width": "He et al., MAE: two thirds of the encoder",
        "decoder_depth": "ours: what two CPU cores train",
        "decoder_heads": "ours: what two CPU cores train",
        "norm_pix": "He et al., MAE: the recommended target",
        "pooling": "He et al., MAE: the readout of its fine-tuning code",
    }

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
    norm_pix: bool = True
    """Targets are patches standardised by their own mean and deviation, as the paper of MAE recommends; off: pixels themselves."""
    pooling: Literal["mean", "class"] = "mean"
    """What `image.backbone` is: the mean of the patch tokens, or the class token."""


def check_sizes(config: MaskedFields, method: str) -> None:
    """Sizes that divide each other; raises UserError with what to change."""
    if config.image_size % config.patch_size:
        raise UserError(
            f"method {method}: image_size {config.image_size} is no multiple of patch_size {config.patch_size}; change one of them"
        )
    for name, width, heads in (("", config.width, config.heads), ("decoder_", config.decoder_width, config.decoder_heads)):
        if width % heads or width % 4:
            raise UserError(f"method {method}: {name}width {width} must be a multiple of 4 and of {name}heads {heads}; change one of them")


def encoder(config: MaskedFields) -> Encoder:
    """The ViT of a configuration."""
    return Encoder(config.image_size, config.patch_size, config.channels, config.width, config.depth, config.heads)


def decoder(config: MaskedFields) -> Decoder:
    """What paints its hidden patches."""
    side, pixels = config.image_size // config.patch_size, config.patch_size**2 * config.channels
    return Decoder(side, pixels, config.width, config.decoder_width, config.decoder_depth, config.decoder_heads)


def hidden_error(
    layers: Decoder,
    images: Float[Tensor, "i c h w"],
    encoded: Encoded,
    kept: Int[Tensor, "i v"],
    removed: Int[Tensor, "i m"],
    config: MaskedFields,
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Mean squared error over the removed patches, and that of the best constant a reader of the visible ones could paint."""
    pixels, norm_pix = patchify(images, config.patch_size), config.norm_pix
    target, every = pick(pixels, removed), torch.ones_like(removed)
    loss = masked_pixel(layers(encoded, kept, removed), target, every, norm_pix)
    with torch.no_grad():
        guess = torch.zeros_like(target) if norm_pix else pick(pixels, kept).mean((1, 2), keepdim=True).expand_as(target)
        return loss, masked_pixel(guess, target, every, norm_pix)


def painted(
    tower: Encoder, layers: Decoder, images: Float[Tensor, "i c h w"], mask: Bool[Tensor, "i n"], config: MaskedFields
) -> tuple[Float[Tensor, "i c h w"], Float[Tensor, "i n"]]:
    """All patches painted, in the units of the images, and their error in the space of the loss; see `vit.painted`."""
    kept, removed = split_mask(mask)
    prediction = layers(tower(images, kept), kept, removed, everywhere=True)
    return vit.painted(prediction, images, config.patch_size, config.norm_pix)


def level(config: MaskedFields) -> dict[str, dict[str, Any]]:
    """What zero everywhere reaches on standardised patches; on plain pixels that depends on the film: see the scalar `trivial`."""
    if not config.norm_pix:
        return {}
    count = config.patch_size**2 * config.channels
    return {"terms.pixels": {"value": 1 - 1 / count, "why": f"zero in every removed patch of {count} standardised pixels"}}
