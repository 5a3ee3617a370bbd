"""The analysis worker: jobs in children with a memory cap, a time limit, progress, cancel; whole results or none."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from training import bench
from training.worker import Bench, compute, serve, serve_next
from workbench import jobs
from workbench.embeddings import load
from workbench.errors import UserError
from workbench.jobs import open_job, request_job, waiting_jobs
from workbench.run import RunConfig, create_run, read_json, write_json

REPOSITORY = Path(__file__).parents[2]
TOY = '''
"""A toy job."""
import os, sys, time
from workbench.errors import UserError
VERSION = 1
def compute(task):
    (task.folder / "half").write_text("x")
    task.progress(0.5, "half way")
    what = task.parameters["what"]
    if what == "sleep":
        time.sleep(20)
    if what == "user":
        raise UserError("field: wrong, do this")
    if what == "bug":
        raise KeyError("gone")
    if what == "die":
        os._exit(7)
    if what == "eat":
        held = [bytearray(os.urandom(1 << 20)) for _ in range(3000)]
        time.sleep(20)
    task.progress(1.0, "")
    (task.folder / "pid").write_text(f"{os.getpid()}")
    (task.folder / "nice").write_text(f"{os.nice(0)} {os.environ['OMP_NUM_THREADS']} {open('/proc/self/oom_score_adj').read()}")
'''


@pytest.fixture(autouse=True)
def toy(tmp_path, monkeypatch):
    """A job of its own in a copy of the place where jobs are looked for; nothing starts by itself."""
    monkeypatch.setattr(jobs, "start_queue", lambda root: None)
    folder = tmp_path / "code" / "toyjobs"
    folder.mkdir(parents=True)
    (folder / "toy.py").write_text(TOY)
    (folder / "sitecustomize.py").write_text(f"import training.jobs; training.jobs.__path__.append({str(folder)!r})\n")
    monkeypatch.setenv("PYTHONPATH", f"{REPOSITORY}:{folder}")
    monkeypatch.setattr(jobs, "FUNCTIONS", folder)
    jobs.version.cache_clear()
    yield
    jobs.version.cache_clear()


def ask(root, what):
    return request_job(root, "toy", None, {"what": what})


def test_a_whole_result_is_renamed_into_place_by_a_modest_child(tmp_path):
    job = ask(tmp_path, "work")
    assert serve_next(tmp_path) and not waiting_jobs(tmp_path) and not serve_next(tmp_path)
    assert job.status() == {"state": "finished", "progress": 1.0, "message": "", "error": None}
    niceness, threads, oom = (job.result / "nice").read_text().split()
    assert int(niceness) >= 10 and threads == "1" and int(oom) >= 0
    assert sorted(path.name for path in job.result.parent.iterdir()) == [job.result.name]


@pytest.mark.parametrize(
    "what, words", [("user", "field: wrong, do this"), ("bug", "KeyError: 'gone'"), ("die", "ended with exit code 7 and no result")]
)
def test_a_failure_is_a_sentence_and_leaves_no_half_result(tmp_path, what, words):
    job = ask(tmp_path, what)
    serve_next(tmp_path)
    assert job.status()["state"] == "failed" and words in job.status()["error"]
    assert not job.done and not waiting_jobs(tmp_path)
    assert what == "die" or not list(job.result.parent.iterdir())


def test_progress_is_seen_and_a_cancel_ends_the_child(tmp_path):
    job = ask(tmp_path, "sleep")
    thread = threading.Thread(target=serve_next, args=(tmp_path,))
    thread.start()
    deadline = time.monotonic() + 60
    while job.status()["progress"] != 0.5 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (job.status()["state"], job.status()["message"]) == ("running", "half way")
    job.cancel()
    thread.join(12)
    assert not thread.is_alive() and job.status()["state"] == "cancelled" and not job.done


def test_a_job_cancelled_while_it_waits_never_begins(tmp_path):
    job = ask(tmp_path, "work")
    job.cancel()
    serve_next(tmp_path)
    assert job.status()["state"] == "cancelled" and not (job.folder / "out.log").exists()


def test_memory_and_time_have_a_cap(tmp_path):
    hungry, slow = ask(tmp_path, "eat"), ask(tmp_path, "sleep")
    assert "needs more than 0.3 GB" in compute(hungry, cap=300_000_000)["error"]
    assert "not finished after 1 s" in compute(slow, limit=1.0)["error"]


def test_the_child_stays_warm_until_a_job_takes_it_down_or_the_code_changes(tmp_path):
    bench = Bench(tmp_path)
    pids = []
    try:
        for what in ("one", "user", "two", "die", "three", "changed"):
            bench.code -= what == "changed"
            job = ask(tmp_path, what)
            serve_next(tmp_path, bench)
            pids.append((job.result / "pid").read_text() if job.done else job.status()["error"])
    finally:
        bench.end()
    assert pids[0] == pids[2] and pids[1] == "field: wrong, do this" and "exit code 7" in pids[3]
    assert len({pids[2], pids[4], pids[5]}) == 3


def test_an_upload_is_kept_until_it_is_old(tmp_path):
    pixels = np.arange(15, dtype=np.uint8).reshape(3, 5)
    name = jobs.write_upload(tmp_path, pixels)
    assert name == jobs.write_upload(tmp_path, pixels) != jobs.write_upload(tmp_path, pixels.reshape(5, 3))
    np.testing.assert_array_equal(jobs.read_upload(tmp_path, name), pixels)
    jobs.forget(tmp_path, 3600)
    jobs.read_upload(tmp_path, name)
    jobs.forget(tmp_path, -1)
    for wrong in (name, "../../etc/passwd"):
        with pytest.raises(UserError, match="not here any more"):
            jobs.read_upload(tmp_path, wrong)


def test_a_job_that_takes_the_worker_down_is_tried_twice(tmp_path):
    job = ask(tmp_path, "work")
    write_json(job.folder / "status.json", read_json(job.folder / "status.json") | {"state": "running", "tries": 2})
    serve_next(tmp_path)
    assert "took the worker down twice" in job.status()["error"]


def test_a_killed_worker_takes_its_child_along_and_the_next_one_begins_again(tmp_path):
    job = ask(tmp_path, "sleep")
    process = subprocess.Popen([sys.executable, "-m", "training.worker", str(tmp_path)], cwd=REPOSITORY, start_new_session=True)
    deadline = time.monotonic() + 60
    while job.status()["progress"] != 0.5 and time.monotonic() < deadline:
        time.sleep(0.05)
    import psutil

    children = psutil.Process(process.pid).children()
    second = subprocess.run([sys.executable, "-m", "training.worker", str(tmp_path)], cwd=REPOSITORY, timeout=30)
    assert second.returncode == 0 and len(children) == 1, "a second worker leaves at once"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    psutil.wait_procs(children, timeout=5)
    assert not children[0].is_running()
    assert len(waiting_jobs(tmp_path)) == 1
    job.cancel()
    serve(tmp_path, idle=0.3)
    assert job.status()["state"] == "cancelled"


def test_a_ticket_that_names_no_job_is_dropped(tmp_path):
    ask(tmp_path, "work")
    ticket = waiting_jobs(tmp_path)[0]
    ticket.write_text('{"id": "to')
    assert not serve_next(tmp_path) and not waiting_jobs(tmp_path)


def test_features_of_a_split_at_a_snapshot(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_PLUGINS", "tests.toys")
    monkeypatch.setattr(jobs, "FUNCTIONS", REPOSITORY / "training" / "jobs")
    from training.jobs import features
    from training.loop import train
    from training.setup import resolve

    values = {
        "method": {"name": "tests.toys.line"},
        "data": {"points": {"config": {"name": "tests.toys.points"}}},
        "stages": [{"steps": 2}],
    }
    values |= {"batch": 8, "device": "cpu", "monitors": {"studies": 10, "probe_train": 0}}
    run = create_run(resolve(RunConfig.model_validate(values)), tmp_path)
    train(run, shared=True)
    for split, n in (("val", 10), ("test", 10)):
        job = request_job(tmp_path, "features", run.id, {"split": split, "step": 2})
        (tmp_path / split).mkdir()
        features.compute(bench.Task(job, {"split": split, "step": 2}, tmp_path / split))
        found = load(tmp_path / split / "image.backbone")
        assert (found.features.shape, found.checkpoint, found.data_hash) == ((n, 3), 2, run.status["data_hash"])
    stored = run.embeddings("image.backbone", 2)
    computed = load(tmp_path / "val" / "image.backbone")
    order = [computed.keys.index(key) for key in stored.keys]
    np.testing.assert_allclose(computed.features[order], stored.features, rtol=1e-5, atol=1e-6)
    assert open_job(tmp_path, job.id).status()["progress"] == 1.0
