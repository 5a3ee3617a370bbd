"""Odds of findings after real labels: the table is read and fitted as it says, and the simulator draws by them."""

import csv
import gzip

import numpy as np
import pytest

from tests.full import tables
from workbench.errors import UserError
from workbench.phantom import FINDINGS
from workbench.phantom.thorax.course import drawn_study
from workbench.phantom.thorax.odds import METADATA, odds, odds_of
from workbench.phantom.thorax.patient import Patient
from workbench.phantom.thorax.prevalence import shares_of
from workbench.phantom.thorax.variants import COMMON, PLAIN

COLUMNS = ("Labels", "Projection", "StudyDate_DICOM", "PatientBirth", "PatientSex_DICOM")
ROWS = [
    ("['cardiomegaly', ' hydropneumothorax']", "PA", "20100101", "1940.0", "M"),
    ("['normal']", "AP_horizontal", "20100101", "1953.0", "F"),
    ("['normal']", "L", "20100101", "1953.0", "F"),  # from the side
    ("['normal']", "PA", "20100101", "2000.0", "F"),  # a child
    ("['exclude']", "PA", "20100101", "1953.0", "F"),
    ("['normal']", "PA", "20100101", "", "F"),
]


def test_the_table_is_read_row_by_row(tmp_path):
    with gzip.open(tmp_path / "labels.csv.gz", "wt", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *ROWS])
    (first, labels), (second, none) = tables.films(tmp_path / "labels.csv.gz")
    assert first == pytest.approx([-0.45, 13 / 18, 0.46]) and second == pytest.approx([0.55, 0, -0.54])
    assert [name for name, value in zip(FINDINGS, labels) if value] == ["cardiomegaly", "effusion", "pneumothorax"] and not any(none)


def test_planted_odds_are_found_again():
    draw = np.random.default_rng(0)
    about, labels = draw.normal(size=(40_000, 3)), np.zeros((40_000, len(FINDINGS)))
    for place in range(len(FINDINGS)):
        logit = -1.5 + about @ [0.8, -0.4, 0.2] + (1.2 * labels[:, place - 1] if place else 0)
        labels[:, place] = draw.random(40_000) < 1 / (1 + np.exp(-logit))
    found = tables.fitted(about, labels)["oedema"]
    assert [found[name] for name in ("ap", "age", "male")] == pytest.approx([0.8, -0.4, 0.2], abs=0.06)
    assert found["after"]["atelectasis"] == pytest.approx(1.2, abs=0.1) and abs(found["after"]["cardiomegaly"]) < 0.12


def test_a_table_that_is_not_there_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.argv", ["tables", str(tmp_path / "gone.csv.gz")])
    with pytest.raises(UserError, match=r"gone.csv.gz: no such table"):
        tables.table()


def test_odds_are_those_of_the_file():
    mean = Patient(57.0, "M", 0.5, 0.0, 0.0, 0.0, ())
    own = odds()["oedema"]
    base = odds_of("oedema", mean, "PA", ())
    assert base == pytest.approx(own.base + METADATA * (-0.45 * own.ap + 0.46 * own.male))
    assert odds_of("oedema", mean, "AP", ()) - base == pytest.approx(METADATA * own.ap)
    assert odds_of("oedema", mean._replace(age=75.0), "PA", ()) - base == pytest.approx(METADATA * own.age)
    assert odds_of("oedema", mean._replace(illness=2.0), "PA", ()) - base == pytest.approx(2 * own.illness)
    assert odds_of("oedema", mean, "PA", {"cardiomegaly", "mass"}) - base == pytest.approx(own.after["cardiomegaly"])


def test_findings_are_as_frequent_and_as_often_together_as_they_say():
    """Pairs of the simulator against those of the record, which were counted in the table."""
    shares = shares_of(PLAIN)
    assert sorted(COMMON, key=lambda name: -shares[name]) == list(COMMON)
    labels = np.array([drawn_study(5, index).labels for index in range(2500)])
    assert np.abs(labels.mean(0) - [shares[name] for name in FINDINGS]).max() < 0.03
    own = tables.together(labels)
    assert own[FINDINGS.index("cardiomegaly"), FINDINGS.index("oedema")] > 1.5
    assert own[FINDINGS.index("endotracheal tube"), FINDINGS.index("feeding tube")] > 2
    assert own[FINDINGS.index("cardiomegaly"), FINDINGS.index("mass")] < 0
