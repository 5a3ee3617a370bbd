"""Losses against independent numpy versions of their equations, in float64; gradients by finite differences."""

import math

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from workbench.losses.classification import answer_bce, stated_bce
from workbench.losses.contrastive import info_nce, soft_clip
from workbench.losses.geometry import mflag_alignment, orthogonality, orthogonality_floor
from workbench.losses.matching import image_text_matching, own_text
from workbench.losses.words import masked_word

ROWS, WIDTH = 7, 5
TEXT_IDS = torch.tensor([4, 9, 4, 2, 4, 9, 1])


def rows(seed, n=ROWS, d=WIDTH, dtype=torch.float64):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(n, d))).to(dtype)


def unit(z):
    return z / np.sqrt((z**2).sum(1, keepdims=True))


def log_softmax(logits):
    return logits - np.log(np.exp(logits).sum(1, keepdims=True))


def reference_info_nce(x, y, temperature, ids, mode):
    """Row by row, column by column: no matrix of targets."""
    logits, n = unit(x) @ unit(y).T / temperature, len(x)

    def one_way(logits):
        total = 0.0
        for i in range(n):
            same = [j for j in range(n) if ids[j] == ids[i]]
            left = [j for j in range(n) if mode != "drop_duplicates" or j == i or j not in same]
            right = same if mode == "soft_targets" else [i]
            norm = np.log(sum(np.exp(logits[i, j]) for j in left))
            total += sum(norm - logits[i, j] for j in right) / len(right)
        return total / n

    return (one_way(logits) + one_way(logits.T)) / 2


@pytest.mark.parametrize("mode", ["hard", "drop_duplicates", "soft_targets"])
def test_info_nce_follows_its_equation(mode):
    x, y = rows(0), rows(1)
    found = info_nce(x, y, 0.2, TEXT_IDS, mode)
    assert float(found) == pytest.approx(reference_info_nce(x.numpy(), y.numpy(), 0.2, TEXT_IDS.tolist(), mode), rel=1e-12)


@pytest.mark.parametrize("mode", ["hard", "drop_duplicates", "soft_targets"])
def test_info_nce_gradients(mode):
    temperature = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    x, y = rows(0).requires_grad_(), rows(1).requires_grad_()
    assert gradcheck(lambda x, y, t: info_nce(x, y, t, TEXT_IDS, mode), (x, y, temperature))


@pytest.mark.parametrize("mode", ["drop_duplicates", "soft_targets"])
def test_without_repeated_texts_the_modes_agree(mode):
    x, y = rows(0), rows(1)
    torch.testing.assert_close(info_nce(x, y, 0.2, torch.arange(ROWS), mode), info_nce(x, y, 0.2), rtol=1e-12, atol=0)


def test_soft_targets_equal_hard_where_equal_texts_have_equal_rows():
    x, y = rows(0), rows(1)[TEXT_IDS % 4]
    ids, results = TEXT_IDS % 4, {}
    for mode in ("hard", "soft_targets", "drop_duplicates"):
        leaf = x.clone().requires_grad_()
        loss = info_nce(leaf, y, 0.2, ids, mode)
        results[mode] = torch.cat([loss.detach()[None], torch.autograd.grad(loss, leaf)[0].flatten()])
    torch.testing.assert_close(results["soft_targets"], results["hard"], rtol=1e-9, atol=1e-12)
    assert (results["drop_duplicates"] - results["hard"]).abs().max() > 0.1


def test_hard_mode_is_wrong_where_texts_repeat():
    """Seven studies with one text, images already at it: nothing is left to learn, but `hard` still reads ln 7 and would push on."""
    text = rows(0, 1).expand(ROWS, -1)
    ids = torch.full((ROWS,), 3)
    images = (text + 0.1 * rows(2)).requires_grad_()
    pushed = {}
    for mode in ("hard", "drop_duplicates"):
        loss = info_nce(images, text, 0.1, ids, mode)
        (gradient,) = torch.autograd.grad(loss, images)
        pushed[mode] = (float(loss.detach()), float(gradient.norm()))
    assert pushed["drop_duplicates"] == pytest.approx((0.0, 0.0), abs=1e-12)
    assert pushed["hard"][0] > math.log(ROWS) - 0.1 and pushed["hard"][1] > 1e-3


def test_duplicate_modes_need_text_ids():
    with pytest.raises(ValueError, match="needs text_ids"):
        info_nce(rows(0), rows(1), 0.2, duplicates="drop_duplicates")


def test_info_nce_level_of_a_batch_that_looks_alike_and_of_no_pairs():
    alike = torch.ones(ROWS, WIDTH, dtype=torch.float64)
    assert float(info_nce(alike, alike, 0.07)) == pytest.approx(math.log(ROWS))
    empty = torch.zeros(0, WIDTH, requires_grad=True)
    loss = info_nce(empty, empty, 0.07)
    loss.backward()
    assert float(loss.detach()) == 0 and empty.grad is not None


def test_soft_clip_follows_its_equation():
    x, y, n = rows(0), rows(1), rows(2, ROWS, ROWS)
    logits = 4.0 * unit(x.numpy()) @ unit(y.numpy()).T
    wanted = -(np.exp(log_softmax(n.numpy())) * log_softmax(logits)).sum() / ROWS
    wanted -= (np.exp(log_softmax(n.numpy().T)) * log_softmax(logits.T)).sum() / ROWS
    assert float(soft_clip(x, y, n, 4.0)) == pytest.approx(wanted / 2, rel=1e-12)
    assert gradcheck(lambda x, y: soft_clip(x, y, n, 4.0), (x.requires_grad_(), y.requires_grad_()))


def test_alignment_ends():
    x = rows(0)
    for other, wanted in ((3 * x, 0.0), (-x, 8.0)):
        assert float(mflag_alignment(x, other)) == pytest.approx(wanted, abs=1e-12)
    cosines = (unit(x.numpy()) * unit(rows(1).numpy())).sum(1)
    assert float(mflag_alignment(x, rows(1))) == pytest.approx((4 - 4 * cosines).mean(), rel=1e-12)
    assert gradcheck(mflag_alignment, (x.requires_grad_(), rows(1).requires_grad_()))


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize(("form", "weight"), [("official", None), ("official", 0.3), ("correlation", None), ("correlation", 0.3)])
def test_orthogonality_follows_its_equation(form, weight, reduction):
    z = rows(3)
    values = z.numpy()
    if form == "correlation":
        values = (values - values.mean(0)) / np.sqrt(values.var(0) + 1e-5)
    w = weight if weight is not None else {"official": 0.0051, "correlation": 1.0}[form]
    wanted = 0.0
    for k in range(WIDTH):
        for other in range(WIDTH):
            entry = (values[:, k] * values[:, other]).sum() / ROWS
            wanted += 0.5 * ((entry - 1) ** 2 if k == other else w * entry**2)
    wanted /= WIDTH if reduction == "mean" else 1
    assert float(orthogonality(z, form, weight, reduction)) == pytest.approx(wanted, rel=1e-12)
    assert gradcheck(lambda z: orthogonality(z, form, weight, reduction), (z.requires_grad_(),))


def test_orthogonality_is_zero_for_orthonormal_columns():
    z = torch.linalg.qr(rows(3))[0] * math.sqrt(ROWS)
    assert float(orthogonality(z, "official")) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("form", "weight", "reduction"), [("official", 0.2, "sum"), ("correlation", None, "mean")])
def test_orthogonality_reaches_its_floor_and_no_lower(form, weight, reduction):
    """Five features as equal directions of a plane, scaled so that every diagonal entry is 1 / (1 + k): nothing near is lower."""
    angle = 2 * math.pi * torch.arange(5, dtype=torch.float64) / 5
    plane = torch.stack([angle.cos(), angle.sin()])
    entry = 1 / (1 + (weight or 1.0) * (5 / 2 - 1))
    if form == "official":  # two rows
        n, z = 2, plane * math.sqrt(2 * entry)
    else:  # three rows around 0; the eps under the root lets the diagonal fall below 1
        basis = torch.linalg.svd(torch.eye(3, dtype=torch.float64) - 1 / 3)[0][:, :2]
        n, z = 3, basis @ plane * math.sqrt(3 * 1e-5 * entry / (1 - entry))
    floor = orthogonality_floor(n, 5, form, weight, reduction)
    assert floor > 0.1
    assert float(orthogonality(z, form, weight, reduction)) == pytest.approx(floor, rel=1e-9)
    nearby = [z * (1 + 0.1 * rows(seed, n, 5)) for seed in range(20)]
    assert min(float(orthogonality(other, form, weight, reduction)) for other in nearby) > floor


def test_published_floors():
    for batch, wanted in ((32, 249.0), (256, 35.3), (1024, 5.2)):
        assert orthogonality_floor(batch, 2048, "official", None, "sum") == pytest.approx(wanted, rel=2e-2)
    assert orthogonality_floor(512, 128, "official", None, "sum") == 0


def test_labels_not_stated_do_not_count():
    logits, labels = rows(0, 6, 3), torch.tensor([[1.0, 0, math.nan]] * 5 + [[math.nan] * 3], dtype=torch.float64)
    p = 1 / (1 + np.exp(-logits.numpy()))
    wanted = -(np.log(p[:5, 0]).sum() + np.log(1 - p[:5, 1]).sum())
    assert float(stated_bce(logits, labels)) == pytest.approx(wanted, rel=1e-12)
    assert gradcheck(lambda z: stated_bce(z, labels), (logits.requires_grad_(),))


@pytest.mark.parametrize(("loss", "width"), [(masked_word, 9), (image_text_matching, 2)])
def test_words_and_pairs_are_told_by_cross_entropy_summed(loss, width):
    logits, true = rows(0, ROWS, width), TEXT_IDS % width
    wanted = -log_softmax(logits.numpy())[np.arange(ROWS), true.numpy()].sum()
    assert float(loss(logits, true)) == pytest.approx(wanted, rel=1e-12)
    assert gradcheck(lambda z: loss(z, true), (logits.requires_grad_(),))
    assert float(loss(torch.zeros(5, width), torch.zeros(5, dtype=torch.long))) == pytest.approx(5 * math.log(width))
    empty = torch.zeros(0, width, requires_grad=True)
    loss(empty, torch.zeros(0, dtype=torch.long)).backward()
    assert empty.grad is not None, "no hidden word and no pair is no number that is not finite"


def test_the_own_text_is_told_from_those_that_are_not_the_same():
    scores, same = rows(0, ROWS, 4), torch.from_numpy(np.random.default_rng(5).random((ROWS, 4)) < 0.4)
    total = plain = 0.0
    for row, left_out in zip(scores.numpy(), same.numpy()):
        kept = [row[0], *row[1:][~left_out[1:]]]
        total += np.log(np.exp(kept).sum()) - row[0]
        plain += np.log(np.exp(row).sum()) - row[0]
    assert float(own_text(scores, same)) == pytest.approx(total, rel=1e-12)
    assert float(own_text(scores)) == pytest.approx(plain, rel=1e-12) and abs(plain - total) > 0.1
    assert gradcheck(lambda z: own_text(z, same), (scores.requires_grad_(),))


def test_answers_are_binary_against_soft_scores():
    logits, scores = rows(0, ROWS, 3), torch.sigmoid(rows(1, ROWS, 3))
    p, s = 1 / (1 + np.exp(-logits.numpy())), scores.numpy()
    each = -(s * np.log(p) + (1 - s) * np.log(1 - p))
    assert float(answer_bce(logits, scores)) / ROWS == pytest.approx(each.mean() * 3, rel=1e-12), "mean over all entries times answers"
    assert gradcheck(lambda z: answer_bce(z, scores), (logits.requires_grad_(),))


LOSSES = {
    "alignment": lambda x, y: mflag_alignment(x, y),
    "orthogonality": lambda x, y: orthogonality(x, "official"),
    "info_nce": lambda x, y: info_nce(x, y, 0.1),
    "soft_clip": lambda x, y: soft_clip(x, y, torch.eye(len(x)), 10.0),
    "words": lambda x, y: masked_word(x, torch.arange(len(x))),
    "match": lambda x, y: image_text_matching(x[:, :2], torch.arange(len(x)) % 2),
    "ranking": lambda x, y: own_text(x),
    "answers": lambda x, y: answer_bce(x, (y > 0).to(x.dtype)),
    "labels": lambda x, y: stated_bce(x, (y > 0).to(x.dtype)),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_stay_float32_under_bf16_autocast(name):
    """In bf16 the same inputs give another number: so equality here means that autocast did not reach inside."""
    x, y = rows(0, 40, 64, torch.float32), rows(1, 40, 64, torch.float32)
    wanted = LOSSES[name](x, y)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found, half = LOSSES[name](x, y), LOSSES[name](x.bfloat16(), y.bfloat16())
    assert found.dtype == half.dtype == torch.float32
    torch.testing.assert_close(found, wanted, rtol=1e-6, atol=0)
    torch.testing.assert_close(half, LOSSES[name](x.bfloat16().float(), y.bfloat16().float()), rtol=1e-6, atol=0)


def test_info_nce_equals_the_loss_of_transformers_clip():
    from transformers import CLIPConfig, CLIPModel

    text = {"vocab_size": 30, "hidden_size": 16, "intermediate_size": 20, "num_hidden_layers": 1, "num_attention_heads": 2}
    vision = {
        "hidden_size": 16,
        "intermediate_size": 20,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 8,
        "patch_size": 4,
    }
    config = CLIPConfig(text_config=text | {"max_position_embeddings": 9}, vision_config=vision, projection_dim=12)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = CLIPModel(config).eval()
        ids, pixels = torch.randint(3, 29, (ROWS, 9)), torch.randn(ROWS, 3, 8, 8)
    with torch.no_grad():
        output = model(input_ids=ids, pixel_values=pixels, return_loss=True)
        found = info_nce(output.image_embeds, output.text_embeds, 1 / model.logit_scale.exp())
    assert float(found) == pytest.approx(float(output.loss), abs=1e-5)
