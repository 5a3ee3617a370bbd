"""The app in a process of its own, and a real Chromium in front of it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


@contextmanager
def app(runs: Path, log: Path, **environment: str) -> Iterator[str]:
    """Serve the app on `runs` with the command a reader types; yields its address."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app", "--server.headless", "true", "--server.port", str(port)]
    values = os.environ | {"WORKBENCH_RUNS": str(runs), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY)} | environment
    with open(log, "wb") as file:
        process = subprocess.Popen(command, cwd=REPOSITORY, env=values, stdout=file, stderr=subprocess.STDOUT)
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{address}/_stcore/health", timeout=2)
                break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(20)


class Watched:
    """A browser page that remembers what it should not have done."""

    def __init__(self, page: Any, address: str) -> None:
        self.page, self.address = page, address
        self.errors: list[str] = []
        self.outside: list[str] = []
        page.set_default_timeout(45_000)
        page.on("console", lambda message: message.type == "error" and self.complain(message.text, message.location.get("url", "")))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.see(request.url))

    def complain(self, text: str, url: str) -> None:
        """Streamlit asks for its own address below a deep link first, and takes the 404 for an answer: not an error of the page."""
        if "/_stcore/" not in url:
            self.errors.append(f"{text} {url}")

    def see(self, url: str) -> None:
        if not url.startswith((self.address, self.address.replace("http", "ws"), "data:", "blob:")):
            self.outside.append(url)

    def open(self, path: str, query: Sequence[tuple[str, str]] = ()) -> None:
        self.page.goto(f"{self.address}/{path}?" + "&".join(f"{key}={value}" for key, value in query))
        self.settle()

    def settle(self) -> None:
        """Until no script runs."""
        self.page.wait_for_selector(IDLE)
        self.page.wait_for_timeout(150)
        self.page.wait_for_selector(IDLE)


@contextmanager
def chromium(**context: Any) -> Iterator[Any]:
    """A browser context of a real Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser.new_context(**context)
        finally:
            browser.close()
