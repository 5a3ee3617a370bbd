"""Two towers: closed forms, brute force, and what closing the gap does."""

import numpy as np
import pytest

from workbench.analysis.collapse import alignment, modality_gap
from workbench.analysis.modality import (
    AMOUNTS,
    WALK,
    close_gap,
    closing,
    cross_spectrum,
    gap_share,
    gap_walk,
    principal_angles,
    relative_gap,
    separability,
)
from workbench.analysis.retrieval import retrieval
from workbench.analysis.statistics import macro_auroc_interval
from workbench.analysis.zeroshot import scores

RNG = np.random.default_rng


def unit(z):
    return z / np.linalg.norm(z, axis=1, keepdims=True)


def towers(n=60, d=6, noise=0.5, apart=2.0, seed=0):
    """Images and texts of the same studies, the texts moved along one direction."""
    draw = RNG(seed)
    x = draw.normal(size=(n, d))
    return x, x + noise * draw.normal(size=(n, d)) + apart * np.eye(d)[0]


def test_the_share_of_the_gap_in_closed_form():
    a, b = map(unit, towers())
    pooled = np.concatenate([a, b])
    between = np.sum((a.mean(0) - b.mean(0)) ** 2) / 4
    assert float(gap_share(a, 5 * b)) == pytest.approx(between / pooled.var(0).sum(), abs=1e-12)
    x = np.tile([1.0, 0], (5, 1))
    assert float(gap_share(x, -x)) == 1 and float(gap_share(a, a)) == 0
    found = [gap_share(*RNG(seed).normal(size=(2, 12, 9))) for seed in range(1500)]
    assert found[0].ceiling == pytest.approx(np.mean([float(each) for each in found]), rel=0.05)
    with pytest.raises(ValueError, match="same studies"):
        gap_share(a, b[:5])


def test_the_relative_gap_against_every_pair():
    a, b = map(unit, towers(n=20))
    matched = np.mean(np.sum((a - b) ** 2, 1))
    within = np.mean([np.sum((z[i] - z[j]) ** 2) for z in (a, b) for i in range(20) for j in range(20) if i != j])
    assert float(relative_gap(a, b)) == pytest.approx(matched / (matched + within), abs=1e-12)
    assert float(relative_gap(a, a)) == pytest.approx(0, abs=1e-12)
    assert float(relative_gap(*RNG(1).normal(size=(2, 900, 30)))) == pytest.approx(relative_gap(a, b).ceiling, abs=0.01)


def test_a_plane_tells_towers_apart_on_other_patients():
    x, y = towers(200, apart=6.0)
    assert float(separability(x, y)) > 0.9
    few = [float(separability(*RNG(seed).normal(size=(2, 40, 60)))) for seed in range(20)]
    assert np.mean(few) == pytest.approx(0.5, abs=0.04), "more columns than rows: still judged on other patients"
    noise, patients = np.repeat(RNG(3).normal(size=(2, 8, 100)), 20, 1), np.repeat(np.arange(8), 20)
    assert float(separability(*noise)) == 1, "copies of a film on both sides of a fold give it away"
    assert float(separability(*noise, patients)) < 0.8
    with pytest.raises(ValueError, match="4 patients"):
        separability(x[:40], y[:40], np.arange(40) % 4)


def test_what_towers_share_has_a_rank():
    x = RNG(4).normal(size=(400, 6))
    y = RNG(5).normal(size=(400, 6))
    y[:, 0] = x[:, 0]
    found = cross_spectrum(x, y)
    a, b = (unit(z) - unit(z).mean(0) for z in (x, y))
    assert found.values == pytest.approx(np.linalg.svd(a.T @ b, compute_uv=False) / 400, abs=1e-9)
    share = found.values / found.values.sum()
    assert found.shared == pytest.approx(np.exp(-np.sum(share * np.log(share))), abs=1e-9) and found.strength == pytest.approx(
        found.values.sum()
    )
    assert found.values[0] > 5 * found.values[1] and found.chance_strength < found.strength
    noise = cross_spectrum(x, RNG(6).normal(size=(400, 6)))
    assert noise.strength == pytest.approx(noise.chance_strength, rel=0.3)
    assert cross_spectrum(x, np.ones((400, 6))).shared == 0


def test_angles_between_the_axes_of_towers():
    z, turn = RNG(7).normal(size=(50, 2)), np.radians([10, 40])
    x = np.c_[z, np.zeros((50, 2))]
    y = np.c_[z * np.cos(turn), z * np.sin(turn)]
    assert principal_angles(x, y, 2) == pytest.approx([10, 40], abs=1e-6)
    assert principal_angles(x, 3 * x + 7, 2) == pytest.approx([0, 0], abs=1e-6)
    assert principal_angles(x, x[:, [2, 3, 0, 1]], 2) == pytest.approx([90, 90], abs=1e-6)
    with pytest.raises(ValueError, match="fewer than 3"):
        principal_angles(x, y, 3)
    with pytest.raises(ValueError, match="no angles"):
        principal_angles(x, y[:, :3] + 0, 2)


def test_closing_moves_both_towers_half_way():
    x, y = towers()
    a, b = unit(x), unit(y)
    gap = a.mean(0) - b.mean(0)
    u, v = close_gap(x, y, 0.5)
    assert u == pytest.approx(unit(a - gap / 4), abs=1e-12) and v == pytest.approx(unit(b + gap / 4), abs=1e-12)
    same = close_gap(x, y, 0)
    assert same[0] == pytest.approx(a, abs=1e-12) and same[1] == pytest.approx(b, abs=1e-12)
    assert float(modality_gap(*close_gap(x, y))) < 0.3 * float(modality_gap(x, y))


def test_what_closing_does_to_retrieval_and_zero_shot():
    x, y = towers(120, noise=0.8, apart=4.0)
    labels = (x[:, 1:3] > 0).astype(float)
    prompts = ([[np.eye(6)[1] + 2 * np.eye(6)[0]], [np.eye(6)[2] + 2 * np.eye(6)[0]]], [[-np.eye(6)[1] + 2 * np.eye(6)[0]]] * 2)
    prompts = tuple([np.array(each) for each in side] for side in prompts)
    patients = [str(row // 2) for row in range(120)]
    found = closing(x, y, patients, prompts=prompts, labels=labels, resamples=200)
    assert [each.amount for each in found] == list(AMOUNTS)
    gaps = [each.gap for each in found]
    assert gaps == sorted(gaps, reverse=True) and gaps[0] == pytest.approx(float(modality_gap(x, y)))
    first, last = found[0], found[-1]
    assert first.alignment == pytest.approx(float(alignment(x, y)), abs=1e-12) and last.share < first.share
    own = retrieval(unit(x) @ unit(y).T, np.eye(120, dtype=bool), patients, resamples=200)
    assert first.forth.recall == own.recall and first.back.recall != own.recall
    assert last.forth.recall[1].value > first.forth.recall[1].value and last.forth.recall[1].low is not None
    assert first.auroc.value == macro_auroc_interval(scores(x, *prompts), labels, np.array(patients), 200).value
    moved, gap = close_gap(x, y), unit(x).mean(0) - unit(y).mean(0)
    sides = [[unit(each) + gap / 2 for each in side] for side in prompts]
    assert last.auroc.value == pytest.approx(macro_auroc_interval(scores(moved[0], *sides), labels, np.array(patients), 200).value)
    assert last.mean_cosine[1] < first.mean_cosine[1] and last.cone_cosine[1] < first.cone_cosine[1]
    assert closing(x, y, patients, amounts=[0.5], resamples=10)[0].auroc is None
    every = closing(x, y, patients, np.ones((120, 120), bool), amounts=[0], resamples=10)[0]
    assert every.forth.recall[1].value == 1
    with pytest.raises(ValueError, match="prompts and labels"):
        closing(x, y, patients, prompts=prompts)


def test_texts_alone_walk_along_the_gap():
    x, y = towers(60, noise=0.8, apart=4.0)
    labels, patients = (x[:, 1:2] > 0).astype(float), [str(row) for row in range(60)]
    sides = ([np.eye(6)[1:2] + 2 * np.eye(6)[:1]], [2 * np.eye(6)[:1] - np.eye(6)[1:2]])
    found = gap_walk(x, y, patients, prompts=sides, labels=labels, amounts=(0, 0.5, 1, 1.5), resamples=40)
    a, b = unit(x), unit(y)
    gap = a.mean(0) - b.mean(0)
    assert [each.gap for each in found] == pytest.approx([np.linalg.norm(gap) * left for left in (1, 0.5, 0, 0.5)], abs=1e-12)
    for each in found:
        own = retrieval(a @ unit(b + each.amount * gap).T, np.eye(60, dtype=bool), patients, resamples=40)
        assert each.forth.recall == own.recall
        prompts = [[unit(side) + each.amount * gap for side in both] for both in sides]
        judged = macro_auroc_interval(scores(a, *prompts), labels, np.array(patients), 40)
        assert each.auroc.value == pytest.approx(judged.value)
    assert found[0].forth.recall == closing(x, y, patients, amounts=[0], resamples=40)[0].forth.recall
    assert WALK[0] == 0 and WALK[-1] == 1.5 and 1.0 in WALK
