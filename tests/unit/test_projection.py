"""The map is a PCA whose signs stay, and it says how far it can be trusted."""

from dataclasses import replace

import numpy as np
import pytest

from workbench.analysis import projection
from workbench.analysis.projection import neighbourhoods, pca
from workbench.embeddings import Embeddings

RNG = np.random.default_rng


def embedded(z):
    names = tuple(map(str, range(len(z))))
    return Embeddings(np.asarray(z, np.float32), names, names, "image.projected", 7, "hash")


def cloud(n=60, d=5):
    return RNG(0).gamma(2.0, size=(n, d)) * [5, 3, 1, 0.5, 0.1][:d]


def test_axes_are_those_of_the_largest_variance_with_their_shares():
    z = cloud()
    u, s, _ = np.linalg.svd(z - z.mean(0), full_matrices=False)
    found = pca(embedded(z))
    assert np.abs(found.xy) == pytest.approx(np.abs(u[:, :2] * s[:2]), abs=1e-4)
    assert found.explained == pytest.approx(s[:2] ** 2 / np.sum(s**2), abs=1e-6)
    assert found.xy.mean(0) == pytest.approx(0, abs=1e-4) and found.n == 60 and found.step == 7


def test_signs_do_not_flip():
    z = cloud()
    found = pca(embedded(z))
    assert np.all(np.sum(found.xy**3, 0) > 0), "the long tail points right and up"
    assert pca(embedded(-z)).xy == pytest.approx(found.xy, abs=1e-4)
    mirrored = replace(found, xy=found.xy * [-1, 1])
    assert pca(embedded(z), like=mirrored).xy == pytest.approx(mirrored.xy, abs=1e-9)
    assert pca(embedded(z), like=replace(mirrored, keys=())).xy == pytest.approx(found.xy, abs=1e-9), "another set of studies is no guide"


def venna_kaski(high, low, k):
    """Trustworthiness, written as in the paper, row by row."""
    n, total = len(high), 0
    for i in range(n):
        order = [j for j in np.argsort(np.linalg.norm(high - high[i], axis=1)) if j != i]
        near = [j for j in np.argsort(np.linalg.norm(low - low[i], axis=1)) if j != i][:k]
        total += sum(order.index(j) + 1 - k for j in near if j not in order[:k])
    return 1 - 2 / (n * k * (2 * n - 3 * k - 1)) * total


def test_trustworthiness_and_continuity():
    high, low = RNG(1).normal(size=(40, 5)), RNG(2).normal(size=(40, 2))
    trust, kept = neighbourhoods(high, low, 4)
    assert trust == pytest.approx(venna_kaski(high, low, 4), abs=1e-9)
    assert kept == pytest.approx(venna_kaski(low, high, 4), abs=1e-9) and trust != kept
    flat = np.c_[low, np.zeros(40)]
    assert neighbourhoods(flat, low, 4) == pytest.approx((1, 1), abs=1e-12)
    assert trust < 0.7, "two unrelated clouds cannot be trusted"


def test_where_little_can_be_said():
    few = pca(embedded(cloud(8)))
    assert few.trustworthiness is None and few.continuity is None and few.xy.shape == (8, 2)
    point = pca(embedded(np.ones((30, 4))))
    assert point.explained.tolist() == [0, 0] and point.trustworthiness is None
    line = pca(embedded(cloud(30, 1)))
    assert line.xy.shape == (30, 2) and line.explained == pytest.approx([1, 0])


def test_many_studies_are_compared_on_an_even_subset(monkeypatch):
    monkeypatch.setattr(projection, "EXACT", 20)
    z = cloud(41)
    xy = pca(embedded(z)).xy
    assert neighbourhoods(z, xy, 3) == pytest.approx(
        neighbourhoods(z[np.linspace(0, 40, 20).astype(int)], xy[np.linspace(0, 40, 20).astype(int)], 3)
    )
