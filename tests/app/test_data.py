"""The page Data: what may be chosen, filters, one study with outlines, totals, the card, and the phantom changed by sliders."""

import html
import json
import re
import struct

import numpy as np
import pytest

from app import browse, listing, studies
from tests.app.conftest import texts
from tests.app.folders import write_run
from tests.app.test_pages import healthy
from tests.manifests import ROWS, manifest
from workbench import thumbnails
from workbench.dataset import Text
from workbench.datasets import load_dataset

SMALL = {"name": "phantoms", "level": "teaching", "size": 32, "train": 24, "val": 12, "test": 0}
CALLED = "phantoms · teaching 32 px · 36 studies"


@pytest.fixture
def phantoms(monkeypatch):
    monkeypatch.setattr(browse, "GALLERY", SMALL)
    return load_dataset(SMALL, "test")


def rows(app):
    return app.dataframe[0].value


def told(app):
    """Head and image of what the grid was given."""
    (message,) = [each.proto.bytes for each in app.get("bidi_component") if each.proto.component_name == "image_grid"]
    (length,) = struct.unpack("<I", message[:4])
    return json.loads(message[4 : 4 + length]), message[4 + length :]


def loaded(open_page, **query):
    studies.loading(json.dumps(SMALL, sort_keys=True)).result(60)
    return healthy(open_page("data", **{"data": CALLED, "listed": "table"} | query))


def test_without_runs_phantoms_and_the_recipes_are_offered(phantoms, open_page):
    app = loaded(open_page)
    options = app.selectbox(key="data_of").options
    assert options[0].replace("\\", "") == CALLED and len(options) >= 4 and len(set(options)) == len(options)
    assert len(rows(app)) == 36 and "36 studies of" in texts(app)


def test_a_run_offers_its_own_data_first(phantoms, root, open_page):
    write_run(root)
    app = healthy(open_page("data", listed="table"))
    assert app.selectbox(key="data_of").value.startswith("points") and len(rows(app)) == listing.LISTED
    assert "The first 300 of 600 studies of 300 patients pass" in texts(app)


@pytest.mark.parametrize("stated", ["present", "absent"])
def test_filters_narrow_and_the_address_keeps_them(phantoms, open_page, stated):
    app = loaded(open_page, label="effusion", stated=stated, split="val")
    wanted = [
        phantoms.keys[index]
        for index in phantoms.split("val")
        if phantoms.labels[index, phantoms.label_names.index("effusion")] == (stated == "present")
    ]
    assert list(rows(app)["Study"]) == wanted and 0 < len(wanted) < 12
    assert set(rows(app)["Split"]) == {"Validation"}
    ages = dict(zip(phantoms.keys, phantoms.covariates["age"]))
    oldest = int(np.median([ages[key] for key in wanted]))
    app.session_state["data_age"] = (19, oldest)
    young = healthy(app.run())
    assert list(rows(young)["Study"]) == [key for key in wanted if 19 <= ages[key] <= oldest]


def test_images_are_those_that_pass_with_what_is_known_of_them(phantoms, open_page):
    key = phantoms.keys[int(phantoms.split("val")[5])]
    app = loaded(open_page, listed="images", split="val", sample=key)
    shown, films = told(app)
    wanted = [phantoms.keys[row] for row in phantoms.split("val")]
    assert [cell["key"] for cell in shown["cells"]] == wanted and shown["chosen"] == 5 and films.startswith(b"\xff\xd8")
    row = phantoms.keys.index(wanted[0])
    assert shown["cells"][0]["chips"] == [name for name, held in zip(phantoms.label_names, phantoms.labels[row]) if held]
    assert ["Split", "Validation"] in shown["cells"][0]["facts"] and "12 studies of" in shown["label"]


def test_thumbnails_that_cannot_be_kept_are_said_and_the_page_lives(phantoms, open_page, monkeypatch, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "thumbnails").write_text("a file where the folder should be")
    monkeypatch.setattr(thumbnails, "cache_root", lambda: tmp_path / "cache")
    studies.loading(json.dumps(SMALL, sort_keys=True)).result(60)
    app = open_page("data", data=CALLED)
    assert not app.exception and "WORKBENCH_CACHE" in texts(app).replace("\\", "") and app.get("image")


def test_nothing_that_passes_says_what_to_do(phantoms, open_page):
    app = loaded(open_page)
    app.session_state["data_age"] = (82, 82)
    assert "No study passes these filters" in texts(healthy(app.run()))


def test_a_study_shows_its_report_and_what_is_outlined_changes_its_picture(phantoms, open_page):
    key = next(phantoms.keys[index] for index in range(36) if phantoms.labels[index, 1] == 1)
    app = loaded(open_page, sample=key)
    sample = phantoms[phantoms.keys.index(key)]
    said = "\n".join(re.sub("<[^>]+>", "", html.unescape(each.value)) for each in app.html)
    assert all(text.text in said for text in sample["texts"])
    app.toggle(key="data_mentions").set_value(False)
    plain = texts(healthy(app.run())).replace("\\", "")
    assert all(text.text in plain for text in sample["texts"]) and "<mark" not in plain
    before = app.get("image")[0].proto.imgs[0].url
    app.toggle(key="data_boxes").set_value(False)
    without = healthy(app.run()).get("image")[0].proto.imgs[0].url
    app.button_group(key=f"data_masks_{key}").set_value(["left lung"])
    outlined = healthy(app.run()).get("image")[0].proto.imgs[0].url
    assert len({before, without, outlined}) == 3


def test_mentions_are_marked_letter_by_letter_as_present_or_absent():
    text = Text("<b>No</b> effusion; mass & nodule.", "findings")
    spans = {"effusion": "absent", "mass & nodule": "present"}
    found = [
        {
            "start": text.text.index(words),
            "end": text.text.index(words) + len(words),
            "concept": 'a "b"',
            "assertion": assertion,
            "side": "left",
        }
        | {"attributes": [{"name": "size", "words": "8 mm"}]}
        for words, assertion in spans.items()
    ]
    drawn = studies.marked(text, found[::-1])
    assert '&lt;b&gt;No&lt;/b&gt; <mark class="absent"' in drawn and '>effusion</mark>; <mark class="present"' in drawn
    assert ">mass &amp; nodule</mark>." in drawn and "<b>" not in drawn and 'title="a &quot;b&quot;, absent, left, size: 8 mm"' in drawn


def test_questions_are_listed_when_opened(phantoms, open_page):
    key = phantoms.keys[3]
    app = loaded(open_page, sample=key)
    app.session_state[f"data_questions_{key}"] = True
    listed = texts(healthy(app.run()))
    assert all(html.escape(each["question"]) in listed for each in phantoms[3]["questions"])


def test_an_outline_follows_the_border_of_its_mask():
    from workbench.dataset import Image

    mask = np.zeros((32, 32), bool)
    mask[8:24, 8:24] = True
    drawn = np.asarray(studies.picture(Image(np.zeros((32, 32), np.uint8)), [], [mask])).astype(int)
    edge = (drawn != 0).any(-1)
    scale = studies.WIDTH / 32
    rows_, columns = np.nonzero(edge)
    assert abs(rows_.min() - 8 * scale) < scale and abs(columns.max() - 24 * scale) < scale
    assert not edge[int(16 * scale), int(16 * scale)] and edge.mean() < 0.1, "no fill over the lung"


def test_totals_and_the_card_are_counts_of_the_whole_set(phantoms, open_page):
    app = loaded(open_page, label="nodule")
    charts = [chart.proto.spec for chart in app.get("plotly_chart")]
    assert len(charts) == 2 and all("pacemaker" in chart for chart in charts)
    app.session_state["data_card"] = True
    browse.carding(json.dumps(SMALL, sort_keys=True), studies.read(json.dumps(SMALL))).result(30)
    card = "\n".join(block.value for block in healthy(app.run()).code)
    assert "36 studies of" in card and "terms of use: open" in card


def test_the_notebook_cell_draws_the_same_totals(phantoms, monkeypatch, capsys):
    from app import cells

    drawn = []
    monkeypatch.setattr("plotly.graph_objects.Figure.show", lambda figure: drawn.append(figure))
    exec(cells.data(SMALL, phantoms.keys[2]), {})
    said = capsys.readouterr().out
    assert len(drawn) == 2 and "36 studies of" in said and phantoms[2]["texts"][0].text in said
    assert "is the commonest" in drawn[0].layout.title.text


def test_sliders_change_the_phantom_and_its_report(phantoms, open_page):
    key = next(phantoms.keys[index] for index in range(36) if phantoms.labels[index].sum() == 0)
    app = loaded(open_page, sample=key)
    assert app.selectbox(key=f"what_finding_{key}").value == "effusion"
    said = texts(app)
    assert "**Effusion**" in said and "of the pixels differ" in said
    app.slider(key=f"what_severity_effusion_{key}").set_value(0.0)
    gone = texts(healthy(app.run()))
    assert "**No finding**" in gone and "0 % of the pixels differ, by 0 of 255" in gone
    app.selectbox(key=f"what_factor_{key}").set_value("rotation")
    turned = healthy(app.run())
    turned.slider(key=f"what_rotation_{key}").set_value(9.0)
    assert "by 0 of 255" not in texts(healthy(turned.run()))


def test_a_patient_of_the_thorax_is_changed_and_seen_from_the_side(monkeypatch, open_page):
    small = {"name": "phantoms", "size": 32, "train": 4, "val": 2, "test": 0, "films": "two"}
    monkeypatch.setattr(browse, "CLINIC", small)
    studies.loading(json.dumps(small, sort_keys=True)).result(60)
    app = healthy(open_page("data", data="phantoms · 32 px · 6 studies"))
    key = told(app)[0]["cells"][0]["key"]
    assert len(app.get("image")) == 5, "from the front and from the side; before, after and the difference"
    said = texts(app)
    assert "of the pixels differ" in said
    name = app.selectbox(key=f"what_finding_{key}").value
    assert f"**{name.capitalize()}" in said or f", {name}" in said
    app.session_state[f"what_view_{key}"] = "lateral"
    app.slider(key=f"what_severity_{name}_{key}").set_value(0.0)
    gone = texts(healthy(app.run()))
    assert "by 0 of 255" in gone


def test_a_manifest_is_browsed_and_below_open_terms_its_keys_are_hashed(open_page, tmp_path, monkeypatch):
    config = {"name": "manifest", "root": str(manifest(tmp_path / "films", ROWS)), "size": 16, "terms": "no-redistribution"}
    monkeypatch.setattr(browse, "GALLERY", config)
    studies.loading(json.dumps(config, sort_keys=True)).result(60)
    app = healthy(open_page("data", data="manifest · 16 px"))
    shown, films = told(app)
    assert [cell["key"] for cell in shown["cells"]] == studies.hashed(["a1", "b1", "b2", "c1", "d1"]) and films
    assert shown["cells"][0]["chips"] == ["Edema", "Mass"] and shown["columns"] == ["Findings", "View", "Age", "Sex", "Split"]
    app = healthy(open_page("data", data="manifest · 16 px", listed="table"))
    assert len(rows(app)) == 5 and not set(rows(app)["Study"]) & {"a1", "b1", "b2", "c1", "d1"}
    assert "terms of use: no-redistribution, shown on this screen only" in texts(app) and "What if" not in [
        each.value for each in app.subheader
    ]


def test_films_of_a_credentialed_set_reach_the_grid_once_the_reader_asked(open_page, tmp_path, monkeypatch):
    config = {"name": "manifest", "root": str(manifest(tmp_path / "films", ROWS)), "size": 16, "terms": "credentialed"}
    monkeypatch.setattr(browse, "GALLERY", config)
    studies.loading(json.dumps(config, sort_keys=True)).result(60)
    app = healthy(open_page("data", data="manifest · 16 px"))
    shown, films = told(app)
    assert not films and {cell["why"] for cell in shown["cells"]} == {"withheld"} and '"a1"' not in json.dumps(shown)
    shown, films = told(healthy(app.button(key="show_films").click().run()))
    assert films.startswith(b"\xff\xd8") and {cell["why"] for cell in shown["cells"]} == {""} and '"a1"' not in json.dumps(shown)


def test_what_cannot_be_read_is_said_in_words(open_page, tmp_path, monkeypatch):
    monkeypatch.setattr(browse, "GALLERY", {"name": "manifest", "root": str(tmp_path / "gone"), "size": 16})
    app = open_page("data", data="manifest · 16 px")
    assert not app.exception and "This data set cannot be read here" in texts(app) and "gone" in texts(app)
