"""What is particular to CLIP, M-FLAG and the supervised reference."""

import math

import numpy as np
import pytest
import torch

from tests.toys import points
from tests.unit.test_text import small_bert  # noqa: F401
from workbench.batches import Address, Rows, collate
from workbench.dataset import Image
from workbench.errors import UserError
from workbench.losses.contrastive import info_nce
from workbench.losses.geometry import mflag_alignment
from workbench.method import group_of
from workbench.methods.supervised import SupervisedConfig
from workbench.models import build_method, method_config
from workbench.nn.projectors import mflag as mflag_projector
from workbench.nn.vision import VisionFields, study_means, vision_tower
from workbench.text import text_batch

SIZES = {"image_size": 16, "width": 12, "augment": "none"}
VALUES = {
    "clip": {"name": "clip", **SIZES, "hidden": 10, "dim": 9},
    "mflag": {"name": "mflag", **SIZES, "hidden": 10, "dim": 9},
    "supervised": {"name": "supervised", **SIZES, "labels": 2},
}


def build(name, seed=0, **more):
    return build_method(VALUES[name] | more, seed)


def batch_of(name, studies=8, images=1, **more):
    data = points.load(points.Config(studies=24, images=images))
    chosen, config = method_config(VALUES[name] | more)
    rows = Rows(chosen, config, {"points": data}, 0)
    return collate([rows[Address("points", index, 0)] for index in range(studies)])


def blank(batch, study):
    """The same batch as if one study had come without a report."""
    return batch | {"text_id": batch["text_id"].masked_fill(torch.arange(len(batch["text_id"])) == study, 0)}


def test_equal_parts_of_different_methods_start_equal():
    clip, mflag, supervised = build("clip", projector="mflag"), build("mflag"), build("supervised")
    for part in ("vision", "image_projector", "text_projector"):
        for name, value in getattr(clip, part).state_dict().items():
            torch.testing.assert_close(getattr(mflag, part).state_dict()[name], value, rtol=0, atol=0)
    assert torch.equal(supervised.vision.stem[0].weight, clip.vision.stem[0].weight)
    assert not torch.equal(build("clip", seed=1).vision.stem[0].weight, clip.vision.stem[0].weight)


def test_the_small_resnet_has_the_promised_size():
    assert 0.25e6 < sum(value.numel() for value in vision_tower(VisionFields()).parameters()) < 0.35e6


def test_each_block_of_the_small_resnet_halves_its_map_and_widens_none():
    for blocks, side in ((3, 14), (4, 7), (5, 4)):
        assert vision_tower(VisionFields(blocks=blocks, width=32)).map(torch.zeros(1, 1, 224, 224)).shape == (1, 32, side, side)


def test_clip_is_info_nce_of_its_projections_without_repeated_texts_as_negatives():
    method, batch = build("clip").eval(), batch_of("clip")
    assert len(batch["text_id"].unique()) < 8
    found = method.features_of(batch, ["image.projected", "text.projected"])
    wanted = info_nce(found["image.projected"], found["text.projected"], 0.07, batch["text_id"], "drop_duplicates")
    term = method(batch).terms["contrastive"]
    torch.testing.assert_close(term.sum, wanted)
    assert term.count == 1
    hard = build("clip", duplicates="hard").eval()(batch).terms["contrastive"]
    assert float(hard.sum.detach()) > float(term.sum.detach()) + 0.1


@pytest.mark.parametrize(("name", "term"), [("clip", "contrastive"), ("mflag", "alignment")])
def test_a_study_without_report_takes_no_part_in_what_needs_one(name, term):
    method = build(name).eval()
    batch = blank(batch_of(name), 3)
    kept = [row for row in range(8) if row != 3]
    rows = {key: value[kept] for key, value in batch.items() if isinstance(value, torch.Tensor)}
    smaller = batch | rows | {"key": batch["key"][:7], "image_index": torch.arange(7), "text_index": torch.arange(7)}
    found, wanted = method(batch).terms[term], method(smaller).terms[term]
    torch.testing.assert_close(found.sum / found.count, wanted.sum / wanted.count)
    assert method.counts(batch, "train")[term] == found.count


def test_a_batch_without_any_report_still_has_a_gradient_path():
    for name, term in (("clip", "contrastive"), ("mflag", "alignment")):
        batch = batch_of(name)
        found = build(name)(batch | {"text_id": torch.zeros_like(batch["text_id"])}).terms[term]
        assert float(found.sum) == 0 and found.sum.requires_grad


def test_the_temperature_stays_in_its_range_and_can_be_fixed():
    method = build("clip", temperature=0.0101)
    with torch.no_grad():
        method.temperature.log_scale += 1
    method.after_step(None)
    assert float(method.temperature()) == pytest.approx(0.01)
    fixed = build("clip", temperature_trainable=False, temperature=0.2)
    assert not fixed.temperature.log_scale.requires_grad and float(fixed.temperature()) == pytest.approx(0.2)
    assert group_of("temperature.log_scale", method.parameter_groups()).weight_decay == 0


def test_several_images_of_a_study_are_averaged():
    batch = batch_of("clip", images=3)
    z = torch.arange(24.0)[:, None]
    assert study_means(z, batch["image_index"], 8)[:, 0].tolist() == [3 * study + 1 for study in range(8)]
    assert build("clip")(batch).tensors["image.backbone"].shape == (8, 12)


def test_mflag_orthogonality_acts_on_the_backbone_and_alignment_on_both_towers():
    method, batch = build("mflag", orthogonality="official"), batch_of("mflag")
    reached = {}
    for term, value in method(batch).terms.items():
        method.zero_grad()
        value.sum.backward(retain_graph=True)
        reached[term] = {name.split(".")[0] for name, each in method.named_parameters() if each.grad is not None}
    assert reached == {"orthogonality": {"vision"}, "alignment": {"vision", "image_projector", "text_projector"}}


def test_mflag_alignment_is_a_sum_over_the_rows_it_counts():
    method, batch = build("mflag").eval(), batch_of("mflag")
    found = method.features_of(batch, ["image.projected", "text.projected"])
    term = method(batch).terms["alignment"]
    torch.testing.assert_close(term.sum / 8, mflag_alignment(found["image.projected"], found["text.projected"]))
    assert term.count == 8


def test_mflag_projector_is_the_official_one():
    projector = mflag_projector(6, 5, 4)
    assert [type(layer).__name__ for layer in projector] == ["Linear", "BatchNorm1d", "ReLU", "Linear", "BatchNorm1d"]
    assert projector[4].affine is False and projector[0].bias is not None
    projected = projector(torch.randn(50, 6, generator=torch.Generator().manual_seed(0)))
    torch.testing.assert_close(projected.var(0, correction=0), torch.ones(4), rtol=1e-2, atol=0)
    assert len(mflag_projector(6, 5, 4, batch_norm_ends=False)) == 4
    assert sum(value.numel() for value in mflag_projector(2048, 2048, 1024).parameters()) == pytest.approx(6.3e6, rel=0.01)


def test_mflag_against_the_frozen_text_itself():
    with pytest.raises(UserError, match=r"text_projector: none .* set dim: 384, it is 9"):
        build("mflag", text_projector="none")
    method = build("mflag", text_projector="none", dim=384)
    batch = batch_of("mflag", text_projector="none", dim=384)
    torch.testing.assert_close(method.features_of(batch, ["text.projected"])["text.projected"], method.encode_text(batch))


def test_mflag_levels():
    levels = build("mflag", orthogonality="official").levels(8)
    k = 0.0051 * (12 / 8 - 1)
    assert levels["terms.alignment"]["value"] == 4 and levels["terms.orthogonality"]["value"] == pytest.approx(6 * k / (1 + k))
    assert build("clip").levels(8)["terms.contrastive"]["value"] == pytest.approx(math.log(8))


def test_supervised_counts_stated_labels_only_and_refuses_other_numbers_of_them():
    method, batch = build("supervised"), batch_of("supervised")
    batch["labels"][2, 0] = math.nan
    term = method(batch).terms["labels"]
    assert int(term.count) == 15 == method.counts(batch, "train")["labels"]
    sample = points.load(points.Config())[0]
    with pytest.raises(UserError, match=r"expects 3 labels, found 2; set method.labels"):
        type(method).transform(SupervisedConfig(labels=3), sample, np.random.default_rng(0))


@pytest.mark.parametrize("name", ["clip", "mflag"])
def test_prompts_project_to_unit_rows(name):
    method = build(name).eval()
    texts = method.project_text(text_batch(method, ["There is an effusion.", "No effusion. Heart normal.", "Clear."]))
    images = method.project_image(batch_of(name))
    torch.testing.assert_close(texts.norm(dim=1), torch.ones(3))
    assert method.score(images, texts).shape == (8, 3)


class Ramps(points.Points):
    """Brightness rises or falls downwards (`up`) and to the right (`right`), under noise."""

    def __getitem__(self, index):
        sample, ramp = super().__getitem__(index), np.linspace(-1, 1, 16, dtype=np.float32)
        up, right = 2 * self.labels[index] - 1
        noise = np.random.default_rng(index).normal(size=(16, 16)).astype(np.float32)
        return sample | {"images": [Image(up * ramp[:, None] + right * ramp + 0.5 * noise)]}


def test_clip_learns_a_text_that_names_the_image():
    """After 25 steps a pair of prompts about one sign tells it on images not seen."""
    method, data = build("clip"), Ramps(points.Config(studies=300))
    chosen, config = method_config(VALUES["clip"])
    rows = Rows(chosen, config, {"ramps": data}, 0)
    optimizer = torch.optim.AdamW(method.parameters(), lr=3e-3)
    for step in range(25):
        batch = collate([rows[Address("ramps", (32 * step + row) % 200, 0)] for row in range(32)])
        method(batch).terms["contrastive"].sum.backward()
        optimizer.step()
        optimizer.zero_grad()
    method.eval()
    with torch.no_grad():
        positive, negative = method.project_text(text_batch(method, ["up 1 right 1", "up 0 right 1"]))
        test = collate([rows[Address("ramps", index, 0)] for index in range(200, 300)])
        scores = method.project_image(test) @ (positive - negative)
    up = test["labels"][:, 0] == 1
    assert (scores[up][:, None] > scores[~up]).double().mean() > 0.9


@pytest.mark.parametrize("name", ["resnet18", "vit_tiny_patch16_224", "convnext_tiny"])
def test_timm_towers_build_on_the_meta_device(name):
    config = VisionFields(vision=f"timm:{name}", image_size=64)
    with torch.device("meta"):
        tower = vision_tower(config)
        assert tower(torch.zeros(2, 1, 64, 64)).shape == (2, tower.width)
    assert all(value.is_meta for value in tower.parameters())


@pytest.mark.parametrize("name", ["test_resnet", "test_vit"])
def test_any_timm_tower_serves_clip(name):
    method, batch = build("clip", vision=f"timm:{name}", image_size=32), batch_of("clip", image_size=32)
    method(batch).terms["contrastive"].sum.backward()
    assert all(value.grad is not None for value in method.parameters())


def test_an_unknown_tower_is_named():
    with pytest.raises(UserError, match=r"timm has no model 'resnet81'; did you mean .*resnet"):
        vision_tower(VisionFields(vision="timm:resnet81"))
    with pytest.raises(UserError, match="vision: no tower named 'resnet'; use resnet_small or timm:NAME"):
        vision_tower(VisionFields(vision="resnet"))


def test_clip_with_a_trainable_text_tower(small_bert):  # noqa: F811
    more = {"text": str(small_bert[0]), "text_trainable": True, "text_pooling": "report"}
    method, batch = build("clip", **more), batch_of("clip", **more)
    method(batch).terms["contrastive"].sum.backward()
    without = [name for name, value in method.named_parameters() if value.grad is None]
    assert not without and any(name.startswith("text.") for name in method.gradient_free)
    with torch.device("meta"):
        chosen, config = method_config(VALUES["clip"] | more)
        assert all(value.is_meta for value in chosen(config).parameters())
