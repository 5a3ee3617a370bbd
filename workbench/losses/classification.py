"""Losses against stated labels."""

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from workbench.losses.precision import in_float32


@in_float32
def stated_bce(logits: Float[Tensor, "b k"], labels: Float[Tensor, "b k"]) -> Float[Tensor, ""]:
    """Sum of the binary cross-entropies over the labels that are stated (not NaN)."""
    stated = ~labels.isnan()
    each = binary_cross_entropy_with_logits(logits, labels.nan_to_num().to(logits.dtype), reduction="none")
    return (each * stated).sum()


@in_float32
def answer_bce(logits: Float[Tensor, "q k"], scores: Float[Tensor, "q k"]) -> Float[Tensor, ""]:
    """Sum over questions and answers of the binary cross-entropy against soft scores in [0, 1]. Teney et al., CVPR 2018.

    Divided by q it is the mean over all entries times k, as the official M3AE writes it.
    """
    return binary_cross_entropy_with_logits(logits, scores.to(logits.dtype), reduction="sum")
