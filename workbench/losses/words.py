"""Losses on hidden words."""

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from workbench.losses.precision import in_float32


@in_float32
def masked_word(logits: Float[Tensor, "m v"], ids: Int[Tensor, "m"]) -> Float[Tensor, ""]:
    """Sum over the hidden tokens of the cross-entropy of the true one; 0 where none is hidden. Devlin et al., BERT, NAACL 2019."""
    return cross_entropy(logits, ids, reduction="sum")
