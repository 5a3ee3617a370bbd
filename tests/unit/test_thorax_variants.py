"""The data set of the thorax with films as a clinic takes them, and with something wrong on purpose: exactly that, and nothing else."""

import numpy as np
import pytest

from workbench.data.phantoms import Config, load
from workbench.phantom import FINDINGS, MASKS, store
from workbench.phantom.comparison import changes
from workbench.phantom.thorax.course import drawn_study, prior_of
from workbench.phantom.thorax.films import filmed, further
from workbench.phantom.thorax.variants import COMMON, PLAIN, Variant

SMALL = {"size": 16, "train": 24, "val": 4, "test": 4, "seed": 6}
PART = store.part


def made(**more):
    return load(Config.parse(SMALL | more, "test"))


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    """Rendered now, and not because it lay on disk."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("WORKBENCH_CACHE", str(tmp_path_factory.mktemp("clinic")))
        found = made(films="study")
        assert found.words
        return found


def test_a_study_has_the_films_of_its_plan_with_masks_and_boxes_of_their_own(clinic):
    counts = []
    for index in range(len(clinic)):
        sample, study = clinic[index], drawn_study(6, clinic.studies[index]["index"])
        films = [filmed(study, number, 16) for number in (0, *further(study))] if index % 6 == 0 else []
        counts.append(len(sample["images"]))
        assert counts[-1] == 1 + len(further(study)) == len(sample["film_masks"])
        for image, masks, film in zip(sample["images"], sample["film_masks"], films):
            np.testing.assert_array_equal(image.array, film.image)
            assert (image.view, image.spacing_mm) == (film.view, (film.spacing_mm,) * 2)
            for place, name in enumerate(MASKS):
                np.testing.assert_array_equal(masks[name], film.masks >> place & 1)
        assert not films or sample["boxes"] == [{"image": number, **box} for number, film in enumerate(films) for box in film.boxes]
        assert all((sample["masks"][name] == sample["film_masks"][0][name]).all() for name in MASKS)
    assert set(counts) >= {1, 2, 3}


def test_a_sample_tells_its_place_in_time_and_what_has_changed(clinic):
    followed = 0
    for index in range(len(clinic)):
        sample, study = clinic[index], drawn_study(6, clinic.studies[index]["index"])
        assert sample["meta"]["visit"] == study.visit == sample["factors"]["visit"] and sample["meta"]["days"] == study.days
        assert sample["meta"]["changes"] == changes(study, prior_of(study))
        followed += bool(study.visit)
    assert followed > 5


def test_only_what_changes_pixels_renders_films_again(clinic, monkeypatch, tmp_path):
    rendered = []
    monkeypatch.setenv("WORKBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(store, "part", lambda folder, request, *rest: (rendered.append(request.part), PART(folder, request, *rest)))
    tiny = {"train": 3, "val": 0, "test": 0}
    for more in ({}, {"reports": "radiologists"}, {"label_noise": 0.3}, {"missing_reports": 0.5}, {"films": "two"}):
        made(**tiny | more)[0]
    assert rendered == ["first", "words", "words", "lateral"]
    made(**tiny, scanner="mass")[0]
    assert rendered[4:] == ["first", "words"]


def test_plain_fields_make_no_other_data_set():
    plain = made().data_hash
    assert plain == made(marker_strength=0.1, scanner_strength=0.1, prevalence={}).data_hash
    others = [{"marker": "mass"}, {"label_noise": 0.1}, {"missing_reports": 0.5}, {"long_tail": 1.0}, {"prevalence": {"mass": 0.5}}]
    assert len({plain, *(made(**each).data_hash for each in others)}) == 6


def test_the_letter_predicts_the_finding_and_is_all_that_changes():
    for strength, low, high in ((1.0, 1.0, 1.0), (0.6, 0.72, 0.88), (0.0, 0.42, 0.58)):
        studies = [drawn_study(0, index, Variant(marker="effusion", marker_strength=strength)) for index in range(400)]
        right = np.mean([(study.initial == "A") == study.has("effusion") for study in studies])
        assert low <= right <= high, (strength, right)
        assert all(study._replace(initial="") == drawn_study(0, index) for index, study in enumerate(studies))
    study = drawn_study(0, 3)
    without, told, other = (filmed(study._replace(initial=letter), 0, 64).image for letter in ("", "A", "T"))
    changed = without != told
    assert changed.any() and not changed[:50].any() and not changed[:, :48].any() and (told != other).any()


def test_the_test_split_is_free_of_shortcuts():
    config = Config(marker="mass", scanner="mass")
    assert config.variant("train") == config.variant("val") != config.variant("test")
    assert config.variant("test").marker_strength == config.variant("test").scanner_strength == 0 and Config().variant("train") == PLAIN


def test_two_scanners_are_a_source_that_tells_the_finding():
    studies = [drawn_study(0, index, Variant(scanner="effusion", scanner_strength=0.8)) for index in range(400)]
    assert {study.device_style for study in studies} == {0, 2}
    assert np.mean([(study.device_style == 2) == study.has("effusion") for study in studies]) > 0.8
    assert set(made(scanner="mass").covariates["source"]) <= {"scanner A", "scanner B"} and "source" not in made().covariates


def test_a_long_tail_thins_out_the_rare_and_keeps_the_commonest():
    studies = [drawn_study(1, index) for index in range(1500)]
    thinned = [drawn_study(1, index, Variant(tail=0.3)) for index in range(1500)]
    shares = [np.mean([each.has(name) for each in thinned]) / np.mean([each.has(name) for each in studies]) for name in COMMON]
    np.testing.assert_allclose(shares, np.exp(-0.3 * np.arange(len(COMMON))), atol=0.12)
    assert shares[0] == 1
    for before, after in zip(studies, thinned):
        assert {each.name for each in after.findings} <= {each.name for each in before.findings}


def test_noise_in_labels_and_missing_reports_are_of_train_only():
    plain, found = made(), made(label_noise=0.3, missing_reports=0.4)
    train, rest = found.split("train"), np.concatenate([found.split("val"), found.split("test")])
    assert 0.2 < (found.labels[train] != plain.labels[train]).mean() < 0.4 and (found.true_labels == plain.labels).all()
    assert (found.labels[rest] == plain.labels[rest]).all()
    silent = [not found[int(index)]["texts"] for index in train]
    assert 0.15 < np.mean(silent) < 0.65 and all(found[int(index)]["texts"] == plain[int(index)]["texts"] for index in rest)
    assert all(bool(len(found[int(index)]["entities"])) != mute for index, mute in zip(train, silent))


def test_words_and_mentions_are_of_the_study_as_it_is():
    found = made(reports="radiologists", long_tail=1.0)
    for index in range(len(found)):
        sample = found[index]
        for row in sample["entities"]:
            assert sample["texts"][row["text"]].text[row["start"] : row["end"]].strip()
            if row["label"] and row["assertion"] != "uncertain":
                assert (row["assertion"] == "present") == bool(sample["labels"][FINDINGS.index(row["label"])])
