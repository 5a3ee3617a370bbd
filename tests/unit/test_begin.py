"""How a run begins on the command line: nothing is left where it cannot, and no slot of an earlier process is kept."""

import json

import pytest
import yaml

from training.__main__ import main
from workbench.run import list_runs

CONFIG = {"method": {"name": "tests.toys.line"}, "data": {"points": {"config": {"name": "tests.toys.points"}}}, "batch": 8, "device": "cpu"}
CONFIG |= {"stages": [{"steps": 2}], "monitors": {"studies": 0, "probe_train": 0}}


@pytest.fixture(autouse=True)
def plugins(monkeypatch):
    monkeypatch.setenv("WORKBENCH_PLUGINS", "tests.toys")


def write(path, **more):
    path.write_text(yaml.safe_dump(CONFIG | more))
    return str(path)


def test_a_run_that_cannot_begin_leaves_no_folder(tmp_path, capsys):
    poisoned = write(tmp_path / "bad.yaml", init_from={"*": "20990101-nothing"})
    with pytest.raises(SystemExit) as ended:
        main(["train", poisoned, "--runs", str(tmp_path / "runs")])
    assert ended.value.code == 2 and "no such run" in capsys.readouterr().err
    assert list_runs(tmp_path / "runs") == [] and not any(path.is_dir() for path in (tmp_path / "runs").glob("2*"))


def test_a_run_that_fails_after_it_began_keeps_its_folder(tmp_path):
    data = {"points": {"config": {"name": "tests.toys.points", "poison": 0}}}
    with pytest.raises(Exception, match="is nan"):
        main(["train", write(tmp_path / "nan.yaml", data=data, stages=[{"steps": 30}]), "--runs", str(tmp_path / "runs")])
    assert [run["state"] for run in list_runs(tmp_path / "runs")] == ["failed"]


def test_a_run_resumed_by_hand_is_in_no_slot(tmp_path):
    main(["train", write(tmp_path / "a.yaml"), "--runs", str(tmp_path / "runs"), "--json"])
    run = tmp_path / "runs" / list_runs(tmp_path / "runs")[0]["id"]
    status = json.loads((run / "status.json").read_text())
    (run / "status.json").write_text(json.dumps(status | {"slot": "cpu:0", "pid": 1, "state": "stopped"}))
    main(["resume", str(run), "--json"])
    assert "slot" not in json.loads((run / "status.json").read_text())


def test_a_started_run_has_its_defaults_written_down_before_its_first_step(tmp_path):
    from workbench.run import RunConfig, request_launch

    run = request_launch(RunConfig.model_validate(CONFIG), tmp_path / "runs")
    assert "width" not in yaml.safe_load((run.path / "config.yaml").read_text())["method"]
    main(["train-folder", str(run.path)])
    assert yaml.safe_load((run.path / "config.yaml").read_text())["method"]["width"] == 3
