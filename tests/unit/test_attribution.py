"""Attribution: captum's maps against gradients written out, completeness of integrated gradients, and what is refused."""

import numpy as np
import pytest
import torch

from workbench.analysis.attribution import half, pooled
from workbench.attending import batch_of
from workbench.attributing import BLACK, attribute, cosine_score, last_map, logit_score
from workbench.dataset import Image
from workbench.errors import UserError
from workbench.models import build_method

SUPERVISED = {"name": "supervised", "labels": 3, "image_size": 32, "width": 16}


def sample(labels=3):
    film = np.random.default_rng(1).integers(0, 255, (32, 32)).astype(np.uint8)
    return {"key": "k", "patient": "p", "images": [Image(film)], "texts": [], "labels": np.zeros(labels, np.float32)}


@pytest.fixture(scope="module")
def method():
    built = build_method(SUPERVISED, 0)
    for module in built.modules():  # statistics of their own, as after training
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
    return built.eval()


@pytest.fixture(scope="module")
def found(method):
    return attribute(method, logit_score(method, 1), "second", "logit", sample(), "run", 4)


def test_grad_cam_is_the_map_weighed_by_its_mean_gradient(method, found):
    images = batch_of(method, [sample()])["images"]
    lowest = 0.0
    for label in range(3):
        maps = method.vision.map(images).detach().requires_grad_()
        method.head(maps.mean((2, 3)))[0, label].backward()
        weighed = (maps.grad[0].mean((1, 2))[:, None, None] * maps[0]).sum(0).detach()
        cam = attribute(method, logit_score(method, label), "label", "logit", sample(), steps=2).cam
        assert cam.shape == (2, 2)
        np.testing.assert_allclose(cam, weighed.clamp(min=0), rtol=1e-4, atol=1e-7)
        lowest = min(lowest, float(weighed.min()))
    assert lowest < -1e-4, "cells that lower a score, or nothing is cut off"


def test_integrated_gradients_sum_to_the_rise_of_the_score_up_to_the_delta(method, found):
    images = batch_of(method, [sample()])["images"]
    with torch.no_grad():
        here, black = (float(method.head(method.vision(x))[0, 1]) for x in (images, torch.full_like(images, BLACK)))
    assert (found.score, found.baseline) == (pytest.approx(here, abs=1e-5), pytest.approx(black, abs=1e-5))
    assert found.delta == pytest.approx(found.gradients.sum() - found.rise, abs=1e-4)
    coarse = attribute(method, logit_score(method, 1), "second", "logit", sample(), steps=3)
    assert abs(found.delta) < 0.05 * abs(found.rise) and abs(found.delta) < abs(coarse.delta)


def test_a_linear_score_is_its_weights_times_the_way_from_black(method):
    weights = torch.linspace(-1, 1, 32 * 32).reshape(1, 32, 32)
    images = batch_of(method, [sample()])["images"][0, 0].numpy()
    linear = attribute(method, lambda x: (x * weights).sum((1, 2, 3)) + 0 * method.vision(x).sum(1), "line", "logit", sample(), steps=5)
    np.testing.assert_allclose(linear.gradients, weights[0].numpy() * (images - BLACK), rtol=1e-4, atol=1e-5)
    assert abs(linear.delta) < 1e-3 and linear.rise == pytest.approx(float(linear.gradients.sum()), rel=1e-4)


def test_a_prompt_is_explained_by_its_cosine_and_a_tower_without_map_by_pixels_alone():
    clip = build_method(
        {"name": "clip", "image_size": 16, "hidden": 8, "dim": 6, "vision": "timm:vit_tiny_patch16_224", "patch_size": 8}, 0
    ).eval()
    assert last_map(clip) is None
    score = cosine_score(clip, "effusion on the left")
    study = {**sample(), "images": [Image(sample()["images"][0].array[:16, :16])]}
    images = batch_of(clip, [study])["images"]
    assert -1 <= float(score(images)[0]) <= 1
    explained = attribute(clip, score, "effusion on the left", "cosine", study, steps=8)
    assert explained.cam is None and explained.gradients.shape == (16, 16) and explained.kind == "cosine"
    with pytest.raises(UserError, match="empty text"):
        cosine_score(clip, "  ")
    with pytest.raises(UserError, match="no logits"):
        logit_score(clip, 0)


def test_the_last_map_of_a_timm_cnn_goes_into_its_pooling(method):
    timm = build_method({**SUPERVISED, "vision": "timm:resnet18"}, 0).eval()
    layer, takes = last_map(timm)
    assert takes and layer is timm.vision.model.global_pool
    cam = attribute(timm, logit_score(timm, 0), "first", "logit", sample(), steps=4).cam
    assert cam.shape == (1, 1)
    with pytest.raises(UserError, match="compares no image"):
        cosine_score(method, "effusion")
    with pytest.raises(UserError, match="this run has 3"):
        logit_score(method, 3)


def test_cells_sum_absolute_values_and_half_is_the_share_that_carries_half():
    values = np.array([[1.0, -1, 0, 0], [0, 2, 0, 0], [0, 0, 0, -3], [0, 0, 5, 0]])
    np.testing.assert_array_equal(pooled(values, 2), [[4, 0], [0, 8]])
    assert pooled(np.ones((5, 5)), 2).tolist() == [[9, 6], [6, 4]]
    assert half(np.ones((2, 4))) == 0.5 and half(np.array([8.0, 1, 1, 1])) == 0.25 and half(np.array([3, 3, 3, 3, 0.0])) == 0.4
    assert np.isnan(half(np.zeros(4)))
