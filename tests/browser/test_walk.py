"""A walk through every page in a real Chromium: what is clicked answers, nothing is fetched from outside, no error is logged."""

import json
import time

import numpy as np
import pytest
from PIL import Image

from tests.app.folders import DATA, write_demo, write_look, write_metrics, write_run
from tests.browser.serving import CHROMIUM, Watched, app, chromium
from tests.toys import points

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine; install it to run the browser tests")
SIZE = {"width": 1280, "height": 720}


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("walk")
    runs = write_demo(folder / "runs", seeds=1)
    live = write_run(folder / "runs", "training", 0, "running", looks=(0, 1, 2), number=20)
    with app(folder / "runs", folder / "app.log", WORKBENCH_PLUGINS="tests.toys") as address, chromium(viewport=SIZE) as context:
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
        watched = Watched(context.new_page(), address)
        yield watched, [("run", run.name) for run in runs], live
        assert not watched.errors
        assert not watched.outside


def fits(page):
    """No horizontal scrolling, in the page or in its main part."""
    return page.evaluate(
        "[document.documentElement, document.querySelector('[data-testid=stMain]')].every(each => each.scrollWidth <= each.clientWidth + 1)"
    )


def test_a_link_opens_latent_space_on_a_fresh_server(walk):
    watched, runs, _ = walk
    page = watched.page
    watched.open("latent_space", runs)
    page.wait_for_selector(".st-key-heat .heatmaplayer image")
    for group in ("Runs", "Look inside"):
        assert page.get_by_test_id("stSidebarNav").get_by_text(group, exact=True).count()
    assert "lost" in page.locator(".verdict").inner_text()
    assert page.locator(".js-plotly-plot").count() == 4  # spectrum, heat map, four panels as one, map
    assert fits(page)


def test_the_slider_and_the_arrow_keys_move_every_view(walk):
    watched, _, _ = walk
    page = watched.page
    line = "getComputedStyle(document.querySelector('.st-key-heat'), '::after').backgroundPosition"
    before = page.evaluate(line)
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector(".st-key-spectrum .gtitle:has-text('step 32')")
    page.wait_for_selector(".st-key-map .gtitle:has-text('step 32')")
    page.wait_for_function(f"before => {line} !== before", arg=before)
    assert "step=32" in page.url
    watched.settle()
    page.locator(".verdict").click()
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector(".st-key-spectrum .gtitle:has-text('step 24')")
    assert "step=24" in page.url


def test_a_click_on_the_map_shows_the_study_beside_it(walk):
    watched, _, _ = walk
    page = watched.page
    watched.settle()
    circle = page.locator(".st-key-map .scatterlayer .points path").nth(3)
    circle.scroll_into_view_if_needed()
    watched.settle()
    box = circle.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_selector("[data-testid=stImage] img")
    assert "sample=point-" in page.url
    key = page.url.split("sample=")[1].split("&")[0]
    assert page.get_by_text(key).count()
    assert "step=24" in page.url


def test_details_hold_numbers_and_pictures(walk):
    watched, _, _ = walk
    page = watched.page
    page.locator(".st-key-spectrum_details button").click()
    with page.expect_download() as numbers:
        page.locator(".st-key-spectrum_csv button").click()
    lines = numbers.value.path().read_text().splitlines()
    assert lines[0] == "run,name,step,direction,singular value,relative" and len(lines) == 1 + 3 * 12
    with page.expect_download() as picture:
        page.locator(".st-key-spectrum_png button").click()
    assert picture.value.suggested_filename == "spectrum.png"
    drawn = np.asarray(Image.open(picture.value.path()).convert("L"), float)
    box = page.locator(".st-key-spectrum .js-plotly-plot").bounding_box()
    assert drawn.shape == (round(2 * box["height"]), int(2 * box["width"])) and drawn.std() > 5
    with page.expect_download() as picture:
        page.locator(".st-key-spectrum_svg button").click()
    assert picture.value.suggested_filename == "spectrum.svg"
    page.keyboard.press("Escape")


def test_the_notebook_button_copies_a_cell_that_runs(walk, monkeypatch):
    watched, _, _ = walk
    page = watched.page
    page.locator(".st-key-notebook button").click()
    page.get_by_text("Copied").wait_for()
    cell = page.evaluate("navigator.clipboard.readText()")
    drawn = []
    monkeypatch.setattr("plotly.graph_objects.Figure.show", lambda figure: drawn.append(figure))
    exec(cell, {})
    assert len(drawn) == 6 and "step 24" in drawn[0].layout.title.text


def test_figures_wait_until_the_line_of_new_looks_is_clicked(walk):
    watched, _, live = walk
    page = watched.page
    watched.open("latent_space", [("run", live.name)])
    page.wait_for_selector(".st-key-spectrum .gtitle:has-text('step 2')")
    write_look(live, "training", 0, 4)
    page.get_by_text("1 new look: show").wait_for()
    assert page.locator(".st-key-spectrum .gtitle:has-text('step 4')").count() == 0
    page.get_by_text("1 new look: show").click()
    page.wait_for_selector(".st-key-spectrum .gtitle:has-text('step 4')")


def test_live_follows_the_file_without_a_reload(walk):
    watched, _, live = walk
    page = watched.page
    watched.open("live", [("run", live.name)])
    page.get_by_text("trains, step 20 of 40").wait_for()
    write_metrics(live, "training", range(21, 31))
    status = json.loads((live / "status.json").read_text()) | {"step": 30}
    (live / "status.json").write_text(json.dumps(status))
    page.get_by_text("trains, step 30 of 40").wait_for()
    assert fits(page)


def test_ticking_a_row_draws_its_curves_and_names_it_in_the_address(walk):
    watched, _, _ = walk
    page = watched.page
    watched.open("")
    page.get_by_text("4 runs: 1 running, 3 finished").wait_for()
    grid = page.locator("[data-testid=stDataFrame] canvas").first.bounding_box()
    for row in (1, 2):
        page.mouse.click(grid["x"] + 16, grid["y"] + 33 * (row + 0.5))
        watched.settle()
    page.wait_for_selector(".js-plotly-plot")
    assert page.url.count("run=") == 2
    assert fits(page)
    page.get_by_role("textbox", name="Search").fill("contrast")
    page.keyboard.press("Enter")
    page.wait_for_url("**query=contrast**")


def test_a_row_of_the_data_page_shows_its_study(walk):
    watched, _, _ = walk
    page = watched.page
    watched.open("data", [("listed", "table")])
    page.wait_for_selector("[data-testid=stImage] img")
    grid = page.locator("[data-testid=stDataFrame] canvas").first.bounding_box()
    page.mouse.click(grid["x"] + 16, grid["y"] + 33 * 3.5)
    page.wait_for_url("**sample=point-2**")
    page.get_by_text("point-2 · patient-1").wait_for()
    page.wait_for_selector(".st-key-pairs .heatmaplayer image")
    assert fits(page)


def test_the_grid_of_images_is_scrolled_sorted_and_clicked(walk):
    watched, _, _ = walk
    page = watched.page
    sent = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(len(frame))))
    data = points.load(points.Config(studies=DATA["studies"]))
    watched.open("data", [("listed", "images")])
    grid, filled = page.locator(".wg-scroll"), ".wg-cell[aria-label^='{};'] .wg-film[style*='blob:']"
    page.locator(filled.format(data.keys[0])).wait_for()
    before = len(sent)
    grid.evaluate("each => { each.scrollTop = each.scrollHeight; }")
    page.locator(filled.format(data.keys[-1])).wait_for()
    assert 0 < sum(sent[before:]) < 5000 and page.locator(".wg-cell").count() < 60
    page.locator(".wg").get_by_role("combobox").select_option("Findings")
    words = [", ".join(name for name, held in zip(data.label_names, row) if held) for row in data.labels]
    order = sorted(range(len(data)), key=lambda at: (not words[at], words[at]))
    page.locator(filled.format(data.keys[order[0]])).wait_for()
    assert page.locator(".wg-cell").first.get_attribute("aria-label").startswith(f"{data.keys[order[0]]};")
    page.locator(".wg-cell[aria-posinset='4']").click()
    page.wait_for_url(f"**sample={data.keys[order[3]]}")
    page.get_by_text(f"{data.keys[order[3]]} · {data.patients[order[3]]}").wait_for()
    grid.press("ArrowLeft")
    grid.press("Enter")
    page.wait_for_url(f"**sample={data.keys[order[2]]}")
    page.locator(".wg-chosen[aria-posinset='3'][aria-selected=true]").wait_for()
    assert fits(page)


def test_deleting_asks_once(walk):
    watched, runs, _ = walk
    page = watched.page
    watched.open("", runs[:1])
    page.locator(".st-key-delete button").click()
    page.get_by_role("dialog").get_by_text("cannot be undone").wait_for()
    page.locator(".st-key-delete_go button").click()
    page.get_by_text("deleted 1 run").wait_for()
    deadline = time.monotonic() + 20
    while page.get_by_text("3 runs: 1 running, 2 finished").count() == 0 and time.monotonic() < deadline:
        page.wait_for_timeout(200)
    assert page.get_by_text("3 runs: 1 running, 2 finished").count()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_wear_the_readers_theme(walk, scheme):
    watched, runs, _ = walk
    page = watched.page
    page.emulate_media(color_scheme=scheme)
    watched.open("latent_space", runs[1:])
    page.wait_for_selector(".st-key-spectrum .main-svg")
    colours = page.evaluate(
        "[document.querySelector('.st-key-spectrum .main-svg').style.background, getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor]"
    )
    assert colours[0] == colours[1]
