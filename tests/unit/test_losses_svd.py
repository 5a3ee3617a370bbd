"""The Medical-SVD forms against numpy, their largest singular values against svdvals, and what they do at ties, zeros and NaN."""

import math

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from tests.unit.test_losses import TEXT_IDS, log_softmax, reference_info_nce, rows, unit
from workbench.losses import singular
from workbench.losses.geometry import (
    signed,
    svd_global,
    svd_masked,
    svd_paired,
    svd_spectrum,
    svd_tokens,
    token_affinity,
)
from workbench.losses.singular import lanczos, largest_singular, top_vectors

B = 6
POSITIVES = torch.tensor(
    [[1, 1, 0, 0, 0, 1], [1, 1, 0, 1, 0, 0], [0, 0, 1, 0, 0, 0], [0, 0, 0, 1, 1, 0], [1, 0, 0, 0, 1, 0], [0, 0, 1, 0, 0, 1]]
).bool()
WORD_MASK = torch.tensor([[1, 1, 1, 1], [1, 0, 1, 0], [1, 0, 0, 0], [1, 1, 1, 0], [0, 1, 1, 1], [1, 1, 0, 0], [1, 1, 1, 1]]).bool()  # fmt: skip


def cosines(seed=0, b=B, d=5, dtype=torch.float64):
    return (torch.from_numpy(unit(rows(seed, b, d).numpy()) @ unit(rows(seed + 1, b, d).numpy()).T)).to(dtype)


def s1(matrix):
    return np.linalg.svd(np.asarray(matrix, float), compute_uv=False)[0]


@pytest.mark.parametrize("shape", [(7, 7), (9, 4), (4, 9), (256, 256)])
def test_value_and_gradient_are_those_of_svdvals(shape):
    given = rows(3, *shape, dtype=torch.float32).requires_grad_()
    found, wanted = largest_singular(given), torch.linalg.svdvals(given)[0]
    (a,), (b,) = torch.autograd.grad(found, given), torch.autograd.grad(wanted, given)
    assert float(found.detach()) == pytest.approx(float(wanted.detach()), rel=1e-5)
    assert float((a - b).norm()) < 1e-4


@pytest.mark.parametrize("kind", ["cosines", "noise", "few", "wide"])
def test_above_the_exact_size_iterations_find_the_same(kind):
    n = singular.EXACT + 76
    given = {
        "cosines": lambda: cosines(0, n, 32, torch.float32).relu(),
        "noise": lambda: rows(1, n, n, torch.float32),
        "few": lambda: rows(1, n, 3, torch.float32) @ rows(2, 3, n, torch.float32),
        "wide": lambda: rows(1, 40, n, torch.float32),
    }[kind]()
    u, s, vh = torch.linalg.svd(given, full_matrices=False)
    v = lanczos(given)
    image = given @ v
    assert float((given.T @ image / image.norm() - image.norm() * v).norm() / image.norm()) < 1e-5
    leaf = given.clone().requires_grad_()
    found = largest_singular(leaf)
    assert float(found.detach()) == pytest.approx(float(s[0]), rel=1e-5)
    (gradient,) = torch.autograd.grad(found, leaf)
    assert float((gradient - torch.outer(u[:, 0], vh[0])).norm()) < 1e-4


def test_large_matrices_are_not_decomposed_whole(monkeypatch):
    asked = []
    monkeypatch.setattr(singular, "lanczos", lambda matrix: asked.append(matrix.shape) or lanczos(matrix))
    for n in (singular.EXACT, singular.EXACT + 1):
        largest_singular(torch.eye(n))
    assert asked == [(singular.EXACT + 1,) * 2]


@pytest.mark.parametrize("n", [5, singular.EXACT + 3])
def test_ties_zeros_and_empty_matrices_have_finite_gradients(n):
    tied = torch.eye(n).requires_grad_()
    found = largest_singular(tied)
    (gradient,) = torch.autograd.grad(found, tied)
    assert float(found.detach()) == pytest.approx(1, rel=1e-5) and float(torch.linalg.matrix_norm(gradient)) == pytest.approx(1, rel=1e-4)
    zero = torch.zeros(n, n).requires_grad_()
    assert float(largest_singular(zero).detach()) == 0 and not torch.autograd.grad(largest_singular(zero), zero)[0].any()
    assert float(largest_singular(torch.zeros(0, 0))) == 0


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_what_is_not_finite_gives_nan_and_raises_nothing(wrong):
    given = cosines()
    given[2, 3] = wrong
    given.requires_grad_()
    terms = [largest_singular(given), svd_masked(given, POSITIVES), svd_paired(given), svd_global(given)]
    assert all(math.isnan(float(term.detach())) for term in terms)
    assert torch.autograd.grad(terms[0], given)[0].isnan().any()
    patches = rows(0, B * 3, 5).reshape(B, 3, 5).clone()
    patches[1, 1, 1] = wrong
    assert math.isnan(float(svd_tokens(patches, rows(1, B * 4, 5).reshape(B, 4, 5), torch.ones(B, 4).bool(), 0.1)))


def test_many_small_matrices_at_once():
    given = torch.stack([rows(seed, 8, 5) for seed in range(12)]).reshape(3, 4, 8, 5)
    given[1, 2], given[0, 0] = 0, torch.eye(8, 5)
    v = top_vectors(given)
    found = torch.linalg.vector_norm(given @ v[..., None], dim=(-2, -1))
    torch.testing.assert_close(found, torch.linalg.svdvals(given)[..., 0], rtol=1e-9, atol=1e-12)
    assert not v[1, 2].any() and float(v[0, 0].norm()) == pytest.approx(1)


def test_block_patterns_of_many_seeds_are_decomposed():
    """LAPACK's eigh gave up on one of these in training: repeated singular values next to a few large ones."""
    for seed in range(30):
        labels = np.random.default_rng(seed).random((128, 7)) < 0.2
        positives = torch.from_numpy(labels.astype(np.float32) @ labels.T.astype(np.float32) > 0)
        given = cosines(seed, 128, 16, torch.float32).relu() * positives
        for matrix in (positives.float(), given, given * 1e-12):
            assert float(largest_singular(matrix)) == pytest.approx(s1(matrix), rel=1e-5)


def test_signs():
    given = torch.tensor([[-0.5, 0.5]])
    assert signed(given, "relu").tolist() == [[0, 0.5]] and signed(given, "raw").tolist() == [[-0.5, 0.5]]
    assert signed(given, "shift").tolist() == [[0.25, 0.75]]


@pytest.mark.parametrize("sign", ["relu", "raw", "shift"])
def test_form_b_follows_its_equation(sign):
    similarity = cosines()
    s = {"relu": np.maximum(similarity.numpy(), 0), "raw": similarity.numpy(), "shift": (1 + similarity.numpy()) / 2}[sign]
    m = POSITIVES.numpy()
    wanted = 1 - s1(s * m) / s1(m) + s1(s * ~m) / max(s1(~m), 1)
    assert float(svd_masked(similarity, POSITIVES, sign)) == pytest.approx(wanted, rel=1e-9)
    apart = ~np.eye(B, dtype=bool)
    wanted = 1 - np.diag(s).mean() + s1(s * apart) / (B - 1)
    assert float(svd_paired(similarity, sign)) == pytest.approx(wanted, rel=1e-9)
    leaf = similarity.requires_grad_()
    assert gradcheck(lambda s: svd_masked(s, POSITIVES, sign), (leaf,)) and gradcheck(lambda s: svd_paired(s, sign), (leaf,))


def test_form_b_at_its_ends():
    """Orthonormal class prototypes 0, collapse 1, opposite prototypes at least 1 (but 0 with `raw`), unrelated rows about .99."""
    classes = torch.arange(64) % 5
    same, prototypes = classes[:, None] == classes, torch.eye(5, 512)[classes]
    assert float(svd_masked(prototypes @ prototypes.T, same)) == pytest.approx(0, abs=1e-6)
    assert float(svd_masked(torch.ones(64, 64), same)) == pytest.approx(1, abs=1e-6)
    assert float(svd_masked(-prototypes @ prototypes.T, same)) >= 1 and float(svd_masked(-prototypes @ prototypes.T, same, "raw")) < 1e-6
    assert float(svd_masked(cosines(0, 64, 512, torch.float32), same)) == pytest.approx(0.99, abs=0.02)
    assert float(svd_paired(torch.eye(7))) == pytest.approx(0, abs=1e-6)
    one = torch.ones(1, 1)
    assert float(svd_masked(one, one.bool())) == float(svd_paired(one)) == 0
    assert float(svd_masked(torch.ones(4, 4), torch.ones(4, 4).bool())) == pytest.approx(0, abs=1e-6), "no negatives at all"


def test_with_pairs_alone_form_b_moves_one_pair_and_the_mean_moves_all():
    for loss, moved in ((lambda s: svd_masked(s, torch.eye(B).bool()), 1), (svd_paired, B)):
        similarity = (torch.eye(B) * torch.linspace(0.3, 0.8, B)).requires_grad_()
        (gradient,) = torch.autograd.grad(loss(similarity), similarity)
        assert int((gradient.diagonal() < -1e-6).sum()) == moved


def test_form_c_is_least_at_collapse():
    similarity = cosines()
    assert float(svd_global(similarity)) == pytest.approx(-s1(similarity) / B, rel=1e-9)
    assert float(svd_global(torch.ones(B, B))) == pytest.approx(-1)
    assert gradcheck(svd_global, (similarity.requires_grad_(),))


def test_form_d_follows_its_equation():
    similarity, target = cosines(), rows(5, B, B).softmax(1)
    logits = similarity.numpy() / 0.2
    wanted = (s1(np.exp(log_softmax(logits))) - s1(target)) ** 2 / s1(target) ** 2
    assert float(svd_spectrum(similarity, target, 0.2)) == pytest.approx(wanted, rel=1e-9) and wanted > 1e-4
    assert float(svd_spectrum(similarity, (similarity / 0.2).softmax(1), 0.2)) == pytest.approx(0, abs=1e-12)
    assert gradcheck(lambda s: svd_spectrum(s, target, 0.2), (similarity.requires_grad_(),))


def tokens(seed, n):
    return rows(seed, 7 * n, 5).reshape(7, n, 5)


@pytest.mark.parametrize("rows_at_once", [16, 3])
def test_form_a_is_the_contrast_of_singular_values(rows_at_once, monkeypatch):
    monkeypatch.setattr("workbench.losses.geometry.ROWS", rows_at_once)
    p, w = tokens(0, 3), tokens(1, 4)
    a = np.zeros((7, 7))
    for i in range(7):
        for j in range(7):
            kept = w[j][WORD_MASK[j]].numpy()
            a[i, j] = s1(unit(p[i].numpy()) @ unit(kept).T) / math.sqrt(3 * len(kept))
    np.testing.assert_allclose(token_affinity(p, w, WORD_MASK).numpy(), a, rtol=1e-9)
    for mode in ("hard", "drop_duplicates", "soft_targets"):
        wanted = reference_from_logits(a / 0.1, TEXT_IDS.tolist(), mode)
        assert float(svd_tokens(p, w, WORD_MASK, 0.1, TEXT_IDS, mode)) == pytest.approx(wanted, rel=1e-9)
    n = rows(2, 7, 7)
    wanted = -(np.exp(log_softmax(n.numpy())) * log_softmax(a / 0.1)).sum() / 7
    wanted -= (np.exp(log_softmax(n.numpy().T)) * log_softmax(a.T / 0.1)).sum() / 7
    assert float(svd_tokens(p, w, WORD_MASK, 0.1, targets=n)) == pytest.approx(wanted / 2, rel=1e-9)


def reference_from_logits(logits, ids, mode):
    from unittest.mock import patch

    with patch("tests.unit.test_losses.unit", lambda z: z):
        return reference_info_nce(logits, np.eye(len(logits)), 1.0, ids, mode)


def test_form_a_gradients_and_ends():
    p, w = tokens(0, 3).requires_grad_(), tokens(1, 4).requires_grad_()
    assert gradcheck(lambda p, w: svd_tokens(p, w, WORD_MASK, 0.3, TEXT_IDS, "drop_duplicates"), (p, w))
    parallel = torch.ones(2, 3, 5)
    torch.testing.assert_close(token_affinity(parallel, -parallel, torch.ones(2, 3).bool()), torch.ones(2, 2))
    assert not token_affinity(parallel, parallel, torch.zeros(2, 3).bool()).any()
    empty = torch.zeros(0, 3, 5, requires_grad=True)
    svd_tokens(empty, empty, torch.zeros(0, 3).bool(), 0.1).backward()
    assert empty.grad is not None


FORMS = {
    "masked": lambda s, x: svd_masked(s, POSITIVES),
    "paired": lambda s, x: svd_paired(s),
    "global": lambda s, x: svd_global(s),
    "spectrum": lambda s, x: svd_spectrum(s, torch.eye(B), 0.1),
    "tokens": lambda s, x: svd_tokens(x, x.flip(0), torch.ones(B, 4).bool(), 0.1),
}


@pytest.mark.parametrize("name", FORMS)
def test_forms_stay_float32_under_bf16_autocast(name):
    similarity, x = cosines(dtype=torch.float32), rows(4, B * 4, 5, torch.float32).reshape(B, 4, 5)
    wanted = FORMS[name](similarity, x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found, half = FORMS[name](similarity, x), FORMS[name](similarity.bfloat16(), x.bfloat16())
    assert found.dtype == half.dtype == torch.float32
    torch.testing.assert_close(found, wanted, rtol=1e-6, atol=0)
