"""Breaks of prevalence and co-occurrence that a test must notice."""

from tests.sabotage import Sabotage

TARGET, TESTS = "workbench/analysis/prevalence.py", "tests/unit/test_prevalence.py"
SABOTAGES = [
    Sabotage(TARGET, "both / of, present", "both.T / of.T, present", [f"{TESTS}::test_pairs_are_conditional_on_the_row"], "transposed"),
    Sabotage(
        TARGET,
        "present.T @ stated\n",
        "present.T @ np.ones_like(stated)\n",
        [f"{TESTS}::test_pairs_are_conditional_on_the_row"],
        "not stated counts as absent",
    ),
    Sabotage(
        TARGET,
        "len(set(who[known][present])),",
        "int(present.sum()),",
        [f"{TESTS}::test_shares_count_studies_and_patients_that_state_it"],
        "studies counted as patients",
    ),
    Sabotage(
        TARGET,
        "share_interval(present, who[known])",
        "share_interval(present, np.arange(len(present)))",
        [f"{TESTS}::test_shares_count_studies_and_patients_that_state_it"],
        "films of one patient count as independent",
    ),
]
