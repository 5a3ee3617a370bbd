"""Retrieval and search of real runs: the same answers by hand, both kinds of methods, and what is refused."""

import json

import numpy as np
import pytest

import workbench as wb
from workbench import retrieving, searching
from workbench.analysis import answers, retrieved
from workbench.analysis.answers import Answers
from workbench.analysis.retrieved import BACK, FORTH, WITHIN
from workbench.dataset import Text
from workbench.errors import UserError
from workbench.figures import answers as pictures
from workbench.figures import retrieved as figures
from workbench.run import write_json
from workbench.searching import Query


@pytest.fixture(autouse=True)
def forgotten():
    """No pool of another test's run."""
    searching.POOLS.clear()


def unit(z):
    return z / np.linalg.norm(z, axis=1, keepdims=True)


def test_a_run_of_two_towers_is_ranked_both_ways_beside_its_first_look(small_run, tmp_path):
    run = wb.open_run(small_run.path)
    view = run.retrieval(3)
    found = view.data
    x, y = retrieving.pair(small_run, 3, run.dataset(), run.method)
    cosine = unit(x.features.astype(float)) @ unit(y.features.astype(float)).T
    texts = np.array(retrieving.reports(run.dataset(), [run.dataset().keys.index(key) for key in x.keys]))
    rank = [1 + np.sum((row > row[texts == own].max() + 1e-9) & (texts != own)) for row, own in zip(cosine, texts)]
    assert found[FORTH].at("recall", 10).interval.value == pytest.approx(np.mean(np.array(rank) <= 10), abs=0.02)
    assert found.distinct == len(set(texts)) and found.keys == x.keys and [way.name for way in found.ways] == [FORTH, BACK, WITHIN]
    assert found[BACK].at("recall", 5).untrained is not None and not found.why_untrained
    assert {row["number"] for row in view.rows} == set(figures.SAID.values()) and len(view.figure.layout.annotations) > 6
    write_json(tmp_path / "found.json", retrieved.write(found, tmp_path))
    again = retrieved.read(tmp_path)
    assert (
        again.ways[0].scores == found.ways[0].scores
        and again.keys == found.keys
        and np.array_equal(again.ways[1].count, found.ways[1].count)
    )
    for draw in (figures.histogram, figures.crowding):
        assert draw(found[FORTH], "#123456").data
    assert len(figures.rank_rows(found[FORTH], found.keys)) == found.n == len(figures.count_rows(found[FORTH], found.keys))


def test_words_a_study_and_an_image_find_the_nearest_of_a_look(small_run):
    run = wb.open_run(small_run.path)
    x, y = retrieving.pair(small_run, 3, run.dataset(), run.method)
    a, b = unit(x.features.astype(float)), unit(y.features.astype(float))
    ranks = 1 + np.sum(a @ b.T > np.diag(a @ b.T)[:, None] + 1e-6, 1)
    row = int(np.argmax(ranks))
    sample = run.dataset()[run.dataset().keys.index(x.keys[row])]
    found = run.search(study=x.keys[row], step=3, k=5)
    others = np.sort(np.delete((a @ a.T)[row], row))[::-1]
    assert found.data.images.similarity == pytest.approx(others[:5], abs=1e-5) and x.keys[row] not in found.data.images.keys, "never itself"
    assert found.data.reports.own == pytest.approx(ranks[row], abs=1) and ranks[row] > 9
    assert found.data.untrained is not None and len(found.rows) == 15
    told = run.search(text=sample["texts"][0].text, step=3, k=4)
    assert told.data.kind == "text" and told.data.reports.similarity[0] > 0.9 and 0 <= told.data.reports.strength <= 1
    pixels = np.asarray(sample["images"][0].array)
    handed = run.search(image=pixels, step=3, k=4)
    assert handed.data.images.keys[0] == x.keys[row] and handed.data.images.similarity[0] > 0.999
    assert Answers.of_dict(json.loads(json.dumps(handed.data.as_dict()))) == handed.data
    assert handed.data.labels and {row["label"] for row in pictures.shared_rows(handed.data)} <= set(run.dataset().label_names)
    assert answers.plain(vars(handed.data.images)) == handed.data.images


def test_case_and_white_space_do_not_tell_reports_apart():
    said = [{"texts": [Text("No  Effusion.")]}, {"texts": [Text("no effusion.")]}, {"texts": [Text("Effusion.")]}]
    assert retrieving.reports(said, [0, 1, 2]) == ["no effusion.", "no effusion.", "effusion."]


def test_a_method_of_one_tower_finds_images_by_images(mae_run):
    run = wb.open_run(mae_run.path)
    found = run.retrieval(3, "image.backbone").data
    assert not found.two_towers and "no space that images and reports share" in found.why and [way.name for way in found.ways] == [WITHIN]
    held = run.search(study=found.keys[0], step=3, feature="image.backbone", k=99).data
    assert held.reports is None and len(held.images.keys) == found.n - 1
    with pytest.raises(UserError, match="lacks what words to search for need"):
        run.search("effusion", step=3, feature="image.backbone")


def test_what_cannot_be_searched_for_is_refused(small_run):
    run = wb.open_run(small_run.path)
    for given, told in (({}, "one of them"), ({"text": "a", "study": "b"}, "one of them"), ({"text": "  "}, "prompt is empty")):
        with pytest.raises(UserError, match=told):
            run.search(**given, step=3)
    with pytest.raises(UserError, match="study 'nobody' is not among those of step 3"):
        run.search(study="nobody", step=3)
    with pytest.raises(UserError, match="999 answers; ask for 1 to"):
        run.search("effusion", step=3, k=999)
    long = run.search("effusion and " * 60, step=3).data
    strange = run.search("\U00013000 \U00013001", step=3).data
    assert long.cut and not strange.cut and strange.unknown > 0.5
    pools = dict(searching.POOLS)
    assert len(pools) == 2 and Query(text=" a  b ").checked().text == "a b"
