"""Breaks of the intervals that a test must notice."""

from tests.sabotage import Sabotage

AUROC, JACKKNIFE, COVERAGE = (f"workbench/analysis/{name}.py" for name in ("_auroc", "_jackknife", "_coverage"))
TEST = "tests/unit/test_statistics.py::test_"


def broken(target: str, find: str, replace: str, why: str, *tests: str) -> Sabotage:
    return Sabotage(target, find, replace, [TEST + test for test in tests], why)


SABOTAGES = [
    broken(AUROC, "m * (m + 1) / 2", "m * m / 2", "counts a positive against itself", "auroc_counts_pairs_and_half_ties"),
    broken(
        AUROC,
        "if sign > 0 else 1 - below",
        "if sign > 0 else below",
        "negatives placed upside down",
        "placements_are_the_rows_and_columns_of_the_pairs",
    ),
    broken(
        AUROC,
        "own = np.bincount(member, np.where(positive, influence, 0), patients) / m",
        "own = np.bincount(member, np.where(positive, influence, 0), patients) / n",
        "the classes' counts swapped",
        "with_one_row_a_patient_the_interval_is_delong_on_the_logit",
    ),
    broken(
        AUROC, "+ 2 * both", "- 2 * both", "covariance with the wrong sign", "a_patient_in_both_classes_narrows_or_widens_by_the_covariance"
    ),
    broken(
        AUROC,
        "return len(np.unique(member[positive])), len(np.unique(member[~positive]))",
        "return int(positive.sum()), int((~positive).sum())",
        "counts rows, not patients",
        "under_ten_patients_only_counts",
        "four_copies_of_every_row_carry_no_information",
    ),
    broken(
        AUROC,
        "reach = quantile * np.sqrt(variance) / (value * (1 - value))",
        "reach = quantile * np.sqrt(variance)",
        "forgets the slope of the logit",
        "with_one_row_a_patient_the_interval_is_delong_on_the_logit",
    ),
    broken(AUROC, "3**-0.5", "3**0.5", "another correlation", "binormal_variance_is_that_of_simulated_scores"),
    broken(AUROC, "(m + n - 2)", "(m + n)", "counts a row with itself", "binormal_variance_is_that_of_simulated_scores"),
    broken(
        AUROC,
        "auroc(b, positive) - auroc(a, positive)",
        "auroc(a, positive) - auroc(b, positive)",
        "a minus b",
        "a_pair_is_compared_on_the_same_patients",
    ),
    broken(
        AUROC,
        "placements(b, positive) - placements(a, positive) - value",
        "placements(b, positive) - auroc(b, positive)",
        "an interval of b alone",
        "a_pair_is_compared_on_the_same_patients",
    ),
    broken(
        AUROC,
        "below[self.first] + below[self.last]",
        "below[self.first] + below[self.first]",
        "ties lost",
        "a_weighted_auroc_is_that_of_repeated_rows",
    ),
    broken(
        AUROC,
        "if rarer[k] >= FEW",
        "if rarer[k] >= 1",
        "takes labels of nine patients",
        "macro_is_the_mean_over_labels_with_ten_patients_of_each_class",
    ),
    broken(
        AUROC,
        "        good = np.isfinite(values)",
        "        good = np.ones(len(values), bool)",
        "keeps draws without a class",
        "a_draw_that_loses_a_class_is_drawn_again_and_counted",
    ),
    broken(AUROC, 'rng(seed, "bootstrap", 0, count)', 'rng(0, "bootstrap", 0, count)', "one seed for all", "a_seed_is_a_result"),
    broken(AUROC, "(6 * spread**1.5)", "(-6 * spread**1.5)", "skew turned round", "bca_shifts_with_bias_and_skew"),
    broken(AUROC, "ndtr(bias + (bias + z)", "ndtr((bias + z)", "half the bias", "bca_shifts_with_bias_and_skew"),
    broken(
        COVERAGE, "several] >= LEAST", "several] <= LEAST", "shows the poor ones", "few_patients_are_flagged_with_their_measured_coverage"
    ),
    broken(COVERAGE, "regime.get(at, 1.0), *(", "*(", "the last coverage, not the lowest", "the_coverage_shown_is_the_lowest_recorded"),
    broken(
        COVERAGE,
        "patients <= fewer",
        "patients >= fewer",
        "takes the coverage of more patients",
        "few_patients_are_flagged_with_their_measured_coverage",
    ),
    broken(
        COVERAGE,
        "count <= patients), d",
        "count >= patients), d",
        "that of more patients",
        "a_spectral_interval_of_few_patients_names_the_coverage_measured_for_them",
    ),
    broken(
        JACKKNIFE,
        "    return part[member]",
        "    return np.arange(len(member)) % n_groups",
        "tears patients apart",
        "groups_hold_whole_patients_and_equal_shares",
        "images_of_one_patient_are_not_independent",
    ),
    broken(
        JACKKNIFE,
        "np.argsort(-count[shuffled]",
        "np.argsort(count[shuffled]",
        "deals the smallest first",
        "groups_hold_whole_patients_and_equal_shares",
    ),
    broken(
        JACKKNIFE,
        "/ (share - 1), 0)",
        "/ share, 0)",
        "groups counted as if none were left out",
        "of_a_mean_it_is_the_t_interval_over_groups",
    ),
    broken(
        JACKKNIFE,
        "share = n / size",
        "share = np.full_like(size, g)",
        "groups taken as equal",
        "a_bias_that_falls_with_the_number_of_rows_is_no_variance",
    ),
    broken(JACKKNIFE, "stdtrit(n_groups - 1", "stdtrit(1e9", "normal instead of t", "of_a_mean_it_is_the_t_interval_over_groups"),
    broken(
        JACKKNIFE,
        "first - 0.6 * evenness * second",
        "first - 0.0 * evenness * second",
        "no correction",
        "the_second_order_part_of_an_even_cloud_is_taken_off",
    ),
    broken(
        JACKKNIFE, "+ (n - size[a] - size[b]) * two", "+ n * two", "another second difference", "orders_of_a_statistic_without_first_order"
    ),
    broken(
        JACKKNIFE, "second / first - 0.2", "second / first + 0.2", "calls every cloud even", "evenness_is_high_for_an_isotropic_cloud_only"
    ),
    broken(JACKKNIFE, "kurtosis > HEAVY", "kurtosis > 1e9", "never withholds", "withheld_with_the_reason"),
    broken(
        JACKKNIFE,
        "norms = np.linalg.norm(rows - rows.mean(0), axis=1)",
        "norms = np.linalg.norm(rows - rows.mean(0), axis=0)",
        "norms of columns",
        "kurtosis_of_row_norms",
    ),
    broken(
        JACKKNIFE,
        "float(statistic(b[kept])) - float(statistic(a[kept]))",
        "float(statistic(a[kept])) - float(statistic(b[kept]))",
        "a minus b",
        "a_difference_of_two_checkpoints_is_tighter_than_two_intervals",
    ),
]
