"""The simulator: path lengths against other derivations, and films on which the findings are where they are said to be."""

import time

import numpy as np
import pytest
from scipy import ndimage

from workbench.phantom import FINDINGS, MASKS
from workbench.phantom.anatomy import thorax
from workbench.phantom.film import block_mean, display, expose, ground_truth, log_exposure, render
from workbench.phantom.latents import Finding, draw_study, patient_of
from workbench.phantom.scene import scene, textures
from workbench.phantom.solids import DETECTOR, DISTANCE, Ellipsoid, Interval, chord, interval, occupied, rays, tubes, turn

LEVELS = ("clinical", "teaching")
PLACE = (0.3, 0.1, 0.0)
ONE = {
    "cardiomegaly": Finding("cardiomegaly", "", 0.8, 0.3),
    "effusion": Finding("effusion", "left", 0.7, 7.0),
    "pneumothorax": Finding("pneumothorax", "left", 0.7, 0.35),
    "consolidation": Finding("consolidation", "left", 0.7, 0.9, PLACE),
    "nodule": Finding("nodule", "left", 0.7, 1.4, PLACE),
    "support device": Finding("support device", "left", 0.5, 0.5, (0.5, 0.5, 0.5), "pacemaker"),
}


def healthy(level="clinical", index=1):
    return draw_study(3, index, level)._replace(findings=(), yaw=0.0, roll=0.0, shift=(0.0, 0.0), zoom=1.0)


def line_of(view, x, y):
    """Source and unit direction of the ray that meets the detector at (x, y)."""
    way = 1 if view == "PA" else -1  # PA: the source is behind, the detector in front
    source, hit = np.array([0, 0, way * (DETECTOR - DISTANCE[view])]), np.array([x, y, way * DETECTOR])
    return source, (hit - source) / np.linalg.norm(hit - source)


@pytest.mark.parametrize("view", ["PA", "AP"])
def test_chords_are_those_of_the_closed_form(view):
    beam = rays(view, 12, 30.0, (1.0, -2.0), np.float64)
    ball = Ellipsoid(np.array([2.0, -1.0, 3.0]), np.full(3, 6.0), np.eye(3))
    tilted = Ellipsoid(np.array([-3.0, 1.5, -2.0]), np.array([3.0, 7.0, 4.5]), turn(20.0, -35.0, 10.0))
    measured, measured_tilted = chord(beam, ball), chord(beam, tilted)
    assert (measured > 0).sum() > 20 and (measured_tilted > 0).sum() > 10
    for row, y in enumerate(beam.y[:, 0]):
        for column, x in enumerate(beam.x[0]):
            source, way = line_of(view, x, y)
            reach = ball.centre - source
            away = np.linalg.norm(reach - (reach @ way) * way)
            assert measured[row, column] == pytest.approx(2 * np.sqrt(max(36.0 - away**2, 0)), abs=1e-6)
            start, along = (tilted.axes.T @ (source - tilted.centre)) / tilted.radii, (tilted.axes.T @ way) / tilted.radii
            roots = np.roots([along @ along, 2 * start @ along, start @ start - 1])
            expected = abs(roots[0] - roots[1]).real if np.isreal(roots).all() else 0.0
            assert measured_tilted[row, column] == pytest.approx(expected, abs=1e-6)


def test_single_precision_is_enough():
    solid = thorax(healthy()).solids["spine"]
    exact, single = (chord(rays("AP", 33, 40.0, (0.0, 0.0), dtype), solid) for dtype in (np.float64, np.float32))
    assert np.abs(exact - single).max() < 0.02


def test_occupied_is_the_length_of_the_union_inside():
    within = Interval(np.array([-4.0]), np.array([5.0]))
    solids = [Interval(np.array([a]), np.array([b])) for a, b in ((-6.0, -1.0), (-2.0, 1.5), (3.0, 9.0), (7.0, 6.0))]
    z = np.linspace(-4, 5, 90001)
    covered = np.any([(z > solid.enter) & (z < solid.leave) for solid in solids], 0)
    assert occupied(within, solids)[0] == pytest.approx(9 * covered.mean(), abs=1e-3)


def test_a_tube_has_its_area_however_thin():
    beam = rays("PA", 200, 40.0, (0.0, 0.0), np.float64)
    for radius in (0.05, 0.6):
        path = tubes(beam, np.array([[-9.0, -3.0]]), np.array([[11.0, 6.0]]), np.array([radius]))
        across = path[:, 70:130].sum(0).mean() * beam.step * np.cos(np.arctan2(9, 20))
        assert across == pytest.approx(np.pi * radius**2, rel=0.02)
    joint = np.array([[0.0, 0.0], [5.0, 0.0], [10.0, 3.0]])
    joined = tubes(beam, joint[:-1], joint[1:], np.full(2, 0.6), joined=True)
    assert joined.max() <= 1.2 + 1e-9 < tubes(beam, joint[:-1], joint[1:], np.full(2, 0.6)).max()


def test_the_same_address_gives_the_same_film_and_another_gives_another():
    first = render(draw_study(5, 17, "clinical"), 40)
    again = render(draw_study(5, 17, "clinical"), 40)
    assert np.array_equal(first.image, again.image) and np.array_equal(first.masks, again.masks) and first.boxes == again.boxes
    for other in (draw_study(6, 17, "clinical"), draw_study(5, 18, "clinical"), draw_study(5, 17, "teaching")):
        assert not np.array_equal(first.image, render(other, 40).image)


def test_a_small_film_is_the_large_one_averaged():
    study = draw_study(2, 9, "clinical")
    large, seen, step = log_exposure(study, 128)
    small, _, wide = log_exposure(study, 64)
    assert np.allclose(block_mean(large, 2), small, rtol=1e-5) and wide == 2 * step
    assert ground_truth(seen, 64)[0].any()


def test_left_is_at_image_right():
    clear, _, _ = log_exposure(healthy(), 64)
    for side, columns in (("left", slice(36, 60)), ("right", slice(4, 28))):
        wet, _, _ = log_exposure(healthy()._replace(findings=(ONE["effusion"]._replace(side=side),)), 64)
        denser = np.log(clear) - np.log(wet)
        other = slice(4, 28) if side == "left" else slice(36, 60)
        assert denser[:, columns].max() > 0.8 and np.abs(denser[:, other]).max() < 0.1
    shown = render(healthy(), 64)
    left_lung, heart = (shown.masks >> MASKS.index(name) & 1 for name in ("left lung", "heart"))
    assert np.nonzero(left_lung)[1].mean() > 36 and np.nonzero(heart)[1].mean() > 33  # the heart points to the left


@pytest.mark.parametrize("name", FINDINGS)
def test_a_finding_changes_its_own_region_only(name):
    study = healthy()
    beam = rays(study.view, 96, 40.0, (0.0, -1.5))
    without, changed = scene(study, beam), scene(study._replace(findings=(ONE[name],)), beam)
    difference = changed.soft - without.soft + 10 * changed.device
    where = ONE[name].side if name not in ("cardiomegaly",) else ""
    mask = changed.inside["heart" if name == "cardiomegaly" else name, where]
    assert mask.sum() > 3
    if name == "pneumothorax":
        assert difference[mask].mean() < -0.5  # air where lung was
        assert (difference[mask] < -0.5).mean() > 0.8  # nearly all of it, not the lung beside it
    else:
        assert difference[mask].mean() > 0.3
    region = mask if name in ("cardiomegaly", "support device") else without.inside["left lung", "left"]
    near = ndimage.binary_dilation(region, iterations=3)
    assert np.abs(difference[~near]).max() < 0.3
    assert np.abs(difference).sum() > 0 and np.array_equal(without.bone, changed.bone)


def test_severity_is_monotone():
    study, beam = healthy(), rays("PA", 64, 40.0, (0.0, -1.5))
    sizes = {
        "cardiomegaly": (0.1, 0.2, 0.3),
        "effusion": (3, 6, 9),
        "pneumothorax": (0.15, 0.3, 0.45),
        "consolidation": (0.3, 0.6, 0.9),
        "nodule": (0.8, 1.2, 1.6),
    }
    for name, grades in sizes.items():
        paths = [scene(study._replace(findings=(ONE[name]._replace(size=size),)), beam).soft.sum() for size in grades]
        steps = np.diff(paths) * (-1 if name == "pneumothorax" else 1)
        assert (steps > 0).all(), name


@pytest.mark.parametrize("level", LEVELS)
def test_boxes_hold_their_masks_and_labels_hold_for_both(level):
    for index in range(40):
        study = draw_study(1, index, level)
        film = render(study, 48)
        assert film.image.shape == (48, 48) and film.image.dtype == np.uint8 and film.image.std() > 10
        named = {box["label"] for box in film.boxes} - {"heart"}
        assert named <= {finding.name for finding in study.findings}
        for bit, name in enumerate(MASKS[2:], 2):
            plane = (film.masks >> bit & 1).astype(bool)
            boxes = [box for box in film.boxes if box["label"] == name]
            assert plane.any() == bool(boxes)
            covered = np.zeros_like(plane)
            for box in boxes:
                assert box["x"] >= 0 and box["x"] + box["w"] <= 48 and box["y"] >= 0 and box["y"] + box["h"] <= 48
                covered[box["y"] : box["y"] + box["h"], box["x"] : box["x"] + box["w"]] = True
                assert plane[box["y"], box["x"] : box["x"] + box["w"]].any() or len(boxes) > 1  # tight
            assert not (plane & ~covered).any()


def test_patients_have_one_or_two_studies_and_prevalences_are_those_of_a_clinic():
    owners = [patient_of(index) for index in range(1000)]
    assert sorted(set(owners)) == list(range(800)) and max(np.bincount(owners)) == 2
    studies = [draw_study(0, index, "clinical") for index in range(1500)]
    assert all(0.1 < share < 0.4 for share in np.mean([study.labels for study in studies], 0))
    assert studies[3].patient == studies[4].patient and studies[3].patient != studies[5].patient
    portable = np.array([study.view == "AP" for study in studies])
    device = np.array([study.has("support device") for study in studies])
    assert 0.3 < portable.mean() < 0.6 and device[portable].mean() > device[~portable].mean() + 0.1


def slope(film):
    """Log-log slope of the radial power spectrum between 4 and 64 cycles a film, Hann window."""
    size = len(film)
    window = np.hanning(size)[:, None] * np.hanning(size)
    power = np.abs(np.fft.fft2((film - (film * window).sum() / window.sum()) * window)) ** 2
    radius = np.round(np.hypot(*np.meshgrid(*[np.fft.fftfreq(size, 1 / size)] * 2))).astype(int)
    cycles = np.arange(4, 65)
    radial = np.bincount(radius.ravel(), power.ravel()) / np.bincount(radius.ravel())
    return np.polyfit(np.log(cycles), np.log(radial[cycles]), 1)[0]


@pytest.mark.parametrize("level", LEVELS)
def test_the_spectrum_falls_like_that_of_real_films(level):
    clean, noisy = [], []
    for index in range(10):
        study = draw_study(4, index, level)
        exposure, _, _ = log_exposure(study, 160)
        clean.append(slope(-np.log(exposure)))
        noisy.append(slope(expose(study, exposure)))
    assert -3.3 < np.mean(clean) < -2.5
    assert 0 <= np.mean(noisy) - np.mean(clean) < 0.3


def test_textures_are_the_same_at_every_size():
    study = draw_study(0, 3, "clinical")
    coarse, fine = textures(study, 128)[0], textures(study, 256)[0]
    assert np.allclose(fine[::2, ::2], coarse, atol=0.05) and coarse.std() == pytest.approx(1, abs=0.1)


def test_the_display_keeps_the_order_of_densities():
    study = healthy("teaching")._replace(device_style=0)
    density = np.tile(np.linspace(1.0, 6.0, 64), (64, 1))
    shown = display(study, density)[20:-12, 10:-10].astype(int)
    assert (np.diff(shown, axis=1) >= 0).all() and np.ptp(shown) > 150


def test_films_are_made_fast_enough():
    studies = [draw_study(8, index, "clinical") for index in range(12)]
    render(studies[0], 128)
    start = time.process_time()
    for study in studies:
        render(study, 128)
    assert (time.process_time() - start) / len(studies) < 5 * 0.02  # 100 a second on two cores, five times slack


def test_a_solid_that_is_missed_has_no_length():
    found = interval(rays("PA", 9, 30.0, (0.0, 0.0)), Ellipsoid(np.array([90.0, 0.0, 0.0]), np.ones(3), np.eye(3)))
    assert not found.length.any()
