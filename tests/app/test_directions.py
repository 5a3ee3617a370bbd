"""What a direction means, on the page Latent space: asked for, waited for, drawn; its words and its films only where the terms allow."""

import pytest

import workbench as wb
from app import directions as section
from app import state, studies
from tests.app.conftest import compute, texts
from tests.app.test_pages import healthy
from workbench.analysis import directions
from workbench.features import dataset_of

FEATURE = "image.projected"
pytestmark = pytest.mark.usefixtures("nobody_serves")


@pytest.fixture
def run(copied, small_run):
    return copied(small_run)


def test_a_button_asks_and_one_direction_at_a_time_is_told(root, run, open_page):
    app = healthy(open_page("latent_space", run=run.id, feature=FEATURE))
    charts = len(app.get("plotly_chart"))
    ask = [button for button in app.button if button.key == "directions_ask"]
    assert len(ask) == 1 and not list((root / "jobs").glob("directions-*"))
    ask[0].click().run()
    found = directions.read(compute(root, "directions", run.id, {"feature": FEATURE, "step": 3}).result)
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


def test_of_a_credentialed_set_neither_films_nor_words_are_shown_until_films_are_asked_for(root, run, open_page, monkeypatch):
    monkeypatch.setattr(type(dataset_of(run)), "terms", "credentialed")
    found = directions.read(compute(root, "directions", run.id, {"feature": FEATURE, "step": 3}).result)
    assert not any(each.words for each in found.directions)
    while studies.of_run(run) is None:
        pass
    app = healthy(open_page("latent_space", run=run.id, feature=FEATURE))
    assert not app.get("image") and "its words stay in its reports" in texts(app)
    healthy(app.button(key="show_films").click().run())
    assert len(app.get("image")) >= 2 * directions.ENDS
