"""The image tower block by block: against the features the method itself gives, and by hand."""

import json

import numpy as np
import pytest
import torch

import workbench as wb
from workbench import depth
from workbench.analysis import depth as analysis
from workbench.analysis.collapse import participation_ratio
from workbench.analysis.similarity import linear_cka
from workbench.embeddings import Embeddings
from workbench.errors import UserError
from workbench.features import dataset_of, extract
from workbench.models import load_method
from workbench.nn.vision import Timm
from workbench.nn.vit import Encoder


@pytest.fixture(scope="module")
def found(small_run):
    return wb.open_run(small_run.path).depth()


def test_the_last_block_of_a_residual_tower_is_its_backbone(small_run, found):
    """Its features are the mean of the last map, so every number of the last block is one the look knows."""
    step = small_run.steps_of("snapshots")[-1]
    known = small_run.geometry(step)["image.backbone"]
    last = found.data.stages[-1]
    assert [stage.d for stage in found.data.stages] == [24, 32, 64, 16]
    assert float(last.numbers["participation_ratio"]) == pytest.approx(known["participation_ratio"]["value"], rel=1e-4)
    assert last.numbers["offset"].low == pytest.approx(known["offset"]["low"], rel=1e-3)
    first = small_run.geometry(0)["image.backbone"]
    assert float(found.data.untrained[-1].numbers["feature_std"]) == pytest.approx(first["feature_std"]["value"], rel=1e-4)


def test_blocks_come_in_the_order_an_image_passes_them(small_run, found):
    """The first is the stem, computed here by hand."""
    method, dataset = load_method(small_run), dataset_of(small_run)
    studies = dataset.split("val")[:9]
    blocks = depth.vectors(method, dataset, studies, lambda share: None)
    kept = []
    hook = method.vision.register_forward_hook(lambda module, given, out: kept.append(given[0]))
    extract(method, dataset, studies, [method.embeds], batch=9)
    hook.remove()
    with torch.no_grad():
        stem = method.vision.stem(kept[0].contiguous(memory_format=torch.channels_last)).mean((2, 3))
    np.testing.assert_allclose(blocks[0], stem.numpy(), atol=1e-5)
    assert found.data.alike.values[0, 0] == pytest.approx(1)


def test_a_transformers_blocks_leave_the_class_token_out():
    encoder = Encoder(16, 4, 1, 8, 3, 2).eval()
    x = torch.rand(5, 17, 8)
    np.testing.assert_allclose(encoder.stage_vector(x).numpy(), x[:, 1:].mean(1).numpy())
    tower = Timm("vit_tiny_patch16_224", 32, 8)
    assert len(tower.stages()) == 12 and tower.stage_vector(x).shape == (5, 8)
    np.testing.assert_allclose(tower.stage_vector(x).numpy(), x[:, 1:].mean(1).numpy())


def test_a_study_is_the_mean_of_its_images(small_run, monkeypatch):
    """Each study is given the film of another besides its own."""
    method, dataset = load_method(small_run), dataset_of(small_run)
    once = depth.vectors(method, dataset, dataset.split("val")[:6], lambda share: None)
    real = depth.fixed_batches

    def doubled(*given):
        for batch in real(*given):
            films, index = batch["images"], batch["image_index"]
            yield batch | {"images": torch.cat([films, films.flip(0)]), "image_index": torch.cat([index, index])}

    monkeypatch.setattr(depth, "fixed_batches", doubled)
    twice = depth.vectors(method, dataset, dataset.split("val")[:6], lambda share: None)
    np.testing.assert_allclose(twice[1], (once[1] + once[1][::-1]) / 2, atol=1e-5)


def blocks(n=160):
    rng = np.random.default_rng(0)
    z = rng.normal(size=(n, 6))
    keys = tuple(f"s{row}" for row in range(n))
    wide, flat = z, np.outer(z[:, 0], np.ones(6)) + 1e-3 * z
    return z, {name: Embeddings(each.astype(np.float32), keys, keys, name, 3, "h") for name, each in (("1", wide), ("2", flat))}


def test_a_block_that_flattens_is_seen_and_a_label_is_read_where_it_lies():
    z, both = blocks()
    y = (z[:, :2] > 0).astype(float)
    labels = analysis.Labels(y, [f"t{row}" for row in range(len(z))], y)
    wide, flat = analysis.measure(both, {name: each.features for name, each in both.items()}, labels)
    assert float(wide.numbers["participation_ratio"]) == pytest.approx(float(participation_ratio(z)), rel=1e-5) and wide.d == 6
    assert float(flat.numbers["participation_ratio"]) < 1.01 < 5 < float(wide.numbers["participation_ratio"])
    assert float(wide.numbers["probe"]) > 0.95
    grid = analysis.resemblance(both)
    assert grid.values[0, 1] == pytest.approx(float(linear_cka(both["1"], both["2"], debiased=True)), abs=1e-6)


def test_rows_that_are_no_numbers_are_named():
    _, both = blocks()
    both["2"].features[3] = np.nan
    with pytest.raises(UserError, match="2: 1 studies have features that are no numbers"):
        analysis.measure(both, {}, None)


def test_it_comes_back_through_json_and_is_drawn(found):
    again = analysis.Depth.of_dict(json.loads(json.dumps(found.data.as_dict())))
    assert again.stages == found.data.stages and again.untrained == found.data.untrained
    assert {row["block"] for row in found.rows} == {"1", "2", "3", "4"} and all("untrained" in row for row in found.rows)
    drawn = [trace.name for trace in found.figure.data if trace.name]
    assert drawn.count("untrained") == len({row["statistic"] for row in found.rows} & {"participation_ratio", "offset", "probe"})


def test_a_method_without_known_blocks_is_refused():
    with pytest.raises(UserError, match="no image tower whose blocks are known"):
        depth.tower(torch.nn.Linear(2, 2))
