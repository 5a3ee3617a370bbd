"""Golden vectors of the published losses. X[i,j] = sin(.37 i + .91 j + .1), Y[i,j] = cos(.53 i - .29 j + .2), 4 x 8."""

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from workbench.losses.classification import answer_bce
from workbench.losses.contrastive import info_nce, soft_clip
from workbench.losses.geometry import mflag_alignment, orthogonality, svd_masked, svd_tokens, token_affinity
from workbench.losses.matching import image_text_matching, own_text
from workbench.losses.semantic import positive_pairs, semantic_similarity
from workbench.losses.singular import largest_singular
from workbench.losses.words import masked_word

I, J = np.arange(4)[:, None], np.arange(8)
X, Y = torch.from_numpy(np.sin(0.37 * I + 0.91 * J + 0.1)), torch.from_numpy(np.cos(0.53 * I - 0.29 * J + 0.2))
IMAGE_LABELS = torch.tensor([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=torch.float64)
TEXT_LABELS = torch.tensor([[1, 0, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1]], dtype=torch.float64)


def close(found, wanted):
    assert found.dtype == torch.float64
    assert float(found) == pytest.approx(wanted, rel=1e-5)


def test_mflag_alignment():
    close(mflag_alignment(X, Y), 3.7443277)


def test_orthogonality_official():
    close(orthogonality(X, "official"), 1.2654597)
    close(orthogonality(X, "official", off_diagonal_weight=0.0), 2.4849923 / 2)
    close(orthogonality(X, "official", off_diagonal_weight=1.0), (2.4849923 + 9.0053036) / 2)


def test_orthogonality_correlation():
    close(orthogonality(X), 19.480781)
    close(orthogonality(X, "correlation", reduction="mean"), 2.4350976)


def test_info_nce():
    close(info_nce(X, Y, 0.07), 1.7344177)


def test_soft_clip_with_dot_products():
    close(soft_clip(X, Y, IMAGE_LABELS @ TEXT_LABELS.T, 1 / 0.07), 2.4352043)


def test_soft_clip_with_cosines():
    unit_image, unit_text = (labels / labels.norm(dim=1, keepdim=True) for labels in (IMAGE_LABELS, TEXT_LABELS))
    close(soft_clip(X, Y, unit_image @ unit_text.T, 1 / 0.07), 2.4101506)


def cosines():
    return normalize(X, dim=1) @ normalize(Y, dim=1).T


def positives():
    return positive_pairs(semantic_similarity(IMAGE_LABELS, TEXT_LABELS, "dot"), 0.0, torch.arange(4))


def test_raw_dot_targets_and_positive_pairs():
    targets = semantic_similarity(IMAGE_LABELS, TEXT_LABELS, "dot").softmax(1)
    np.testing.assert_allclose(targets[0].numpy(), [0.475367, 0.174878, 0.174878, 0.174878], rtol=1e-5)
    assert positives().int().tolist() == [[1, 0, 0, 0], [0, 1, 1, 0], [1, 1, 1, 0], [0, 0, 1, 1]]


def test_largest_singular_values():
    s, m = cosines(), positives()
    wanted = (0.7822718, 0.4193702, 2.3027756, 0.5657426, 2.1935271)
    for matrix, value in zip((s, s * m, m.double(), s * ~m, (~m).double()), wanted):
        close(largest_singular(matrix), value)


def test_svd_masked():
    close(svd_masked(cosines(), positives(), "raw"), 1.0757994)
    close(svd_masked(cosines(), torch.eye(4).bool(), "raw"), 0.8419648)


def test_svd_tokens():
    b, n, d = np.arange(4)[:, None, None], np.arange(3)[:, None], np.arange(8)
    patches = torch.from_numpy(np.sin(0.31 * b + 0.71 * n + 0.23 * d))
    words = torch.from_numpy(np.cos(0.17 * b - 0.43 * n[:2] + 0.37 * d))
    affinity, every = token_affinity(patches, words, torch.ones(4, 2).bool()), torch.ones(4, 2).bool()
    for place, value in (((0, 0), 0.521962), ((0, 1), 0.432797), ((3, 3), 0.641089)):
        assert float(affinity[place]) == pytest.approx(value, abs=1e-6)
    close(svd_tokens(patches, words, every, 0.1), 1.6586225)


def test_m3ae_terms():
    """No published numbers: these were computed once from the equations in numpy on the vectors above, true classes i and i mod 2."""
    close(masked_word(X, torch.arange(4)), 8.6850141)
    close(image_text_matching(X[:, :2], torch.arange(4) % 2), 3.1533737)
    close(own_text(X, Y > 0), 0.7370174)
    close(answer_bce(X, IMAGE_LABELS @ torch.ones(3, 8, dtype=torch.float64) / 2), 23.6707913)
