"""Losses that tell the pairs of a batch from its non-pairs."""

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import log_softmax, normalize

from workbench.losses.precision import in_float32

Duplicates = Literal["hard", "drop_duplicates", "soft_targets"]


@in_float32
def info_nce(
    x: Float[Tensor, "b d"],
    y: Float[Tensor, "b d"],
    temperature: float | Float[Tensor, ""],
    text_ids: Int[Tensor, "b"] | None = None,
    duplicates: Duplicates = "hard",
) -> Float[Tensor, ""]:
    """Mean of both directions' cross-entropies of pair i among all b. Radford et al., CLIP, ICML 2021.

    Rows of `y` with equal `text_ids` are the same text, so the images of one are no negatives of the other: `drop_duplicates` leaves
    such pairs out of the denominators, `soft_targets` shares the target equally among them, `hard` calls them wrong all the same.
    Where equal texts have equal rows (no dropout), `soft_targets` is `hard` in value and gradient: only dropping changes anything.
    """
    return told_apart(normalize(x, dim=1) @ normalize(y, dim=1).T / temperature, text_ids, duplicates)


@in_float32
def soft_clip(
    x: Float[Tensor, "b d"], y: Float[Tensor, "b d"], targets: Float[Tensor, "b b"], scale: float | Float[Tensor, ""]
) -> Float[Tensor, ""]:
    """Cross-entropy against the softmax of label similarities, over rows and over columns. Wang et al., MedCLIP, EMNLP 2022.

    `targets` are the similarities themselves (dot products or cosines of label vectors), temperature 1.
    """
    logits = scale * normalize(x, dim=1) @ normalize(y, dim=1).T
    return matched(logits, targets)


def told_apart(
    logits: Float[Tensor, "b b"], text_ids: Int[Tensor, "b"] | None = None, duplicates: Duplicates = "hard"
) -> Float[Tensor, ""]:
    """`info_nce` of logits that are there already. Raises ValueError where `duplicates` needs text ids and none are given."""
    if duplicates != "hard" and text_ids is None:
        raise ValueError(f"duplicates={duplicates!r} needs text_ids")
    targets = torch.eye(len(logits), dtype=logits.dtype, device=logits.device)
    if duplicates != "hard" and text_ids is not None:
        same = text_ids[:, None] == text_ids
        if duplicates == "soft_targets":
            targets = same.to(logits.dtype) / same.sum(1, keepdim=True)
        else:
            logits = logits.masked_fill(same & (targets == 0), -torch.inf)
    return _both_directions(logits, targets, targets)


def matched(logits: Float[Tensor, "b b"], targets: Float[Tensor, "b b"]) -> Float[Tensor, ""]:
    """`soft_clip` of logits that are there already."""
    targets = targets.to(logits.dtype)
    return _both_directions(logits, targets.softmax(1), targets.T.softmax(1))


def soft_floor(targets: Float[Tensor, "b b"]) -> Float[Tensor, ""]:
    """What `soft_clip` cannot fall below: the mean entropy of its targets in both directions."""
    if not len(targets):
        return targets.sum()
    entropies = torch.special.entr(targets.softmax(1)) + torch.special.entr(targets.softmax(0))
    return entropies.sum() / (2 * len(targets))


def _both_directions(logits: Tensor, forth: Tensor, back: Tensor) -> Tensor:
    """Half the sum of the row-wise cross-entropies of `logits` and of its transpose; 0 for an empty batch."""
    if not len(logits):
        return logits.sum()
    return (_cross_entropy(logits, forth) + _cross_entropy(logits.T, back)) / 2


def _cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    log_p = log_softmax(logits, dim=1).masked_fill(targets == 0, 0)  # a dropped pair is -inf times target 0
    return -(targets * log_p).sum(1).mean()
