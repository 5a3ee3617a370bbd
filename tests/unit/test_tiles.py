"""The grid of thumbnails without a browser: order, windows, what a browser may ask, what of a key travels, CSV, Jupyter."""

import csv
import io
import json
import struct

import numpy as np
import pytest

from tests.toys import films
from workbench import notebook
from workbench.errors import UserError
from workbench.exports import hashed, keys_csv
from workbench.tiles import FIRST, MOST, Present, Tiles, Wish, known, ordered, said

JPEG = b"\xff\xd8\xff"


def toy(count=120, terms="open"):
    return films.load(films.Config(studies=count, size=16, terms=terms))


def tiles(dataset, **more):
    columns = {
        "Findings": Present(dataset.labels, dataset.label_names, np.arange(len(dataset))),
        "Age": dataset.covariates["age"],
        "Sex": dataset.covariates["sex"],
    }
    return Tiles(dataset, dataset.keys, columns, **more)


def opened(message):
    """Header and image of a message."""
    (length,) = struct.unpack("<I", message[:4])
    return json.loads(message[4 : 4 + length]), message[4 + length :]


@pytest.mark.parametrize("descending", [False, True])
def test_numbers_are_ordered_by_size_ties_as_given_and_what_is_unknown_last(descending):
    values = np.random.default_rng(1).integers(0, 9, 500).astype(float)
    values[::7] = np.nan
    known = [at for at in range(500) if np.isfinite(values[at])]
    wanted = sorted(known, key=lambda at: -values[at] if descending else values[at]) + [at for at in range(500) if at % 7 == 0]
    assert ordered(values, descending).tolist() == wanted
    assert ordered([None if np.isnan(value) else value for value in values], descending).tolist() == wanted


def test_words_and_lists_of_words_are_ordered_as_words_empty_ones_last():
    assert ordered(["b", "", "a", None, "b"], False).tolist() == [2, 0, 4, 1, 3]
    assert ordered(["b", "", "a", None, "b"], True).tolist() == [0, 4, 2, 1, 3]
    assert ordered([("mass", "nodule"), (), ("effusion",)], False).tolist() == [2, 0, 1]


def test_a_window_holds_the_cells_asked_for_in_their_order(monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    dataset = toy()
    made = tiles(dataset)
    told, image = opened(made.message({"first": 30, "count": 20, "sort": "Age", "descending": True, "of": made.token}))
    order = sorted(range(120), key=lambda at: -dataset.covariates["age"][at])
    assert [cell["at"] for cell in told["cells"]] == order[30:50] and told["first"] == 30 and told["n"] == 120
    first, at = told["cells"][0], order[30]
    assert first["key"] == dataset.keys[at] and first["facts"][0] == ["Age", str(int(dataset.covariates["age"][at]))]
    assert first["chips"] == [name for name, held in zip(dataset.label_names, dataset.labels[at]) if held] and image.startswith(JPEG)
    assert dataset.opened == 20, "only what is seen is opened"


def test_the_first_window_is_where_the_chosen_one_stands(monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    dataset = toy()
    told, _ = opened(tiles(dataset).message(None, dataset.keys[100]))
    assert told["row"] == told["chosen"] == 100 and 100 in [cell["at"] for cell in told["cells"]]


@pytest.mark.parametrize(
    "asked",
    [
        None,
        7,
        "x",
        {"first": "0"},
        {"first": -5, "count": 10**9},
        {"first": 10**12, "count": 0},
        {"first": 1.5},
        {"sort": ["Age"]},
        {"sort": "nope"},
    ],
)
def test_whatever_a_browser_asks_the_answer_is_a_window_of_what_there_is(asked):
    made = tiles(toy())
    wish = made.wish(asked | {"of": made.token} if isinstance(asked, dict) else asked)
    assert 0 <= wish.first < 120 and 1 <= wish.cells <= MOST and wish.sort is None and not wish.descending


def test_a_wish_of_other_keys_begins_anew_in_the_same_order():
    made = tiles(toy())
    assert made.wish({"first": 80, "count": 9, "sort": "Age", "descending": True, "of": "another"}) == Wish(0, FIRST, "Age", True)


def test_a_click_is_a_key_of_these_keys_or_nothing():
    made = tiles(toy())
    assert made.chosen({"at": 3, "of": made.token}) == "film-000003"
    wrong = [None, {"at": 3}, {"at": 3, "of": "x"}, *({"at": at, "of": made.token} for at in (-1, 120, "3", 3.0, True, None))]
    assert [made.chosen(each) for each in wrong] == [None] * len(wrong)


@pytest.mark.parametrize("terms", ["no-redistribution", "credentialed"])
def test_below_open_terms_keys_are_hashed_and_what_is_withheld_has_no_pixels(terms, monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    dataset = toy(30, terms)
    message = tiles(dataset, shown=False).message()
    assert dataset.opened == 0 and JPEG not in message and b"film-0" not in message
    told, _ = opened(message)
    assert [cell["key"] for cell in told["cells"]] == hashed(dataset.keys) and {cell["why"] for cell in told["cells"]} == {"withheld"}
    assert b"film-0" not in tiles(dataset).message()


@pytest.mark.parametrize("terms", ["open", "no-redistribution", "credentialed"])
def test_the_csv_of_a_selection_holds_keys_as_far_as_the_terms_allow(terms):
    dataset = toy(6, terms)
    rows = list(
        csv.DictReader(
            io.StringIO(keys_csv(dataset, dataset.keys[:4], {"Findings": [("a", "b,c"), (), ("d",), ()], "Age": [1, None, np.nan, 4]}))
        )
    )
    assert [row["key"] for row in rows] == (dataset.keys[:4] if terms == "open" else hashed(dataset.keys[:4]))
    assert [row["Findings"] for row in rows] == ["a|b,c", "", "d", ""] and [row["Age"] for row in rows] == ["1", "", "", "4"]
    assert "film" not in keys_csv(None, dataset.keys)


def test_captions_are_short_and_say_nothing_of_what_is_not_known():
    assert [said(value) for value in (0.73512, -0.96, 1234567.0, 2.345, np.float32("nan"), None, True, ("a", "b"))] == [
        ".735", "-.960", "1\u2009234\u2009567", "2.35", "", "", "yes", "a, b"
    ]  # fmt: skip
    assert len(said("x" * 500)) == 120


def test_a_grid_opens_in_the_order_it_is_given():
    dataset = toy(30)
    made = Tiles(None, dataset.keys, {"Age": dataset.covariates["age"]}, sort="Age", descending=True)
    told, image = opened(made.message())
    assert told["cells"][0]["at"] == int(np.argmax(dataset.covariates["age"])) and told["descending"] and not image
    assert {cell["why"] for cell in told["cells"]} == {"not here"}


def test_what_a_data_set_knows_of_a_study_it_does_not_have_is_nothing():
    dataset = toy(30)
    told = known(dataset, np.array([6, -1]))
    assert [said(told[name][0]) for name in ("Findings", "Age", "Sex", "Split")] == [
        "even, third",
        said(dataset.covariates["age"][6]),
        "F",
        "Train",
    ]
    assert [said(told[name][1]) for name in told] == [""] * len(told)


def test_columns_of_another_length_are_refused():
    dataset = toy(5)
    with pytest.raises(UserError, match="no column 'Score' to sort by; there are Age"):
        Tiles(dataset, dataset.keys, {"Age": [1, 2, 3, 4, 5]}, sort="Score")
    with pytest.raises(UserError, match="'Age' has 4 values for 5 keys"):
        Tiles(dataset, dataset.keys, {"Age": [1, 2, 3, 4]})


def test_the_widget_answers_wishes_and_hands_back_the_clicked_key(monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    dataset = toy(60)
    made = notebook.grid(dataset, dataset.keys[10:], {"Age": dataset.covariates["age"][10:]})
    told, image = opened(made.window)
    assert told["n"] == 50 and image.startswith(JPEG) and made.key is None
    made.view = {"first": 40, "count": 10, "of": told["token"], "sort": None, "descending": False}
    assert [cell["key"] for cell in opened(made.window)[0]["cells"]] == dataset.keys[50:]
    made.picked = {"at": 2, "of": told["token"]}
    assert made.key == dataset.keys[12]
    with pytest.raises(UserError, match="1 of 1 keys are not in this data set, first 'gone'"):
        notebook.grid(dataset, ["gone"])


def test_a_notebook_file_keeps_films_below_open_terms_only_where_asked(monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    dataset = toy(8, "no-redistribution")
    assert JPEG not in notebook.grid(dataset).window and JPEG in notebook.grid(dataset, films=True).window
