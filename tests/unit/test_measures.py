"""Measures of studies and claims, each against its own formula, on runs of two steps at 32 px."""

import numpy as np
import pytest
import torch

from training import measures, recipe
from training.measures import MEASURES, Judged, check_measure, measured
from training.records import trained
from workbench.analysis.baselines import ridge_probe
from workbench.analysis.statistics import auroc_interval
from workbench.errors import UserError
from workbench.features import extract
from workbench.masking import random_mask
from workbench.randomness import rng
from workbench.run import Run, list_runs
from workbench.single import batch_of, one_image

DATA = {"name": "phantoms", "level": "teaching", "size": 32, "train": 64, "val": 32, "test": 80}
SHARED = {"data.phantoms.config": DATA, "stages": [{"steps": 2}], "batch": 16, "monitors.studies": 0, "monitors.probe_train": 0}
CLIP = {"method.image_size": 32, "method.width": 16, "method.dim": 12, "method.hidden": 24}
SIDES = ("width", "text_width", "fusion_width", "decoder_width")
M3AE = {"method.image_size": 32, "method.depth": 1, "method.fusion_depth": 1, **{f"method.{side}": 16 for side in SIDES}}


@pytest.fixture(scope="module")
def clip(tmp_path_factory, one_cache):
    return Judged(trained(recipe.read("clip-phantoms", recipe.spelled({**SHARED, **CLIP})), tmp_path_factory.mktemp("clip")))


@pytest.fixture(scope="module")
def m3ae(tmp_path_factory, one_cache):
    return Judged(trained(recipe.read("m3ae-phantoms", recipe.spelled({**SHARED, **M3AE})), tmp_path_factory.mktemp("m3ae")), tuning=2)


@pytest.fixture(scope="module")
def cosines(clip):
    """Cosines of test films and reports, which share a finding or are both normal, which have one text."""
    names = ("image.projected", "text.projected")
    found = extract(clip.method, clip.dataset, clip.dataset.split("test"), names)
    x, y = (found[name].astype(float) / np.linalg.norm(found[name].astype(float), axis=1, keepdims=True) for name in names)
    samples = [clip.dataset[int(index)] for index in clip.dataset.split("test")]
    findings = [frozenset(np.flatnonzero(each["labels"] == 1)) or {"normal"} for each in samples]
    texts = [" ".join(" ".join(text.text for text in each["texts"]).lower().split()) for each in samples]
    same = np.array([[one == other for other in texts] for one in texts])
    return x @ y.T, np.array([[bool(one & other) for other in findings] for one in findings]) | same, same


def test_margins_and_retrieval_are_of_test_films_and_their_reports(clip, cosines):
    s, alike, same = cosines
    assert measured(clip, "pair margin") == pytest.approx(np.diag(s).mean() - s[~same].mean(), abs=1e-5)
    assert measured(clip, "finding margin") == pytest.approx(s[alike].mean() - s[~alike].mean(), abs=1e-5)
    better = [(np.where(same[row], -9, s[row]) > s[row][same[row]].max()).sum() for row in range(len(s))]
    assert measured(clip, "retrieval") == pytest.approx(np.mean(np.array(better) < 10), abs=1.5 / len(s))


def test_a_pair_is_not_among_the_others_it_is_held_against(clip):
    judged = Judged(clip.run)
    same = torch.eye(3, dtype=torch.bool)
    same[0, 1] = same[1, 0] = True
    judged.pairs = (torch.tensor([[0.9, 0.5, 0.1], [0.6, 0.8, 0.2], [0.3, 0.0, 0.7]]), same, same)
    assert measures.pair_margin(judged) == pytest.approx(0.8 - 0.15)
    assert measures.finding_margin(judged) == pytest.approx(0.7 - 0.15)


def test_singular_measures_follow_their_equations(clip, cosines):
    s, alike, _ = cosines
    first = lambda matrix: np.linalg.svd(matrix.astype(float), compute_uv=False)[0]  # noqa: E731
    positive = np.maximum(s, 0)
    gap = first(positive * alike) / first(alike) - first(positive * ~alike) / max(first(~alike), 1)
    assert measured(clip, "singular gap") == pytest.approx(gap, abs=1e-4)
    assert measured(clip, "singular share") == pytest.approx(first(s) / len(s), abs=1e-4)


def test_geometry_is_of_the_backbone_and_of_the_projection(clip):
    z = {
        name: extract(clip.method, clip.dataset, clip.dataset.split("test"), [name])[name] for name in ("image.backbone", "image.projected")
    }
    alive = z["image.backbone"][:, np.ptp(z["image.backbone"], 0) > 0].astype(float)
    correlations = np.abs(np.corrcoef(alive.T))[~np.eye(alive.shape[1], dtype=bool)]
    assert measured(clip, "correlation") == pytest.approx(correlations.mean(), rel=1e-5)
    for name, feature in (("directions", "image.backbone"), ("projected directions", "image.projected")):
        values = np.linalg.eigvalsh(np.cov(z[feature].astype(float).T))
        assert measured(clip, name) == pytest.approx(values.sum() ** 2 / np.square(values).sum(), rel=1e-3)


def test_features_that_do_not_vary_are_not_called_uncorrelated(clip):
    judged, z = Judged(clip.run), np.random.default_rng(0).normal(size=(80, 1))
    judged.shared = {judged.method.embeds: np.concatenate([z, -z, np.ones((80, 14))], 1)}
    assert measures.correlation(judged) == pytest.approx(1)
    judged.shared = {judged.method.embeds: np.ones((80, 16))}
    assert np.isnan(measures.correlation(judged))


def test_probe_and_zero_shot_are_judged_on_test(clip):
    dataset, name = clip.dataset, clip.method.embeds
    train, test = dataset.split("train"), dataset.split("test")
    z = [extract(clip.method, dataset, part, [name])[name] for part in (train, test)]
    scores = ridge_probe(z[0], dataset.labels[train], z[1], np.asarray(dataset.patients)[train])
    assert measured(clip, "probe") == pytest.approx(macro(scores, dataset, test), abs=1e-6)
    x = clip.method.project_image(batch_of(clip.method, [dataset[int(index)] for index in test])).detach().numpy()
    from workbench.prompts import project

    sides = [np.stack([project(clip.method, dataset.prompts[each][side]).mean(0) for each in dataset.label_names]) for side in ("positive", "negative")]  # fmt: skip
    assert measured(clip, "zero-shot") == pytest.approx(macro(x @ (sides[0] - sides[1]).T, dataset, test), abs=0.03)


def macro(scores, dataset, test):
    """Mean AUROC over labels with ten patients on either side."""
    labels, patients = dataset.labels[test], np.asarray(dataset.patients)[test]
    rare = [min(len(set(patients[labels[:, k] == value])) for value in (0, 1)) for k in range(labels.shape[1])]
    kept = [k for k in range(labels.shape[1]) if rare[k] >= 10]
    assert kept
    return np.mean([auroc_interval(scores[:, k], labels[:, k], list(patients)).value for k in kept])


def test_step_seconds_leave_the_first_quarter_out(clip, monkeypatch):
    steps = [
        {"kind": "train", "timing": {"step_seconds": seconds}}
        for seconds in (0.1, 0.2, 0.3, 4.0, 1.0, 2.0, 3.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 30.0)
    ]
    monkeypatch.setattr(clip.run, "metrics", lambda: [{"kind": "val"}, *steps], raising=False)
    assert measures.step_seconds(clip) == pytest.approx(2.0)


def test_every_arm_is_asked_for_the_same_hidden_words_and_patches(m3ae):
    before = m3ae.method.config
    asked = []
    for words, patches in ((0.1, 0.9), (0.6, 0.2)):
        m3ae.method.config = before.model_copy(update={"word_ratio": words, "mask_ratio": patches})
        asked.append([(batch["extra"]["hidden_words"], batch["extra"]["mask"]) for batch in m3ae.batches(30)])
    m3ae.method.config = before
    for one, other in zip(*asked):
        assert torch.equal(one[0], other[0]) and torch.equal(one[1], other[1]) and one[1].float().mean() == 0.5


def test_hidden_patches_are_held_against_the_mean_patch(m3ae):
    method, error, guess = m3ae.method, 0.0, 0.0
    for index in m3ae.dataset.split("test"):
        sample = one_image(m3ae.dataset[int(index)], 0)
        batch = batch_of(method, [sample])
        mask = random_mask(16, 0.5, rng(0, "measures", 0, sample["key"]))
        with torch.no_grad():
            error += float(method.reconstruct(batch, torch.from_numpy(mask)[None])[1][0][mask].sum())
        pixels = method.shown(batch)[0, 0].numpy().astype(float)
        patches = pixels.reshape(4, 8, 4, 8).swapaxes(1, 2).reshape(16, 64)
        guess += np.square(patches[mask] - patches[~mask].mean(0)).mean(1).sum()
    assert measured(m3ae, "hidden patches") == pytest.approx(1 - error / guess, abs=1e-3)


def test_what_one_side_adds_to_the_other_is_taken_from_the_mechanism_report(m3ae, monkeypatch):
    own = {"hidden words right, its own image": 0.5, "hidden words right, another's image": 0.2, "pairs right": 0.7}
    own |= {"error of hidden patches, its own report": 2.0, "error of hidden patches, another's report": 8.0}
    monkeypatch.setattr(m3ae, "reported", own)
    expected = {"words right": 0.5, "words by the image": 0.3, "patches by the report": 0.75, "pairs right": 0.7}
    assert {name: MEASURES[name].read(m3ae) for name in expected} == pytest.approx(expected)


def test_questions_are_asked_after_fine_tuning_from_the_run(m3ae):
    found = measured(m3ae, "questions")
    tuned = [Run(m3ae.run.path / "tuned" / each["id"]) for each in list_runs(m3ae.run.path / "tuned")]
    assert len(tuned) == 1 and tuned[0].status["step"] == 2 and tuned[0].config["seed"] == m3ae.run.config["seed"]
    assert tuned[0].config["init_from"] == {"pair": str(m3ae.run.path)}
    from workbench.models import load_method

    method, right, asked = load_method(tuned[0]), 0, 0
    for index in m3ae.dataset.split("test"):
        sample = m3ae.dataset[int(index)]
        for question in sample["questions"]:
            batch = batch_of(method, [{**sample, "questions": [question]}])
            with torch.no_grad():
                answer = method.config.answers[int(method.answer(batch)[0].argmax())]
            right, asked = right + (answer.lower() == question["answer"].lower()), asked + 1
    assert found == pytest.approx(right / asked, abs=2.5 / asked)


def test_a_measure_is_kept_and_one_that_is_no_number_is_refused(clip, monkeypatch):
    calls = []
    one = measures.Measure(lambda judged: calls.append(1) or 0.25, "outcome", "")
    monkeypatch.setattr(measures, "MEASURES", {"quarter": one, "nothing": one._replace(read=lambda judged: float("nan"))})
    assert measured(clip, "quarter") == measured(Judged(clip.run), "quarter") == 0.25 and len(calls) == 1
    with pytest.raises(UserError, match="nothing is not finite"):
        measured(clip, "nothing")


def test_data_without_test_studies_are_refused(clip, monkeypatch):
    judged = Judged(clip.run)
    judged.dataset = type("Empty", (), {"split": lambda self, name: np.zeros(0, int)})()
    with pytest.raises(UserError, match="no test studies"):
        judged.studies  # noqa: B018


def test_a_method_is_asked_only_for_what_it_has():
    check_measure("zero-shot", "medflip", "x", "outcome")
    for name, method, kind in (("zero-shot", "mae", None), ("questions", "clip", "outcome"), ("hidden patches", "clip", "mechanism"), ("probe", "clip", "mechanism")):  # fmt: skip
        with pytest.raises(UserError, match=f"no .*measure '{name}' for method {method}; the"):
            check_measure(name, method, "x", kind)
