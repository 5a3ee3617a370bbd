"""How images and reports lie to each other, on the page Latent space: asked for, computed, drawn; nothing for runs of one tower."""

import pytest

from app import state
from app import towers as section
from tests.app.conftest import compute, texts
from tests.app.test_pages import healthy
from workbench.analysis import towers
from workbench.analysis.catalogue import MEASURES
from workbench.analysis.statistics import Interval

FEATURE = "image.projected"
pytestmark = pytest.mark.usefixtures("nobody_serves")


def test_a_button_asks_and_both_towers_are_told(root, small_run, copied, open_page):
    run = copied(small_run)
    app = healthy(open_page("latent_space", run=run.id, feature=FEATURE))
    charts = len(app.get("plotly_chart"))
    ask = [button for button in app.button if button.key == "towers_ask"]
    assert len(ask) == 1
    ask[0].click().run()
    found = towers.read(compute(root, "towers", run.id, {"step": 3}).result)
    app = healthy(open_page("latent_space", run=run.id, feature=FEATURE))
    assert len(app.get("plotly_chart")) == charts + 1 and state.escape(section.sentence(found)) in texts(app)
    assert MEASURES["modality_gap"].says in texts(app)


def test_a_run_of_one_tower_has_no_such_part(mae_run, copied, open_page):
    run = copied(mae_run)
    assert "How images and reports lie" not in texts(healthy(open_page("latent_space", run=run.id)))


def test_the_sentence_says_what_closing_the_gap_does():
    half = Interval(0.5, 0.4, 0.6, "")
    moved = tuple(towers.Moved(amount, gap, half, half, auroc) for amount, gap, auroc in ((0.0, 0.8, half), (1.0, 0.1, None)))
    numbers = (towers.Number("share of the gap", 0.25),)
    found = towers.Towers("run", 3, 90, 12, 40, 0, numbers, moved, (), (0.05, 0.05), None, "")
    assert section.sentence(found) == (
        "keeps images and reports .800 apart (25 % of their variance); with the mean difference removed .100 are left, "
        "recall at 5 goes from .500 [.40, .60] to .500 [.40, .60]. Chance of the recall is .05."
    )
