"""The front door: what it offers, and the notebooks that use it."""

from pathlib import Path

import numpy as np
import pytest

import workbench as wb
from workbench.errors import UserError

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@pytest.fixture
def view(small_run):
    return wb.open_run(small_run.path)


def test_every_view_holds_data_and_a_figure(view):
    for found in (
        view.spectrum("image.projected"),
        view.history("image.projected"),
        view.trajectory("participation_ratio", "image.backbone"),
        view.trajectory("probe", "image.backbone", step=1),
        view.curves("loss"),
        view.map("image.projected", label="effusion"),
    ):
        assert found.data is not None and len(found.figure.data) > 0
        assert len(found.frame()) == len(found.rows) > 0


def test_a_frame_holds_the_drawn_numbers(view):
    frame = view.spectrum("image.projected", 2).frame()
    z = view.embeddings("image.projected", 2).features.astype(np.float64)
    expected = np.linalg.svd(z - z.mean(0), compute_uv=False)
    np.testing.assert_allclose(frame["singular value"], expected, rtol=1e-4, atol=1e-5 * expected[0])
    np.testing.assert_allclose(frame["relative"], frame["singular value"] / frame["singular value"].max())


def test_watching_ends_with_the_run_and_says_where_it_stands(view, capsys):
    assert view.watch(every=0) is view
    assert capsys.readouterr().out == "finished, step 3 of 3\n"
    card = view._repr_html_()
    assert "finished, step 3 of 3" in card and "width:100.0%" in card


def test_a_card_shows_a_runs_words_letter_by_letter():
    from workbench import progress

    status = {"state": "failed", "step": 1, "steps": 4, "error": "<script>", "name": "<b>", "eta_seconds": 3}
    assert (
        "<script>" not in progress.card("r", status)
        and "<b>&lt;b&gt;</b>" in progress.card("r", status)
        and "width:25.0%" in progress.card("r", status)
    )
    assert progress.line(status) == "failed, step 1 of 4: <script>"


def test_a_recipe_is_launched_by_name_or_file(tmp_path, monkeypatch):
    from workbench import jobs

    monkeypatch.setattr(jobs, "start_queue", lambda root: False)
    runs = [wb.launch("clip-phantoms", tmp_path), wb.launch(jobs.REPOSITORY / "training/recipes/mflag-phantoms.yaml", tmp_path)]
    assert [(run.status["state"], run.config["method"]["name"]) for run in runs] == [("queued", "clip"), ("queued", "mflag")]
    with pytest.raises(UserError, match="no such file"):
        wb.launch("nothing", tmp_path)


def test_the_spectrum_is_the_spectrum_of_the_stored_features(view):
    z = view.embeddings("image.projected", 2).features.astype(np.float64)
    expected = np.linalg.svd(z - z.mean(0), compute_uv=False)
    np.testing.assert_allclose(view.spectrum("image.projected", 2).data.spectra[0].values, expected, rtol=1e-4, atol=1e-5 * expected[0])


def test_a_snapshot_gives_the_features_that_the_look_stored(view):
    stored, again = view.embeddings("image.backbone", 2), view.features(["image.backbone"], 2)["image.backbone"]
    row = {key: place for place, key in enumerate(again.keys)}
    np.testing.assert_allclose(again.features[[row[key] for key in stored.keys]], stored.features, rtol=1e-4, atol=1e-5)
    assert again.checkpoint == 2 and again.data_hash == stored.data_hash


def test_what_is_not_there_is_named_with_what_is(view, tmp_path):
    for ask, told in (
        (lambda: view.spectrum("image.nothing"), "the features are image.backbone, image.projected"),
        (lambda: view.trajectory("rank", "image.backbone"), "no statistic 'rank'"),
        (lambda: view.map("image.backbone", label="gout"), "the labels are"),
        (lambda: view.curves("los"), "there are loss"),
        (lambda: view.features(step=77), "no snapshot of step 77"),
        (lambda: wb.open_run("nothing", tmp_path), "no such run"),
        (lambda: wb.compare([]), "no run given"),
    ):
        with pytest.raises(UserError, match=told):
            ask()


def test_the_front_door_is_lazy_and_complete():
    assert (
        set(wb.__all__) <= set(dir(wb))
        and {"clip", "mflag"} <= set(wb.method_names())
        and {"phantoms", "manifest"} <= set(wb.dataset_names())
    )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_is_committed_without_outputs(path, small_run, monkeypatch):
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    monkeypatch.setenv("WORKBENCH_RUNS", str(small_run.path.parent))
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
