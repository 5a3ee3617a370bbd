"""Which patches are hidden."""

import numpy as np
import pytest

from workbench.errors import UserError
from workbench.masking import boxes_region, given_mask, kept_count, random_mask, region_mask
from workbench.randomness import rng


def test_a_random_mask_hides_the_share_asked_for_and_is_a_function_of_its_generator():
    mask = random_mask(36, 0.75, rng(3, "mask"))
    assert mask.dtype == bool and mask.sum() == 27
    assert np.array_equal(mask, random_mask(36, 0.75, rng(3, "mask"))) and not np.array_equal(mask, random_mask(36, 0.75, rng(4, "mask")))
    hidden = np.mean([random_mask(36, 0.75, rng(seed, "mask")) for seed in range(400)], 0)
    assert np.abs(hidden - 0.75).max() < 0.1, "every patch is hidden equally often"


@pytest.mark.parametrize(
    ("patches", "ratio", "kept"), [(196, 0.75, 49), (10, 0.9, 1), (196, 0.9, 19), (64, 0.0, 64), (64, 1.0, 0), (9, 0.5, 4)]
)
def test_the_count_is_rounded_down_and_rounding_errors_take_no_patch(patches, ratio, kept):
    assert kept_count(patches, ratio) == kept == (~random_mask(patches, ratio, rng(0, "mask"))).sum()


@pytest.mark.parametrize("ratio", [-0.1, 1.1, float("nan")])
def test_a_ratio_that_is_no_share_is_refused(ratio):
    with pytest.raises(UserError, match="between 0 and 1"):
        kept_count(10, ratio)


def test_given_patches_are_hidden_and_others_are_refused():
    assert np.flatnonzero(given_mask([3, 0, 3], 6)).tolist() == [0, 3] and not given_mask([], 6).any()
    for wrong in ([6], [-1], [1.0], ["1"], [True]):
        with pytest.raises(UserError, match="not one of 0 to 5"):
            given_mask(wrong, 6)


def test_a_region_hides_every_patch_it_touches_row_by_row():
    region = np.zeros((12, 18), bool)
    region[3, 5] = region[4, 17] = True  # rows of 4, columns of 6: patches (0, 0) and (1, 2)
    assert np.flatnonzero(region_mask(region, 3)).tolist() == [0, 5]
    assert region_mask(np.ones((12, 18), bool), 3).all() and not region_mask(np.zeros((12, 18), bool), 3).any()


def test_boxes_cover_their_pixels_and_the_smallest_covers_one():
    region = boxes_region([{"x": 2.5, "y": 1, "w": 2, "h": 3}, {"x": 9, "y": 6, "w": 0, "h": 0}], 7, 11)
    wanted = np.zeros((7, 11), bool)
    wanted[1:4, 2:5] = wanted[6, 9] = True
    assert np.array_equal(region, wanted)
    assert boxes_region([{"x": -3, "y": -3, "w": 5, "h": 5}], 7, 11).sum() == 4
