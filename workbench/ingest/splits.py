"""Which split a row belongs to: what its table says, or a division of patients."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.errors import UserError
from workbench.randomness import rng


def assign(
    table: str,
    images: Sequence[str],
    said: Sequence[str] | None,
    patients: Sequence[str],
    names: Mapping[Any, Sequence[str]],
    fractions: tuple[float, float, float],
    seed: int,
) -> list[str]:
    """train, val, test or unused for every row; without a split column a patient's split depends on (seed, patient) alone."""
    if said is None:
        return divide(patients, fractions, seed)
    split_of = {value: split for split, values in names.items() for value in values}
    for image, value in zip(images, said):
        if value not in split_of:
            raise UserError(f"{table}: {image}: split {value!r} is none of {', '.join(split_of)}; correct it or add it to `splits`")
    return [split_of[value] for value in said]


def divide(patients: Sequence[str], fractions: tuple[float, float, float], seed: int) -> list[str]:
    """Splits by patient in the given shares."""
    if min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-6:
        raise UserError(f"fractions: {fractions} must be three shares that add up to 1; correct them")
    edges = np.cumsum(fractions[:2])
    of = {patient: rng(seed, "split", 0, patient).random() for patient in dict.fromkeys(patients)}
    return [("train", "val", "test")[int(np.searchsorted(edges, of[patient], side="right"))] for patient in patients]
