"""Golden vectors of the published losses. X[i,j] = sin(.37 i + .91 j + .1), Y[i,j] = cos(.53 i - .29 j + .2), 4 x 8."""

import numpy as np
import pytest
import torch

from workbench.losses.classification import answer_bce
from workbench.losses.contrastive import info_nce, soft_clip
from workbench.losses.geometry import mflag_alignment, orthogonality
from workbench.losses.matching import image_text_matching, own_text
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


def test_m3ae_terms():
    """No published numbers: these were computed once from the equations in numpy on the vectors above, true classes i and i mod 2."""
    close(masked_word(X, torch.arange(4)), 8.6850141)
    close(image_text_matching(X[:, :2], torch.arange(4) % 2), 3.1533737)
    close(own_text(X, Y > 0), 0.7370174)
    close(answer_bce(X, IMAGE_LABELS @ torch.ones(3, 8, dtype=torch.float64) / 2), 23.6707913)
