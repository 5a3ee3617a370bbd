"""Images and reports in one space: numbers of closed cases, the gap closed, the same text right for every study, what is refused."""

import json
import shutil

import numpy as np
import pytest

import workbench as wb
from workbench import closing
from workbench.analysis import towers
from workbench.analysis.catalogue import MEASURES
from workbench.analysis.towers import IMAGE, TEXT, Towers, paired, same_text, stored
from workbench.embeddings import Embeddings
from workbench.errors import UserError
from workbench.figures import towers as figures
from workbench.run import Run, read_json, write_json

RNG = np.random.default_rng


@pytest.fixture(scope="module")
def dataset(small_run):
    return wb.open_run(small_run.path).dataset()


def pair(run, dataset, gap=0.0, noise=0.1):
    """Both towers of the small run's studies: reports are directions of their own text, images lie beside them, moved by a gap."""
    look = run.embeddings(IMAGE, 3)
    places = towers.placed(run, look, dataset)
    texts = [" ".join(text.text for text in dataset[int(place)]["texts"]) for place in places]
    _, number = np.unique(texts, return_inverse=True)
    y = RNG(0).normal(size=(number.max() + 1, 12))[number]
    y /= np.linalg.norm(y, axis=1, keepdims=True)
    x = y + noise * RNG(1).normal(size=y.shape) + gap * np.eye(12)[0]
    return tuple(Embeddings(z.astype(np.float32), look.keys, look.patients, name, 3, look.data_hash) for z, name in ((x, IMAGE), (y, TEXT)))


def test_pairs_that_lie_together_are_found_and_a_gap_is_closed(small_run, dataset):
    found = towers.of_run(small_run, pair(small_run, dataset), dataset, why="no prompts")
    assert found.moved[0].forth.value == found.moved[0].back.value == 1 and found["alignment"] < 0.3
    apart = towers.of_run(small_run, pair(small_run, dataset, gap=2.0), dataset)
    assert apart["modality gap"] > 0.7 > 0.2 > found["modality gap"] and apart["separability"] > 0.95
    gaps = [each.gap for each in apart.moved]
    assert gaps == sorted(gaps, reverse=True) and gaps[-1] < 0.35 * gaps[0], "normalising brings a part back"
    assert apart["share of the gap"] > 10 * found["share of the gap"] and apart["cone of images"] < found["cone of images"]
    assert found.why == "no prompts" and all(each.auroc is None for each in found.moved)


def test_unrelated_towers_retrieve_by_chance_and_share_no_more_than_permuted_pairs(small_run, dataset):
    x, y = pair(small_run, dataset, noise=1e3)
    found = towers.of_run(small_run, (x, y), dataset)
    strength = next(each for each in found.numbers if each.name == "shared strength")
    assert strength.value < 1.4 * strength.reference and abs(found["alignment"] - 2) < 0.2
    assert found.moved[0].forth.value < 4 * found.chance[0] and found.chance[0] >= 5 / found.n


def test_the_same_text_is_right_for_every_study_that_has_it():
    assert same_text(["a", "b", "a"]).tolist() == [[True, False, True], [False, True, False], [True, False, True]]


def test_towers_of_other_widths_or_one_alone_are_refused_and_studies_are_put_in_one_order(small_run, dataset):
    x, y = pair(small_run, dataset)
    with pytest.raises(UserError, match="share no space"):
        paired(small_run, x, Embeddings(y.features[:, :5], y.keys, y.patients, TEXT, 3, y.data_hash))
    turned = Embeddings(y.features[::-1][4:], y.keys[::-1][4:], y.patients[::-1][4:], TEXT, 3, y.data_hash)
    a, b = paired(small_run, x, turned)
    assert a.keys == b.keys == x.keys[: len(x.keys) - 4] and np.array_equal(b.features, y.features[: len(y.features) - 4])
    with pytest.raises(UserError, match=r"no text\.projected at step 3"):
        stored(without_text(small_run, small_run.path.parent / "20260101-000000-mflag-phantoms-0009"), 3)


def without_text(run, path):
    """A copy of a run whose looks hold the image alone."""
    shutil.rmtree(path, ignore_errors=True)
    other = Run(shutil.copytree(run.path, path))
    for step in other.looks():
        geometry = read_json(other.path / f"artifacts/step-{step}/geometry.json")
        write_json(
            other.path / f"artifacts/step-{step}/geometry.json", {name: geometry[name] for name in geometry if not name.startswith("text")}
        )
    return other


def test_a_run_is_measured_with_its_prompts_and_a_look_without_reports_is_computed(small_run, tmp_path):
    view = wb.open_run(small_run.path).towers(3)
    found = view.data
    assert Towers.of_dict(json.loads(json.dumps(found.as_dict()))) == found
    assert len(view.rows) == 5 and view.rows[0]["zero-shot"] == found.moved[0].auroc.value and not found.why
    judged = wb.open_run(small_run.path).zero_shot(step=3).data
    assert found.moved[0].auroc.value == pytest.approx(judged.macro_auroc.value, abs=0.02), "the same prompts at the same studies"
    other = without_text(small_run, tmp_path / "20260101-000000-mflag-phantoms-0008")
    again = closing.of_run(other, 3, wb.open_run(other.path).dataset(), lambda: wb.open_run(other.path).method(3))
    for each in found.numbers:
        assert again[each.name] == pytest.approx(each.value, abs=2e-3), each.name
    told = {row[""]: row["says"] for row in figures.numbers(found)}
    assert told["share of the gap"] == MEASURES["gap_share"].says and len(told) == len(found.numbers) == 12
    assert len({trace.xaxis for trace in view.figure.data}) == 3
    walk = figures.walk(found, "#123456")
    assert len(found.walked) == len(figures.walk_rows(found)) == 16 and len({trace.xaxis for trace in walk.data}) == 3
    assert found.walked[0].forth.value == found.moved[0].forth.value and found.walked[10].gap == pytest.approx(0, abs=1e-9)
    assert walk.layout.xaxis.range[1] > 1.5 > view.figure.layout.xaxis.range[1]


def test_a_method_of_one_tower_shares_no_space(mae_run):
    dataset = wb.open_run(mae_run.path).dataset()
    with pytest.raises(UserError, match="no space that images and reports share"):
        closing.of_run(mae_run, 3, dataset, lambda: wb.open_run(mae_run.path).method(3))
