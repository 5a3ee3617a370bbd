"""The shape model of the lungs' outline: solids that follow it, an outline that varies like real ones, and the landmarks it was fitted with."""

import zipfile

import numpy as np
import pytest
import yaml
from PIL import Image

from tests.full.outlines import archive
from tests.outlines import POINTS, aligned, lungs_of, pair_points, read
from tests.shape_fit import SCALES, STILL, Fitted, Linear, bounds, fit_covariance, modes_of, points_of
from workbench.errors import UserError
from workbench.phantom import SIDES
from workbench.phantom.thorax import shape
from workbench.phantom.thorax.aim import FIELD, aim
from workbench.phantom.thorax.anatomy import body_of
from workbench.phantom.thorax.course import drawn_study
from workbench.phantom.thorax.patient import draw_patient
from workbench.phantom.thorax.shape import Shape, apex, coefficients, dome, foot, level, lung, names, shape_of, shaped

PLAIN = shaped(np.zeros(len(names())))
TWO = np.zeros((120, 160), bool)
TWO[20:90, 30:65], TWO[15:95, 90:130] = True, True


def test_a_patient_s_shape_is_the_mean_and_a_sum_of_modes():
    mean, modes = coefficients()
    patient = draw_patient(3, 1)
    assert mean.shape == (len(names()),) and modes.shape == (8, len(names())) and len(patient.shape) == 11
    assert shape_of(patient._replace(shape=(0.0,) * 11)) == shaped(mean)
    own = np.zeros(11)
    own[2] = 1.5
    moved = shape_of(patient._replace(shape=tuple(own)))
    assert flattened(moved) == pytest.approx(mean + 1.5 * modes[2])
    assert shape_of(patient._replace(shape=(*patient.shape[:8], 1.0, 1.0, 1.0))) == shape_of(patient)  # the last three are no modes


def flattened(own: Shape) -> list[float]:
    return [*own[:-2], *own.right, *own.left]


def test_each_parameter_moves_what_it_names():
    own = shaped(np.arange(len(names())) / 100)
    for place, name in enumerate(names()):
        side, _, field = name.rpartition(" ")
        assert getattr(own.half(side) if side else own, field) == place / 100
    one = lung(PLAIN._replace(left=PLAIN.left._replace(apex=1.0, out=0.5)), "left", 0.0)
    plain = lung(PLAIN, "left", 0.0)
    assert one.radii[1] == plain.radii[1] + 1 and one.centre[0] == plain.centre[0] + 0.5
    assert apex(PLAIN, "left") < apex(PLAIN._replace(left=PLAIN.left._replace(apex=1.0)), "left")
    leaning = lung(PLAIN._replace(right=PLAIN.right._replace(lean=5.0)), "right", 0.0)
    assert (leaning.axes[:, 1] * 20)[0] > (lung(PLAIN, "right", 0.0).axes[:, 1] * 20)[0] + 1  # to the other lung, which is at greater x
    assert level(PLAIN, "right", 0.6) == pytest.approx(level(PLAIN, "left", 0.6) + 1.2)
    assert level(PLAIN, "right", 0.9) < level(PLAIN, "right", 0.2) - 2


@pytest.mark.parametrize("side", SIDES)
def test_a_dome_leaves_no_lung_below_it(side):
    for index in range(60):
        own = shape_of(draw_patient(3, index))
        top = level(own, side, 0.7)
        solid, whole = dome(own, side, top), lung(own, side, 0.0)
        beyond = 13.9 * np.exp(own.wide)
        assert abs(solid.centre[0]) + solid.radii[0] > beyond and abs(solid.centre[0]) - solid.radii[0] < 0
        assert top - 2 * solid.radii[1] < whole.centre[1] - whole.radii[1]
        assert top - 9 < foot(own, side, top) < top - 0.1
        x = shape.WAY[side] * (beyond - 0.9 * np.exp(own.wide))
        assert (((np.array([x, foot(own, side, top), 1.8]) - solid.centre) / solid.radii) ** 2).sum() == pytest.approx(1)


def test_a_steeper_edge_makes_a_deeper_angle():
    steep, flat = (PLAIN._replace(right=PLAIN.right._replace(dome_edge=edge)) for edge in (-0.5, 0.5))
    assert foot(steep, "right", 0.0) < foot(flat, "right", 0.0) - 0.7


def test_the_body_follows_the_model():
    study = drawn_study(3, 2)._replace(findings=())
    body, own, scale = body_of(study), shape_of(study.patient), np.exp(study.patient.size)
    for side in SIDES:
        assert body.lungs[side].radii == pytest.approx(scale * lung(own, side, 0.0).radii)
        assert body.organs[f"{side} dome"].radii == pytest.approx(scale * dome(own, side, 0.0).radii)
    assert body.cage.radii == pytest.approx(scale * shape.cage(own).radii)
    assert body.organs["mediastinum"].radii == pytest.approx(scale * shape.partitions(own, study.patient.age, 0.0)["mediastinum"].radii)


def test_the_field_holds_both_lungs_of_every_shape():
    inside = 0
    for index in range(200):
        patient = draw_patient(7, index)
        own, found, scale = shape_of(patient), aim(7, index, patient, "PA", 0.6), np.exp(patient.size)
        middle, half = found.shift[1] - 2.5, FIELD * found.zoom / 2
        top, low = (1.07 * scale * height for height in (max(apex(own, side) for side in SIDES), feet(own)))
        inside += middle - half < low and top < middle + half
    assert inside > 190  # some are centred without care


def feet(own: Shape) -> float:
    return min(foot(own, side, level(own, side, 0.6)) for side in SIDES)


def test_outlines_vary_as_those_of_the_masks_did():
    found = np.array([points_of(bounds(shape_of(draw_patient(5, index)), STILL)) for index in range(60)])
    assert np.isfinite(found).all()
    moved = aligned(found, found[0])
    spread = np.sqrt(moved.var(0).sum(1).mean())
    assert 0.8 < spread < 1.5  # cm; the masks have 1.1
    tops = found[:, [0, POINTS], 1]
    peaks = np.stack([found[:, start + POINTS - 6 : start + POINTS, 1].max(1) for start in (0, POINTS)], 1)
    assert (peaks[:, 0] > peaks[:, 1]).mean() > 0.75 and (tops - peaks > 10).all()  # the right dome is higher in most


def test_coefficients_of_other_parameters_are_refused(tmp_path, monkeypatch):
    table = {"mean": dict.fromkeys(names(), 0.0), "modes": [dict.fromkeys(names()[1:], 0.0)]}
    (tmp_path / "shape.yaml").write_text(yaml.safe_dump(table))
    monkeypatch.setattr(shape, "__file__", str(tmp_path / "shape.py"))
    with pytest.raises(UserError, match=r"shape\.yaml.*wide.*tests\.full outlines"):
        coefficients.__wrapped__()


def test_landmarks_lie_on_the_border():
    points = pair_points((TWO & (np.arange(160) < 80), TWO & (np.arange(160) > 80)))
    assert points.shape == (2 * POINTS, 2)
    right, left = points[:POINTS], points[POINTS:]
    assert right[0, 1] == -20 and left[0, 1] == -15
    assert right[1] == pytest.approx([30, -89], abs=0.6) and right[2] == pytest.approx([64, -89], abs=0.6)
    assert (right[3:11, 0] == 30).all() and (right[11:19, 0] == 64).all() and (left[3:11, 0] == 129).all() and (left[11:19, 0] == 90).all()
    assert (left[19:, 1] == -94).all()


def test_a_lung_that_is_wider_below_has_landmarks_further_out_there():
    rows, columns = np.mgrid[:120, :160]
    wedge = (rows > 20) & (rows < 90) & (columns < 70) & (columns > 60 - rows / 2)
    outer = pair_points((wedge, wedge[:, ::-1]))[3:11]
    assert (np.diff(outer[:, 0]) < -1).all() and (np.diff(outer[:, 1]) < -1).all()


def test_masks_are_read_or_left_out_with_a_reason(tmp_path):
    cut, one = TWO.copy(), TWO.copy()
    cut[:20, 100:110] = True
    one[:, 80:] = False
    with zipfile.ZipFile(tmp_path / "masks.zip", "w") as packed:
        for name, mask in {"a": TWO, "b": cut, "c": one, "d": 0 * TWO}.items():
            Image.fromarray((mask * 255).astype(np.uint8)).save(tmp_path / "mask.png")
            packed.write(tmp_path / "mask.png", f"masks/{name}.png")
    found = read(tmp_path / "masks.zip")
    assert found.kept == ["a.png"] and found.points.shape == (1, 2 * POINTS, 2)
    assert found.left_out == {"cut by the picture's edge": 1, "not two lungs": 1, "empty: side views": 1}
    assert lungs_of(TWO)[0].sum() == 70 * 35


def test_alignment_takes_out_place_scale_and_turn():
    points = pair_points((TWO & (np.arange(160) < 80), TWO & (np.arange(160) > 80)))
    turned = 3 * points @ np.array([[0.8, 0.6], [-0.6, 0.8]]) + (5, 7)
    assert aligned(turned[None], points)[0] == pytest.approx(points)


def test_the_fit_finds_a_known_covariance():
    draw, count = np.random.default_rng(0), len(names())
    base = 10 * draw.normal(size=(2 * POINTS, 2))
    slopes = 2 * draw.normal(size=(base.size, count))
    wanted = np.diag(np.linspace(0.2, 1.0, count))
    own = draw.multivariate_normal(np.zeros(count), wanted, 3000) @ slopes.T + 0.1 * draw.normal(size=(3000, base.size))
    near = Linear(np.zeros(count), base, slopes, np.zeros((base.size, 3)))
    found = fit_covariance((base.ravel() + 1e-3 * own).reshape(-1, *base.shape), near._replace(slopes=1e-3 * slopes), 1e-4)
    assert np.diag(found.covariance) == pytest.approx(np.diag(wanted), rel=0.25)


def test_modes_rebuild_the_covariance_and_come_in_order():
    count = len(names())
    draw = np.random.default_rng(1)
    root = draw.normal(size=(count, count))
    slopes = draw.normal(size=(4 * POINTS, count))
    found = Fitted(
        np.zeros(count), root @ root.T, 0.1, Linear(np.zeros(count), np.zeros((2 * POINTS, 2)), slopes, np.zeros((4 * POINTS, 3)))
    )
    modes = modes_of(found, count) / SCALES
    assert modes.T @ modes == pytest.approx(root @ root.T)
    moved = ((slopes @ modes.T) ** 2).sum(0)
    assert (np.diff(moved) < 1e-9).all()


def test_a_named_archive_of_masks_that_is_no_file_is_refused(monkeypatch):
    monkeypatch.setenv("WORKBENCH_LUNG_MASKS", "/nowhere/masks.zip")
    with pytest.raises(UserError, match=r"WORKBENCH_LUNG_MASKS: /nowhere/masks\.zip is no file"):
        archive()
