"""What anyone would guess, how much a method knows beyond that, and what is wrong with one that knows nothing."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.interpolate import CloughTocher2DInterpolator

import workbench as wb
from workbench.analysis import _guesses, reconstruction
from workbench.analysis.reconstruction import (
    GUESSES,
    METHOD,
    Reconstruction,
    doctor,
    guesses,
    in_space,
    patch_errors,
    skill_difference,
    skill_interval,
    unseen,
)
from workbench.errors import UserError
from workbench.figures import reconstruction as figures
from workbench.figures.theme import DARK, LIGHT

SIDE, PATCH = 4, 3


def film(channels=1, seed=0):
    """(c 12 12): smooth with some noise."""
    y, x = np.mgrid[:12, :12]
    noise = np.random.default_rng(seed).normal(size=(channels, 12, 12))
    return np.sin(x / 3)[None] + np.cos(y / 4)[None] * np.arange(1, channels + 1)[:, None, None] + 0.05 * noise


def mask_of(*hidden):
    mask = np.zeros(SIDE**2, bool)
    mask[list(hidden)] = True
    return mask


def cut(image, row, column):
    """One patch, its channels fastest."""
    return image[:, row * PATCH : (row + 1) * PATCH, column * PATCH : (column + 1) * PATCH].transpose(1, 2, 0).ravel()


def test_patches_are_cut_row_by_row_and_put_together_again():
    image = film(channels=2)
    patches = reconstruction.patches_of(image, PATCH)
    assert patches.shape == (16, 18)
    for place in (0, 5, 15):
        np.testing.assert_array_equal(patches[place], cut(image, *divmod(place, SIDE)))
    np.testing.assert_array_equal(reconstruction.image_of(patches, PATCH, 2), image)
    np.testing.assert_array_equal(reconstruction.patches_of(np.stack([image, -image]), PATCH)[1], -patches)


def test_each_guess_is_what_it_says():
    image = film()
    patches, mask = reconstruction.patches_of(image, PATCH), mask_of(0, 5, 6, 15)
    found = guesses(patches, mask, PATCH)
    assert set(found) == set(GUESSES)
    for each in found.values():
        np.testing.assert_allclose(each[~mask], patches[~mask])
    assert (found["zero"][mask] == 0).all()
    np.testing.assert_allclose(found["mean patch"][5], np.mean([patches[n] for n in range(16) if not mask[n]], 0))
    np.testing.assert_array_equal(found["nearest"][[0, 5, 6, 15]], patches[[1, 1, 2, 11]])  # 5: of 1, 4 and 9 the first


def test_cubic_interpolation_looks_at_visible_pixels_only_and_is_exact_on_planes():
    y, x = np.mgrid[:12, :12].astype(float)
    plane = (0.7 * x - 0.2 * y + 1)[None]
    mask = mask_of(5, 6, 9)
    patches = reconstruction.patches_of(plane, PATCH)
    spoiled = np.where(mask[:, None], 99.0, patches)
    np.testing.assert_allclose(guesses(spoiled, mask, PATCH)["cubic"], patches, atol=1e-6)
    image, hidden = film()[0], np.kron(mask.reshape(4, 4), np.ones((3, 3), bool))
    whole = CloughTocher2DInterpolator(np.argwhere(~hidden), image[~hidden])(np.argwhere(hidden))
    found = reconstruction.image_of(guesses(reconstruction.patches_of(image[None], PATCH), mask, PATCH)["cubic"], PATCH)[0][hidden]
    assert np.abs(found - whole).max() < 0.15 and np.corrcoef(found, whole)[0, 1] > 0.99, "the ring of pixels stands for all of them"


def test_beyond_the_hull_of_what_is_visible_cubic_is_the_nearest_pixel():
    image, mask = film(), ~mask_of(5)
    found = reconstruction.image_of(guesses(reconstruction.patches_of(image, PATCH), mask, PATCH)["cubic"], PATCH)[0]
    assert found[0, 0] == image[0, 3, 3] and found[11, 11] == image[0, 5, 5]


def test_nothing_visible_leaves_only_zero_and_nothing_hidden_no_error():
    patches = reconstruction.patches_of(film(), PATCH)
    found = patch_errors(patches, np.ones(16, bool), PATCH, False)
    np.testing.assert_allclose(found["zero"], (patches**2).mean(1))
    assert all(np.isnan(found[name]).all() for name in ("mean patch", "nearest", "cubic"))
    assert all((each == 0).all() for each in patch_errors(patches, np.zeros(16, bool), PATCH, True).values())


def test_in_standardised_space_truth_and_guess_are_standardised_by_themselves():
    patches, mask = reconstruction.patches_of(film(), PATCH), mask_of(0, 5, 6, 15)
    errors, found = patch_errors(patches, mask, PATCH, True), guesses(patches, mask, PATCH)

    def own(patch):
        return (patch - patch.mean()) / np.sqrt(((patch - patch.mean()) ** 2).sum() / (len(patch) - 1) + 1e-6)

    for name in GUESSES:
        for place in (0, 5, 15):
            assert errors[name][place] == pytest.approx(((own(found[name][place]) - own(patches[place])) ** 2).mean(), rel=1e-9)
    assert errors["zero"][5] == pytest.approx(8 / 9, rel=1e-3), "zero is the true mean there"
    np.testing.assert_allclose(in_space(patches, False), patches)


def result(own=0.5, hidden=(0, 5, 6, 15), norm_pix=False, step=3, run="r", notes=()):
    patches, mask = reconstruction.patches_of(film(), PATCH), mask_of(*hidden)
    errors = patch_errors(patches, mask, PATCH, norm_pix) | {METHOD: np.full(16, own)}
    grey = np.clip(film()[0] / 4 + 0.5, 0, 1)
    return Reconstruction("study", run, step, PATCH, norm_pix, grey, 1 - grey, mask, errors, notes)


def test_skill_is_one_less_the_ratio_of_errors_over_hidden_patches():
    found = result(own=0.02)
    zero = np.mean([found.errors["zero"][place] for place in (0, 5, 6, 15)])
    assert found.error() == pytest.approx(0.02) and found.skill("zero") == pytest.approx(1 - 0.02 / zero)
    assert found.hidden == 4 and found.best_guess() == min(GUESSES, key=lambda name: found.error(name))
    pasted = found.pasted
    assert (pasted[:3, :3] == found.painted[:3, :3]).all() and (pasted[:3, 3:] == found.original[:3, 3:]).all()


def test_without_hidden_patches_there_is_no_error_and_no_skill():
    found = result(hidden=())
    assert found.error() is None and found.skill("cubic") is None and found.best_guess() is None
    everything = result(hidden=range(16))
    assert everything.skill("cubic") is None and everything.best_guess() == "zero"


def test_the_interval_of_a_skill_resamples_patients():
    draw = np.random.default_rng(0)
    guess = draw.gamma(4, size=300)
    own = guess * draw.uniform(0.5, 0.9, size=300)
    patients = [f"p{place // 2}" for place in range(300)]
    found = skill_interval(own, guess, patients)
    assert found.value == pytest.approx(1 - own.sum() / guess.sum()) and found.low < found.value < found.high
    ratio = own - (1 - found.value) * guess  # linearised: the textbook's standard error of a ratio, patients as units
    error = np.sqrt(np.sum(ratio.reshape(150, 2).sum(1) ** 2)) / guess.sum()
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * error, rel=0.1)
    doubled = skill_interval(np.tile(own, 2), np.tile(guess, 2), patients * 2)
    assert doubled.high - doubled.low == pytest.approx(found.high - found.low, rel=1e-6), "copies of a patient add nothing"
    few = skill_interval(own[:30], guess[:30], patients[:30])
    assert few.low is None and "15 patients" in few.why


def healthy(norm_pix, channels=1):
    truth = reconstruction.patches_of(film(channels) * 2 + 5, PATCH)
    noise = np.random.default_rng(1).normal(size=truth.shape)
    return truth, in_space(truth, norm_pix), noise


MASK = mask_of(*range(10))


@pytest.mark.parametrize("norm_pix", [False, True])
def test_the_doctor_says_nothing_of_what_is_better_than_trivial(norm_pix):
    truth, target, noise = healthy(norm_pix)
    assert doctor(target + 0.3 * noise, truth, MASK, norm_pix) == ()
    assert doctor(noise * 9, truth, mask_of(1, 2), norm_pix) == (), "too little is hidden to judge"


@pytest.mark.parametrize("norm_pix", [False, True])
def test_the_doctor_knows_what_is_wrong(norm_pix):
    truth, target, noise = healthy(norm_pix)
    assert "other space" in doctor(in_space(truth, not norm_pix), truth, MASK, norm_pix)[0]
    assert "wrong units" in doctor(20 * target + 60 + 0.1 * noise, truth, MASK, norm_pix)[0]
    assert "No better than" in doctor(noise, truth, MASK, norm_pix)[0]
    assert "decoder" in doctor(target, truth, MASK, norm_pix, decoder_missing=True)[0]


def test_slope_and_offset_of_a_line():
    x = np.array([0.0, 1.0, 2.0, 5.0])
    assert reconstruction.line(x, 3 * x - 2) == pytest.approx((3, -2)) and reconstruction.line(x * 0, x) == pytest.approx((0, 2))
    assert reconstruction.explained(x, x, 0.0) == 1 and reconstruction.explained(x * 0, x, 0.0) == 0


def test_the_nearest_visible_patch_on_a_grid():
    hidden = ~mask_of(0, 15)
    assert _guesses.nearest(hidden).tolist() == [0 if sum(divmod(place, 4)) <= 3 else 15 for place in range(1, 15)]


# ---- figures ------------------------------------------------------------------------------------------------------------


def said(figure):
    return [note.text for note in figure.layout.annotations]


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda palette: palette.name)
def test_the_row_shows_five_panels_and_errors_of_hidden_patches_only(palette):
    found = result(own=0.25)
    figure = figures.row(found, palette, "<b>run</b>")
    assert said(figure) == list(figures.PANELS) and "&lt;b&gt;" in figure.layout.title.text
    heat = np.array(figure.data[4].z, float)
    assert np.array_equal(np.isnan(heat).ravel(), ~found.mask) and np.nanmax(heat) == 0.25
    assert [trace.type for trace in figure.data] == ["image"] * 4 + ["heatmap"]
    assert "visible" in figure.data[4].customdata[0][1] and "cubic" in figure.data[4].customdata[0][0]


def pixels(source):
    import base64
    import io

    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))))


def test_what_is_hidden_is_covered_and_what_was_visible_is_not_shown_as_painted():
    found = result()
    original, masked, painted, pasted = (pixels(trace.source) for trace in figures.row(found).data[:4])
    cover = np.array([0xE6, 0xEA, 0xEB])
    hidden = found.hidden_pixels
    assert (masked[hidden] == cover).all() and (painted[~hidden] == cover).all()
    assert (masked[~hidden] == original[~hidden]).all() and (pasted[hidden] == painted[hidden]).all()
    np.testing.assert_array_equal(original[..., 0], np.rint(found.original * 255))


def test_skills_are_dots_by_guess_and_undefined_ones_say_why():
    figure = figures.skills({"a": result(own=0.01), "b": result(own=0.9)}, {"a": 2, "b": 0})
    assert [trace.marker.color for trace in figure.data] == [LIGHT.series[2], LIGHT.series[0]]
    assert list(figure.data[0].x) == [result(own=0.01).skill(name) for name in GUESSES]
    assert "Better than cubic" in figure.layout.title.text
    full = figures.skills({"a": result(hidden=range(16))}, {"a": 0})
    assert said(full).count("needs a visible patch") == 3
    none = figures.skills({"a": result(hidden=())}, {"a": 0})
    assert said(none).count("nothing hidden") == 4 and not none.data


def test_skill_over_steps_and_films_of_snapshots():
    every = [result(own=own, step=step) for own, step in ((2.0, 0), (0.1, 4), (0.01, 64))]
    figure = figures.over_steps({"a": every}, 4, {"a": 1})
    assert list(figure.data[0].y)[1:] == [each.skill("cubic") for each in every[1:]] and list(figure.data[0].x) == [0.72, 4, 64]
    assert any(text.startswith("a") for text in said(figure))
    strip = figures.strip([result(step=step) for step in range(20)])
    assert len(strip.data) == 8 and said(strip)[0] == "step 0" and said(strip)[-1] == "step 19"


def test_tables_hold_what_is_drawn():
    found = result(own=0.25)
    rows = figures.rows(found)
    assert len(rows) == 16 and rows[5] | {"row": 2, "column": 2, "hidden": 1, METHOD: 0.25} == rows[5] and rows[1]["cubic"] is None
    table = figures.skill_rows({"a": [found]})
    assert table[0]["skill against zero"] == found.skill("zero") and table[0]["error"] == 0.25


def test_a_set_that_is_painted_worse_is_told_and_one_at_random_is_not():
    draw = np.random.default_rng(3)
    guess, patients = draw.uniform(1, 2, 200), [f"p{row // 2}" for row in range(200)]
    inside = np.arange(200) < 100
    worse = skill_difference(np.where(inside, 0.8, 0.4) * guess, guess, inside, patients)
    assert worse.value == pytest.approx(-0.4) and worse.high < 0
    noise = guess * draw.uniform(0.2, 0.8, 200)
    same = skill_difference(noise, guess, draw.permutation(inside), patients)
    assert same.low < 0 < same.high
    few = skill_difference(guess[:50], guess[:50], inside[75:125], patients[:50])
    assert few.low is None and "13 patients on one side" in few.why


def test_a_set_is_painted_beside_studies_that_no_run_trained_on(mae_run):
    run = wb.open_run(mae_run.path)
    dataset = run.dataset()
    held = [dataset.keys[place] for place in dataset.split("val")[:9]]
    inside, others = unseen(dataset, [*held, *(dataset.keys[place] for place in dataset.split("train")[:5])])
    assert sorted(inside) == sorted(held) and len(others) == len(dataset.split("val")) - 9 and not set(inside) & set(others)
    found = run.set_skill(SimpleNamespace(keys=held), ratio=0.5)
    one = [run.reconstruct(key, mask=0.5).data for key in held]
    by_hand = 1 - sum(each.errors[METHOD][each.mask].sum() for each in one) / sum(each.errors["cubic"][each.mask].sum() for each in one)
    assert found.inside.value == pytest.approx(by_hand, rel=1e-4) and found.films == (9, len(others))
    assert found.difference.value == pytest.approx(found.inside.value - found.others.value)
    with pytest.raises(UserError, match="holds no study of validation or test"):
        unseen(dataset, [dataset.keys[place] for place in dataset.split("train")])
