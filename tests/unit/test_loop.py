"""The loop: phases, optimizers, sources, images, stages, live fields, resume, divergence."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from training import watch
from training.loop import Divergence, Trainer, train
from training.order import Order, apportion
from training.setup import resolve
from workbench.analysis.sentinel import Verdict
from workbench.errors import UserError
from workbench.models import build_method
from workbench.run import Run, RunConfig, create_run, without_timings


@pytest.fixture(autouse=True)
def plugins(monkeypatch):
    monkeypatch.setenv("WORKBENCH_PLUGINS", "tests.toys")


def config(method="line", steps=6, data=None, **more):
    values = {
        "method": {"name": f"tests.toys.{method}"} if isinstance(method, str) else method,
        "data": data or {"points": {"config": {"name": "tests.toys.points"}}},
        "stages": [{"steps": steps}],
        "batch": 8,
        "device": "cpu",
        "checkpoint_every": 2,
        "monitors": {"studies": 10, "probe_train": 40},
        "optimizers": {"main": {"lr": 0.01}},
    }
    return RunConfig.model_validate(values | more)


def start(tmp_path, *args, **kwargs):
    return create_run(resolve(config(*args, **kwargs)), tmp_path)


def weights(run, step):
    return load_file(run.path / f"snapshots/step-{step}/model.safetensors")


def test_a_run_leaves_a_whole_folder(tmp_path):
    data = {"points": {"config": {"name": "tests.toys.points", "studies": 300}}}
    run = start(tmp_path, data=data, monitors={"studies": 50, "probe_train": 40})
    assert train(run, shared=True) == "finished"
    status = run.status
    assert (status["state"], status["step"], status["features"]) == ("finished", 6, {"image.backbone": "b d"})
    steps = [record["step"] for record in run.metrics() if record["kind"] == "train"]
    assert steps == [1, 2, 3, 4, 5, 6]
    assert run.looks() == sorted({0, 1, 2, 3, 4, 5, 6} & set(run.looks())) and {0, 1, 2, 4, 6} <= set(run.looks())
    assert run.embeddings("image.backbone", 6).features.shape == (50, 3)
    assert set(run.probe(6)["image.backbone"]["labels"]) == {"up", "right"}
    assert run.references()["pixels"]["macro_auroc"]["value"] > 0.5
    assert next(event["event"] for event in run.events()) == "launched"


def test_resume_equals_the_uninterrupted_run_to_the_bit(tmp_path):
    whole = start(tmp_path / "a")
    train(whole, shared=True)
    cut = start(tmp_path / "b")
    trainer = Trainer(cut, shared=True)
    real = trainer.train_step

    def stop_at_three(batches):
        if trainer.step == 3:
            raise KeyboardInterrupt
        return real(batches)

    trainer.train_step = stop_at_three
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    with open(cut.path / "metrics.jsonl", "ab") as file:
        file.write(b'{"kind": "train", "st')  # torn by the crash
    assert train(cut, resume=True, shared=True) == "finished"
    first, second = weights(whole, 6), weights(cut, 6)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert without_timings(whole.metrics()) == without_timings(cut.metrics())


def test_the_same_seed_repeats_and_another_does_not(tmp_path):
    runs = [start(tmp_path, seed=seed) for seed in (0, 0, 1)]
    for run in runs:
        train(run, shared=True)
    losses = [[record["loss"] for record in run.metrics() if record["kind"] == "train"] for run in runs]
    assert losses[0] == losses[1] != losses[2]


def test_two_optimizers_train_their_own_parameters_only(tmp_path):
    run = start(tmp_path, "adversarial", optimizers={"main": {"lr": 0.0}, "critic": {"lr": 0.01}})
    train(run, shared=True)
    first, last = weights(run, 0), weights(run, 6)
    assert torch.equal(first["generator.weight"], last["generator.weight"])
    assert not torch.equal(first["critic.weight"], last["critic.weight"])
    logged = [set(record["terms"]) for record in run.metrics() if record["kind"] == "train"]
    assert logged == [{"fool", "pixels", "tell"}, {"fool", "pixels"}] * 3


def test_three_passes_sharing_an_optimizer_take_one_step_on_the_summed_gradient(tmp_path):
    sgd = {"main": {"kind": "sgd", "lr": 0.1, "betas": [0.0, 0.9], "schedule": "constant", "weight_decay": 0}}
    run = start(tmp_path, "three_passes", steps=1, optimizers=sgd, precision="float64", monitors={"studies": 0})
    trainer = Trainer(run, shared=True)
    batch = trainer.feed.make(0)[0]
    x, y = batch["images"].double().flatten(1).numpy(), batch["labels"].double().numpy()
    w, b = (value.detach().clone().numpy() for value in (trainer.method.map.weight, trainer.method.map.bias))
    trainer.train()
    gradient = sum(2 * (x @ w.T + b - target).T @ x / y.size for target in (y, 1 - y, 0 * y))
    np.testing.assert_allclose(weights(run, 1)["map.weight"].numpy(), w - 0.1 * gradient, rtol=1e-10, atol=1e-12)


def test_two_sources_come_as_one_batch_each(tmp_path):
    data = {name: {"config": {"name": "tests.toys.points", "shift": shift}} for name, shift in (("near", 0.0), ("far", 2.0))}
    run = start(tmp_path, "two_sources", data=data)
    trainer = Trainer(run, shared=True)
    batch = trainer.feed.make(0)[0]
    assert {name: len(part["key"]) for name, part in batch["sources"].items()} == {"near": 8, "far": 8}
    assert batch["sources"]["far"]["images"].mean() > batch["sources"]["near"]["images"].mean() + 1
    assert trainer.train() == "finished"


def test_mixed_sources_share_the_rows_by_weight(tmp_path):
    data = {
        name: {"config": {"name": "tests.toys.points", "shift": shift}, "weight": w}
        for name, shift, w in (("a", 0.0, 3.0), ("b", 2.0, 1.0))
    }
    trainer = Trainer(start(tmp_path, data=data), shared=True)
    assert sorted(trainer.feed.make(0)[0]["source"]) == ["a"] * 6 + ["b"] * 2
    assert trainer.train() == "finished"


def test_two_images_of_a_study_are_pooled_by_index(tmp_path):
    data = {"points": {"config": {"name": "tests.toys.points", "images": 2}}}
    run = start(tmp_path, "two_images", data=data)
    trainer = Trainer(run, shared=True)
    batch = trainer.feed.make(0)[0]
    assert batch["image_index"].tolist() == [index // 2 for index in range(16)]
    assert batch["view_index"].tolist() == [0, 1] * 8
    assert trainer.train() == "finished"
    losses = [record["loss"] for record in run.metrics() if record["kind"] == "val"]
    assert losses[-1] < losses[0]


def test_stages_freeze_parts_to_the_bit_batch_statistics_too(tmp_path):
    stages = [{"name": "decoder", "steps": 2, "trainable": ["decoder.*"]}, {"name": "all", "steps": 2, "weights": {"size": 0.0}}]
    run = start(tmp_path, stages=stages)
    train(run, shared=True)
    first, middle, last = (weights(run, step) for step in (0, 2, 4))
    assert all(torch.equal(first[name], middle[name]) for name in first if not name.startswith("decoder"))
    assert not torch.equal(first["decoder.weight"], middle["decoder.weight"])
    assert not torch.equal(middle["encoder.weight"], last["encoder.weight"])
    assert [record["stage"] for record in run.metrics() if record["kind"] == "train"] == ["decoder"] * 2 + ["all"] * 2


def test_accumulation_equals_one_large_batch(tmp_path):
    sgd = {"main": {"kind": "sgd", "lr": 0.1, "betas": [0.0, 0.9], "schedule": "constant"}}
    runs = []
    for batch, accumulate in ((8, 1), (4, 2)):
        runs.append(start(tmp_path, "three_passes", batch=batch, accumulate=accumulate, optimizers=sgd, precision="float64"))
        train(runs[-1], shared=True)
    first, second = (weights(run, 6) for run in runs)
    for name in first:
        torch.testing.assert_close(first[name], second[name], rtol=1e-10, atol=1e-12)


def test_a_held_group_keeps_values_and_moments(tmp_path):
    run = start(tmp_path, steps=4)
    run.command(command="set", name="groups.*.lr_scale", value=0.0)
    train(run, shared=True)
    first, last = weights(run, 0), weights(run, 4)
    assert torch.equal(first["encoder.weight"], last["encoder.weight"])
    assert not torch.equal(first["encoder.bias"], last["encoder.bias"]) or not torch.equal(first["decoder.bias"], last["decoder.bias"])


def test_a_live_weight_changes_with_an_event_and_survives_a_resume(tmp_path):
    run = start(tmp_path, steps=4)
    run.command(command="set", name="method.weights.size", value=0.5)
    run.command(command="set", name="method.weights.nonsense", value=0.5)
    train(run, shared=True)
    knobs = [event for event in run.events() if event["event"] == "knob"]
    assert [(event["name"], event["from"], event["to"], event["step"]) for event in knobs] == [
        ("method.weights.size", 0.01, 0.5, 0)
    ] or knobs[0]["to"] == 0.5
    refused = list((run.path / "control").glob("*.refused"))
    assert len(refused) == 1 and "not a live field" in json.loads(refused[0].read_text())["reason"]
    record = next(record for record in run.metrics() if record["kind"] == "train")
    assert record["loss"] == pytest.approx(record["terms"]["pixels"] + 0.5 * record["terms"]["size"], rel=1e-6)


def test_a_loss_that_is_not_finite_leaves_a_black_box(tmp_path):
    data = {"points": {"config": {"name": "tests.toys.points", "poison": 3}}}
    run = start(tmp_path, steps=8, data=data, monitors={"studies": 0})
    with pytest.raises(Divergence):
        train(run, shared=True)
    assert run.status["state"] == "failed" and "pixels" in run.status["error"]
    boxes = list(run.path.glob("artifacts/step-*/black-box.json"))
    assert len(boxes) == 1 and "point-3" in json.loads(boxes[0].read_text())["keys"]


def test_a_collapse_is_an_event_and_a_black_box(tmp_path, monkeypatch):
    said = Verdict("dimensional", "image.backbone", 1, 2, "the image backbone's features lost 2 of 3 directions")
    monkeypatch.setattr(watch, "sentinel", lambda history: said if history[-1].step >= 2 else Verdict("none", "", 0, 0, ""))
    run = start(
        tmp_path, data={"points": {"config": {"name": "tests.toys.points", "studies": 300}}}, monitors={"studies": 50, "probe_train": 40}
    )
    train(run, shared=True)
    events = [event for event in run.events() if event["event"] == "sentinel"]
    assert [(event["step"], event["kind"], event["feature"], event["said"]) for event in events] == [
        (2, said.kind, said.feature, said.evidence)
    ]
    box = json.loads((run.path / "artifacts/step-2/black-box.json").read_text())
    assert (box["error"], len(box["keys"]), box["step"]) == (said.evidence, 8, 2) and box["spectra"]["image.backbone"]["d"] == 3
    assert [each["step"] for each in box["recent"]] == [1, 2] and all(each["grad_norm"] > 0 for each in box["recent"])
    assert set(run.classes(2)["image.backbone"]) <= {"up", "right", "none of these"}


def test_skipping_goes_on_after_a_loss_that_is_not_finite(tmp_path):
    data = {"points": {"config": {"name": "tests.toys.points", "poison": 3}}}
    run = start(tmp_path, steps=8, data=data, on_nan="skip", monitors={"studies": 0})
    assert train(run, shared=True) == "finished"
    assert [event["event"] for event in run.events()].count("nan") >= 1
    assert all(bool(torch.isfinite(value).all()) for value in weights(run, 8).values())


def test_stop_finishes_the_step_and_resume_goes_on(tmp_path):
    run = start(tmp_path)
    run.command(command="stop")
    assert train(run, shared=True) == "stopped"
    assert run.steps_of("checkpoints") == [0]
    assert train(run, resume=True, shared=True) == "finished"


def test_equal_parts_start_equal_whatever_else_a_method_has(monkeypatch):
    wide = build_method({"name": "tests.toys.line", "width": 4}, 0)
    again = build_method({"name": "tests.toys.line", "width": 4, "dropout": 0.5}, 0)
    other = build_method({"name": "tests.toys.line", "width": 4}, 1)
    assert torch.equal(wide.encoder.weight, again.encoder.weight)
    assert not torch.equal(wide.encoder.weight, other.encoder.weight)


def test_the_order_visits_every_study_once_an_epoch():
    order = Order(3, {"a": np.arange(20)}, rows=6)
    shares = [(0, {"a": 6})]
    epoch = [address.index for step in range(3) for address in order.step(step, shares)]
    assert len(set(epoch)) == 18
    assert [address.index for address in order.step(1, shares)] == epoch[6:12]
    assert [address.index for address in order.step(3, shares)] != epoch[:6]


def test_apportion_gives_whole_rows():
    assert apportion({"a": 2.0, "b": 1.0}, 8) == {"a": 5, "b": 3}
    assert apportion({"a": 1000.0, "b": 1.0}, 8) == {"a": 7, "b": 1}
    with pytest.raises(UserError, match="cannot hold"):
        apportion({"a": 1.0, "b": 1.0}, 1)


def test_a_batch_larger_than_the_data_is_refused(tmp_path):
    with pytest.raises(UserError, match="lower the batch to at most 40"):
        train(start(tmp_path, batch=41), shared=True)


def test_weights_of_another_size_are_refused(tmp_path):
    run = start(tmp_path, steps=2)
    train(run, shared=True)
    text = (run.path / "config.yaml").read_text().replace("width: 3", "width: 4")
    (run.path / "config.yaml").write_text(text)
    with pytest.raises(UserError, match=r"encoder\.\w+ has shape"):
        train(Run(run.path), resume=True, shared=True)


def in_two_processes(run):
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "training", "train-folder"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run([*launcher, str(run.path)], env=environment, check=True, timeout=120, capture_output=True)


def test_two_processes_train_like_one(tmp_path):
    common = {
        "precision": "float64",
        "optimizers": {"main": {"lr": 0.05, "kind": "sgd", "betas": (0.0, 0.999)}},
        "monitors": {"studies": 0},
    }
    one, two = (start(tmp_path / str(batch), "three_passes", batch=batch, **common) for batch in (8, 4))
    train(one, shared=True)
    in_two_processes(two)
    assert two.status["state"] == "finished" and two.provenance["world"] == 2
    first, second = weights(one, 6), weights(two, 6)
    for name in first:
        torch.testing.assert_close(first[name], second[name], rtol=1e-12, atol=1e-14)
    losses = [[record["loss"] for record in run.metrics() if record["kind"] == "train"] for run in (one, two)]
    np.testing.assert_allclose(*losses, rtol=1e-12)


def test_two_processes_train_stages_like_one(tmp_path):
    """Batch statistics and dropout differ between one process and two: the BatchNorm stays frozen, the dropout is 0."""
    stages = [{"steps": 2, "trainable": ["decoder.*"]}, {"name": "both", "steps": 2, "trainable": ["encoder.*", "decoder.*"]}]
    sgd = {"main": {"kind": "sgd", "lr": 0.05, "betas": (0.0, 0.999)}}
    common = {"precision": "float64", "optimizers": sgd, "monitors": {"studies": 0}, "stages": stages}
    common["method"] = {"name": "tests.toys.line", "dropout": 0.0}
    one, two = (start(tmp_path / str(batch), batch=batch, **common) for batch in (8, 4))
    train(one, shared=True)
    in_two_processes(two)
    first, second = weights(one, 4), weights(two, 4)
    for name in first:
        torch.testing.assert_close(first[name], second[name], rtol=1e-12, atol=1e-14)


ONE_THREAD = os.environ | {"OMP_NUM_THREADS": "1", "WORKBENCH_PLUGINS": "tests.toys"}  # equal bits need equal thread counts
KILLED = {"steps": 400, "checkpoint_every": 20, "monitors": {"studies": 10, "probe_train": 0}}


def command(run, *more):
    return [sys.executable, "-m", "training", "train-folder", str(run.path), *more]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_PLUGINS", "tests.toys")
        run = start(tmp_path_factory.mktemp("whole"), **KILLED)
    subprocess.run(command(run), env=ONE_THREAD, check=True, timeout=120, capture_output=True)
    return run


@pytest.mark.parametrize("moment", [0.15, 0.5, 0.85])
def test_kill_9_at_any_moment_then_resume_equals_the_uninterrupted_run(uninterrupted, tmp_path, moment):
    steps, cut = KILLED["steps"], start(tmp_path, **KILLED)
    process = subprocess.Popen(command(cut), env=ONE_THREAD, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.time() + 60
    while time.time() < deadline and process.poll() is None:
        if sum(record["kind"] == "train" for record in cut.metrics()) >= moment * steps:
            break
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert 0 < sum(record["kind"] == "train" for record in cut.metrics()) < steps, "the kill came too late or too early to test anything"
    subprocess.run(command(cut, "--resume"), env=ONE_THREAD, check=True, timeout=120, capture_output=True)
    first, second = (weights(run, steps) for run in (uninterrupted, cut))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert without_timings(uninterrupted.metrics()) == without_timings(cut.metrics())
