"""Curves are read once, byte by byte, and never lose a spike."""

import json

import numpy as np
import pytest

from workbench.analysis.metrics import Key, Tail, down_sample, of_runs, progress, rate
from workbench.run import RunConfig, create_run, write_json


@pytest.fixture
def run(tmp_path):
    return create_run(
        RunConfig(method={"name": "clip"}, data={"a": {"config": {"name": "phantoms"}}}, name="arm"), tmp_path, state="finished"
    )


def append(run, *records, torn=""):
    with open(run.path / "metrics.jsonl", "a") as file:
        file.write("".join(json.dumps(record) + "\n" for record in records) + torn)


def train(step, loss, **more):
    return {
        "kind": "train",
        "step": step,
        "loss": loss,
        "terms": {"contrastive": 2 * loss},
        "time": 1.0,
        "timing": {"step_seconds": 0.5},
    } | more


def test_only_new_bytes_are_read_and_a_torn_line_waits(run):
    append(run, train(1, 3.0), train(2, 2.0), torn='{"kind": "train", "st')
    tail = Tail(run).read()
    first = tail.bytes_read
    assert tail.column("train", Key("loss"))[0].tolist() == [1, 2]
    assert tail.read().bytes_read == 0
    with open(run.path / "metrics.jsonl", "a") as file:
        file.write('ep": 3, "loss": 1.5}\n')
    assert tail.read().bytes_read == (run.path / "metrics.jsonl").stat().st_size - first
    assert tail.column("train", Key("loss"))[1].tolist() == [3.0, 2.0, 1.5]


def test_a_resume_supersedes_what_came_after_its_checkpoint_like_the_metrics_view(run):
    append(run, *(train(step, float(step)) for step in range(1, 8)))
    size = (run.path / "metrics.jsonl").stat().st_size
    (run.path / "events.jsonl").write_text(json.dumps({"event": "resumed", "step": 4, "metrics_bytes": size}) + "\n")
    append(run, train(5, 50.0), train(6, 60.0))
    steps, values = Tail(run).read().column("train", Key("loss"))
    view = run.metrics()
    assert steps.tolist() == [record["step"] for record in view] == [1, 2, 3, 4, 5, 6]
    assert values.tolist() == [record["loss"] for record in view]


def test_a_shorter_file_is_read_from_its_start(run):
    append(run, train(1, 3.0), train(2, 2.0), train(3, 1.0))
    tail = Tail(run).read()
    (run.path / "metrics.jsonl").write_text(json.dumps(train(1, 9.0)) + "\n")
    assert tail.read().column("train", Key("loss"))[1].tolist() == [9.0]


def test_down_sampling_keeps_ends_and_spikes():
    steps = np.arange(100_003)
    values = np.zeros(len(steps))
    values[77_777], values[12_345] = 5.0, -4.0
    few, kept = down_sample(steps, values, 2000)
    assert len(few) <= 2000 and few[0] == 0 and few[-1] == 100_002
    assert 77_777 in few and 12_345 in few and kept.max() == 5.0 and kept.min() == -4.0
    assert np.all(np.diff(few) > 0)


def test_down_sampling_leaves_short_series_and_gaps_alone():
    steps, values = np.arange(7), np.array([1, np.nan, 2, 3, 4, 5, 6.0])
    assert down_sample(steps, values, 7)[0] is steps
    gap = np.ones(5000)
    gap[2000:3000] = np.nan
    assert np.isnan(down_sample(np.arange(5000), gap, 200)[1]).any()


def test_levels_and_kinds_of_a_metric(run):
    (run.path / "artifacts/step-0").mkdir(parents=True)
    write_json(run.path / "artifacts/step-0/probe.json", {"image.projected": {"macro_auroc": {"value": 0.72}}})
    levels = {"loss": {"value": 4.852, "why": "ln 128, chance"}}
    write_json(run.path / "artifacts/references.json", {"chance": 0.5, "pixels": {"macro_auroc": {"value": 0.7}}, "levels": levels})
    append(run, train(1, 3.0), {"kind": "val", "step": 1, "loss": 3.5, "probe": {"image.projected": 0.8}})
    loss, probe = of_runs([Tail(run).read()], [Key("loss"), Key("terms", "absent"), Key("probe", "image.projected")])
    assert [series.kind for series in loss.series] == ["train", "val"]
    assert [(level.name, level.value) for level in loss.levels] == [("trivial", 4.852)]
    assert {level.name: level.value for level in probe.levels} == {"chance": 0.5, "pixels": 0.7, "untrained": 0.72}
    assert probe.series[0].label == "arm"


def test_every_number_of_a_record_is_found_in_the_order_of_the_pages(run):
    ring = {"kind": "ring", "step": 1, "features": {"image.projected": {"participation_ratio": 3.0, "feature_std": 0.5, "n": 64, "d": 8}}}
    append(run, train(1, 3.0, grad_norm=None, lr={"main": 1e-3}, scalars={"temperature": 0.07}), ring)
    tail = Tail(run).read()
    names = ["loss", "terms.contrastive", "participation_ratio.image.projected", "feature_std.image.projected", "scalars.temperature"]
    assert [str(key) for key in tail.known()] == [*names, "grad_norm", "lr.main", "step_seconds"]
    assert np.isnan(tail.column("train", Key("grad_norm"))[1]).all()


def test_rate_and_progress(run):
    assert rate(Tail(run).read()) is None
    append(run, train(1, 3.0), train(2, 3.0))
    assert rate(Tail(run).read()) == 2.0
    assert progress({"step": 30, "steps": 120}) == 0.25 and progress({}) == 0.0
