"""Breaks of the comparison of looks that a test must notice."""

from tests.sabotage import Sabotage

UNIT = "tests/unit/test_across.py"
ACROSS = "workbench/analysis/across.py"
LOST, TWO, ALONE = (
    f"{UNIT}::test_a_lost_direction_is_a_difference_with_an_interval_below_zero_and_noise_is_none",
    f"{UNIT}::test_two_runs_are_compared_at_one_step_and_the_second_less_the_first",
    f"{UNIT}::test_a_run_alone_is_compared_with_its_first_look",
)
SABOTAGES = [
    Sabotage(ACROSS, "float(of(z)), a.features, b.features, a.patients", "float(of(z)), b.features, a.features, a.patients", [LOST, TWO], "first less second"),
    Sabotage(ACROSS, "if short is not None and name in RANKS:", "if False:", [f"{UNIT}::test_too_few_rows_or_patients_withhold_the_interval_and_say_why"], "ranks of few rows get an interval"),
    Sabotage(ACROSS, "if a.keys != b.keys or", "if set(a.keys) != set(b.keys) or", [f"{UNIT}::test_runs_on_other_studies_an_unknown_measure_and_no_look_are_refused"], "the order of studies is not checked"),
    Sabotage(ACROSS, "with_feature(one, feature)[0]) if same", "with_feature(one, feature)[-1]) if same", [ALONE], "a run is compared with its last look"),
    Sabotage(ACROSS, "measure, list(columns.values()) if", "measure, list(columns.values())[::-1] if", [TWO], "columns reversed"),
    Sabotage(ACROSS, "np.linspace(0, len(steps) - 1, most)", "np.linspace(0, len(steps) - 2, most)", [f"{UNIT}::test_looks_are_thinned_evenly_with_both_ends"], "the last look is left out"),
]  # fmt: skip
