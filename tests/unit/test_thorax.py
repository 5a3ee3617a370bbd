"""The 3-D patient's films: findings where they are said to be, left at image right, purity, spectra, clips, speed."""

import itertools
import time

import numpy as np
import pytest
from scipy import ndimage

from workbench.errors import UserError
from workbench.phantom import DEVICES, FINDINGS, GENERATOR_VERSION, MASKS, SIDES
from workbench.phantom.levels import LEVELS
from workbench.phantom.thorax.acquisition import Acquisition
from workbench.phantom.thorax.anatomy import body_of
from workbench.phantom.thorax.clip import at_phase, clip
from workbench.phantom.thorax.course import drawn_study, history
from workbench.phantom.thorax.crossings import Capsules
from workbench.phantom.thorax.film import SCANNERS, attenuated, expose, log_exposure, render, seen
from workbench.phantom.thorax.latents import BILATERAL, MIDDLE, with_finding
from workbench.phantom.thorax.patient import draw_patient
from workbench.phantom.thorax.variants import Variant
from workbench.phantom.thorax.voxels import volume

FRONT = ("PA", "AP")


def healthy(index=1, view="PA"):
    study = drawn_study(3, index)._replace(findings=(), yaw=0.0, roll=0.0, shift=(0.0, 0.0), zoom=1.0, view=view, acquisition=Acquisition())
    return study._replace(patient=study.patient._replace(build=0.4), inspiration=0.7)


def bit(film, name):
    return (film.masks >> MASKS.index(name) & 1).astype(bool)


def slope(film):
    """Log-log slope of the radial power spectrum between 4 and 64 cycles a film, Hann window."""
    size = len(film)
    window = np.hanning(size)[:, None] * np.hanning(size)
    power = np.abs(np.fft.fft2((film - (film * window).sum() / window.sum()) * window)) ** 2
    radius = np.round(np.hypot(*np.meshgrid(*[np.fft.fftfreq(size, 1 / size)] * 2))).astype(int)
    cycles = np.arange(4, 65)
    radial = np.bincount(radius.ravel(), power.ravel()) / np.bincount(radius.ravel())
    return np.polyfit(np.log(cycles), np.log(radial[cycles]), 1)[0]


def flat(thing):
    """Every array in nested tuples, lists and dicts."""
    if isinstance(thing, np.ndarray):
        return [thing]
    if isinstance(thing, dict):
        thing = thing.values()
    return [array for each in thing for array in flat(each)] if isinstance(thing, tuple | list | type({}.values())) else []


def test_the_same_address_gives_the_same_picture_and_another_gives_another():
    assert GENERATOR_VERSION == 5
    first = render(drawn_study(5, 17), 64)
    history.cache_clear()
    again = render(drawn_study(5, 17), 64)
    assert np.array_equal(first.image, again.image) and np.array_equal(first.masks, again.masks) and first.boxes == again.boxes
    for other in (drawn_study(6, 17), drawn_study(5, 18)):
        assert not np.array_equal(first.image, render(other, 64).image)
    small = (20, 18, 22), (16.0, 18.0, 17.0)
    one, two = volume(drawn_study(5, 17), *small), volume(drawn_study(5, 17), *small)
    assert np.array_equal(one.hounsfield, two.hounsfield) and np.array_equal(one.masks, two.masks)


def test_views_of_a_patient_share_their_solids():
    study = with_finding(drawn_study(2, 4), "mass", 0.8, "left")
    bodies = [body_of(study._replace(view=view, yaw=yaw)) for view, yaw in (("PA", 0.0), ("AP", 5.0), ("lateral", 2.0))]
    for other in bodies[1:]:
        for name in ("lungs", "organs", "airways", "vessels", "great", "gas", "lesions", "cage"):
            mine, theirs = flat(getattr(bodies[0], name)), flat(getattr(other, name))
            assert mine and len(mine) == len(theirs) and all(np.array_equal(a, b) for a, b in zip(mine, theirs)), name
    ribs = [Capsules(*(part[: body.bones.axial] for part in body.bones.tubes)) for body in bodies]
    assert len(ribs[0].radius) > 500 and all(np.array_equal(a, b) for other in ribs[1:] for a, b in zip(ribs[0], other))
    assert not np.array_equal(bodies[0].bones.tubes.starts, bodies[1].bones.tubes.starts)  # the shoulder girdle lies otherwise
    assert len(bodies[0].muscle) == len(bodies[2].muscle) + 2  # the arms are raised


@pytest.mark.parametrize("view", FRONT)
def test_left_is_at_image_right(view):
    study = healthy(view=view)
    clear = attenuated(seen(study, 64), 0)
    for side, columns, other in (("left", slice(36, 60), slice(4, 28)), ("right", slice(4, 28), slice(36, 60))):
        denser = attenuated(seen(with_finding(study, "effusion", 0.8, side), 64), 0) - clear
        assert denser[:, columns].max() > 0.8 and np.abs(denser[:, other]).max() < 0.02
    film = render(study, 64)
    assert np.nonzero(bit(film, "left lung"))[1].mean() > 38 > 26 > np.nonzero(bit(film, "right lung"))[1].mean()
    rows, columns = np.nonzero(bit(film, "heart"))
    assert columns.mean() > 33 and columns[rows > np.quantile(rows, 0.8)].mean() > columns[rows < np.quantile(rows, 0.2)].mean() + 1  # apex


def test_a_lateral_film_has_the_front_at_image_left():
    _, columns = np.nonzero(seen(healthy(view="lateral"), 64).inside["heart", ""])
    assert columns.mean() < 31
    lead = seen(with_finding(healthy(view="lateral"), "pacemaker", 0.5, "left"), 64).inside["pacemaker", "left"]
    assert np.nonzero(lead)[1].min() < 22


@pytest.mark.parametrize(("name", "beside"), [(name, side) for name in FINDINGS for side in ([""] if name in MIDDLE else SIDES)])
def test_a_finding_changes_its_own_neighbourhood(name, beside):
    study = healthy()
    changed = with_finding(study, name, 0.7, beside)
    without, found = seen(study, 128), seen(changed, 128)
    difference = attenuated(found, 0) - attenuated(without, 0)
    mask = found.inside["heart" if name == "cardiomegaly" else name, beside]
    assert mask.sum() > 8
    inner = difference[mask]
    if name == "pneumothorax":
        assert np.median(inner) < -0.1  # air where lung was
    elif name == "rib fracture":
        assert np.abs(inner).max() > 0.05
    elif name == "atelectasis":
        assert inner.mean() > 0.3
    else:
        assert inner.mean() > 0.1
    lungs = without.inside["left lung", "left"] | without.inside["right lung", "right"]
    region = mask if name not in ("pneumothorax", "atelectasis", "cardiomegaly", "oedema") else mask | lungs | without.inside["heart", ""]
    if name in ("rib fracture",):
        region = ndimage.binary_dilation(region, iterations=24)  # the piece beyond the gap stands off
    far = ~ndimage.binary_dilation(region, iterations=6 if name == "consolidation" else 4)  # its edge fades
    if name == "atelectasis":  # the mediastinum follows, in the neck too, and so does the stomach's bubble below the dome
        far[:48] = far[98:] = False
    assert np.abs(difference[far]).max() < 0.1
    film = render(changed, 128)
    boxes = [box for box in film.boxes if box["label"] == name]
    assert [box["side"] for box in boxes] == [beside] and {box["label"] for box in film.boxes} == {name}
    centre = boxes[0]["x"] + boxes[0]["w"] / 2
    if beside and name not in ("central venous line", "pacemaker"):  # their tips are in the middle
        assert centre > 66 if beside == "left" else centre < 62
    if name not in ("cardiomegaly", "oedema", *DEVICES):
        other = volume(changed, (48, 40, 56), (8.0, 8.0, 8.0)).mask(name)
        assert not other[:, :, :26].any() if beside == "left" else not other[:, :, 30:].any()


def test_a_pneumothorax_has_a_line_and_no_markings_outside_it():
    study = with_finding(healthy(), "pneumothorax", 0.9, "left")
    scan = volume(study, (150, 120, 170), (2.4, 2.4, 2.4))
    empty = scan.mask("pneumothorax")
    assert empty.sum() > 2000 and not (empty & scan.mask("vessels")).any()
    assert (scan.hounsfield[empty] == -1000).all()
    body = body_of(study)
    assert np.prod(body.fallen["left"].radii) < 0.6 * np.prod(body.lungs["left"].radii)


def test_lost_volume_draws_dome_and_mediastinum():
    study = healthy()
    before, after = (body_of(each).organs for each in (study, with_finding(study, "atelectasis", 1.0, "right")))
    assert (
        after["right dome"].centre[1] > before["right dome"].centre[1] + 2 and after["left dome"].centre[1] == before["left dome"].centre[1]
    )
    assert after["heart"].centre[0] < before["heart"].centre[0] - 1


def test_fluid_climbs_along_the_wall():
    scan = volume(with_finding(healthy(), "effusion", 0.6, "left"), (150, 120, 170), (2.4, 2.4, 2.4))
    wet = scan.mask("effusion")
    tops = [np.nonzero(wet[:, :, column].any(1))[0].max() for column in np.flatnonzero(wet.any((0, 1)))]
    assert np.max(tops[-12:]) > tops[len(tops) // 2] + 3


@pytest.mark.parametrize(
    ("name", "sign"),
    [("cardiomegaly", 1), ("effusion", 1), ("pneumothorax", -1), ("consolidation", 1), ("oedema", 1), ("nodule", 1), ("mass", 1)],
)
def test_severity_is_monotone(name, sign):
    side = "" if name in MIDDLE else "right"
    totals = [seen(with_finding(healthy(), name, severity, side, None), 64).soft.sum() for severity in (0.2, 0.6, 1.0)]
    assert (sign * np.diff(totals) > 0).all()


def test_a_replaced_finding_leaves_all_else_to_the_bit():
    study = drawn_study(11, 3)._replace(findings=(), view="PA")
    other = with_finding(study, "nodule", 0.6, "left", "upper")
    assert with_finding(other, "nodule", 0.0, "left") == study and other.of("nodule", "left").zone == "upper"
    assert other._replace(findings=()) == study
    one, two = log_exposure(study, 128)[0], log_exposure(other, 128)[0]
    here = seen(other, 128).inside["nodule", "left"]
    near = ndimage.binary_dilation(here, iterations=2)
    paths = [seen(each, 128) for each in (study, other)]
    assert all(np.array_equal(a[~near], b[~near]) for a, b in zip(paths[0][:5], paths[1][:5]))
    drawn = [(expose(study, each) + np.log(each))[~ndimage.binary_dilation(here, iterations=12)] for each in (one, two)]
    assert np.abs(drawn[0] - drawn[1]).max() < 2e-3  # the same noise; scattered light alone differs
    with pytest.raises(UserError, match="the findings are"):
        with_finding(study, "nodule", 2.0, "left")


def test_findings_are_as_frequent_as_in_a_clinic_and_come_together():
    studies = [drawn_study(0, index) for index in range(1500)]
    share = dict(zip(FINDINGS, np.mean([study.labels for study in studies], 0)))
    assert all(0.01 < each < 0.35 for each in share.values()) and share["effusion"] > share["mass"]
    assert {study.view for study in studies} == {"PA", "AP"} and 0.3 < np.mean([study.view == "AP" for study in studies]) < 0.6

    def given(one, other):
        return np.mean([study.has(one) for study in studies if study.has(other)])

    assert (
        given("oedema", "cardiomegaly") > 1.5 * share["oedema"] and given("feeding tube", "endotracheal tube") > 2 * share["feeding tube"]
    )
    assert all(study.patient == draw_patient(0, study.patient_index) for study in studies[:20])


def test_boxes_hold_their_masks():
    for index in range(25):
        study = drawn_study(1, index)
        film = render(study, 64)
        assert film.image.shape == (64, 64) and film.image.std() > 10 and film.as_image().view == study.view
        for name in MASKS[2:]:
            label = "cardiomegaly" if name == "heart" else name
            plane, boxes = bit(film, name), [box for box in film.boxes if box["label"] == label]
            assert plane.any() == bool(boxes) or name == "heart"
            covered = np.zeros_like(plane)
            for box in boxes:
                covered[box["y"] : box["y"] + box["h"], box["x"] : box["x"] + box["w"]] = True
            assert not boxes or not (plane & ~covered).any()


@pytest.mark.parametrize(("size", "level"), [(128, "clinical"), (160, "clinical"), (256, "clinical"), (160, "teaching")])
def test_the_spectrum_falls_like_that_of_real_films(size, level):
    clean, noisy = [], []
    for index in range(10):
        study = drawn_study(4, index, Variant(level=level))
        exposure = log_exposure(study, size)[0]
        clean.append(slope(-np.log(exposure)))
        noisy.append(slope(expose(study, exposure)))
    assert -3.3 < np.mean(clean) < -2.5
    assert 0 <= np.mean(noisy) - np.mean(clean) < 0.3


def test_scanners_show_a_density_in_their_own_way():
    study = healthy()
    shown = [render(study._replace(device_style=style), 64).image for style in range(len(SCANNERS))]
    assert all(not np.array_equal(shown[0], other) for other in shown[1:])
    kept = render(with_finding(study, "effusion", 0.9, "left"), 64, study).image[:, 2:20].astype(int)
    assert np.abs(kept - render(study, 64).image[:, 2:20].astype(int)).mean() < 1


def test_a_film_without_a_body_is_refused():
    with pytest.raises(UserError, match="study 1 has no body"):
        render(healthy()._replace(shift=(90.0, 0.0)), 48)


def test_a_clip_breathes():
    study = healthy()
    frames = clip(study, 5, 48)
    assert frames.shape == (5, 48, 48) and frames.dtype == np.uint8
    tops = [body_of(at_phase(study, phase)).organs["right dome"].centre[1] for phase in (0.0, 0.25, 0.5, 1.0)]
    assert tops[0] > tops[1] > tops[2] and tops[0] == pytest.approx(tops[3])
    assert all(not np.array_equal(one, other) for one, other in itertools.pairwise(frames))


def test_films_are_made_fast_enough():
    studies = [drawn_study(8, index) for index in range(12)]
    render(studies[0], 128)
    start = time.process_time()
    for study in studies:
        render(study, 128)
    assert (time.process_time() - start) / len(studies) < 5 * 0.02  # 100 a second on two cores, five times slack


def test_a_teaching_film_is_clean_and_its_findings_are_plain():
    clinic, lesson = ([drawn_study(2, index, Variant(level=level)) for index in range(300)] for level in LEVELS)
    for study in lesson:
        assert study.acquisition == Acquisition(letters=study.acquisition.letters) and study.photons >= 4000
        assert all(each.severity >= 0.5 for each in study.findings if each.name not in BILATERAL)
    assert any(study.acquisition.things for study in clinic) and min(each.severity for study in clinic for each in study.findings) < 0.2
    assert np.std([study.yaw for study in lesson]) < 0.7 * np.std([study.yaw for study in clinic])
    assert [study.patient for study in lesson] == [study.patient for study in clinic]
    assert np.mean([study.labels for study in lesson]) > 1.15 * np.mean([study.labels for study in clinic])
    thin, wide = (with_finding(study, "feeding tube", 0.5).of("feeding tube").size for study in (clinic[0], lesson[0]))
    assert wide > 1.4 * thin
