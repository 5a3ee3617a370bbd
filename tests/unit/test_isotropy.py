"""Directions of rows: closed forms, brute force, what leaves a reading and what an isotropic cloud gives."""

import numpy as np
import pytest

from workbench.analysis import isotropy
from workbench.analysis._neighbours import neighbours
from workbench.analysis.isotropy import (
    coherence,
    cone_angle,
    cone_cosine,
    hubness,
    mean_cosine,
    orthogonality_residual,
    partition_isotropy,
    self_clustering,
    sliced_gaussianity,
)

RNG = np.random.default_rng


def cloud(n=37, d=5, seed=0):
    return RNG(seed).normal(size=(n, d)) + np.arange(d) / 3


def unit(z):
    return z / np.linalg.norm(z, axis=1, keepdims=True)


def test_a_cone_against_every_pair():
    z = cloud()
    u, n = unit(z), 37
    pairs = [u[i] @ u[j] for i in range(n) for j in range(n) if i != j]
    to_mean = [u[i] @ u.mean(0) / np.linalg.norm(u.mean(0)) for i in range(n)]
    assert float(mean_cosine(z)) == pytest.approx(np.mean(pairs), abs=1e-12)
    assert float(cone_cosine(z)) == pytest.approx(np.mean(to_mean), abs=1e-12)
    assert float(cone_angle(z)) == pytest.approx(np.degrees(np.arccos(np.mean(to_mean))), abs=1e-6)
    needle = np.ones((9, 3)) * np.arange(1, 10)[:, None]
    assert float(mean_cosine(needle)) == pytest.approx(1, abs=1e-9) and float(cone_angle(needle)) == pytest.approx(0, abs=1e-4)
    assert float(mean_cosine(np.r_[np.eye(4), -np.eye(4)])) == pytest.approx(-1 / 7, abs=1e-12), "opposite pairs: the mean is zero"
    with pytest.raises(ValueError, match="two rows"):
        mean_cosine(z[:1])


def test_partition_isotropy_against_its_sums():
    z = cloud()
    _, _, right = np.linalg.svd(z)
    sums = [np.exp(z @ (sign * axis)).sum() for axis in right for sign in (1, -1)]
    assert float(partition_isotropy(z)) == pytest.approx(min(sums) / max(sums), rel=1e-9)
    assert float(partition_isotropy(np.r_[np.eye(3), -np.eye(3)])) == pytest.approx(1, abs=1e-9)
    assert 0 <= float(partition_isotropy(1e4 * z)) < 1e-9, "no overflow"


def test_self_clustering_against_its_formula_and_its_ends():
    z = cloud()
    u, (n, d) = unit(z), z.shape
    expected = (d * np.sum((u @ u.T) ** 2) - n * (d + n - 1)) / ((d - 1) * (n - 1) * n)
    assert float(self_clustering(z)) == pytest.approx(expected, abs=1e-9)
    assert float(self_clustering(np.ones((8, 3)))) == pytest.approx(1, abs=1e-9)
    assert np.mean([float(self_clustering(RNG(seed).normal(size=(40, 6)))) for seed in range(50)]) == pytest.approx(0, abs=0.005)
    with pytest.raises(ValueError, match="two columns"):
        self_clustering(np.ones((8, 1)))


def test_coherence_of_leverages():
    z = cloud()
    leverage = np.diag(z @ np.linalg.pinv(z))
    assert float(coherence(z)) == pytest.approx(37 / 5 * leverage.max(), abs=1e-9)
    assert float(coherence(np.c_[z, z[:, 0]])) == pytest.approx(37 / 5 * leverage.max(), abs=1e-9), "a repeated column is no direction"
    spike = np.zeros((10, 2))
    spike[3] = 1.0
    assert float(coherence(spike)) == pytest.approx(10, abs=1e-9) and float(coherence(np.ones((10, 2)))) == pytest.approx(1, abs=1e-9)
    assert float(coherence(np.zeros((4, 2)))) == 0


def test_hubness_against_counts_by_hand(monkeypatch):
    z, k = cloud(), 4
    u = unit(z)
    cosine = u @ u.T - 9 * np.eye(37)
    count = np.bincount(np.argsort(-cosine, 1)[:, :k].ravel(), minlength=37)
    expected = np.mean((count - k) ** 3) / np.mean((count - k) ** 2) ** 1.5
    monkeypatch.setattr("workbench.analysis._neighbours.BLOCK", 10)
    assert float(hubness(z, k)) == pytest.approx(expected, abs=1e-9)
    star = np.r_[np.ones((1, 6)) / 6, np.eye(6)[np.repeat(range(6), 1)]]
    assert float(hubness(star, 1)) > 1, "one row nearest to all others"


def test_neighbours_are_those_of_all_distances(monkeypatch):
    z = cloud(50, 3)
    apart = np.linalg.norm(z[:, None] - z[None], axis=2) + 1e9 * np.eye(50)
    monkeypatch.setattr("workbench.analysis._neighbours.BLOCK", 16)
    index, distance = neighbours(z + 1e3, 5)
    assert np.array_equal(index, np.argsort(apart, 1)[:, :5]) and distance == pytest.approx(np.sort(apart, 1)[:, :5], abs=1e-6)
    with pytest.raises(ValueError, match="5 rows have no 5 neighbours"):
        neighbours(z[:5], 5)


def test_orthogonality_residual_of_correlations():
    z = cloud()
    correlation = np.corrcoef(z.T)
    off = np.sum(correlation**2) - 5
    assert float(orthogonality_residual(z)) == pytest.approx(off, abs=1e-9)
    assert float(orthogonality_residual(np.c_[z, np.full(37, 0.7)])) == pytest.approx(off + 1, abs=1e-9), "a dead column counts one"
    assert float(orthogonality_residual(z * np.arange(1, 6) + 9)) == pytest.approx(off, abs=1e-9), "columns' scale and shift leave it"
    found = np.mean([float(orthogonality_residual(RNG(seed).normal(size=(30, 4)))) for seed in range(300)])
    assert orthogonality_residual(RNG(0).normal(size=(30, 4))).ceiling == pytest.approx(found, rel=0.1)


def test_sliced_gaussianity_in_closed_form():
    """Epps and Pulley: kernels of all pairs, less the cross term, and the constant."""
    z, draw = cloud(20, 3), isotropy.rng(7, "sliced gaussianity", 0, 3).normal(size=(3, 6))
    along, expected = z @ (draw / np.linalg.norm(draw, axis=0)), []
    for x in along.T:
        pairs = np.exp(-((x[:, None] - x) ** 2) / 2).mean()
        expected.append(pairs - np.sqrt(2) * np.exp(-(x**2) / 4).mean() + 1 / np.sqrt(3))
    assert float(sliced_gaussianity(z, 6, seed=7)) == pytest.approx(np.mean(expected), abs=1e-6)
    assert float(sliced_gaussianity(np.zeros((9, 3)))) == pytest.approx(1 - np.sqrt(2) + 1 / np.sqrt(3), abs=1e-6)
    found = np.mean([float(sliced_gaussianity(RNG(seed).normal(size=(25, 4)), 16)) for seed in range(60)])
    assert sliced_gaussianity(RNG(0).normal(size=(25, 4)), 4).ceiling == pytest.approx(found, rel=0.15)


@pytest.mark.parametrize("statistic", [mean_cosine, cone_cosine, cone_angle, self_clustering, coherence, hubness, partition_isotropy])
def test_rotation_and_order_leave_directions(statistic):
    z, draw = cloud(), RNG(2)
    rotation, _ = np.linalg.qr(draw.normal(size=(5, 5)))
    for other in (z @ rotation, z[draw.permutation(37)]):
        assert float(statistic(other)) == pytest.approx(float(statistic(z)), rel=1e-6)
    if statistic is not partition_isotropy:
        assert float(statistic(7 * z)) == pytest.approx(float(statistic(z)), rel=1e-6)


def test_ceilings_are_what_isotropic_clouds_give():
    clouds = [RNG(seed).normal(size=(40, 12)) for seed in range(80)]
    for statistic, near in ((mean_cosine, 0.01), (cone_cosine, 0.01), (cone_angle, 0.5), (self_clustering, 0.005)):
        assert statistic(clouds[0]).ceiling == pytest.approx(np.mean([float(statistic(z)) for z in clouds]), abs=near), statistic.__name__
        assert (statistic(clouds[0]).n, statistic(clouds[0]).d) == (40, 12)
