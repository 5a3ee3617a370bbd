"""Reliability, its error and the logistic map against plain sums, scikit-learn and a direct search."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from workbench.analysis.calibration import bin_of, calibration_error, curve, platt, platts, probability

RNG = np.random.default_rng


def drawn(n=500, seed=0):
    draw = RNG(seed)
    p = expit(draw.normal(-0.5, 1.5, n))
    return p, (draw.random(n) < p).astype(float), np.arange(n) // 2


def test_bins_and_error_are_those_of_scikit_learn_and_of_plain_sums():
    from sklearn.calibration import calibration_curve

    p, y, patients = drawn()
    found = curve("finding", p, y, patients)
    observed, predicted = calibration_curve(y, p, n_bins=10, strategy="quantile")
    assert found.observed == pytest.approx(observed) and found.predicted == pytest.approx(predicted)
    assert found.error == pytest.approx(np.mean(np.abs(observed - predicted)))
    assert (found.rows == 50).all() and np.all((found.low <= found.observed) & (found.observed <= found.high))
    assert (found.n, found.patients) == (500, 250)


def test_a_calibrated_model_reads_about_its_floor_and_an_overconfident_one_more():
    p, y, patients = drawn(2000)
    good, sharp = curve("a", p, y, patients), curve("a", expit(3 * np.log(p / (1 - p))), y, patients)
    assert abs(good.error - good.floor) < 0.015 < good.floor + 0.01
    assert sharp.error > 4 * sharp.floor


def test_ties_share_a_bin_and_gaps_are_left_out():
    p = np.repeat([0.2, 0.2, 0.2, 0.7], 25)
    member = bin_of(p)
    assert len(np.unique(member)) == 2 and all(len(set(member[p == value])) == 1 for value in (0.2, 0.7))
    y = np.where(np.arange(100) % 2, 1.0, np.nan)
    found = curve("finding", p, y, np.arange(100))
    assert found.n == 50 and found.observed == pytest.approx([1, 1])
    assert curve("finding", p, np.full(100, np.nan), np.arange(100)) is None
    assert calibration_error(np.array([0.5, 0.5, 0.9]), np.array([1, 0, 0]), np.array([0, 0, 1])) == pytest.approx(0.3)


def test_the_logistic_map_has_the_largest_likelihood_of_platts_targets():
    _, y, _ = drawn(300)
    scores = 0.02 * y + RNG(1).normal(size=300) * 0.03 + 5
    positive, negative = y.sum(), (1 - y).sum()
    target = np.where(y > 0.5, (positive + 1) / (positive + 2), 1 / (negative + 2))

    def loss(at):
        z = (scores - 5) * at[0] + at[1]
        return np.mean(np.logaddexp(0, z) - target * z)

    best = minimize(loss, [1.0, 0.0], method="BFGS").x
    slope, intercept = platt(scores, y)
    assert (slope, intercept) == pytest.approx((best[0], best[1] - 5 * best[0]), rel=1e-3)
    p = probability(scores, np.array([slope, intercept]))
    assert p.mean() == pytest.approx(target.mean(), abs=1e-6)


def test_separable_one_sided_or_constant_scores_have_a_bounded_map_or_none():
    y = np.arange(40) % 2
    assert np.isfinite(platt(y * 1.0, y)).all()
    for scores, labels in ((np.arange(40), np.ones(40)), (np.ones(40), y), (np.arange(40), np.full(40, np.nan))):
        assert np.isnan(platt(scores, labels)).all()
    both = platts(np.c_[y * 1.0, np.ones(40)], np.c_[y, y])
    assert both.shape == (2, 2) and np.isnan(both[1]).all()
    assert probability(np.ones((40, 2)), np.zeros((40, 2, 2))) == pytest.approx(np.full((40, 2), 0.5))
