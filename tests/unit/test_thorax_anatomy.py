"""Anatomy of the 3-D patient: flat ribs, a windpipe that shows, an aorta that ages, shoulder blades by view, gas below the domes, fluid that lies."""

import numpy as np
import pytest

from workbench.phantom import SIDES
from workbench.phantom.thorax.abdomen import sulcus
from workbench.phantom.thorax.anatomy import body_of
from workbench.phantom.thorax.course import drawn_study
from workbench.phantom.thorax.fields import field_of, weights
from workbench.phantom.thorax.film import attenuated, beam_of, seen
from workbench.phantom.thorax.latents import with_finding
from workbench.phantom.thorax.mediastinum import HILA
from workbench.phantom.thorax.skeleton import PIECES, RIBS
from workbench.phantom.thorax.tree import LOWEST, TRUNKS, grains, vessels


def study_of(index=1, view="PA", age=57.0):
    study = drawn_study(3, index)._replace(findings=(), yaw=0.0, roll=0.0, shift=(0.0, 0.0), zoom=1.0, view=view, inspiration=0.7)
    return study._replace(patient=study.patient._replace(age=age, size=0.0))


def test_a_rib_is_a_flat_band_with_a_thin_cortex():
    bones = body_of(study_of()).bones
    count = 2 * RIBS * PIECES
    apart = np.sqrt(((bones.tubes.starts[:count] - bones.tubes.starts[count : 2 * count]) ** 2).sum(1))
    thick = 2 * bones.tubes.radius[:count]
    assert thick.min() > 0.5 and thick.max() < 1.0 and np.array_equal(thick, 2 * bones.tubes.radius[count : 2 * count])
    assert 1.0 < np.median(apart + thick) < 1.8 and np.median((apart + thick) / thick) > 1.5
    cortex = (bones.tubes.radius - bones.marrow.radius)[:count].reshape(-1, PIECES)
    assert cortex.min() > 0.02 and cortex.max() < 0.4 and (cortex[:, 0] > 5 * cortex[:, -1]).all()  # little bone is left in front


def test_the_windpipe_shows_above_the_carina():
    study = study_of()
    film, beam = attenuated(seen(study, 128), 0), beam_of(study, 128)
    rows = np.abs(beam.y[:, 0] * beam.alpha - 12.5) < 1.5
    profile = film[rows].mean(0)
    place = beam.x[0] * beam.alpha
    inside, beside = profile[np.abs(place) < 0.5].mean(), profile[(np.abs(place) > 1.3) & (np.abs(place) < 2.0)].mean()
    assert 0.3 < beside - inside < 0.8


def test_the_aorta_widens_and_rises_with_age():
    young, old = (body_of(study_of(age=age)).great for age in (25.0, 88.0))
    assert young.radius.shape == old.radius.shape and old.radius[0] > 1.2 * young.radius[0]
    knobs = [vessels.starts[3] for vessels in (young, old)]
    assert knobs[1][0] > knobs[0][0] + 0.3 and knobs[1][1] > knobs[0][1] + 0.5


@pytest.mark.parametrize("index", [1, 6])
def test_shoulder_blades_are_turned_out_for_pa_alone(index):
    out = [np.abs([plate.centre[0] for plate in body_of(study_of(index, view)).bones.plates[:2]]) for view in ("PA", "AP")]
    assert (out[0] > out[1] + 1.0).all()


def test_gas_is_below_its_dome_and_not_in_everybody():
    counts = [[len(body_of(study_of(index)).gas[side]) for side in SIDES] for index in range(20)]
    assert 0 in np.sum(counts, 1) and np.max(counts) > 1
    study = study_of(next(index for index, each in enumerate(counts) if each[1]))
    body = body_of(study)
    beam = beam_of(study, 128)
    film = attenuated(seen(study, 128), 0)
    solid = body.organs["left dome"]
    pocket = body.gas["left"][0]
    assert (((pocket.centre - solid.centre) / solid.radii) ** 2).sum() < 1
    opened = beam.alpha + beam.beta * pocket.centre[2]
    row, column = np.argmin(np.abs(beam.y[:, 0] * opened - pocket.centre[1])), np.argmin(np.abs(beam.x[0] * opened - pocket.centre[0]))
    beside = column + round(1.6 * pocket.radii[0] / beam.step)
    assert film[row, column] < film[row, beside] - 0.2


def test_fluid_of_the_half_lying_runs_to_the_back():
    points = np.stack([np.full(2, 8.0), np.full(2, sulcus(study_of(), "left") + 8.5), np.array([-6.5, 3.0])])
    wet = {}
    for view in ("PA", "AP"):
        study = with_finding(study_of(view=view), "effusion", 0.5, "left")
        wet[view] = weights(field_of(study, body_of(study), "left"), points)["effusion"]
    back, front = wet["AP"]
    assert back > front + 0.5 and back > wet["PA"][0] + 0.05 and front < wet["PA"][1]


def test_vessels_thin_out_and_are_wider_below():
    for way in (-1, 1):
        found = [vessels(3, index, way) for index in range(12)]
        hilum = np.array(HILA["left" if way > 0 else "right"])[2]
        far = np.concatenate([np.sqrt(((each.ends - hilum) ** 2).sum(1)) for each in found])
        radius = np.concatenate([each.radius for each in found])
        assert radius[far > 9].mean() < 0.5 * radius[far < 4].mean()
        trunks = np.mean([each.radius[:TRUNKS] for each in found], 0)
        assert trunks[-3:].mean() > 1.2 * trunks[:3].mean()


def test_strands_have_no_direction_and_are_closer_below():
    study = study_of()
    lung = body_of(study).lungs["left"]
    found = grains(study, lung, 1)
    along = found.ends - found.starts
    along /= np.sqrt((along**2).sum(1, keepdims=True))
    assert np.linalg.eigvalsh(along.T @ along / len(along)).max() < 0.42
    height = (((found.starts + found.ends) / 2 - lung.centre) @ lung.axes)[:, 1] / lung.radii[1]
    assert height.min() >= LOWEST - 0.01 and (height < 0.25).mean() > 0.62


def test_what_is_kept_of_a_patient_is_the_same_for_the_next_film():
    first, again = (body_of(study_of()) for _ in range(2))
    for one, other in (
        (first.vessels["left"], again.vessels["left"]),
        (first.bones.tubes, again.bones.tubes),
        (first.airways, again.airways),
    ):
        assert all(np.array_equal(*parts) for parts in zip(one, other))


def test_a_blow_breaks_adjacent_ribs_and_their_callus_is_solid_and_off_the_lung():
    for severity, count in ((0.2, 3), (0.9, 4)):
        body = body_of(with_finding(study_of(), "rib fracture", severity, "left"))
        callus = body.bones.broken["left"]
        heights = np.sort((callus.starts + callus.ends)[:, 1] / 2)
        assert len(callus.radius) == count and (np.diff(heights) > 1.2).all() and (np.diff(heights) < 4.0).all()
        place = np.flatnonzero(np.isin(body.bones.tubes.radius, callus.radius))
        assert len(place) >= count and body.bones.marrow.radius[place].max() < 0.1
        middle = (callus.starts + callus.ends) / 2
        depth = np.sqrt((((middle - body.cage.centre) / body.cage.radii) ** 2).sum(1))
        assert (depth > 1.0).all()
