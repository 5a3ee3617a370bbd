"""A batch as a contrast compares it: targets and cosines of the method, the singular pair, what is drawn, what is refused."""

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

import workbench as wb
from tests.unit.test_figures_attention import title
from tests.unit.test_m3ae import build, dataset
from tests.unit.test_medflip import SIZES
from workbench import comparing
from workbench.analysis.compared import Compared, chain, top_pair
from workbench.errors import UserError
from workbench.figures import compared as figures
from workbench.figures.theme import DARK, LIGHT
from workbench.method import capabilities
from workbench.models import build_method
from workbench.nn.meaning import MeaningFields, soft_targets
from workbench.single import batch_of


def flip():
    """MedFLIP of small sizes for the phantoms of `dataset`."""
    return build_method(SIZES | {"image_size": 32, "patch_size": 8}, 0).eval()


def found(count=5):
    rng = np.random.default_rng(0)
    positives = np.eye(count, dtype=bool)
    positives[0, 2] = positives[2, 0] = True
    targets = np.where(positives, 1.0, 0.01) + np.arange(count) / 100
    named = tuple(f"<b>finding {place}" for place in range(count))
    cosines = rng.uniform(-0.5, 1, (count, count))
    return Compared(
        "r",
        7,
        tuple(f"k{place}" for place in range(count)),
        named,
        "labels",
        cosines,
        targets / targets.sum(1, keepdims=True),
        positives,
        3.0,
    )


def test_the_top_pair_is_the_best_of_rank_one_and_its_sign_is_fixed():
    rng = np.random.default_rng(1)
    a = rng.normal(size=(6, 4))
    for matrix in (a, -a, a.T):
        pair = top_pair(matrix)
        assert pair.value == pytest.approx(np.linalg.norm(matrix, 2)) and pair.right.sum() >= 0 and pair.ties == 1
        np.testing.assert_allclose(matrix @ pair.right, pair.value * pair.left, atol=1e-12)
        np.testing.assert_allclose(pair.left @ matrix, pair.value * pair.right, atol=1e-12)
    assert top_pair(np.eye(4)).ties == 4
    nothing = top_pair(np.zeros((3, 2)))
    assert nothing.value == 0 and nothing.ties == 0 and nothing.left.tolist() == [0, 0, 0] and nothing.right.tolist() == [0, 0]
    assert top_pair(np.zeros((0, 0))).value == 0


def test_alike_studies_come_to_stand_together():
    alike = np.kron(np.eye(2), np.ones((2, 2)))[[0, 2, 1, 3]][:, [0, 2, 1, 3]]
    assert chain(alike) == [0, 2, 1, 3] and chain(np.zeros((0, 0))) == [] and chain(np.zeros((3, 3))) == [0, 1, 2]
    each = found()
    order = chain(each.targets)
    assert order[:2] == [0, 2] and each.ordered().keys == tuple(f"k{place}" for place in order)
    np.testing.assert_array_equal(each.ordered().cosines, each.cosines[np.ix_(order, order)])
    np.testing.assert_array_equal(each.ordered().positives, each.positives[np.ix_(order, order)])


def test_shares_are_those_of_the_svd_loss():
    each = found()
    for positive in (True, False):
        mask = each.positives == positive
        expected = np.linalg.norm(np.maximum(each.cosines, 0) * mask, 2) / np.linalg.norm(mask.astype(float), 2)
        assert each.share(positive) == pytest.approx(expected) and each.mean(positive) == pytest.approx(each.cosines[mask].mean())
    every = Compared(**{**vars(each), "positives": np.ones((5, 5), bool)})
    assert every.share(False) is None and every.mean(False) is None


def test_a_method_gives_what_its_loss_compares_of_whole_images():
    method, samples = flip(), comparing.batch(dataset(), 6, "test")
    batch = batch_of(method, [*samples[:5], {**samples[5], "texts": []}])
    with torch.no_grad():
        each = method.compared(batch)
        x = normalize(method.image_projector(method.vision(batch["images"]).patches.mean(1)), dim=1)[:5]
        y = normalize(method.text_projector(method.text(batch["input_ids"], batch["attention_mask"])), dim=1)[:5]
    torch.testing.assert_close(each["cosines"], x @ y.T)
    labels = batch["labels"][:5]
    vectors = normalize(torch.cat([(labels == 1).float(), (~(labels == 1).any(1, keepdim=True)).float()], 1), dim=1)
    torch.testing.assert_close(each["targets"], (vectors @ vectors.T / 0.1).softmax(1))
    assert each["told"].tolist() == [True] * 5 + [False] and torch.equal(each["positives"], (vectors @ vectors.T > 0) | torch.eye(5).bool())
    assert "Compares" in capabilities(method) and {"Crosses", "FillsWords"}.isdisjoint(capabilities(method))
    shared = torch.tensor([[True, True], [False, True]])
    torch.testing.assert_close(soft_targets(None, shared, MeaningFields(targets="hard")), torch.tensor([[0.5, 0.5], [0.0, 1.0]]))


def test_a_batch_is_of_validation_and_a_method_without_targets_is_told_which_has():
    data = dataset()
    held = {data.keys[int(row)] for row in data.split("val")}
    samples = comparing.batch(data, 6, "test")
    assert len(samples) == 6 and {each["key"] for each in samples} <= held
    assert len(comparing.batch(data, 99, "test")) == len(held)
    with pytest.raises(UserError, match="needs 2 studies"):
        comparing.batch(data, 1, "test")
    method, other = flip(), build().eval()
    with pytest.raises(UserError, match="medflip"):
        comparing.compare(other, other, samples, ())
    with pytest.raises(UserError, match="1 of 6 studies have a report"):
        comparing.compare(method, method, [samples[0], *({**each, "texts": []} for each in samples[1:])], ())
    each = comparing.compare(method, method, [*samples[:3], {**samples[3], "texts": []}], data.label_names)
    assert each.keys == tuple(sample["key"] for sample in samples[:3]) and each.untrained == pytest.approx(
        np.linalg.norm(each.cosines, 2), rel=1e-5
    )
    present = [data.label_names[place] for place in np.flatnonzero(samples[1]["labels"] == 1)]
    assert each.named[1] == ", ".join(present) and each.source == "labels"


def test_a_notebook_draws_both_matrices(medflip_run):
    run = wb.open_run(medflip_run.path)
    view = run.compared("targets", step=0, studies=8)
    np.testing.assert_array_equal(view.figure.data[0].z, view.data.targets)
    np.testing.assert_allclose(view.data.targets.sum(1), 1, rtol=1e-5)
    assert [row["study"] for row in view.rows] == list(view.data.keys) and len(view.data.keys) == 8 and view.data.step == 0
    last = run.compared(studies=8).data
    assert last.untrained == pytest.approx(np.linalg.norm(view.data.cosines, 2), rel=1e-4) != np.linalg.norm(last.cosines, 2)


@pytest.mark.parametrize("which", ["targets", "cosines"])
@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_the_pair_is_drawn_along_the_axes(which, palette):
    each = found()
    fig, pair = figures.matrix(each, which, palette, each.keys), top_pair(each.matrix(which))
    np.testing.assert_array_equal(fig.data[0].z, each.matrix(which))
    np.testing.assert_allclose(fig.data[1].y, pair.right)
    np.testing.assert_allclose(fig.data[2].x, pair.left)
    assert fig.data[2].orientation == "h" and fig.layout.yaxis.range == (4.5, -0.5) and figures.number(pair.value) in title(fig)
    assert fig.data[0].customdata[1][3].startswith("image of k1: &lt;b&gt;finding 1<br>report of k3")
    assert "k1" not in str(figures.matrix(each, which, palette).data[0].customdata) and len(title(fig)) <= 60
    rows = figures.rows(each, which, ("a",) * 5)
    assert (
        rows[2]["left (image)"] == pair.left[2] and rows[2]["with its own report"] == each.matrix(which)[2, 2] and rows[2]["study"] == "a"
    )
    tied = Compared(**{**vars(each), "targets": np.eye(5)})
    assert "5 as large" in title(figures.matrix(tied, "targets", palette))
