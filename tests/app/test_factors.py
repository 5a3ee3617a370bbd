"""What can still be read, on the page Latent space: asked for, waited for, drawn; the sentence above it."""

import shutil

import pytest

import workbench as wb
from app import factors as section
from app import state
from tests.app.conftest import compute, texts
from tests.app.folders import write_run
from tests.app.test_pages import healthy
from tests.unit.test_factors import interval, probes
from training.bench import Task
from training.jobs import factors as job
from workbench.analysis import factors
from workbench.errors import UserError
from workbench.jobs import request_job
from workbench.run import Run, read_json, write_json

FEATURE = "image.projected"
pytestmark = pytest.mark.usefixtures("nobody_serves")


@pytest.fixture
def run(copied, small_run):
    return copied(small_run)


def computed(root, run, step):
    """What is read from the feature at a step."""
    return factors.read(compute(root, "factors", run.id, {"feature": FEATURE, "step": step}).result)


def ask(app):
    return [button for button in app.button if button.key == "factors_ask"]


def test_the_job_writes_what_the_notebook_computes(root, run):
    found = computed(root, run, 3)
    view = wb.open_run(run.path).factors(FEATURE, 3)
    assert found == view.data and len(view.frame()) == len(view.rows) == 3 * len(found.readings)
    assert view.figure.layout.title.text.startswith("small reads")


def test_a_button_asks_the_worker_and_the_slider_follows(root, run, open_page):
    app = healthy(open_page("latent_space", run=run.id, feature=FEATURE))
    charts = len(app.get("plotly_chart"))
    assert len(ask(app)) == 1 and not list((root / "jobs").glob("factors-*"))
    ask(app)[0].click().run()
    assert not ask(healthy(app)) and [button for button in app.button if button.label == "Cancel"]
    found = computed(root, run, 3)
    app = healthy(open_page("latent_space", run=run.id, feature=FEATURE))
    assert len(app.get("plotly_chart")) == charts + 1 and not ask(app)
    assert (
        state.escape(section.sentence(found)) in texts(app)
        and f"of {len(found.readings)} factors" in app.get("plotly_chart")[-1].proto.spec
    )
    app.select_slider(key="row_step").set_value(1).run()
    assert len(ask(healthy(app))) == 1, "another checkpoint has not been measured"
    computed(root, run, 1)
    assert "at step 1, 96 studies" in healthy(app.run()).get("plotly_chart")[-1].proto.spec


def test_several_runs_are_chosen_from(root, run, open_page):
    other = Run(shutil.copytree(run.path, root / "20260101-000000-mflag-phantoms-0001"))
    write_json(other.path / "status.json", read_json(other.path / "status.json") | {"state": "imported"})
    computed(root, other, 3)
    app = healthy(open_page("latent_space", run=[run.id, other.id], feature=FEATURE))
    assert len(ask(app)) == 1
    chosen = app.segmented_control(key="factors_of")
    healthy(chosen.set_value(chosen.options[1]).run())
    assert not ask(app) and state.escape("untrained: an imported run has no look before training") in texts(app)


def test_a_data_set_without_factors_says_so_when_asked(root, open_page):
    run = Run(write_run(root))
    parameters = {"feature": FEATURE, "step": 40}
    asked = request_job(root, "factors", run.id, parameters)
    with pytest.raises(UserError, match="states neither factors nor"):
        job.compute(Task(asked, parameters, root))


def test_a_run_of_features_alone_has_nothing_to_be_read_against(root, open_page):
    run = write_run(root)
    (run / "config.yaml").write_text((run / "config.yaml").read_text().replace("data:\n", "unread:\n", 1) + "data: {}\n")
    app = open_page("latent_space", run=run.name)
    assert "No factors here" in texts(app) and not ask(app)


def test_the_sentence_names_the_first_and_counts_the_rest():
    pixels = dict.fromkeys("abcdefg", interval(0.7)) | {"lost": interval(0.6), "too": interval(0.6), "three": interval(0.7)}
    gone = {"lost": interval(0.52), "too": interval(0.51)}
    read = {name: interval(0.98 - place / 50) for place, name in enumerate("abcdefg")}
    assert (
        section.sentence(probes(read | gone, pixels))
        == "a .98, b .96 and 5 more are read above the pixels; lost (.52) and too (.51) are lost."
    )
    assert section.sentence(probes({"a": interval(0.9)}, pixels)) == "a .90 is read above the pixels."
    assert section.sentence(probes({"lost": interval(0.52)}, pixels)) == "nothing is read above the pixels; lost (.52) is lost."
    assert section.sentence(probes({"a": interval(0.52)}, None)) == "nothing is read above chance."
