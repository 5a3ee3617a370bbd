"""Breaks of the retrieval scores."""

from tests.sabotage import Sabotage

TESTS = "tests/unit/test_retrieval.py"
SABOTAGES = [
    Sabotage(
        "workbench/analysis/retrieval.py",
        "0.5 * (wrong & (scores == best)).sum(1)",
        "0.0 * (wrong & (scores == best)).sum(1)",
        [f"{TESTS}::test_a_rank_counts_what_scores_higher_and_half_of_what_ties"],
        "a constant score finds everything first",
    ),
    Sabotage(
        "workbench/analysis/retrieval.py",
        "member, count = members(patients)\n    hits",
        "member, count = members(range(n))\n    hits",
        [f"{TESTS}::test_the_interval_is_over_patients_not_queries"],
        "films of one patient count as independent",
    ),
    Sabotage(
        "workbench/analysis/retrieval.py",
        "1 - comb(m - int(c), min(k, m)) / comb(m, min(k, m))",
        "min(k, m) / m",
        [f"{TESTS}::test_recall_and_its_interval"],
        "chance forgets that a text may be correct for several",
    ),
]
