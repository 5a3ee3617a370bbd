"""The prompt rule: cosine to what is said minus cosine to its denial, averaged over templates."""

import numpy as np
import pytest

from workbench.analysis.statistics import auroc
from workbench.analysis.zeroshot import scores, unit

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
