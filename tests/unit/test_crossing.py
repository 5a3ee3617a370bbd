"""Words and patches that look at each other: exact weights, words from tokens, what is drawn and what is refused."""

import numpy as np
import pytest
import torch

import workbench as wb
from tests.unit.test_figures_attention import title
from tests.unit.test_m3ae import build, dataset
from workbench import crossing, words
from workbench.analysis.crossing import Crossing, by_words, over_heads, spread
from workbench.dataset import Text
from workbench.errors import UserError
from workbench.features import dataset_of
from workbench.figures import crossing as figures
from workbench.figures.theme import DARK, LIGHT
from workbench.models import load_method
from workbench.single import batch_of, study_of

WORDS = ("no", "<b>mass", "no", "effusion")


def found(layers=2, heads=3, side=3):
    rng = np.random.default_rng(0)
    on_patches = rng.dirichlet(np.ones(side**2 + 1), (layers, heads, len(WORDS)))
    on_words = rng.dirichlet(np.ones(len(WORDS) + 2), (layers, heads, side**2 + 1))[..., 1:-1]
    film = rng.integers(0, 255, (12, 12)).astype(np.uint8)
    return Crossing("k", "r", 7, WORDS, film, on_patches, on_words, rng.uniform(1, 10, (layers, heads, len(WORDS))))


def test_words_and_patches_are_seen_with_the_exact_weights():
    method, sample = build().eval(), study_of(dataset(), None, "test")
    sample = {**sample, "texts": [Text("No massmass or effusioneffusion.")]}
    batch = batch_of(method, [sample])
    each = crossing.cross(method, method, sample)
    ids, pair = batch["input_ids"][0].numpy(), method.pair
    groups = words.words_of(ids, method.known)
    assert max(map(len, groups)) > 1
    with torch.no_grad():
        streams = pair.fuse(pair.read(batch["input_ids"], batch["attention_mask"]), batch["attention_mask"], pair.see(batch["images"]), 1)
        for kind, there in (("text", None), ("image", streams.there)):
            layer = getattr(pair.fusion, f"{kind}_layers")[1]
            asking, memory = (streams.text, streams.image) if kind == "text" else (streams.image, streams.text)
            x = layer.after_self(asking, streams.there if kind == "text" else None)
            a = layer.cross.weights(x, memory, there)[0].numpy()
            if kind == "text":
                np.testing.assert_allclose(each.on_patches[1], np.stack([a[:, word].mean(1) for word in groups], 1), atol=1e-6)
            else:
                np.testing.assert_allclose(each.on_words[1], np.stack([a[:, :, word].sum(-1) for word in groups], -1), atol=1e-6)
    np.testing.assert_allclose(each.on_patches.sum(-1), 1, atol=1e-5)
    marks = [place for place in range(len(ids)) if not any(place in word for word in groups)]
    assert (each.on_words.sum(-1) < 1).all() and len(marks) == 2
    assert each.words[0] == words.spelt(groups[0], ids, method.known) and (each.layers, each.heads, each.side, each.prefix) == (3, 2, 4, 1)
    np.testing.assert_allclose(each.untrained, spread(each.on_patches), rtol=1e-4)


def test_tokens_are_brought_together_to_words():
    maps = np.arange(12.0).reshape(2, 6)
    np.testing.assert_array_equal(by_words(maps, [[1, 2], [4]], mean=True), [[1.5, 4], [7.5, 10]])
    np.testing.assert_array_equal(by_words(maps, [[1, 2], [4]], mean=False), [[3, 4], [15, 10]])
    assert by_words(maps, [], mean=True).shape == (2, 0)


def test_spread_counts_tokens():
    assert spread(np.array([[0.25] * 4, [1, 0, 0, 0]])) == pytest.approx([4, 1])
    each = found()
    np.testing.assert_allclose(each.spread(1), np.median(spread(each.on_patches[1]), 0))
    np.testing.assert_allclose(over_heads(each.on_words[0], None), each.on_words[0].mean(0))
    np.testing.assert_allclose(each.of_word(1, 2, 3), each.on_patches[1, 2, 3, 1:].reshape(3, 3))
    np.testing.assert_allclose(each.of_patch(0, None, 4), each.on_words[0, :, 5].mean(0))


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_the_film_lies_under_what_a_word_sees_and_a_patch_has_its_words(palette):
    each = found()
    fig = figures.word(each, 1, 2, 1, 5, palette, clickable=True)
    np.testing.assert_allclose(fig.data[0].z, each.of_word(1, 2, 1))
    assert title(fig) == "Where “&lt;b&gt;mass” looks" and (fig.layout.shapes[0].x0, fig.layout.shapes[0].y0) == (2, 1)
    fig = figures.patch(each, 0, None, 5, palette)
    seen = each.of_patch(0, None, 5)
    np.testing.assert_allclose(fig.data[0].x, np.sort(seen)[::-1])
    named = np.array(["no 1", "&lt;b&gt;mass", "no 3", "effusion"])
    assert list(fig.layout.yaxis.ticktext) == named[np.argsort(-seen)].tolist()
    assert fig.layout.shapes[0].x0 == 1 / 4 and "row 2, column 3" in title(fig)


def test_rows_hold_no_word_where_reports_may_not_leave():
    each = found()
    rows, bare = figures.patch_rows(each, 0, 1, 2), figures.patch_rows(each, 0, 1, 2, spelt=False)
    assert [row["spelt"] for row in rows] == list(WORDS) and [row["weight"] for row in bare] == list(each.of_patch(0, 1, 2))
    assert not [value for row in bare for value in row.values() if isinstance(value, str)]
    assert len(figures.word_rows(each, 0, 1, 2)) == 9


def test_words_are_chosen_by_spelling_or_number_and_what_is_not_there_is_refused():
    each = found()
    assert figures.places(each, 1, 2, "EFFUSION", 4) == (0, 1, 3, 4) and figures.places(each, None, None, 2, 0) == (1, None, 1, 0)
    at = figures.places(each, None, None, None, None)
    assert at == (1, None, int(each.spread(1).argmin()), int(each.of_word(1, None, at[2]).argmax()))
    for wrong, said in (
        ({"layer": 3}, "layer 3: there are 2, counted from 1"), ({"head": 0}, "head 0"), ({"patch": 9}, "counted from 0"),
        ({"word": "mass"}, "no word 'mass'.*no, <b>mass, effusion"), ({"word": 5}, "there are 4"), ({"word": 0}, "counted from 1"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=said):
            figures.places(each, **{"layer": None, "head": None, "word": None, "patch": None} | wrong)


def test_a_notebook_asks_where_a_word_looks_and_what_a_patch_reads(m3ae_run, mae_run):
    run = wb.open_run(m3ae_run.path)
    view = run.attend(word=2, layer=1, head=2)
    np.testing.assert_allclose(view.figure.data[0].z, view.data.of_word(0, 1, 1))
    back = run.attend(word=2, layer=1, head=2, to="words", step=0)
    patch = int(back.data.of_word(0, 1, 1).argmax())
    assert [row["weight"] for row in back.rows] == list(back.data.of_patch(0, 1, patch)) and back.data.step == 0
    with pytest.raises(UserError, match="without words"):
        run.attend(word=1, image=np.zeros((40, 40), np.uint8))
    with pytest.raises(UserError, match="m3ae"):
        wb.open_run(mae_run.path).attend(word=1)
    sample = study_of(dataset_of(m3ae_run), None, "test")
    method = load_method(m3ae_run)
    with pytest.raises(UserError, match="has no report"):
        crossing.cross(method, method, {**sample, "texts": []})
