"""The map component in a real Chromium, with WebGL and without: what is drawn around is what Python finds, and little travels for it."""

import math

import numpy as np
import pytest

from tests.app.folders import write_run
from tests.browser.serving import CHROMIUM, FLAGS, Watched, app
from workbench.analysis.polygon import inside
from workbench.analysis.projection import pca
from workbench.run import Run

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine; install it to run the browser tests")
MAP = "globalThis[Symbol.for('workbench.points')].get('atlas').map"
CHOSEN = f"() => {{ const map = {MAP}; return [map.polygon, [...map.mask ?? []]]; }}"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("map")
    path = write_run(folder / "runs")
    with app(folder / "runs", folder / "app.log", WORKBENCH_PLUGINS="tests.toys") as address:
        yield address, path


def opened(browser, address, path):
    watched = Watched(browser.new_context(viewport={"width": 1280, "height": 900}).new_page(), address)
    watched.sent = []
    watched.page.on("websocket", lambda socket: socket.on("framesent", lambda data: watched.sent.append(len(data))))
    watched.open("map", [("run", path.name), ("feature", "image.projected")])
    watched.page.wait_for_selector(".stage[data-drawn]")
    watched.page.get_by_text("Colour by").wait_for()
    watched.settle()
    return watched


def drawn_around(page):
    """A line that crosses itself, by the mouse."""
    page.locator("[data-do=lasso]").click()
    box = page.locator(".stage").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    for at in range(61):
        turn = 4 * math.pi * at / 60
        page.mouse.move(x + 230 * math.cos(turn) * (0.6 + 0.4 * math.sin(turn / 2)), y + 120 * math.sin(turn))
        if at == 0:
            page.mouse.down()
    page.mouse.up()


def agrees(watched, xy):
    """The polygon that was sent, the points that are lit, and what the page says are one set."""
    watched.page.wait_for_function(f"{MAP}.answer?.includes('inside')")
    watched.settle()
    polygon, lit = watched.page.evaluate(CHOSEN)
    wanted = inside(xy, polygon)
    assert 5 < wanted.sum() < len(xy)
    assert np.array_equal(np.asarray(lit, bool), wanted)
    assert f"{wanted.sum()} of {len(xy)}" in watched.page.locator(".told").inner_text()
    return wanted


def test_a_lasso_a_rectangle_and_a_click_choose_what_python_finds(served):
    from playwright.sync_api import sync_playwright

    address, path = served
    run = Run(path)
    stored = run.embeddings("image.projected", run.looks()[-1])
    xy = pca(stored).xy
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        )
        watched = opened(browser, address, path)
        page, stage = watched.page, watched.page.locator(".stage")
        assert stage.get_attribute("data-engine") == "webgl" and "100 points" in stage.get_attribute("aria-label")
        before = len(watched.sent)
        drawn_around(page)
        lassoed = agrees(watched, xy)
        assert 0 < sum(watched.sent[before:]) < 5000

        stage.focus()
        page.keyboard.press("Escape")
        page.wait_for_function(f"{MAP}.answer == null")
        for key in ("r", "ArrowLeft", "Shift+ArrowRight", "Shift+ArrowRight", "Enter"):
            page.keyboard.press(key)
        assert not np.array_equal(agrees(watched, xy), lassoed)
        page.keyboard.press("p")
        page.keyboard.press("Enter")
        page.wait_for_url("**sample=point-**")
        key = page.url.split("sample=")[1].split("&")[0]
        page.wait_for_selector("[data-testid=stImage] img")
        assert key in stored.keys and f"step={run.looks()[-1]}" not in page.url  # the arrows moved the rectangle, not the checkpoint
        assert not watched.errors and not watched.outside
        browser.close()

        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, "--disable-3d-apis"])
        watched = opened(browser, address, path)
        assert watched.page.locator(".stage").get_attribute("data-engine") == "canvas"
        assert "without WebGL" in watched.page.locator(".told").inner_text()
        inked = f"() => {MAP}.brush.getImageData(0, 0, 1200, 500).data.some((each) => each > 0)"
        assert watched.page.evaluate(inked)
        drawn_around(watched.page)
        agrees(watched, xy)
        assert not watched.errors
        browser.close()
