"""Losses that tell an image's own text from others once both were fused."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from workbench.losses.precision import in_float32


@in_float32
def image_text_matching(logits: Float[Tensor, "b 2"], match: Int[Tensor, "b"]) -> Float[Tensor, ""]:
    """Sum over the pairs of the cross-entropy of "do they belong together" (1 yes, 0 no). Chen et al., M3AE, MICCAI 2022."""
    return cross_entropy(logits, match, reduction="sum")


@in_float32
def own_text(scores: Float[Tensor, "b n"], same: Bool[Tensor, "b n"] | None = None) -> Float[Tensor, ""]:
    """Sum over the images of the cross-entropy of their own text, column 0, among n. Kim et al., ViLT, ICML 2021.

    Columns that `same` marks are the very same text: they are left out of the denominator; column 0 never is.
    """
    if same is not None:
        left_out = same.clone()
        left_out[:, 0] = False
        scores = scores.masked_fill(left_out, -torch.inf)
    return cross_entropy(scores, torch.zeros(len(scores), dtype=torch.long, device=scores.device), reduction="sum")
