"""How a film of the 3-D patient was taken: field, border, markers, things on the skin, processing and parts of devices, none of which is a label."""

import numpy as np
import pytest
from PIL import ImageFont

from workbench.errors import UserError
from workbench.phantom import MASKS
from workbench.phantom.report import report
from workbench.phantom.thorax.acquisition import BORDERS, LOOKS, THINGS, Acquisition, draw_acquisition
from workbench.phantom.thorax.anatomy import body_of
from workbench.phantom.thorax.collimation import bordered, lit
from workbench.phantom.thorax.course import drawn_study
from workbench.phantom.thorax.exposure import growing, smoothed, uneven
from workbench.phantom.thorax.film import ground_truth, render, seen
from workbench.phantom.thorax.latents import with_finding
from workbench.phantom.thorax.lead import Mark, built_in, marks, stamp
from workbench.phantom.thorax.wires import wires


def plain(index=1, view="PA", **taken):
    study = drawn_study(3, index)._replace(findings=(), yaw=0.0, roll=0.0, shift=(0.0, 0.0), zoom=1.0, view=view)
    return study._replace(acquisition=Acquisition(**taken))


def bit(film, name):
    return (film.masks >> MASKS.index(name) & 1).astype(bool)


def lungs(study, size):
    inside = seen(study, size).inside
    return inside["left lung", "left"] | inside["right lung", "right"]


def test_a_letter_is_at_the_side_that_it_claims():
    studies = [drawn_study(7, index) for index in range(200)]
    seen_letters = set()
    for study in studies:
        view = "AP" if study.view == "AP" else "PA"
        for mark in marks(study.seed, study.number, 0, study.acquisition, view, 0.05, 0.02):
            if mark.text in ("L", "R"):
                assert (mark.column > 0.5) == (mark.text == "L"), "the patient's left is at image right"
                seen_letters.add((mark.text, mark.dress))
    assert len(seen_letters) > 7
    drawn = [study.acquisition for study in studies]
    assert {"", "L", "R", "LR"} == {each.letters for each in drawn} and any(each.mirrored for each in drawn)
    assert all(each.words == () or set(each.words) == {"UPRIGHT"} for each, study in zip(drawn, studies) if study.view != "AP")


@pytest.mark.parametrize("dress", ["plain", "initials", "ball", "disc", "tag"])
def test_lead_is_bright_where_it_is_put_and_cut_at_the_edge(dress):
    for size in (64, 200):
        film = np.full((size, size), 0.3, np.float32)
        stamp(film, Mark("R", 0.3, 0.7, 0.1, dress, slant=12.0, small="KB" if dress == "initials" else ""))
        rows, columns = np.nonzero(film != np.float32(0.3))
        assert abs(rows.mean() / size - 0.3) < 0.06 and abs(columns.mean() / size - 0.7) < 0.06
        assert film.max() > 0.6 and film.max() <= 1 and np.ptp(rows) < 0.35 * size
    before = film.copy()
    stamp(film, Mark("R", 0.5, 1.4, 0.1, dress))
    assert np.array_equal(film, before)
    stamp(film, Mark("R", 0.5, 1.0, 0.1, dress))
    assert not np.array_equal(film, before)
    turned = [np.zeros((90, 90), np.float32) for _ in range(2)]
    for each, mirrored in zip(turned, (False, True)):
        stamp(each, Mark("R", 0.5, 0.5, 0.4, mirrored=mirrored))
    assert np.abs(turned[0] - turned[1]).max() > 0.5 and turned[0].sum() == pytest.approx(turned[1].sum())


def test_a_pillow_without_letters_of_any_size_is_refused(monkeypatch):
    monkeypatch.setattr(ImageFont, "load_default", lambda size: ImageFont.ImageFont())
    with pytest.raises(UserError, match="install a Pillow with FreeType"):
        built_in.__wrapped__()


def test_the_field_holds_both_lungs_nearly_always_and_varies():
    shares, widths = [], []
    for index in range(70):
        study = drawn_study(9, index)._replace(findings=())
        study = study._replace(view="PA" if study.view == "lateral" else study.view)
        here, around = lungs(study, 48), lungs(study._replace(zoom=1.5 * study.zoom), 72)
        shares.append(here.sum() / around.sum())
        widths.append(np.ptp(np.flatnonzero(here.any(0))) / 48)
    assert np.mean(np.array(shares) > 0.98) > 0.85 and np.min(shares) > 0.75
    assert 0.66 < np.mean(widths) < 0.82 and np.std(widths) > 0.05
    rolls = [drawn_study(9, index).roll for index in range(400)]
    assert 2 < np.std(rolls) < 4 and np.max(np.abs(rolls)) > 9


def test_how_a_film_is_taken_changes_no_label_word_mask_or_solid():
    study = with_finding(with_finding(plain(), "mass", 0.7, "left"), "effusion", 0.5, "right")
    first, words = render(study, 64), report(study)
    for number in range(12):
        taken = draw_acquisition(5, number, "AP" if number % 2 else "PA")
        other = study._replace(acquisition=taken, photons=900.0, device_style=number % 3, display=(0.5, -0.5, 0.9))
        assert other.labels == study.labels and report(other) == words
        film = render(other, 64)
        assert {(box["label"], box["side"]) for box in film.boxes} == {(box["label"], box["side"]) for box in first.boxes}
        assert not np.array_equal(film.image, first.image)
        if taken.border == "none":
            assert np.array_equal(film.masks, first.masks) and film.boxes == first.boxes
    for name, value in (("roll", 9.0), ("yaw", -6.0), ("shift", (1.0, -1.0)), ("zoom", 1.1)):
        other = study._replace(**{name: value})
        assert other.labels == study.labels and report(other) == words
        assert {(box["label"], box["side"]) for box in render(other, 64).boxes} == {(box["label"], box["side"]) for box in first.boxes}


def test_masks_follow_a_patient_who_leans_and_lie_in_the_field_alone():
    study = plain()._replace(roll=11.0, shift=(2.0, -1.0), zoom=0.9)
    film = render(study, 96)
    for name in ("left lung", "right lung"):
        assert film.image[bit(film, name)].mean() < film.image[20:-20, 20:-20].mean() - 5
    taken = Acquisition(border="black", blades=(0.15, 0.0, 0.2, 0.0), askew=4.0)
    cut = render(study._replace(acquisition=taken, device_style=0), 96)
    field = lit(taken, 96)
    inside = field >= 0.5
    assert np.array_equal(cut.masks, np.where(inside, film.masks, 0)) and not np.array_equal(cut.masks, film.masks)
    assert (cut.image[field == 0] < 12).all()
    for tone, low, high in (("white", 0.95, 1.0), ("grey", 0.3, 0.6)):
        shown = bordered(np.full((96, 96), 0.1), taken._replace(border=tone), field)
        assert low < shown[field == 0].min() <= shown[field == 0].max() <= high and shown[field == 1].max() < 0.11


def test_a_mask_is_where_half_of_a_pixel_is_covered_or_a_quarter_by_what_is_thin():
    fine = np.zeros((32, 32), bool)
    fine[4:9, 4:9] = fine[20, 20] = True  # whole pixels, halves, and quarters
    found = seen(plain(), 32)._replace(inside={("heart", ""): fine, ("nodule", "left"): fine})
    masks, _ = ground_truth(plain(), found, 16)
    share = fine.reshape(16, 2, 16, 2).mean((1, 3))
    for name, least in (("heart", 0.5), ("nodule", 0.25)):
        np.testing.assert_array_equal(masks >> MASKS.index(name) & 1, share >= least)


def test_blades_cut_their_own_side_and_turn_together():
    for side, edge in enumerate((np.s_[:8], np.s_[-8:], np.s_[:, :8], np.s_[:, -8:])):
        field = lit(Acquisition(border="black", blades=tuple(0.12 * (each == side) for each in range(4))), 80)
        assert not field[edge].any() and field.mean() == pytest.approx(0.88, abs=0.01)
    leaning = lit(Acquisition(border="black", blades=(0.1, 0.0, 0.1, 0.0), askew=5.0), 200)
    top = [np.flatnonzero(leaning[:, column] > 0.5)[0] for column in (60, 180)]
    side = [np.flatnonzero(leaning[row] > 0.5)[0] for row in (60, 180)]
    slope = np.tan(np.deg2rad(5)) * 120
    assert top[1] - top[0] == pytest.approx(slope, abs=1.1) and side[1] - side[0] == pytest.approx(-slope, abs=1.1)
    assert lit(Acquisition(), 80) is None


def test_another_finding_keeps_the_tones_of_the_first_film_whatever_the_look():
    for look in LOOKS:
        study = plain(index=2, look=look, strength=0.9)
        changed = with_finding(study, "effusion", 0.9, "left")
        one, two = (render(each, 64, study).image[:, 2:20].astype(int) for each in (study, changed))
        assert np.abs(one - two).mean() < 1.5, look
        assert np.array_equal(render(study, 64).image, render(study, 64, study).image)


def test_looks_differ_as_they_are_named():
    films = {look: render(plain(look=look, strength=1.0), 96).image.astype(float) for look in LOOKS}
    assert films["dark"].mean() < films["plain"].mean() - 10 < films["bright"].mean() - 20
    assert films["washed out"].std() < 0.85 * films["plain"].std()
    detail = {look: np.abs(np.diff(film[20:70, 20:70], axis=1)).mean() / film.std() for look, film in films.items()}
    assert detail["edges"] > 1.2 * detail["plain"]
    assert np.abs(films["equalised"] - films["plain"]).mean() > 5


def test_few_photons_are_smoothed_and_many_are_not():
    noisy = 4 + 0.05 * np.random.default_rng(0).standard_normal((128, 128)).astype(np.float32)
    np.testing.assert_array_equal(smoothed(noisy, 1e12), noisy)
    assert smoothed(noisy, 1e4).std() < 0.8 * noisy.std()
    half = noisy.copy()
    half[:, :64] -= 4
    kept = smoothed(half, 1.3e5)
    np.testing.assert_array_equal(kept[:, :56], half[:, :56])
    assert kept[:, 72:].std() < 0.9 * half[:, 72:].std()


def test_the_grid_and_the_heel_darken_one_side():
    right, left = (uneven(Acquisition(cutoff=each), 64, np.dtype(float)) for each in (0.5, -0.5))
    assert right[0, -1] < 0.6 and right[0, 0] == 1 and np.allclose(right, left[:, ::-1])
    foot = uneven(Acquisition(gradient=0.3), 64, np.dtype(float))
    assert foot[-1, 0] < 0.9 and np.allclose(foot[:, 0], foot[:, -1]) and uneven(Acquisition(), 64, np.dtype(float)) == 1
    grown = growing(4, 12) @ np.array([0.0, 3.0, 6.0, 9.0])
    np.testing.assert_allclose(grown, [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9], atol=1e-6)


@pytest.mark.parametrize("thing", THINGS)
def test_a_thing_on_the_skin_is_on_the_film_and_in_nothing_else(thing):
    bare, worn = plain(index=4), plain(index=4, things=(thing,))
    assert worn.factors[thing] == 1.0 and bare.factors[thing] == 0.0 and not wires(bare) and wires(worn)
    one, two = render(bare, 128), render(worn, 128, bare)
    assert np.array_equal(one.masks, two.masks) and one.boxes == two.boxes and bare.labels == worn.labels
    brighter = two.image.astype(int) - one.image
    assert (brighter > 6).sum() > 8 and (brighter < -6).mean() < 0.01 and (brighter > 6).mean() < 0.15


def test_films_are_taken_as_in_a_hospital():
    front, portable = ([draw_acquisition(0, index, view) for index in range(800)] for view in ("PA", "AP"))
    assert front[5] == draw_acquisition(0, 5, "PA") != front[6] and draw_acquisition(0, 5, "PA", 1) != front[5]
    for name, kinds in (("border", BORDERS), ("look", LOOKS)):
        assert {getattr(each, name) for each in front} == set(kinds) == {getattr(each, name) for each in portable}
    for name, value in (("look", "washed out"), ("look", "bright")):
        assert sum(getattr(each, name) == value for each in portable) > 1.4 * sum(getattr(each, name) == value for each in front)
    for thing in ("electrodes", "oxygen tubing"):
        assert sum(thing in each.things for each in portable) > 4 * sum(thing in each.things for each in front) > 0
    assert all(isinstance(value, float | str) for value in drawn_study(0, 3).factors.values())
    assert np.mean([each.cutoff != 0 for each in portable]) == pytest.approx(0.22, abs=0.05)


def test_a_pacemaker_has_a_can_leads_and_the_coil_of_a_defibrillator():
    study = plain()
    for side, far in (("left", np.s_[:, 84:]), ("right", np.s_[:, :44])):
        paced = with_finding(study, "pacemaker", 0.5, side)
        found = seen(paced, 128).inside
        mask = found["pacemaker", side]
        assert mask[:50][far].sum() > 60, "the can"
        assert (mask & found["heart", ""])[66:].sum() > 15, "a lead in the ventricle"
    finding = paced.findings[0]
    parts = {
        (b, severity): body_of(paced._replace(findings=(finding._replace(place=(0.0, b, 0.0), severity=severity),))).devices
        for b in (-0.8, 0.8)
        for severity in (0.3, 0.9)
    }
    assert len(parts[0.8, 0.9]) == len(parts[0.8, 0.3]) + 1 and len(parts[0.8, 0.3]) == len(parts[-0.8, 0.3])
    leads = [sum(len(part.tube.starts) for part in parts[b, 0.3]) for b in (-0.8, 0.8)]
    assert leads[1] > leads[0] + 20, "a second lead"


def test_lines_come_from_neck_shoulder_or_arm_and_end_in_the_vena_cava():
    study = with_finding(plain(), "central venous line", 0.5, "right")
    starts = []
    for a in (-0.8, 0.0, 0.8):
        moved = study._replace(findings=(study.findings[0]._replace(place=(a, 0.0, 0.0)),))
        tube = body_of(moved).devices[0].tube
        starts.append(tube.starts[0])
        assert -3 < tube.ends[-1][0] < -1.5 and 0 < tube.ends[-1][1] < 4
    assert starts[0][1] > 18 and starts[1][0] < -9 and starts[2][0] < -16 and starts[2][1] < 0


def test_a_side_hole_breaks_the_stripe_near_the_tip():
    _, stripe = body_of(with_finding(plain(), "endotracheal tube", 0.5)).devices
    apart = np.linalg.norm(stripe.tube.starts[1:] - stripe.tube.ends[:-1], axis=1)
    assert (apart > 0.4).sum() == 1 and np.argmax(apart) >= len(apart) - 3
