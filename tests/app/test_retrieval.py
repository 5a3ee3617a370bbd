"""The page Retrieval: without a run, with two towers and a search, with one tower; what may be typed and what is refused."""

import pytest
import streamlit as st

from app import finder, retrieve
from tests.app.conftest import compute, texts
from tests.app.test_pages import healthy
from workbench import jobs
from workbench.analysis import answers


@pytest.fixture(autouse=True)
def served(monkeypatch):
    """What the worker does, at once and in this process."""
    monkeypatch.setattr(jobs, "start_queue", lambda root: None)
    monkeypatch.setattr("app.work.ask", compute)


def test_without_a_run_the_page_says_what_to_do(open_page):
    app = healthy(open_page("retrieval"))
    assert "No run to search in yet" in texts(app) and any("workbench demo" in block.value for block in app.code)


def test_two_towers_are_searched_by_words_and_by_a_study(root, small_run, copied, open_page, monkeypatch):
    def first_of(key, keys, columns, loaded, selected, on_pick, **more):
        """A click on the first film of the grid, which a browser would have to draw."""
        assert {len(values) for values in columns.values()} == {len(keys)}
        st.button(f"{keys[0]} of {len(keys)}", key="pick", on_click=on_pick, args=(keys[0],))

    monkeypatch.setattr(finder, "grid", first_of)
    run = copied(small_run)
    app = healthy(open_page("retrieval", run=run.id, find="<b>effusion</b>", k="6"))
    said, found = texts(app), retrieve.read(compute(root, "retrieval", run.id, {"step": 3, "feature": "image.projected"}).result)
    assert retrieve.sentence(found) in said and "distinct reports" in said and "<b>effusion" not in said
    assert len(app.get("plotly_chart")) == 5
    asked = {"step": 3, "feature": "image.projected", "text": "<b>effusion</b>", "k": 6}
    first = answers.read(compute(root, "search", run.id, asked).result).images.keys[0]
    (button,) = [each for each in app.button if each.key == "pick"]
    assert button.label == f"{first} of 6"
    app = button.click().run()
    assert first in app.query_params["sample"] and f"neighbours of {first}" in texts(healthy(app)).replace("\\", "")
    app.get_by_key("retrieval_way").set_value("image to image").run()
    assert len(healthy(app).get("plotly_chart")) == 4, "no ranks among images"
    app.get_by_key("search_kind").set_value("Words").run()
    app.text_input(key="search_words").set_value("   ").run()
    assert "Type a finding" in texts(healthy(app)) and "find" not in app.query_params


def test_one_tower_finds_images_by_images(mae_run, copied, open_page):
    app = healthy(open_page("retrieval", run=copied(mae_run).id))
    assert "has no reports to find" in texts(app) and "words cannot be searched for" in texts(app)
    assert app.get_by_key("search_kind").value == finder.STUDY and "Nearest reports" not in texts(app)
