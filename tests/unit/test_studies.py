"""Studies: what they refuse, and the small real one with two steps a run."""

import json
import os
from functools import partial

import pytest
import torch

from training import records, studies
from training.records import averaged, same
from training.studies import real_small
from workbench.analysis.statistics import macro_auroc_interval
from workbench.batches import Rows, fixed_batches, others_texts
from workbench.errors import UserError
from workbench.features import dataset_of
from workbench.models import load_method
from workbench.run import Run, list_runs


def test_a_study_that_is_not_there_or_has_no_data_says_so(tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"the studies are claims, .*real-small, or give a YAML file"):
        studies.conduct("real", tmp_path)
    monkeypatch.delenv("WORKBENCH_TEST_DATA", raising=False)
    with pytest.raises(UserError, match="WORKBENCH_TEST_DATA is not set"):
        studies.conduct("real-small", tmp_path)


def test_configurations_are_the_same_whatever_they_are_called():
    one = {"name": "a", "trials": 1, "seed": 0}
    assert same(one, {**one, "name": "b", "trials": 3}) and not same(one, {**one, "seed": 1})


def test_seeds_are_averaged_with_patients_drawn_jointly_and_the_seed_as_unit_beside():
    import numpy as np

    draw = np.random.default_rng(0)
    labels = (draw.random((90, 2)) < 0.4).astype(float)
    scores = [labels + draw.normal(size=labels.shape) * width for width in (1.0, 1.2, 3.0)]
    found = averaged(scores, labels, [str(row) for row in range(90)])
    assert found["value"] == pytest.approx(np.mean(found["seeds"])) and found["low"] < found["value"] < found["high"]
    half = 4.302653 * np.std(found["seeds"], ddof=1) / 3**0.5
    assert found["over seeds"]["high"] - found["value"] == pytest.approx(half, rel=1e-5)


def matched_by_the_head(run):
    """A method without a shared space scores pairs by what its matching head says of their joint vector."""
    dataset = dataset_of(run)
    held, method = dataset.split("val")[:4], load_method(run)
    (batch,) = fixed_batches(Rows(type(method), method.config, {"data": dataset}, 0, "study", augment=False), "data", held, 4)
    with torch.no_grad():
        own = method.pair.match(method.features_of(batch, ["joint"])["joint"])[:, 1]
        others = method.pair.match(method.features_of(others_texts(batch), ["joint"])["joint"])[:, 1]
    scores = torch.from_numpy(real_small.pair_scores(run, dataset, held))
    torch.testing.assert_close(scores.diagonal(), own, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(scores[torch.arange(4), [3, 0, 1, 2]], others, rtol=1e-4, atol=1e-5)


@pytest.mark.skipif("WORKBENCH_TEST_DATA" not in os.environ, reason="WORKBENCH_TEST_DATA names no folder of real radiographs")
def test_the_small_real_study_runs_from_training_to_its_table(tmp_path, monkeypatch):
    read = real_small.recipes.read
    monkeypatch.setattr(real_small, "SEEDS", (0,))
    small = {"mae-nih": ["method.width=24", "method.depth=1", "method.heads=2"]}
    monkeypatch.setattr(real_small.recipes, "read", lambda name, more=(): read(name, [*more, *small.get(name, [])], smoke=True))
    quick = partial(macro_auroc_interval, resamples=60)
    monkeypatch.setattr(records, "macro_auroc_interval", lambda *given, **more: quick(*given, **more))
    document, text = studies.conduct("real-small", tmp_path)
    rows = document["nih"]["macro"]
    assert {
        "CLIP",
        "M-FLAG",
        "MAE",
        "MedFLIP",
        "from phantoms",
        "untrained CLIP",
        "untrained MAE",
        "pixels",
        "metadata",
        "source",
        "file size",
    } == set(rows)
    assert 0.6 < rows["pixels"]["low"] < rows["pixels"]["value"] < 0.75 and 0.5 < rows["source"]["value"] < 0.7
    assert set(document["notes"]) == {"CLIP", "M-FLAG", "MedFLIP", "M3AE"}
    for found in document["notes"].values():
        recalls = found["image to note"][0]
        assert set(recalls) == {"recall at 1", "recall at 5", "recall at 10"} and 0 < recalls["recall at 1"]["chance"] < 0.2
    assert "from phantoms" in text and len(document["nih"]["labels"]) >= 8
    kept = json.loads((tmp_path / "studies/real-small/record.json").read_text())
    matched_by_the_head(
        next(
            Run(tmp_path / "studies/real-small" / each["id"])
            for each in list_runs(tmp_path / "studies/real-small")
            if each["method"] == "m3ae"
        )
    )
    assert kept["nih"] == json.loads(json.dumps(document["nih"])) and "jpg" not in json.dumps(kept)
