"""Similarities of paired clouds: brute force, closed forms, chance beside every value."""

import itertools

import numpy as np
import pytest

from workbench.analysis import similarity
from workbench.analysis.similarity import linear_cka, mutual_knn, procrustes, similarity_matrix, svcca
from workbench.embeddings import Embeddings

RNG = np.random.default_rng
ALL = (linear_cka, lambda x, y: linear_cka(x, y, debiased=True), svcca, procrustes, lambda x, y: mutual_knn(x, y, 4))


def pair(n=60, d=5, e=7, shared=0.7, seed=0):
    draw = RNG(seed)
    x = draw.normal(size=(n, d)) * np.arange(1, d + 1) ** -0.5
    return x, shared * x @ draw.normal(size=(d, e)) + draw.normal(size=(n, e)) + 3


def turned(z, seed=1):
    return z @ np.linalg.qr(RNG(seed).normal(size=(z.shape[1], z.shape[1])))[0]


def gram(z):
    moved = z - z.mean(0)
    return moved @ moved.T


def unbiased_hsic(k, l):
    """Song et al., eq. 5, from n x n matrices; n (n - 3) times."""
    n = len(k)
    k, l = k - np.diag(np.diag(k)), l - np.diag(np.diag(l))
    return np.trace(k @ l) + k.sum() * l.sum() / (n - 1) / (n - 2) - 2 * (k @ l).sum() / (n - 2)


@pytest.mark.parametrize("n", [60, 6])
def test_cka_against_gram_matrices(n):
    x, y = pair(n, 5, 9)
    k, l = gram(x), gram(y)
    assert float(linear_cka(x, y)) == pytest.approx(np.sum(k * l) / np.linalg.norm(k) / np.linalg.norm(l), abs=1e-9)
    expected = unbiased_hsic(k, l) / np.sqrt(unbiased_hsic(k, k) * unbiased_hsic(l, l))
    assert float(linear_cka(x, y, debiased=True)) == pytest.approx(expected, abs=1e-9)


def test_the_chance_of_cka_is_the_mean_over_all_permutations():
    x, y = pair(6, 3, 9)
    for debiased in (False, True):
        every = [float(linear_cka(x, y[list(order)], debiased=debiased)) for order in itertools.permutations(range(6))]
        assert linear_cka(x, y, debiased=debiased).chance == pytest.approx(np.mean(every), abs=1e-9)


def test_few_rows_make_noise_look_alike_and_chance_says_so():
    """Independent noise, 40 rows of 200 columns: the biased form reads near .8, which is its chance; the debiased one reads none."""
    draw = RNG(3)
    found = [(linear_cka(x, y), linear_cka(x, y, debiased=True)) for x, y in (draw.normal(size=(2, 40, 200)) for _ in range(20))]
    assert np.mean([float(each) for each, _ in found]) > 0.8
    assert np.mean([float(each) - each.chance for each, _ in found]) == pytest.approx(0, abs=0.005)
    assert np.mean([float(each) for _, each in found]) == pytest.approx(0, abs=0.02) and found[0][1].chance == 0


@pytest.mark.parametrize("measure", ALL)
def test_a_turned_and_scaled_cloud_is_the_same_cloud(measure):
    x, y = pair()
    assert float(measure(x, 3 * turned(x))) == pytest.approx(1, abs=1e-6)
    assert float(measure(x, turned(y))) == pytest.approx(float(measure(x, y)), abs=1e-9)
    assert float(measure(y, x)) == pytest.approx(float(measure(x, y)), abs=1e-9)
    order = RNG(4).permutation(60)
    assert float(measure(x[order], y[order])) == pytest.approx(float(measure(x, y)), abs=1e-9)
    assert float(measure(x, y)) > measure(x, y).chance
    found = measure(x, y)
    assert (found.n, found.d) == (60, (5, 7)) and found.interval.value == found.value


@pytest.mark.parametrize("measure", ALL[:4])
def test_shifts_leave_what_is_centred(measure):
    x, y = pair()
    assert float(measure(x + 40, y - 7)) == pytest.approx(float(measure(x, y)), abs=1e-9)


@pytest.mark.parametrize("measure", [linear_cka, svcca, procrustes])
def test_orthogonal_complements_share_nothing(measure):
    basis, _ = np.linalg.qr(np.c_[np.ones(20), RNG(5).normal(size=(20, 8))])
    assert float(measure(basis[:, 1:4], basis[:, 4:9])) == pytest.approx(0, abs=1e-9)


def test_a_known_correlation():
    """Two columns that correlate by .6, as bases of one direction each: CKA is its square, SVCCA and Procrustes are itself."""
    basis, _ = np.linalg.qr(np.c_[np.ones(30), RNG(6).normal(size=(30, 2))])
    x, y = basis[:, 1:2], 0.6 * basis[:, 1:2] + 0.8 * basis[:, 2:3]
    assert float(linear_cka(x, y)) == pytest.approx(0.36, abs=1e-9)
    assert float(svcca(x, y)) == pytest.approx(0.6, abs=1e-9) and float(procrustes(x, y)) == pytest.approx(0.6, abs=1e-9)


def test_svcca_and_procrustes_against_their_definitions():
    x, y = pair(60, 5, 7)
    bases = []
    for z in (x, y):
        left, values, _ = np.linalg.svd(z - z.mean(0), full_matrices=False)
        bases.append(left[:, : np.flatnonzero(np.cumsum(values**2) / np.sum(values**2) >= 0.99)[0] + 1])
    assert float(svcca(x, y)) == pytest.approx(np.linalg.svd(bases[0].T @ bases[1], compute_uv=False).mean(), abs=1e-9)
    a, b = ((z - z.mean(0)) / np.linalg.norm(z - z.mean(0)) for z in (np.c_[x, np.zeros((60, 2))], y))
    left, _, right = np.linalg.svd(a.T @ b)
    distance = np.sum((a @ (left @ right) - b) ** 2)
    assert float(procrustes(x, y)) == pytest.approx(1 - distance / 2, abs=1e-9)
    weak = [np.c_[10 * x[:, :2], 0.3 * RNG(seed).normal(size=(60, 3))] for seed in (8, 9)]
    assert float(svcca(*weak)) == pytest.approx(1, abs=0.01), "directions below 1 % of the variance do not count"


def test_mutual_neighbours_by_hand_and_by_chance():
    x, y = pair(n=30)
    sets = []
    for z in (x, y):
        unit = z / np.linalg.norm(z, axis=1, keepdims=True)
        sets.append([set(row[:4]) for row in np.argsort(-(unit @ unit.T) + 9 * np.eye(30), 1)])
    expected = np.mean([len(a & b) / 4 for a, b in zip(*sets)])
    assert float(mutual_knn(x, y, 4)) == pytest.approx(expected, abs=1e-12)
    found = [mutual_knn(a, b, 4) for a, b in (RNG(seed).normal(size=(2, 30, 6)) for seed in range(200))]
    assert found[0].chance == pytest.approx(4 / 29) and np.mean([float(each) for each in found]) == pytest.approx(4 / 29, abs=0.01)


@pytest.mark.parametrize("measure", [svcca, procrustes])
def test_permuted_rows_are_what_independent_clouds_give(measure):
    found = [measure(x, y) for x, y in (RNG(seed).normal(size=(2, 50, 6)) for seed in range(30))]
    assert np.mean([each.chance for each in found]) == pytest.approx(np.mean([float(each) for each in found]), abs=0.01)
    x, y = pair()
    assert measure(x, y).chance == measure(x, y).chance != measure(x, y, seed=1).chance


@pytest.mark.parametrize("name", list(similarity.MEASURES))
def test_a_matrix_holds_what_each_pair_gives(name):
    layers = [pair(seed=seed)[0] for seed in range(2)] + [pair()[1]]
    single = {
        "linear_cka": linear_cka,
        "debiased_cka": lambda x, y: linear_cka(x, y, debiased=True),
        "svcca": svcca,
        "procrustes": procrustes,
        "mutual_knn": mutual_knn,
    }[name]
    found = similarity_matrix(layers, name, permutations=similarity.PERMUTATIONS)
    wide = similarity_matrix(layers[:2], name, others=layers, permutations=similarity.PERMUTATIONS)
    for i, j in itertools.product(range(3), range(3)):
        expected = single(layers[min(i, j)], layers[max(i, j)])
        assert (found.values[i, j], found.chance[i, j]) == pytest.approx((expected.value, expected.chance), abs=1e-9)
    assert wide.values == pytest.approx(found.values[:2], abs=1e-9) and wide.values.shape == (2, 3)
    assert (found.measure, found.n) == (name, 60) and "interval" in found.why


def test_intervals_are_over_patients_or_withheld_with_the_reason():
    x, y = pair(120)
    patients = np.arange(120) // 2
    found = linear_cka(x, y, patients).interval
    assert (found.low < found.value < found.high and "60" in found.procedure) or "jackknife" in found.procedure
    alone = linear_cka(x, y, np.arange(120)).interval
    assert (found.low, found.high) != (alone.low, alone.high)
    assert linear_cka(x, y).interval.why == "rows without patients" and linear_cka(x, y).interval.low is None
    assert "19 patients" in linear_cka(x, y, np.arange(120) % 19).interval.why
    for measure in (svcca, procrustes, mutual_knn):
        assert measure(x, y).interval.low is None and measure(x, y).interval.why == similarity.UNMEASURED


def test_rows_that_are_not_pairs_are_refused():
    x, y = pair()
    keys = tuple(map(str, range(60)))
    ours, theirs = (Embeddings(z.astype(np.float32), each, keys, "image", 0, "hash") for z, each in ((x, keys), (y, keys[::-1])))
    with pytest.raises(ValueError, match="different keys"):
        linear_cka(ours, theirs)
    with pytest.raises(ValueError, match=r"\[59, 60\] rows"):
        similarity_matrix([x, y[1:]])
    with pytest.raises(ValueError, match="at least four"):
        procrustes(x[:3], y[:3])
    assert float(linear_cka(ours, ours)) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("measure", ALL[:4])
def test_a_point_is_like_nothing(measure):
    x, _ = pair()
    found = measure(x, np.ones((60, 3)))
    assert found.value == found.chance == 0
