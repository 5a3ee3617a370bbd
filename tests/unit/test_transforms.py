"""Images as stored become square float32: right way round, right scale, nothing wrapped."""

import time

import numpy as np
import pytest

from workbench.dataset import Image
from workbench.errors import UserError
from workbench.randomness import rng
from workbench.transforms import MEAN, STD, ImageFields, grey, images, prepare, shifted, square


def stored(values):
    """Back to grey values in [0, 1]."""
    return values * STD + MEAN


def study(*arrays, axes="hw"):
    return {"key": "s", "patient": "p", "texts": [], "images": [Image(array, axes) for array in arrays]}


def corner(dtype, high, shape=(48, 64)):
    """Bright upper left quarter."""
    array = np.zeros(shape, dtype)
    array[: shape[0] // 2, : shape[1] // 2] = high
    return array


@pytest.mark.parametrize(("dtype", "high"), [(np.uint8, 255), (np.uint16, 4095), (np.int16, 900), (np.float32, 0.3)])
def test_every_pixel_type_fills_the_same_range_and_left_stays_left(dtype, high):
    (found,) = images(study(corner(dtype, high)), ImageFields(image_size=16, augment="none", fit="stretch"), rng(0, "t"))
    assert found.shape == (1, 16, 16) and found.dtype == np.float32
    np.testing.assert_allclose(stored(found[0, :7, :7]), 1, atol=1e-5)
    np.testing.assert_allclose(stored(found[0, 9:]), 0, atol=1e-5)
    np.testing.assert_allclose(stored(found[0, :, 9:]), 0, atol=1e-5)


def test_fitting_an_oblong_image():
    array = np.arange(3 * 5, dtype=np.uint8).reshape(3, 5) + 7
    assert square(array, "crop").tolist() == array[:, 1:4].tolist()
    padded = square(array, "pad")
    assert padded.shape == (5, 5) and padded[1:4].tolist() == array.tolist() and set(padded[[0, 4]].ravel()) == {7}
    assert square(array, "stretch") is array


def test_shifts_repeat_the_border():
    array = np.arange(12).reshape(3, 4)
    assert shifted(array, 1, -2).tolist() == [[2, 3, 3, 3], [2, 3, 3, 3], [6, 7, 7, 7]]


@pytest.mark.parametrize("augment", ["shift_gain", "crop"])
def test_augmentation_is_addressed_and_bounded(augment):
    config = ImageFields(image_size=32, augment=augment)
    array = np.full((40, 40), 128, np.uint8)
    draws = [prepare(array, config, rng(0, "t", step)) for step in range(60)]
    np.testing.assert_array_equal(draws[7], prepare(array, config, rng(0, "t", 7)))
    levels = np.array([stored(draw).mean() for draw in draws])
    assert 0.39 < levels.min() < 0.44 and 0.56 < levels.max() < 0.61  # brightness: 0.5 +- 0.1
    ramp = np.tile(np.arange(40, dtype=np.uint8) * 6, (40, 1))
    slopes = np.array([np.polyfit(np.arange(10), stored(prepare(ramp, config, rng(0, "t", step)))[5, 10:20], 1)[0] for step in range(60)])
    assert (slopes > 0).all() and slopes.std() > 0.05 * slopes.mean()  # contrast varies, nothing flips


def test_crops_stay_inside_and_keep_their_shape():
    array = np.zeros((100, 100), np.float32)
    array[45:55] = array[:, 45:55] = 1
    config = ImageFields(image_size=50, augment="crop")
    for step in range(20):
        found = stored(prepare(array, config, rng(0, "t", step)))
        middle = (found.max() + found.min()) / 2
        across, down = (found[3] > middle).sum(), (found[:, 3] > middle).sum()
        assert across == pytest.approx(down, abs=1) and 5 <= across <= 7  # 10 of 84 to 100 pixels, the same both ways


def test_what_a_2d_method_cannot_take_is_named():
    config = ImageFields(image_size=16)
    with pytest.raises(UserError, match="study s has no image"):
        images(study(), config, rng(0, "t"))
    with pytest.raises(UserError, match=r"study s: .* axes zhw"):
        images(study(np.zeros((3, 4, 5), np.uint8), axes="zhw"), config, rng(0, "t"))
    with pytest.raises(UserError, match="study s: its image holds values that are not finite"):
        images(study(np.full((4, 4), np.nan, np.float32)), config, rng(0, "t"))
    assert grey(Image(np.dstack([np.full((2, 3), value, np.uint8) for value in (10, 20, 60)]), "hwc"), "s").tolist() == [[30] * 3] * 2


def test_a_transform_is_fast():
    config, array = ImageFields(image_size=64), np.zeros((64, 64), np.uint8)
    draw, start = rng(0, "t"), time.process_time()
    for _ in range(300):
        prepare(array, config, draw)
    assert (time.process_time() - start) / 300 < 0.0006  # about 0.1 ms; room for a busy machine
