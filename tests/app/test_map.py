"""The page Map: points go to the browser as bytes, choices stand in the address, the terms of a data set are kept."""

import json

import numpy as np
import pytest
import streamlit as st

from app import atlas, charted, points
from app.map import located
from tests.app.conftest import compute, texts
from tests.app.folders import write_run
from tests.app.test_pages import healthy
from tests.toys import points as toy
from workbench.atlas import cloud_of
from workbench.run import Run


def component(app, name):
    """Header and bytes that a component got."""
    own = [each.proto.bytes for each in app.get("bidi_component") if each.proto.component_name == name][-1]
    length = int.from_bytes(own[:4], "little")
    return json.loads(own[4 : 4 + length]), own[4 + length :]


def names_in(header, blob):
    place = next(each for each in header["arrays"] if each["name"] == "ids")
    return bytes(blob[place["start"] : place["start"] + place["count"]]).decode().split("\n")


def test_points_of_a_look_are_sent_in_the_colours_of_the_address(root, open_page):
    path = write_run(root)
    run = Run(path)
    app = healthy(open_page("map", run=run.id, feature="image.projected", step="8", colour="right", sample="point-403"))
    header, blob = component(app, "points")
    stored = run.embeddings("image.projected", 8)
    found = located(path, "image.projected", 8, run.looks()[-1])
    sent = np.frombuffer(blob, "<f4", 2 * found.n, header["arrays"][0]["start"]).reshape(-1, 2) + header["origin"]
    assert np.abs(sent - found.xy).max() < 1e-5 and names_in(header, blob) == list(stored.keys)
    assert header["colour"]["name"] == "right" and header["frames"] == list(run.looks()) and header["step"] == 8 and header["films"]
    assert component(app, "points_aside")[0]["chosen"] == 3
    assert "trustworthiness" in texts(app) and "100 studies of 50 patients" in texts(app)


def test_what_the_address_says_wrongly_is_left_out(root, open_page):
    path = write_run(root)
    wrong = {"colour": "<b>nonsense", "method": "magic", "points": "every", "map_of": "gone", "sample": "gone"}
    app = healthy(open_page("map", run=path.name, feature="image.projected", **wrong))
    assert component(app, "points")[0]["colour"]["name"] == "up" and "PCA" in component(app, "points")[0]["title"]


def test_a_map_of_the_worker_waits_for_a_button_and_then_is_drawn(root, open_page, nobody_serves):
    run = Run(write_run(root))
    asked = {"run": run.id, "feature": "image.projected", "method": "tsne"}
    app = healthy(open_page("map", **asked))
    assert not [each for each in app.get("bidi_component") if each.proto.component_name == "points"]
    next(button for button in app.button if button.key == "atlas_map_ask").click().run()
    compute(root, "map", run.id, {"feature": "image.projected", "method": "tsne", "seed": 0, "step": run.looks()[-1]})
    app = healthy(open_page("map", **asked))
    header, _ = component(app, "points")
    assert header["n"] == 100 and header["frames"] == [] and "neighbours" in texts(app)


@pytest.mark.parametrize("terms", ["no-redistribution", "credentialed"])
def test_keys_of_a_set_that_is_not_open_are_hashed_and_films_asked_for(root, open_page, monkeypatch, terms):
    monkeypatch.setattr(toy.Points, "terms", terms)
    run = Run(write_run(root))
    header, blob = component(healthy(open_page("map", run=run.id, feature="image.projected")), "points")
    keys = set(run.embeddings("image.projected", 8).keys)
    assert not keys & set(names_in(header, blob)) and not any(key.encode() in blob for key in keys)
    assert header["films"] == (terms != "credentialed")


def test_what_was_drawn_belongs_to_the_map_it_was_drawn_on(root, monkeypatch):
    run = Run(write_run(root))
    early, late = (cloud_of(located(run.path, "image.projected", step, 40), "map") for step in (8, 40))
    polygon = [[0, 0], [1, 0], [0, 1]]
    monkeypatch.setattr(st, "session_state", {"atlas_kept": {"lasso": (late.packed[1]["place"], {"kind": "lasso", "polygon": polygon})}})
    assert atlas.drawn(late) == polygon and atlas.drawn(early) == [] and points.kept("atlas", late, "click") is None


def test_a_frame_of_the_slider_is_the_newest_up_to_it(root):
    run = Run(write_run(root))
    every = tuple(located(run.path, "image.projected", step, 40) for step in (4, 8, 40))
    assert [charted.shown(every, step).step for step in (0, 4, 30, 40, 99)] == [4, 4, 8, 40, 40]
