"""Figures of attention and attribution: what is drawn is what was computed; titles fit."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from workbench.analysis.attention import Attention, colouring, colours, rollout
from workbench.analysis.attribution import Attribution, pooled
from workbench.figures import _film, attribution
from workbench.figures import attention as figures
from workbench.figures.theme import DARK, LIGHT


def found(layers=4, heads=2, side=3, prefix=1, spacing=5.0):
    rng = np.random.default_rng(0)
    maps = rng.dirichlet(np.ones(side**2 + prefix), (layers, heads, side**2 + prefix))
    untrained = {name: rng.uniform(1, 2, (layers, heads)) for name in ("entropy", "distance")}
    film = rng.integers(0, 255, (12, 12)).astype(np.uint8)
    return Attention("k", "r", 7, film, maps, spacing, untrained)


def pixels(image) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(image.source.split(",")[1]))))


def title(fig) -> str:
    return fig.layout.title.text.split("<br>")[0]


@pytest.mark.parametrize("query", [None, 5])
@pytest.mark.parametrize("head", [None, 1])
def test_the_film_lies_under_the_weights_of_the_chosen_query(query, head):
    each = found()
    fig = figures.look(each, 2, head, query, clickable=True)
    rows = each.maps[2].mean(0) if head is None else each.maps[2, head]
    expected = rows[0 if query is None else 1 + query, 1:].reshape(3, 3)
    np.testing.assert_allclose(fig.data[0].z, expected)
    np.testing.assert_array_equal(pixels(fig.layout.images[0]), each.film)
    assert [point[0] for point in fig.data[1].customdata] == list(range(9)) and fig.layout.yaxis.range == (3, 0)
    assert fig.data[1].x[5] == 2.5 and fig.data[1].y[5] == 1.5, "patch 5 lies in row 2, column 3"
    assert (len(fig.layout.shapes) == 1) == (query is not None)
    np.testing.assert_allclose([row["weight"] for row in figures.look_rows(each, 2, head, query)], expected.ravel())


def test_small_maps_stand_at_their_layer_and_head_and_answer_with_it():
    each = found()
    fig = figures.grid(each, 4, 2, 1, LIGHT)
    drawn, points = pixels(fig.layout.images[0]), fig.data[0].customdata
    assert drawn.shape[1] / drawn.shape[0] == (4 * 4 - 1) / (2 * 4 - 1)
    block = drawn.shape[1] // 15
    seen = each.maps[2, 0, 5, 1:].reshape(3, 3)
    shown = drawn[: 3 * block, 8 * block : 11 * block][block // 2 :: block, block // 2 :: block]
    np.testing.assert_array_equal(shown, _film.shades(seen / seen.max(), LIGHT))
    assert [tuple(point[:4]) for point in points[2:4]] == [(1, 0, 2, 1), (1, 1, 2, 2)]
    assert (fig.data[0].x[3], fig.data[0].y[3]) == (1.5, 1.5)
    box = fig.layout.shapes[0]
    assert (box.x0, box.x1, box.y0, box.y1) == (2, 3, 1, 2)


def test_statistics_are_drawn_with_their_levels_and_the_untrained_network():
    each = found()
    fig = figures.heads(each, "entropy", 0, None)
    np.testing.assert_allclose(fig.data[0].z, each.entropy.T)
    assert fig.data[0].zmax == pytest.approx(np.log(10)) and fig.layout.shapes[0].y1 == 2
    assert "mm" in figures.heads(each, "distance", 0, None).layout.title.text
    lines = figures.depth(each, "distance").data
    np.testing.assert_allclose(lines[1].y, each.distance.mean(1))
    np.testing.assert_allclose(lines[2].y, each.untrained["distance"].mean(1))
    rows = figures.head_rows(each)
    assert len(rows) == 8 and rows[3]["entropy"] == each.entropy[1, 1] and rows[3]["distance mm"] == pytest.approx(5 * each.distance[1, 1])


def test_rollout_and_colours_are_those_of_the_analysis():
    each = found()
    fig = figures.rolled(each, 3, "max", 0.2)
    np.testing.assert_allclose(fig.data[0].z, rollout(each.maps, "max", 0.2)[4, 1:].reshape(3, 3))
    tokens = np.random.default_rng(1).normal(size=(9, 6))
    by = colouring(tokens, 1)
    rgb = pixels(figures.patches(tokens, by, DARK).layout.images[0])
    block = rgb.shape[0] // 3
    np.testing.assert_array_equal(rgb[::block, ::block].reshape(9, 3), (colours(tokens, by) * 255).round().astype(np.uint8))
    assert len(figures.patch_rows(tokens, by)) == len(figures.rollout_rows(each, 3, "max", 0.2)) == 9


def test_titles_fit_whatever_is_chosen():
    each = found(layers=24, heads=16, side=14, prefix=5)
    tokens = np.random.default_rng(1).normal(size=(196, 6))
    every = [
        figures.look(each, 23, None, 195),
        figures.grid(each, 195, 23, 15),
        figures.rolled(each, 195, "mean", 0.95),
        figures.patches(tokens, colouring(tokens, 16)),
    ]
    every += [figures.heads(each, name, 0, 0) for name in ("entropy", "distance")] + [figures.depth(each, "entropy")]
    assert all(len(title(fig)) <= 60 and "…" not in title(fig) for fig in every)


def test_attribution_is_drawn_with_its_delta():
    rng = np.random.default_rng(2)
    film, gradients = rng.integers(0, 255, (32, 32)).astype(np.uint8), rng.normal(size=(32, 32))
    each = Attribution("k", "r", 3, "<b>effusion", "cosine", film, rng.uniform(size=(4, 4)), gradients, 0.4, 0.1, 0.0125, 64)
    np.testing.assert_allclose(attribution.cam(each).data[0].z, each.cam)
    fig = attribution.gradients(each, slider=True)
    np.testing.assert_allclose(fig.data[0].z, pooled(gradients, 16))
    assert "completeness delta .0125 of .3" in fig.layout.title.text and "<b>" not in attribution.cam(each).layout.title.text
    assert [step.args[0]["opacity"] for step in fig.layout.sliders[0].steps][::5] == [0, 0.5, 1] and len(attribution.rows(each)) == 272
    nothing = Attribution(**{**vars(each), "cam": np.zeros((4, 4)), "gradients": np.zeros((32, 32))})
    assert "Nothing raises" in title(attribution.cam(nothing)) and "No pixel" in title(attribution.gradients(nothing))
