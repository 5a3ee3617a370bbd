"""The data set of the three-dimensional engine: what is said agrees with what is in the films, and films with their addresses."""

import json

import numpy as np
import pytest

from workbench.data.phantoms import Config, load
from workbench.phantom import FINDINGS, MASKS
from workbench.phantom.report import grammar, prompts
from workbench.phantom.thorax.course import drawn_study
from workbench.phantom.thorax.film import render
from workbench.phantom.thorax.films import SIDE, filmed
from workbench.phantom.thorax.rows import drawn_entities


@pytest.fixture(scope="module")
def both():
    return load(Config(size=32, train=24, val=8, test=8, seed=3, films="two"))


def test_every_finding_is_said_once_and_nothing_that_is_not_there():
    seen = set()
    for index in range(1500):
        study = drawn_study(1, index)
        present = {name for name in FINDINGS if study.has(name)}
        rows = drawn_entities(1, index)
        told = {kind: {row["label"] for row in rows if row["assertion"] == kind and row["label"]} for kind in ("present", "absent")}
        assert told["present"] == present and not told["absent"] & present, index
        for row in rows:
            sides = {each.side for each in study.findings if each.name == row["label"]}
            if row["label"] and row["assertion"] == "present" and row["side"] in ("right", "left"):
                assert row["side"] in sides, (index, row)
        seen |= told["present"] | told["absent"]
    assert seen == set(FINDINGS)


def test_a_study_is_its_films_from_the_front_and_the_side_at_its_address(both):
    assert len(both) == 40 and len(set(both.keys)) == 40
    for index in (0, 25, 39):
        sample, study = both[index], drawn_study(3, both.studies[index]["index"])
        front, side = sample["images"]
        assert (front.view, side.view) == (study.view, "lateral") and front.view in ("PA", "AP")
        np.testing.assert_array_equal(front.array, render(study, 32).image)
        np.testing.assert_array_equal(side.array, filmed(study, SIDE, 32).image)  # and not because it lay on disk
        assert [sample["labels"][FINDINGS.index(name)] == 1 for name in FINDINGS] == [study.has(name) for name in FINDINGS]
        assert {box["image"] for box in sample["boxes"]} <= {0, 1} and all(box["label"] in FINDINGS for box in sample["boxes"])
        assert set(sample["masks"]) == set(MASKS) and sample["masks"]["right lung"].any()
        for row in sample["entities"]:
            assert sample["texts"][row["text"]].text[row["start"] : row["end"]].strip()


def test_one_film_a_study_without_the_side_and_the_same_one(both):
    one = load(Config(size=32, train=24, val=8, test=8, seed=3))
    assert len(one[5]["images"]) == 1 and one.data_hash != both.data_hash
    np.testing.assert_array_equal(one[5]["images"][0].array, both[5]["images"][0].array)


def test_no_patient_is_in_two_splits_and_factors_are_those_of_the_studies(both):
    parts = [{both.patients[index] for index in both.split(name)} for name in ("train", "val", "test")]
    assert not parts[0] & parts[1] and not parts[1] & parts[2] and not parts[0] & parts[2]
    study = drawn_study(3, both.studies[7]["index"])
    assert {name: values[7] for name, values in both.factors.items()} == study.factors
    assert all(study.factors[f"severity {each.name}"] >= each.severity for each in study.findings)


def test_prompts_and_sentences_are_there_for_every_finding():
    assert list(prompts()) == list(FINDINGS) and all(
        len(set(sides["positive"]) & set(sides["negative"])) == 0 for sides in prompts().values()
    )
    assert all(set(FINDINGS) <= set(grammar()[section]) for section in ("present", "absent", "impression", "named"))


@pytest.mark.parametrize("method", ["clip", "mae"])
def test_methods_train_on_it(method, tmp_path):
    from training.__main__ import main
    from workbench.run import list_runs

    recipe = "clip-phantoms" if method == "clip" else "mae-phantoms"
    data = json.dumps(
        {
            "films": {
                "config": {
                    "name": "phantoms",
                    "size": 64,
                    "train": 48,
                    "val": 24,
                    "test": 0,
                    "films": "study" if method == "clip" else "one",
                }
            }
        }
    )
    values = ["name=tried", "batch=16", 'stages=[{"steps": 2}]', "monitors.studies=16", "monitors.probe_train=16", "validation.every=2"]
    main(
        [
            "train",
            recipe,
            "--runs",
            str(tmp_path),
            "--smoke",
            "--set",
            f"data={data}",
            *values,
            'validation.best="loss"',
            'validation.mode="min"',
        ]
    )
    (run,) = list_runs(tmp_path)
    assert run["state"] == "finished" and run["step"] == 2
