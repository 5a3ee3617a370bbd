"""Average precision, accuracy, rates and thresholds against plain sums, scikit-learn, and patients drawn one by one."""

import numpy as np
import pytest
from scipy.stats import binom

from workbench.analysis import decisions
from workbench.analysis.decisions import (
    accuracy_interval,
    average_precision,
    average_precision_interval,
    crossfitted,
    macro_interval,
    share_interval,
    threshold,
    thresholds,
)

RNG = np.random.default_rng


def drawn(n=160, images=1, seed=0, shift=1.0):
    """Scores, labels and patients: each patient has `images` rows that share half of their noise."""
    draw = RNG(seed)
    patient = np.repeat(np.arange(n // images), images)
    y = (draw.random(n // images) < 0.4).astype(float)[patient]
    return shift * y + 0.7 * draw.normal(size=n // images)[patient] + 0.7 * draw.normal(size=n), y, patient


def test_average_precision_is_the_sum_of_recall_steps_times_precision_ties_as_one():
    from sklearn.metrics import average_precision_score

    for n, seed in ((5, 1), (37, 2), (300, 3)):
        scores, labels = np.round(RNG(seed).normal(size=n), 1), RNG(seed + 9).random(n) < 0.4
        labels[0] = True
        assert average_precision(scores, labels) == pytest.approx(average_precision_score(labels, scores), abs=1e-12)
    assert average_precision([3, 2, 1, 0], [1, 0, 1, 0]) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert np.isnan(average_precision([1, 2], [0, 0]))


def test_patients_drawn_twice_count_twice():
    from sklearn.metrics import average_precision_score

    scores, labels, patient = drawn(60, images=3)
    scores = np.round(scores, 1)
    weights = RNG(5).integers(0, 3, (20, 7)).astype(np.float32)
    found = decisions._Precision(scores, labels > 0.5, patient)(weights)
    expected = [average_precision_score(labels, scores, sample_weight=column[patient]) for column in weights.T]
    assert found == pytest.approx(expected, abs=1e-6)
    right = (scores > 0.5) == (labels > 0.5)
    shares = decisions._Share(right, patient, 20)(weights)
    assert shares == pytest.approx([np.average(right, weights=column[patient]) for column in weights.T], abs=1e-6)


def test_intervals_hold_the_value_and_widen_with_clustering():
    for make in (
        lambda s, y, p: average_precision_interval(s, y, p),
        lambda s, y, p: accuracy_interval((s > 0.5) == (y > 0.5), y, p),
        lambda s, y, p: share_interval(s[y > 0.5] > 0.5, p[y > 0.5]),
    ):
        scores, labels, patient = drawn(400, images=4)
        clustered, alone = make(scores, labels, patient), make(scores, labels, np.arange(400))
        assert clustered.low < clustered.value < clustered.high and alone.low < alone.value < alone.high
        assert clustered.high - clustered.low > 1.15 * (alone.high - alone.low)


def test_a_bootstrap_interval_agrees_with_patients_drawn_one_by_one():
    scores, labels, patient = drawn(240, images=2)
    found = average_precision_interval(scores, labels, patient)
    rows = [np.flatnonzero(patient == each) for each in range(120)]
    draw, values = RNG(1), []
    for _ in range(1500):
        own = np.concatenate([rows[each] for each in draw.integers(120, size=120)])
        values.append(average_precision(scores[own], labels[own]))
    plain = np.quantile(values, (0.025, 0.975))
    assert abs(found.low - plain[0]) < 0.04 and abs(found.high - plain[1]) < 0.04
    assert "120 patients drawn" in found.procedure


def test_too_few_patients_are_counts_and_few_are_flagged():
    scores, labels, patient = drawn(160)
    few = labels.copy()
    few[np.flatnonzero(labels)[9:]] = 0
    found = average_precision_interval(scores, few, patient)
    assert found.low is None and found.why.startswith("9 positive and 151 negative patients") and found.procedure == "counts only"
    assert accuracy_interval(scores > 0, few, patient).low is None
    flagged = average_precision_interval(scores, np.where(np.cumsum(labels) <= 20, labels, 0), patient)
    assert flagged.low is not None and flagged.why.startswith("few positives (20 positive")
    assert share_interval(np.ones(9), np.arange(9)).low is None
    same = accuracy_interval(np.ones(160), labels, patient)
    assert same.value == 1 and same.low is None and same.why == "no draw of patients changes it"


def test_labels_not_stated_are_left_out():
    scores, labels, patient = drawn(160)
    gaps = labels.copy()
    gaps[::4] = np.nan
    own = np.isfinite(gaps)
    for make in (average_precision_interval, lambda s, y, p: accuracy_interval(s > 0.5, y, p)):
        one, other = make(scores, gaps, patient), make(scores[own], labels[own], patient[own])
        assert (one.value, one.low, one.high) == (other.value, other.low, other.high)


def test_wilsons_interval_at_one_row_a_patient_and_its_coverage_with_clusters():
    from scipy.stats import t

    right = np.arange(50) < 41
    z2, n, p = t.ppf(0.975, 49) ** 2, 50, 0.82
    spread = 50 / 49 * p * (1 - p) / n  # of independent rows, unbiased
    n = n / max(1, spread / (p * (1 - p) / 50))
    middle, reach = (p + z2 / (2 * n)) / (1 + z2 / n), np.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    found = share_interval(right, np.arange(50))
    assert (found.low, found.high) == pytest.approx((middle - reach, middle + reach), abs=1e-12)
    assert share_interval(np.ones(30), np.arange(30)).low > binom.ppf(0.001, 30, 0.8) / 30
    held, draw = 0, RNG(2)
    for _ in range(400):
        rate = draw.beta(4, 2, size=60)  # of each patient: mean 2/3
        own = draw.random((60, 3)) < rate[:, None]
        each = share_interval(own.ravel(), np.repeat(np.arange(60), 3))
        held += each.low <= 2 / 3 <= each.high
    assert 0.92 <= held / 400 <= 0.985


def test_a_macro_score_is_the_mean_with_patients_drawn_jointly():
    scores, labels, patient = drawn(200, images=2)
    same = macro_interval([0.5, 0.5], np.c_[scores, scores], np.c_[labels, labels], patient, "ap", (0, 1))
    own = average_precision_interval(scores, labels, patient)
    assert same.high - same.low == pytest.approx(own.high - own.low, rel=0.25), "one label twice is no more certain than once"
    right = np.c_[scores > 0.5, scores > 9]
    found = macro_interval([0.6, 0.8, 0.1], np.c_[right, right[:, :1]], np.c_[labels, labels, labels * np.nan], patient, "accuracy", (0, 1))
    assert found.value == pytest.approx(0.7)
    assert macro_interval([0.5], scores[:, None], labels[:, None], patient, "ap", ()).low is None


def test_the_threshold_has_the_largest_sum_of_sensitivity_and_specificity():
    for seed in range(5):
        scores, labels, _ = drawn(80, seed=seed)
        at = threshold(scores, labels)
        sums = [np.mean(scores[labels > 0.5] >= cut) + np.mean(scores[labels < 0.5] < cut) for cut in np.append(np.sort(scores), 99)]
        assert np.mean(scores[labels > 0.5] >= at) + np.mean(scores[labels < 0.5] < at) == pytest.approx(max(sums))
        assert at not in scores, "halfway between two scores"
    assert np.isnan(threshold([1, 2], [0, 0])) and threshold([0, 1, 4], [0, np.nan, 1]) == 2
    assert thresholds(np.c_[[0, 2], [4, 0]], np.c_[[0, 1], [1, 0]]) == pytest.approx([1, 2])


def test_what_is_crossfitted_never_saw_the_patient():
    _, labels, patient = drawn(90, images=3)
    members = crossfitted(lambda s, y: np.array([s.sum(), len(s)]), patient[:, None].astype(float), labels[:, None], patient)
    assert members.shape == (90, 2)
    total = patient.sum()
    for row in range(90):
        left = total - members[row, 0]  # the sum of the patients in this row's fold
        fold = patient[(members == members[row]).all(1)]
        assert left == fold.sum() and patient[row] in fold and 90 - members[row, 1] == len(fold)
