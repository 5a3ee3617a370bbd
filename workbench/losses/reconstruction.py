"""Losses on what was hidden."""

import torch
from jaxtyping import Float
from torch import Tensor

from workbench.losses.precision import in_float32

EPSILON = 1e-6  # under the root of a patch's variance


def patch_statistics(target: Float[Tensor, "... p"]) -> tuple[Float[Tensor, "... 1"], Float[Tensor, "... 1"]]:
    """Mean and deviation of each patch's own pixels, the variance unbiased."""
    variance, mean = torch.var_mean(target, dim=-1, keepdim=True)
    return mean, (variance + EPSILON).sqrt()


@in_float32
def masked_pixel(
    prediction: Float[Tensor, "b n p"], target: Float[Tensor, "b n p"], mask: Float[Tensor, "b n"], norm_pix: bool
) -> Float[Tensor, ""]:
    """Mean over the removed patches (mask 1) of their mean squared pixel error; 0 where none is removed. He et al., MAE, CVPR 2022.

    `norm_pix`: the target is each patch standardised by its own mean and deviation.
    """
    if norm_pix:
        mean, deviation = patch_statistics(target)
        target = (target - mean) / deviation
    error = (prediction - target).square().mean(-1)
    removed = mask.to(error.dtype)
    return (error * removed).sum() / removed.sum().clamp(min=1)
