"""Maps of a look and of many: kept and read back, the same for the same seed, new rows placed, what says nothing refused in words.

umap-learn compiles itself for a minute: stand-ins take its place here, tests/full/maps runs it.
"""

import importlib
from dataclasses import replace

import numpy as np
import pytest

import workbench as wb
from training.bench import Task
from workbench import jobs, layouts, mapping
from workbench.analysis.projection import IMAGE, JOINT, TEXT, pca
from workbench.embeddings import Embeddings
from workbench.errors import UserError
from workbench.run import read_json

RNG = np.random.default_rng


def embedded(z, step=7, feature=IMAGE):
    names = tuple(map(str, range(len(z))))
    return Embeddings(np.asarray(z, np.float32), names, names, feature, step, "hash")


@pytest.fixture
def plain(monkeypatch):
    """UMAP as the plane of the first two columns, told in two steps."""
    calls = []

    def umap(z, start, seed, progress):
        calls.append((len(z), seed))
        progress(0.5, "laying out")
        return np.asarray(z[:, :2], float) + seed

    def aligned(looks, seed, progress):
        calls.append((len(looks), seed))
        return [np.asarray(z[:, :2], float) + 3 for z in looks]

    monkeypatch.setattr(layouts, "umap", umap)
    monkeypatch.setattr(layouts, "aligned_umap", aligned)
    return calls


def test_tsne_keeps_neighbours_says_how_far_it_is_and_is_the_same_for_the_same_seed():
    z = RNG(0).normal(size=(60, 8)) + 9 * np.eye(8)[np.arange(60) % 3]
    shares = []
    first = mapping.lay_out(embedded(z), "tsne", 3, lambda share, said: shares.append(share))[0]
    again = mapping.lay_out(embedded(z), "tsne", 3)[0]
    assert np.array_equal(first.xy, again.xy) and first.explained is None and first.method == "tsne"
    assert first.quality.trustworthiness > 0.9 > 0.6 > first.quality.chance_trustworthiness
    assert shares == sorted(shares) and any(0.3 < share < 0.95 for share in shares), "progress moves while points are laid out"


def test_neighbours_are_exact_and_nearest_first(monkeypatch):
    monkeypatch.setattr(layouts, "BLOCK", 7)
    z = RNG(1).normal(size=(31, 4)) + 100
    found, apart = layouts.neighbours(z, 5)
    slow = np.linalg.norm(z[:, None] - z[None], axis=2) + np.diag(np.full(31, np.inf))
    assert np.array_equal(found, slow.argsort(1)[:, :5]) and apart == pytest.approx(np.sort(slow, 1)[:, :5], abs=1e-4)
    assert layouts.neighbours(z[:6], 5)[0].shape == (6, 5)
    kept, far = layouts.without_self(np.array([[0, 2, 1], [2, 0, 3]]), np.array([[0.0, 1, 2], [1, 2, 3]]))
    assert kept.tolist() == [[2, 1], [2, 0]] and far.tolist() == [[1, 2], [1, 2]]


def test_umap_learns_bar_becomes_progress():
    told = []
    bar = layouts.Bar(layouts.share(lambda share, said: told.append((round(share, 3), said)), 0.3, 0.9), "laying out")
    for text in ("\r", "0/200", "\r200/200"):
        bar.write(text)
    bar.flush()
    assert told == [(0.3, "laying out"), (0.9, "laying out")]


@pytest.mark.parametrize(
    "z, words",
    [
        (np.eye(4), "has 4 rows; a map needs at least 5"),
        (np.ones((30, 3)), "its 30 rows are 1 points; a map needs at least 5 that differ"),
        (np.repeat(np.eye(4), 9, 0), "its 36 rows are 4 points"),
        (np.where(np.arange(60).reshape(20, 3) == 7, np.nan, 1.0), "1 of 20 rows hold a number that is not finite"),
    ],
)
def test_what_says_nothing_is_refused_in_words(plain, z, words):
    for method in ("umap", "pca"):
        with pytest.raises(UserError, match=words):
            mapping.lay_out(embedded(z), method)
    assert not plain


def test_methods_take_the_looks_they_can_and_lost_rows_are_said(plain, monkeypatch):
    one, two = embedded(RNG(0).normal(size=(9, 3)), 1), embedded(RNG(1).normal(size=(9, 3)), 2)
    for given, method, words in (
        (one, "aligned_umap", "needs at least two looks, got 1"),
        ((one, two), "umap", "takes one look, got 2"),
        (one, "magic", "there are pca, umap, tsne, aligned_umap"),
        ((one, replace(two, keys=two.keys[::-1])), "aligned_umap", "step 2 has other studies than step 1"),
    ):
        with pytest.raises(UserError, match=words):
            mapping.lay_out(given, method)
    found = mapping.lay_out((one, two), "aligned_umap", 4)
    assert [each.step for each in found] == [1, 2] and plain == [(2, 4)] and found[1].xy.mean(0) == pytest.approx(0, abs=1e-6)
    monkeypatch.setattr(layouts, "umap", lambda z, *rest: np.where(np.arange(len(z))[:, None] == 2, np.nan, z[:, :2]))
    with pytest.raises(UserError, match="1 of 9 rows have no neighbour to be placed by"):
        mapping.lay_out(one)


def test_new_rows_are_placed_where_their_neighbours_lie_and_a_map_of_its_own_rows_stays(plain):
    z = embedded(RNG(2).normal(size=(90, 4)) + 12 * np.eye(4)[np.arange(90) % 3])
    flat = pca(z)
    turned = replace(flat, xy=flat.xy * [-1, 1])
    assert mapping.place(turned, z, z.features[:5]) == pytest.approx(turned.xy[:5], abs=1e-4)
    middle = mapping.place(flat, z, z.features.mean(0, keepdims=True))
    assert middle == pytest.approx(np.zeros((1, 2)), abs=1e-4), "PCA is linear"
    found = mapping.lay_out(z, "umap")[0]
    assert mapping.place(found, z, z.features[:5]) == pytest.approx(found.xy[:5], abs=1e-6)
    new = RNG(3).normal(size=(3, 4)) + 12 * np.eye(4)[:3]
    centres = np.stack([found.xy[place::3].mean(0) for place in range(3)])
    placed = mapping.place(found, z, new)
    assert np.linalg.norm(placed[:, None] - centres[None], axis=2).argmin(1).tolist() == [0, 1, 2]
    for given, words in ((np.ones((2, 3)), "width 4"), (np.full((1, 4), np.nan), "finite")):
        with pytest.raises(UserError, match=words):
            mapping.place(found, z, given)
    with pytest.raises(UserError, match="other studies or another step"):
        mapping.place(found, replace(z, checkpoint=8), new)


def test_the_job_keeps_what_the_notebook_then_reads(plain, small_run, tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "start_queue", lambda root: None)
    asked = mapping.parameters(small_run, IMAGE, 3, "umap", 2)
    job = jobs.request_job(small_run.path.parent, mapping.JOB, small_run.id, asked)
    compute = importlib.import_module("training.jobs.map").compute
    compute(Task(job, asked, tmp_path))
    found = mapping.load(tmp_path)
    assert plain == [(96, 2)] and found.keys == small_run.embeddings(IMAGE, 3).keys and found.towers is None
    assert mapping.kept(small_run, IMAGE, 3, "umap", 2) is None
    view = wb.open_run(small_run.path).map(IMAGE, "umap", seed=2)
    assert np.array_equal(mapping.kept(small_run, IMAGE, 9, "umap", 2).xy, view.data.xy)
    assert np.array_equal(view.data.xy, found.xy) and view.data.quality == found.quality and plain[1:] == [(96, 2)]
    again = wb.open_run(small_run.path).map(IMAGE, "umap", seed=2)
    assert np.array_equal(again.data.xy, found.xy) and len(plain) == 2, "kept where the worker would have put it"
    assert read_json(job.result / "found.json")["frames"][0]["quality"]["k"] == 10


def test_looks_of_an_aligned_map_lie_in_one_frame_and_each_step_has_its_own(plain, small_run, tmp_path):
    asked = mapping.parameters(small_run, IMAGE, 1, "aligned_umap")
    assert asked["steps"] == small_run.looks() and asked == mapping.parameters(small_run, IMAGE, 3, "aligned_umap")
    frames = mapping.of_run(small_run, asked, lambda step: ())
    mapping.save(frames, tmp_path)
    steps = small_run.looks()
    assert [each.step for each in mapping.frames(tmp_path)] == steps
    for place, step in enumerate(steps):
        assert np.array_equal(mapping.load(tmp_path, step).xy, frames[place].xy)
    assert mapping.load(tmp_path).step == steps[-1] and mapping.load(tmp_path, steps[-1] + 5).step == steps[-1]


def test_images_and_reports_share_a_map_whose_rows_say_what_they_are(small_run):
    found = wb.open_run(small_run.path).map(JOINT).data
    n = len(small_run.embeddings(IMAGE, 3).keys)
    assert found.n == 2 * n and found.keys[:n] == found.keys[n:] and found.towers[n - 1 : n + 1] == (IMAGE, TEXT)
    with pytest.raises(UserError, match=r"no feature 'image\.nothing' at step 3"):
        mapping.features(small_run, "image.nothing", 3, lambda step: ())
