"""Groups of rows: LiDAR, neural collapse and silhouettes against closed forms and brute force."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from workbench.analysis.classes import centroid_cosine, class_ranks, lidar, neural_collapse, silhouette
from workbench.analysis.collapse import effective_rank

RNG = np.random.default_rng


def grouped(groups=7, views=4, d=5, spread=0.3, seed=0):
    draw = RNG(seed)
    member = np.repeat(np.arange(groups), views)
    return draw.normal(size=(groups, d))[member] + spread * draw.normal(size=(groups * views, d)), member


def entropy_rank(values):
    share = values[values > 1e-12] / values.sum()
    return np.exp(-np.sum(share * np.log(share)))


def test_lidar_as_published():
    z, member = grouped()
    means = np.stack([z[member == each].mean(0) for each in range(7)])
    within = sum(np.outer(row - means[each], row - means[each]) for row, each in zip(z, member)) / len(z) + 1e-4 * np.eye(5)
    between = np.cov(means.T, bias=True)
    root = np.linalg.inv(sqrtm(within).real)
    assert float(lidar(z, member)) == pytest.approx(entropy_rank(np.linalg.eigvalsh(root @ between @ root)), abs=1e-6)


def test_lidar_in_closed_form():
    """Views of 2 d samples at the ends of d axes: within-variances equal, so that d directions are read; one axis ten times as long leaves fewer."""
    ends = np.r_[np.eye(4), -np.eye(4)] @ np.diag([1.0, 1, 1, 1])
    z = np.concatenate([ends + shift for shift in 0.1 * np.r_[np.eye(4), -np.eye(4)]])
    groups = np.tile(np.arange(8), 8)
    assert float(lidar(z, groups)) == pytest.approx(4, abs=1e-6)
    long = ends * [10, 1, 1, 1]
    z = np.concatenate([long + shift for shift in 0.1 * np.r_[np.eye(4), -np.eye(4)]])
    assert float(lidar(z, groups)) == pytest.approx(entropy_rank(np.array([100.0, 1, 1, 1])), abs=1e-6)
    assert lidar(z, groups).ceiling < 4


def test_lidar_needs_its_groups():
    """Shuffled groups read what an isotropic cloud reads; collapsed samples read one."""
    z, member = grouped(60, 4, 6)
    assert float(lidar(z, RNG(1).permutation(member))) == pytest.approx(lidar(z, member).ceiling, rel=0.1)
    line = np.outer(RNG(2).normal(size=60)[member], np.ones(6)) + 0.05 * RNG(3).normal(size=(240, 6))
    assert float(lidar(line, member)) < 1.5
    with pytest.raises(ValueError, match="a group of its own"):
        lidar(z, np.arange(240))
    with pytest.raises(ValueError, match="one group"):
        lidar(z, np.zeros(240))
    with pytest.raises(ValueError, match="3 groups for 240 rows"):
        lidar(z, [1, 2, 3])


def test_neural_collapse_on_a_simplex_and_off_it():
    member = np.repeat(np.arange(3), 5)
    simplex = (np.eye(3) - 1 / 3)[member]
    found = neural_collapse(simplex + 4, member)
    assert (found.nc1, found.norms, found.angles, found.simplex) == pytest.approx((0, 0, 0, 0), abs=1e-9)
    assert (found.n, found.d, found.classes, found.smallest) == (15, 3, 3, 5)
    z, member = grouped(4, 6, 5)
    means = np.stack([z[member == each].mean(0) for each in range(4)])
    within = sum(np.outer(row - means[each], row - means[each]) for row, each in zip(z, member)) / 24
    moved = means - means.mean(0)
    found = neural_collapse(z, member)
    assert found.nc1 == pytest.approx(np.trace(within @ np.linalg.pinv(moved.T @ moved / 4)) / 4, rel=1e-6)
    lengths = np.linalg.norm(moved, axis=1)
    cosine = [moved[i] @ moved[j] / lengths[i] / lengths[j] for i in range(4) for j in range(i)]
    assert found.norms == pytest.approx(lengths.std() / lengths.mean(), rel=1e-9) and found.angles == pytest.approx(
        np.std(cosine), rel=1e-9
    )
    assert found.simplex == pytest.approx(np.mean(np.abs(np.array(cosine) + 1 / 3)), rel=1e-9)
    same = neural_collapse(np.tile(z[:6], (2, 1)), np.repeat([0, 1], 6))
    assert same.nc1 == np.inf and np.isnan(same.norms)


def test_centroids_and_silhouettes_by_hand():
    z, member = grouped(3, 4, 5)
    z, member = z[:-1], member[:-1]
    means = np.stack([z[member == each].mean(0) for each in range(3)])
    unit = means / np.linalg.norm(means, axis=1, keepdims=True)
    assert float(centroid_cosine(z, member)) == pytest.approx(np.mean([unit[0] @ unit[1], unit[0] @ unit[2], unit[1] @ unit[2]]), abs=1e-9)
    apart, scores = np.linalg.norm(z[:, None] - z[None], axis=2), []
    for i, own in enumerate(member):
        others = [j for j in np.flatnonzero(member == own) if j != i]
        a, b = apart[i, others].mean(), min(apart[i, member == each].mean() for each in range(3) if each != own)
        scores.append((b - a) / max(a, b))
    assert float(silhouette(z, member)) == pytest.approx(np.mean(scores), abs=1e-9)
    alone = np.r_[member[:-1], 9]
    assert float(silhouette(np.array([[0.0], [0], [5], [5], [100]]), [0, 0, 1, 1, 2])) == pytest.approx(4 / 5, abs=1e-6)
    assert -1 <= float(silhouette(z, alone)) <= 1


def test_a_class_alone_can_collapse():
    z, member = grouped(3, 40, 5)
    z[member == 1] = z[member == 1].mean(0) + np.outer(RNG(4).normal(size=40), np.ones(5))
    names = np.array(["a", "b", "c"])[member]
    names[0] = "lonely"
    found = class_ranks(z, names)
    assert set(found) == {"a", "b", "c"} and float(found["b"]) == pytest.approx(1, abs=1e-6)
    assert float(found["c"]) == float(effective_rank(z[member == 2])) > 4 and found["c"].n == 40 and found["c"].ceiling < 5


@pytest.mark.parametrize("statistic", [silhouette, lambda z, member: neural_collapse(z, member).nc1, lidar])
def test_rotation_order_and_shift_leave_groups(statistic):
    z, member = grouped()
    rotation, _ = np.linalg.qr(RNG(5).normal(size=(5, 5)))
    order = RNG(6).permutation(len(z))
    for other, groups in ((z @ rotation, member), (z[order], member[order]), (z + 30, member)):
        assert float(statistic(other, groups)) == pytest.approx(float(statistic(z, member)), rel=1e-6)
