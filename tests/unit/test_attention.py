"""Attention: exact weights of fused kernels, entropy, distance, rollout and colours against hand-computed small cases."""

import numpy as np
import pytest
import torch
from torch import nn

from tests.contract.test_methods import batch_of
from workbench.analysis import attention as numbers
from workbench.analysis.attention import attention_distance, colouring, colours, head_entropy, rollout, seen_from, uniform_distance
from workbench.attending import attend, maps_of, patch_mm, tokens_of
from workbench.dataset import Image
from workbench.errors import UserError
from workbench.method import capabilities
from workbench.models import build_method
from workbench.nn.attention import attention_maps, lacks_attention, weights

VIT = {"image_size": 24, "vision": "timm:vit_tiny_patch16_224", "patch_size": 8}
METHODS = {
    "clip": {"hidden": 24, "dim": 20},
    "mflag": {"hidden": 24, "dim": 20},
    "supervised": {"labels": 13},
}


def reference(x: np.ndarray, layer: nn.Module) -> np.ndarray:
    """softmax(q k' / sqrt d), one query, key and head after the other, from the layer's own matrices in float64."""
    matrix, bias = (each.detach().double().numpy() for each in (layer.qkv.weight, layer.qkv.bias))
    b, t, d = x.shape
    wide = d // layer.num_heads
    q, k, _ = np.split(x @ matrix.T + bias, 3, -1)
    found = np.zeros((b, layer.num_heads, t, t))
    for head in range(layer.num_heads):
        own = slice(head * wide, (head + 1) * wide)
        for image in range(b):
            for query in range(t):
                scores = np.array(
                    [normed(q[image, query, own], layer.q_norm) @ normed(k[image, key, own], layer.k_norm) for key in range(t)]
                )
                raised = np.exp(scores / np.sqrt(wide) - scores.max() / np.sqrt(wide))
                found[image, head, query] = raised / raised.sum()
    return found


def normed(vector: np.ndarray, norm: nn.Module) -> np.ndarray:
    if isinstance(norm, nn.Identity):
        return vector
    scale, shift = norm.weight.detach().double().numpy(), norm.bias.detach().double().numpy()
    return (vector - vector.mean()) / np.sqrt(vector.var() + norm.eps) * scale + shift


@pytest.mark.parametrize(
    "more",
    [{}, {"qk_norm": True}, {"reg_tokens": 3}, {"class_token": False, "global_pool": "avg"}],
    ids=lambda each: "-".join(each) or "plain",
)
def test_attention_of_a_fused_tower_is_the_explicit_softmax_in_every_layer(more):
    from timm.models.vision_transformer import VisionTransformer

    torch.manual_seed(0)
    vit = VisionTransformer(img_size=12, patch_size=4, in_chans=2, embed_dim=20, depth=3, num_heads=5, num_classes=0, **more).eval()
    for parameter in vit.parameters():
        nn.init.normal_(parameter, std=0.9)
    assert vit.blocks[0].attn.fused_attn, "trained through scaled_dot_product_attention"
    seen: list[np.ndarray] = []
    for block in vit.blocks:
        block.attn.register_forward_pre_hook(lambda layer, args: seen.append(args[0].detach().double().numpy()))
    images = torch.randn(2, 2, 12, 12)
    with torch.no_grad():
        before = vit(images)
        seen.clear()
        found = attention_maps(vit, images)
        assert torch.equal(before, vit(images))
    assert found.shape == (3, 2, 5, 9 + vit.num_prefix_tokens, 9 + vit.num_prefix_tokens)
    for layer, block in enumerate(vit.blocks):
        np.testing.assert_allclose(found[layer].numpy(), reference(seen[layer], block.attn), atol=1e-5)
    assert found.std() > 0.02, "weights that differ, or the comparison says nothing"


def test_attention_reproduces_what_the_fused_kernel_computes():
    from timm.layers import Attention

    torch.manual_seed(1)
    layer, x = Attention(12, 3, qkv_bias=True).eval(), torch.randn(2, 7, 12)
    nn.init.normal_(layer.qkv.weight, std=0.5)
    mask = torch.rand(7, 7) > 0.3
    mask |= torch.eye(7, dtype=torch.bool)
    for given in (None, mask, torch.randn(7, 7)):
        value = layer.qkv(x).reshape(2, 7, 3, 3, 4).permute(2, 0, 3, 1, 4)[2]
        own = layer.proj((weights(layer, x, given) @ value).transpose(1, 2).reshape(2, 7, 12))
        torch.testing.assert_close(own, layer(x, attn_mask=given), atol=1e-6, rtol=1e-5)
    with pytest.raises(UserError, match="causal"):
        weights(layer, x, is_causal=True)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_attends_where_its_tower_is_a_transformer_and_says_why_not_elsewhere(name):
    vit = build_method({"name": name, **METHODS[name], **VIT}, 0).eval()
    cnn = build_method({"name": name, **METHODS[name], "image_size": 32}, 0).eval()
    assert "Attends" in capabilities(vit) and "Attends" not in capabilities(cnn) and "transformer" in cnn.lacks["Attends"]
    batch = batch_of(name, studies=4)
    batch["images"] = batch["images"][..., :24, :24]
    with torch.no_grad():
        found = vit.attention(batch)["image"]
        assert found.shape == (12, 4, 3, 10, 10) and torch.allclose(found.sum(-1), torch.ones(()))
        assert torch.equal(
            found[:, 2:3], vit.attention({**batch, "images": batch["images"][2:3], "view_index": batch["view_index"][2:3]})["image"]
        ) or torch.allclose(
            found[:, 2],
            vit.attention({**batch, "images": batch["images"][2:3], "view_index": batch["view_index"][2:3]})["image"][:, 0],
            atol=1e-5,
        )
        tokens = vit.features_of(batch, ["image.patches"])["image.patches"]
        torch.testing.assert_close(tokens, vit.vision.model.forward_features(batch["images"].expand(-1, 3, -1, -1))[:, 1:])
        assert cnn.features_of(batch, ["image.patches"])["image.patches"].shape == (4, 4, 128)
    with pytest.raises(UserError, match="transformer"):
        maps_of(cnn, batch)


def test_patch_size_is_refused_where_it_does_not_fit():
    with pytest.raises(UserError, match="does not divide image_size 24"):
        build_method({"name": "supervised", **VIT, "patch_size": 7}, 0)
    with pytest.raises(UserError, match="has no patches"):
        build_method({"name": "supervised", "image_size": 32, "vision": "timm:resnet18", "patch_size": 8}, 0)
    assert lacks_attention(build_method({"name": "supervised", "image_size": 32, "vision": "timm:resnet18"}, 0).vision)


def test_a_study_is_attended_to_beside_the_untrained_network():
    trained, untrained = (build_method({"name": "supervised", "labels": 13, **VIT}, seed).eval() for seed in (0, 1))
    film = np.random.default_rng(0).integers(0, 255, (40, 48)).astype(np.uint8)
    sample = {"key": "k", "patient": "p", "images": [Image(film, "hw", (0.5, 0.5))], "texts": [], "labels": np.zeros(13, np.float32)}
    found = attend(trained, untrained, sample, "run", 7)
    assert found.film.shape == (24, 24) and (found.layers, found.heads, found.count, found.side, found.prefix) == (12, 3, 10, 3, 1)
    assert found.patch_mm == pytest.approx(48 * 0.5 / 3), "the padded film's longer edge over three patches"
    from workbench.attending import batch_of as one

    batch = one(trained, [sample])
    np.testing.assert_allclose(found.untrained["entropy"], head_entropy(maps_of(untrained, batch)))
    np.testing.assert_array_equal(
        tokens_of(trained, batch), trained.features_of(batch, ["image.backbone", "image.patches"])["image.patches"].detach()
    )
    stretched = build_method({"name": "supervised", "labels": 13, **VIT, "fit": "stretch"}, 0)
    assert patch_mm(stretched, sample, 3) is None and patch_mm(trained, {**sample, "images": [Image(film)]}, 3) is None


# ---- numbers, by hand ---------------------------------------------------------------------------------------------------


def test_entropy_is_zero_on_one_token_and_ln_t_on_all():
    one, even = np.eye(5)[None], np.full((1, 5, 5), 0.2)
    assert head_entropy(one) == pytest.approx(0) and head_entropy(even) == pytest.approx(np.log(5))
    half = np.zeros((2, 3, 4))
    half[..., :2] = 0.5
    half[1, 0] = [1, 0, 0, 0]
    np.testing.assert_allclose(head_entropy(half), [np.log(2), np.log(2) * 2 / 3])


def test_distance_counts_patches_only_in_two_dimensions():
    maps = np.zeros((2, 5, 5))  # class token, then a 2 x 2 grid
    maps[:, 0] = 0.2
    maps[0, 1:] = [0.5, 0, 0, 0, 0]  # half on the class token, which has no place
    maps[0, [1, 2, 3, 4], [4, 3, 2, 1]] = 0.5  # the other half on the opposite corner
    maps[1, [1, 2, 3, 4], [3, 4, 1, 2]] = 1.0  # one row up or down
    np.testing.assert_allclose(attention_distance(maps), [np.sqrt(2), 1.0])
    assert uniform_distance(2) == pytest.approx((2 * 1 + np.sqrt(2)) / 4)
    assert uniform_distance(3) == pytest.approx(attention_distance(np.full((9, 9), 1 / 9)))


def test_rollout_equals_a_case_computed_by_hand():
    first = np.array([[[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.5, 0.5]]])  # two heads, two tokens; mean (.5 .5 / .5 .5)
    second = np.array([[[0.2, 0.8], [1.0, 0.0]], [[0.6, 0.4], [0.0, 1.0]]])  # mean (.4 .6 / .5 .5)
    maps = np.stack([first, second])
    # with the identity and rows halved: (.75 .25 / .25 .75), then (.7 .3 / .25 .75)
    np.testing.assert_allclose(
        rollout(maps), [[0.7 * 0.75 + 0.3 * 0.25, 0.7 * 0.25 + 0.3 * 0.75], [0.25 * 0.75 + 0.75 * 0.25, 0.25 * 0.25 + 0.75 * 0.75]]
    )
    # strongest head: (1 1 / .5 .5) + I, rows to 1: (2/3 1/3 / .25 .75); then (.6 .8 / 1 1) + I: (2/3 1/3 / 1/3 2/3)
    np.testing.assert_allclose(rollout(maps, "max"), np.array([[2, 1], [1, 2]]) / 3 @ np.array([[2 / 3, 1 / 3], [0.25, 0.75]]))
    # weakest: (0 0 / .5 .5) + I: (1 0 / .25 .75); then (.2 .4 / 0 0) + I: (1.2 .4 / 0 1) -> (.75 .25 / 0 1)
    np.testing.assert_allclose(rollout(maps, "min"), np.array([[0.75, 0.25], [0, 1]]) @ np.array([[1, 0], [0.25, 0.75]]))
    np.testing.assert_allclose(rollout(maps).sum(1), 1)


def test_rollout_discards_the_smallest_share_of_each_row():
    maps = np.array([[[[0.1, 0.3, 0.6], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]]])
    expected = np.array([[1, 0.3, 0.6], [0.5, 1.3, 0], [0, 0.2, 1.6]])  # a third of three: one weight a row
    np.testing.assert_allclose(rollout(maps, discard=0.34), expected / expected.sum(1, keepdims=True))
    np.testing.assert_allclose(rollout(maps, discard=0.3), rollout(maps))
    for fusion, discard in (("median", 0.0), ("mean", 1.0), ("mean", -0.1)):
        with pytest.raises(UserError, match="rollout"):
            rollout(maps, fusion, discard)


def test_a_query_is_the_class_token_a_patch_or_all_patches():
    rows = np.arange(25.0).reshape(5, 5)
    np.testing.assert_array_equal(seen_from(rows, None, 1), rows[0, 1:])
    np.testing.assert_array_equal(seen_from(rows, 2, 1), rows[3, 1:])
    np.testing.assert_array_equal(seen_from(rows[1:, 1:], None, 0), rows[1:, 1:].mean(0))
    np.testing.assert_array_equal(seen_from(np.stack([rows, 2 * rows]), 0, 1)[1], 2 * rows[1, 1:])


def test_colours_are_the_three_main_directions_with_a_fixed_sign_for_all_images():
    rng = np.random.default_rng(3)
    axes = np.linalg.qr(rng.normal(size=(7, 7)))[0][:3]
    tokens = (rng.normal(size=(400, 3)) * [6, 3, 1]) @ axes + 5
    found = colouring(tokens, 4)
    assert found.images == 4 and sum(found.explained) == pytest.approx(1) and list(found.explained) == sorted(found.explained, reverse=True)
    np.testing.assert_allclose(np.abs(np.sum(found.directions * axes, 1)), 1, atol=0.02)
    largest = np.abs(found.directions).argmax(1)
    assert (found.directions[np.arange(3), largest] > 0).all()
    np.testing.assert_allclose(colouring(10 - tokens, 4).directions, found.directions, atol=1e-9)  # mirrored tokens, the same signs
    rgb = colours(tokens[:9], found)
    along = (tokens[:9] - tokens.mean(0)) @ found.directions.T
    every = (tokens - tokens.mean(0)) @ found.directions.T
    low, high = np.percentile(every, 2, axis=0), np.percentile(every, 98, axis=0)
    np.testing.assert_allclose(rgb, np.clip((along - low) / (high - low), 0, 1), atol=1e-9)
    with pytest.raises(UserError, match="three are needed"):
        colouring(tokens[:2], 1)
    assert np.isfinite(colours(np.ones((3, 7)), colouring(np.ones((9, 7)), 1))).all()


def test_prefix_and_grid_are_read_from_the_number_of_tokens():
    for count, side, prefix in ((10, 3, 1), (9, 3, 0), (197, 14, 1), (201, 14, 5), (65, 8, 1)):
        maps = np.zeros((2, 3, count, count), np.float16)
        found = numbers.Attention("k", "r", 0, np.zeros((4, 4), np.uint8), maps, None, {})
        assert (found.side, found.prefix, found.layers, found.heads) == (side, prefix, 2, 3)
        assert found.levels("entropy")[1] == pytest.approx(np.log(count)) and found.levels("distance")[1] == pytest.approx(
            uniform_distance(side)
        )
