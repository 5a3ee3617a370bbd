"""The page Compare: one run against its first look, two against each other, runs on other studies said in words, the rest of the page alive."""

import json
import shutil

import pytest

from app import state, versus
from tests.app.conftest import compute, texts
from tests.app.folders import write_run
from tests.app.test_pages import healthy
from workbench.analysis import across
from workbench.errors import UserError
from workbench.jobs import request_job
from workbench.run import Run

FEATURE = "image.projected"
pytestmark = pytest.mark.usefixtures("nobody_serves")


@pytest.fixture
def run(copied, small_run):
    return copied(small_run)


@pytest.fixture
def twin(root, run):
    return Run(shutil.copytree(run.path, root / "20260101-000000-mflag-phantoms-0002"))


def asked(other, measure="debiased_cka", step=3):
    """The parameters of a comparison."""
    return {"other": other.id, "feature": FEATURE, "step": step, "measure": measure}


def test_one_run_stands_beside_its_first_look(root, run, open_page):
    found = across.read(compute(root, "across", run.id, asked(run)).result)
    app = healthy(open_page("compare", run=run.id, feature=FEATURE))
    assert state.escape(versus.headline({"small": found}, "small")) in texts(app) and "its first look" in versus.headline(
        {"small": found}, "small"
    )
    assert len(app.get("plotly_chart")) == 6, "spectrum, history, seeds, differences, two matrices"


def test_two_runs_are_asked_for_then_shown_and_the_measure_is_in_the_address(root, run, twin, open_page):
    app = healthy(open_page("compare", run=[run.id, twin.id], feature=FEATURE, against=twin.id, measure="mutual_knn"))
    assert len(list((root / "jobs").glob("across-*"))) == 1 and [button for button in app.button if button.label == "Cancel"]
    found = across.read(compute(root, "across", twin.id, asked(run, "mutual_knn")).result)
    app = healthy(open_page("compare", run=[run.id, twin.id], feature=FEATURE, against=twin.id, measure="mutual_knn"))
    assert found.first.run == twin.id and len(app.get("plotly_chart")) == 6
    assert "Huh et al" not in texts(app), "the formula is behind Details"
    healthy(app.selectbox(key="measure_place").set_value("svcca").run())
    assert app.query_params["measure"] == "svcca"


def test_runs_without_common_studies_are_told_and_the_rest_of_the_page_is_alive(root, run, open_page):
    other = Run(write_run(root))
    with pytest.raises(UserError, match="different studies"):
        compute(root, "across", run.id, asked(other, step=40))
    job = request_job(root, "across", run.id, asked(other, step=40))
    (job.folder / "status.json").write_text(
        json.dumps({"state": "failed", "progress": 0, "message": "", "error": "looked at on different studies"})
    )
    app = open_page("compare", run=[run.id, other.id], feature=FEATURE, against=run.id)
    assert not app.exception and "looked at on different studies" in texts(app) and len(app.get("plotly_chart")) >= 2


def test_no_run_says_what_to_do(root, open_page):
    root.mkdir()
    assert "Nothing to compare yet" in texts(healthy(open_page("compare")))
