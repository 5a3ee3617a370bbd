"""The page Compare: one run against its first look, two against each other, runs on other studies said in words, the rest of the page alive."""

import json
import os
import shutil

import pytest

from app import state, versus
from tests.app.conftest import texts
from tests.app.folders import write_run
from tests.app.test_pages import healthy
from training.bench import Task
from training.jobs import across as job
from workbench import jobs
from workbench.analysis import across
from workbench.errors import UserError
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


@pytest.fixture
def twin(root, run):
    return Run(shutil.copytree(run.path, root / "20260101-000000-mflag-phantoms-0002"))


def compute(root, run, other, measure="debiased_cka", step=3):
    """What the worker does, in this process."""
    parameters = {"other": other.id, "feature": FEATURE, "step": step, "measure": measure}
    asked = request_job(root, "across", run.id, parameters)
    aside = asked.result.with_name("aside")
    aside.mkdir(parents=True)
    job.compute(Task(asked, parameters, aside))
    os.replace(aside, asked.result)
    return across.read(asked.result)


def keys(app):
    return [chart.proto.id for chart in app.get("plotly_chart")]


def test_one_run_stands_beside_its_first_look(root, run, open_page):
    found = compute(root, run, run)
    app = healthy(open_page("compare", run=run.id, feature=FEATURE))
    assert state.escape(versus.headline({"small": found}, "small")) in texts(app) and "its first look" in versus.headline(
        {"small": found}, "small"
    )
    assert len(app.get("plotly_chart")) == 6, "spectrum, history, seeds, differences, two matrices"


def test_two_runs_are_asked_for_then_shown_and_the_measure_is_in_the_address(root, run, twin, open_page):
    app = healthy(open_page("compare", run=[run.id, twin.id], feature=FEATURE, against=twin.id, measure="mutual_knn"))
    assert len(list((root / "jobs").glob("across-*"))) == 1 and [button for button in app.button if button.label == "Cancel"]
    found = compute(root, twin, run, "mutual_knn")
    app = healthy(open_page("compare", run=[run.id, twin.id], feature=FEATURE, against=twin.id, measure="mutual_knn"))
    assert found.first.run == twin.id and len(app.get("plotly_chart")) == 6
    assert "Huh et al" not in texts(app), "the formula is behind Details"
    healthy(app.selectbox(key="measure_place").set_value("svcca").run())
    assert app.query_params["measure"] == "svcca"


def test_runs_without_common_studies_are_told_and_the_rest_of_the_page_is_alive(root, run, open_page):
    other = Run(write_run(root))
    with pytest.raises(UserError, match="different studies"):
        compute(root, run, other, step=40)
    asked = request_job(root, "across", run.id, {"other": other.id, "feature": FEATURE, "step": 40, "measure": "debiased_cka"})
    (asked.folder / "status.json").write_text(
        json.dumps({"state": "failed", "progress": 0, "message": "", "error": "looked at on different studies"})
    )
    app = open_page("compare", run=[run.id, other.id], feature=FEATURE, against=run.id)
    assert not app.exception and "looked at on different studies" in texts(app) and len(app.get("plotly_chart")) >= 2


def test_no_run_says_what_to_do(root, open_page):
    root.mkdir()
    assert "Nothing to compare yet" in texts(healthy(open_page("compare")))
