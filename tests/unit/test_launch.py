"""Starting the app: on this machine only, on a free port, ended with whoever started it."""

import socket
import urllib.request

import pytest

from training import launch
from training.launch import answers, free_port, start_app, streamlit_command
from workbench import jobs
from workbench.errors import UserError


def test_the_app_is_bound_to_this_machine_and_sends_nothing_out():
    command = streamlit_command(8601, browser=False)
    assert {"--server.address=127.0.0.1", "--server.port=8601", "--browser.gatherUsageStats=false", "--server.headless=true"} <= set(
        command
    )
    assert {"--server.enableXsrfProtection=true", "--server.maxUploadSize=50", "--server.showEmailPrompt=false"} <= set(command)
    assert "--server.headless=false" in streamlit_command(8601, browser=True)


def test_the_next_free_port_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) > port
        with pytest.raises(UserError, match=f"--port {port}: this and the next 0 ports are taken"):
            free_port(port, tries=1)


def test_the_app_starts_answers_and_ends(tmp_path):
    process, address = start_app(tmp_path, 8640)
    try:
        assert process.poll() is None and address.startswith("http://127.0.0.1:86")
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5) as reply:
            assert reply.read() == b"ok"
    finally:
        process.terminate()
        process.wait(10)
    assert not answers(f"{address}/_stcore/health")


def test_an_app_that_does_not_start_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(
        launch, "streamlit_command", lambda *_: [launch.sys.executable, "-c", "raise SystemExit('no module named streamlit')"]
    )
    with pytest.raises(UserError, match=r"did not start on port \d+: no module named streamlit; see .*app\.log.*--no-app"):
        start_app(tmp_path, 8640)


def test_a_supervisor_that_lives_is_not_started_again(tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(jobs.subprocess, "Popen", lambda command, **how: started.append((command, how)))
    assert launch.ensure_queue(tmp_path)
    command, how = started[0]
    assert command[1:] == ["-m", "training", "queue", "start", "--runs", str(tmp_path)]
    assert how["start_new_session"] and how["stdin"] == jobs.subprocess.DEVNULL and how["stdout"] != jobs.subprocess.PIPE
    import os

    from workbench.run import process_started, write_json

    me = {"host": socket.gethostname(), "pid": os.getpid(), "started": process_started(os.getpid())}
    write_json(tmp_path / "queue" / "supervisor.json", me)
    assert not launch.ensure_queue(tmp_path)
    write_json(tmp_path / "queue" / "supervisor.json", me | {"started": me["started"] - 9})
    assert launch.ensure_queue(tmp_path), "that process number belongs to somebody else now"
