"""How quick is the app in a real Chromium? `python -m tests.benchmarks.app RUNS [--repeats 20]` prints the seconds as JSON.

RUNS is a runs folder with at least two looked-at runs, for example the demo's. Give the machine some quiet: the load is printed beside the times.
"""

import json
import os
import statistics
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from tests.browser.serving import Watched, app, chromium

SIZE = {"width": 1280, "height": 720}
LIMITS = {"first paint": 3.0, "slider to spectrum": 0.3, "every interaction": 1.0}


def seconds(act: Callable[[], Any], until: Callable[[], Any]) -> float:
    start = time.perf_counter()
    act()
    until()
    return time.perf_counter() - start


CHANGED = "text => document.querySelector('.st-key-spectrum .gtitle')?.textContent !== text"
NAMED = "name => location.search.includes(name) && document.querySelector('.st-key-map .gtitle')?.textContent.includes(name)"
MOVED = "url => location.href !== url && document.querySelector('[data-testid=stImage] img')"


def first_paints(context: Any, address: str, repeats: int) -> dict[str, list[float]]:
    """Seconds from asking for a page to its first pixels, to its control row, and to its first figure; each time in a new tab."""
    found: dict[str, list[float]] = {"first paint": [], "control row": [], "first figure": []}
    for _ in range(repeats):
        page = context.new_page()
        start = time.perf_counter()
        page.goto(f"{address}/latent_space")
        page.wait_for_selector(".st-key-row_runs")
        found["control row"].append(time.perf_counter() - start)
        page.wait_for_selector(".st-key-spectrum .main-svg")
        found["first figure"].append(time.perf_counter() - start)
        found["first paint"].append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000"))
        page.close()
    return found


def interactions(watched: Watched, repeats: int) -> dict[str, list[float]]:
    """Seconds from a key or click to what it changes."""
    page = watched.page
    watched.open("latent_space")
    page.wait_for_selector(".st-key-map .scatterlayer .points path")
    page.wait_for_selector(".st-key-map_label")  # the data set is loaded
    watched.settle()

    def when(script: str, given: str) -> Callable[[], Any]:
        return lambda: page.wait_for_function(script, arg=given, polling="raf")

    found: dict[str, list[float]] = {name: [] for name in ("slider to spectrum", "feature", "study on the map", "details", "page")}
    for key in islice(cycle(["ArrowLeft", "ArrowLeft", "ArrowRight"]), repeats):
        page.get_by_role("slider").focus()
        before = page.locator(".st-key-spectrum .gtitle").first.text_content() or ""
        found["slider to spectrum"].append(seconds(partial(page.keyboard.press, key), when(CHANGED, before)))
        watched.settle()
    for turn in range(max(3, repeats // 4)):
        for feature in ("image.backbone", "image.projected"):
            page.locator(".st-key-row_feature").get_by_role("combobox").click()
            option = page.get_by_role("option", name=feature)
            option.wait_for()
            found["feature"].append(seconds(option.click, when(NAMED, feature)))
            watched.settle()
        circle = page.locator(".st-key-map .scatterlayer .points path").nth(turn + 1)
        circle.scroll_into_view_if_needed()
        watched.settle()
        box = circle.bounding_box()
        click = partial(page.mouse.click, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        found["study on the map"].append(seconds(click, when(MOVED, page.url)))
        watched.settle()
        button = page.locator(".st-key-spectrum_details button")
        button.scroll_into_view_if_needed()
        found["details"].append(seconds(button.click, partial(page.wait_for_selector, ".st-key-spectrum_csv button")))
        page.keyboard.press("Escape")
        watched.settle()
        for name, sign in (("Runs", "[data-testid=stDataFrame] canvas"), ("Latent space", ".st-key-spectrum .main-svg")):
            link = page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True)
            found["page"].append(seconds(link.click, partial(page.wait_for_selector, sign)))
            watched.settle()
        page.wait_for_selector(".st-key-map .scatterlayer .points path")
    return found


def p95(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


def main() -> None:
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path)
    parser.add_argument("--repeats", type=int, default=20)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        app(options.runs.resolve(), Path(folder) / "app.log") as address,
        chromium(viewport=SIZE) as context,
    ):
        first_paints(context, address, 1)  # imports and caches of a fresh server
        paints = first_paints(context, address, max(3, options.repeats // 4))
        measured = interactions(Watched(context.new_page(), address), options.repeats)
    every = [value for values in measured.values() for value in values]
    document = {
        "machine": {"cores": os.cpu_count(), "load": os.getloadavg()[0]},
        "seconds": {
            name: {"median": round(statistics.median(values), 3), "p95": round(p95(values), 3), "n": len(values)}
            for name, values in (paints | measured | {"every interaction": every}).items()
        },
        "limits": LIMITS,
    }
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
