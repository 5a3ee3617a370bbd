"""The supervisor: slots, order, re-attachment, stopping, deaths without a word; all on toys in processes of their own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from training import processes
from training.processes import signal_group, stop
from training.supervisor import Slot, Supervisor, serve, slots_of_this_machine
from workbench import queue
from workbench.errors import UserError
from workbench.jobs import request_resume, start_queue
from workbench.run import Run, RunConfig, create_run, list_runs, process_started, request_launch, write_json

CPU = [Slot("cpu:0", "cpu", {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"})]
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """One thread a child, and none left behind."""
    monkeypatch.setenv("WORKBENCH_PLUGINS", "tests.toys")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    yield
    monkeypatch.undo()
    for status in list_runs(tmp_path):
        if status.get("pid") not in (None, os.getpid()):
            signal_group(status["pid"], status["started"], signal.SIGKILL)


def config(method="line", steps=4, **more):
    values = {
        "method": {"name": f"tests.toys.{method}"} if isinstance(method, str) else method,
        "data": {"points": {"config": {"name": "tests.toys.points"}}},
        "stages": [{"steps": steps}],
        "batch": 8,
        "device": "cpu",
        "checkpoint_every": 2,
        "monitors": {"studies": 0, "probe_train": 0},
    }
    return RunConfig.model_validate(values | more)


def until(condition, seconds=150.0, cycle=None):
    """Wait for a condition, with the supervisor looking meanwhile; the run's log is shown where it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        if cycle:
            cycle()
        time.sleep(0.05)


def steps_done(run):
    return len([record for record in run.metrics() if record["kind"] == "train"])


@pytest.fixture
def light(monkeypatch):
    """Children that keep the folder's contract without torch: see tests/toys/child.py."""
    from training import supervisor

    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.setattr(supervisor, "train_command", lambda run: [sys.executable, "-m", "tests.toys.child", str(run.path)])


def ask(root, what="finish", steps=4, device="cpu"):
    return request_launch(config(steps=steps, name=what), root, device)


@pytest.fixture
def standing(tmp_path, light):
    """A supervisor with a run that stands still in its third step."""

    def begin(what="sleep"):
        run = ask(tmp_path, what)
        supervisor = Supervisor(tmp_path, CPU)
        supervisor.cycle()
        until(lambda: steps_done(run) == 2)
        time.sleep(0.2)
        return supervisor, run

    return begin


def test_it_imports_no_torch():
    modules = "training.supervisor, training.launch, training.doctor, training.worker, workbench.run, workbench.jobs"
    code = f"import sys, {modules}; print([m for m in ('torch', 'pandas', 'streamlit', 'timm', 'umap') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert found.stdout.strip() == "[]"


def test_a_queued_run_is_started_in_a_session_of_its_own_and_the_next_one_follows(tmp_path, light):
    first, second = ask(tmp_path), ask(tmp_path)
    supervisor = Supervisor(tmp_path, CPU)
    assert supervisor.cycle()
    status = first.status
    assert (status["state"], status["slot"], second.status["state"]) == ("starting", "cpu:0", "queued")
    assert os.getpgid(status["pid"]) == status["pid"] and os.getsid(status["pid"]) == status["pid"]
    assert [request["run"] for request in queue.queue_list(tmp_path)] == [second.id]
    until(lambda: second.status["state"] == "finished", cycle=supervisor.cycle)
    until(lambda: not supervisor.cycle(), 10)
    assert first.status["state"] == "finished" and not queue.queue_list(tmp_path)
    assert first.log_tail().startswith("== started ")


def test_a_killed_supervisor_leaves_the_run_running_and_the_next_one_finds_it_again(tmp_path):
    run = request_launch(config(steps=200_000, checkpoint_every=50), tmp_path)
    command = [sys.executable, "-m", "training", "queue", "start", "--runs", str(tmp_path)]
    with open(tmp_path / "log", "ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=REPOSITORY, start_new_session=True)
    until(lambda: steps_done(run) > 2)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    status, done = processes.recorded(run), steps_done(run)
    until(lambda: steps_done(run) > done + 5)
    assert run.status["state"] == "running"
    supervisor = Supervisor(tmp_path, CPU)
    child = supervisor.children["cpu:0"]
    assert (child.run.id, child.pid, child.process) == (run.id, status["pid"], None)
    other = request_launch(config(), tmp_path)
    supervisor.cycle()
    assert other.status["state"] == "queued", "the slot is held by the run that was found again"
    queue.queue_cancel(tmp_path, other.id)
    signal_group(status["pid"], status["started"], signal.SIGKILL)
    until(lambda: run.status["state"] == "failed", cycle=supervisor.cycle)
    assert "ended without a word" in run.status["error"] and not supervisor.children


def test_a_new_supervisor_finds_a_living_run_again_and_writes_down_a_dead_one(standing):
    first, run = standing()
    again = Supervisor(first.root, CPU)
    child = again.children["cpu:0"]
    assert (child.run.id, child.pid, child.process) == (run.id, run.status["pid"], None)
    signal_group(child.pid, child.started, signal.SIGKILL)
    first.children["cpu:0"].process.wait()
    assert not Supervisor(first.root, CPU).children
    assert run.status["state"] == "failed" and "without a word" in run.status["error"]


def test_whoever_asks_may_be_killed(tmp_path):
    code = (
        "import sys; from tests.unit.test_supervisor import config; from workbench.run import request_launch; from workbench.jobs import start_queue\n"
        f"run = request_launch(config(steps=6), {str(tmp_path)!r}); start_queue({str(tmp_path)!r}); print(run.id, flush=True); import os; os.kill(os.getpid(), 9)"
    )
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY)
    assert asked.returncode == -signal.SIGKILL, asked.stderr
    run = Run(tmp_path / asked.stdout.strip())
    until(lambda: run.status["state"] == "finished")
    sign = json.loads((tmp_path / "queue" / "supervisor.json").read_bytes())
    assert not start_queue(tmp_path), "one serves this folder already"
    signal_group(sign["pid"], sign["started"], signal.SIGTERM)
    until(lambda: not (tmp_path / "queue" / "supervisor.json").exists(), 10)


def test_a_second_supervisor_leaves_at_once_and_quietly(tmp_path, capsys):
    command = [sys.executable, "-m", "training", "queue", "start", "--runs", str(tmp_path)]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=REPOSITORY)
    try:
        until(lambda: (tmp_path / "queue" / "supervisor.json").exists(), 20)
        second = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, timeout=20)
        assert (second.returncode, second.stderr) == (0, "") and "served by another process" in second.stdout
        assert json.loads((tmp_path / "queue" / "supervisor.json").read_bytes())["pid"] == first.pid
    finally:
        first.terminate()
        assert first.wait(10) == 0


def test_it_leaves_when_idle_and_looks_once_more_after_taking_down_its_sign(tmp_path, monkeypatch):
    from training import supervisor

    asked = []

    def attend(found, idle):
        if not asked:  # a request that is written while the first round is about to end
            asked.append(request_launch(config(), tmp_path))
        else:
            queue.queue_cancel(tmp_path, asked[0].id)
            asked.append("second round")

    monkeypatch.setattr(supervisor, "attend", attend)
    serve(tmp_path, 1)
    assert asked[1:] == ["second round"]


def test_idle_time_ends_it(tmp_path):
    start = time.monotonic()
    serve(tmp_path, 1, idle=0.5)
    assert 0.5 <= time.monotonic() - start < 5 and not (tmp_path / "queue" / "supervisor.json").exists()


@pytest.mark.parametrize(
    "what, words",
    [
        ("exit", "with exit code 3"),
        ("kill", "by signal SIGKILL, probably out of memory"),
        ("memory", "with exit code 1, probably out of memory"),
        ("mistake", "config.yaml: unknown key bacth"),
    ],
)
def test_a_death_is_written_down_with_its_reason_and_the_next_run_starts(tmp_path, light, what, words):
    run, following = ask(tmp_path, what), ask(tmp_path)
    supervisor = Supervisor(tmp_path, CPU)
    until(lambda: following.status["state"] == "finished", cycle=supervisor.cycle)
    assert run.status["state"] == "failed" and words in run.status["error"]
    assert run.events()[-1]["event"] == "died"
    assert ("12 GB for one batch" in run.status["error"]) == (what == "memory")


def test_requests_that_cannot_be_carried_out_are_set_aside_with_the_reason(tmp_path):
    gone, damaged, device = (request_launch(config(), tmp_path) for _ in range(3))
    for path in gone.path.rglob("*"):
        path.unlink() if path.is_file() else None
    (damaged.path / "config.yaml").write_text("method: [")
    requests = {request["run"]: path for path, request in queue.waiting(tmp_path)}
    requests[device.id].write_text(json.dumps({"run": device.id, "device": "cuda"}))
    (tmp_path / "queue" / "0-torn.json").write_text('{"run": "x')
    (tmp_path / "queue" / "1-outside.json").write_text(json.dumps({"run": "../../etc"}))
    assert not Supervisor(tmp_path, CPU).cycle()
    aside = {
        path.name.partition("-")[2][:-5]: json.loads(path.read_text())["reason"] for path in (tmp_path / "queue" / "aside").glob("*.json")
    }
    assert "not a run folder" in aside[gone.id] and "not readable as YAML" in aside[damaged.id]
    assert "not a JSON object" in aside["torn"] and "not a JSON object" in aside["outside"]
    assert "this machine has cpu" in aside[device.id] and device.status["state"] == "failed"


def test_a_request_for_a_busy_device_does_not_hold_up_the_others(tmp_path):
    slots = [Slot("cuda:0", "cuda", {}), *CPU]
    waits, goes = request_launch(config(), tmp_path, device="cuda"), request_launch(config(), tmp_path, device="cpu")
    supervisor = Supervisor(tmp_path, slots)
    supervisor.children["cuda:0"] = "busy"
    launched = []
    supervisor.launch = lambda path, request, run, slot: launched.append((run.id, slot.name))
    supervisor.fill()
    assert launched == [(goes.id, "cpu:0")]
    del supervisor.children["cuda:0"]
    launched.clear()
    supervisor.fill()
    assert launched == [(waits.id, "cuda:0")]


def test_slots_are_the_visible_gpus_and_one_for_the_cpu(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    found = slots_of_this_machine()
    assert [(slot.name, slot.environment["CUDA_VISIBLE_DEVICES"]) for slot in found] == [("cuda:2", "2"), ("cuda:3", "3"), ("cpu:0", "")]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert [slot.name for slot in slots_of_this_machine(2)] == ["cpu:0", "cpu:1"]


def test_a_request_claimed_by_a_supervisor_that_was_killed_is_not_lost(tmp_path):
    run = request_launch(config(), tmp_path)
    queue.take(queue.waiting(tmp_path)[0][0])
    assert not queue.queue_list(tmp_path)
    Supervisor(tmp_path, CPU)
    assert [request["run"] for request in queue.queue_list(tmp_path)] == [run.id]


def test_the_queue_is_listed_reordered_and_left(tmp_path):
    runs = [request_launch(config(), tmp_path) for _ in range(3)]
    ids = [run.id for run in runs]
    queue.queue_move(tmp_path, ids[2], 1)
    assert [request["run"] for request in queue.queue_list(tmp_path)] == [ids[2], ids[0], ids[1]]
    queue.queue_move(tmp_path, ids[2], 2)
    assert [request["run"] for request in queue.queue_list(tmp_path)] == [ids[0], ids[2], ids[1]]
    queue.queue_cancel(tmp_path, ids[0])
    assert [request["run"] for request in queue.queue_list(tmp_path)] == [ids[2], ids[1]]
    assert runs[0].status["state"] == "stopped"
    with pytest.raises(UserError, match="does not wait in the queue"):
        queue.queue_cancel(tmp_path, ids[0])
    with pytest.raises(UserError, match="give one from 1 to 2"):
        queue.queue_move(tmp_path, ids[1], 3)


# ---- stopping -----------------------------------------------------------------------------------------------------------


def test_stopping_a_waiting_run_takes_it_out_of_the_queue(tmp_path):
    run = request_launch(config(), tmp_path)
    assert "taken out of the queue" in stop(run)
    assert run.status["state"] == "stopped" and not queue.queue_list(tmp_path)
    assert "nothing to stop" in stop(run)


def test_a_running_run_finishes_its_step_writes_a_checkpoint_and_goes_on_after_a_resume(tmp_path):
    run = request_launch(config(steps=200_000, checkpoint_every=200_000), tmp_path)
    supervisor = Supervisor(tmp_path, CPU)
    supervisor.cycle()
    until(lambda: steps_done(run) > 5)
    outcome = stop(run, grace=20)
    step = run.status["step"]
    assert outcome == f"stopped at step {step}" and run.steps_of("checkpoints") == [step]
    until(lambda: not supervisor.cycle(), 10)
    request_resume(run)
    until(lambda: steps_done(run) > step + 5, cycle=supervisor.cycle)
    assert [event["event"] for event in run.events()].count("resumed") == 1
    assert stop(run, grace=20).startswith("stopped at step")


@pytest.mark.parametrize("what, last", [("sleep", signal.SIGTERM), ("deaf", signal.SIGKILL)])
def test_a_run_that_does_not_obey_is_ended_by_signals_to_its_group(standing, monkeypatch, what, last):
    supervisor, run = standing(what)
    sent = []
    real = os.killpg
    monkeypatch.setattr(os, "killpg", lambda group, number: (sent.append((group, number)), real(group, number)))
    pid = run.status["pid"]
    outcome = stop(run, grace=0.4)
    assert sent == [(pid, number) for number in (signal.SIGTERM, signal.SIGKILL)[: 1 if last == signal.SIGTERM else 2]]
    assert outcome.startswith("stopped: ") and "newest checkpoint is of step 2" in outcome
    supervisor.cycle()
    assert run.status["state"] == "stopped" and not supervisor.children
    assert not list((run.path / "control").glob("*.json")), "a stop left behind would end the resumed run"


@pytest.mark.parametrize("what, numbers", [("sleep", [signal.SIGTERM]), ("deaf", [signal.SIGTERM, signal.SIGKILL])])
def test_the_supervisor_insists_on_a_stop_that_a_page_asked_for(standing, monkeypatch, what, numbers):
    supervisor, run = standing(what)
    sent = []
    real = os.killpg
    monkeypatch.setattr(os, "killpg", lambda group, number: (sent.append(number), real(group, number)))
    run.command(command="stop", grace=0.5)
    supervisor.cycle()
    assert not sent, "the grace is not over"
    until(lambda: run.status["state"] == "stopped", cycle=supervisor.cycle)
    assert list(dict.fromkeys(sent)) == numbers and not supervisor.children


def test_the_end_of_a_process_is_a_stop_where_one_was_asked_for(standing):
    supervisor, run = standing()
    run.command(command="stop")
    signal_group(run.status["pid"], run.status["started"], signal.SIGKILL)
    until(lambda: run.status["state"] == "stopped", cycle=supervisor.cycle)


def test_a_process_that_began_at_another_time_is_never_signalled(tmp_path):
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    try:
        started = process_started(bystander.pid)
        run = create_run(config(), tmp_path)
        write_json(
            run.path / "status.json",
            run.status | {"state": "running", "host": socket.gethostname(), "pid": bystander.pid, "started": started - 5},
        )
        assert run.status["state"] == "stale"
        assert stop(run, grace=0.2).startswith("stopped")
        assert not signal_group(bystander.pid, started - 5, signal.SIGKILL)
        assert bystander.poll() is None
        assert signal_group(bystander.pid, started, signal.SIGKILL)
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.parametrize("where", ["shared", "elsewhere"])
def test_a_shared_process_and_one_on_another_host_are_only_asked(tmp_path, monkeypatch, where):
    run = create_run(config(), tmp_path)
    host = socket.gethostname() if where == "shared" else "another-host"
    process = "shared" if where == "shared" else "own"
    who = {"host": host, "pid": os.getpid(), "started": process_started(os.getpid()), "process": process}
    write_json(run.path / "status.json", run.status | who | {"state": "running"})
    (run.path / "heartbeat").touch()
    monkeypatch.setattr(os, "killpg", lambda *_: pytest.fail("signalled"))
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("signalled"))
    assert "not signalled" in stop(run, grace=0.2)
    assert len(list((run.path / "control").glob("*.json"))) == 1


def test_two_processes_never_train_one_run(tmp_path):
    from training.control import exclusive

    run = create_run(config(), tmp_path)
    code = f"from training.control import exclusive; from workbench.run import Run; from pathlib import Path\nwith exclusive(Run(Path({str(run.path)!r})), 0.1): pass"
    with exclusive(run):
        second = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=REPOSITORY)
    assert "another process is training this run" in second.stderr
    subprocess.run([sys.executable, "-c", code], check=True, cwd=REPOSITORY)
