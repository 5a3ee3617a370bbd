"""Breaks of ranks, scale and offset that a test must notice."""

from tests.sabotage import Sabotage

TARGET, RANKS, TEST = "workbench/analysis/collapse.py", "workbench/analysis/_ranks.py", "tests/unit/test_collapse.py::test_"


def broken(find: str, replace: str, why: str, *tests: str, target: str = TARGET) -> Sabotage:
    return Sabotage(target, find, replace, [TEST + test for test in tests], why)


SABOTAGES = [
    broken(
        "np.exp(-np.sum(share * np.log(share))))\n\n\ndef ratio",
        "np.exp(-np.sum(share * np.log(share + 1e-5))))\n\n\ndef ratio",
        "an epsilon in the rank",
        "closed_forms",
        target=RANKS,
    ),
    broken(
        "ratio(values.sum() ** 2, np.sum(values**2))",
        "ratio(values.sum() ** 2, np.sum(values))",
        "squares lost",
        "closed_forms",
        "ranks_ignore_scale_rotation_and_order",
        target=RANKS,
    ),
    broken("ratio(values.sum(), values.max())", "ratio(values.max(), values.sum())", "upside down", "closed_forms", target=RANKS),
    broken(
        '"effective_rank": exp_entropy(np.sqrt(centred))',
        '"effective_rank": exp_entropy(centred)',
        "eigenvalues for singular values",
        "a_look_says_the_same_as_each_function",
    ),
    broken(
        '"uncentred_rank": exp_entropy(np.sqrt(uncentred))',
        '"uncentred_rank": exp_entropy(np.sqrt(centred))',
        "centred for uncentred",
        "a_point_with_noise_alarms_in_scale_and_offset_though_its_centred_rank_is_full",
    ),
    broken(
        "np.sqrt(found.variance / found.d)",
        "np.sqrt(found.variance)",
        "not a mean over columns",
        "a_look_says_the_same_as_each_function",
        "a_point_with_noise_alarms_in_scale_and_offset_though_its_centred_rank_is_full",
    ),
    broken(
        '"offset": ratio(square, square + found.variance)',
        '"offset": ratio(found.variance, square + found.variance)',
        "one minus the offset",
        "a_look_says_the_same_as_each_function",
    ),
    broken(
        "return mean_rank(statistic, n - 1, d)",
        "return float(d)",
        "the width for a ceiling",
        "the_ceiling_is_what_an_isotropic_cloud_reaches",
    ),
    broken(
        "return self.n < ENOUGH * self.d",
        "return self.n < self.d",
        "four times too few rows pass",
        "below_four_rows_a_dimension_ranks_have_no_interval",
    ),
    broken(
        "seen(each.eigenvalues(True), share), seen(each.eigenvalues(False), share)",
        "seen(each.eigenvalues(False), share), seen(each.eigenvalues(True), share)",
        "leave-outs swapped",
        "a_look_says_the_same_as_each_function",
    ),
    broken(
        "evenness = 0.0 if few else parts.evenness()",
        "evenness = 0.0",
        "no correction of an even cloud",
        "an_even_cloud_gets_the_same_corrected_interval_both_ways",
    ),
    broken(
        'not few or name in ("feature_std", "offset")',
        "True",
        "ranks of too few rows get an interval",
        "below_four_rows_a_dimension_ranks_have_no_interval",
    ),
    broken(
        '"effective_rank" if centred else "uncentred_rank", centred)',
        '"effective_rank" if centred else "uncentred_rank", True)',
        "always centred",
        "closed_forms_off_the_origin",
    ),
    broken("+ 1e-7", "+ 1e-3", "another epsilon", "closed_forms_off_the_origin"),
    broken(
        "return reading(z, formula, centred=False)",
        "return reading(z, formula, centred=True)",
        "RankMe centred",
        "closed_forms_off_the_origin",
    ),
    broken("return float(-np.polyfit(", "return float(np.polyfit(", "a rising spectrum", "alpha_req_is_the_exponent_of_a_power_law"),
    broken(
        "(participation(found) - 1) / (rows.shape[1] - 1)",
        "participation(found) / rows.shape[1]",
        "not rescaled",
        "isoscore_as_published",
        "a_line_alarms_in_every_rank",
    ),
    broken("mean = (total - n) / (n * (n - 1))", "mean = total / n**2", "a row paired with itself", "pairs_on_the_sphere"),
    broken("np.exp(-t * np.sum((rows[first]", "np.exp(t * np.sum((rows[first]", "sign of drawn pairs", "pairs_on_the_sphere"),
    broken("np.mean(np.sum((a - b) ** 2, 1))", "np.mean((a - b) ** 2)", "mean over columns", "pairs_on_the_sphere"),
    broken("np.linalg.norm(a.mean(0) - b.mean(0))", "np.linalg.norm(a.mean(0) + b.mean(0))", "sum of the means", "pairs_on_the_sphere"),
    broken(
        "float(np.sqrt(moments(rows).variance / rows.shape[1]))",
        "float(np.std(rows.astype(np.float64)))",
        "spread of columns counted as spread of rows",
        "closed_forms_off_the_origin",
        "scale_follows_scale_and_centred_ranks_ignore_the_mean",
    ),
    broken(
        "return Reading(ratio(square, square + found.variance)",
        "return Reading(ratio(square, found.variance)",
        "may exceed 1",
        "closed_forms_off_the_origin",
    ),
]
