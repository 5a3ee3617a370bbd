"""Retrieval against plain loops, and its chance against many random scores."""

import numpy as np
import pytest

from workbench.analysis import retrieval as module
from workbench.analysis.retrieval import ranks, retrieval
from workbench.errors import UserError


def test_a_rank_counts_what_scores_higher_and_half_of_what_ties():
    scores = np.array([[0.9, 0.5, 0.1, 0.5], [0.2, 0.2, 0.2, 0.2], [0.1, 0.9, 0.8, 0.7]])
    correct = np.array([[0, 1, 0, 0], [1, 0, 0, 0], [1, 0, 0, 1]], bool)
    np.testing.assert_array_equal(ranks(scores, correct), [2.5, 2.5, 3])


def test_recall_and_its_interval():
    draw = np.random.default_rng(0)
    n, m = 60, 23
    correct = np.zeros((n, m), bool)
    correct[np.arange(n), draw.integers(m, size=n)] = True
    correct[:25, 3:9] = True  # a text that several studies share
    scores = draw.normal(size=(n, m)) + 1.5 * correct
    patients = [str(row // 2) for row in range(n)]
    found = retrieval(scores, correct, patients)
    for k in (1, 5, 10):
        by_hand = np.mean([sorted(-row)[:k][-1] >= -max(row[own]) for row, own in zip(scores, correct)])
        each = found.recall[k]
        assert each.value == pytest.approx(by_hand) and each.low < each.value < each.high
        assert found.chance[k] < each.value
    assert (found.n, found.candidates, found.patients) == (n, m, 30)
    random = np.mean([[(ranks(draw.normal(size=(n, m)), correct) <= k).mean() for k in (1, 5, 10)] for _ in range(400)], 0)
    np.testing.assert_allclose(random, [found.chance[k] for k in (1, 5, 10)], atol=0.015)


def test_the_interval_is_over_patients_not_queries():
    """Twenty queries of each of 12 patients that agree: the interval must be wide."""
    n = 240
    correct = np.eye(n, dtype=bool)
    scores = np.where(correct, 1.0, 0.0)
    scores[: n // 2] *= -1
    found = retrieval(scores, correct, [str(row // 20) for row in range(n)], ks=(1,)).recall[1]
    assert found.value == 0.5 and found.high - found.low > 0.4


def test_what_cannot_be_said_is_said_why():
    same = np.eye(4, dtype=bool)
    few = retrieval(np.random.default_rng(0).normal(size=(4, 4)), same, list("abcd")).recall[1]
    assert few.low is None and "4 patients are too few" in few.why
    with pytest.raises(UserError, match="query 1 has no correct"):
        retrieval(np.zeros((2, 2)), np.array([[1, 0], [0, 0]]), ["a", "b"])
    with pytest.raises(UserError, match="do not fit"):
        retrieval(np.zeros((2, 2)), np.zeros((2, 3)), ["a", "b"])
    assert module.KS == (1, 5, 10)
