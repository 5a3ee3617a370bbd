"""How quick is the map component in a real Chromium? `python -m tests.benchmarks.points [--sizes 10000 100000 1000000]` prints JSON.

Per size, in the app: seconds from asking for the page to the first drawing, from the end of a lasso to the number that Python found, and bytes
that went down and up meanwhile. Then the same module with 100,000 points as Jupyter gives them to it, on a page that plays the kernel's part:
the model that anywidget hands over, with bytes from `PointsWidget`. WebGL in software, as headless Chromium has it.
"""

import base64
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
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


HARNESS = """<!doctype html><body><div id="here"></div><script type="module">
const [given, script] = window.given, bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const state = { header: given.header, blob: new DataView(bytes(given.blob).buffer), beside: {}, besides: new DataView(new ArrayBuffer(0)) };
const model = { get: (name) => state[name], set: (name, value) => { state[name] = value; }, save_changes: () => window.saved(JSON.stringify(state.geometry)), on() {}, off() {} };
const made = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
window.started = performance.now();
const widget = typeof made.default === "function" ? await made.default() : made.default;
widget.render({ model, el: document.getElementById("here") });
</script></body>"""


def in_jupyter(browser: Any, n: int) -> dict[str, Any]:
    """The module as anywidget loads it, with the traits of a widget."""
    from workbench.widget import PointsWidget

    made = cloud(n)
    widget = PointsWidget(made, [str(each) for each in range(n)])
    page = browser.new_context(viewport=SIZE).new_page()
    saved: list[tuple[float, str]] = []
    page.expose_function("saved", lambda text: saved.append((time.perf_counter(), text)))
    given = [{"header": widget.widget.header, "blob": base64.b64encode(widget.widget.blob).decode()}, str(widget.widget._esm)]
    page.add_init_script(f"window.given = {json.dumps(given)}")
    start = time.perf_counter()
    page.route("http://harness/", lambda route: route.fulfill(body=HARNESS, content_type="text/html"))
    page.goto("http://harness/")
    page.wait_for_selector(".stage[data-drawn]")
    found = {"n": n, "engine": page.locator(".stage").get_attribute("data-engine"), "first drawing": time.perf_counter() - start}
    end = lasso(page)
    while not saved and time.perf_counter() - end < 20:
        page.wait_for_timeout(20)
    widget.widget.geometry = json.loads(saved[-1][1])
    count = len(widget.keys)
    found |= {"lasso to result": time.perf_counter() - end, "bytes up": len(saved[-1][1]), "inside": count}
    page.close()
    return found


def main(sizes: list[int]) -> dict[str, Any]:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        port, script = free_port(), Path(folder) / "bench.py"
        script.write_text("from tests.benchmarks.points import page\n\npage()\n")
        command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless", "true", "--server.port", str(port)]
        values = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY)}
        process = subprocess.Popen(command, cwd=REPOSITORY, env=values, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *SOFTWARE])
        try:
            time.sleep(6)
            in_app(browser, f"http://127.0.0.1:{port}", 1000)  # imports, the first visit
            rows = [in_app(browser, f"http://127.0.0.1:{port}", n) for n in sizes]
            return {"load": os.getloadavg()[0], "limits": LIMITS, "app": rows, "jupyter": in_jupyter(browser, 100_000)}
        finally:
            browser.close()
            process.terminate()
            process.wait(20)


if __name__ == "__main__":
    parser = ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    print(json.dumps(main(parser.parse_args().sizes), indent=2))
