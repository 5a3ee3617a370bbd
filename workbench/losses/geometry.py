"""Losses on the shape of a feature cloud."""

from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import normalize

from workbench.losses.contrastive import Duplicates, matched, told_apart
from workbench.losses.precision import in_float32
from workbench.losses.singular import largest_singular, top_vectors

Sign = Literal["relu", "raw", "shift"]

OFFICIAL_WEIGHT = 0.0051  # of the official code; Barlow Twins' lambda
ROWS = 16  # images of one pass over all texts: what bounds the memory of `svd_tokens`


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


def signed(similarity: Float[Tensor, "b b"], sign: Sign) -> Float[Tensor, "b b"]:
    """Cosines that tell alike from opposite, which singular values do not: `relu` cuts negative ones, `shift` is (1 + S) / 2, `raw` leaves them."""
    if sign == "raw":
        return similarity
    return similarity.relu() if sign == "relu" else (1 + similarity) / 2


@in_float32
def svd_masked(similarity: Float[Tensor, "b b"], positives: Bool[Tensor, "b b"], sign: Sign = "relu") -> Float[Tensor, ""]:
    """Medical-SVD, form B: 1 - s1(S x M+) / s1(M+) + s1(S x M-) / max(s1(M-), 1), s1 the largest singular value; from 0 to 2 for cosines.

    After Wang et al., MedFLIP, 2024, which gives no formula. About 1 for unrelated and for collapsed embeddings, 0 for orthonormal
    prototypes of disjoint classes. With M+ = I only the best pair has a gradient: `svd_paired` is for that.
    """
    values, mask = signed(similarity, sign), positives.to(similarity.dtype)
    return 1 - largest_singular(values * mask) / largest_singular(mask).clamp(min=1) + _rise(values, 1 - mask)


@in_float32
def svd_paired(similarity: Float[Tensor, "b b"], sign: Sign = "relu") -> Float[Tensor, ""]:
    """Form B where a text is like its own image alone: the mean over pairs stands for the singular value of the positives."""
    values = signed(similarity, sign)
    mask = 1 - torch.eye(len(values), dtype=values.dtype, device=values.device)
    return 1 - values.diagonal().mean() + _rise(values, mask)


@in_float32
def svd_tokens(
    patches: Float[Tensor, "b n d"],
    words: Float[Tensor, "b l d"],
    word_mask: Bool[Tensor, "b l"],
    temperature: float,
    text_ids: Int[Tensor, "b"] | None = None,
    duplicates: Duplicates = "hard",
    targets: Float[Tensor, "b b"] | None = None,
) -> Float[Tensor, ""]:
    """Medical-SVD, form A: contrast of s1(P_i W_j') / sqrt(n l_j) over all pairs of an image's patches and a text's words (mask 1: a word).

    After Wang et al., MedFLIP, 2024, which gives no formula. Pairs are told apart as in `info_nce`, or with `targets` as in `soft_clip`.
    Blind to sign, so never to be used alone. b^2 decompositions: the dearest of the forms.
    """
    affinity = token_affinity(patches, words, word_mask) / temperature
    return told_apart(affinity, text_ids, duplicates) if targets is None else matched(affinity, targets)


def token_affinity(patches: Float[Tensor, "b n d"], words: Float[Tensor, "c l d"], word_mask: Bool[Tensor, "c l"]) -> Float[Tensor, "b c"]:
    """s1(P_i W_j') / sqrt(n l_j) from 0 to 1, rows of P and W scaled to unit length; 0 for a text without words."""
    patches, words = normalize(patches, dim=2), normalize(words, dim=2) * word_mask[..., None]
    with torch.no_grad():
        parts = [top_vectors(torch.einsum("ind,jld->ijnl", rows, words)) for rows in patches.split(ROWS)]
        v = torch.cat(parts) if parts else words.new_zeros(0, *words.shape[:2])
    mixed = torch.einsum("ijl,jld->ijd", v, words)  # W'v first: no product of all patches with all words is kept for the gradient
    singular = torch.linalg.vector_norm(torch.einsum("ind,ijd->ijn", patches, mixed), dim=2)
    return singular / (patches.shape[1] * word_mask.sum(1).clamp(min=1)).to(singular.dtype).sqrt()


@in_float32
def svd_global(similarity: Float[Tensor, "b b"]) -> Float[Tensor, ""]:
    """Medical-SVD, form C: -s1(S) / b, from -1 to 0. Its minimum is collapse, all embeddings equal: kept to show why masks are needed."""
    return -largest_singular(similarity) / max(len(similarity), 1)


@in_float32
def svd_spectrum(similarity: Float[Tensor, "b b"], target: Float[Tensor, "b b"], temperature: float) -> Float[Tensor, ""]:
    """Medical-SVD, form D: (s1(softmax(S / temperature)) - s1(Y))^2 / s1(Y)^2; the rows of the target Y sum to one."""
    wanted = largest_singular(target.to(similarity.dtype))
    return ((largest_singular((similarity / temperature).softmax(1)) - wanted) / wanted).square()


def medical_svd(
    form: str,
    similarity: Float[Tensor, "b b"],
    positives: Bool[Tensor, "b b"],
    target: Float[Tensor, "b b"],
    sign: Sign,
    temperature: float,
) -> Float[Tensor, ""]:
    """Form B, C or D by its function's name; 0 for no rows. Where a study is like itself alone, B takes the mean over pairs."""
    if not len(similarity):
        return similarity.sum()
    if form == "svd_global":
        return svd_global(similarity)
    if form == "svd_spectrum":
        return svd_spectrum(similarity, target, temperature)
    if int(positives.sum()) == len(positives):
        return svd_paired(similarity, sign)
    return svd_masked(similarity, positives, sign)


def _rise(values: Tensor, mask: Tensor) -> Tensor:
    """What negatives add to form B."""
    return largest_singular(values * mask) / largest_singular(mask).clamp(min=1)
