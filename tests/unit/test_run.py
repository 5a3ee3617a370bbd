"""Run folders as everybody else reads them: containment, liveness, torn lines, speed, no torch."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from training.control import pending
from training.disk import end_torn_line
from workbench.errors import UserError
from workbench.run import (
    STALE_SECONDS,
    Run,
    RunConfig,
    create_run,
    delete_run,
    find_run,
    list_runs,
    metrics_view,
    process_started,
    read_lines,
    write_json,
)

REPOSITORY = Path(__file__).parents[2]
CONFIG = RunConfig.model_validate({"method": {"name": "line"}, "data": {"points": {"config": {"name": "points"}}}})


def many(root, count):
    """Run folders with a status file as a run leaves it, and what else lies in such a folder."""
    for number in range(count):
        folder = root / f"20260101-{number:06d}-clip-phantoms-ab12"
        (folder / "artifacts").mkdir(parents=True)
        status = {
            "state": "finished",
            "step": 800,
            "steps": 800,
            "name": None,
            "method": "clip",
            "metrics": {"loss": 1.0, "contrastive": 1.0},
        }
        status |= {
            "terms": {"train": ["contrastive"]},
            "features": {"image.backbone": "b d"},
            "label_names": ["a"] * 8,
            "host": "h",
            "pid": 1,
        }
        write_json(folder / "status.json", status)


def test_a_thousand_runs_are_listed_fast_and_without_torch(tmp_path):
    """1.5 s stands for 0.3 s on quiet cores; tests/benchmarks/listing.py measures."""
    many(tmp_path, 1000)
    code = (
        "import sys, time; from workbench.run import list_runs; start = time.perf_counter(); n = len(list_runs(sys.argv[1]))\n"
        "print(n, time.perf_counter() - start, [m for m in ('torch', 'pandas', 'streamlit', 'transformers') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True, cwd=REPOSITORY).stdout
    count, seconds, heavy = out.split(maxsplit=2)
    assert count == "1000" and float(seconds) < 1.5 and heavy.strip() == "[]"


def test_an_identifier_never_leads_out_of_the_runs_folder(tmp_path):
    outside = create_run(CONFIG, tmp_path / "outside")
    root = tmp_path / "runs"
    create_run(CONFIG, root)
    (root / "link").symlink_to(outside.path)
    with pytest.raises(UserError, match="leads outside the runs folder"):
        find_run("link", root)
    for name in ("../outside/" + outside.id, "..", "nothing", ""):
        with pytest.raises(UserError, match=r"no such run under|not a run folder"):
            find_run(name, root)


def test_a_run_is_found_by_folder_identifier_its_end_or_its_name(tmp_path):
    run = create_run(CONFIG.model_copy(update={"name": "seventh"}), tmp_path)
    assert {find_run(given, tmp_path).path for given in (run.path, run.id, run.id[-9:], "seventh")} == {run.path}
    create_run(CONFIG.model_copy(update={"name": "seventh"}), tmp_path)
    with pytest.raises(UserError, match="several runs match"):
        find_run("seventh", tmp_path)


def test_damaged_and_foreign_folders_do_not_spoil_the_list(tmp_path):
    good = create_run(CONFIG, tmp_path)
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "status.json").write_text('{"state": "runn')
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "queue").mkdir()
    assert {status["id"]: status["state"] for status in list_runs(tmp_path)} == {"torn": "damaged", good.id: "queued"}
    with pytest.raises(UserError, match=r"torn.status\.json: damaged"):
        _ = Run(tmp_path / "torn").status
    assert list_runs(tmp_path / "nowhere") == []


def test_a_run_is_alive_by_pid_and_start_time_here_and_by_its_heartbeat_elsewhere(tmp_path):
    run = create_run(CONFIG, tmp_path)
    me = {"state": "running", "host": socket.gethostname(), "pid": os.getpid(), "started": process_started(os.getpid())}
    for change, state in (({}, "running"), ({"started": me["started"] - 5}, "stale"), ({"pid": 2**22 + 1}, "stale")):
        write_json(run.path / "status.json", run.status | me | change)
        assert (run.status["state"], list_runs(tmp_path)[0]["state"]) == (state, state)
    write_json(run.path / "status.json", run.status | me | {"host": "elsewhere"})
    assert run.status["state"] == "stale", "no heartbeat yet"
    (run.path / "heartbeat").touch()
    assert run.status["state"] == "running"
    old = time.time() - STALE_SECONDS - 5
    os.utime(run.path / "heartbeat", (old, old))
    assert run.status["state"] == "stale"


def test_a_run_is_alive_though_the_clock_was_set_while_it_trained(tmp_path, monkeypatch):
    run = create_run(CONFIG, tmp_path)
    me = {"state": "running", "host": socket.gethostname(), "pid": os.getpid(), "started": process_started(os.getpid())}
    write_json(run.path / "status.json", run.status | me)
    began, booted = psutil.Process.create_time, psutil.boot_time
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: began(process) + 3600)
    monkeypatch.setattr(psutil, "boot_time", lambda: booted() + 3600)
    assert run.status["state"] == "running"


def test_a_running_run_is_not_deleted(tmp_path):
    run = create_run(CONFIG, tmp_path)
    me = {"state": "running", "host": socket.gethostname(), "pid": os.getpid(), "started": process_started(os.getpid())}
    write_json(run.path / "status.json", run.status | me)
    with pytest.raises(UserError, match="is running; stop it before deleting it"):
        delete_run(run)
    write_json(run.path / "status.json", run.status | {"state": "stopped"})
    delete_run(run)
    assert not run.path.exists()


def line(step, **more):
    return (json.dumps({"kind": "train", "step": step} | more) + "\n").encode()


def test_a_torn_last_line_is_left_for_the_next_call_and_a_torn_middle_one_skipped(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(line(1) + b'{"kind": "train", "st')
    records, cursor = read_lines(path)
    assert ([record["step"] for record in records], cursor) == ([1], len(line(1)))
    end_torn_line(path)
    end_torn_line(path)
    with open(path, "ab") as file:
        file.write(line(2))
    assert [record["step"] for record in read_lines(path, cursor)[0]] == [2]
    end_torn_line(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_a_resume_supersedes_what_came_after_its_checkpoint_until_it_is_repeated():
    lines, position = [], 0
    for step, loss in ((1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0), (3, 30.0)):
        lines.append((position, {"kind": "train", "step": step, "loss": loss}))
        position += 10
    events = [{"event": "resumed", "step": 2, "metrics_bytes": 40}]
    assert [(record["step"], record["loss"]) for record in metrics_view(lines, events)] == [(1, 1.0), (2, 2.0), (3, 30.0)]
    assert [record["loss"] for record in metrics_view(lines, [])] == [1.0, 2.0, 30.0, 4.0]


def test_a_write_that_fails_leaves_the_old_document_and_no_litter(tmp_path):
    path = tmp_path / "status.json"
    write_json(path, {"state": "running"})
    with pytest.raises(TypeError):
        write_json(path, {"state": object()})
    assert json.loads(path.read_text()) == {"state": "running"} and os.listdir(tmp_path) == ["status.json"]


def test_commands_keep_their_order_and_what_is_no_command_is_refused(tmp_path):
    run = create_run(CONFIG, tmp_path)
    for value in (1, 2, 3):
        run.command(command="set", value=value)
    (run.path / "control" / "0.json").write_text('{"comm')
    (run.path / "control" / "1.json").write_text("[1]")
    assert [command["value"] for _, command in pending(run.path / "control")] == [1, 2, 3]
    refused = [json.loads(path.read_text())["reason"] for path in (run.path / "control").glob("*.refused")]
    assert len(refused) == 2 and all("not a JSON object" in reason for reason in refused)
