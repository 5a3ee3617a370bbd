"""What makes two studies alike, from configuration to matrices: labels, findings of the reports, vectors of the texts, or pairs alone."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import torch
from jaxtyping import Bool, Float, Int
from pydantic import Field
from torch import Tensor

from workbench import text
from workbench.config import Config
from workbench.dataset import Sample
from workbench.errors import UserError
from workbench.losses.contrastive import Duplicates
from workbench.losses.semantic import Measure, concept_vectors, label_vectors, positive_pairs, semantic_similarity

MOST_CONCEPTS = 64  # of one report
ABOVE = {"labels": 0.0, "entities": 0.0, "text": 0.85}


class MeaningFields(Config):
    """Soft targets of a contrastive loss. Wang et al., MedCLIP, EMNLP 2022."""

    origins: ClassVar[Mapping[str, str]] = {
        "targets": "Wang et al., MedCLIP: its code compares labels",
        "measure": "Wang et al., MedCLIP: its paper; the code takes dot products",
        "target_temperature": "ours: at MedCLIP's 1 most of a target's mass is uniform",
        "no_finding": "Wang et al., MedCLIP: has such a label; without it normal studies are like nothing",
        "positives_above": "ours",
        "duplicates": "ours: repeated normal reports are no negatives",
    }

    targets: Literal["labels", "entities", "text", "hard"] = "labels"
    """What makes two studies alike: their labels, the findings their reports affirm, the vectors of their texts; `hard`: only pairs match."""
    measure: Measure = "cosine"
    """Likeness of two studies' vectors: cosine, or dot product as in MedCLIP's code."""
    target_temperature: Annotated[float, Field(gt=0, le=10)] = 0.1
    """Softmax temperature that turns likeness into targets; 1 in MedCLIP, where most of a target's mass is uniform."""
    no_finding: bool = True
    """Studies in which nothing was found are alike; off: they are like nothing."""
    positives_above: Annotated[float, Field(ge=-1, le=100)] | None = None
    """Likeness above which a pair is a positive; none: 0 for labels and entities, .85 for text."""
    duplicates: Duplicates = "drop_duplicates"
    """With hard targets: studies with the same text are left out of each other's negatives, share the target, or are negatives all the same."""


def needed(sample: Sample, config: MeaningFields, method: str) -> dict[str, Any]:
    """What a study's row carries for its targets; raises UserError where the data set has it not."""
    if config.targets in ("labels", "entities") and sample.get(config.targets) is None:
        raise UserError(
            f"study {sample['key']}: method {method}: targets: {config.targets}, but the data set gives none; set targets: text or hard"
        )
    return {"concepts": text.affirmed(sample, MOST_CONCEPTS, config.no_finding)} if config.targets == "entities" else {}


def likeness(rows: Tensor, config: MeaningFields, method: str) -> Float[Tensor, "b b"]:
    """The semantic similarity matrix of studies from their labels (b k), concept numbers (b m) or text vectors (b d).

    A study that is like nothing, itself included, keeps its own text; where all are, UserError says what to set.
    """
    if config.targets == "labels":
        rows = label_vectors(rows, config.no_finding)
    elif config.targets == "entities":
        rows = concept_vectors(rows)
    alike = semantic_similarity(rows, rows, config.measure)
    if len(alike) and not bool(alike.any()):
        why = f"by targets: {config.targets} no study of a batch is like any, not even itself"
        raise UserError(f"method {method}: {why}; set no_finding: true, a larger batch, or targets: hard")
    return alike + torch.diag((alike.diagonal() == 0).to(alike.dtype))


def positives(alike: Float[Tensor, "b b"] | None, text_ids: Int[Tensor, "b"], config: MeaningFields) -> Bool[Tensor, "b b"]:
    """Pairs that match; with hard targets (no likeness) a study and its own text, and equal texts unless `duplicates: hard`."""
    if alike is not None:
        return positive_pairs(alike, ABOVE[config.targets] if config.positives_above is None else config.positives_above, text_ids)
    numbers = torch.arange(len(text_ids), device=text_ids.device) if config.duplicates == "hard" else text_ids
    return numbers[:, None] == numbers


def soft_targets(alike: Float[Tensor, "b b"] | None, positives: Bool[Tensor, "b b"], config: MeaningFields) -> Float[Tensor, "b b"]:
    """How much of each row's mass every column should have; with hard targets the positives of a row share it."""
    return (positives.float().log() if alike is None else alike / config.target_temperature).softmax(1)
