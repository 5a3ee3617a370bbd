"""From an image as stored to the (1 h w) float32 that a 2-D method takes. Left stays left: nothing flips."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, ClassVar, Literal

import numpy as np
from PIL import Image as Picture
from pydantic import Field

from workbench.config import Config
from workbench.dataset import Image, Sample
from workbench.errors import UserError

MEAN, STD = 0.5, 0.25  # of grey values in [0, 1]; fixed, so that brightness and contrast of a film survive
SHIFT = 1 / 16  # of the side, in either direction
GAIN, OFFSET = 0.2, 0.1  # contrast 0.8 to 1.2, brightness -0.1 to 0.1
SMALLEST_CROP = 0.7  # of the area


class ImageFields(Config):
    """What a 2-D method does to an image before its tower sees it."""

    origins: ClassVar[Mapping[str, str]] = {
        "image_size": "ours: what two CPU cores train; papers take 224 and more",
        "augment": "ours: left stays left, grey values keep their meaning",
        "fit": "ours: nothing is cut off or distorted",
    }

    image_size: Annotated[int, Field(ge=8, le=1024)] = 64
    """Side of the square image the tower sees, in pixels."""
    augment: Literal["none", "shift_gain", "crop"] = "shift_gain"
    """Random changes in training: `shift_gain` moves by up to 1/16 of the side and changes contrast and brightness; `crop` takes 70 to 100 % of the area instead of moving."""
    fit: Literal["pad", "crop", "stretch"] = "pad"
    """How an oblong image becomes square: black bars, the middle of the longer side, or distortion."""


def images(sample: Sample, config: ImageFields, rng: np.random.Generator) -> list[np.ndarray]:
    """Every image of a study, (1 h w) each; raises UserError with the study's key."""
    return [prepare(image, config, rng)[None] for image in images_as_stored(sample)]


def images_as_stored(sample: Sample) -> list[np.ndarray]:
    """Every image of a study as grey values (h w); raises UserError with the study's key."""
    if not sample["images"]:
        raise UserError(f"study {sample['key']} has no image and the method needs one; leave it out of the data set")
    return [grey(image, sample["key"]) for image in sample["images"]]


def labels(sample: Sample, expected: int, method: str) -> np.ndarray:
    """The labels (k) of a study; raises UserError where there are not as many as the method has outputs."""
    found = sample.get("labels")
    if found is None or len(found) != expected:
        told = "none" if found is None else len(found)
        raise UserError(f"study {sample['key']}: method {method} expects {expected} labels, found {told}; set method.labels")
    return found


def grey(image: Image, key: str) -> np.ndarray:
    """(h w) as stored; the mean of colour channels. Raises UserError with the study's key."""
    array = np.asarray(image.array)  # a plain view: memory maps are slow in small operations
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise UserError(f"study {key}: its image holds values that are not finite; repair it or leave the study out")
    if image.axes == "hw":
        return array
    if image.axes == "hwc":
        return array.mean(-1).astype(array.dtype)
    raise UserError(
        f"study {key}: the method takes 2-D images (axes hw or hwc), this one has axes {image.axes}; choose another method or data set"
    )


def prepare(array: np.ndarray, config: ImageFields, rng: np.random.Generator) -> np.ndarray:
    """(h w) of any size -> (size size) float32: augmented, resized, standardised."""
    size = config.image_size
    array = square(array, config.fit)
    if config.augment == "none":
        return standardised(unit_range(resized(array, size)))
    first, second, third, contrast, brightness = rng.random(5).tolist()
    if config.augment == "crop":
        (height, width), side = array.shape, (SMALLEST_CROP + (1 - SMALLEST_CROP) * third) ** 0.5
        left, top = first * (1 - side) * width, second * (1 - side) * height
        found = unit_range(resized(array, size, (left, top, left + side * width, top + side * height)))
    else:
        most = round(SHIFT * size)
        down, right = (int(draw * (2 * most + 1)) - most for draw in (first, second))
        found = shifted(unit_range(resized(array, size)), down, right)
    return standardised(found, 1 + GAIN * (2 * contrast - 1), OFFSET * (2 * brightness - 1))


def standardised(values: np.ndarray, gain: float = 1.0, offset: float = 0.0) -> np.ndarray:
    """Contrast about the middle grey, brightness, then the fixed mean and standard deviation of the tower's input."""
    return values * np.float32(gain / STD) + np.float32((offset - MEAN * gain) / STD)


def square(array: np.ndarray, fit: str) -> np.ndarray:
    """A square view or copy; `stretch` leaves the distortion to the resize."""
    height, width = array.shape
    if height == width or fit == "stretch":
        return array
    if fit == "crop":
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        return array[top : top + side, left : left + side]
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    padded = np.full((side, side), array.min(), array.dtype)
    padded[top : top + height, left : left + width] = array
    return padded


def unit_range(array: np.ndarray) -> np.ndarray:
    """Grey values in [0, 1] as float32: uint8 by its range, every other type by this image's own minimum and maximum."""
    if array.dtype == np.uint8:
        return array.astype(np.float32) / np.float32(255)
    values = array.astype(np.float32)
    low, high = float(values.min()), float(values.max())
    return (values - np.float32(low)) / np.float32(high - low) if high > low else np.zeros_like(values)


def resized(array: np.ndarray, size: int, box: tuple[float, float, float, float] | None = None) -> np.ndarray:
    """(h w) -> (size size), area-weighted when shrinking; uint8 stays uint8. `box` is (left, top, right, bottom) in pixels."""
    if box is None and array.shape == (size, size):
        return array
    stored = array if array.dtype == np.uint8 else array.astype(np.float32)
    return np.asarray(Picture.fromarray(stored).resize((size, size), Picture.Resampling.BILINEAR, box=box))


def shifted(array: np.ndarray, down: int, right: int) -> np.ndarray:
    """Moved by whole pixels; the border repeats, nothing wraps around."""
    height, width = array.shape
    return array.take(_sources(height, down), axis=0).take(_sources(width, right), axis=1)


@cache
def _sources(size: int, by: int) -> np.ndarray:
    """Which pixel each place of a moved line shows."""
    return np.clip(np.arange(size) - by, 0, size - 1)
