"""Simulated data with something wrong on purpose: exactly that, and nothing else."""

import json

import numpy as np
import pytest

from workbench.analysis.baselines import ridge_probe
from workbench.analysis.statistics import auroc
from workbench.data.phantoms import Config, load
from workbench.phantom import FINDINGS
from workbench.phantom.latents import draw_study
from workbench.phantom.variants import COMMON, PLAIN, SCANNERS, Variant, draw

EFFUSION = FINDINGS.index("effusion")
SMALL = {"level": "teaching", "size": 16, "train": 120, "val": 40, "test": 40, "seed": 7}


def made(**more):
    return load(Config(**SMALL | more))


def test_the_plain_variant_is_the_simulator_and_its_data_set_the_one_it_was():
    assert all(draw(0, index, "clinical", PLAIN) == draw_study(0, index, "clinical") for index in range(50))
    assert made().data_hash == "deaa9e1e1ee6f3b9"
    assert made().data_hash == made(marker_strength=0.1, scanner_strength=0.1).data_hash, "idle fields make no other data set"
    hashes = [
        made(**each).data_hash for each in ({}, {"marker": "nodule"}, {"label_noise": 0.1}, {"missing_reports": 0.5}, {"long_tail": 1.0})
    ]
    assert len(set(hashes)) == 5


def test_the_letter_predicts_the_finding_as_often_as_asked():
    for strength, low, high in ((1.0, 1.0, 1.0), (0.6, 0.74, 0.86), (0.0, 0.44, 0.56)):
        studies = [draw(0, index, "clinical", Variant(marker="effusion", marker_strength=strength)) for index in range(600)]
        right = np.mean([(study.marker == "L") == study.has("effusion") for study in studies])
        assert low <= right <= high, (strength, right)
        assert all(study._replace(marker="") == draw_study(0, index, "clinical") for index, study in enumerate(studies))


def test_a_marker_is_seen_on_the_film_and_nowhere_else():
    plain, marked = made(), made(marker="effusion", marker_strength=1.0)
    changed = np.mean([plain[index]["images"][0].array != marked[index]["images"][0].array for index in range(160)], 0) > 0
    assert changed.any() and not changed[4:, :].any(), "a letter in an upper corner"
    assert (plain.labels == marked.labels).all() and plain[3]["texts"] == marked[3]["texts"]


def test_the_test_split_is_free_of_shortcuts():
    """A ridge on the rows where letters stand reads the finding in val and knows little of it in test."""
    found = made(marker="effusion", marker_strength=1.0, size=32, train=300, val=120, test=120)

    def rows(split):
        return np.stack([found[int(index)]["images"][0].array[:7].ravel() for index in found.split(split)]).astype(float)

    train = found.split("train")
    read = {}
    for split in ("val", "test"):
        scores = ridge_probe(rows("train"), found.labels[train], rows(split), [found.patients[index] for index in train])
        read[split] = auroc(scores[:, EFFUSION], found.labels[found.split(split), EFFUSION])
    assert read["val"] > 0.9 and read["test"] < 0.7, read


def test_two_scanners_are_a_source_that_tells_the_finding():
    found = made(scanner="effusion", scanner_strength=0.8, test=200)
    second = found.covariates["source"] == "scanner B"
    assert set(found.covariates["source"]) == set(SCANNERS)
    train, test = found.split("train"), found.split("test")
    assert np.mean(second[train] == (found.labels[train, EFFUSION] == 1)) > 0.8
    assert 0.38 < np.mean(second[test] == (found.labels[test, EFFUSION] == 1)) < 0.62
    assert "source" not in made().covariates
    styles = {found[index]["factors"]["device style"] for index in range(40)}
    assert styles == {"0", "2"}


def test_a_long_tail_thins_out_the_rare_and_keeps_the_commonest():
    studies = [draw_study(1, index, "clinical") for index in range(1500)]
    thinned = [draw(1, index, "clinical", Variant(tail=0.7)) for index in range(1500)]
    shares = [np.mean([each.has(name) for each in thinned]) / np.mean([each.has(name) for each in studies]) for name in COMMON]
    np.testing.assert_allclose(shares, np.exp(-0.7 * np.arange(len(COMMON))), atol=0.08)
    assert shares[0] == 1
    for before, after in zip(studies, thinned):
        assert set(after.findings) <= set(before.findings) and after._replace(findings=before.findings) == before


def test_noise_in_labels_and_missing_reports_are_of_train_only():
    plain, found = made(train=600), made(train=600, label_noise=0.2, missing_reports=0.3)
    train, rest = found.split("train"), np.concatenate([found.split("val"), found.split("test")])
    wrong = found.labels[train] != plain.labels[train]
    assert 0.17 < wrong.mean() < 0.23 and (wrong.mean(0) > 0.12).all()
    assert (found.labels[rest] == plain.labels[rest]).all() and (found.true_labels == plain.labels).all()
    silent = np.array([not found[int(index)]["texts"] for index in train])
    assert 0.25 < silent.mean() < 0.35 and all(found[int(index)]["texts"] == plain[int(index)]["texts"] for index in rest)
    assert len(found[int(train[silent][0])]["entities"]) == 0 and len(found[int(train[~silent][0])]["entities"]) > 0
    np.testing.assert_array_equal(found[0]["images"][0].array, plain[0]["images"][0].array)


def test_mentions_and_questions_are_of_the_study_as_it_is():
    found = made(long_tail=3.0)
    for index in range(40):
        sample = found[index]
        present = {each["label"] for each in sample["entities"] if each["assertion"] == "present" and each["label"]}
        assert present == {name for name, value in zip(FINDINGS, sample["labels"]) if value == 1}
        for each in sample["entities"]:
            assert sample["texts"][each["text"]].text[each["start"] : each["end"]]


@pytest.mark.parametrize(("field", "value"), [("marker", "oedema"), ("label_noise", 0.7), ("long_tail", -1), ("missing_reports", 1.5)])
def test_what_no_variant_can_be_is_refused(field, value):
    from workbench.errors import UserError

    with pytest.raises(UserError, match=field):
        Config.parse({field: value}, "test")


def test_a_store_of_a_variant_lies_in_a_folder_of_its_own():
    from workbench.phantom.store import Request

    plain, other = Request("teaching", 16, 0, 0, 5), Request("teaching", 16, 0, 0, 5, tuple(Variant(tail=1.0)))
    assert plain.name == "v3-teaching-16-9f47989d45ea3316", "films that are on disk are found again"
    assert plain.name != other.name and Request(*json.loads(json.dumps(other))).name == other.name
