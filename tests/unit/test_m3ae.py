"""What is particular to M3AE: what each pass hides, fusion in parallel, false pairs, layers, rates, and the quirks of the published code."""

import functools
import math

import numpy as np
import pytest
import torch
import yaml

from training import optim
from training.loop import Trainer, train
from training.setup import open_data, resolve
from workbench import registry, words
from workbench.batches import Address, Rows, collate, others_images
from workbench.errors import UserError
from workbench.method import capabilities, group_of
from workbench.methods.m3ae import M3AE, swapped
from workbench.models import build_method, method_config
from workbench.run import Optimizer, RunConfig, create_run

SIZES = {"name": "m3ae", "image_size": 32, "width": 24, "depth": 2, "heads": 3, "text_width": 20, "text_depth": 1, "text_heads": 2}
SIZES |= {
    "fusion_width": 16,
    "fusion_depth": 3,
    "fusion_heads": 2,
    "pixel_layer": 1,
    "decoder_width": 16,
    "decoder_heads": 2,
    "augment": "none",
}
DATA = {"name": "phantoms", "level": "teaching", "size": 32, "train": 24, "val": 6, "test": 0}


@functools.cache
def dataset():
    module = registry.load("data", "phantoms")
    return module.load(module.Config(**{name: value for name, value in DATA.items() if name != "name"}))


class Changed:
    """The data set with one field of some studies replaced."""

    def __init__(self, changes):
        self.changes = changes

    def __getattr__(self, name):
        return getattr(dataset(), name)

    def __getitem__(self, index):
        return {**dataset()[index], **self.changes.get(index, {})}


def build(seed=0, **more):
    return build_method(SIZES | more, seed)


def batch_of(studies=8, step=0, changes=None, **more):
    chosen, config = method_config(SIZES | more)
    rows = Rows(chosen, config, {"data": Changed(changes or {})}, 0)
    return collate([rows[Address("data", index, step)] for index in range(studies)])


def term(method, batch, phase, name):
    with torch.no_grad():
        found = method(batch, phase).terms[name]
    return float(found.sum) / float(found.count)


def changed(batch, **fields):
    """The batch with fields of `extra`, or its own, replaced."""
    extra = {name: value for name, value in fields.items() if name in batch["extra"]}
    return {**batch, **{name: value for name, value in fields.items() if name not in extra}, "extra": {**batch["extra"], **extra}}


def test_three_passes_hide_words_then_patches_then_nothing():
    method, batch = build().eval(), batch_of()
    other_mask, other_words = batch["extra"]["mask"].roll(1, 1), torch.full_like(batch["extra"]["shown_words"], 7)
    before = {phase.name: term(method, batch, phase.name, phase.name) for phase in method.phases[:2]}
    assert term(method, changed(batch, mask=other_mask), "words", "words") == before["words"]
    assert term(method, changed(batch, shown_words=other_words), "words", "words") != before["words"]
    assert term(method, changed(batch, shown_words=other_words), "pixels", "pixels") == before["pixels"]
    assert term(method, changed(batch, mask=other_mask), "pixels", "pixels") != before["pixels"]


def test_the_joint_pass_hides_words_and_patches_at_once():
    method, batch = build(passes="joint", norm_pix=False).eval(), batch_of()
    assert [phase.name for phase in method.phases] == ["joint", "match"] and method.terms["joint"] == ("words", "pixels")
    other_mask, other_words = batch["extra"]["mask"].roll(1, 1), torch.full_like(batch["extra"]["shown_words"], 7)
    for name in ("words", "pixels"):
        assert term(method, changed(batch, mask=other_mask), "joint", name) != term(method, batch, "joint", name)
        assert term(method, changed(batch, shown_words=other_words), "joint", name) != term(method, batch, "joint", name)
    nothing = changed(batch, mask=torch.zeros_like(batch["extra"]["mask"]))
    assert term(method, nothing, "joint", "words") == pytest.approx(term(build(norm_pix=False).eval(), batch, "words", "words"), rel=1e-5)


def test_both_streams_of_a_layer_read_what_the_layer_before_gave():
    fusion = build().eval().pair.fusion
    text, image, mask = torch.randn(3, 5, 20), torch.randn(3, 7, 24), torch.tensor([[1] * 5, [1, 1, 1, 0, 0], [1] * 5])
    before = fusion.enter(text, mask, image)
    torch.testing.assert_close(before.text, fusion.from_text(text) + fusion.kind.weight[0])
    torch.testing.assert_close(before.image, fusion.from_image(image) + fusion.kind.weight[1])
    after, reader, viewer = fusion(before, 1), fusion.text_layers[0], fusion.image_layers[0]
    torch.testing.assert_close(after.text, reader(before.text, before.there, before.image))
    torch.testing.assert_close(after.image, viewer(before.image, None, before.text, before.there))
    again = fusion.one_layer(fusion.one_layer(after, 1), 2)
    torch.testing.assert_close(fusion(before).text, again.text)


def test_attention_mixes_by_the_weights_it_shows_and_padding_has_none():
    layer = build().eval().pair.fusion.text_layers[0].cross
    x, memory, there = torch.randn(2, 4, 16), torch.randn(2, 6, 16), torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    found = layer.weights(x, memory, there)
    q, k, v = (
        part(each).detach().double().numpy().reshape(2, -1, 2, 8)
        for part, each in ((layer.query, x), (layer.key, memory), (layer.value, memory))
    )
    scores = np.einsum("bthe,bmhe->bhtm", q, k) / math.sqrt(8)
    weights = np.exp(scores) * there.numpy()[:, None, None]
    weights /= weights.sum(-1, keepdims=True)
    np.testing.assert_allclose(found.detach().numpy(), weights, atol=1e-6)
    mixed = torch.from_numpy(np.einsum("bhtm,bmhe->bthe", weights, v).reshape(2, 4, 16)).float()
    torch.testing.assert_close(layer(x, memory, there), layer.out(mixed), rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_padding_changes_nothing():
    method, batch = build().eval(), batch_of()
    batch = changed(batch, input_ids=batch["input_ids"][:, :40], attention_mask=batch["attention_mask"][:, :40])
    longer = torch.nn.functional.pad(batch["input_ids"], (0, 3), value=9), torch.nn.functional.pad(batch["attention_mask"], (0, 3))
    padded = changed(batch, input_ids=longer[0], attention_mask=longer[1])
    for name in ("joint", "text.backbone"):
        a, b = (method.features_of(each, [name])[name] for each in (batch, padded))
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_words_are_read_from_the_last_layer_and_pixels_from_a_lower_one():
    batch, reached = batch_of(), {}
    for phase, layer in (("words", 1), ("pixels", 1), ("pixels", -1), ("pixels", 0)):
        method = build(pixel_layer=layer)
        found = method(batch, phase).terms[phase]
        (found.sum / found.count).backward()
        image = [number for number, each in enumerate(method.pair.fusion.image_layers) if each.mlp[0].weight.grad is not None]
        reached[phase, layer] = image
    assert reached == {("words", 1): [0, 1], ("pixels", 1): [0], ("pixels", -1): [0, 1, 2], ("pixels", 0): []}


@torch.no_grad()
def test_filled_words_depend_on_what_is_shown_and_not_on_what_is_hidden():
    method, batch = build().eval(), batch_of()
    hidden = batch["extra"]["hidden_words"][:, : batch["input_ids"].shape[1]]
    logits = method.fill(batch, hidden)
    assert logits.shape == (*batch["input_ids"].shape, words.vocabulary("words:phantoms").size)
    secret = changed(batch, input_ids=torch.where(hidden, 11, batch["input_ids"]))
    assert torch.equal(method.fill(secret, hidden), logits)
    images = changed(batch, images=batch["images"].roll(1, 0))
    assert not torch.allclose(method.fill(images, hidden), logits)


@torch.no_grad()
def test_the_terms_are_the_losses_of_what_the_capabilities_return():
    method, batch = build(norm_pix=False).eval(), batch_of()
    hidden = batch["extra"]["hidden_words"][:, : batch["input_ids"].shape[1]]
    marked = changed(batch, shown_words=batch["extra"]["shown_words"].masked_fill(batch["extra"]["hidden_words"], method.known.mark))
    logits = method.fill(batch, hidden)[hidden].double().numpy()
    wanted = batch["input_ids"][hidden].numpy()
    each = np.log(np.exp(logits).sum(1)) - logits[np.arange(len(wanted)), wanted]
    assert term(method, marked, "words", "words") == pytest.approx(each.mean(), rel=1e-5)
    assert method.counts(batch, "words") == {"words": len(wanted)} and method.counts(batch, "pixels") == {"pixels": 8 * 12}
    mask = batch["extra"]["mask"]
    painted, error = method.reconstruct(batch, mask)
    assert painted.shape == batch["images"].shape
    assert term(method, batch, "pixels", "pixels") == pytest.approx(float(error[mask].mean()), rel=1e-5)
    assert {"FillsWords", "Reconstructs", "Attends", "Embeds"} <= set(capabilities(method))
    shown = method.attention(batch)
    assert shown["words"].shape == (3, 8, 2, batch["input_ids"].shape[1], 17)
    torch.testing.assert_close(shown["words"].sum(-1), torch.ones_like(shown["words"][..., 0]))
    assert shown["image"].shape == (2, 8, 3, 17, 17)


def test_false_pairs_have_another_report():
    ids = torch.tensor([1, 2, 1, 3, 1, 4, 5])
    torch.manual_seed(0)
    images, own = set(), 0
    for _ in range(300):
        image, match = swapped(ids, "fixed")
        assert match.sum() == 3 and (image[match == 1] == torch.arange(7)[match == 1]).all()
        false = torch.arange(7)[match == 0]
        assert (ids[image[false]] != ids[false]).all()
        images |= {(int(row), int(image[row])) for row in false}
        published, label = swapped(ids, "official")
        assert label.sum() == 3
        own += int((published[label == 0] == torch.arange(7)[label == 0]).sum())
    assert len(images) == sum(int((ids != each).sum()) for each in ids), "every image of another report is drawn"
    assert own > 100, "the published code may show the own image and call it false"
    assert swapped(torch.tensor([4, 4, 4]), "fixed")[1].tolist() == [1, 1, 1], "equal reports make no false pair"
    assert [len(each) for each in swapped(torch.zeros(0, dtype=torch.long), "fixed")] == [0, 0]


def test_a_study_without_report_trains_the_pixels_only():
    changes = {1: {"texts": []}, 3: {"texts": []}}
    method, batch = build(), batch_of(changes=changes)
    assert method.counts(batch, "match") == {"match": 6}
    assert method(batch, "match").terms["match"].count == 6
    assert not batch["extra"]["hidden_words"][[1, 3]].any() and method.counts(batch, "pixels") == {"pixels": 8 * 12}
    assert method(batch, "pixels").terms["pixels"].count == 8 * 12


def test_every_image_of_a_study_is_a_pair_with_its_report():
    two = {0: {"images": [dataset()[0]["images"][0], dataset()[5]["images"][0]]}}
    method, batch = build().eval(), batch_of(4, changes=two)
    assert len(batch["images"]) == 5 and method.counts(batch, "match") == {"match": 5}
    hidden = batch["extra"]["hidden_words"].sum(1)
    assert method.counts(batch, "words")["words"] == int(hidden.sum() + hidden[0]) == method(batch, "words").terms["words"].count
    with torch.no_grad():
        found = method.features_of(batch, list(method.features))
        alone = [method.features_of(batch_of(1, changes={0: {"images": [image]}}), ["joint"])["joint"] for image in two[0]["images"]]
    assert found["joint"].shape == (4, 32) and found["image.patches"].shape == (4, 16, 24)
    torch.testing.assert_close(found["joint"][:1], sum(alone) / 2, rtol=1e-4, atol=1e-5)
    assert all(math.isfinite(value) for value in method.mechanism_report(batch).values())


@torch.no_grad()
def test_the_report_compares_with_another_s_image_and_report():
    method, batch = build().eval(), batch_of(5)
    found, hidden = method.mechanism_report(batch), batch["extra"]["hidden_words"][:, : batch["input_ids"].shape[1]]
    mask, moved = batch["extra"]["mask"], [4, 0, 1, 2, 3]
    image = changed(batch, images=batch["images"][moved])
    report = changed(batch, input_ids=batch["input_ids"][moved], attention_mask=batch["attention_mask"][moved])
    for name, shown in (("its own image", batch), ("another's image", image)):
        right = method.fill(shown, hidden)[hidden].argmax(-1) == batch["input_ids"][hidden]
        assert found[f"hidden words right, {name}"] == pytest.approx(float(right.float().mean()))
        torch.testing.assert_close((batch if shown is batch else others_images(batch))["images"], shown["images"])
    for name, told in (("its own report", batch), ("another's report", report)):
        assert found[f"error of hidden patches, {name}"] == pytest.approx(float(method.reconstruct(told, mask)[1][mask].mean()), rel=1e-5)
    shares = [len(np.unique(batch["input_ids"][hidden])), int(np.unique(batch["input_ids"][hidden], return_counts=True)[1].max())]
    assert found["hidden words right, the commonest"] == pytest.approx(shares[1] / int(hidden.sum())) and shares[0] > 1
    assert found["patches hidden"] == pytest.approx(float(mask.float().mean())) and found["reports with a hidden word"] == 1
    few = batch["extra"]["hidden_words"] & torch.tensor([[True], [True], [False], [False], [False]])
    mute = changed(batch, text_id=batch["text_id"] * torch.tensor([1, 1, 1, 1, 0]), hidden_words=few)
    assert method.mechanism_report(mute)["reports with a hidden word"] == 0.5, "of four reports"
    method.pair.match.weight.zero_()
    for told, bias in ((1.0, [0.0, 1.0]), (0.0, [1.0, 0.0])):
        method.pair.match.bias.copy_(torch.tensor(bias))
        assert method.mechanism_report(batch)["pairs called own"] == told
    assert found["error of hidden patches, its own report"] != found["error of hidden patches, another's report"]
    two = changed(batch, image_index=torch.tensor([0, 0, 1, 2, 2]), view_index=torch.tensor([0, 1, 0, 0, 1]))
    assert torch.equal(others_images(two)["images"], batch["images"][[3, 0, 2]]) and others_images(two)["image_index"].tolist() == [0, 1, 2]


def test_start_levels():
    method, batch = build(norm_pix=True).eval(), batch_of()
    levels = method.levels(8)
    size = method.known.size
    assert levels["terms.words"]["value"] == pytest.approx(math.log(size)) and levels["terms.pixels"]["value"] == 1 - 1 / 64
    assert term(method, batch, "words", "words") == pytest.approx(math.log(size), rel=0.05)
    assert levels["terms.match"]["value"] == pytest.approx(math.log(2))
    assert "terms.pixels" not in build(norm_pix=False).levels(8)


def test_published_sizes():
    config = {"image_size": 288, "patch_size": 16, "width": 12, "heads": 3, "fusion_width": 12, "fusion_heads": 3, "fusion_depth": 6}
    method = build(**config, pixel_layer=3, depth=1)
    batch = batch_of(2, **config)
    kept = (~batch["extra"]["mask"]).sum(1)
    assert kept.tolist() == [81, 81]
    with torch.no_grad():
        assert method.pair.see(batch["images"], torch.arange(81).expand(2, -1)).shape == (2, 82, 12)
        assert method.features_of(batch, ["joint"])["joint"].shape == (2, 24)
        assert method.reconstruct(batch, batch["extra"]["mask"])[1].shape == (2, 324)


def test_fusion_and_heads_learn_faster_than_the_towers_and_norms_decay_as_chosen():
    method = build()
    every = [name for name, _ in method.named_parameters()]
    (built,) = optim.build(method, {"main": Optimizer(lr=0.1, weight_decay=0.2)}, every).values()
    rates = {name: (group["lr_scale"], group["weight_decay"]) for group in built.param_groups for name in group["names"]}
    assert rates["pair.vision.blocks.0.attn.qkv.weight"] == (1, 0.2) and rates["pair.text.words.weight"] == (1, 0.2)
    assert rates["pair.fusion.text_layers.0.mlp.0.weight"] == rates["word_head.out.weight"] == rates["pair.match.weight"] == (5, 0.2)
    assert rates["pair.fusion.text_layers.0.mlp_norm.weight"] == rates["decoder.mask_token"] == (5, 0)
    assert rates["pair.vision.norm.weight"] == rates["pair.vision.cls_token"] == (1, 0)
    labels = [group["label"] for group in built.param_groups]
    assert len(set(labels)) == len(labels)
    groups = build(norm_decay="official").parameter_groups()
    for name in ("pair.vision.norm.weight", "pair.vision.blocks.1.norm1.weight", "pair.vision.blocks.1.norm2.weight"):
        assert group_of(name, groups).weight_decay is None
    assert (
        group_of("pair.vision.norm.bias", groups).weight_decay
        == group_of("pair.fusion.text_layers.0.own_norm.weight", groups).weight_decay
        == 0
    )


def test_the_linear_schedule_falls_to_nothing():
    config = Optimizer(schedule="linear", warmup=10)
    assert [optim.schedule(config, step, 110) for step in (0, 9, 10, 60, 110)] == [0.1, 1.0, 1.0, 0.5, 0.0]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"image_size": 36}, "image_size 36 is no multiple of patch_size 8"),
        ({"width": 25}, "width 25 must be a multiple of 4 and of heads 3"),
        ({"fusion_width": 15}, "fusion_width 15 must be a multiple of fusion_heads 2"),
        ({"text_width": 21}, "text_width 21 must be a multiple of text_heads 2"),
        ({"decoder_width": 14}, "decoder_width 14 must be a multiple of 4"),
        ({"pixel_layer": 4}, "pixel_layer 4 is above the fusion's 3 layers"),
        ({"text": "words:/nowhere"}, "a text tower needs a tokenizer"),
    ],
)
def test_what_does_not_fit_is_named_before_a_run(values, said):
    with pytest.raises(UserError, match=said):
        build(**values)


def test_a_batch_of_one_cannot_be_matched():
    batch = batch_of(1)
    with pytest.raises(UserError, match=r"matching needs false images.*set batch to 2 or more"):
        build()(batch, "match")
    assert build().eval()(batch, "match").terms["match"].count == 1


def configured(**more):
    values = {"method": SIZES, "data": {"films": {"config": DATA}}, "stages": [{"steps": 4}], "batch": 6, "device": "cpu"}
    return RunConfig.model_validate(values | {"checkpoint_every": 2, "monitors": {"studies": 0}} | more)


def test_fusion_without_text_is_refused(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "data.csv").write_text("filename,patient,split\na.png,1,train\n")
    from PIL import Image

    Image.new("L", (32, 32), 7).save(tmp_path / "images/a.png")
    config = configured(
        data={
            "films": {"config": {"name": "manifest", "root": str(tmp_path), "text": "none", "columns": {"patient": "patient"}, "size": 32}}
        }
    )
    with pytest.raises(UserError, match="method m3ae needs text"):
        open_data(config, M3AE)


@pytest.mark.parametrize("passes", ["official", "joint"])
def test_a_resumed_run_equals_one_that_was_not_stopped(passes, tmp_path):
    config = resolve(configured(method=SIZES | {"passes": passes}, accumulate=2, batch=3))
    whole, halved = create_run(config, tmp_path / "a"), create_run(config, tmp_path / "b")
    assert train(whole, shared=True) == "finished"

    class Stopped(Trainer):
        def train_step(self, batches):
            self.stopping = "asked" if self.step == 1 else None
            return super().train_step(batches)

    assert Stopped(halved, shared=True).train() == "stopped"
    assert train(halved, resume=True, shared=True) == "finished"
    told = [[(each["step"], each["loss"], each["terms"]) for each in run.metrics() if each["kind"] == "train"] for run in (whole, halved)]
    assert told[0] == told[1] and len(told[0]) == 4
    assert yaml.safe_load((whole.path / "config.yaml").read_text())["method"]["passes"] == passes
