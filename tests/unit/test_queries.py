"""Sets of studies: the same keys on the page, in a notebook and from the saved set; what was saved is never lost; bad ones are said."""

import json
import re
import shutil

import numpy as np
import pytest

import workbench as wb
from workbench import criteria, described, queries, resolving
from workbench.analysis import projection
from workbench.analysis.polygon import inside
from workbench.criteria import Both, Lasso, Where
from workbench.errors import UserError
from workbench.queries import query
from workbench.run import Run

FEATURE = "image.projected"


@pytest.fixture
def run(small_run, tmp_path):
    return Run(shutil.copytree(small_run.path, tmp_path / small_run.id))


def corner(run):
    """A lasso around about a third of the map, and which studies are in it."""
    xy = resolving.located(run, FEATURE, 3, like=3).xy
    x = float(np.quantile(xy[:, 0], 0.7))
    return [[x, -1e3], [1e3, -1e3], [1e3, 1e3], [x, 1e3]], xy[:, 0] >= x


def test_a_lasso_gives_the_same_keys_on_the_page_in_a_notebook_and_saved(run):
    from app import map as page

    lasso, held = corner(run)
    on_page = page.located(run.path, FEATURE, 3, 3)
    keys = tuple(key for key, own in zip(on_page.keys, inside(on_page.xy, lasso)) if own)
    found = wb.open_run(run.path).query(lasso=lasso, feature=FEATURE)
    assert keys == found.keys == tuple(np.array(on_page.keys)[held]) and 20 < len(keys) < 40
    saved = found.save("right")
    again = wb.query("right", root=run.path.parent)
    assert again == saved and again.keys == keys == again.again().keys
    assert again.name == "right" and "lasso of 4 corners on the PCA" in repr(again)


def test_a_lasso_keeps_the_look_its_axes_agreed_with(run, monkeypatch):
    """When more looks have come a map's axes may turn; a saved lasso asks for the one it was drawn on."""
    found = query(run, lasso=[[-1e3, -1e3], [0, -1e3], [0, 1e3], [-1e3, 1e3]], feature=FEATURE, step=0)
    asked: list = []
    plain = projection.pca
    monkeypatch.setattr(
        projection, "pca", lambda z, like=None, measured=True: asked.append((z.checkpoint, like and like.step)) or plain(z, like, measured)
    )
    guided = resolving.located(run, FEATURE, 0, like=3)
    assert found.expression.like == 3 and asked == [(3, None), (0, 3)]
    assert found.keys == tuple(key for key, x in zip(guided.keys, guided.xy[:, 0]) if x <= 0)
    asked.clear()
    found.again()
    assert asked == [(3, None), (0, 3)]
    with pytest.raises(UserError, match="compute it on the page Map first"):
        query(run, lasso=[[0, 0], [1, 0], [0, 1]], feature=FEATURE, method="umap")


def test_filters_hold_what_they_say(run):
    data = wb.open_run(run.path).dataset()
    label, age = list(data.label_names).index("effusion"), float(np.sort(data.covariates["age"][data.labels[:, 1] == 1])[9])
    sick, old, tall = data.labels[:, label] == 1, data.covariates["age"] >= age, data.factors["heart size"] <= 0.1
    assert query(run, where=("effusion", "present")).keys == tuple(np.array(data.keys)[sick])
    assert query(run, where=("effusion", "absent")).keys == tuple(np.array(data.keys)[~sick])
    assert len(query(run, where=("effusion", "not stated"))) == 0
    both = query(run, where=[("effusion", "present"), ("age", ">=", age), ("heart size", "<=", 0.1)])
    assert both.keys == tuple(np.array(data.keys)[sick & old & tall]) and isinstance(both.expression, Both)
    assert query(run, where=("view", ("PA", "AP"))).keys == tuple(
        key for key, view in zip(data.keys, data.covariates["view"]) if view in ("PA", "AP")
    )
    assert query(run, where=("split", "val")).keys == tuple(np.array(data.keys)[data.split("val")])
    texts = [" ".join(text.text for text in data[place]["texts"]).lower() for place in range(len(data))]
    said = query(run, where=("report", "says", "Pleural  EFFUSION"))
    assert said.keys == tuple(key for key, text in zip(data.keys, texts) if re.search(r"pleural\s+effusion\b", text)) and len(said) > 5
    assert query(run, where=("report", "says", "pleural eff")).keys == ()
    assert set(query(run, where=("report", "says not", "pleural effusion")).keys) == set(data.keys) - set(said.keys)


def test_near_is_the_study_and_its_nearest_by_cosine(run):
    look = run.embeddings(FEATURE, 3)
    z = look.features.astype(float)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    cosine = z @ z[7]
    found = query(run, near=look.keys[7], feature=FEATURE, k=9).keys
    of_found = np.array([cosine[look.keys.index(key)] for key in found])
    assert found[0] == look.keys[7] and len(set(found)) == 10, "the study itself and nine others"
    assert (np.diff(of_found) < 1e-6).all(), "nearest first; equal to float32 in any order"
    assert of_found[-1] > np.sort(cosine)[-10] - 1e-6, "none that is nearer is left out"
    with pytest.raises(UserError, match="'nobody' is not among the studies of its looks"):
        query(run, near="nobody", feature=FEATURE)


def test_sets_combine_and_go_through_json(run):
    sick, old = query(run, where=("effusion", "present")), query(run, where=("age", ">=", 60))
    a, b = set(sick.keys), set(old.keys)
    for made, wanted in ((sick & old, a & b), (sick | old, a | b), (sick - old, a - b)):
        assert set(made.keys) == wanted and len(made) == len(wanted)
        back = queries.Query.of_dict(json.loads(json.dumps(made.as_dict())), made.root, "here")
        assert back == made and back.again().keys == tuple(sorted(made.keys, key=back.again().keys.index))
    assert (sick & old).told == "effusion is present and age at least 60"
    other = queries.Query(sick.expression, sick.data, "another", sick.keys, sick.root)
    with pytest.raises(UserError, match="of different data"):
        sick & other


def test_nothing_that_was_saved_is_lost(run):
    root = run.path.parent
    first = query(run, where=("effusion", "present")).save("mine")
    with pytest.raises(UserError, match="a set of this name is saved already"):
        query(run, where=("effusion", "absent")).save("mine")
    second = query(run, where=("effusion", "absent")).save("mine", overwrite=True)
    assert wb.query("mine", root=root).keys == second.keys
    query(run, keys=["x"]).save("listed")
    assert queries.names(root) == ["listed", "mine"] and [len(each) for each in wb.list_queries(root)] == [1, len(second)]
    queries.delete("mine", root)
    assert queries.names(root) == ["listed"]
    kept = sorted((root / "queries" / "before").glob("mine-*.json"))
    assert [len(json.loads(path.read_text())["keys"]) for path in kept] == [len(first), len(second)]
    with pytest.raises(UserError, match="no set of this name is saved; there are listed"):
        wb.query("mine", root=root)


@pytest.mark.parametrize("name", ["../out", "a/b", "", ".hidden", "x" * 200])
def test_a_name_never_leaves_the_folder(run, name):
    with pytest.raises(UserError, match="a set's name has letters"):
        query(run, keys=["x"]).save(name)
    with pytest.raises(UserError, match="a set's name has letters"):
        queries.load(name, run.path.parent)


BAD = {
    "no column 'height' in this data": {"where": ("height", ">=", 3)},
    "effusion: holds no numbers": {"where": ("effusion", ">=", 3)},
    "expected a number, got 'old'": {"where": ("age", ">=", "old")},
    "a label is present, absent or not stated, got 'yes'": {"where": ("effusion", "yes")},
    "no study has 'X'; there are F, M": {"where": ("sex", "X")},
    "only a report says something": {"where": ("age", "says", "a")},
    "report: no word to look for": {"where": ("report", "says", " ")},
    "2 different corners enclose nothing": {"lasso": [[0, 0], [1, 1]], "feature": FEATURE},
    "should be a finite number": {"lasso": [[0, 0], [1, float("nan")], [1, 1]], "feature": FEATURE},
    "Input should be less than or equal to": {"near": "x", "k": 10**6},
}


@pytest.mark.parametrize("told", BAD)
def test_what_cannot_be_asked_is_said(run, told):
    with pytest.raises(UserError, match=told):
        query(run, **BAD[told])


def test_damaged_files_are_said(run):
    folder = run.path.parent / "queries"
    folder.mkdir()
    whole = query(run, keys=["x"]).as_dict()
    for values, told in (
        ("{", "damaged set"),
        (whole | {"format": 9}, "a set of format 9, this version reads 1"),
        (whole | {"keys": "x"}, "no list of keys"),
        (whole | {"data": None}, "names no data set"),
        (whole | {"expression": {"kind": "magic"}}, "Input tag 'magic'"),
        (whole | {"expression": {"kind": "listed", "keys": ["x"], "more": 1}}, "more"),
    ):
        (folder / "bad.json").write_text(values if isinstance(values, str) else json.dumps(values))
        with pytest.raises(UserError, match=told):
            queries.load("bad", run.path.parent)


def test_a_set_is_described_with_what_is_gone_and_how_it_was_made(run):
    view = wb.open_run(run.path)
    lasso, held = corner(run)
    found = view.query(lasso=lasso, feature=FEATURE)
    listed = queries.over(criteria.Listed(keys=(*found.keys, "gone", "too")), found.data, found.root)
    told = view.subset(listed, FEATURE).data
    assert (told.studies, told.total, told.gone) == (int(held.sum()), 96, 2) and told.by == ()
    drawn = view.subset(found, FEATURE, part="words").data
    assert any("chosen by these features" in each for each in drawn.why)
    assert not any("chosen by these features" in each for each in view.subset(found, "image.backbone").data.why)
    assert view.subset(found, FEATURE, part="spectrum").data.n == held.sum()
    filtered = view.query(where=("effusion", "present"))
    assert any("chosen by effusion" in each for each in described.of_data(filtered, view.dataset()).why)


def test_words_of_criteria():
    at = {"run": "r", "feature": "image.projected", "step": 3}
    lasso = Lasso(**at, polygon=[[0, 0], [1, 0], [0, 1]], method="tsne")
    assert lasso.polygon == (((0, 0), (1, 0), (0, 1)),)
    deep = criteria.Minus(
        parts=(criteria.Either(parts=(lasso, criteria.Near(**at, key="a", k=4))), Where(column="report", op="says not", value="line"))
    )
    assert criteria.told(deep) == (
        "(inside a lasso of 3 corners on the t-SNE of image.projected at step 3 or a and its 4 nearest in image.projected at step 3)"
        " but not report does not say “line”"
    )
    assert len(criteria.leaves(deep)) == 3 and criteria.read(deep.to_dict(), "here") == deep
