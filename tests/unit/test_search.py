"""Nearest rows against plain loops, what is usual, and what the answers share."""

from math import comb

import numpy as np
import pytest

from workbench.analysis import search
from workbench.analysis.search import Index, near, share_below, shared, usual
from workbench.embeddings import Embeddings
from workbench.errors import UserError

RNG = np.random.default_rng


def cosine(a, b):
    return float(np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b))


def test_the_nearest_are_those_of_a_loop_and_equal_ones_keep_their_order():
    z = RNG(0).normal(size=(61, 7)) + 0.4
    z[40] = z[11] * 3  # one direction twice
    asked = RNG(1).normal(size=(5, 7))
    rows, values = Index(z).nearest(asked, 9)
    for query, found, similarity in zip(asked, rows, values):
        expected = sorted(range(61), key=lambda row: (-round(cosine(query, z[row]), 6), row))[:9]
        assert list(found) == expected
        assert similarity == pytest.approx([cosine(query, z[row]) for row in expected], abs=1e-6)
    rows, values = Index(z).nearest(z[11], 99)
    assert list(rows[0][:2]) == [11, 40] and sorted(rows[0]) == list(range(61)), "all there are, where more are asked for"
    assert search.first(np.array([0.5, 0.5, 0.9, 0.5]), 2).tolist() == [2, 0]


def test_rows_without_a_direction_are_never_found_and_counted():
    z = RNG(2).normal(size=(12, 3))
    z[3], z[5, 1], z[8] = 0, np.nan, np.inf
    index = Index(z)
    assert index.left_out == 3 and len(index) == 9 and set(index.nearest(z[0], 12)[0][0]) == set(range(12)) - {3, 5, 8}
    with pytest.raises(UserError, match="none of 4 rows"):
        Index(np.full((4, 3), np.nan))
    for vector, told in ((np.zeros(3), "zero or not finite"), (np.ones(4), "4 dimensions among rows of 3"), (z[5], "zero or not finite")):
        with pytest.raises(UserError, match=told):
            index.nearest(vector, 2)
    with pytest.raises(UserError, match="at least one"):
        index.nearest(z[0], 0)


class Graph:
    """Knows the first half of the rows, and no more than three answers."""

    def __init__(self, unit):
        self.unit = unit[: len(unit) // 2]

    def query(self, asked, k, epsilon):
        found = np.full((len(asked), k), -1)
        found[:, :3] = np.argsort(-asked @ self.unit.T, 1)[:, 2::-1]  # not in order
        return found, None


def test_a_graph_is_asked_beyond_a_size_and_its_recall_is_measured(monkeypatch):
    monkeypatch.setattr(search, "EXACT", 40)
    z = RNG(3).normal(size=(50, 4))
    assert Index(z[:39]).exact and not Index(z).exact
    index = Index(z)
    index.__dict__["graph"] = Graph(index.unit)
    rows, values = index.nearest(z[:6], 3)
    assert (np.diff(values) <= 0).all() and list(rows[:, 0]) == list(range(6)) and rows.max() < 25
    whole, _ = index.nearest(z[:6], 5)  # the graph ends before: all rows are compared
    assert np.array_equal(whole, Index(z, exact=True).nearest(z[:6], 5)[0])
    monkeypatch.setattr(search, "AMONG", 3)
    exact, half = Index(z, exact=True), Index(z[:25], exact=True)
    expected = np.mean([len(set(exact.nearest(row, 3)[0][0]) & set(half.nearest(row, 3)[0][0])) / 3 for row in z])
    assert index.recall == pytest.approx(expected) and 0.3 < index.recall < 0.8 and exact.recall == 1


def test_near_leaves_out_who_asks():
    z = RNG(4).normal(size=(20, 5)).astype(np.float32)
    keys = tuple(f"k{row}" for row in range(20))
    held = Embeddings(z, keys, keys, "image.projected", 3, "#")
    order = sorted(range(20), key=lambda row: -cosine(z[2], z[row]))
    found = near(held, z[2], 4, leave_out=["k2", keys[order[2]]])
    assert found.keys == tuple(keys[row] for row in (order[1], *order[3:6])) and list(found.rows) == [order[1], *order[3:6]]
    assert near(held, z[2], 4, index=Index(z)).keys[0] == "k2" and len(near(held, z[2], 50).keys) == 20


def test_what_is_usual_is_of_two_patients():
    z = RNG(5).normal(size=(30, 6))
    patients = [f"p{row // 2}" for row in range(30)]
    z[1::2] = z[::2]  # a patient's films are alike: they would be everybody's best
    found = usual(z, Index(z), patients, patients)
    pairs = [cosine(z[a], z[b]) for a in range(30) for b in range(30) if a // 2 != b // 2]
    best = [max(cosine(z[a], z[b]) for b in range(30) if a // 2 != b // 2) for a in range(30)]
    assert found.pairs == pytest.approx(np.quantile(pairs, np.linspace(0, 1, 101)), abs=1e-6)
    assert found.best == pytest.approx(np.quantile(best, np.linspace(0, 1, 101)), abs=1e-6) and found.best.max() < 0.999
    assert found.best_above(max(best) + 0.01) == 1 and found.above(-1.0) == 0 and share_below(np.array([1.0, 1.0]), 1.0) == 0.5
    with pytest.raises(UserError, match="one patient"):
        usual(z, Index(z), ["p"] * 30, ["p"] * 30)


def test_shared_labels_are_held_against_drawing_without_replacement():
    labels = np.zeros((20, 3))
    labels[:6, 0], labels[4:14, 1] = 1, 1
    labels[10:, 2] = np.nan
    found = {each.label: each for each in shared(labels, [0, 1, 2, 3, 12], ("rare", "half", "unstated"))}
    tail = sum(comb(6, hits) * comb(14, 5 - hits) for hits in (4, 5)) / comb(20, 5)
    rare = found["rare"]
    assert (rare.present, rare.stated, rare.prevalence) == (4, 5, 0.3) and rare.chance == pytest.approx(3 * tail), "Holm over three labels"
    assert found["unstated"].stated == 4 and found["unstated"].chance == 1 and found["half"].chance == 1
    assert shared(labels, [0], ("rare", "half", "unstated"))[0].label == "rare"
