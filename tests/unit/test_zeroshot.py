"""The prompt rule: cosine to what is said minus cosine to its denial, averaged over templates."""

import numpy as np
import pytest

from workbench.analysis.statistics import auroc, auroc_interval
from workbench.analysis.zeroshot import Studies, class_scores, exchanged, judge, probabilities, scores, unit

RNG = np.random.default_rng


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def prompts(counts, d=6, seed=1):
    return [RNG(seed + place).normal(size=(count, d)) for place, count in enumerate(counts)]


def test_the_difference_of_mean_cosines_template_by_template():
    image, positive, negative = RNG(0).normal(size=(9, 6)), prompts((3, 1)), prompts((2, 4), seed=8)
    found = scores(image, positive, negative)
    expected = [
        [np.mean([cosine(z, p) for p in positive[k]]) - np.mean([cosine(z, p) for p in negative[k]]) for k in range(2)] for z in image
    ]
    assert found == pytest.approx(np.array(expected), abs=1e-12) and found.shape == (9, 2)


def test_lengths_do_not_count_and_sides_are_opposed():
    image, positive, negative = RNG(0).normal(size=(9, 6)), prompts((3, 2)), prompts((3, 2), seed=8)
    reference = scores(image, positive, negative)
    long = [side * RNG(3).uniform(0.1, 9, size=(len(side), 1)) for side in positive]
    assert scores(4 * image, long, negative) == pytest.approx(reference, abs=1e-12)
    assert scores(image, negative, positive) == pytest.approx(-reference, abs=1e-12)
    assert scores(image, positive, positive) == pytest.approx(np.zeros((9, 2)), abs=1e-12)
    assert np.all(unit(np.zeros((2, 3))) == 0)


def test_the_denial_removes_what_both_prompts_share():
    """Images vary most along a direction both prompts name; the positive prompt alone ranks by it."""
    draw = RNG(4)
    y = np.arange(400) % 2
    image = np.c_[draw.normal(size=400) * 5, 0.8 * y + draw.normal(size=400) * 0.5, np.full(400, 3.0)]
    positive, negative = [np.array([[1.0, 0.3, 0]])], [np.array([[1.0, -0.3, 0]])]
    alone = unit(image) @ unit(positive[0])[0]
    assert auroc(scores(image, positive, negative)[:, 0], y) > auroc(alone, y) + 0.1


def test_every_label_needs_both_sides():
    with pytest.raises(ValueError, match="2 labels with positive prompts, 1 with negative"):
        scores(np.ones((3, 6)), prompts((1, 1)), prompts((1,)))


def drawn(n=240, k=3, seed=0, first=0, lift=1.0, shift=0.0):
    """Studies of k findings: scores rise by `lift` where present; two rows a patient."""
    draw = RNG(seed)
    labels = (draw.random((n, k)) < np.linspace(0.25, 0.5, k)).astype(float)
    found = lift * labels + 0.8 * draw.normal(size=(n, k)) + shift
    names = tuple(f"study-{first + row}" for row in range(n))
    return Studies(found, labels, names, tuple(f"patient-{(first + row) // 2}" for row in range(n)), first + np.arange(n))


def test_classes_are_scored_by_their_own_prompts_and_softmax():
    image, own = RNG(0).normal(size=(9, 6)), prompts((3, 1, 2, 4))
    found = class_scores(image, own)
    assert found == pytest.approx(np.array([[np.mean([cosine(z, p) for p in side]) for side in own] for z in image]), abs=1e-12)
    p = probabilities(found, "classes", 0.5)
    assert p == pytest.approx(np.exp(found / 0.5) / np.exp(found / 0.5).sum(1, keepdims=True)) and p.sum(1) == pytest.approx(np.ones(9))
    pair = probabilities(found, "findings", 0.5)
    assert pair == pytest.approx(np.exp(found / 0.5) / (1 + np.exp(found / 0.5))), "softmax over a positive and a negative prompt"


def test_thresholds_and_maps_come_from_validation_and_judge_the_other_split():
    validation, test = drawn(seed=1, shift=0.0), drawn(seed=2, first=900, shift=0.6)
    found = judge("abc", test, validation, "test", 7, temperature=0.3, resamples=0)
    again = judge("abc", drawn(seed=5, first=900), validation, "test", 7, resamples=0)
    assert found.thresholds == pytest.approx(again.thresholds), "what is judged has no say in where it is cut"
    for label in range(3):
        called = test.scores[:, label] >= found.thresholds[label]
        y = test.labels[:, label] > 0.5
        rates = (found.sensitivity[label].value, found.specificity[label].value, found.accuracy[label].value)
        assert rates == pytest.approx((called[y].mean(), 1 - called[~y].mean(), (called == y).mean()))
        assert found.auroc[label] == auroc_interval(test.scores[:, label], test.labels[:, label], test.patients)
    assert found.specificity[0].value < 0.6, "the test scores are shifted up; the cut is not"
    assert found.fitted.mean(0)[0] > test.labels.mean(0)[0], "so is the map"
    assert found.macro_accuracy.value == pytest.approx(np.mean([each.value for each in found.accuracy])) and not found.crossfitted


def test_on_validation_itself_the_cut_comes_from_other_patients():
    noise = drawn(n=60, k=1, seed=3, lift=0.0)
    found = judge("a", noise, noise, "val", 7, resamples=0)
    at = judge("a", drawn(seed=4, k=1, first=900), noise, "test", 7, resamples=0).thresholds[0]  # the cut of all of them
    own = (noise.scores[:, 0] >= at) == (noise.labels[:, 0] > 0.5)
    youden = found.sensitivity[0].value + found.specificity[0].value
    called, y = noise.scores[:, 0] >= at, noise.labels[:, 0] > 0.5
    assert found.crossfitted and youden < called[y].mean() + 1 - called[~y].mean(), own.mean()
    assert found.auroc[0].value == pytest.approx(auroc(noise.scores[:, 0], noise.labels[:, 0]))


def test_classes_keep_the_studies_of_exactly_one_and_the_largest_decides():
    studies, validation = drawn(seed=1), drawn(seed=2, first=900)
    found = judge("abc", studies, validation, "test", 7, "classes", temperature=0.5, resamples=0)
    one = studies.labels.sum(1) == 1
    assert (len(found.studies.keys), found.left_out) == (one.sum(), (~one).sum()) and found.studies.indices.tolist() == np.flatnonzero(
        one
    ).tolist()
    right = studies.scores[one].argmax(1) == studies.labels[one].argmax(1)
    assert found.macro_accuracy.value == pytest.approx(right.mean()) and np.isnan(found.thresholds).all()
    recall = [(studies.scores[one].argmax(1) == label)[studies.labels[one][:, label] > 0.5].mean() for label in range(3)]
    assert [each.value for each in found.sensitivity] == pytest.approx(recall)
    p = probabilities(studies.scores[one], "classes", 0.5)
    assert found.auroc[1].value == pytest.approx(auroc(p[:, 1], studies.labels[one][:, 1]))


def test_exchanged_prompts_read_chance_where_findings_are_independent():
    studies = drawn(n=600, k=4, lift=2.0)
    control = exchanged(studies.scores, studies.labels)
    assert all(abs(each - 0.5) < 0.06 for each in control) and auroc(studies.scores[:, 0], studies.labels[:, 0]) > 0.9
    tied = np.repeat(studies.labels[:, :1], 4, 1)
    assert min(exchanged(studies.scores, tied)[1:]) > 0.5, "a label that always comes along is read from its neighbour's prompt"
    expected = np.mean([auroc(studies.scores[:, other], studies.labels[:, 1]) for other in (2, 3, 0)])
    assert control[1] == pytest.approx(expected) and np.isnan(exchanged(studies.scores[:, :1], studies.labels[:, :1])[0])


def test_the_worst_are_the_highest_without_and_the_lowest_with():
    studies, validation = drawn(n=40), drawn(seed=2, first=900)
    found = judge("abc", studies, validation, "test", 7, resamples=0)
    high, low = found.worst(1, 4)
    y, s = studies.labels[:, 1] > 0.5, studies.scores[:, 1]
    assert sorted(s[high], reverse=True) == list(s[high]) and not y[high].any() and s[high[-1]] >= np.sort(s[~y])[-4]
    assert sorted(s[low]) == list(s[low]) and y[low].all() and s[low[-1]] <= np.sort(s[y])[3]


def test_the_table_has_a_row_a_label_and_the_macro_last():
    found = judge("abc", drawn(), drawn(seed=2, first=900), "test", 7)
    rows = found.rows()
    assert [row["label"] for row in rows] == ["a", "b", "c", "macro"] and len({tuple(row) for row in rows}) == 1
    assert (
        rows[0]["auroc low"] < rows[0]["auroc"] < rows[0]["auroc high"] and rows[3]["average precision low"] < rows[3]["average precision"]
    )
    assert rows[0]["positive"] + rows[0]["negative"] == 240 and rows[0]["prevalence"] == pytest.approx(rows[0]["positive"] / 240)
    assert rows[0]["majority"] == pytest.approx(max(rows[0]["prevalence"], 1 - rows[0]["prevalence"]))


def test_few_studies_or_one_sided_validation_are_counts_and_no_error():
    tiny = drawn(n=6)
    found = judge("abc", tiny, drawn(n=4, seed=2, first=900, k=3), "test", 7)
    assert all(each.low is None for each in (*found.auroc, *found.precision, *found.accuracy, found.macro_auroc, found.macro_accuracy))
    sided = drawn(seed=2, first=900)
    sided.labels[:, 0] = 0
    found = judge("abc", drawn(), sided, "test", 7, resamples=0)
    assert np.isnan(found.thresholds[0]) and np.isnan(found.accuracy[0].value) and found.auroc[0].low is not None
    assert np.isnan(found.fitted[:, 0]).all() and np.isfinite(found.fitted[:, 1]).all()
