"""How quick is the app in a real Chromium? `python -m tests.benchmarks.app RUNS [--repeats 20]` prints seconds as JSON.

RUNS is a runs folder with at least two looked-at runs, for example the demo's. Give the machine some quiet: the load is printed beside the times.
"""

import json
import os
import statistics
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from tests.browser.serving import Watched, app, chromium

SIZE = {"width": 1280, "height": 720}
LIMITS = {"first paint": 3.0, "slider to spectrum": 0.3, "every interaction": 1.0}


class Spent(NamedTuple):
    """Wall seconds, and CPU seconds of server and browser together: on a busy machine the second says more."""

    wall: float
    cpu: float


def cpu() -> float:
    """CPU seconds of all processes this one started."""
    total = 0.0
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:2])
    return total


def spent(act: Callable[[], Any], until: Callable[[], Any]) -> Spent:
    before, start = cpu(), time.perf_counter()
    act()
    until()
    wall = time.perf_counter() - start
    return Spent(wall, cpu() - before)


CHANGED = "text => document.querySelector('.st-key-spectrum .gtitle')?.textContent !== text"
NAMED = "name => location.search.includes(name) && document.querySelector('.st-key-map .gtitle')?.textContent.includes(name)"
FORM = "[class*='st-key-group'] [data-testid=stNumberInput]"
PAGES = {  # in an order in which no page has the sign of the one before
    "Runs": "[data-testid=stDataFrame] canvas",
    "Live": ".st-key-live_metrics",
    "Compare": ".st-key-seeds .main-svg",
    "Launch": FORM,
    "Data": ".footer",
    "Zero-shot": ".st-key-zero_source",
    "Latent space": ".st-key-spectrum .main-svg",
}
MOVED = "url => location.href !== url && document.querySelector('[data-testid=stImage] img')"


def first_paints(context: Any, address: str, repeats: int) -> dict[str, list[Spent]]:
    """From asking for a page to its first pixels, to its control row, and to its first figure; each time in a new tab."""
    found: dict[str, list[Spent]] = {"first paint": [], "control row": [], "first figure": []}
    for _ in range(repeats):
        page = context.new_page()
        row = spent(partial(page.goto, f"{address}/latent_space"), partial(page.wait_for_selector, ".st-key-row_runs"))
        rest = spent(lambda: None, partial(page.wait_for_selector, ".st-key-spectrum .main-svg", timeout=120_000))
        first = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000")
        found["first paint"].append(Spent(first, row.cpu))
        found["control row"].append(row)
        found["first figure"].append(Spent(row.wall + rest.wall, row.cpu + rest.cpu))
        page.close()
    return found


def interactions(watched: Watched, repeats: int) -> dict[str, list[Spent]]:
    """Seconds from a key or click to what it changes."""
    page = watched.page
    for path, sign in (("compare", ".st-key-alike_steps .main-svg"), ("zero_shot", ".verdict")):  # their jobs are done: this times pages
        page.goto(f"{watched.address}/{path}")
        page.wait_for_selector(sign, timeout=300_000)
    watched.open("launch")  # its schemas are exported, its widgets are in the browser
    page.wait_for_selector(FORM)
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Latent space", exact=True).click()
    page.wait_for_selector(".st-key-map .scatterlayer .points path")
    page.wait_for_selector(".st-key-map_label")  # the data set is loaded
    watched.settle()
    page.wait_for_timeout(2_000)  # the sessions of closed tabs have ended

    def when(script: str, given: str) -> Callable[[], Any]:
        return lambda: page.wait_for_function(script, arg=given, polling="raf")

    found: dict[str, list[Spent]] = {
        name: [] for name in ("slider to spectrum", "feature", "study on the map", "details", *(f"page {name}" for name in PAGES))
    }
    for key in islice(cycle(["ArrowLeft"] * 9 + ["ArrowRight"] * 9), repeats):
        page.get_by_role("slider").focus()
        before = page.locator(".st-key-spectrum .gtitle").first.text_content() or ""
        found["slider to spectrum"].append(spent(partial(page.keyboard.press, key), when(CHANGED, before)))
        watched.settle()
    for turn in range(max(3, repeats // 4)):
        for feature in ("image.backbone", "image.projected"):
            page.locator(".st-key-row_feature").get_by_role("combobox").click()
            option = page.get_by_role("option", name=feature)
            option.wait_for()
            found["feature"].append(spent(option.click, when(NAMED, feature)))
            watched.settle()
        circle = page.locator(".st-key-map .scatterlayer .points path").nth(turn + 1)
        circle.scroll_into_view_if_needed()
        watched.settle()
        box = circle.bounding_box()
        click = partial(page.mouse.click, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        found["study on the map"].append(spent(click, when(MOVED, page.url)))
        watched.settle()
        button = page.locator(".st-key-spectrum_details button")
        button.scroll_into_view_if_needed()
        found["details"].append(spent(button.click, partial(page.wait_for_selector, ".st-key-spectrum_csv button")))
        page.keyboard.press("Escape")
        watched.settle()
        for name, sign in PAGES.items():
            link = page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True)
            found[f"page {name}"].append(spent(link.click, partial(page.wait_for_selector, sign)))
            watched.settle()
        page.wait_for_selector(".st-key-map .scatterlayer .points path")
    return found


def summary(values: list[Spent]) -> dict[str, float]:
    """Median and 95th percentile of wall time, median of CPU time."""
    wall = sorted(value.wall for value in values)
    return {
        "median": round(statistics.median(wall), 3),
        "p95": round(wall[min(len(wall) - 1, int(0.95 * len(wall)))], 3),
        "cpu": round(statistics.median(value.cpu for value in values), 3),
        "n": len(values),
    }


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
        context.set_default_timeout(120_000)
        first_paints(context, address, 1)  # imports and caches of a fresh server
        paints = first_paints(context, address, max(3, options.repeats // 4))
        measured = interactions(Watched(context.new_page(), address), options.repeats)
    every = [value for values in measured.values() for value in values]
    document = {
        "machine": {"cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)},
        "seconds": {name: summary(values) for name, values in (paints | measured | {"every interaction": every}).items()},
        "limits": LIMITS,
    }
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
