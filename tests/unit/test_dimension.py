"""Dimensions near rows and learnable clusters, against brute force and clouds of known dimension."""

import numpy as np
import pytest

from workbench.analysis.dimension import cluster_learnability, intrinsic_dimension, two_nn

RNG = np.random.default_rng


def distances(z):
    return np.sort(np.linalg.norm(z[:, None] - z[None], axis=2), 1)[:, 1:]


def test_estimates_against_all_distances():
    z = RNG(0).normal(size=(60, 4))
    apart = distances(z)
    assert float(two_nn(z)) == pytest.approx(60 / np.log(apart[:, 1] / apart[:, 0]).sum(), rel=1e-9)
    k = 7
    expected = np.mean([1 / np.mean([np.log(row[k - 1] / row[j]) for j in range(k - 1)]) for row in apart])
    assert float(intrinsic_dimension(z, k)) == pytest.approx(expected, rel=1e-9)


def test_a_plane_in_many_dimensions_has_two():
    z = RNG(1).uniform(size=(1500, 2)) @ RNG(2).normal(size=(2, 20))
    assert float(two_nn(z)) == pytest.approx(2, rel=0.1) and float(intrinsic_dimension(z)) == pytest.approx(2, rel=0.2)


@pytest.mark.parametrize("statistic", [two_nn, intrinsic_dimension])
def test_scale_rotation_order_and_copies_leave_the_dimension(statistic):
    z, draw = RNG(3).normal(size=(80, 4)), RNG(4)
    rotation, _ = np.linalg.qr(draw.normal(size=(4, 4)))
    for other in (5 * z, z @ rotation, z[draw.permutation(80)], np.r_[z, z[:9]]):
        assert float(statistic(other)) == pytest.approx(float(statistic(z)), rel=1e-6)
    with pytest.raises(ValueError, match="neighbours"):
        statistic(np.ones((50, 4)))
    with pytest.raises(ValueError, match="at least 2"):
        intrinsic_dimension(z, 1)


def test_clusters_apart_are_learned():
    draw = RNG(5)
    apart = np.repeat(10 * np.eye(4), 30, 0) + 0.1 * draw.normal(size=(120, 4))
    assert float(cluster_learnability(apart, 4)) == 1
    noise = draw.normal(size=(120, 40))
    assert float(cluster_learnability(noise, 10)) < 0.7
    drawn = [float(cluster_learnability(noise, 10, seed=seed)) for seed in (0, 1, 2, 0)]
    assert len(set(drawn)) > 1 and drawn[0] == drawn[3]
    with pytest.raises(ValueError, match="10 clusters"):
        cluster_learnability(noise[:10])
    with pytest.raises(ValueError, match="only 3 rows differ"):
        cluster_learnability(np.repeat(np.eye(3), 10, 0), 4)
