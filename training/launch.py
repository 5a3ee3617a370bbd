"""Starting the app and the queue as processes of their own."""

import atexit
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from workbench.errors import UserError
from workbench.jobs import REPOSITORY, start_queue

HOST = "127.0.0.1"  # seen from this machine only


def streamlit_command(port: int, browser: bool) -> list[str]:
    """The command that serves the app on this machine alone, sends nothing out and asks no questions."""
    options = {
        "server.address": HOST,
        "server.port": port,
        "server.headless": "false" if browser else "true",
        "server.showEmailPrompt": "false",
        "server.enableXsrfProtection": "true",
        "server.maxUploadSize": 50,
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
    }
    flags = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "streamlit", "run", str(REPOSITORY / "app" / "streamlit_app.py"), *flags]


def free_port(port: int, tries: int = 50) -> int:
    """`port`, or the next one nobody listens on. Raises UserError where all are taken."""
    for candidate in range(port, port + tries):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, candidate))
            except OSError:
                continue
            return candidate
    raise UserError(f"--port {port}: this and the next {tries - 1} ports are taken; give another one")


def start_app(root: Path, port: int = 8501, browser: bool = False, seconds: float = 60.0) -> tuple["subprocess.Popen[bytes]", str]:
    """Start the app for a runs folder and wait until it answers; returns the process and the address. It ends with this process."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "queue").mkdir(exist_ok=True)
    path, port = root / "queue" / "app.log", free_port(port)
    with open(path, "ab") as log:
        process = subprocess.Popen(
            streamlit_command(port, browser),
            cwd=REPOSITORY,
            env=os.environ | {"WORKBENCH_RUNS": str(root)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    atexit.register(process.terminate)
    address = f"http://{HOST}:{port}"
    deadline = time.monotonic() + seconds
    while not answers(f"{address}/_stcore/health"):
        if process.poll() is not None or time.monotonic() > deadline:
            process.terminate()
            end = path.read_text(errors="replace").strip().splitlines()[-1:] or ["its log is empty"]
            raise UserError(f"the app did not start on port {port}: {end[0]}; see {path}, or go on without it with --no-app")
        time.sleep(0.1)
    return process, address


def answers(address: str) -> bool:
    """Whether a page of this machine answers."""
    try:
        with urllib.request.urlopen(address, timeout=2) as reply:
            return reply.status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def ensure_queue(root: Path) -> bool:
    """Start the supervisor of a runs folder where none lives; whoever writes a request calls this afterwards."""
    return start_queue(root)
