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
