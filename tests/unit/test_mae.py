"""What is particular to MAE: the loss, the encoder that never sees hidden patches, exact attention, masks from the addressed draw."""

import json

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from tests.toys import points
from training.loop import Trainer
from training.setup import resolve
from workbench.batches import Address, Rows, collate
from workbench.errors import UserError
from workbench.losses.reconstruction import masked_pixel
from workbench.methods.mae import MAEConfig
from workbench.models import build_method, method_config
from workbench.nn import vit
from workbench.nn.colours import to_grey, to_input
from workbench.run import RunConfig, create_run

SIZES = {"name": "mae", "image_size": 16, "patch_size": 4, "width": 12, "depth": 2, "heads": 3}
SIZES |= {"decoder_width": 8, "decoder_depth": 2, "decoder_heads": 2, "augment": "none"}


@pytest.fixture(autouse=True)
def plugins(monkeypatch):
    monkeypatch.setenv("WORKBENCH_PLUGINS", "tests.toys")


def build(seed=0, **more):
    return build_method(SIZES | more, seed)


def batch_of(studies=6, images=1, seed=0, **more):
    data = points.load(points.Config(studies=24, images=images))
    chosen, config = method_config(SIZES | more)
    rows = Rows(chosen, config, {"points": data}, seed)
    return collate([rows[Address("points", index, 0)] for index in range(studies)])


def reference_loss(prediction, target, mask, norm_pix):
    """Patch by patch."""
    total, count = 0.0, 0
    for i in range(len(target)):
        for n in range(len(target[i])):
            patch = target[i, n]
            if norm_pix:
                patch = (patch - patch.sum() / len(patch)) / np.sqrt(((patch - patch.mean()) ** 2).sum() / (len(patch) - 1) + 1e-6)
            if mask[i, n]:
                total, count = total + ((prediction[i, n] - patch) ** 2).sum() / len(patch), count + 1
    return total / count


@pytest.mark.parametrize("norm_pix", [False, True])
def test_the_loss_is_the_mean_over_removed_patches(norm_pix):
    draw = np.random.default_rng(0)
    prediction, target = draw.normal(size=(2, 3, 5, 7))
    mask = np.array([[1, 0, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 0, 0, 1]])
    given = torch.from_numpy(prediction).requires_grad_(), torch.from_numpy(target), torch.from_numpy(mask)
    found = masked_pixel(*given, norm_pix)
    assert float(found.detach()) == pytest.approx(reference_loss(prediction, target, mask, norm_pix), rel=1e-9)
    assert gradcheck(lambda x: masked_pixel(x, given[1], given[2], norm_pix), given[:1])
    moved = torch.from_numpy(np.where(mask[..., None] > 0, prediction, 99.0))
    assert float(masked_pixel(moved.detach(), given[1], given[2], norm_pix)) == pytest.approx(float(found.detach())), (
        "visible patches do not count"
    )
    assert float(masked_pixel(given[1], given[1] + 1, torch.zeros(3, 5), norm_pix)) == 0


def test_the_loss_is_float32_for_half_precision():
    half = torch.randn(2, 3, 4).to(torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16):
        assert masked_pixel(half, half + 1, torch.ones(2, 3), True).dtype == torch.float32


def test_hidden_pixels_never_reach_the_encoder():
    method, batch = build(), batch_of()
    kept, _ = vit.split_mask(batch["extra"]["mask"])
    hidden = batch["extra"]["mask"].reshape(-1, 4, 4).repeat_interleave(4, 1).repeat_interleave(4, 2)[:, None]
    other = torch.where(hidden, torch.randn_like(batch["images"]), batch["images"])
    with torch.no_grad():
        a, b = method.vision(batch["images"], kept), method.vision(other, kept)
    assert torch.equal(a.patches, b.patches) and torch.equal(a.token, b.token) and a.patches.shape == (6, 4, 12)


def test_all_patches_kept_in_any_order_encode_as_the_whole_image():
    method, batch = build().eval(), batch_of()
    order = torch.stack([torch.randperm(16) for _ in range(6)])
    with torch.no_grad():
        whole, shuffled = method.vision(batch["images"]), method.vision(batch["images"], order)
    torch.testing.assert_close(shuffled.patches, vit.pick(whole.patches, order), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("depth", [1, 3])
@torch.no_grad()
def test_the_fast_decoder_equals_every_block_on_every_token(depth):
    torch.manual_seed(0)
    layers = vit.blocks(depth, 8, 2, 4.0).eval()
    seen, hidden, removed = torch.randn(3, 5, 8), torch.randn(9, 8), torch.stack([torch.randperm(9)[:4] for _ in range(3)])
    wanted = torch.cat([seen, hidden[removed]], 1)
    for block in layers:
        wanted = block(wanted)
    torch.testing.assert_close(vit.decode(layers, seen, hidden, removed, 5), wanted[:, 5:], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(vit.decode(layers, seen, hidden, removed, 1), wanted[:, 1:], rtol=1e-5, atol=1e-6)


@torch.no_grad()
def test_attention_is_the_softmax_of_queries_and_keys_of_each_layer():
    method, batch = build().eval(), batch_of(3)
    found = method.attention(batch)["image"]
    assert found.shape == (2, 3, 3, 17, 17)
    x = method.vision.embedded(batch["images"], None)
    for layer, block in enumerate(method.vision.blocks):
        projected = block.attn.qkv(block.norm1(x)).double().numpy()
        mixed = np.zeros((3, 17, 12))
        for head in range(3):
            q, k, v = (projected[..., part * 12 + head * 4 : part * 12 + head * 4 + 4] for part in range(3))
            weights = np.exp(q @ k.transpose(0, 2, 1) / 2)
            weights /= weights.sum(-1, keepdims=True)
            np.testing.assert_allclose(found[layer, :, head].numpy(), weights, atol=1e-5)
            mixed[..., head * 4 : head * 4 + 4] = weights @ v
        fused = block.attn(block.norm1(x))
        torch.testing.assert_close(block.attn.proj(torch.from_numpy(mixed).float()), fused, rtol=1e-4, atol=1e-5)
        x = block(x)


def test_the_mask_is_a_function_of_seed_step_and_key_and_each_batch_carries_its_ratio():
    plain, shifted = batch_of(), batch_of(augment="shift_gain")
    assert torch.equal(plain["extra"]["mask"], shifted["extra"]["mask"]), "twins that differ in augmentation see the same masks"
    assert not torch.equal(plain["extra"]["mask"], batch_of(seed=1)["extra"]["mask"])
    assert not torch.equal(plain["extra"]["mask"][0], plain["extra"]["mask"][1])
    other = batch_of(mask_ratio=0.5)["extra"]
    assert (other["mask"].sum(1) == 8).all() and other["mask_ratio"].tolist() == [0.5] * 6


def test_images_of_a_study_share_its_mask_and_are_averaged():
    method, batch = build(), batch_of(studies=4, images=3)
    term = method(batch).terms["pixels"]
    assert term.count == 4 * 3 * 12 == method.counts(batch, "train")["pixels"]
    found = method.features_of(batch, ["image.backbone", "image.patches"])
    assert found["image.backbone"].shape == (4, 12) and found["image.patches"].shape == (4, 16, 12)
    first = method.vision(batch["images"][::3]).patches
    torch.testing.assert_close(found["image.patches"], first, rtol=1e-5, atol=1e-6)


def test_the_class_token_can_stand_for_the_image():
    batch, found = batch_of(), {}
    for pooling in ("mean", "class"):
        method = build(pooling=pooling).eval()
        found[pooling] = method.features_of(batch, ["image.backbone"])["image.backbone"]
        encoded = method.vision(batch["images"])
        torch.testing.assert_close(found[pooling], encoded.token if pooling == "class" else encoded.patches.mean(1))
    assert not torch.allclose(found["mean"], found["class"])


@pytest.mark.parametrize("norm_pix", [False, True])
@torch.no_grad()
def test_the_reconstruction_is_in_the_image_s_units_and_its_error_in_the_loss_s(norm_pix):
    method, batch = build(norm_pix=norm_pix, channels=3, normalise="imagenet"), batch_of()
    mask = batch["extra"]["mask"]
    pixels, error = method.reconstruct(batch, mask)
    term = method(batch).terms["pixels"]
    assert pixels.shape == (6, 3, 16, 16)
    assert float((error * mask).sum() / mask.sum()) == pytest.approx(float(term.sum / term.count), rel=1e-5)
    if norm_pix:
        target, painted = vit.patchify(method.shown(batch), 4), vit.patchify(pixels, 4)
        answer = (painted - target.mean(-1, keepdim=True)) / (target.var(-1, keepdim=True) + 1e-6).sqrt()
        standard = (target - target.mean(-1, keepdim=True)) / (target.var(-1, keepdim=True) + 1e-6).sqrt()
        torch.testing.assert_close((answer - standard).square().mean(-1), error, rtol=1e-3, atol=1e-4)


@torch.no_grad()
def test_nothing_hidden_and_everything_hidden_work():
    method, batch = build(norm_pix=False), batch_of()
    for mask in (torch.zeros(6, 16, dtype=torch.bool), torch.ones(6, 16, dtype=torch.bool)):
        pixels, error = method.reconstruct(batch, mask)
        assert torch.isfinite(pixels).all() and error.shape == (6, 16)


def test_masks_of_one_batch_hide_equally_many():
    mask = torch.zeros(2, 9, dtype=torch.bool)
    mask[0, :3] = mask[1, 4] = True
    with pytest.raises(UserError, match=r"hide \[1, 3\] patches"):
        vit.split_mask(mask)


def test_grey_values_survive_the_way_to_the_network_and_back():
    images = torch.rand(2, 1, 5, 5) * 4 - 2
    grey = images[:, 0] * 0.25 + 0.5
    for channels, normalise in ((1, "grey"), (3, "grey"), (1, "imagenet"), (3, "imagenet")):
        given = to_input(images, channels, normalise)
        assert given.shape == (2, channels, 5, 5)
        torch.testing.assert_close(to_grey(given, normalise), grey, rtol=1e-5, atol=1e-6)
    red = to_input(images, 3, "imagenet")[:, 0]
    torch.testing.assert_close(red, (grey - 0.485) / 0.229, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("values", "said"),
    [({"image_size": 18}, "no multiple of patch_size 4"), ({"width": 14}, "heads 3"), ({"decoder_width": 9}, "decoder_heads 2")],
)
def test_sizes_that_do_not_fit_are_named(values, said):
    with pytest.raises(UserError, match=said):
        build(**values)


def test_trivial_levels():
    level = build(norm_pix=True).levels(8)["terms.pixels"]["value"]
    target = torch.randn(400, 5, 16)
    assert level == pytest.approx(15 / 16) == pytest.approx(float(masked_pixel(target * 0, target, torch.ones(400, 5), True)), abs=1e-3)
    assert build(norm_pix=False).levels(8) == {}
    method, batch = build(norm_pix=False), batch_of()
    kept, removed = vit.split_mask(batch["extra"]["mask"])
    pixels = vit.patchify(batch["images"], 4)
    wanted = (vit.pick(pixels, removed) - vit.pick(pixels, kept).mean((1, 2), keepdim=True)).square().mean()
    assert float(method(batch).scalars["trivial"]) == pytest.approx(float(wanted), rel=1e-5)
    report = method.mechanism_report(batch)
    assert report["patches shown"] == pytest.approx(0.25)


def test_the_ratio_is_live():
    assert MAEConfig.model_json_schema()["properties"]["mask_ratio"]["live"]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_turned_mask_ratio_takes_effect_in_its_step_and_survives_a_resume(workers, tmp_path):
    values = {"method": SIZES, "data": {"points": {"config": {"name": "tests.toys.points"}}}, "stages": [{"steps": 4}], "batch": 8}
    values |= {"device": "cpu", "workers": workers, "checkpoint_every": 2, "monitors": {"studies": 0}}
    run = create_run(resolve(RunConfig.model_validate(values)), tmp_path)
    run.command(command="set", name="method.mask_ratio", value=0.5)
    run.command(command="set", name="method.mask_ratio", value=1.5)
    seen = []

    class Watched(Trainer):
        def train_step(self, batches):
            seen.append(float(batches[0]["extra"]["mask_ratio"][0]))
            if self.step == 1 and len(seen) == 2:
                self.stopping = "asked"
            return super().train_step(batches)

    assert Watched(run, shared=True).train() == "stopped"
    assert Watched(run, shared=True, resume=True).train() == "finished"
    assert seen == [0.5] * 4
    knob = next(event for event in run.events() if event["event"] == "knob")
    assert (knob["name"], knob["from"], knob["to"], knob["step"]) == ("method.mask_ratio", 0.75, 0.5, 0)
    assert "method.mask_ratio" in run.status["live"]
    refused = [json.loads(path.read_text())["reason"] for path in (run.path / "control").glob("*.refused")]
    assert len(refused) == 1 and "less than or equal to 0.98" in refused[0]
