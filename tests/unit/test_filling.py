"""Hidden words: which are hidden, what a method says of them beside each image, what is counted and drawn."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

import workbench as wb
from tests.unit.test_figures_attention import title
from tests.unit.test_m3ae import build, dataset
from workbench import filling, words
from workbench.analysis.filling import CONDITIONS, EMPTY, IMAGE, OTHER, Filled, as_dict, likeliest, read
from workbench.dataset import Text
from workbench.errors import UserError
from workbench.figures import filling as figures
from workbench.figures import reconstruction
from workbench.figures.theme import DARK, LIGHT
from workbench.models import load_method
from workbench.run import write_json
from workbench.single import batch_of, study_of


def found(**changes):
    """A report of five tokens and four words, two of them hidden."""
    values = {
        "key": "k", "run": "r", "step": 7, "vocabulary": 20, "pieces": ("[CLS]", "no", "<b>mass", "##es", "[SEP]"), "words": ((1,), (2, 3)),
        "spelt": ("no", "<b>masses"), "hidden": (2, 3), "truth": {IMAGE: np.array([0.5, 0.25]), EMPTY: np.array([0.2, 0.1]), OTHER: np.array([0.3, 0.1])},
        "best": {IMAGE: (("<b>mass", "no"), ("##es", "no")), EMPTY: (("no", "<b>mass"), ("##es", "no")), OTHER: (("no", "<b>mass"), ("no", "##es"))},
        "chances": dict.fromkeys(CONDITIONS, np.array([[0.5, 0.2], [0.4, 0.3]])),
    }  # fmt: skip
    return Filled(**values | changes)


@pytest.fixture(scope="module")
def method():
    return build().eval()


@pytest.fixture(scope="module")
def sample():
    return study_of(dataset(), None, "test")


def test_what_is_counted_right_and_how_surprised_the_method_is():
    each = found()
    assert [each.right(name).tolist() for name in each.conditions] == [[True, True], [False, True], [False, False]]
    assert each.surprise(IMAGE) == pytest.approx(-(np.log(0.5) + np.log(0.25)) / 2) and each.level == pytest.approx(np.log(20))
    assert each.hidden_words == (1,) and found(hidden=(2,)).hidden_words == () and each.wanted == ("<b>mass", "##es")
    nothing = found(hidden=(), truth=dict.fromkeys(CONDITIONS, np.zeros(0)))
    assert nothing.surprise(IMAGE) is None


def test_the_likeliest_tokens_come_first_with_their_softmax():
    logits = np.array([[1.0, 3.0, 2.0, 3.0], [700.0, 0.0, 0.0, 0.0]])
    order, p = likeliest(logits, 3)
    expected = np.exp([3, 3, 2]) / np.exp([1, 3, 2, 3]).sum()
    assert order[0].tolist() == [1, 3, 2] and order[1, 0] == 0 and p[1, 0] == pytest.approx(1)
    np.testing.assert_allclose(p[0], expected)
    assert likeliest(np.zeros((0, 4)), 3)[0].shape == (0, 3)


def test_tokens_are_filled_in_beside_the_own_image_an_empty_film_and_another_s(method, sample):
    other = filling.another(dataset(), sample)
    each = filling.fill(method, sample, {"words": [1, 3]}, other)
    batch = batch_of(method, [sample, {**sample, "images": other["images"]}])
    ids, hidden = batch["input_ids"][0].numpy(), torch.zeros_like(batch["input_ids"]).bool()
    hidden[:, list(each.hidden)] = True
    batch["images"] = torch.cat([batch["images"], torch.zeros_like(batch["images"][:1])])
    for name in ("image_index", "view_index"):
        batch[name] = torch.cat([batch[name], torch.tensor([2 if name == "image_index" else 0])])
    for name in ("input_ids", "attention_mask"):
        batch[name] = torch.cat([batch[name], batch[name][:1]])
    with torch.no_grad():
        p = method.fill(batch, torch.cat([hidden, hidden[:1]])).double().softmax(-1).numpy()
    for name, row in zip((IMAGE, OTHER, EMPTY), p):
        np.testing.assert_allclose(each.truth[name], row[list(each.hidden), ids[list(each.hidden)]], rtol=1e-5)
        assert each.best[name][0][0] == method.known.pieces[int(row[each.hidden[0]].argmax())]
    assert each.hidden_words == (1, 3) and other["patient"] != sample["patient"]
    assert OTHER not in filling.fill(method, sample, {"words": [1]}, None).truth
    assert not filling.fill(method, sample, {"words": []}, other).hidden


def test_words_are_hidden_whole_by_share_draw_or_number(method, sample):
    ids = batch_of(method, [sample])["input_ids"][0].numpy()
    draws = [filling.places_of({"ratio": 0.3, "seed": seed}, ids, method.known, "k") for seed in (0, 0, 1)]
    assert np.array_equal(draws[0], draws[1]) and not np.array_equal(draws[0], draws[2])
    groups = words.words_of(ids, method.known)
    assert {bool(draws[0][word].all()) for word in groups} == {True, False} and all(
        draws[0][word].all() == draws[0][word].any() for word in groups
    )
    assert not filling.places_of({"ratio": 0.0}, ids, method.known, "k").any()
    for spec in ({"words": [len(groups)]}, {"words": [-1]}, {"words": ["no"]}, {"words": [True]}):
        with pytest.raises(UserError, match=rf"study k: word .* {len(groups)} words, counted from 0"):
            filling.places_of(spec, ids, method.known, "k")
    with pytest.raises(UserError, match="between 0 and 1"):
        filling.places_of({"ratio": 1.5}, ids, method.known, "k")
    with pytest.raises(UserError, match="no report to hide"):
        filling.fill(method, {**sample, "texts": []}, {"ratio": 0.3}, None)


def test_a_word_of_several_tokens_is_hidden_whole(method, sample):
    each = filling.fill(method, {**sample, "texts": [Text("No massmass.")]}, {"words": [1]}, None)
    assert each.spelt[1] == "massmass" and each.hidden == each.words[1] and len(each.hidden) > 1


def test_another_s_image_is_of_another_patient():
    studies = {"a": "ann", "b": "bob", "c": "bob", "d": "ann"}
    samples = [{"key": key, "patient": patient} for key, patient in studies.items()]

    class Data(list):
        keys = list(studies)

    assert [filling.another(Data(samples), each)["key"] for each in samples] == ["b", "d", "d", "b"]
    Data.keys = ["b", "c"]
    assert filling.another(Data(samples[1:3]), samples[1]) is None


def test_a_word_is_spelt_without_the_marks_of_its_pieces():
    known = SimpleNamespace(pieces=("mass", "##es", "Ġlung", "s"))
    assert words.spelt([0, 1], np.array([0, 1]), known) == "masses" and words.spelt([0, 1], np.array([2, 3]), known) == "lungs"


def test_other_methods_are_told_which_fill_in_words(mae_run, sample):
    with pytest.raises(UserError, match="m3ae"):
        filling.fill(load_method(mae_run), sample, {"ratio": 0.3}, None)
    with pytest.raises(UserError, match="m3ae"):
        wb.open_run(mae_run.path).reconstruct(report="both")


def test_a_notebook_hides_words_and_withholds_reports(m3ae_run):
    run = wb.open_run(m3ae_run.path)
    view = run.fill(hide=[0, 2], step=0)
    assert view.data.hidden_words == (0, 2) and view.data.step == 0 and len(view.frame()) == len(view.data.hidden)
    assert run.fill(hide=0.4, seed=2).data.hidden == run.fill(hide=0.4, seed=2, step=0).data.hidden
    both = run.reconstruct(mask=0.5, seed=3, report="both")
    told, untold = both.data
    assert np.array_equal(told.mask, untold.mask) and not np.allclose(told.painted, untold.painted)
    np.testing.assert_array_equal(run.reconstruct(mask=0.5, seed=3).data.painted, told.painted)
    np.testing.assert_array_equal(run.reconstruct(mask=0.5, seed=3, report="without").data.painted, untold.painted)
    assert [trace.type for trace in both.figure.data] == ["image", "image", "heatmap", "heatmap"]
    np.testing.assert_allclose(both.figure.data[3].z, np.where(told.mask, untold.errors["method"], np.nan).reshape(4, 4))
    np.testing.assert_allclose(both.figure.data[2].z, np.where(told.mask, told.errors["method"], np.nan).reshape(4, 4))
    films = [reconstruction.picture(each.painted, ~each.hidden_pixels, LIGHT) for each in both.data]
    assert [trace.source for trace in both.figure.data[:2]] == films and films[0] != films[1]
    assert both.figure.data[2].zmax == both.figure.data[3].zmax == max(each.errors["method"][told.mask].max() for each in both.data)
    assert len(both.rows) == 8 and both.rows[0]["without"] == untold.errors["method"][told.mask][0]
    assert f"{told.error():.3g}"[:4].lstrip("0") in title(both.figure)
    with pytest.raises(UserError, match="no report to withhold"):
        run.reconstruct(image=np.zeros((40, 40), np.uint8), report="without")


def test_what_is_written_is_read(tmp_path):
    write_json(tmp_path / "found.json", as_dict(found()))
    again = read(tmp_path)
    assert (again.pieces, again.words, again.spelt, again.hidden, again.best) == tuple(
        getattr(found(), name) for name in ("pieces", "words", "spelt", "hidden", "best")
    )
    for name in CONDITIONS:
        np.testing.assert_array_equal(again.truth[name], found().truth[name])
        np.testing.assert_array_equal(again.chances[name], found().chances[name])


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_a_row_a_token_with_marks_and_guesses(palette):
    fig = figures.words(found(), palette)
    assert [trace.name for trace in fig.data] == list(CONDITIONS) and title(fig) == "2 of 2 hidden tokens right with the image, 1 without"
    np.testing.assert_array_equal(fig.data[0].x, [0.5, 0.25])
    assert list(fig.layout.yaxis.ticktext) == ["&lt;b&gt;mass", "##es"]
    said = [each.text for each in fig.layout.annotations]
    assert "✓ &lt;b&gt;mass .50   no .20" in said and "no .50   &lt;b&gt;mass .20" in said and not any("<b>" in each for each in said)
    nothing = found(
        hidden=(),
        truth=dict.fromkeys(CONDITIONS, np.zeros(0)),
        best=dict.fromkeys(CONDITIONS, ()),
        chances=dict.fromkeys(CONDITIONS, np.zeros((0, 2))),
    )
    assert title(figures.words(nothing, palette)) == "No word is hidden"


def test_rows_hold_no_word_where_reports_may_not_leave():
    with_words, without = figures.rows(found()), figures.rows(found(), spelt=False)
    assert with_words[0]["hidden"] == "<b>mass" and with_words[0][f"likeliest beside {EMPTY}"] == "no"
    assert not [value for row in without for value in row.values() if isinstance(value, str)]
    assert without[1][f"right beside {EMPTY}"] == 1 and without[0][f"probability beside {OTHER}"] == 0.3
    assert all(name in figures.legend() for name in CONDITIONS) and OTHER not in figures.legend((IMAGE, EMPTY))
