"""A day's work in a real Chromium: launch, watch, stop, resume, reconstruct under a painted mask, attend, prompt, open the notebook."""

import json
import os
import shutil
import signal
import time

import pytest

from tests.browser.serving import CHROMIUM, Watched, app, chromium
from workbench.run import Run, create_run

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine; install it to run the browser tests")
PATIENCE = 120.0  # seconds a detached process may take on a busy machine


@pytest.fixture(scope="module")
def day(tmp_path_factory, small_run, mae_run, m3ae_run):
    """The app on a folder with a run that speaks, one that paints, one that does both, and one whose configuration waits to be launched."""
    from training.setup import resolve
    from workbench.run import RunConfig

    folder = tmp_path_factory.mktemp("day")
    root = folder / "runs"
    root.mkdir()
    for run in (small_run, mae_run, m3ae_run):
        shutil.copytree(run.path, root / run.id)
    values = {
        **mae_run.config,
        "name": "plan",
        "stages": [{**mae_run.config["stages"][0], "steps": 40000}],
        "snapshots": {"budget_gb": 0.05},
    }
    plan = create_run(resolve(RunConfig.parse(values, "plan")), root)
    with app(root, folder / "app.log") as address, chromium(viewport={"width": 1280, "height": 900}) as context:
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=address)
        yield context, address, root, plan.id
    for sign in (root / "queue/supervisor.json", root / "jobs/worker.json"):
        if sign.is_file():
            os.kill(json.loads(sign.read_text())["pid"], signal.SIGTERM)


@pytest.fixture
def watched(day):
    context, address, *_ = day
    watched = Watched(context.new_page(), address)
    watched.page.set_default_timeout(PATIENCE * 1000)
    yield watched
    watched.page.close()
    assert not watched.errors and not watched.outside


def until(true, told=lambda: ""):
    deadline = time.monotonic() + PATIENCE
    while not true() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert true(), told()


def account(run):
    """What there is to say of a run that does not do what it should."""
    logs = [run.path / "out.log", run.path.parent / "queue/supervisor.log"]
    return "\n".join([str(run.status), *(path.read_text()[-1500:] for path in logs if path.is_file())])


def launched(root, plan):
    """The run that was started from the plan."""
    found = [Run(path.parent) for path in root.glob("*/status.json") if json.loads(path.read_text()).get("name") == "plan"]
    return next((run for run in found if run.id != plan), None)


def test_a_run_launched_from_the_form_is_watched_stopped_resumed_and_goes_on_without_a_browser(day, watched):
    _, _, root, plan = day
    page = watched.page
    watched.open("launch", [("start", f"run:{plan}")])
    page.get_by_text("40\u2009000 steps of 16 studies").wait_for()  # minutes: no machine ends them before the page is open
    page.locator(".st-key-launch_go button:enabled").wait_for()
    watched.settle()
    page.locator(".st-key-launch_go button").click()
    until(lambda: launched(root, plan), lambda: page.locator("body").inner_text())
    run = launched(root, plan)
    watched.open("live", [("run", run.id)])
    until(lambda: run.status["step"] > 20, lambda: account(run))
    page.get_by_text("trains, step").wait_for()
    page.locator(".st-key-live_stop button").click()
    until(lambda: run.status["state"] == "stopped", lambda: account(run))
    stopped = run.status["step"]
    watched.open("", [("run", run.id)])
    page.locator(".st-key-resume button").click()
    until(lambda: run.status["state"] == "running", lambda: account(run))
    page.close()
    until(lambda: run.status["step"] > stopped + 200, lambda: account(run))  # nobody looks on
    run.command(command="stop")
    until(lambda: run.status["state"] == "stopped", lambda: account(run))
    assert 20 < stopped < run.status["step"] < 40000
    trained = [record["step"] for record in run.metrics() if record["kind"] == "train"]
    assert trained == sorted(set(trained))


def test_a_painted_mask_hides_what_was_painted(day, watched, mae_run):
    page = watched.page
    watched.open("reconstruction", [("run", mae_run.id)])
    page.locator(".verdict").wait_for()
    page.locator(".st-key-hide_kind").get_by_text("Painted").click()
    watched.settle()
    page.locator(".st-key-painter_None button").click()
    page.locator(".js-plotly-plot").get_by_text("nothing is hidden").wait_for()
    box = page.locator(".st-key-painter canvas").bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.4 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.4 * box["height"], steps=12)
    page.mouse.up()
    page.wait_for_url("**mask=**")
    page.locator(".footer").get_by_text("4 of 64 patches hidden").wait_for()  # from .3 to .7 of eight columns
    page.locator(".verdict").get_by_text("paints 4 hidden patches").wait_for()


def test_a_clicked_cell_of_a_matrix_moves_the_page_and_a_link_restores_the_measure(day, watched, small_run):
    page = watched.page
    watched.open("compare", [("run", small_run.id), ("feature", "image.projected"), ("measure", "mutual_knn")])
    page.locator(".st-key-differences .main-svg").first.wait_for()
    assert page.locator(".st-key-measure_place input").input_value() == "mutual 10 nearest neighbours"
    page.locator(".st-key-alike_steps .scatterlayer .points path").nth(1).click(force=True)  # first row, second look
    page.wait_for_url("**step=1**")
    page.locator(".st-key-spectrum .gtitle").get_by_text("step 1").wait_for()
    watched.open(
        "latent_space", [("run", small_run.id), ("feature", "image.projected"), ("measured_in", "image.backbone"), ("measured", "nesum")]
    )
    page.locator(".st-key-measures_ask button").first.click()
    page.locator(".st-key-measures .main-svg").first.wait_for()
    assert page.locator(".st-key-measures .gtitle").first.text_content().startswith("image.backbone")
    assert page.locator(".st-key-measures_one input").input_value() == "NESum"
    page.locator(".st-key-measures").get_by_text("no interval known").wait_for()


def test_attention_of_the_run_that_attends(day, watched, mae_run):
    page = watched.page
    watched.open("attention", [("run", mae_run.id)])
    page.locator(".verdict").wait_for()
    page.wait_for_function("document.querySelectorAll('.js-plotly-plot').length >= 3")


def test_a_typed_prompt_changes_the_scores(day, watched, small_run):
    page = watched.page
    watched.open("zero_shot", [("run", small_run.id)])
    page.locator(".verdict").wait_for()
    page.wait_for_selector(".js-plotly-plot")
    page.locator(".footer").wait_for()
    before = page.locator(".footer").inner_text()
    page.locator(".st-key-zero_source").get_by_text("Typed").click()
    page.get_by_role("textbox", name="Present").fill("Large heart in a small chest.")
    page.wait_for_function(
        "before => document.querySelector('.footer') && document.querySelector('.footer').innerText !== before", arg=before
    )
    page.get_by_role("textbox", name="Present").fill("")
    page.get_by_test_id("stAlert").get_by_text("empty").wait_for()


def test_the_notebook_cell_of_a_page_runs(day, watched, mae_run, monkeypatch):
    _, _, root, _ = day
    page = watched.page
    watched.open("reconstruction", [("run", mae_run.id)])
    page.locator(".verdict").wait_for()
    page.locator(".st-key-notebook button").click()
    page.get_by_text("Copied").wait_for()
    drawn = []
    monkeypatch.setattr("plotly.graph_objects.Figure.show", lambda figure: drawn.append(figure))
    monkeypatch.setenv("WORKBENCH_RUNS", str(root))
    exec(page.evaluate("navigator.clipboard.readText()"), {})
    assert drawn and len(drawn[0].data) > 0


def test_a_word_and_a_patch_of_a_report_that_is_read_are_chosen_by_clicks(day, watched, m3ae_run):
    page = watched.page
    watched.open("attention", [("run", m3ae_run.id)])
    page.locator(".st-key-crossing_patch .main-svg").first.wait_for()
    page.locator(".st-key-crossing_words button").nth(2).click()
    page.wait_for_url("**word=2**")
    watched.settle()
    film = page.locator(".st-key-crossing_word .scatterlayer .points path").nth(6)
    film.click(force=True)
    page.wait_for_url("**patch=6**")
    page.locator(".st-key-crossing_patch").get_by_text("row 2, column 3").wait_for()


def test_a_word_is_hidden_by_a_click(day, watched, m3ae_run):
    page = watched.page
    watched.open("reconstruction", [("run", m3ae_run.id), ("hidden", "1")])
    page.get_by_text("1 hidden tokens right").first.wait_for()
    page.locator(f".st-key-hidden_words_{m3ae_run.id} button").first.click()
    page.wait_for_url("**hidden=1.0**")
    page.get_by_text("of 2 hidden tokens are filled in right").wait_for()
