"""Ranks, precision and hubs of two towers against plain loops; chance against random order."""

import numpy as np
import pytest

from workbench.analysis import hubs, ranking
from workbench.analysis.ranking import Rows, way, ways, whole
from workbench.analysis.retrieval import listed, median_by_chance, median_rank, ranks, same_labels
from workbench.analysis.retrieved import BACK, FORTH, WITHIN, beside, extremes, of_set
from workbench.errors import UserError

RNG = np.random.default_rng
NAMES = ("up", "down", "odd")


def rows(n=43, d=5, seed=0):
    """Pairs that lie near each other; texts that several say, films of one patient, labels not stated everywhere, vectors that are equal."""
    draw = RNG(seed)
    x = draw.normal(size=(n, d))
    y = x + 0.7 * draw.normal(size=(n, d))
    texts = np.arange(n)
    texts[10:14], y[10:14] = 10, y[10]
    y[20] = y[30]  # two texts, one vector
    labels = (draw.random((n, 3)) < 0.4).astype(float)
    labels[5:9, 1], labels[7] = np.nan, np.nan
    return Rows(x, y, texts, labels, np.array([f"p{row // 2}" for row in range(n)]))


def unit(z):
    return z / np.linalg.norm(z, axis=1, keepdims=True)


def agree(a, b):
    both = [(p, q) for p, q in zip(a, b) if not np.isnan(p) and not np.isnan(q)]
    return bool(both) and all(p == q for p, q in both)


def by_hand(cosine, right, k):
    """Precision over every order of equal scores: the mean over many shuffles is too slow, so equal ones share the places left."""
    total = []
    for row in range(len(cosine)):
        open_ = [c for c in range(cosine.shape[1]) if np.isfinite(cosine[row, c])]
        edge = sorted((cosine[row, c] for c in open_), reverse=True)[k - 1]
        above = [c for c in open_ if cosine[row, c] > edge + 1e-12]
        level = [c for c in open_ if abs(cosine[row, c] - edge) <= 1e-12]
        total.append((sum(right[row][c] for c in above) + (k - len(above)) * np.mean([right[row][c] for c in level])) / k)
    return np.array(total)


@pytest.mark.parametrize("name", [FORTH, BACK, WITHIN])
def test_every_number_of_a_direction_is_that_of_loops(name, monkeypatch):
    monkeypatch.setattr(ranking, "BLOCK", 16)
    held = rows()
    n = len(held.images)
    a, b = {FORTH: (held.images, held.reports), BACK: (held.reports, held.images), WITHIN: (held.images, held.images)}[name]
    cosine = unit(a) @ unit(b).T
    if name == WITHIN:
        cosine[held.patients[:, None] == held.patients] = -np.inf
    found = way(name, held, NAMES, resamples=60)
    right = [[agree(held.labels[i], held.labels[j]) and np.isfinite(cosine[i, j]) for j in range(n)] for i in range(n)]
    told = np.isfinite(held.labels).any(1)
    for k in (1, 5, 10):
        precision = by_hand(cosine, right, k)
        assert found.at("class", k).interval.value == pytest.approx(precision[told].mean())
        level = [np.mean([right[i][j] for j in range(n) if np.isfinite(cosine[i, j])]) for i in range(n) if told[i]]
        assert found.at("class", k).chance == pytest.approx(np.mean(level))
    if name != WITHIN:
        same = held.texts[:, None] == held.texts
        assert found.rank == pytest.approx(ranks(np.round(cosine, 12), same)) and found.at("median rank").interval.value == np.median(
            found.rank
        )
        alone = ranks(np.round(cosine, 12), np.eye(n, dtype=bool))
        for k in (1, 5, 10):
            assert found.at("recall", k).interval.value == pytest.approx(np.mean(found.rank <= k))
            assert found.at("own", k).interval.value == pytest.approx(np.mean(alone <= k))
            assert found.at("own", k).interval.value <= found.at("recall", k).interval.value
            assert found.at("pair", k).interval.value == pytest.approx(by_hand(cosine, same, k).mean())
            assert found.at("own", k).chance == pytest.approx(k / n) and k / n < found.at("recall", k).chance
        assert found.own == pytest.approx(cosine.diagonal())
    else:
        assert np.isnan(found.rank).all() and found.at("recall", 1) is None
    up = next(each for each in found.labels if each.label == "up")
    asks = held.labels[:, 0] == 1
    has = np.tile(held.labels[:, 0] == 1, (n, 1))
    assert up.queries == asks.sum() and up.interval.value == pytest.approx(by_hand(cosine, has, 5)[asks].mean())
    lists = np.argsort(-np.round(cosine, 12), 1, kind="stable")[:, :10]
    count = np.bincount(lists.ravel(), minlength=n)
    assert np.array_equal(found.count, count) and np.array_equal(found.best, lists[:, 0]) and found.top == pytest.approx(cosine.max(1))
    assert found.at("skewness", 10).interval.value == pytest.approx(np.mean((count - 10) ** 3) / np.mean((count - 10) ** 2) ** 1.5)


def test_unrelated_towers_are_at_chance_and_the_untrained_stand_beside():
    draw = RNG(3)
    n = 240
    found, texts = [], np.arange(n) // 2  # every text twice
    for _ in range(12):
        held = Rows(draw.normal(size=(n, 6)), draw.normal(size=(n, 6)), texts, (draw.random((n, 2)) < 0.3) * 1.0, np.arange(n).astype(str))
        found.append(ways(held, NAMES[:2], 0))
    for place in range(3):
        for score in found[0][place].scores:
            if score.kind in ("recall", "own", "class", "pair"):
                values = [each[place].at(score.kind, score.k).interval.value for each in found]
                assert np.mean(values) == pytest.approx(score.chance, abs=max(0.012, 0.12 * score.chance)), score
    medians = [each[0].at("median rank").interval.value for each in found]
    assert np.mean(medians) == pytest.approx(found[0][0].at("median rank").chance, rel=0.1)
    skewness = np.mean([each[0].at("skewness", 10).interval.value for each in found])
    assert skewness == pytest.approx(found[0][0].at("skewness", 10).chance, abs=0.15)
    both = beside(found[0], found[1])
    assert both[0].at("recall", 5).untrained == found[1][0].at("recall", 5).interval.value
    assert both[2].labels[0].untrained == found[1][2].labels[0].interval.value and found[0][0].at("recall", 5).interval.why


def test_the_median_rank_and_its_chance():
    assert median_by_chance(np.array([1]), 9) == 5 and median_by_chance(np.full(4, 9), 9) == 1
    draw = RNG(0)
    many = [1 + np.sort(draw.permutation(50)[:3])[0] for _ in range(20000)]
    assert median_by_chance(np.full(5, 3), 50) == pytest.approx(np.median(many), abs=1)
    inside = 0
    for seed in range(150):  # four films of a patient share a shift: the interval must know
        shift = np.repeat(RNG(seed).normal(size=40), 4)
        found = median_rank(
            np.round(np.exp(shift + 0.3 * RNG(seed + 1000).normal(size=160)) * 20) + 1, np.repeat(np.arange(40), 4).astype(str)
        )
        inside += found.low <= 21 <= found.high
    assert inside / 150 > 0.89
    assert "3 patients are too few" in median_rank(np.arange(3), list("abc")).why


def test_equal_scores_share_the_places_left():
    weight = listed(np.array([[3.0, 2, 2, 2, -np.inf], [1, 1, 1, 1, 1]]), 2)
    assert weight == pytest.approx(np.array([[1, 1 / 3, 1 / 3, 1 / 3, 0], [0.4] * 5]))
    labels = np.array([[1, 0, np.nan], [1, np.nan, 1], [np.nan] * 3, [0, 0, 1]])
    assert same_labels(labels, labels).tolist() == [[agree(a, b) for b in labels] for a in labels]


def test_who_cannot_be_compared_is_left_out(monkeypatch):
    x, y = np.ones((6, 2)), np.ones((6, 2))
    x[1], y[2], texts = np.nan, 0, ["a", "b", "c", "", "e", "f"]
    assert whole(x, y, texts).tolist() == [0, 4, 5] and whole(x, None, texts).tolist() == [0, 2, 3, 4, 5]
    monkeypatch.setattr(ranking, "MOST", 3)
    assert whole(x, None, texts).tolist() == [0, 3, 5]
    with pytest.raises(UserError, match="0 of 6 studies have finite vectors and a report"):
        whole(x * np.nan, y, texts)


def test_hubs_of_a_star_and_of_isotropic_clouds():
    lists = np.full((20, 2), 0)
    lists[:, 1] = np.arange(20)
    count = hubs.occurrences(np.where(lists == 19, -1, lists), 20)
    assert count[0] == 21 and count[19] == 0 and count[1:19].tolist() == [1] * 18
    found = hubs.hubs(count)
    assert (found.share, found.taken, found.never) == (0.05, 21 / 39, 0.05) and found.skewness > 3
    draw, skewness = RNG(0), []
    for _ in range(20):
        z = unit(draw.normal(size=(120, 4)))
        nearest = np.argsort(-(z @ z.T - 9 * np.eye(120)), 1)[:, :10]
        skewness.append(hubs.hubs(hubs.occurrences(nearest, 120)).skewness)
    assert hubs.isotropic(120, 120, 4, 10, True).skewness == pytest.approx(np.mean(skewness), abs=0.12)
    z = unit(draw.normal(size=(90, 8)))
    cosine = z @ z.T - 9 * np.eye(90)
    longer = np.argsort(-cosine, 1)[:, :40]
    patients = [f"p{row // 3}" for row in range(90)]
    value = hubs.hubs(hubs.occurrences(longer[:, :10], 90)).skewness
    inside = hubs.interval(longer, 10, patients, value)
    assert inside.low < value < inside.high
    assert "a few hubs decide it" in hubs.interval(longer, 10, patients, 2.6).why
    gone = np.arange(90) < 9
    kept = np.argsort(-cosine[9:, 9:], 1)[:, :10]
    again = np.bincount(kept.ravel(), minlength=81)
    assert hubs.without_group(longer, gone, 10) == pytest.approx(np.mean((again - 10) ** 3) / np.mean((again - 10) ** 2) ** 1.5)
    assert "5 patients, fewer" in hubs.interval(longer, 10, [f"p{row % 5}" for row in range(90)], value).why


def test_the_worst_and_the_best_queries():
    found = way(FORTH, rows(), NAMES, 0)
    worst, best = extremes(found, 3)
    assert [found.rank[row] for row in worst] == sorted(found.rank, reverse=True)[:3]
    assert all(found.rank[row] == 1 for row in best) and list(found.own[best]) == sorted(found.own[found.rank == 1], reverse=True)[:3]


def test_a_sets_queries_are_counted_beside_the_others_among_all_candidates():
    held = rows(n=60)
    found, inside = way(FORTH, held, NAMES, resamples=0), np.arange(60) % 3 == 0
    one, other = of_set(found, inside, list(held.patients), k=5)
    assert one.value == pytest.approx(np.mean(found.rank[inside] <= 5)) and other.value == pytest.approx(np.mean(found.rank[~inside] <= 5))
    assert one.low < one.value < one.high and "20 patients" in one.procedure
    assert of_set(found, np.ones(60, bool), list(held.patients)) is None
