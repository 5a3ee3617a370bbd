"""The page Reconstruction: which image, which mask, what is said of it, and what it refuses."""

import numpy as np
import pytest
import yaml
from streamlit.testing.v1 import AppTest

import workbench as wb
from app import able, masks
from tests.app.conftest import compute, texts
from tests.app.folders import write_run
from tests.app.test_pages import healthy
from training.bench import Task
from training.jobs import reconstruction as job_module
from workbench.analysis import reconstruction
from workbench.dataset import Image
from workbench.datasets import load_dataset
from workbench.errors import UserError
from workbench.features import dataset_of
from workbench.jobs import request_job, write_upload
from workbench.painting import decoder_missing
from workbench.run import read_json, write_json
from workbench.single import one_image

pytestmark = pytest.mark.usefixtures("nobody_serves")


@pytest.fixture
def run(mae_run, copied):
    return copied(mae_run)


def opened(open_page, root, run, spec, image=None, steps=None, **query):
    """The page after the worker has answered."""
    image = image or {"study": run_study(run), "place": 0}
    compute(root, "reconstruction", run.id, {"steps": steps or [run.steps_of("snapshots")[-1]], "image": image, "mask": spec})
    return healthy(open_page("reconstruction", run=run.id, **query))


def run_study(run):
    return "phantom-teaching-0-1000000000"


def test_a_run_waits_for_the_worker_then_shows_films_and_skill(root, run, open_page):
    assert able.able([run], "Reconstructs") == [run] and able.able([run], "Projects") == []
    app = healthy(open_page("reconstruction", run=run.id))
    assert [button.label for button in app.button if button.label == "Cancel"] and not app.get("plotly_chart")
    app = opened(open_page, root, run, {"ratio": 0.75, "seed": 0})
    assert len(app.get("plotly_chart")) == 2
    said = texts(app)
    assert "48 hidden patches" in said and "in pixels" in said and "no interval: one image" in said


@pytest.mark.parametrize(
    ("hidden", "wanted"), [([], "nothing is hidden"), (list(range(64)), "was shown nothing"), ([27], "One patch only")]
)
def test_empty_full_and_one_patch_masks_are_said_in_words(hidden, wanted, root, run, open_page):
    app = opened(open_page, root, run, {"patches": hidden}, hide="painted", mask=masks.code(hidden, 8))
    assert wanted in texts(app) and len(app.get("plotly_chart")) == 2


def test_an_organ_is_hidden_by_name(root, run, open_page):
    app = opened(open_page, root, run, {"regions": ["heart"]}, hide="region", region="heart")
    assert app.multiselect(key="mask_regions").value == ["heart"] and "hidden patch" in texts(app)
    assert set(app.multiselect(key="mask_regions").options) >= {"heart", "right lung", "left lung"}


def test_a_film_taken_alone_has_the_masks_of_no_other():
    films = [Image(np.full((4, 4), number, np.uint8), "hw") for number in (1, 2)]
    sample = {"key": "a", "patient": "a", "images": films, "texts": [], "masks": {"heart": np.ones((4, 4), bool)}}
    assert [list(one_image(sample, place)["masks"]) for place in (0, 1)] == [["heart"], []]
    assert one_image(sample, 1)["images"] == films[1:]
    each = {**sample, "film_masks": [sample["masks"], {"spine": np.zeros((4, 4), bool)}]}
    assert [list(one_image(each, place)["masks"]) for place in (0, 1)] == [["heart"], ["spine"]]
    with pytest.raises(UserError, match="has 2 images, asked for number 3"):
        one_image(sample, 2)


def test_another_film_of_a_study_is_chosen_and_its_masks_are_not_those_of_the_first(root, run, open_page):
    config = yaml.safe_load((run.path / "config.yaml").read_text())
    (source,) = config["data"].values()
    source["config"] = {"name": "phantoms", "size": 32, "train": 0, "val": 3, "test": 0, "films": "two"}
    (run.path / "config.yaml").write_text(yaml.safe_dump(config))
    (run.path / "provenance.json").unlink()
    load_dataset(source["config"], "rendered before the page asks")[0]
    seen = {}
    for number in ("1", "2"):
        app = healthy(open_page("reconstruction", run=run.id, hide="region", film=number))
        (film,) = [each for each in app.get("button_group") if each.key == "film_place"]
        seen[film.value] = [name for each in app.multiselect if each.key == "mask_regions" for name in each.options]
    assert [name.split()[1] for name in seen] != ["lateral", "lateral"] and "2 lateral" in seen
    assert all("right lung" in names for names in seen.values())  # this data set has masks of both films
    app = healthy(open_page("reconstruction", run=run.id, film="7"))
    assert "film" not in app.query_params


@pytest.mark.parametrize("mask", ["8.zz", "999.1", "8." + "f" * 5000, "8.fffffffffffffffffff", "<b>", "0.0"])
def test_a_broken_mask_in_the_address_is_as_if_it_were_absent(mask, root, run, open_page):
    app = opened(open_page, root, run, {"ratio": 0.75, "seed": 0}, hide="painted", mask=mask, ratio="-3", seed="x")
    assert "48 hidden patches" in texts(app)


def test_a_method_without_the_capability_says_which_have_it(root, open_page):
    run = write_run(root)
    app = healthy(open_page("reconstruction", run=run.name))
    assert "do not reconstruct images" in texts(app) and "mae" in texts(app)
    assert "mae" in able.methods_with("reconstruct") and "clip" not in able.methods_with("reconstruct")


def test_without_runs_the_page_says_what_to_do(open_page):
    assert any("workbench train mae-phantoms" in block.value for block in healthy(open_page("reconstruction")).code)


def test_a_mask_replayed_over_checkpoints(root, run, open_page):
    steps = run.steps_of("snapshots")
    compute(
        root, "reconstruction", run.id, {"steps": steps, "image": {"study": run_study(run), "place": 0}, "mask": {"ratio": 0.75, "seed": 0}}
    )
    app = opened(open_page, root, run, {"ratio": 0.75, "seed": 0})
    app = healthy(app.toggle(key="recon_replay").set_value(True).run())
    assert len(app.get("plotly_chart")) == 4


def test_an_upload_is_painted_and_wrong_parameters_are_refused(root, run):
    name = write_upload(root, np.arange(4096, dtype=np.uint32).reshape(64, 64).astype(np.uint8))
    compute(root, "reconstruction", run.id, {"steps": [0, 3], "image": {"upload": name}, "mask": {"patches": [3]}})
    study = {"study": run_study(run), "place": 0}
    wrong = [
        ({"steps": [0], "image": study, "mask": {"patches": [64]}}, "patch 64 is not one of 0 to 63"),
        ({"steps": [0], "image": study, "mask": {"regions": ["liver"]}}, "no region 'liver'"),
        ({"steps": [0], "image": study, "mask": {"ratio": 7}}, "between 0 and 1"),
        ({"steps": [7], "image": study, "mask": {"ratio": 0.5}}, "step"),
        ({"steps": [], "image": study, "mask": {"ratio": 0.5}}, "expected 1 to 40"),
        ({"steps": [0], "image": {"study": "nobody"}, "mask": {"ratio": 0.5}}, "no study 'nobody'"),
        ({"steps": [0], "image": study | {"place": 2}, "mask": {"ratio": 0.5}}, "has 1 images"),
        ({"steps": [0], "image": {"upload": "../x"}, "mask": {"ratio": 0.5}}, "not here any more"),
    ]
    for number, (parameters, said) in enumerate(wrong):
        job = request_job(root, "reconstruction", run.id, parameters | {"number": number})
        with pytest.raises(UserError, match=said):
            job_module.compute(Task(job, parameters, root))


def restricted() -> None:
    import plotly.graph_objects as go

    from app import place

    for allowed in ("all", "screen", "nothing"):
        place.film(go.Figure(), f"films_{allowed}", "alt", "formula", [{"row": 1}], allowed)


def test_films_that_may_not_leave_have_no_camera(root):
    app = AppTest.from_function(restricted, default_timeout=30).run()
    configs = [chart.proto.config for chart in app.get("plotly_chart")]
    assert len(configs) == 2 and "alt** stays off this page" in texts(app)
    assert "toImage" in configs[0] and "toImage" not in configs[1] and '"displayModeBar": false' in configs[1]


def test_masks_survive_the_address():
    for hidden, side in (([], 8), ([0, 63], 8), (list(range(196)), 14), ([5], 3)):
        assert masks.decoded(masks.code(hidden, side)) == (side, hidden)
    for wrong in (None, "", "8.", "8.g", "129.1", "2.10", "8.1\n"):
        assert masks.decoded(wrong) is None


def test_the_same_request_paints_the_same_film(root, run):
    image, mask = {"study": run_study(run), "place": 0}, {"ratio": 0.5, "seed": 3}
    compute(root, "reconstruction", run.id, {"steps": [3], "image": image, "mask": mask})
    found = reconstruction.read(request_job(root, "reconstruction", run.id, {"steps": [3], "image": image, "mask": mask}).result)[0]
    assert found.hidden == 32 and found.step == 3
    stored = next(each for each in map(dataset_of(run).__getitem__, range(72)) if each["key"] == found.key)
    np.testing.assert_allclose(found.original * 255, stored["images"][0].array, atol=0.51)
    view = wb.open_run(run.path).reconstruct(found.key, 0.5, seed=3)
    assert np.array_equal(view.data.mask, found.mask) and np.allclose(view.data.painted, found.painted)
    assert wb.open_run(run.path).reconstruct(mask=("heart",), step=0).data.step == 0
    assert wb.open_run(run.path).reconstruct(mask=[2, 3], image=np.zeros((50, 40), np.uint8)).data.mask.nonzero()[0].tolist() == [2, 3]


@pytest.mark.parametrize(
    ("init_from", "missing"),
    [
        ({"*": {"missing": {}}}, False),
        ({"*": {"missing": {"decoder.pred.bias": [3]}}}, True),
        ({"vision": {"missing": {}}}, True),
        ({"vision": {"missing": {}}, "decoder": {"missing": {}}}, False),
    ],
)
def test_the_doctor_hears_of_a_decoder_that_was_not_in_the_file(init_from, missing, root, run, open_page):
    write_json(run.path / "provenance.json", run.provenance | {"init_from": init_from})
    assert not decoder_missing(run), "a run that trained has trained its decoder"
    write_json(run.path / "status.json", read_json(run.path / "status.json") | {"state": "imported"})
    assert decoder_missing(run) == missing
    said = texts(opened(open_page, root, run, {"ratio": 0.75, "seed": 0}))
    assert ("weights are not those of a training" in said) == missing
