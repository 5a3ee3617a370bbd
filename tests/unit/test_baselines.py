"""Floors that need no network, and the ridge that reads them: exact, and blind to what it must not see."""

import numpy as np
import pytest

from workbench.analysis import baselines
from workbench.analysis.baselines import metadata_features, patient_folds, pixel_features, ridge_probe, source_features, thumbnail
from workbench.analysis.statistics import auroc
from workbench.dataset import Image

RNG = np.random.default_rng


class Films:
    """Studies of one or two images; counts how often it is read."""

    def __init__(self, images, data_hash, **covariates):
        self.images, self.data_hash, self.reads = images, data_hash, 0
        self.covariates = {name: np.asarray(values) for name, values in covariates.items()}

    def __getitem__(self, index):
        self.reads += 1
        return {"images": [Image(array, *axes) for array, *axes in self.images[index]]}


def test_a_thumbnail_is_the_mean_of_its_blocks():
    array = RNG(0).integers(0, 256, size=(64, 96)).astype(np.uint8)
    assert thumbnail(Image(array)) == pytest.approx(array.reshape(32, 2, 32, 3).mean((1, 3)) / 255, abs=1e-12)


def test_sizes_that_do_not_divide_keep_the_mean_and_the_place():
    array = np.zeros((50, 45))
    array[:25] = 1.0
    found = thumbnail(Image(array))
    assert found.mean() == pytest.approx(array.mean(), abs=1e-12)
    assert found[0, 0] == pytest.approx(1) and found[-1, 0] == pytest.approx(0) and thumbnail(Image(array[:3, :3])).shape == (32, 32)


def test_types_and_axes():
    flat = np.full((40, 44), 13107, np.uint16)
    assert thumbnail(Image(flat)) == pytest.approx(np.full((32, 32), 0.2), abs=1e-12)
    colour = np.stack([np.full((40, 44), value, np.uint8) for value in (0, 51, 102)], -1)
    assert thumbnail(Image(colour, "hwc")) == pytest.approx(np.full((32, 32), 0.2), abs=1e-12)
    volume = RNG(1).normal(size=(5, 40, 44)).astype(np.float32)
    assert thumbnail(Image(volume, "zhw")) == pytest.approx(thumbnail(Image(volume.mean(0))), abs=1e-6)
    assert thumbnail(Image(volume[..., None].repeat(3, -1), "thwc")) == pytest.approx(thumbnail(Image(volume.mean(0))), abs=1e-6)


def test_pixels_are_decoded_once_and_a_study_is_the_mean_of_its_images():
    draw = RNG(2)
    films = Films([[(draw.random((33, 40)), "hw")], [(draw.random((33, 40)), "hw"), (draw.random((50, 40)), "hw")]], "pixels-once")
    found = pixel_features(films, [1, 0, 1])
    assert found.shape == (3, 1024) and found.dtype == np.float32 and np.array_equal(found[0], found[2])
    assert films.reads == 2
    both = [thumbnail(Image(array)) for array, _ in films.images[1]]
    assert found[0] == pytest.approx(np.mean(both, 0).ravel(), abs=1e-6)
    pixel_features(films, np.array([0, 1]))
    assert films.reads == 2
    other = Films([films.images[1]], "pixels-other")
    assert np.array_equal(pixel_features(other, [0])[0], found[0]) and other.reads == 1, "another data set, another cache entry"


def test_metadata_columns():
    films = Films(
        [], "meta", view=["PA", "AP", "PA", ""], age=[30.0, 50.0, np.nan, 70.0], sex=["F", "F", "F", "F"], source=["a", "b", "b", "b"]
    )
    found = metadata_features(films, [3, 0, 2])
    assert found.shape == (3, 5)  # three views, age, age missing; one sex says nothing
    assert found[:, 3].tolist() == [70, 30, 50] and found[:, 4].tolist() == [0, 0, 1]
    assert found[:, :3].tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 1]]
    assert source_features(films, [0, 1, 2]).tolist() == [[1, 0], [0, 1], [0, 1]]
    for features in (metadata_features, source_features):
        assert features(Films([], "none"), [0, 1]).shape == (2, 0)


def linear(m=120, p=6, k=2, seed=3):
    draw = RNG(seed)
    x = draw.normal(size=(m, p)) * np.arange(1, p + 1) + 5
    y = (x @ draw.normal(size=(p, k)) / 3 + draw.normal(size=(m, k)) > 0).astype(float)
    return x, y


def test_one_penalty_is_the_ridge_of_the_normal_equations(monkeypatch):
    monkeypatch.setattr(baselines, "PENALTIES", np.array([250.0]))
    x, y = linear()
    z = RNG(4).normal(size=(9, 6))
    mean, scale = x.mean(0), x.std(0)
    a = (x - mean) / scale
    weights = np.linalg.solve(a.T @ a + 250 * len(x) / 1000 * np.eye(6), a.T @ (y - y.mean(0)))
    expected = (z - mean) / scale @ weights + y.mean(0)
    assert ridge_probe(x, y, z, np.arange(len(x))) == pytest.approx(expected, abs=1e-8)


def test_columns_are_standardised_and_dead_ones_ignored():
    x, y = linear()
    z = RNG(5).normal(size=(9, 6))
    reference = ridge_probe(x, y, z, np.arange(len(x)))
    factor, shift = np.array([1e-3, 1, 50, 1, 1e4, 1]), np.array([0, 9, -3, 0, 1, 4.0])
    assert ridge_probe(x * factor + shift, y, z * factor + shift, np.arange(len(x))) == pytest.approx(reference, abs=1e-6)
    dead = ridge_probe(np.c_[x, np.full(len(x), 3.0)], y, np.c_[z, np.full(9, 8.0)], np.arange(len(x)))
    assert dead == pytest.approx(reference, abs=1e-6)


def test_the_penalty_is_the_best_in_cross_validation_one_a_label(monkeypatch):
    """Against a loop over labels, penalties and folds."""
    x, y = linear(m=60, p=20)
    y[:, 1] = RNG(6).permutation(y[:, 1])  # nothing to read: a strong penalty
    groups, z = np.arange(60) // 2, RNG(7).normal(size=(5, 20))
    fold = patient_folds(groups)
    chosen = []
    for label in range(2):
        error = []
        for penalty in baselines.PENALTIES:
            total = 0.0
            for each in range(5):
                fit, held = fold != each, fold == each
                mean, scale = x[fit].mean(0), x[fit].std(0)
                a = (x[fit] - mean) / scale
                target = y[fit, label]
                w = np.linalg.solve(a.T @ a + penalty * fit.sum() / 1000 * np.eye(20), a.T @ (target - target.mean()))
                total += np.sum(((x[held] - mean) / scale @ w + target.mean() - y[held, label]) ** 2)
            error.append(total)
        chosen.append(baselines.PENALTIES[int(np.argmin(error))])
    assert chosen[0] < chosen[1]
    together = ridge_probe(x, y, z, groups)
    for label, penalty in enumerate(chosen):
        monkeypatch.setattr(baselines, "PENALTIES", np.array([penalty]))
        assert together[:, label] == pytest.approx(ridge_probe(x, y, z, groups)[:, label], abs=1e-8)


def test_folds_hold_whole_patients():
    groups = np.repeat(np.arange(31), RNG(8).integers(1, 7, size=31))
    fold = patient_folds(groups)
    assert all(len(set(fold[groups == each])) == 1 for each in range(31)) and sorted(set(fold)) == [0, 1, 2, 3, 4]


def test_films_of_one_patient_do_not_choose_the_penalty_for_each_other():
    """Features that only name the patient: by rows they seem to predict, by patients they do not."""
    draw = RNG(9)
    x = np.repeat(draw.normal(size=(40, 60)), 4, 0) + 0.01 * draw.normal(size=(160, 60))
    y = np.repeat((draw.random((40, 1)) < 0.5).astype(float), 4, 0)
    by_patient, by_row = (ridge_probe(x, y, x, groups).std() for groups in (np.arange(160) // 4, np.arange(160)))
    assert by_patient < 0.5 * by_row


def test_gaps_in_labels_leave_out_those_rows_of_that_label_only():
    x, y = linear(k=3)
    z, groups = RNG(10).normal(size=(9, 6)), np.arange(len(x))
    whole = ridge_probe(x, y, z, groups)
    y[:30, 1] = np.nan
    y[:, 2] = np.nan
    found = ridge_probe(x, y, z, groups)
    assert found[:, 0] == pytest.approx(whole[:, 0], abs=1e-8) and np.all(found[:, 2] == 0)
    assert found[:, 1] == pytest.approx(ridge_probe(x[30:], y[30:, 1:2], z, groups[30:])[:, 0], abs=1e-8)


def test_it_reads_what_is_there_and_nothing_from_shuffled_labels():
    draw = RNG(11)
    x = draw.normal(size=(600, 10))
    y = (x[:, :1] + draw.normal(size=(600, 1)) > 0).astype(float)
    groups = np.arange(400)
    assert auroc(ridge_probe(x[:400], y[:400], x[400:], groups)[:, 0], y[400:, 0]) > 0.7
    shuffled = [auroc(ridge_probe(x[:400], draw.permutation(y[:400]), x[400:], groups)[:, 0], y[400:, 0]) for _ in range(8)]
    assert abs(np.mean(shuffled) - 0.5) < 0.1
    assert np.array_equal(ridge_probe(x[:400], y[:400], x[400:], groups), ridge_probe(x[:400], y[:400], x[400:], groups))


def test_a_label_with_one_value_scores_that_value():
    x, y = linear()
    y[:, 0] = 1
    assert ridge_probe(x, y, x[:4], np.arange(len(x)))[:, 0] == pytest.approx(np.ones(4), abs=1e-9)


def test_fewer_rows_than_columns_give_the_same_ridge_through_the_rows():
    x, y = linear(m=30, p=45)
    x[:, 7] = 2.0
    through_rows = baselines.solve_few(x - x.mean(0), y, baselines.PENALTIES)
    through_columns = baselines.Sums(x - x.mean(0), y).solve(baselines.PENALTIES)
    for found, expected in zip(through_rows, through_columns, strict=True):
        assert found == pytest.approx(expected, abs=1e-7)
    assert len(np.unique(ridge_probe(x, y, x[:9], np.arange(30)))) > 9
