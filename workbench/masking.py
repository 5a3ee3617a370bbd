"""Which patches of an image are hidden: counts and regions in, a row of flags out; 1 removed, 0 kept.  (no torch)"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.errors import UserError

ROUNDING = 1e-9  # 10 x (1 - .9) is a little less than 1


def kept_count(patches: int, ratio: float) -> int:
    """How many of `patches` stay visible at a ratio of removed ones: rounded down, as the official MAE does."""
    if not 0 <= ratio <= 1:
        raise UserError(f"mask ratio: expected a share between 0 and 1, got {ratio!r}")
    return int(patches * (1 - ratio) + ROUNDING)


def random_mask(patches: int, ratio: float, rng: np.random.Generator) -> np.ndarray:
    """(n) bool: a uniformly drawn set of patches is removed. He et al., MAE, CVPR 2022."""
    mask = np.ones(patches, bool)
    mask[rng.permutation(patches)[: kept_count(patches, ratio)]] = False
    return mask


def given_mask(places: Sequence[int], patches: int) -> np.ndarray:
    """(n) bool from the numbers of the removed patches, row by row; raises UserError for one that is not there."""
    wrong = [place for place in places if isinstance(place, bool) or not isinstance(place, int | np.integer) or not 0 <= place < patches]
    if wrong:
        raise UserError(f"mask: patch {wrong[0]!r} is not one of 0 to {patches - 1}; paint the mask again for this patch size")
    mask = np.zeros(patches, bool)
    mask[list(places)] = True
    return mask


def region_mask(region: np.ndarray, side: int) -> np.ndarray:
    """(n) bool of side x side patches: those that a region (h w) bool touches; the region is as large as the image."""
    height, width = region.shape
    rows, columns = np.nonzero(region)
    mask = np.zeros((side, side), bool)
    mask[rows * side // height, columns * side // width] = True
    return mask.ravel()


def boxes_region(boxes: Sequence[Mapping[str, Any]], height: int, width: int) -> np.ndarray:
    """(h w) bool: the pixels inside any of the boxes {x, y, w, h}, given in pixels."""
    region = np.zeros((height, width), bool)
    for box in boxes:
        x, y, w, h = (float(box[side]) for side in ("x", "y", "w", "h"))
        top, left = max(0, int(np.floor(y))), max(0, int(np.floor(x)))
        region[top : max(top + 1, int(np.ceil(y + h))), left : max(left + 1, int(np.ceil(x + w)))] = True
    return region
