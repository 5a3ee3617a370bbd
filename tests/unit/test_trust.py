"""How far a map can be trusted: scikit-learn's number, a slow loop, chance by permutation, and words for structureless features."""

import numpy as np
import pytest

from workbench.analysis import clumps as lumps
from workbench.analysis import trust
from workbench.analysis.clumps import clumps, kmeans, principal, widest_gap
from workbench.analysis.trust import chance, continuity, overlap, quality, said, trustworthiness

RNG = np.random.default_rng


def venna_kaski(high, low, k):
    """Trustworthiness as in the paper and the share of neighbours kept, row by row in float64."""
    n, total, shared = len(high), 0, 0
    for i in range(n):
        order = [j for j in np.argsort(np.linalg.norm(high - high[i], axis=1)) if j != i]
        near = [j for j in np.argsort(np.linalg.norm(low - low[i], axis=1)) if j != i][:k]
        total += sum(order.index(j) + 1 - k for j in near if j not in order[:k])
        shared += len(set(near) & set(order[:k]))
    return 1 - 2 / (n * k * (2 * n - 3 * k - 1)) * total, shared / (n * k)


@pytest.mark.parametrize("block", [256, 7])
def test_trustworthiness_continuity_and_overlap_are_those_of_a_slow_loop(monkeypatch, block):
    monkeypatch.setattr(trust, "BLOCK", block)
    high = RNG(1).normal(size=(40, 5)) + 50
    low = high[:, :2] + RNG(2).normal(size=(40, 2))
    own = trustworthiness(high, low, 4), continuity(high, low, 4), overlap(high, low, 4)
    assert own[0] == pytest.approx(venna_kaski(high, low, 4)[0], abs=1e-12)
    assert own[1] == pytest.approx(venna_kaski(low, high, 4)[0], abs=1e-12) and own[0] != own[1]
    assert own[2] == pytest.approx(venna_kaski(high, low, 4)[1], abs=1e-12)
    found = quality(high, low, 4)
    assert (found.trustworthiness, found.continuity, found.overlap) == pytest.approx(own, abs=1e-12) and (found.k, found.n) == (4, 40)


def test_trustworthiness_is_scikit_learns():
    from sklearn.manifold import trustworthiness as theirs

    high = RNG(3).normal(size=(300, 9)).astype(np.float32)
    low = high[:, :2].astype(float) ** 3
    assert trustworthiness(high, low, 12) == pytest.approx(theirs(high.astype(float), low, n_neighbors=12), abs=1e-12)
    assert continuity(high, low, 12) == pytest.approx(theirs(low, high.astype(float), n_neighbors=12), abs=1e-12)


def test_a_faithful_map_is_perfect_and_ties_are_no_false_neighbours():
    low = RNG(2).normal(size=(30, 2))
    assert quality(np.c_[low, np.zeros(30)] * 3, low).trustworthiness == pytest.approx(1, abs=1e-12)
    pairs = np.repeat(RNG(3).integers(0, 50, size=(6, 2)), 5, 0).astype(float)
    assert trustworthiness(pairs, pairs + RNG(4).normal(size=(30, 2)) * 1e-3, 4) == pytest.approx(1, abs=1e-12)


def test_chance_is_what_points_in_random_places_give():
    z, draw = RNG(5).normal(size=(60, 6)), RNG(6)
    drawn = [(trustworthiness(z, xy, 8), overlap(z, xy, 8)) for xy in draw.normal(size=(80, 60, 2))]
    assert np.mean(drawn, 0) == pytest.approx(chance(60, 8), abs=4 * np.std(drawn, 0).max() / np.sqrt(80))
    found = quality(z, draw.normal(size=(60, 2)), 8)
    assert (found.chance_trustworthiness, found.chance_continuity, found.chance_overlap) == (chance(60, 8)[0], *chance(60, 8))


def test_few_or_equal_rows_have_no_quality_and_what_does_not_fit_is_refused():
    assert quality(np.eye(4), np.eye(4)[:, :2]) is None and quality(np.ones((20, 3)), np.zeros((20, 2))) is None
    assert quality(RNG(0).normal(size=(5, 3)), RNG(1).normal(size=(5, 2))).k == 2
    with pytest.raises(ValueError, match="the rows must be the same"):
        trustworthiness(np.eye(9), np.eye(8), 2)
    with pytest.raises(ValueError, match="fewer than half"):
        overlap(np.eye(9), np.eye(9), 5)
    with pytest.raises(ValueError, match="not finite"):
        quality(np.full((9, 2), np.nan), np.zeros((9, 2)))


def test_a_gaussian_cloud_of_any_shape_has_no_clusters_and_the_map_says_so():
    """The null is exact: 2 % of such clouds are called lumpy; of 24 more than three are one time in 800."""
    draw, wrong = RNG(7), 0
    for n, d, power in ((40, 3, 0), (90, 30, 1), (60, 90, 0.5), (120, 6, 2)):
        for seed in range(6):
            wrong += clumps(draw.normal(size=(n, d)) * np.arange(1.0, d + 1) ** -power + 5, seed).kind != "none"
    assert wrong <= 3
    z = draw.normal(size=(90, 8))
    assert "lumps in this picture are the method's, not the data's" in said(quality(z, z[:, :2])) and said(None) == ""


@pytest.mark.parametrize("groups", [2, 3, 7])
def test_a_clear_mixture_has_clusters(groups):
    draw = RNG(8)
    z = draw.normal(size=(180, 20)) + 6 * np.eye(20)[draw.integers(groups, size=180)]
    found = clumps(z)
    assert found.kind == "clusters" and found.p == 0.02 and found.within < found.within_gaussian
    assert abs(found.apart - 6 * np.sqrt(2)) < 2.5 and "fall into clusters" in said(quality(z, z[:, :2]))


def test_a_bar_and_a_ring_are_shapes_without_a_gap():
    draw = RNG(9)
    turn = draw.uniform(0, 2 * np.pi, 400)
    for z in (draw.uniform(size=(400, 2)) * [4, 1], np.c_[np.cos(turn), np.sin(turn)] + 0.05 * draw.normal(size=(400, 2))):
        found = clumps(z)
        assert found.kind == "shape" and "No separate clusters" in said(quality(z, z))


def test_the_cluster_index_is_the_share_of_variance_within_the_best_cut():
    z = np.concatenate([RNG(1).normal(size=(20, 2)), RNG(2).normal(size=(30, 2)) + 9]).astype(np.float32)
    clouds = np.stack([z - z.mean(0), (z - z.mean(0))[::-1]])
    within, labels = kmeans(clouds, 2, RNG(0))
    parts = sum(np.sum((z[side] - z[side].mean(0)) ** 2) for side in (slice(20), slice(20, None)))
    assert within == pytest.approx(np.repeat(parts / np.sum((z - z.mean(0)) ** 2), 2), rel=1e-4)
    assert len(set(labels[0][:20])) == len(set(labels[0][20:])) == 1 and labels[0][0] != labels[0][-1]


def test_the_widest_gap_is_the_largest_step_from_group_to_group():
    """Three pairs of points two apart, at 0, 10 and 40 on a line: spread 1, steps of 10 and 30, and no step of 40."""
    z = np.array([[at + side] for at in (0.0, 10.0, 40.0) for side in (-1, 1)] * 4)
    labels = np.array([at for at in range(3) for _ in range(2)] * 4)
    assert widest_gap(z, labels) == pytest.approx(30)
    assert widest_gap(z, np.zeros(24, int)) == 0
    lonely = np.append(labels, 3), np.append(z, [[900.0]], 0)
    assert widest_gap(lonely[1], lonely[0]) == pytest.approx(30), "a row or two are no group"


def test_axes_that_are_rounding_are_left_out_and_many_rows_are_an_even_subset(monkeypatch):
    flat = np.outer(RNG(0).normal(size=30), np.ones(4)) + 7
    assert principal(flat).shape == (30, 1) and principal(RNG(0).normal(size=(6, 40))).shape == (6, 5)
    wide = RNG(0).normal(size=(9, 40))
    assert np.linalg.norm(principal(wide), axis=0) == pytest.approx(np.linalg.svd(wide - wide.mean(0), compute_uv=False)[:8])
    monkeypatch.setattr(lumps, "ROWS", 12)
    z = RNG(1).normal(size=(41, 3))
    assert clumps(z) == clumps(z[np.linspace(0, 40, 12).astype(int)]) and clumps(z).n == 12
    assert clumps(np.ones((9, 3))) is None and clumps(z[:4]) is None
