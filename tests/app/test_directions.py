"""What a direction means, on the page Latent space: asked for, waited for, drawn; its words and its films only where the terms allow."""

import os
import shutil

import pytest

import workbench as wb
from app import directions as section
from app import state, studies
from tests.app.conftest import texts
from tests.app.test_pages import healthy
from training.bench import Task
from training.jobs import directions as job
from workbench import jobs
from workbench.analysis import directions
from workbench.jobs import request_job
from workbench.run import Run

FEATURE = "image.projected"


@pytest.fixture(autouse=True)
def nobody_serves(monkeypatch):
    monkeypatch.setattr(jobs, "start_queue", lambda root: None)


@pytest.fixture
def run(root, small_run):
    root.mkdir(exist_ok=True)
    shutil.copytree(small_run.path, root / small_run.id)
    return Run(root / small_run.id)


def compute(root, run, step):
    """What the worker does, in this process."""
    parameters = {"feature": FEATURE, "step": step}
    asked = request_job(root, "directions", run.id, parameters)
    aside = asked.result.with_name("aside")
    aside.mkdir(parents=True)
    job.compute(Task(asked, parameters, aside))
    os.replace(aside, asked.result)
    return directions.read(asked.result)


def test_a_button_asks_and_one_direction_at_a_time_is_told(root, run, open_page):
    app = healthy(open_page("latent_space", run=run.id, feature=FEATURE))
    charts = len(app.get("plotly_chart"))
    ask = [button for button in app.button if button.key == "directions_ask"]
    assert len(ask) == 1 and not list((root / "jobs").glob("directions-*"))
    ask[0].click().run()
    found = compute(root, run, 3)
    assert found == wb.open_run(run.path).direction(FEATURE, 3).data
    while studies.of_run(run) is None:
        pass  # the page would say that its films follow
    app = healthy(open_page("latent_space", run=run.id, feature=FEATURE))
    assert len(app.get("plotly_chart")) == charts + 2
    assert state.escape(section.sentence(found.directions[0])) in texts(app)
    assert len(app.get("image")) == 2 * directions.ENDS
    healthy(app.segmented_control(key="direction").set_value(2).run())
    assert state.escape(section.sentence(found.directions[1])) in texts(app)
    assert state.escape(section.spoken(found.directions[1], found)) in texts(app)


def test_the_sentence_says_what_it_orders_and_when_it_was_there(small_run):
    interval = directions.Interval(0.9, 0.8, 0.95, "")
    life = directions.Life((0, 5, 9, 20), (0.1, 0.5, 0.4, 0.1), (1, 1, 2, 0), (0.2, 1, 0.5, 0))
    best = directions.Ordered("effusion", interval, 90)
    here = directions.Direction(2, 0.25, ("a",), ("b",), (best,), (), life)
    assert section.sentence(here) == (
        "direction 2 carries 25 % of the variance and orders effusion (.90); it was born by step 5, turned at step 9, gone by step 20."
    )
    alone = directions.Direction(1, 0.5, (), (), (), (), directions.Life((0, 5), (0.5, 0.5), (1, 1), (1, 1)))
    assert section.sentence(alone) == (
        "direction 1 carries 50 % of the variance and orders no factor or label better than chance; it was there from the first look, and is there at the last."
    )
