"""The data card: counts by hand, and nothing of a single study."""

import json

import numpy as np
import pytest

from tests.manifests import manifest
from tests.toys import points
from workbench.data.manifest import Config, load
from workbench.ingest.card import card

HEAD = ("filename", "group", "split", "labels", "view", "age", "text", "source_repo")
ROWS = [
    ("a1.png", "anna", "train", "Mass", "PA", "20", "One two three.", "north"),
    ("a2.png", "anna", "train", "Edema", "PA", "20", "One  two THREE.", "north"),
    ("b1.png", "bert", "train", "No Finding", "AP", "", "One.", "south"),
    ("c1.png", "cleo", "train", "", "AP", "40", "", "south"),
    ("d1.png", "dora", "val", "Mass", "PA", "60", "A b c d e.", "north"),
]


@pytest.fixture
def dataset(tmp_path):
    return load(Config.parse({"root": str(manifest(tmp_path, ROWS, HEAD)), "size": 11, "terms": "credentialed"}, "test"))


def test_counts_are_those_counted_by_hand(dataset):
    made = card(dataset)
    assert (made.studies, made.patients, made.terms, made.data_hash) == (5, 4, "credentialed", dataset.data_hash)
    assert made.images == {"count": 5, "looked_at": 5, "sizes": {"11 x 11 uint8": 5}}
    assert made.splits == {"train": {"studies": 4, "patients": 3}, "val": {"studies": 1, "patients": 1}}
    assert made.labels["Mass"]["train"] == {"positive": 1, "negative": 1, "not_stated": 1, "studies": 1}
    assert made.labels["Edema"]["val"] == {"positive": 0, "negative": 0, "not_stated": 1, "studies": 0}
    assert made.covariates["view"] == {"counts": {"PA": 3, "AP": 2}}
    assert made.covariates["age"] == {"quantiles": [20.0, 30.0, pytest.approx(57.0)], "not_stated": 1}
    assert {name: made.texts[name] for name in ("with_text", "distinct", "duplicates", "looked_at")} == {
        "with_text": 4,
        "distinct": 3,
        "duplicates": 2,
        "looked_at": 5,
    }
    assert made.texts["words"][1] == 3.0
    assert made.sources["counts"] == {"north": 3, "south": 2} and made.sources["labels"]["Mass"] == {"north": 2, "south": 0}


def test_a_patient_with_and_without_counts_once(tmp_path):
    rows = [("a.png", "anna", "train", "Mass", "PA", "", "", ""), ("b.png", "anna", "train", "No Finding", "PA", "", "", "")]
    made = card(load(Config.parse({"root": str(manifest(tmp_path, rows, HEAD)), "size": 11}, "test")))
    assert made.labels["Mass"]["train"] == {"positive": 1, "negative": 0, "not_stated": 0, "studies": 1}


def test_a_source_that_predicts_a_label_is_named(tmp_path):
    rows = [
        (
            f"f{n}.png",
            f"p{n}",
            "train",
            "Mass|Edema" if n < 12 else "No Finding" if n % 2 else "Edema",
            "PA",
            "",
            "",
            "a" if n < 20 else "b",
        )
        for n in range(40)
    ]
    found = card(load(Config.parse({"root": str(manifest(tmp_path, rows, HEAD)), "size": 11}, "test")))
    assert found.sources["warning"].startswith("shortcut: the source alone predicts Mass (") and found.sources["warning"] in found.text()


def test_nothing_of_a_single_study_is_told(dataset):
    made = card(dataset)
    told = json.dumps(made.as_dict(), allow_nan=False) + made.text()
    for secret in ("a1", "anna", "bert", "One", "images/", str(dataset.source.root)):
        assert secret not in told, secret
    for line in (
        "5 studies of 4 patients",
        "splits: train 4 (3 patients), val 1 (1 patients)",
        "terms of use: credentialed",
        dataset.data_hash,
    ):
        assert line in made.text()


def test_a_data_set_without_a_table_is_described_too():
    made = card(points.load(points.Config(studies=24, images=2)))
    assert (made.studies, made.patients, made.images["count"], made.sources) == (24, 12, 48, {})
    assert made.texts["with_text"] == 24 and np.sum([counts["studies"] for counts in made.splits.values()]) == 24
    assert "no " not in made.text().split("\n")[0]
