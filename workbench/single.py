"""One study as a view looks at it: found by its key or handed in, as a batch without augmentation. Needs torch."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from workbench.batches import Rows, fixed_batches
from workbench.dataset import Dataset, Image, Sample, masks_of
from workbench.errors import UserError
from workbench.method import Batch, Method


def upload_sample(pixels: np.ndarray, key: str = "upload") -> Sample:
    """An image handed in, (h w) uint8, as a study of its own."""
    return {"key": key, "patient": key, "images": [Image(pixels, "hw")], "texts": []}


def study_of(dataset: Dataset, key: str | None, where: str) -> Sample:
    """A study by its key, the first for validation where none is named; raises UserError, with `where` in front, for a key there is not."""
    places = {name: index for index, name in enumerate(dataset.keys)}
    chosen = dataset.keys[int(dataset.split("val")[0])] if key is None else key
    if chosen not in places:
        raise UserError(f"{where}: its data set has no study {chosen!r}; choose another study")
    return dataset[places[chosen]]


def one_image(sample: Sample, place: int) -> Sample:
    """The study with only one of its images, and the masks where they are of that one; raises UserError where there is no such image."""
    if not 0 <= place < len(sample["images"]):
        raise UserError(f"study {sample['key']}: has {len(sample['images'])} images, asked for number {place + 1}; choose another")
    return {**sample, "images": [sample["images"][place]], "masks": masks_of(sample, place)}


def batch_of(method: Method, samples: Sequence[Sample]) -> Batch:
    """Studies as a batch, without augmentation."""
    rows = Rows(type(method), method.config, {"": cast(Any, samples)}, 0, "fixed", augment=False)
    return fixed_batches(rows, "", np.arange(len(samples)), len(samples))[0]
