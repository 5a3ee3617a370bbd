"""How quick is the map component in a real Chromium? `python -m tests.benchmarks.points [--sizes 10000 100000 1000000]` prints JSON.

Per size, in the app: seconds from asking for the page to the first drawing, from the end of a lasso to the number that Python found, and bytes
that went down and up meanwhile; then 100,000 points in JupyterLab. WebGL in software, as headless Chromium has it. The load is printed beside.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from tests.browser.serving import CHROMIUM, FLAGS, free_port
from workbench.cloud import Cloud, colour

REPOSITORY = Path(__file__).parents[2]
SOFTWARE = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
SIZE = {"width": 1280, "height": 800}
LIMITS = {"first drawing": 6.0, "lasso to result": 1.5, "bytes up": 5000}


def cloud(n: int) -> Cloud:
    """Six round lumps, coloured by lump."""
    rng = np.random.default_rng(n)
    lump = rng.integers(0, 6, n)
    xy = rng.normal(size=(n, 2)) + 5 * np.stack([np.cos(lump), np.sin(lump)], 1)
    return Cloud(xy, f"{n} points", colour=colour("lump", np.asarray([f"lump {each}" for each in range(6)])[lump]))


def page() -> None:
    """What is served: the cloud of the size in the address, and how many points Python finds inside what was drawn."""
    import streamlit as st

    from app.points import points
    from workbench.analysis.polygon import inside

    made = st.cache_resource(cloud)(int(st.query_params["n"]))
    given = points("bench", made, lambda geometry: None)
    if given:
        st.markdown(f"inside: {int(inside(made.xy, given['polygon']).sum())}")


def lasso(page: Any, corners: int = 80) -> float:
    """Draw a wavy line with the mouse; the time at which its end is let go."""
    page.locator("[data-do=lasso]").click()
    box = page.locator(".stage").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for at in range(corners + 1):
        turn = 2 * math.pi * at / corners
        page.mouse.move(x + 170 * math.cos(turn) * (1 + 0.2 * math.sin(7 * turn)), y + 150 * math.sin(turn))
        if at == 0:
            page.mouse.down()
    end = time.perf_counter()
    page.mouse.up()
    return end


def in_app(browser: Any, address: str, n: int) -> dict[str, Any]:
    """One size on a page of its own."""
    page = browser.new_context(viewport=SIZE).new_page()
    page.set_default_timeout(120_000)
    sizes: dict[str, list[int]] = {"down": [], "up": []}
    page.on(
        "websocket",
        lambda socket: [
            socket.on("framereceived", lambda data: sizes["down"].append(len(data))),
            socket.on("framesent", lambda data: sizes["up"].append(len(data))),
        ],
    )
    start = time.perf_counter()
    page.goto(f"{address}/?n={n}")
    page.wait_for_selector(".stage[data-drawn]")
    found = {"n": n, "engine": page.locator(".stage").get_attribute("data-engine"), "first drawing": time.perf_counter() - start}
    page.wait_for_timeout(1500)
    found["bytes down"], before = sum(sizes["down"]), [len(sizes["down"]), len(sizes["up"])]
    end = lasso(page)
    page.get_by_text("inside:").wait_for()
    found |= {"lasso to result": time.perf_counter() - end, "bytes up": sum(sizes["up"][before[1] :])}
    found |= {"bytes down after": sum(sizes["down"][before[0] :]), "inside": page.get_by_text("inside:").inner_text()}
    page.close()
    return found


CELL = """
import ipywidgets
from tests.benchmarks.points import cloud
from workbench.widget import PointsWidget
shown = PointsWidget(cloud({n}), [str(each) for each in range({n})])
told = ipywidgets.HTML()
shown.widget.observe(lambda change: setattr(told, "value", f"inside: {{len(shown.keys)}}"), "geometry")
ipywidgets.VBox([shown.widget, told])
"""


def in_lab(browser: Any, address: str, n: int) -> dict[str, Any]:
    """The same in JupyterLab: seconds from running the cell, which also makes the points, to the first drawing."""
    page = browser.new_context(viewport=SIZE).new_page()
    page.set_default_timeout(120_000)
    sent: list[int] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda data: sent.append(len(data))))
    page.goto(f"{address}/lab/tree/bench.ipynb")
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]")
    page.wait_for_timeout(3000)  # the kernel has said that it is idle, its widgets are not at once ready
    page.locator(".jp-CodeCell .cm-content").click()
    start = time.perf_counter()
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".stage[data-drawn]")
    found = {"n": n, "engine": page.locator(".stage").get_attribute("data-engine"), "first drawing": time.perf_counter() - start}
    page.locator(".stage").scroll_into_view_if_needed()
    page.wait_for_timeout(1500)
    before = len(sent)
    end = lasso(page)
    page.get_by_text("inside:").last.wait_for()
    page.wait_for_function("[...document.querySelectorAll('.widget-html-content')].some((each) => each.textContent.startsWith('inside:'))")
    found |= {"lasso to result": time.perf_counter() - end, "bytes up": sum(sent[before:])}
    found["inside"] = page.locator(".widget-html-content").inner_text()
    page.close()
    return found


def notebook(n: int) -> dict[str, Any]:
    """One cell, not run yet."""
    cell = {"cell_type": "code", "execution_count": None, "id": "one", "metadata": {}, "outputs": [], "source": CELL.format(n=n)}
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


@contextmanager
def serving(command: Sequence[str], folder: str, ready: str) -> Iterator[None]:
    """A server in a process of its own, once `ready` answers."""
    values = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY), "HOME": folder}
    process = subprocess.Popen(
        [sys.executable, "-m", *command], cwd=folder, env=values, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(400):
            with suppress(OSError):
                urllib.request.urlopen(ready, timeout=2)
                break
            time.sleep(0.15)
        yield
    finally:
        process.terminate()
        process.wait(20)


def main(sizes: list[int]) -> dict[str, Any]:
    """Everything, one after the other."""
    from playwright.sync_api import sync_playwright

    found: dict[str, Any] = {"load": os.getloadavg()[0], "limits": LIMITS}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        (Path(folder) / "bench.py").write_text("from tests.benchmarks.points import page\n\npage()\n")
        (Path(folder) / "bench.ipynb").write_text(json.dumps(notebook(100_000)))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *SOFTWARE])
        address = f"http://127.0.0.1:{(port := free_port())}"
        with serving(
            ["streamlit", "run", "bench.py", "--server.headless", "true", "--server.port", str(port)], folder, f"{address}/_stcore/health"
        ):
            in_app(browser, address, 1000)  # imports, the first visit
            found["app"] = [in_app(browser, address, n) for n in sizes]
        address = f"http://127.0.0.1:{(port := free_port())}"
        options = [
            f"--ServerApp.port={port}",
            "--no-browser",
            "--allow-root",
            "--IdentityProvider.token=",
            f"--ServerApp.root_dir={folder}",
        ]
        with serving(["jupyterlab", *options], folder, f"{address}/api"):
            found["jupyter"] = in_lab(browser, address, 100_000)
        browser.close()
    return found


if __name__ == "__main__":
    parser = ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    print(json.dumps(main(parser.parse_args().sizes), indent=2))
