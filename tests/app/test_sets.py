"""Sets on the pages: the address names one, every page obeys it, filters become one, nothing breaks where it is empty, gone or of other data."""

import json

import pytest

from app import queried, studies, zeroshot
from tests.app.conftest import texts
from tests.app.test_pages import healthy
from workbench import described, queries
from workbench.criteria import Listed
from workbench.queries import query

FEATURE = "image.projected"
pytestmark = pytest.mark.usefixtures("nobody_serves")


@pytest.fixture
def run(small_run, copied):
    return copied(small_run)


def boxes(app, key):
    return [each for each in app.selectbox if each.key == key]


def pressed(app, key):
    return next(each for each in app.button if each.key == key).click().run()


def test_no_saved_set_no_choice_and_an_unknown_one_is_said(run, open_page):
    app = healthy(open_page("latent_space", run=run.id, feature=FEATURE, set="none"))
    assert not boxes(app, "row_set") and "no set none is saved" in texts(app)


def test_a_named_set_in_the_address_is_described(run, open_page):
    held = query(run, where=("effusion", "present")).save("sick")
    app = healthy(open_page("latent_space", run=run.id, feature=FEATURE, set="sick"))
    dataset = studies.of_run(run).dataset
    found = described.of_look(held, run, FEATURE, 3, dataset)
    (sentence, rest), aside = queried.sentence(found)[0][0], queried.sentence(found)[1]
    assert boxes(app, "row_set")[0].value == "sick" and sentence in texts(app) and aside in texts(app)
    assert rest.split(".")[0].split(",")[0] in texts(app).replace("&#x27;", "'") and "chosen by effusion" in texts(app).replace("\\", "")
    assert "of a member" in texts(app) and any(each.key == "set_csv" for each in app.get("download_button"))
    boxes(app, "row_set")[0].select("all studies").run()
    assert "set" not in app.query_params and sentence not in texts(healthy(app))


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("nothing", "the set is empty: nothing to compare"),
        ("everything", "the set holds every study"),
        ("gone", "2 of its 30 studies are not in this data any more"),
        ("one", "1 patients in the set: a comparison needs 10"),
    ],
)
def test_empty_whole_gone_and_tiny_sets_are_said(keys, told, run, open_page):
    look = run.embeddings(FEATURE, 3).keys
    given = {"nothing": (), "everything": look, "gone": (*look[:28], "gone", "too"), "one": look[:1]}[keys]
    made = queries.over(Listed(keys=given), run.source[1], run.path.parent)
    queries.Query(made.expression, made.data, made.data_hash, given, made.root).save("odd")
    app = healthy(open_page("latent_space", run=run.id, feature=FEATURE, set="odd"))
    assert told.lower() in texts(app).replace("\\", "").lower()


def test_a_set_of_other_data_is_matched_by_key_and_said_and_a_damaged_one_leaves_all(run, open_page):
    values = query(run, where=("effusion", "present")).save("sick").as_dict()
    path = run.path.parent / "queries" / "sick.json"
    path.write_text(json.dumps(values | {"data_hash": "another"}))
    app = healthy(open_page("latent_space", run=run.id, feature=FEATURE, set="sick"))
    assert "made of other data" in texts(app)
    path.write_text("{")
    app = healthy(open_page("latent_space", run=run.id, feature=FEATURE, set="sick"))
    assert "All studies are shown" in texts(app) and "damaged set" in texts(app)


def test_filters_of_the_page_data_become_a_set_that_combines_and_is_kept_when_removed(run, root, open_page):
    app = healthy(open_page("data", label="effusion", split="val"))
    next(each for each in app.text_input if each.key == "data_says").set_value("effusion").run()
    held = query(run, where=[("split", "val"), ("effusion", "present"), ("report", "says", "effusion")])
    assert f"{len(held)} of 224 studies" in texts(healthy(app))
    pressed(app, "set_save")
    assert "a set's name has letters" in " ".join(each.value for each in app.error).replace("\\", "")
    next(each for each in app.text_input if each.key == "set_name").set_value("val-sick").run()
    pressed(app, "set_save")
    saved = queries.load("val-sick", root)
    assert saved.keys == held.keys == saved.again().keys and "val-sick" in app.query_params["set"]
    query(run, where=("age", ">=", 60)).save("old")
    app = healthy(open_page("data", set="old"))
    next(each for each in app.selectbox if each.key == "sets_a").select("val-sick").run()
    next(each for each in app.text_input if each.key == "sets_new_name").set_value("both").run()
    pressed(app, "sets_combine")
    assert set(queries.load("both", root).keys) == set(held.keys) & set(queries.load("old", root).keys)
    pressed(healthy(app), "sets_remove")
    pressed(app, "sets_off_go")
    assert queries.names(root) == ["old", "val-sick"] and list((root / "queries" / "before").glob("both-*"))


def test_samples_and_scores_are_those_of_the_set(run, open_page, monkeypatch):
    told: list[str] = []
    monkeypatch.setattr(studies.st, "caption", told.append)
    monkeypatch.setattr(zeroshot.place, "empty", told.append)
    loaded = studies.of_run(run)
    sick = query(run, where=[("effusion", "present"), ("split", "val")]).save("sick")
    assert studies.listed(loaded, sick) == list(sick.keys) and zeroshot.among(sick, loaded, "val")
    assert (
        told[-1]
        == f"Scored: the {len(sick)} of 96 validation studies that are in the set sick. Thresholds come from the set's own other patients."
    )
    train = query(run, where=("split", "train"))
    assert not zeroshot.among(train, loaded, "val") and "None of the 96 validation studies" in told[-1]
    other = queries.over(Listed(keys=("x", loaded.dataset.keys[3])), run.source[1], run.path.parent)
    assert studies.listed(loaded, other) == [loaded.dataset.keys[3]] and "1 of 2, the others are not in this data" in told[-1]
