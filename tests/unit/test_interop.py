"""Start weights from elsewhere: names, shapes, position tables, and what is refused."""

import argparse
import math
import os
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from workbench.errors import UserError
from workbench.interop import keys, load_official, pickled, positions, weights
from workbench.models import build_method

VIT = "timm:test_vit"  # the smallest ViT of timm: 64 features, 6 blocks
SIZE = {"name": "supervised", "labels": 3, "image_size": 160, "vision": VIT}


@pytest.fixture(scope="module")
def tower():
    """A timm ViT with numbers of its own."""
    import timm

    torch.manual_seed(3)
    return timm.create_model("test_vit", num_classes=0).eval()


def vit(method):
    return method.vision.model


def keys_of_cubic(position, size):
    """Keys' cubic (a = -1/2) at `position`, written from its equation."""
    x = abs(position) / size
    if x < 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def cubic(rows, new):
    """Resample (h, w, d) to (new, new, d): each output is the weighted mean of the inputs its kernel covers, widened where it shrinks."""
    old = len(rows)
    scale, matrix = old / new, np.zeros((new, old))
    for i in range(new):
        centre = (i + 0.5) * scale
        matrix[i] = [keys_of_cubic(j + 0.5 - centre, max(scale, 1.0)) for j in range(old)]
        matrix[i] /= matrix[i].sum()
    return np.einsum("ai,bj,ijd->abd", matrix, matrix, rows)


@pytest.mark.parametrize(("before", "after"), [(6, 4), (4, 7)])
def test_a_position_table_is_resampled_by_the_cubic_and_its_prefix_is_untouched(before, after):
    table = torch.randn(1, 1 + before**2, 5, dtype=torch.float64)
    found, told = positions.resized(table, torch.zeros(1, 1 + after**2, 5))
    expected = cubic(table[0, 1:].numpy().reshape(before, before, 5), after)
    assert torch.equal(found[0, 0], table[0, 0].float())
    assert np.abs(found[0, 1:].numpy().reshape(after, after, 5) - expected).max() < 1e-5
    assert f"{before} x {before} to {after} x {after}" in told and "1 token" in told


def test_a_table_without_class_token_keeps_the_method_s_own():
    own = torch.arange(17 * 3.0).reshape(1, 17, 3)
    found, _ = positions.resized(torch.ones(16, 3), own)
    assert torch.equal(found[0, 0], own[0, 0]) and torch.equal(found[0, 1:], torch.ones(16, 3))
    assert positions.resized(torch.ones(1, 20, 3), own) is None and positions.resized(torch.ones(1, 17, 4), own) is None


def test_weights_of_a_library_go_into_a_part_whatever_leads_their_names(tower, tmp_path):
    state = {f"module.visual.trunk.{name}": value for name, value in tower.state_dict().items()} | {"module.logit_scale": torch.tensor(2.0)}
    save_file(state, tmp_path / "clip.safetensors")
    method = build_method(SIZE, 0)
    before = {name: value.clone() for name, value in method.head.state_dict().items()}
    report = weights.initialise_from(method, {"vision": str(tmp_path / "clip.safetensors")})["vision"]
    image = torch.randn(2, 3, 160, 160)
    assert torch.equal(method.eval().vision.model(image), tower(image))
    assert all(torch.equal(method.head.state_dict()[name], value) for name, value in before.items())
    assert report["prefix"] == {"given": "module.visual.trunk.", "own": "vision.model."}
    assert report["unused"] == {"module.logit_scale": []} and report["missing"] == {} and report["share"] == 1.0
    assert report["matched"]["vision.model.cls_token"] == [1, 1, 64] and len(report["matched"]) == len(tower.state_dict())


def test_another_image_size_resamples_the_positions_and_says_so(tower, tmp_path):
    save_file(tower.state_dict(), tmp_path / "vit.safetensors")
    method = build_method(SIZE | {"image_size": 96}, 0)
    report = weights.initialise_from(method, {"vision": str(tmp_path / "vit.safetensors")})["vision"]
    assert report["adapted"]["vision.model.pos_embed"]["from"] == [1, 101, 64]
    assert report["adapted"]["vision.model.pos_embed"]["to"] == [1, 37, 64] and "10 x 10 to 6 x 6" in str(report["adapted"])
    assert torch.equal(vit(method).pos_embed[0, 0], tower.pos_embed[0, 0])
    assert "vision.model.pos_embed" not in report["matched"]


def classic(name):
    """A name of transformers' ViT as its checkpoints had it for years."""
    name = name.replace("layers.", "encoder.layer.").replace("mlp.fc1", "intermediate.dense").replace("mlp.fc2", "output.dense")
    for new, old in (("q_proj", "attention.query"), ("k_proj", "attention.key"), ("v_proj", "attention.value"), ("o_proj", "output.dense")):
        name = name.replace(f"attention.{new}", f"attention.{old}")
    return f"vit.{name}"


@pytest.mark.parametrize("kind", ["saved", "classic"])
def test_a_transformers_vit_computes_the_same_here(kind, tmp_path):
    from transformers import ViTConfig, ViTModel

    torch.manual_seed(1)
    sizes = {"hidden_size": 64, "num_hidden_layers": 6, "num_attention_heads": 2, "intermediate_size": 192, "image_size": 160}
    theirs = ViTModel(ViTConfig(**sizes, patch_size=16, layer_norm_eps=1e-6), add_pooling_layer=False).eval()
    if kind == "saved":
        theirs.save_pretrained(tmp_path)
        source = str(tmp_path)
    else:
        save_file({classic(name): value for name, value in theirs.state_dict().items()}, tmp_path / "old.safetensors")
        source = str(tmp_path / "old.safetensors")
    method = build_method(SIZE, 0).eval()
    report = weights.initialise_from(method, {"vision": source})["vision"]
    image = torch.randn(2, 3, 160, 160)
    with torch.no_grad():
        own = vit(method).forward_features(image)
        assert torch.allclose(own, theirs(image).last_hidden_state, atol=1e-5)
    assert report["layout"] == "transformers" and not report["missing"] and not report["differing"]


def test_clip_and_dinov2_names_fall_into_place():
    from transformers import CLIPVisionConfig, CLIPVisionModel, Dinov2Config, Dinov2Model

    small = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": 32, "patch_size": 8}
    clip = keys.from_transformers(CLIPVisionModel(CLIPVisionConfig(**small, intermediate_size=48)).state_dict())
    assert {name.removeprefix("vision_model.") for name in clip} >= {"cls_token", "pos_embed", "norm_pre.weight", "norm.bias"}
    dino = keys.from_transformers(Dinov2Model(Dinov2Config(**small)).state_dict())
    assert {"blocks.1.attn.qkv.weight", "blocks.1.ls2.gamma", "blocks.0.norm2.bias", "blocks.0.mlp.fc2.weight", "norm.weight"} <= set(dino)
    assert dino["blocks.1.attn.qkv.weight"].shape == (96, 32)


def test_colour_filters_shown_grey_images_compute_the_same():
    import timm

    grey, colour = (timm.create_model("test_resnet", num_classes=0, in_chans=channels).eval() for channels in (1, 3))
    fit = keys.lay_over(grey.state_dict(), colour.state_dict())
    grey.load_state_dict(fit.tensors)
    image = torch.randn(2, 1, 64, 64)
    with torch.no_grad():
        assert torch.allclose(grey(image), colour(image.expand(-1, 3, -1, -1)), atol=1e-5)
    back = keys.lay_over(colour.state_dict(), grey.state_dict())
    assert len(back.adapted) == len(fit.adapted) == 1
    colour.load_state_dict(back.tensors)
    with torch.no_grad():
        assert torch.allclose(grey(image), colour(image.expand(-1, 3, -1, -1)), atol=1e-5)


def refusal(method, source):
    with pytest.raises(UserError) as error:
        weights.initialise_from(method, source)
    return str(error.value)


def test_a_file_of_another_architecture_is_refused_with_what_was_expected_and_found(tower, tmp_path):
    import timm

    method = build_method(SIZE, 0)
    before = {name: value.clone() for name, value in method.state_dict().items()}
    save_file(timm.create_model("test_vit2", num_classes=0).state_dict(), tmp_path / "deeper.safetensors")
    save_file({name: torch.cat([value, value]) for name, value in tower.state_dict().items() if value.ndim}, tmp_path / "wider.safetensors")
    save_file(timm.create_model("test_resnet", num_classes=0).state_dict(), tmp_path / "resnet.safetensors")
    ratio = {name: torch.cat([value, value]) if "mlp.fc1" in name else value for name, value in tower.state_dict().items()}
    save_file(ratio, tmp_path / "ratio.safetensors")
    short = {name: value for name, value in tower.state_dict().items() if "blocks.5" not in name}
    save_file(short, tmp_path / "shallower.safetensors")
    deeper = refusal(method, {"vision": str(tmp_path / "deeper.safetensors")})
    wider = refusal(method, {"vision": str(tmp_path / "wider.safetensors")})
    other = refusal(method, {"vision": str(tmp_path / "resnet.safetensors")})
    assert "blocks.6" in deeper and "deeper network" in deeper
    assert "expected vision.model." in wider and "found" in wider and "(" in wider
    assert "mlp.fc1.weight (192, 64), found blocks" in refusal(method, {"vision": str(tmp_path / "ratio.safetensors")})
    assert "expected vision.model." in other and "0 match" in other
    assert "blocks.5" in refusal(method, {"vision": str(tmp_path / "shallower.safetensors")})
    assert all(torch.equal(value, before[name]) for name, value in method.state_dict().items())


def test_what_cannot_start_anything_is_said_in_words(tower, tmp_path):
    method = build_method(SIZE, 0)
    (tmp_path / "no.safetensors").write_bytes(b"not a file of weights")
    (tmp_path / "empty").mkdir()
    (tmp_path / "shards").mkdir()
    (tmp_path / "shards" / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../../secret.safetensors"}}')
    torch.save({}, tmp_path / "w.pth")
    poisoned = {name: value.clone() for name, value in tower.state_dict().items()}
    poisoned["norm.weight"][3] = math.nan
    save_file(poisoned, tmp_path / "nan.safetensors")
    for source, word in [
        ("no.safetensors", "damaged"),
        ("gone.safetensors", "no such file"),
        ("empty", "holds none of"),
        ("shards", "no .safetensors file of this folder"),
        ("w.pth", "workbench import"),
        ("nan.safetensors", "norm.weight holds numbers that are not finite"),
    ]:
        assert word in refusal(method, {"vision": str(tmp_path / source)})
    assert "no such run" in refusal(method, {"vision": "20990101-nothing"})
    assert "no step" in refusal(method, {"vision": "20990101-nothing:last"})
    assert "the parts are" in refusal(method, {"visoin": "x.safetensors"})


def test_a_timm_name_means_pretrained_weights_or_nothing():
    method = build_method(SIZE, 0)
    assert "no such model" in refusal(method, {"vision": "timm:vit_gigantic"})
    assert "random ones start nothing" in refusal(method, {"vision": "timm:vit_small_patch16_36x1_224"})
    assert "hub is not reachable" in refusal(method, {"vision": "timm:vit_small_patch16_224.augreg_in21k"})


def test_a_snapshot_of_a_run_starts_the_same_part(small_run):
    values = {"name": "supervised", "labels": 3, "image_size": 32, "width": 16}
    method = build_method(values, 5)
    report = weights.initialise_from(method, {"vision": f"{small_run.id}:1"}, small_run.path.parent)["vision"]
    assert report["kind"] == "run" and not report["missing"] and any(name.startswith("image_projector") for name in report["unused"])
    given = weights.from_run(f"{small_run.id}:1", small_run.path.parent)
    assert all(torch.equal(value, given[name]) for name, value in method.state_dict().items() if name.startswith("vision"))
    assert not torch.equal(weights.from_run(small_run.id, small_run.path.parent)["vision.stem.0.weight"], given["vision.stem.0.weight"])


class Harmful:
    """What a hostile file holds: a call."""

    def __reduce__(self):
        return os.mkdir, (str(Harmful.path),)


def test_a_pickled_file_is_read_in_a_process_of_its_own_and_nothing_in_it_runs(tower, tmp_path):
    beside = {"epoch": 3, "args": argparse.Namespace(lr=0.1), "optimizer": {"lr": 1.0}}
    torch.save({"model": tower.state_dict()} | beside, tmp_path / "good.pth")
    report = pickled.rewrite(tmp_path / "good.pth", tmp_path / "good.safetensors")
    state = weights.load_safetensors(tmp_path / "good.safetensors")
    assert report == {"taken": "model", "beside": ["epoch", "args", "optimizer"], "tensors": len(tower.state_dict())}
    assert all(torch.equal(state[name], value) for name, value in tower.state_dict().items())
    Harmful.path = tmp_path / "ran"
    with open(tmp_path / "bad.pth", "wb") as file:
        pickle.dump({"model": Harmful()}, file)
    torch.save({"model": Harmful()}, tmp_path / "bad2.pth")
    torch.save({"epoch": 3}, tmp_path / "none.pth")
    (tmp_path / "text.pth").write_text("hello")
    for name, word in [("bad2", "restricted reader"), ("text", "restricted reader"), ("none", "no tensors")]:
        with pytest.raises(UserError, match=word):
            pickled.read(tmp_path / f"{name}.pth")
    with pytest.raises(UserError, match="restricted reader"):
        pickled.rewrite(tmp_path / "bad.pth", tmp_path / "out.safetensors")
    assert not Harmful.path.exists() and not (tmp_path / "out.safetensors").exists()


def test_an_unknown_official_layout_is_refused(tmp_path):
    with pytest.raises(UserError, match="there are mae"):
        load_official(tmp_path / "x.pth", "nothing")
