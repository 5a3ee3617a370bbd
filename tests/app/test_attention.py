"""The page Attention: what it shows of a transformer, what of a CNN, what it refuses."""

import numpy as np
import pytest

import workbench as wb
from tests.app.conftest import compute, texts
from tests.app.folders import write_run
from tests.app.test_pages import healthy
from workbench.analysis import attention, attribution
from workbench.errors import UserError
from workbench.jobs import write_upload

STUDY = "phantom-teaching-0-1000000000"
pytestmark = pytest.mark.usefixtures("nobody_serves")


def computed(root, name, run, parameters):
    """The folder of a result at the last snapshot."""
    return compute(root, name, run.id, {"step": run.steps_of("snapshots")[-1], **parameters}).result


def test_a_transformer_shows_heads_rollout_and_colours_and_the_address_chooses(root, mae_run, copied, open_page):
    run = copied(mae_run)
    app = healthy(open_page("attention", run=run.id))
    assert [button.label for button in app.button if button.label == "Cancel"] and not app.get("plotly_chart")
    found = attention.read(computed(root, "attention", run, {"image": {"study": STUDY, "place": 0}}))
    computed(root, "patch_colours", run, {"image": {"study": STUDY, "place": 0}})
    app = healthy(open_page("attention", run=run.id, layer="0", head="1", patch="9"))
    assert len(app.get("plotly_chart")) == 5
    drawn = app.get("plotly_chart")[0].proto.spec
    assert "Layer 1, head 2: from patch row 2, column 2" in drawn
    said = texts(app)
    tokens = np.exp(np.median(found.entropy))
    assert f"spreads over {tokens:.3g} of 65 tokens (untrained " in said and "no interval: one image" in said and STUDY in said
    app.button(key="attention_class").click().run()
    assert "from the class token" in healthy(app).get("plotly_chart")[0].proto.spec and "patch" not in app.query_params
    app.select_slider(key="attention_layer").set_value(2).run()
    assert "Layer 2, head 2" in healthy(app).get("plotly_chart")[0].proto.spec and app.query_params["layer"] in ("1", ["1"])
    for beyond in ({"layer": "99", "head": "7", "patch": "64"}, {"layer": "-1", "head": "x", "patch": "9" * 30}):
        assert (
            "Layer 2, mean of heads: from the class token"
            in healthy(open_page("attention", run=run.id, **beyond)).get("plotly_chart")[0].proto.spec
        )


def test_what_the_job_writes_is_what_the_notebook_computes(root, mae_run, copied):
    run = copied(mae_run)
    found = attention.read(computed(root, "attention", run, {"image": {"study": STUDY, "place": 0}}))
    view = wb.open_run(run.path).attend(STUDY, layer=1, head=2, patch=5)
    np.testing.assert_allclose(found.maps, view.data.maps, atol=1e-3)
    np.testing.assert_allclose(found.entropy, view.data.entropy, atol=2e-3)
    np.testing.assert_allclose(found.untrained["distance"], view.data.untrained["distance"], rtol=1e-5)
    frame = view.frame()
    assert len(frame) == 64 and frame["weight"].sum() == pytest.approx(view.data.maps[0, 1, 6, 1:].sum(), rel=1e-4)
    for wrong in ({"layer": 0}, {"layer": 3}, {"head": 3}, {"patch": 64}):
        with pytest.raises(UserError, match="choose another"):
            wb.open_run(run.path).attend(STUDY, **wrong)
    with pytest.raises(UserError, match="no study"):
        wb.open_run(run.path).attend("nowhere")


def test_an_upload_is_looked_at(root, mae_run, copied):
    run = copied(mae_run)
    name = write_upload(root, np.random.default_rng(0).integers(0, 255, (50, 70)).astype(np.uint8))
    found = attention.read(computed(root, "attention", run, {"image": {"upload": name}}))
    assert found.film.shape == (64, 64) and found.patch_mm is None and found.key == "upload"


def test_a_cnn_shows_grad_cam_of_a_typed_prompt_and_names_runs_that_attend(root, mae_run, small_run, copied, open_page):
    run, other = copied(small_run), copied(mae_run)
    prompt = "<b>effusion</b> on the left"
    found = attribution.read(computed(root, "attribution", run, {"image": {"study": STUDY, "place": 0}, "prompt": prompt}))
    app = healthy(open_page("attention", run=run.id, prompt=prompt))
    said = texts(app)
    assert app.text_input(key="attribution_prompt").value == prompt and len(app.get("plotly_chart")) == 2
    assert "Runs here that attend: small" in said and "<b>effusion" not in said and other.id not in said.split("Runs here")[0]
    assert f"{found.steps} steps" in said and "completeness delta" in said and "a black film gets" in said
    healthy(app.text_input(key="attribution_prompt").set_value("   ").run())
    assert "Nothing typed" in texts(app)
    view = wb.open_run(run.path).attribute(STUDY, prompt)
    np.testing.assert_allclose(view.data.cam, found.cam, atol=1e-5)
    with pytest.raises(UserError, match="transformer"):
        wb.open_run(run.path).attend(STUDY)


def test_prompts_in_any_script_and_of_any_length_reach_the_method(root, small_run, copied, open_page):
    run = copied(small_run)
    for prompt in ("胸腔积液", "effusion " * 1100):
        computed(root, "attribution", run, {"image": {"study": STUDY, "place": 0}, "prompt": prompt})
    with pytest.raises(UserError, match="empty text"):
        computed(root, "attribution", run, {"image": {"study": STUDY, "place": 0}, "prompt": " "})
    app = healthy(open_page("attention", run=run.id, prompt="x" * 10_000))
    assert len(app.text_input(key="attribution_prompt").value) == 200


def test_a_method_without_either_is_told_which_have_it(root, open_page):
    run = write_run(root)
    said = texts(healthy(open_page("attention", run=run.name)))
    assert "do not attend to patches" in said and "mae" in said
