"""From standardised grey images to what a tower was trained on, and back to grey values."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.transforms import MEAN, STD

Normalisation = Literal["grey", "imagenet"]
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean and deviation by channel, of grey values in [0, 1]


def to_input(images: Float[Tensor, "i 1 h w"], channels: int, normalisation: Normalisation) -> Float[Tensor, "i c h w"]:
    """Grey repeated over the channels, in the units of the tower."""
    images = images.expand(-1, channels, -1, -1)
    if normalisation == "grey":
        return images
    mean, deviation = _constants(images, channels)
    return (images * STD + MEAN - mean) / deviation


def to_grey(pixels: Float[Tensor, "i c h w"], normalisation: Normalisation) -> Float[Tensor, "i h w"]:
    """Grey values, 0 black and 1 white where the image was in range; the mean of the channels."""
    mean, deviation = (MEAN, STD) if normalisation == "grey" else _constants(pixels, pixels.shape[1])
    return (pixels * deviation + mean).mean(1)


def _constants(like: Tensor, channels: int) -> tuple[Tensor, Tensor]:
    """ImageNet's mean and deviation; those of its grey values for one channel."""
    found = [torch.tensor(values, dtype=like.dtype, device=like.device) for values in IMAGENET]
    mean, deviation = (values if channels == 3 else values.mean(0, keepdim=True) for values in found)
    return mean[:, None, None], deviation[:, None, None]
