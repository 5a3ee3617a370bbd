"""Losses on the shape of a feature cloud."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from workbench.losses.precision import in_float32

OFFICIAL_WEIGHT = 0.0051  # of the official code; Barlow Twins' lambda


@in_float32
def mflag_alignment(x: Float[Tensor, "b d"], y: Float[Tensor, "b d"]) -> Float[Tensor, ""]:
    """mean(4 - 4 cos): regression of each side on the other. Liu et al., M-FLAG, MICCAI 2023."""
    return (4 - 4 * (normalize(x, dim=1) * normalize(y, dim=1)).sum(1)).mean()


@in_float32
def orthogonality(
    z: Float[Tensor, "b d"],
    form: Literal["official", "correlation"] = "correlation",
    off_diagonal_weight: float | None = None,
    reduction: Literal["sum", "mean"] = "sum",
) -> Float[Tensor, ""]:
    """Half the weighted squared distance of the features' matrix C from the identity. Liu et al., M-FLAG, MICCAI 2023.

    `official`: C = z'z / b, neither centred nor scaled, off-diagonal weight .0051 (the code). `correlation`: columns
    standardised over the batch, weight 1 (the paper). `mean` divides by d.
    """
    if form == "correlation":
        centred = z - z.mean(0)
        z = centred / (centred.square().mean(0) + 1e-5).sqrt()
    weight = off_diagonal_weight if off_diagonal_weight is not None else OFFICIAL_WEIGHT if form == "official" else 1.0
    second_moment = z.T @ z / len(z)
    diagonal = second_moment.diagonal()
    off_diagonal = second_moment.square().sum() - diagonal.square().sum()
    loss = ((diagonal - 1).square().sum() + weight * off_diagonal) / 2
    return loss / z.shape[1] if reduction == "mean" else loss


def orthogonality_floor(rows: int, features: int, form: str, off_diagonal_weight: float | None, reduction: str) -> float:
    """The least `orthogonality` can be with `rows` rows: C has no more rank than that, so 0 is out of reach when d is larger.

    At best C is a multiple c of a projector, with equal diagonal: d/2 [(c - 1)^2 + k c^2], least at c = 1 / (1 + k).
    """
    weight = off_diagonal_weight if off_diagonal_weight is not None else OFFICIAL_WEIGHT if form == "official" else 1.0
    rank = max(rows if form == "official" else rows - 1, 1)  # centring costs one
    k = weight * max(features / rank - 1, 0.0)
    floor = features / 2 * k / (1 + k)
    return floor / features if reduction == "mean" else floor
