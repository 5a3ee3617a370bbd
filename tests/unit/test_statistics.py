"""Intervals against formulas written out again, and against data whose truth is known."""

import json

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import norm, t

from tests.full import coverage
from workbench.analysis import _auroc, _coverage, _jackknife
from workbench.analysis.collapse import participation_ratio, summarise
from workbench.analysis.statistics import (
    auroc,
    auroc_interval,
    jackknife,
    macro_auroc_interval,
    paired_auroc,
    paired_jackknife,
)

RNG = np.random.default_rng


def scored(positive=60, negative=75, shift=1.0, seed=0):
    """Scores with ties, labels, and one patient a row."""
    draw = RNG(seed)
    y = np.r_[np.ones(positive), np.zeros(negative)]
    return np.round(draw.normal(size=len(y)) + shift * y, 1), y, np.arange(len(y))


def kernel(scores, y):
    """(m, n): 1 where the positive is above the negative, 1/2 for a tie."""
    difference = scores[y > 0.5][:, None] - scores[y < 0.5][None]
    return (difference > 0) + (difference == 0) / 2


# ---- AUROC -------------------------------------------------------------------------------------------------------------


def test_auroc_counts_pairs_and_half_ties():
    s, y, _ = scored()
    assert auroc(s, y) == pytest.approx(kernel(s, y).mean(), abs=1e-12)
    assert auroc(-s, y) == pytest.approx(1 - auroc(s, y), abs=1e-12)
    assert np.isnan(auroc(s, np.ones(len(s))))


def test_placements_are_the_rows_and_columns_of_the_pairs():
    s, y, _ = scored()
    found = _auroc.placements(s, y > 0.5)
    assert found[y > 0.5] == pytest.approx(kernel(s, y).mean(1), abs=1e-12)
    assert found[y < 0.5] == pytest.approx(kernel(s, y).mean(0), abs=1e-12)


def test_with_one_row_a_patient_the_interval_is_delong_on_the_logit():
    s, y, patients = scored()
    pairs = kernel(s, y)
    value = pairs.mean()
    variance = pairs.mean(1).var(ddof=1) / 60 + pairs.mean(0).var(ddof=1) / 75
    reach = t.ppf(0.975, 59) * np.sqrt(variance) / (value * (1 - value))
    found = auroc_interval(s, y, patients)
    assert (found.value, found.low, found.high) == pytest.approx(
        (value, expit(logit(value) - reach), expit(logit(value) + reach)), abs=1e-9
    )
    assert "DeLong" in found.procedure and found.why == ""


def test_four_copies_of_every_row_carry_no_information():
    s, y, patients = scored()
    once, again = auroc_interval(s, y, patients), auroc_interval(np.repeat(s, 4), np.repeat(y, 4), np.repeat(patients, 4))
    assert (again.low, again.high) == pytest.approx((once.low, once.high), abs=1e-9)
    loose = auroc_interval(np.repeat(s, 4), np.repeat(y, 4), np.arange(4 * len(s)))
    assert loose.high - loose.low < 0.6 * (once.high - once.low)


def test_a_patient_in_both_classes_narrows_or_widens_by_the_covariance():
    s, y, _ = scored(60, 60)
    mixed = np.r_[np.arange(60), np.arange(60)]  # every patient has one positive and one negative row
    pairs = kernel(s, y)
    a, b = pairs.mean(1), pairs.mean(0)
    variance = a.var(ddof=1) / 60 + b.var(ddof=1) / 60 + 2 * np.cov(a, b)[0, 1] / 60
    found = _auroc.clustered_variance(_auroc.placements(s, y > 0.5) - pairs.mean(), y > 0.5, mixed, 60)
    assert found == pytest.approx(variance, rel=1e-9)


@pytest.mark.parametrize(("positive", "negative"), [(9, 200), (200, 9)])
def test_under_ten_patients_only_counts(positive, negative):
    s, y, patients = scored(positive, negative)
    for found in (auroc_interval(s, y, patients), paired_auroc(s, s[::-1], y, patients)):
        assert found.low is None and found.high is None
        assert f"{positive} positive and {negative} negative" in found.why
    assert auroc_interval(np.repeat(s, 4), np.repeat(y, 4), np.repeat(patients, 4)).low is None, "patients are counted, not rows"


def test_few_patients_are_flagged_with_their_measured_coverage(monkeypatch):
    s, y, patients = scored(17, 200)
    monkeypatch.setattr(_coverage, "measured", lambda: {"auroc": {(10, False): 0.931, (20, False): 0.95, (10, True): 0.97}})
    found = auroc_interval(s, y, patients)
    assert found.low is not None and "few positives (17 positive, 200 negative patients)" in found.why and ".931 with 10" in found.why
    monkeypatch.setattr(_coverage, "measured", lambda: {"auroc": {(10, False): 0.899}})
    poor = auroc_interval(s, y, patients)
    assert poor.low is None and poor.procedure == "counts only" and ".899" in poor.why


def test_a_spectral_interval_of_few_patients_names_the_coverage_measured_for_them(monkeypatch):
    monkeypatch.setattr(_coverage, "measured", lambda: {"spectra": {(32, True): 0.927}})
    z = RNG(0).normal(size=(160, 8))
    forty, sixty = (summarise(z, [row % patients for row in range(160)]).procedure for patients in (40, 60))
    assert forty.endswith("; few patients (40): measured coverage .927 with 32") and "few" not in sixty
    assert summarise(z[:40], list(range(40))).procedure.endswith("few patients (40): coverage not measured")
    assert jackknife(np.mean, z, [row % 40 for row in range(160)]).procedure == forty


def test_complete_separation_still_has_a_lower_limit():
    for n in (12, 60):
        found = auroc_interval(np.arange(2 * n), np.arange(2 * n) >= n, np.arange(2 * n))
        assert found.value == 1 and found.high == 1 and 0.5 < found.low < 1


def test_an_inverted_test_is_mirrored_with_the_scores():
    s, y, patients = scored(20, 90)
    found, mirrored = auroc_interval(s, y, patients), auroc_interval(-s, y, patients)
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((found.low, found.high), abs=1e-6)


def test_binormal_variance_is_that_of_simulated_scores():
    draw = RNG(0)
    a, b = draw.normal(size=(60_000, 3, 1)) + 1.2, draw.normal(size=(60_000, 1, 4))
    assert _auroc.binormal_variance(norm.cdf(1.2 / np.sqrt(2)), 3, 4) == pytest.approx(np.var(np.mean(a > b, (1, 2))), rel=0.03)


def test_intervals_of_few_and_of_many_patients_hold_the_truth():
    draw = RNG(1)
    truth = norm.cdf(1.2 / np.sqrt(2))
    for positive, least in ((12, 0.92), (55, 0.9)):
        y = np.r_[np.ones(positive), np.zeros(300)]
        found = [auroc_interval(draw.normal(size=len(y)) + 1.2 * y, y, np.arange(len(y))) for _ in range(200)]
        assert least <= np.mean([each.low <= truth <= each.high for each in found]) <= 0.995


def test_rows_without_a_label_are_left_out():
    s, y, patients = scored()
    gaps = np.r_[y, np.full(40, np.nan)]
    found = auroc_interval(np.r_[s, np.full(40, 9.0)], gaps, np.arange(len(gaps)))
    assert found == auroc_interval(s, y, patients)


def test_a_pair_is_compared_on_the_same_patients():
    s, y, patients = scored()
    better = s + 0.3 * y + RNG(2).normal(size=len(s)) * 0.05
    found, back = paired_auroc(s, better, y, patients), paired_auroc(better, s, y, patients)
    assert found.value == pytest.approx(auroc(better, y) - auroc(s, y), abs=1e-12) and found.low > 0
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low), abs=1e-12)
    a, b = kernel(s, y), kernel(better, y)
    variance = (b - a).mean(1).var(ddof=1) / 60 + (b - a).mean(0).var(ddof=1) / 75
    assert found.high - found.value == pytest.approx(t.ppf(0.975, 59) * np.sqrt(variance), abs=1e-9)
    same = paired_auroc(s, s, y, patients)
    assert same.value == same.low == same.high == 0


# ---- macro AUROC -------------------------------------------------------------------------------------------------------


def labelled(n=160, k=3, seed=3):
    draw = RNG(seed)
    y = (draw.random((n, k)) < 0.4).astype(float)
    return np.round(draw.normal(size=(n, k)) + y, 1), y, np.arange(n) // 2


def test_a_weighted_auroc_is_that_of_repeated_rows():
    s, y, patients = labelled()
    weights = RNG(0).integers(0, 4, size=(80, 5))
    found = _auroc.Weighted(s[:, 0], y[:, 0], patients)(weights.astype(float))
    for column in range(5):
        times = weights[patients, column]
        assert found[column] == pytest.approx(auroc(np.repeat(s[:, 0], times), np.repeat(y[:, 0], times)), abs=1e-12)


def test_macro_is_the_mean_over_labels_with_ten_patients_of_each_class():
    s, y, patients = labelled(k=4)
    y[:, 3] = np.nan
    y[:18, 3], y[18:60, 3] = 1, 0  # nine patients
    y[:6, 1] = np.nan
    found = macro_auroc_interval(s, y, patients, resamples=200)
    each = [auroc(s[(kept := np.isfinite(y[:, k])), k], y[kept, k]) for k in range(4)]
    assert found.included == (0, 1, 2) and found.per_label == pytest.approx(each, abs=1e-12)
    assert float(found) == pytest.approx(np.mean(each[:3]), abs=1e-12) and found.low < found.value < found.high
    y[:, 3] = 1
    assert macro_auroc_interval(s, y, patients, resamples=0).per_label[3] is None


def test_without_resamples_the_value_only():
    s, y, patients = labelled()
    found = macro_auroc_interval(s, y, patients, resamples=0)
    assert found.low is None and found.high is None and found.why == "not computed at this look"
    assert found.value == macro_auroc_interval(s, y, patients, resamples=50).value
    none = macro_auroc_interval(s[:8], y[:8], patients[:8])
    assert np.isnan(none.value) and none.low is None and none.included == () and "10 positive" in none.why


def test_patients_are_drawn_jointly_for_all_labels():
    s, y, patients = labelled(n=240)
    one = macro_auroc_interval(s[:, :1], y[:, :1], patients, resamples=300)
    twice = macro_auroc_interval(s[:, [0, 0, 0]], y[:, [0, 0, 0]], patients, resamples=300)
    assert (twice.low, twice.high) == pytest.approx((one.low, one.high), abs=1e-12)


def test_a_seed_is_a_result():
    draw = RNG(5)
    y = np.r_[np.ones(60), np.zeros(60)][:, None]  # enough patients that no measured coverage withholds the interval
    s = draw.normal(size=(120, 1)) + y
    shifted = macro_auroc_interval(s, y, np.arange(120), resamples=500, seed=1)
    assert shifted == macro_auroc_interval(s, y, np.arange(120), resamples=500, seed=1)
    assert shifted != macro_auroc_interval(s, y, np.arange(120), resamples=500, seed=2)


def test_a_draw_that_loses_a_class_is_drawn_again_and_counted(monkeypatch):
    s, y, patients = labelled(n=80, k=1)
    drawn = []
    original = _auroc.bca
    monkeypatch.setattr(_auroc, "bca", lambda value, resampled, *rest: drawn.append(resampled) or original(value, resampled, *rest))
    monkeypatch.setattr(_auroc, "FEW", 1)
    y[:] = 0
    y[:2] = 1  # one positive patient: e^-1 of the draws lose it
    found = macro_auroc_interval(s, y, patients, resamples=300)
    assert len(drawn[0]) == 300 and np.isfinite(drawn[0]).all() and 100 < found.redraws < 260


def test_bca_shifts_with_bias_and_skew():
    resampled = RNG(0).normal(size=200_000)
    flat = np.array([-1.0, 1.0])
    assert _auroc.bca(0.0, resampled, flat, 0.95) == pytest.approx((-1.96, 1.96), abs=0.03)
    bias = norm.ppf(np.mean(resampled < 0.3))
    expected = [np.quantile(resampled, norm.cdf(2 * bias + z)) for z in (-1.96, 1.96)]
    assert _auroc.bca(0.3, resampled, flat, 0.95) == pytest.approx(expected, abs=0.01)
    left_out = np.array([-3.0, 1, 1, 1])  # a far low leave-out: the patient left out pulls up
    a = (3**3 - 3) / (6 * 12**1.5)
    expected = [np.quantile(resampled, norm.cdf(z / (1 - a * z))) for z in (-1.96, 1.96)]
    assert _auroc.bca(0.0, resampled, left_out, 0.95) == pytest.approx(expected, abs=0.02) and a > 0


# ---- jackknife ---------------------------------------------------------------------------------------------------------


def test_of_a_mean_it_is_the_t_interval_over_groups():
    rows = RNG(0).normal(size=(200, 3))
    found = jackknife(lambda z: z[:, 0].mean(), rows, np.arange(200))
    part = _jackknife.group_rows(np.arange(200))
    means = np.array([rows[part == each, 0].mean() for each in range(20)])
    reach = t.ppf(0.975, 19) * means.std(ddof=1) / np.sqrt(20)
    assert found.value == pytest.approx(rows[:, 0].mean(), abs=1e-12)
    assert (found.low, found.high) == pytest.approx((found.value - reach, found.value + reach), abs=1e-9)
    assert "20 groups of patients" in found.procedure


def test_groups_hold_whole_patients_and_equal_shares():
    count = RNG(1).integers(1, 9, size=97)
    patients = np.repeat([f"p{each}" for each in range(97)], count)
    part = _jackknife.group_rows(patients)
    assert sorted(set(part)) == list(range(20))
    assert all(len(set(part[patients == each])) == 1 for each in set(patients))
    sizes = np.bincount(part)
    assert sizes.max() - sizes.min() <= 6 and sizes.max() < 1.3 * sizes.mean()
    assert np.array_equal(part, _jackknife.group_rows(patients)), "the same patients, the same groups"


def test_images_of_one_patient_are_not_independent():
    base = RNG(2).normal(size=(60, 4))
    rows = np.repeat(base, 5, 0)
    patients = np.repeat(np.arange(60), 5)
    whole, split = (jackknife(lambda z: z.mean(), rows, groups, n_groups=60) for groups in (patients, np.arange(300)))
    assert whole.high - whole.low > 1.6 * (split.high - split.low)


def test_unequal_groups_are_weighed_by_their_rows():
    """32 patients in 20 groups: groups of one and of two. The mean's interval must match the spread of the mean."""
    draw, error, values = RNG(3), [], []
    for _ in range(150):
        rows = draw.normal(size=(32, 8))
        found = jackknife(lambda z: z.mean(), rows, np.arange(32))
        error.append(((found.high - found.low) / 2 / t.ppf(0.975, 19)) ** 2)
        values.append(found.value)
    assert np.mean(error) == pytest.approx(1 / 256, rel=0.12)


def test_a_bias_that_falls_with_the_number_of_rows_is_no_variance():
    """Groups of one and of two rows: leave-outs of a biased statistic differ although nothing varies."""
    sizes = np.array([1.0, 2, 2, 1, 3, 1, 2, 2] * 3)
    n = sizes.sum()
    first, second = _jackknife.orders(5 / n, 5 / (n - sizes), None, sizes)
    assert first == pytest.approx(0, abs=1e-12) and second == 0


def test_orders_of_a_statistic_without_first_order():
    """The square of a mean that is 0: the plain jackknife counts its variance twice, the second part once."""
    draw, g = RNG(4), 20
    pairs, first, second, values = _jackknife.pairs_of(g), [], [], []
    for _ in range(1500):
        x = draw.normal(size=g)
        total = x.sum()
        one = ((total - x) / (g - 1)) ** 2
        two = np.array([((total - x[a] - x[b]) / (g - 2)) ** 2 for a, b in pairs])
        found = _jackknife.orders((total / g) ** 2, one, two, np.ones(g))
        first.append(found[0])
        second.append(found[1])
        values.append((total / g) ** 2)
    assert np.mean(first) / np.var(values) == pytest.approx(2 * (g / (g - 1)) ** 2, rel=0.15)
    assert np.mean(second) / np.var(values) == pytest.approx(1, rel=0.15)
    assert 20 < len(set(pairs)) == len(pairs) and all(a != b for a, b in pairs)


def test_the_second_order_part_of_an_even_cloud_is_taken_off():
    draw, found, plain = RNG(4), [], []
    for _ in range(25):
        rows = draw.normal(size=(60, 5))
        found.append(jackknife(participation_ratio, rows, np.arange(60)))
        part = _jackknife.group_rows(np.arange(60))
        one = np.array([float(participation_ratio(rows[part != each])) for each in range(20)])
        plain.append(float(_jackknife.standard_error(found[-1].value, one, None, np.bincount(part), 0.0)))
    ratio = np.array([(each.high - each.low) / 2 / t.ppf(0.975, 19) for each in found]) / plain
    assert ratio.min() >= 0.707 and ratio.max() <= 1 and np.mean(ratio) < 0.9
    assert np.mean([abs(each.value - np.mean([other.value for other in found])) < each.high - each.value for each in found]) > 0.8


def test_evenness_is_high_for_an_isotropic_cloud_only():
    draw = RNG(5)
    part = _jackknife.group_rows(np.arange(240))
    even, uneven = (_jackknife.Parts(draw.normal(size=(240, 6)) * np.arange(1, 7) ** -power, part).evenness() for power in (0.0, 1.0))
    assert even > 0.2 and uneven == 0


def test_withheld_with_the_reason():
    rows = RNG(6).normal(size=(100, 4))
    few = jackknife(participation_ratio, rows, np.arange(100) // 10)
    assert few.low is None and "10 patients, fewer than the 20 groups" in few.why
    rows[3] *= 60
    heavy = jackknife(participation_ratio, rows, np.arange(100))
    assert heavy.low is None and heavy.high is None and "heavy tails" in heavy.why and np.isfinite(heavy.value)
    with pytest.raises(ValueError, match="expected one a row"):
        jackknife(participation_ratio, rows, np.arange(99))


def test_kurtosis_of_row_norms():
    norms = np.array([1.0, 2, 3, 4, 10])
    rows = np.concatenate([norms[:, None] * [[1, 0]], -norms[:, None] * [[1, 0]]])
    deviation = norms - 4
    assert _jackknife.row_kurtosis(rows) == pytest.approx(np.mean(deviation**4) / np.mean(deviation**2) ** 2, rel=1e-12)
    assert _jackknife.row_kurtosis(np.ones((5, 2))) == 3
    assert _jackknife.row_kurtosis(1e-90 * rows) == 3, "too small to be squared twice: no number is made up from 0 / 0"


def test_a_difference_of_two_checkpoints_is_tighter_than_two_intervals():
    draw = RNG(7)
    a = draw.normal(size=(400, 6)) * [4, 2, 1, 1, 1, 1]
    b = a * [1.1, 1, 1, 1, 1, 1]
    found = paired_jackknife(participation_ratio, a, b, np.arange(400))
    alone = [jackknife(participation_ratio, each, np.arange(400)) for each in (a, b)]
    assert found.value == pytest.approx(alone[1].value - alone[0].value, abs=1e-12) and found.high < 0
    assert found.high - found.low < 0.3 * (alone[0].high - alone[0].low)
    assert alone[0].low < alone[1].high, "the two intervals alone would not tell them apart"
    same = paired_jackknife(participation_ratio, a, a, np.arange(400))
    assert same.value == same.low == same.high == 0
    with pytest.raises(ValueError, match="same keys"):
        paired_jackknife(participation_ratio, a, b[1:], np.arange(400))


# ---- the record --------------------------------------------------------------------------------------------------------


def test_the_coverage_shown_is_the_lowest_recorded(monkeypatch, tmp_path):
    cells = {}
    for auroc_, positive, images, held in (
        (0.6, 10, 1, 0.91),
        (0.8, 10, 1, 0.95),
        (0.6, 10, 4, 0.99),
        (0.8, 20, 1, 0.94),
        (0.8, 50, 1, 0.5),
    ):
        setting = {"positive": positive, "images": images, "auroc": auroc_}
        cells[f"auroc {setting}"] = {"setting": setting, "statistics": {"auroc": {"coverage": held}}}
    for size, images, held in ((32, 1, 0.1), (32, 4, 0.92)):
        setting = {"d": size, "N/d": 4, "images": images}
        cells[f"spectra {setting}"] = {"setting": setting, "statistics": {"offset": {"coverage": held}, "std": {"coverage": 0.95}}}
    (tmp_path / "coverage.json").write_text(json.dumps({"cells": cells}))
    monkeypatch.setattr(_coverage, "RECORD", tmp_path / "coverage.json")
    found = _coverage.measured.__wrapped__()
    assert found == {"auroc": {(10, False): 0.91, (10, True): 0.99, (20, False): 0.94}, "spectra": {(32, True): 0.92}}
    monkeypatch.setattr(_coverage, "measured", lambda: found)
    assert _coverage.shown("auroc", 19, 400, False) == (
        "few positives (19 positive, 400 negative patients); measured coverage .910 with 10",
        True,
    )
    assert ".940 with 20" in _coverage.shown("auroc", 400, 20, False)[0] and "not measured" in _coverage.shown("macro", 20, 20, False)[0]


def test_the_record_is_there_and_holds_every_regime_of_single_aurocs():
    assert set(_coverage.measured()["auroc"]) == {(10, False), (20, False), (10, True), (20, True)}
    required = [cell.key for cell in coverage.grid() if cell.required]
    assert len(required) == 60 and len(list(coverage.grid())) == 96
