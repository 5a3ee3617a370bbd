"""A film cropped, turned and seen askew: M-FLAG's augmentation as its code has it, and a mild one. Left stays left."""

from typing import Literal

import numpy as np
from PIL import Image as Picture

from workbench.transforms import GAIN, OFFSET, ImageFields, resized, square, standardised, unit_range

Warp = Literal["official", "mild"]
MARGIN = 256 / 224  # side before the crop over side after it
DEGREES = {"official": (0.0, 90.0), "mild": (-10.0, 10.0)}  # counter-clockwise
DISTORTION = 0.5  # most of half a side by which a corner moves inwards
DRAWS = 13  # of one film: crop 2, angle 1, perspective or not 1, its corners 8, contrast 1


def warped(array: np.ndarray, config: ImageFields, kind: Warp, rng: np.random.Generator) -> np.ndarray:
    """(h w) of any size -> (size size) float32, standardised. Liu et al., M-FLAG, MICCAI 2023.

    `official`: random crop, turned by 0 to 90 degrees to one side, in half of the films perspective, in half full contrast.
    `mild` [ours]: the crop, turned by up to 10 degrees to either side, contrast and brightness as `shift_gain`.
    """
    size, draws = config.image_size, rng.random(DRAWS).tolist()
    whole = unit_range(resized(square(array, config.fit), round(MARGIN * size)))
    top, left = (int(draw * (len(whole) - size + 1)) for draw in draws[:2])
    low, high = DEGREES[kind]
    smooth = Picture.Resampling.NEAREST if kind == "official" else Picture.Resampling.BILINEAR
    found = turned(whole[top : top + size, left : left + size], low + (high - low) * draws[2], smooth)
    if kind == "mild":
        return standardised(found, 1 + GAIN * (2 * draws[3] - 1), OFFSET * (2 * draws[4] - 1))
    if draws[3] < 0.5:
        found = askew(found, corners(size, draws[4:12]))
    return standardised(unit_range(found) if draws[12] < 0.5 else found)


def turned(values: np.ndarray, degrees: float, smooth: Picture.Resampling) -> np.ndarray:
    """(h w) about its centre, counter-clockwise; what comes in from outside is 0."""
    return np.asarray(Picture.fromarray(values).rotate(degrees, smooth))


def corners(size: int, draws: list[float]) -> np.ndarray:
    """Where the corners of a square go, (4 2) as x and y, clockwise from the upper left: inwards by whole pixels."""
    inward = np.array([int(draw * (int(DISTORTION * (size // 2)) + 1)) for draw in draws], float).reshape(4, 2)
    return np.abs(np.array([[0, 0], [size - 1, 0], [size - 1, size - 1], [0, size - 1]]) - inward)


def askew(values: np.ndarray, to: np.ndarray) -> np.ndarray:
    """(n n) with its corners moved to `to` (4 2) by the one perspective that does so, bicubic; 0 outside, no overshoot."""
    end = len(values) - 1
    rows = []
    for (x, y), (u, v) in zip(to.tolist(), ((0, 0), (end, 0), (end, end), (0, end))):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y, u], [0, 0, 0, x, y, 1, -v * x, -v * y, v]]
    system = np.array(rows)
    found = Picture.fromarray(values).transform(
        values.shape[::-1], Picture.Transform.PERSPECTIVE, np.linalg.solve(system[:, :8], system[:, 8]).tolist(), Picture.Resampling.BICUBIC
    )
    return np.asarray(found).clip(0, 1)


def wrapped(array: np.ndarray) -> np.ndarray:
    """(h w) as M-FLAG's preparation makes 8 bits of it: range times 256, cut off, so that 256 becomes 0 and the brightest pixels black."""
    values = array.astype(np.float64)
    low, high = values.min(), values.max()
    return ((values - low) * (256 / (high - low)) if high > low else np.zeros_like(values)).astype(np.uint16).astype(np.uint8)
