"""The map is a PCA whose signs stay, by blocks of rows, and on it the gap between two towers."""

from dataclasses import replace

import numpy as np
import pytest

from workbench.analysis import _moments, projection, trust
from workbench.analysis.projection import gap_on, pca
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


def test_where_little_can_be_said():
    few = pca(embedded(cloud(8)))
    assert few.quality.k == 3 and few.xy.shape == (8, 2)
    assert pca(embedded(cloud(4))).quality is None
    point = pca(embedded(np.full((30, 4), 0.1)))
    assert point.explained.tolist() == [0, 0] and point.quality is None
    line = pca(embedded(cloud(30, 1)))
    assert line.xy.shape == (30, 2) and line.explained == pytest.approx([1, 0])


def test_many_rows_are_summed_in_blocks_and_compared_on_an_even_subset(monkeypatch):
    z = cloud(41) + 1e4
    whole = pca(embedded(z))
    for module in (projection, _moments):
        monkeypatch.setattr(module, "BLOCK", 7)
    monkeypatch.setattr(trust, "EXACT", 20)
    monkeypatch.setattr(projection, "EXACT", 20)
    found, chosen = pca(embedded(z)), np.linspace(0, 40, 20).astype(int)
    assert found.xy == pytest.approx(whole.xy, abs=1e-6) and found.explained == pytest.approx(whole.explained)
    assert found.quality == trust.quality(z.astype(np.float32)[chosen], found.xy[chosen])
    assert (found.n, found.quality.n) == (41, 20)


def test_the_gap_on_a_map_of_both_towers_is_the_difference_of_their_means_seen_from_its_axes():
    x, y = cloud(20), cloud(20)[::-1] * 0.5 + [0, 3, 0, 0, 0]
    both = replace(embedded(np.concatenate([x, y])), feature=projection.JOINT)
    found = pca(both)
    assert found.towers == ("image.projected",) * 20 + ("text.projected",) * 20
    _, axes, _ = projection.plane(both)
    assert np.abs(gap_on(found)) == pytest.approx(np.abs((x.mean(0) - y.mean(0)) @ axes), abs=1e-5)
    assert found.xy[:20].mean(0) - gap_on(found) == pytest.approx(found.xy[20:].mean(0), abs=1e-9)
    for other in (replace(found, method="umap"), replace(found, towers=None)):
        with pytest.raises(ValueError, match="a gap vector can be drawn on a PCA of images and reports"):
            gap_on(other)
