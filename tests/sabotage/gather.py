"""Breaks of the exchange between processes that a test must notice."""

from tests.sabotage import Sabotage

TARGET, TEST = "workbench/nn/gather.py", "tests/unit/test_gather.py"
EQUAL = f"{TEST}::test_two_processes_equal_one"
SABOTAGES = [
    Sabotage(TARGET, "        dist.all_reduce(gradient)\n", "", [f"{EQUAL}[3 and 5 rows]"], "keeps only its own loss's gradient"),
    Sabotage(
        TARGET,
        "[dist.get_rank()]",
        "[0].new_zeros(context.sizes[dist.get_rank()], gradient.shape[1])",
        [f"{EQUAL}[3 and 5 rows]"],
        "detached",
    ),
    Sabotage(
        TARGET,
        "dist.all_reduce(gradient)",
        "dist.all_reduce(gradient, op=dist.ReduceOp.AVG if dist.get_backend() == 'nccl' else dist.ReduceOp.MAX)",
        [f"{EQUAL}[3 and 5 rows]"],
        "another reduction than the sum",
    ),
    Sabotage(
        TARGET, "part[:size] for part", "part for part", [f"{EQUAL}[3 and 5 rows]", f"{EQUAL}[0 and 8 rows]"], "padding taken for rows"
    ),
]
