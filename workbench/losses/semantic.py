"""How alike two studies are in meaning, from labels, from the concepts of their reports, or from the vectors of their texts."""

from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import normalize

Measure = Literal["cosine", "dot"]


def label_vectors(labels: Float[Tensor, "b k"], no_finding: bool = True) -> Float[Tensor, "b c"]:
    """1 where a label is stated present. With `no_finding` one more column: 1 where labels are stated and none is present."""
    present = (labels == 1).to(labels.dtype)
    normal = ~(labels == 1).any(1, keepdim=True) & ~labels.isnan().all(1, keepdim=True)
    return torch.cat([present, normal.to(labels.dtype)], 1) if no_finding else present


def concept_vectors(ids: Int[Tensor, "b m"]) -> Float[Tensor, "b c"]:
    """One column for every concept that occurs, 1 where a row of numbers holds it; 0 is padding."""
    known, places = ids.unique(return_inverse=True)
    found = torch.zeros(len(ids), len(known), device=ids.device).scatter_(1, places, 1.0)
    return found[:, known != 0]


def semantic_similarity(a: Float[Tensor, "b k"], b: Float[Tensor, "c k"], measure: Measure = "cosine") -> Float[Tensor, "b c"]:
    """Dot products (the code of MedCLIP) or cosines (its paper); a row of zeros is like nothing. Wang et al., EMNLP 2022."""
    return normalize(a, dim=1) @ normalize(b, dim=1).T if measure == "cosine" else a @ b.T


def positive_pairs(similarity: Float[Tensor, "b b"], above: float, text_ids: Int[Tensor, "b"]) -> Bool[Tensor, "b b"]:
    """Pairs more alike than `above`; always a study with its own text, and with one that reads the same."""
    return (similarity > above) | (text_ids[:, None] == text_ids)
