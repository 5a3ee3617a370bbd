"""What can be read from features: concordance against closed forms and loops, whole patients in folds, the direction, run folders."""

import json
import shutil
from itertools import combinations

import numpy as np
import pytest

from workbench.analysis import factors as module
from workbench.analysis import statistics
from workbench.analysis._concordance import MOST, Ordered, coded
from workbench.analysis.factors import Probes, concordance, factors_of, of_run, read_factors
from workbench.datasets import load_dataset
from workbench.errors import UserError
from workbench.run import Run, read_json, write_json

RNG = np.random.default_rng
FEATURE = "image.projected"


def by_loops(scores, values):
    """Concordance, pair by pair."""
    right = pairs = 0.0
    for i, j in combinations(range(len(values)), 2):
        if values[i] != values[j]:
            pairs += 1
            right += 0.5 if scores[i] == scores[j] else (scores[i] > scores[j]) == (values[i] > values[j])
    return right / pairs


def two_each(n):
    return np.arange(n) // 2


@pytest.mark.parametrize("n", [160, 60, 24])
def test_of_two_classes_it_is_the_auroc_with_its_interval(n):
    words = RNG(0).choice(["AP", "PA"], n)
    scores = (words == "PA") + RNG(1).normal(size=n)
    expected = statistics.auroc_interval(scores, words == "PA", two_each(n))
    assert concordance(scores, words, two_each(n)) == expected
    assert concordance(scores, (words == "PA") + 3.0, two_each(n)) == expected, "two numbers are two classes"
    assert (expected.low is None) == (n == 24)


def test_of_several_classes_it_is_the_mean_of_one_against_the_rest():
    words = np.array(["a", "b", "c"] * 50 + ["rare"] * 4)
    scores = RNG(0).normal(size=(154, 4)) + (words[:, None] == np.unique(words))
    found = concordance(scores, words, np.arange(154))
    assert found.value == pytest.approx(np.mean([statistics.auroc(scores[:, k], words == name) for k, name in enumerate("abc")]))
    assert found.procedure.startswith("mean of 3 of 4 classes") and found.low < found.value < found.high
    with pytest.raises(ValueError, match="3 columns"):
        concordance(scores[:, :3], words, np.arange(154))


def test_of_a_number_it_is_the_share_of_pairs_ordered_right_ties_half():
    values, scores = RNG(0).integers(0, 9, 80).astype(float), RNG(1).integers(0, 6, 80).astype(float)
    values[3] = np.nan
    found = concordance(scores, values, two_each(80))
    kept = np.isfinite(values)
    assert found.value == pytest.approx(by_loops(scores[kept], values[kept]), abs=1e-12)
    assert found.low < found.value < found.high and "BCa, 40 patients" in found.procedure and "few patients" in found.why


def test_perfect_reversed_and_constant_scores():
    values, patients = RNG(0).normal(size=90), np.arange(90)
    perfect, reverse, constant = (concordance(scores, values, patients) for scores in (values, -values, np.ones(90)))
    assert (perfect.value, reverse.value, constant.value) == (1, 0, 0.5)
    assert perfect.low is None and "no spread" in perfect.why and constant.low == constant.high == 0.5
    assert np.isnan(concordance(values, np.ones(90), patients).value)


def test_a_severity_few_patients_have_gets_no_interval():
    severity = np.zeros(200)
    severity[:12] = RNG(0).random(12)
    found = concordance(severity + RNG(1).normal(size=200), severity, two_each(200))
    assert found.low is None and found.why.startswith("6 patients differ") and 0 < found.value < 1
    severity[:24] = RNG(0).random(24)
    assert concordance(severity + RNG(1).normal(size=200), severity, two_each(200)).low is not None


def test_weights_of_patients_are_repetitions():
    values, scores, member = RNG(0).integers(0, 5, 30), RNG(1).normal(size=30), np.arange(30) // 3
    often = RNG(2).integers(0, 4, 10)
    rows = np.repeat(np.arange(30), often[member])
    found = Ordered(scores, values.astype(float), member)(often[:, None].astype(float))
    assert found == pytest.approx([by_loops(scores[rows], values[rows])], abs=1e-9)


def test_of_many_studies_a_fixed_draw_is_compared_and_that_is_said():
    values = RNG(0).normal(size=MOST + 300)
    scores = values + RNG(1).normal(size=MOST + 300)
    found = concordance(scores, values, np.arange(MOST + 300), resamples=60)
    assert found == concordance(scores, values, np.arange(MOST + 300), resamples=60) and "2,000 of 2,300 studies drawn" in found.procedure
    assert found.value == pytest.approx(0.75, abs=0.03)


def test_intervals_of_given_scores_hold_the_truth():
    held, rho = 0, 0.5
    for seed in range(120):
        shared, own = RNG([seed, 0]).normal(size=(40, 1, 2)), RNG([seed, 1]).normal(size=(40, 2, 2))
        values, noise = (np.sqrt(0.5) * shared + np.sqrt(0.5) * own).reshape(80, 2).T
        found = concordance(rho * values + np.sqrt(1 - rho**2) * noise, values, two_each(80), resamples=300)
        held += found.low <= 0.5 + np.arcsin(rho) / np.pi <= found.high
    assert 0.88 <= held / 120 <= 0.995


def test_what_is_not_stated_is_left_out():
    assert coded(np.array(["", "F", "", "F"])) is None and coded(np.array([np.nan, 2.0])) is None
    words = coded(np.array(["", "F", "M", None, np.nan], dtype=object))
    assert words.kind == "two classes" and np.array_equal(words.columns[:, 0], [np.nan, 0, 1, np.nan, np.nan], equal_nan=True)
    assert coded(np.array([1.0, 2.0, np.nan, 3.0])).kind == "number" and coded(np.array(["a", "b", "c"])).columns.shape == (3, 3)


SCALES = np.array([9.0, 5.0, 3.0, 2.0, 1.0, 0.5])


def planted(n=240, seed=0):
    """Features along their axes, largest variance first, and factors: one number and one word per axis, and noise."""
    z = RNG(seed).normal(size=(n, 6)) * SCALES
    z -= z.mean(0)
    z = np.linalg.qr(z)[0] * SCALES * np.sqrt(n)
    about = {
        "third": z[:, 2] / 3 + 0.3 * RNG(1).normal(size=n),
        "sixth": np.where(z[:, 5] > 0, "M", "F"),
        "site": np.digitize(z[:, 0], (-5, 5)),
    }
    noise = {"noise": RNG(2).normal(size=n), "noisy word": RNG(3).choice(["x", "y"], n), "same": np.full(n, "PA")}
    return z, about | {"site": np.array(["n", "a", "u"])[about["site"]]} | noise


def test_a_planted_factor_is_read_and_its_direction_found():
    z, factors = planted()
    turned = z @ np.linalg.qr(RNG(5).normal(size=(6, 6)))[0] + 7
    found = read_factors(turned, factors, two_each(len(z)))
    assert found.constant == ("same",) and [each.factor for each in found.readings] == ["third", "sixth", "site", "noise", "noisy word"]
    for name, direction in (("third", 3), ("sixth", 6), ("site", 1)):
        own = found[name]
        assert own.interval.low > 0.8 and own.direction == direction and own.n == 240
    assert found["third"].correlation == pytest.approx(abs(np.corrcoef(z[:, 2], factors["third"])[0, 1]), abs=1e-6)
    between = sum((factors["site"] == each).sum() * z[factors["site"] == each, 0].mean() ** 2 for each in "nau")
    assert found["site"].correlation == pytest.approx(np.sqrt(between / np.sum(z[:, 0] ** 2)), abs=1e-6)
    for name in ("noise", "noisy word"):
        assert found[name].interval.low < 0.5 < found[name].interval.high and found[name].correlation < 0.3


def test_noise_is_not_read_and_intervals_of_out_of_fold_scores_reach_far_enough():
    held, values = 0, []
    for seed in range(40):
        z, factor = RNG([seed, 0]).normal(size=(100, 6)), {"noise": RNG([seed, 1]).normal(size=100)}
        interval = read_factors(z, factor, two_each(100))["noise"].interval
        held += interval.low <= 0.5 <= interval.high
        values.append(interval.value)
    assert held >= 36 and np.mean(values) == pytest.approx(0.49, abs=0.02) and "reach x 1.5" in interval.procedure


def test_who_a_patient_is_does_not_make_a_factor_readable():
    code, factor = RNG(0).normal(size=(60, 50)), RNG(1).normal(size=60)
    patients = np.repeat(np.arange(60), 4)
    z = 10 * code[patients] + 0.01 * RNG(2).normal(size=(240, 50))
    assert read_factors(z, {"age": factor[patients]}, patients)["age"].interval.value < 0.6
    assert read_factors(z, {"age": factor[patients]}, np.arange(240))["age"].interval.value > 0.8, "as it would be, were patients split"


def test_a_feature_shrunk_to_a_point_reads_nothing():
    _, factors = planted(100)
    found = read_factors(np.full((100, 6), 0.3), factors, two_each(100))
    assert {each.interval.value for each in found.readings} == {0.5}
    assert {(each.direction, each.correlation) for each in found.readings} == {(None, None)}


def test_more_features_than_studies_give_the_same_directions():
    z, factors = planted(100)
    wide = np.concatenate([z, np.zeros((100, 150))], 1) @ np.linalg.qr(RNG(0).normal(size=(156, 156)))[0]
    assert read_factors(wide, factors, two_each(100))["third"].direction == 3


def test_too_few_studies_are_refused():
    z, factors = planted(60)
    with pytest.raises(UserError, match="49 studies of 25 patients"):
        read_factors(z[:49], {name: values[:49] for name, values in factors.items()}, two_each(49))
    with pytest.raises(UserError, match="60 studies of 6 patients"):
        read_factors(z, factors, np.arange(60) // 10)


@pytest.fixture
def run(small_run, tmp_path):
    shutil.copytree(small_run.path, tmp_path / small_run.id)
    return Run(tmp_path / small_run.id)


def changed(run, **changes):
    write_json(run.path / "status.json", read_json(run.path / "status.json") | changes)
    return run


def test_a_run_is_read_beside_its_pixels_and_its_untrained_network(run):
    dataset = load_dataset(run.source[1])
    found = of_run(run, FEATURE, 3, dataset)
    factors = dataset.factors
    assert {*factors} == {each.factor for each in found.readings} | {*found.trained.constant} and found.n == 96
    place = [dataset.keys.index(key) for key in run.embeddings(FEATURE, 3).keys]
    own = {name: values[place] for name, values in factors.items()}
    assert found.untrained == read_factors(run.embeddings(FEATURE, 0).features, own, run.embeddings(FEATURE, 0).patients)
    assert found.pixels["shift right"].interval.value > 0.75 > 0.7 > found.pixels["exposure"].interval.value
    assert found.missing == {} and of_run(run, FEATURE, 0, dataset).trained == found.untrained
    values = [each.interval.value for each in found.readings]
    assert values == sorted(values, reverse=True)
    assert Probes.of_dict(json.loads(json.dumps(found.as_dict(), allow_nan=False))) == found


def test_a_reference_that_cannot_be_is_named_and_not_invented(run):
    dataset = load_dataset(run.source[1])
    found = of_run(changed(run, state="imported"), FEATURE, 3, dataset)
    assert found.untrained is None and "imported" in found.missing["untrained"] and set(found.references) == {"pixels"}
    path = run.path / f"artifacts/step-0/embeddings/{FEATURE}/keys.json"
    head = read_json(path)
    write_json(path, head | {"keys": head["keys"][::-1]})
    assert "other studies" in of_run(changed(run, state="finished"), FEATURE, 3, dataset).missing["untrained"]
    shutil.rmtree(run.path / "artifacts/step-0")
    found = of_run(changed(run, state="finished"), FEATURE, 3, dataset)
    assert found.untrained is None and "no look at step 0" in found.missing["untrained"]
    assert Probes.of_dict(json.loads(json.dumps(found.as_dict()))) == found


def test_data_that_changed_is_refused(run):
    path = run.path / f"artifacts/step-3/embeddings/{FEATURE}/keys.json"
    head = read_json(path)
    write_json(path, head | {"data_hash": "another"})
    with pytest.raises(UserError, match="has changed"):
        of_run(run, FEATURE, 3, load_dataset(run.source[1]))
    write_json(path, head | {"keys": ["nobody", *head["keys"][1:]]})
    with pytest.raises(UserError, match="1 of 96 keys"):
        of_run(run, FEATURE, 3, load_dataset(run.source[1]))


class Known:
    """A data set that states covariates only."""

    provides = frozenset({"image"})
    covariates = {"age": np.arange(4.0), "view": np.array(["PA"] * 4), "room": np.arange(4)}


def test_without_latent_factors_the_covariates_are_the_factors(small_run):
    assert list(factors_of(Known())) == ["view", "age"]
    dataset = load_dataset(small_run.source[1])
    assert factors_of(dataset) is dataset.factors and dataset.factors["sex"].shape == (len(dataset),)
    for index in (0, len(dataset) - 1):
        assert {name: values[index] for name, values in dataset.factors.items()} == dataset[index]["factors"]


def interval(value, reach=0.05):
    return statistics.Interval(value, value - reach, value + reach, "")


def probes(trained, pixels, untrained=None):
    made = [
        module.Factors(tuple(module.Reading(name, "number", each, 1, 0.5, 99) for name, each in values.items()), ()) if values else None
        for values in (trained, untrained, pixels)
    ]
    return Probes("run", FEATURE, 3, 99, 50, *made, {})


def test_above_and_lost_rest_on_intervals():
    trained = {
        "read": interval(0.8),
        "as pixels": interval(0.8),
        "gone": interval(0.52),
        "never": interval(0.45, 0.06),
        "low": interval(0.49, 0.005),
        "unsure": interval(0.55, 0.1),
    }
    pixels = {
        "read": interval(0.7),
        "as pixels": interval(0.76),
        "gone": interval(0.6),
        "never": interval(0.53),
        "low": interval(0.4),
        "unsure": interval(0.6),
    }
    found = probes(trained | {"bare": statistics.Interval(0.99, None, None, "", "few")}, pixels | {"bare": interval(0.5)})
    assert [each.factor for each in found.above] == ["read"] and [each.factor for each in found.lost] == ["gone"]
    beside = probes(
        trained, {name: interval(0.5) for name in trained}, {name: interval(0.7 if name == "never" else 0.5) for name in trained}
    )
    assert [each.factor for each in beside.lost] == ["never"]
    assert [each.factor for each in probes(trained, None).above] == ["read", "as pixels"], "without pixels chance is the floor"
