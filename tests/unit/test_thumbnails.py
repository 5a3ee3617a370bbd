"""Thumbnails: what is drawn of films of every depth, the cache, its bound, and what is never opened."""

import io
import time

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.toys import films
from workbench import thumbnails
from workbench.dataset import Image
from workbench.errors import UserError


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def toy():
    return films.load(films.Config())


def pixels(sheet):
    return np.asarray(Pillow.open(io.BytesIO(sheet.image))).astype(int)


def test_a_pixel_of_a_thumbnail_is_the_mean_of_what_it_covers():
    film = np.random.default_rng(0).integers(0, 256, (96, 64)).astype(np.uint8)
    small = thumbnails.thumbnail(Image(film), 24)
    means = film.reshape(24, 4, 16, 4).mean((1, 3))
    assert small.shape == (24, 24) and np.abs(small[:, 4:20] - means).max() <= 1
    assert not small[:, :4].any() and not small[:, 20:].any(), "black bars"


@pytest.mark.parametrize("kind", [np.uint16, np.int16, np.float32])
def test_deep_films_are_windowed_and_outliers_do_not_darken_the_rest(kind):
    film = np.linspace(1000, 3000, 64 * 64).reshape(64, 64).astype(kind)
    film[0, 0] = 30000
    if kind is np.float32:
        film[1, 1] = np.nan
    small = thumbnails.thumbnail(Image(film), 64)
    assert small[32:40].mean() > 120 and small[-1, -1] == 255 and small[2, 0] < 20 and small.std() > 60


def test_of_a_volume_the_middle_slice_of_a_clip_the_first_frame_of_colours_the_mean():
    stack = np.zeros((5, 16, 16), np.int16)
    stack[2, :, 8:] = 700
    assert thumbnails.thumbnail(Image(stack, "zhw"), 16)[:, 12].min() == 255
    clip = np.zeros((5, 16, 16, 3), np.uint8)
    clip[0] = 90
    assert (thumbnails.thumbnail(Image(clip, "thwc"), 16) == 90).all()
    colours = np.zeros((16, 16, 3), np.uint8)
    colours[..., 1] = 240
    assert (thumbnails.thumbnail(Image(colours, "hwc"), 16) == 80).all()


@pytest.mark.parametrize("value", [0.0, 7.5, np.nan])
def test_a_film_of_one_value_is_black_and_no_warning(value):
    assert not thumbnails.thumbnail(Image(np.full((9, 9), value, np.float32)), 16).any()


def test_cell_i_of_a_sheet_is_study_i_and_comes_from_the_cache_the_second_time(cache, toy):
    keys = toy.keys[::-1]
    sheet = thumbnails.sheet(toy, keys, 32)
    assert toy.opened == 40 and sheet.across == 16 and sheet.why == ("",) * 40
    drawn = pixels(sheet)
    assert drawn.shape == (3 * 32, 16 * 32)
    for at in (0, 15, 16, 39):
        left = drawn[at // 16 * 32 + 2 : at // 16 * 32 + 30, at % 16 * 32 + 1 : at % 16 * 32 + 3].mean()
        assert abs(left - 255 * (39 - at) / 39) < 8
    again = thumbnails.sheet(toy, keys, 32)
    assert toy.opened == 40 and np.abs(pixels(again) - drawn).mean() < 3
    assert Pillow.open(io.BytesIO(thumbnails.atlas(toy, toy.keys[:3], 32))).size == (96, 32)


def test_what_cannot_be_drawn_is_a_placeholder_that_says_why(cache, toy):
    toy.odd = {1: None, 2: Image(np.zeros((0, 0), np.uint8))}
    sheet = thumbnails.sheet(toy, [*toy.keys[:3], "gone"], 64)
    assert sheet.why == ("", "unreadable", "no image", "not here")
    drawn = pixels(sheet)
    assert all(drawn[:, 64 * at + 4 : 64 * at + 60].max() > 120 for at in (1, 2, 3)), "words are written in it"
    toy.odd = {}
    assert thumbnails.sheet(toy, toy.keys[:3], 64).why == ("",) * 3, "a mended file is drawn"


def test_what_is_withheld_is_never_opened(cache, toy):
    thumbnails.sheet(toy, toy.keys, 32)
    toy.opened = 0
    sheet = thumbnails.sheet(toy, toy.keys, 32, shown=False)
    assert toy.opened == 0 and sheet.why == ("withheld",) * 40
    cells = pixels(sheet).reshape(3, 32, 16, 32).transpose(0, 2, 1, 3).reshape(48, 32, 32)[:40]
    assert np.ptp(cells, axis=0).max() < 60, "all cells look the same, though the films are in the cache"


def test_without_patience_a_film_a_question_is_drawn_until_none_is_pending(cache, toy):
    left = []
    for _ in range(4):
        left.append(thumbnails.sheet(toy, toy.keys[:4], 16, patience=0.0).why.count("pending"))
    assert left == [3, 2, 1, 0]


def test_no_key_leads_out_of_the_cache(cache, toy, tmp_path):
    toy.keys = ["../../outside", "/etc/passwd", "a\0b", "k" * 5000, *toy.keys[4:]]
    thumbnails.sheet(toy, toy.keys[:4], 16)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == 4 and all(path.resolve().is_relative_to(cache / "thumbnails") for path in written)


def test_a_full_folder_gives_up_its_older_half(cache, monkeypatch):
    monkeypatch.setattr(thumbnails, "KEPT", 6)
    paths = [cache / "thumbnails" / "ab" / f"ab{number}.jpg" for number in range(20)]
    for number, path in enumerate(paths):
        thumbnails.keep(path, b"x")
        import os

        os.utime(path, (number, number))
    left = sorted(path.name for path in (cache / "thumbnails" / "ab").iterdir())
    assert 3 <= len(left) <= 6 and "ab19.jpg" in left and "ab0.jpg" not in left


def test_a_torn_thumbnail_is_drawn_again(cache, toy):
    thumbnails.sheet(toy, toy.keys[:1], 16)
    path = thumbnails.path_of(toy.data_hash, toy.keys[0], 16)
    path.write_bytes(path.read_bytes()[:40])
    assert thumbnails.sheet(toy, toy.keys[:1], 16).why == ("",) and toy.opened == 2


def test_a_cache_that_cannot_be_written_is_said_in_words(cache, toy):
    (cache / "thumbnails").parent.mkdir()
    (cache / "thumbnails").write_text("a file where the folder should be")
    with pytest.raises(UserError, match="WORKBENCH_CACHE"):
        thumbnails.sheet(toy, toy.keys[:1], 16)
    with pytest.raises(UserError, match="at most"):
        thumbnails.sheet(toy, toy.keys, 4)


def test_two_hundred_kept_thumbnails_are_there_in_a_moment(cache):
    toy = films.load(films.Config(studies=200))
    thumbnails.sheet(toy, toy.keys, 128)
    begun = time.process_time()
    thumbnails.sheet(toy, toy.keys, 128)
    assert time.process_time() - begun < 0.3 and toy.opened == 200
