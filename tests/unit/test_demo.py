"""The demo: its document, its words, and an arm of it resumed."""

import json

import pytest
import torch
from safetensors.torch import load_file

from training import demo
from training.loop import Trainer, train
from training.setup import resolve
from workbench.run import Run, create_run, without_timings

SMALL = demo.DATA | {"train": 260, "val": 140}


def arm(name, seed, ranks, probe):
    value = {"value": ranks, "low": None, "high": None, "ceiling": 102.0, "untrained": 4.0}
    features = {
        feature: {"n": 512, "d": 128, "spectrum": [1.0], **dict.fromkeys(demo.STATISTICS, value)}
        for feature in ("image.backbone", "image.projected")
    }
    read = {feature: {"macro_auroc": {"value": probe, "low": None, "high": None}} for feature in features}
    return {"arm": name, "seed": seed, "features": features, "probe": read}


REFERENCES = {"pixels": 0.74, "metadata": 0.6, "untrained": 0.67, "supervised": 0.86}


def told(*ranks):
    """The sentences where each arm has these ranks, one per seed, and a probe in proportion."""
    arms = [arm(name, seed, rank, rank / 20) for name, own in zip(demo.ARMS, ranks) for seed, rank in enumerate(own)]
    return demo.sentences(arms, REFERENCES)


def test_an_order_is_told_only_where_every_seed_shows_it():
    assert "this order held in all 3 seeds" in told((1, 1, 1), (2, 2, 2), (8, 9, 10))[0]
    assert "the order differs between seeds" in told((1, 3, 1), (2, 2, 2), (8, 9, 10))[0]
    assert "one seed only" in told((1,), (2,), (8,))[0]


def test_the_probe_is_said_to_follow_only_where_it_does():
    assert "follows how many" in told((1, 1), (2, 2), (8, 9))[1]
    arms = [arm(name, seed, rank, 0.9 - rank / 50) for name, rank in zip(demo.ARMS, (1, 2, 9)) for seed in range(2)]
    assert "does not simply follow" in demo.sentences(arms, REFERENCES)[1]


def test_the_arms_differ_in_the_loss_alone():
    first, *others = (demo.arm_config(name, 1, 10).to_dict() for name in (*demo.ARMS, *demo.MORE))
    for other in others:
        differs = {key for key in first if first[key] != other[key]}
        assert differs <= {"name", "method"}
        towers = {"image_size", "vision", "width", "augment", "hidden"}
        assert all(first["method"][key] == other["method"][key] for key in towers)


def test_the_document_holds_every_run_with_its_references(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo, "DATA", SMALL)
    monkeypatch.setattr(demo, "WIDTH", 24)
    monkeypatch.setattr(demo, "TOWERS", demo.TOWERS | {"width": 24})
    demo.run_demo(tmp_path, app=False, more=False, steps=2, seeds=1, port=0, as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == 1 and [each["arm"] for each in document["arms"]] == list(demo.ARMS)
    assert set(document["references"]) == {"pixels", "metadata", "untrained", "supervised"}
    assert all(0 < value < 1 for value in document["references"].values())
    for each in document["arms"]:
        assert Run(tmp_path / each["run"]).status["state"] == "finished"
        found = each["features"]["image.projected"]
        assert {"n", "d", "spectrum", *demo.STATISTICS} == set(found) and len(found["spectrum"]) == found["d"]
        for name in demo.STATISTICS:
            assert {"value", "low", "high", "ceiling", "untrained"} <= set(found[name])
            assert found[name]["low"] is not None or found[name]["why"]
    same = [load_file(Run(tmp_path / each["run"]).path / "snapshots/step-0/model.safetensors") for each in document["arms"]]
    shared = set(same[0]) & set(same[2])
    assert any(name.startswith("vision") for name in shared) and all(torch.equal(same[0][name], same[2][name]) for name in shared)


def test_an_arm_of_the_demo_resumes_to_the_bit(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "DATA", SMALL)
    config = demo.arm_config("orthogonality", 0, 6)
    config = resolve(
        config.model_copy(update={"checkpoint_every": 2, "monitors": config.monitors.model_copy(update={"studies": 96, "probe_train": 96})})
    )
    whole, cut = create_run(config, tmp_path / "whole"), create_run(config, tmp_path / "cut")
    train(whole, shared=True)
    trainer = Trainer(cut, shared=True)
    real = trainer.train_step

    def interrupted(batches):
        if trainer.step == 5:
            raise KeyboardInterrupt
        return real(batches)

    trainer.train_step = interrupted
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    assert train(cut, resume=True, shared=True) == "finished"
    first, second = (load_file(run.path / "snapshots/step-6/model.safetensors") for run in (whole, cut))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert without_timings(whole.metrics()) == without_timings(cut.metrics())
