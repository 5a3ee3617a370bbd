"""Path lengths of the 3-D patient against other derivations: closed forms, marching, and the voxels of the same patient."""

import numpy as np
import pytest

from workbench.phantom.solids import DETECTOR, DISTANCE, Ellipsoid, Interval, both, interval, rays, turn
from workbench.phantom.thorax.anatomy import body_of
from workbench.phantom.thorax.course import drawn_study
from workbench.phantom.thorax.crossings import Capsules, Crossings, crossed, shared, union
from workbench.phantom.thorax.exposure import block_mean
from workbench.phantom.thorax.fields import field_of, rho, weights
from workbench.phantom.thorax.film import attenuated, beam_of, seen, turned
from workbench.phantom.thorax.latents import with_finding
from workbench.phantom.thorax.materials import BONE, FAT, LUNG, MARROW, SOFT, hounsfield
from workbench.phantom.thorax.paths import Placed
from workbench.phantom.thorax.pieces import each_of, gaps, length, spread
from workbench.phantom.thorax.voxels import projected, volume

CAPSULES = Capsules(
    np.array([[-9.0, 3.0, -4.0], [2.0, -5.0, 3.0], [6.0, 6.0, -5.0], [-4.0, -7.0, 1.0]]),
    np.array([[-3.0, 7.0, 5.0], [3.5, -5.5, 3.2], [6.3, 6.2, 6.0], [-4.0, -7.0, 1.0]]),  # oblique, short, nearly along the ray, a ball
    np.array([1.7, 2.4, 1.3, 2.2]),
)


def study_of(*findings, view="PA", index=1):
    study = drawn_study(3, index)._replace(findings=(), yaw=3.0, roll=-2.0, shift=(0.4, -0.3), zoom=1.02, view=view)
    for name, side in findings:
        study = with_finding(study, name, 0.7, side)
    return study


def line_of(view, x, y):
    """Source and unit direction of the ray that meets the detector at (x, y)."""
    way = 1 if view == "PA" else -1
    source, hit = np.array([0, 0, way * (DETECTOR - DISTANCE[view])]), np.array([x, y, way * DETECTOR])
    return source, (hit - source) / np.linalg.norm(hit - source)


def capsule_chord(source, way, start, end, radius):
    """From the quadratic forms of the tube and of the balls at its ends: the hull of what the ray has in each."""
    axis, found = end - start, []
    for centre in (start, end):
        reach = centre - source
        away = radius**2 - reach @ reach + (reach @ way) ** 2
        if away > 0:
            found += [reach @ way - np.sqrt(away), reach @ way + np.sqrt(away)]
    if np.linalg.norm(axis) > 0:
        unit = axis / np.linalg.norm(axis)
        across, off = way - (way @ unit) * unit, (source - start) - ((source - start) @ unit) * unit
        roots = np.roots([across @ across, 2 * across @ off, off @ off - radius**2])
        if np.isreal(roots).all():
            along = np.sort([((source + root * way - start) @ unit) for root in roots.real])
            if along[0] <= np.linalg.norm(axis) and along[1] >= 0:
                found += [root for root in roots.real if 0 <= (source + root * way - start) @ unit <= np.linalg.norm(axis)]
    return max(found) - min(found) if found else 0.0


@pytest.mark.parametrize("view", ["PA", "AP"])
def test_chords_of_capsules_are_those_of_tube_and_balls(view):
    beam = rays(view, 70, 26.0, (0.5, 0.7), np.float64)
    for number in range(4):
        one = Capsules(*(part[[number]] for part in CAPSULES))
        chords = crossed(beam, one).total(beam) * beam.slant
        assert (chords > 0).sum() > 40
        for row in range(0, 70, 2):
            for column in range(0, 70, 3):
                expected = capsule_chord(*line_of(view, beam.x[0, column], beam.y[row, 0]), one.starts[0], one.ends[0], one.radius[0])
                assert chords[row, column] == pytest.approx(expected, abs=1e-6)


def test_single_precision_is_enough_for_chords():
    exact, single = (
        crossed(beam, CAPSULES).total(beam) for beam in (rays("AP", 90, 26.0, (0.0, 0.0), kind) for kind in (np.float64, np.float32))
    )
    assert np.quantile(np.abs(exact - single), 0.999) < 1e-4


def test_a_thin_capsule_keeps_its_volume():
    beam = rays("PA", 128, 40.0, (0.0, 0.0), np.float64)
    thin = Capsules(np.array([[-9.0, -3.0, 0.0]]), np.array([[11.0, 6.0, 0.0]]), np.array([0.05]))
    measured = (crossed(beam, thin).total(beam) * beam.slant).sum() * beam.step**2 * beam.alpha**2
    assert measured == pytest.approx(np.pi * 0.05**2 * np.hypot(20, 9), rel=0.1)


def test_all_solids_of_one_product_are_the_solids_one_by_one():
    study = study_of()
    placed = Placed(body_of(study), turned(study), beam_of(study, 40, np.float64), 1)
    solids = [placed.body.cage, *placed.body.skin, *placed.body.organs.values()]
    for solid, found in zip(solids, each_of(placed.intervals(solids))):
        expected = interval(placed.beam, placed.ellipsoid(solid))
        assert np.abs(found.length - expected.length).max() < 1e-6


def test_lists_of_meetings_are_the_solids_ray_by_ray():
    study = study_of()
    placed = Placed(body_of(study), turned(study), beam_of(study, 40, np.float64), 1)
    room = placed.body.cage
    solids = [*placed.body.bones.plates, *placed.body.organs.values()]
    outer = interval(placed.beam, placed.ellipsoid(room))
    for solid, whole, part in zip(solids, placed.balls(solids), placed.balls(solids, room)):
        own = interval(placed.beam, placed.ellipsoid(solid))
        assert np.abs(whole.total(placed.beam) - own.length).max() < 1e-6 and (whole.length > 0).all()
        assert np.abs(union([part]).total(placed.beam) - both(own, outer).length).max() < 1e-6
    assert placed.balls([]) == []


def test_union_of_crossings_is_that_of_marched_rays():
    beam = rays("PA", 24, 26.0, (0.0, 0.0), np.float64)
    ball = Ellipsoid(np.array([-5.0, 4.0, 0.0]), np.array([4.0, 2.0, 3.0]), turn(20.0, 30.0))
    whole = interval(beam, ball)
    ray = np.flatnonzero(whole.leave > whole.enter)
    parts = [crossed(beam, CAPSULES), Crossings(ray.astype(np.int32), whole.enter.ravel()[ray], whole.leave.ravel()[ray])]
    found, z = union(parts), np.linspace(-14, 14, 28001)
    within = Interval(np.full((1, 24, 24), -3.0), np.full((1, 24, 24), 2.5))
    overlap = np.bincount(found.ray, shared(found, within), 24 * 24)
    total = found.total(beam).ravel()
    for ray in np.unique(found.ray)[::5]:
        covered = np.zeros(len(z), bool)
        for part in parts:
            for enter, leave in zip(part.enter[part.ray == ray], part.leave[part.ray == ray]):
                covered |= (z > enter) & (z < leave)
        assert total[ray] == pytest.approx(covered.mean() * 28, abs=5e-3)
        assert overlap[ray] == pytest.approx((covered & (z > -3) & (z < 2.5)).mean() * 28, abs=5e-3)


def test_pieces_gaps_and_places_are_those_of_marched_rays():
    draw = np.random.default_rng(0)
    study = study_of()
    placed = Placed(body_of(study), turn(20.0, -10.0), rays("AP", 9, 26.0, (0.5, 0.7), np.float64), 1)
    solids = [Ellipsoid(draw.uniform(-7, 7, 3), draw.uniform(1.5, 6, 3), turn(*draw.uniform(-90, 90, 3))) for _ in range(9)]
    beads = placed.points(placed.beam.x[0, 4], placed.beam.y[4, 0], np.array([-6.0, 6.0, 0.0])).T
    closing = [Ellipsoid(bead, np.full(3, radius), turn()) for bead, radius in zip(beads, (1, 1, 6))]  # the last closes a gap
    solids = closing + solids
    z, shape = np.linspace(-16, 16, 16001), (9, 9)
    within = Interval(np.full(shape, -6.0), np.full(shape, 7.0))
    pieces = placed.united(solids)
    free = gaps(within, pieces)
    assert len(pieces.enter) == 2 and (pieces.enter[1:] >= pieces.leave[:-1]).all()  # some rays come back
    flat = Interval(*(each.reshape(len(each), -1) for each in free))
    places = spread(flat, 9, np.full(81, 99.0)).reshape(9, *shape)
    for row, column in np.ndindex(shape):
        points = placed.points(placed.beam.x[0, column], placed.beam.y[row, 0], z)
        covered = np.any([(((solid.axes / solid.radii).T @ (points - solid.centre[:, None])) ** 2).sum(0) < 1 for solid in solids], 0)
        assert length(pieces)[row, column] == pytest.approx(covered.mean() * 32, abs=1e-2)
        empty = ~covered & (z > -6) & (z < 7)
        assert length(free)[row, column] == pytest.approx(empty.mean() * 32, abs=1e-2)
        for place in places[:, row, column]:
            nearest = np.clip(np.searchsorted(z, place) + np.array([-1, 0]), 0, len(z) - 1)
            assert empty[nearest].any() if empty.mean() * 32 > 0.5 else True


MANY = (
    ("effusion", "left"),
    ("consolidation", "right"),
    ("pneumothorax", "right"),
    ("mass", "left"),
    ("oedema", ""),
    ("rib fracture", "left"),
)


@pytest.mark.parametrize(
    ("view", "findings"),
    [("PA", ()), ("AP", (("atelectasis", "left"), ("nodule", "right"))), ("lateral", (("cardiomegaly", ""),)), ("PA", MANY)],
    ids=["PA", "AP atelectasis", "lateral", "PA many"],
)
def test_projected_voxels_agree_with_the_film(view, findings):
    study = study_of(*findings, view=view)
    scan = volume(study, (334, 270, 372), (1.4, 1.4, 1.4))
    marched, exact = (block_mean(each, 4) for each in (projected(scan, study, 96), attenuated(seen(study, 96, np.float64), 0)))
    rows, columns = slice(3, 20), slice(4, -4)  # rays that stay within the volume and meet no thin cortex on edge
    spread_here = block_mean(np.hypot(*np.gradient(attenuated(seen(study, 96, np.float64), 0))), 4)
    calm = (exact > 0.8) & (spread_here < np.median(spread_here[exact > 0.8]))
    calm[: rows.start], calm[rows.stop :], calm[:, : columns.start], calm[:, columns.stop :] = False, False, False, False
    error = (marched - exact)[calm] / exact[calm]
    assert calm.sum() > 60
    assert np.abs(error).max() < 0.02 and abs(error.mean()) < 0.003


def test_smooth_contents_along_a_ray_are_those_of_many_samples():
    study = study_of(("effusion", "left"), ("oedema", ""), ("consolidation", "left"))
    body = body_of(study)
    field = field_of(study, body, "left")
    start, end = np.array([6.0, -2.0, -6.0]), np.array([7.0, -9.0, 6.0])
    means = []
    for count in (14, 4000):
        share = (np.arange(count) + 0.5) / count
        means.append(np.mean(rho(field, start[:, None] + (end - start)[:, None] * share)))
    assert means[0] == pytest.approx(means[1], rel=0.02) and field.base < means[1] < 1
    found = weights(field, np.array([[7.0], [-16.0], [0.0]]))
    assert set(found) == {"effusion", "oedema", "consolidation"} and found["effusion"][0] > 0.99


def test_bones_never_lie_in_lung():
    for index in range(6):
        scan = volume(drawn_study(7, index)._replace(findings=()), (110, 90, 120), (3.6, 3.6, 3.6))
        assert scan.mask("bone").sum() > 5000
        for side in ("right lung", "left lung"):
            assert not (scan.mask("bone") & scan.mask(side)).any(), index


def test_organs_have_their_hounsfield_units():
    scan = volume(study_of(("effusion", "right"), ("pneumothorax", "left")), (130, 110, 140), (3.0, 3.0, 3.0))
    values = scan.hounsfield
    assert values.dtype == np.int16 and values.shape == (130, 110, 140) and scan.as_image().axes == "zhw"
    assert values[0, 0, 0] == -1000 and values.min() == -1000
    ranges = {
        "fat": (-130, -60),
        "muscle": (20, 80),
        "heart": (-20, 90),
        "airways": (-1001, -990),
        "bone": (150, 2000),  # mostly marrow
        "vessels": (20, 80),
    }
    ranges |= {"pneumothorax": (-1001, -950), "effusion": (-80, 80)}
    for name, (low, high) in ranges.items():
        where = scan.mask(name)
        assert where.sum() > 20 and low < np.median(values[where]) < high, name
    healthy = volume(study_of(), (130, 110, 140), (3.0, 3.0, 3.0))
    lung = healthy.mask("left lung") & ~healthy.mask("vessels") & ~healthy.mask("airways")
    assert -950 < np.median(healthy.hounsfield[lung]) < -650
    left, up = np.nonzero(healthy.mask("left lung"))[2].mean(), np.nonzero(healthy.mask("domes"))[0].mean()
    assert left > 75 and up < 45  # columns run to the patient's left, slices from the feet up
    spine = healthy.mask("bone")[60, :, 66:74]
    assert np.nonzero(spine)[0].max() > 55  # rows run to the back


def test_materials_are_in_order():
    assert hounsfield(SOFT[:1])[0] == pytest.approx(39, abs=2)
    for energy in (0, 1):
        assert 0 < LUNG * SOFT[energy] < FAT[energy] < SOFT[energy] < MARROW[energy] < BONE[energy]


def test_a_ray_that_meets_nothing_gives_nothing():
    beam = rays("PA", 9, 30.0, (0.0, 0.0))
    far = Capsules(np.array([[90.0, 0, 0]]), np.array([[95.0, 0, 0]]), np.ones(1))
    found = union([crossed(beam, far)])
    assert isinstance(found, Crossings) and not found.total(beam).any()
