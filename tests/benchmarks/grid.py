"""How quick is the grid of thumbnails over many images in a real Chromium? `python -m tests.benchmarks.grid [--studies 100000]` prints JSON.

The page Data on made-up films: from asking for the page to a filled window, from a scroll to a filled window (of films without and with a kept
thumbnail), from choosing a column to the sorted window, and what travels each time.
"""

import json
import os
import random
import statistics
import tempfile
import time
from argparse import ArgumentParser
from functools import partial
from pathlib import Path
from typing import Any

from tests.app import folders
from tests.benchmarks.app import Spent, spent, summary
from tests.browser.serving import Watched, app, chromium
from tests.full.record import head, write
from workbench.thumbnails import sheet

FILLED = """() => {
  const root = [...document.querySelectorAll('*')].map((each) => each.shadowRoot).find((each) => each?.querySelector('.wg-scroll'));
  if (!root) return false;
  const box = root.querySelector('.wg-scroll').getBoundingClientRect();
  const seen = [...root.querySelectorAll('.wg-cell')].filter((each) => {
    const own = each.getBoundingClientRect();
    return own.bottom > box.top + 4 && own.top < box.bottom - 4;
  });
  return seen.length > 8 && seen.every((each) => each.querySelector('.wg-film').style.backgroundImage.includes('blob:'));
}"""
LIMITS = {"scroll, bytes up": 5000, "200 kept thumbnails": 0.3}


def scrolled(page: Any, share: float) -> None:
    page.locator(".wg-scroll").evaluate("(each, share) => { each.scrollTop = share * each.scrollHeight; }", share)


def main() -> None:
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=12)
    options = parser.parse_args()
    begun = time.time()
    folders.DATA = {"name": "tests.toys.films", "studies": options.studies, "size": 256}
    found: dict[str, list[Spent]] = {}
    up: list[int] = []
    down: list[int] = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WORKBENCH_CACHE"] = f"{folder}/cache"
        folders.write_run(Path(folder) / "runs")
        given = {"WORKBENCH_PLUGINS": "tests.toys"}
        with (
            app(Path(folder) / "runs", Path(folder) / "app.log", **given) as address,
            chromium(viewport={"width": 1280, "height": 720}) as context,
        ):
            watched = Watched(context.new_page(), address)
            page = watched.page
            page.set_default_timeout(180_000)
            sent, received = [], []
            page.on("websocket", lambda socket: [socket.on("framesent", lambda each: sent.append(len(each))),
                                                 socket.on("framereceived", lambda each: received.append(len(each)))])  # fmt: skip
            filled = partial(page.wait_for_function, FILLED, polling="raf")
            watched.open("data")  # imports, the data set
            filled()
            for _ in range(3):
                found.setdefault("first draw", []).append(spent(partial(page.goto, f"{address}/data"), filled))
                watched.settle()
            places = [random.Random(each).random() * 0.95 for each in range(options.repeats)]
            for name in ("scroll, new films", "scroll, kept thumbnails"):
                for share in places:
                    sent.clear(), received.clear()
                    found.setdefault(name, []).append(spent(partial(scrolled, page, share), filled))
                    page.wait_for_timeout(400)
                    up.append(sum(sent)), down.append(sum(received))
                page.goto(f"{address}/data")  # the browser has forgotten, the server has not
                filled()
                watched.settle()
            for column in ("Age", "Findings", "Sex"):
                second = page.locator(".wg-cell[aria-posinset='2']").get_attribute("aria-label")
                changed = page.locator(f".wg-cell[aria-posinset='2']:not([aria-label={json.dumps(second)}])")
                found.setdefault("sort", []).append(
                    spent(partial(page.locator(".wg select").select_option, column), lambda changed=changed: (changed.wait_for(), filled()))
                )
                watched.settle()
            cells = page.locator(".wg-cell").count()
        assert not watched.errors, watched.errors
        from tests.toys import films

        toy = films.load(films.Config(studies=200, size=256))
        sheet(toy, toy.keys, 128)
        found["200 kept thumbnails"] = [spent_here(lambda: sheet(toy, toy.keys, 128)) for _ in range(5)]
    document = head({"studies": options.studies}, "none", [], begun) | {
        "machine": {"cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)},
        "seconds": {name: summary(values) for name, values in found.items()},
        "bytes": {"up a scroll": max(up), "down a scroll": int(statistics.median(down))},
        "cells in the page": cells,
        "limits": LIMITS,
    }
    write("grid", document)
    print(json.dumps(document, indent=1))
    assert max(up) < LIMITS["scroll, bytes up"] and document["seconds"]["200 kept thumbnails"]["cpu"] < LIMITS["200 kept thumbnails"]


def spent_here(act: Any) -> Spent:
    """The same of something in this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


if __name__ == "__main__":
    main()
