"""Pre-flight: counts against those of the loop and of arithmetic, what cannot fit is refused with the largest batch that does."""

import json
from dataclasses import replace

import pytest

from training import preflight as flight
from training.preflight import conclude, judged, memory_line
from workbench.errors import UserError
from workbench.run import RunConfig, list_runs

GB = 10**9


@pytest.fixture(autouse=True)
def plugins(monkeypatch):
    monkeypatch.setenv("WORKBENCH_PLUGINS", "tests.toys")


def config(**more):
    values = {"method": {"name": "tests.toys.line"}, "data": {"points": {"config": {"name": "tests.toys.points"}}}, "device": "cpu"}
    return RunConfig.model_validate(values | {"stages": [{"steps": 500}], "batch": 16} | more)


def found(batches, free=8 * GB, fixed=1.0, each=0.1, seconds=0.2):
    """What a child would have said of a network of 2 million parameters that holds fixed + each * batch GB."""
    network = {"parameters": 2_000_000, "trainable": 1_000_000, "memory": int(fixed * GB), "memory_free": free, "device": "cpu"}
    steps = [
        {"kind": "step", "batch": batch, "memory": int((fixed + each * batch) * GB), "seconds": seconds, "data_seconds": 0.05, "flops": 8e6}
        for batch in batches
    ]
    return {"network": network | {"device_name": "a CPU", "notes": []}, "steps": steps}


def test_what_fits_is_measured_at_the_full_batch_and_the_rest_follows(tmp_path):
    told = conclude(config(accumulate=3), found([4, 8, 16]), None, 4 * GB, 4 * GB, tmp_path)
    assert told.refused is None and told.largest_batch is None and told.measured == 16
    assert told.memory == pytest.approx(2.6 * GB) and told.eta_seconds == pytest.approx(100)
    assert told.flops == pytest.approx(8e6 / 4 * 16 * 3)
    assert told.disk == told.snapshots * 4 * 2_000_000 + 4 * 4 * (2_000_000 + 2 * 1_000_000)


def test_what_does_not_fit_is_refused_with_the_largest_batch_that_does(tmp_path):
    told = conclude(config(batch=64), found([4, 8, 16]), None, 4 * GB, 4 * GB, tmp_path)
    assert told.largest_batch == 30 and told.step_seconds is None and told.memory == pytest.approx(7.4 * GB)
    assert "batch 64 needs about 7.4 GB, 4 GB are free" in told.refused and "set batch to 30 or less" in told.refused
    assert "not even batch 1" in conclude(config(batch=64), found([4], fixed=5), None, 4 * GB, 4 * GB, tmp_path).refused


def test_a_child_that_was_ended_for_its_memory_does_not_fit_unless_only_the_view_was_too_small(tmp_path):
    ended = conclude(config(batch=32), found([4, 8]), "memory", 5 * GB, 5 * GB, tmp_path)
    assert ended.refused and ended.largest_batch <= 31
    view = conclude(config(batch=32), found([4, 8]), "memory", 5 * GB, 2 * GB, tmp_path)
    assert view.refused is None and view.step_seconds is None and "predicted" in view.notes[0] and view.memory == pytest.approx(4.2 * GB)


def test_where_memory_says_nothing_the_largest_batch_taken_is_proposed(tmp_path):
    told = conclude(config(batch=64), found([4, 8, 32], each=0.0), "memory", 4 * GB, 4 * GB, tmp_path)
    assert told.largest_batch == 32 and "needs more than" not in told.refused.partition(";")[2] and "set batch to 32" in told.refused


def test_micro_steps_rise_by_at_most_four_to_the_batch_itself():
    from training.preflight_child import sizes

    assert sizes(1) == [1] and sizes(6) == [4, 6] and sizes(200) == [4, 8, 32, 128, 200]


def test_a_disk_that_is_too_small_is_said(tmp_path):
    told = conclude(config(), found([4, 8, 16]), None, 4 * GB, 4 * GB, tmp_path)
    small = judged(replace(told, disk_free=told.disk - 1), 0, 0, 16, 4 * GB, None, tmp_path)
    assert "snapshots and checkpoints need" in small.refused and "snapshots.budget_gb" in small.refused


def test_memory_is_a_line_through_the_two_largest_steps():
    steps = found([4, 8, 32], fixed=2, each=0.25)["steps"]
    fixed, each = memory_line(GB, steps)
    assert fixed == pytest.approx(2 * GB) and each == pytest.approx(0.25 * GB)
    assert memory_line(GB, []) == (GB, 0.0)


def test_one_true_step_is_taken_and_nothing_is_left_in_the_runs_folder(tmp_path):
    told = flight.preflight(config(), tmp_path / "runs")
    assert told.parameters > 0 and told.step_seconds > 0 and told.measured == 16 and told.flops > 0
    assert told.memory > 50e6 and told.eta_seconds == pytest.approx(told.step_seconds * 500)
    assert list_runs(tmp_path / "runs") == [] and json.loads(json.dumps(told.as_dict()))["batch"] == 16
    assert "fits" in flight.text(told)


def test_a_configuration_that_cannot_be_built_is_refused_with_its_own_sentence(tmp_path):
    with pytest.raises(UserError, match=r"no such run"):
        flight.preflight(config(init_from={"*": "20990101-nothing"}), tmp_path / "runs")


def test_the_child_is_ended_where_it_holds_more_than_it_may(tmp_path):
    with pytest.raises(UserError, match="more than a view may"):
        flight.preflight(config(), tmp_path / "runs", cap=30_000_000)
