"""Every measure, on the page Latent space: asked for, computed, listed, explained one at a time; what cannot be read is said there."""

import numpy as np
import pytest

import workbench as wb
from app import measures as section
from app import state
from tests.app.conftest import compute, texts
from tests.app.folders import write_run
from tests.app.test_pages import healthy
from training.bench import Task
from training.jobs import growth as curve_job
from training.jobs import measures as job
from workbench.analysis import growth, measures
from workbench.analysis.catalogue import MEASURES
from workbench.errors import UserError
from workbench.jobs import request_job
from workbench.run import Run

FEATURE = "image.projected"
pytestmark = pytest.mark.usefixtures("nobody_serves")


@pytest.fixture
def run(root):
    return Run(write_run(root, looks=(0, 40)))


def pressed(app, key):
    return [button for button in app.button if button.key == key]


def test_a_button_asks_and_every_measure_is_listed_explained_and_drawn_over_n(root, run, open_page):
    app = healthy(open_page("latent_space", run=run.id, feature=FEATURE))
    charts = len(app.get("plotly_chart"))
    assert len(pressed(app, "measures_ask")) == 1 and not list((root / "jobs").glob("measures-*"))
    pressed(app, "measures_ask")[0].click().run()
    found = measures.read_measures(compute(root, "measures", run.id, {"step": 40}).result)
    app = healthy(open_page("latent_space", run=run.id, feature=FEATURE))
    own = found[FEATURE]
    assert len(app.get("plotly_chart")) == charts + 1 and state.escape(section.sentence(own)) in texts(app)
    for each in own.trained.values:
        assert MEASURES[each.name].says in texts(app).replace("&#x27;", "'"), each.name
    assert MEASURES["participation_ratio"].formula in texts(app) and len(pressed(app, "growth_ask")) == 1
    app.selectbox(key="measures_one").set_value("two_nn").run()
    assert MEASURES["two_nn"].formula in texts(healthy(app))
    pressed(app, "growth_ask")[0].click().run()
    drawn = growth.read_growth(compute(root, "growth", run.id, {"step": 40, "feature": FEATURE, "measure": "two_nn"}).result)
    app = healthy(open_page("latent_space", run=run.id, feature=FEATURE))
    app.selectbox(key="measures_one").set_value("two_nn").run()
    assert (
        len(healthy(app).get("plotly_chart")) == charts + 2
        and "TwoNN"
        in app.get("plotly_chart")[charts - 1].proto.spec
        + app.get("plotly_chart")[charts].proto.spec
        + app.get("plotly_chart")[charts + 1].proto.spec
    )
    assert drawn.rows[-1] == 100 and drawn.values[-1] == own.trained["two_nn"].value
    app.selectbox(key="measures_one").set_value("lidar").run()
    assert state.escape(measures.ONE_VIEW) in texts(healthy(app)) and not pressed(app, "growth_ask")
    app.toggle(key="measures_classes").set_value(True).run()
    assert f"<td>{measures.NO_LABEL}</td>" in texts(healthy(app))
    app.selectbox(key="measured_in").set_value("image.backbone").run()
    assert state.escape(section.sentence(found["image.backbone"])) in texts(healthy(app))


def test_the_job_writes_what_the_notebook_computes(root, run):
    found = measures.read_measures(compute(root, "measures", run.id, {"step": 40}).result)
    assert found == wb.open_run(run.path).measures(FEATURE).data


def test_a_feature_of_a_point_or_with_rows_that_are_not_numbers_is_said_and_the_page_lives(root, run, open_page):
    place = run.path / f"artifacts/step-40/embeddings/{FEATURE}/features.npy"
    rows = np.load(place)
    rows[:3] = np.nan
    np.save(place, rows)
    compute(root, "measures", run.id, {"step": 40})
    app = open_page("latent_space", run=run.id, feature=FEATURE)
    assert not app.exception and state.escape("3 of 100 rows hold a number that is not finite") in texts(app)
    assert "**No map**: 3 of 100 rows" in texts(app)
    assert "Every measure, beside its references" in texts(app) and not pressed(app, "growth_ask")
    asked = request_job(root, "growth", run.id, {"step": 40, "feature": FEATURE, "measure": "nesum"})
    with pytest.raises(UserError, match="NESum: 3 of 100 rows"):
        curve_job.compute(Task(asked, {"step": 40, "feature": FEATURE, "measure": "nesum"}, root))


def test_a_look_that_kept_no_features_says_so_when_asked(root, run):
    for path in (run.path / "artifacts/step-40/embeddings").rglob("*.npy"):
        path.unlink()
    asked = request_job(root, "measures", run.id, {"step": 40})
    with pytest.raises(UserError, match="no readable embeddings"):
        job.compute(Task(asked, {"step": 40}, root))


def test_the_sentence_and_the_notes_say_what_limits_the_numbers():
    z = np.random.default_rng(0).normal(size=(30, 16))
    z[:, 3] = 1.0
    own = measures.Measured(FEATURE, measures.of_feature(z, np.arange(30)), None, "the run started from given weights", ())
    found = measures.Measures("run", 3, (own,), None, {"classes": "the data has no labels", "untrained": "told with the feature"})
    told = section.notes(found, own)
    assert told[0].startswith("30 rows for 16 dimensions") and told[1] == "1 of 16 columns are the same for all studies."
    assert told[2:] == ["No untrained network: the run started from given weights.", "No classes: the data has no labels."]
    assert section.sentence(own).startswith("image.projected: participation ratio ") and "(isotropic " in section.sentence(own)
    empty = measures.Measured(measures.PAIR, measures.Sheet(0, 0, 0, 0, "", ()), None, "images were looked at on other studies", ())
    assert section.sentence(empty).endswith("cannot be measured: images were looked at on other studies.")
