"""Words on the pages Reconstruction and Attention, the contrast on Latent space: what is shown, chosen, refused, and what may leave."""

import json
import re

import numpy as np
import pytest

import workbench as wb
from app import cells, place, select, state
from tests.app.conftest import compute, texts
from tests.app.test_pages import healthy
from workbench import jobs
from workbench.analysis import compared, crossing, filling
from workbench.errors import UserError
from workbench.features import dataset_of

STUDY = "phantom-teaching-0-1000000000"
IMAGE = {"study": STUDY, "place": 0}


@pytest.fixture
def served(monkeypatch, nobody_serves):
    """The worker answers at once."""
    monkeypatch.setattr("app.work.ask", compute)


def charts(app) -> dict[str, str]:
    """Specification of each figure of a page, by its alternative text."""
    return {chart.proto.alt: json.dumps(json.loads(chart.proto.spec), ensure_ascii=False) for chart in app.get("plotly_chart")}


def said(app) -> str:
    """What a page says, without the escapes of Markdown."""
    return texts(app).replace("\\", "")


def pills(app, key):
    return next(each for each in app.get("button_group") if (each.key or "").startswith(key))


def test_hidden_words_and_withheld_reports_wait_for_the_worker(root, m3ae_run, copied, open_page, nobody_serves):
    run = copied(m3ae_run)
    compute(root, "reconstruction", run.id, {"steps": [3], "image": IMAGE, "mask": {"ratio": 0.75, "seed": 0}})
    app = healthy(open_page("reconstruction", run=run.id))
    assert "report and image beside each other" in said(app) and len(app.get("plotly_chart")) == 2
    assert len([button for button in app.button if button.label == "Cancel"]) == 2
    asked = {request["name"]: request["parameters"] for request in jobs.list_jobs(root) if request["state"] == "waiting"}
    assert asked["filling"] == {"step": 3, "image": IMAGE, "hide": {"ratio": 0.3, "seed": 0}} and asked["reconstruction"]["report"] is False


def test_words_are_hidden_by_share_draw_and_click(root, m3ae_run, copied, open_page, served):
    run = copied(m3ae_run)
    app = healthy(open_page("reconstruction", run=run.id, step="3", seed="2", words="40"))
    found = filling.read(compute(root, "filling", run.id, {"step": 3, "image": IMAGE, "hide": {"ratio": 0.4, "seed": 2}}).result)
    right = [int(found.right(name).sum()) for name in found.conditions]
    assert f"{right[0]} of {len(found.hidden)} hidden tokens are filled in right beside the image, {right[1]} beside an empty film" in said(
        app
    )
    drawn = charts(app)
    assert any(alt.startswith("Error ") for alt in drawn) and any("hidden tokens right" in alt for alt in drawn)
    group = pills(app, f"hidden_words_{run.id}")
    assert list(group.value) == list(found.hidden_words) and len(group.options) == len(found.spelt)
    group.set_value([1, 2]).run()
    assert app.query_params["hidden"] in ("1.2", ["1.2"]) and list(pills(healthy(app), "hidden_words_").value) == [1, 2]
    pills(app, "hidden_words_").set_value([]).run()
    assert app.query_params["hidden"] in ("none", ["none"]) and "No word is hidden" in said(healthy(app))
    app.slider(key="word_share").set_value(50).run()
    assert (
        "hidden" not in app.query_params
        and app.query_params["words"] in ("50", ["50"])
        and list(pills(healthy(app), "hidden_words_").value)
    )


def test_clicked_words_are_of_one_study_and_an_address_beyond_the_report_is_told(root, m3ae_run, copied, open_page, served):
    run = copied(m3ae_run)
    app = healthy(open_page("reconstruction", run=run.id, hidden="1"))
    assert list(pills(app, "hidden_words_").value) == [1]
    other = app.selectbox(key="recon_study").options[1]
    app.selectbox(key="recon_study").set_value(other).run()
    assert "hidden" not in healthy(app).query_params and len(pills(app, "hidden_words_").value) > 1
    for wrong in ("1.", "x", "9" * 6, "-1"):
        assert "hidden" not in healthy(open_page("reconstruction", run=run.id, hidden=wrong)).query_params
    with pytest.raises(UserError, match="words, counted from 0"):
        compute(root, "filling", run.id, {"step": 3, "image": IMAGE, "hide": {"words": [999]}})


def test_uploads_and_other_methods_have_no_words(root, m3ae_run, mae_run, copied, open_page, served):
    run, other = copied(m3ae_run), copied(mae_run)
    assert "report and image" not in said(healthy(open_page("reconstruction", run=other.id)))
    told = said(healthy(open_page("attention", run=other.id)))
    assert "No words here" in told and "Methods that have: m3ae" in told
    for name, capability in (("filling", "FillsWords"), ("crossing", "Crosses"), ("compared", "Compares")):
        with pytest.raises(UserError, match=capability):
            compute(root, name, other.id, {"step": 3, "image": IMAGE, "hide": {"ratio": 0.3}, "studies": 4})
    name = jobs.write_upload(root, np.zeros((40, 40), np.uint8))
    with pytest.raises(UserError, match="has no report"):
        compute(root, "filling", run.id, {"step": 3, "image": {"upload": name}, "hide": {"ratio": 0.3}})
    with pytest.raises(UserError, match="paints without reading reports"):
        compute(root, "reconstruction", other.id, {"steps": [3], "image": IMAGE, "mask": {"ratio": 0.5}, "report": False})


def test_a_word_a_patch_a_layer_and_a_head_are_chosen(root, m3ae_run, copied, open_page, served):
    run = copied(m3ae_run)
    app = healthy(open_page("attention", run=run.id, word="2", patch="6", fusion_layer="1", fusion_head="1"))
    found = crossing.read(compute(root, "crossing", run.id, {"step": 3, "image": IMAGE}).result)
    drawn = charts(app)
    assert f"Where “{found.words[2]}” looks" in drawn["The film under what one word of the report sees"]
    assert "layer 2 of the fusion, head 2" in drawn["The film under what one word of the report sees"]
    assert "row 2, column 3" in drawn["The words that one patch sees"]
    spread = np.median(found.spread(1))
    assert f"{spread:.3g} of 17 tokens" in said(app) and len(pills(app, "crossing_words").options) == len(found.words)
    pills(app, "crossing_words").set_value(0).run()
    assert app.query_params["word"] in ("0", ["0"]) and f"Where “{found.words[0]}” looks" in str(charts(healthy(app)))
    app.selectbox(key="crossing_layer").set_value(0).run()
    app.selectbox(key="crossing_head").set_value("mean").run()
    assert app.query_params["fusion_layer"] in ("0", ["0"]) and "fusion_head" not in app.query_params
    assert "layer 1 of the fusion, mean of heads" in str(charts(healthy(app)))
    beyond = healthy(open_page("attention", run=run.id, word="9999", patch="99", fusion_layer="7", fusion_head="9"))
    assert "layer 3 of the fusion, mean of heads" in str(charts(beyond))


def test_the_contrast_is_compared_once_asked_for(root, medflip_run, mae_run, copied, open_page, served):
    run, other = copied(medflip_run), copied(mae_run)
    app = healthy(open_page("latent_space", run=run.id))
    assert "What the contrast compares" in said(app) and not [alt for alt in charts(app) if alt.startswith("Targets")]
    app.button(key="alike_ask").click().run()
    found = compared.read(compute(root, "compared", run.id, {"step": 3, "studies": 48}).result)
    drawn = charts(healthy(app))
    assert [alt.split(":")[0] for alt in drawn][-2:] == ["Targets", "Cosines"] and found.keys[0] in str(drawn)
    assert (
        f"largest singular value of all is {figure(compared.top_pair(found.cosines).value)} (untrained {figure(found.untrained)}"
        in said(app)
    )
    assert "What the contrast compares" not in said(healthy(open_page("latent_space", run=other.id)))


def figure(value):
    return f"{value:.3g}" if value >= 1 else f"{value:.3f}".lstrip("0")


def test_what_is_written_for_the_worker_is_what_the_notebook_computes(root, m3ae_run, medflip_run, copied):
    run, flip = copied(m3ae_run), copied(medflip_run)
    pair = crossing.read(compute_quietly(root, "crossing", run, {"step": 3, "image": IMAGE}))
    view = wb.open_run(run.path).attend(STUDY, word=1)
    for name in ("on_patches", "on_words", "untrained", "film"):
        np.testing.assert_allclose(getattr(pair, name), getattr(view.data, name), rtol=1e-5, atol=1e-6)
    assert pair.words == view.data.words and not np.allclose(pair.untrained, crossing.spread(pair.on_patches), rtol=1e-6)
    words = filling.read(compute_quietly(root, "filling", run, {"step": 3, "image": IMAGE, "hide": {"words": [1]}}))
    again = wb.open_run(run.path).fill(STUDY, [1]).data
    assert words.best == again.best
    np.testing.assert_allclose(words.truth["another's image"], again.truth["another's image"])
    batch = compared.read(compute_quietly(root, "compared", flip, {"step": 3, "studies": 8}))
    np.testing.assert_allclose(batch.cosines, wb.open_run(flip.path).compared(studies=8).data.cosines, atol=1e-6)


def compute_quietly(root, name, run, parameters):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "start_queue", lambda root: None)
        return compute(root, name, run.id, parameters).result


@pytest.mark.parametrize("terms", ["credentialed", "registered"])
def test_no_word_leaves_data_below_open_terms(terms, root, m3ae_run, medflip_run, copied, open_page, served, monkeypatch):
    monkeypatch.setattr(type(dataset_of(m3ae_run)), "terms", terms)
    rows, details = [], place.details

    def noted(key, formula, numbers, may_leave=True):
        rows.extend(numbers() if callable(numbers) else numbers)
        details(key, formula, numbers, may_leave)

    monkeypatch.setattr(place, "details", noted)
    run, flip = copied(m3ae_run), copied(medflip_run)
    spelt = set(filling.read(compute(root, "filling", run.id, {"step": 3, "image": IMAGE, "hide": {"ratio": 0.3, "seed": 0}}).result).spelt)
    for name in ("reconstruction", "attention"):
        app = healthy(open_page(name, run=run.id, sample=STUDY))
        shown = {word for group in app.get("button_group") for word in group.options} & spelt
        ticks = {tick for found in re.findall(r'"ticktext": ?(\[[^]]*\])', "".join(charts(app).values())) for tick in json.loads(found)}
        assert bool(shown) == (terms == "registered") == bool({str(tick).split()[0] for tick in ticks} & spelt)
        assert all("toImage" not in chart.proto.config for chart in app.get("plotly_chart") if "word" in chart.proto.alt)
    app = open_page("latent_space", run=flip.id)
    app.button(key="alike_ask").click().run()
    keys = set(dataset_of(flip).keys)
    drawn = str([spec for alt, spec in charts(healthy(app)).items() if alt.startswith(("Targets", "Cosines"))])
    assert len(drawn) > 1000 and not [key for key in keys if key in drawn]
    saved = [str(value) for row in rows for value in row.values()]
    assert rows and not [value for value in saved if value in spelt | keys]


def test_the_notebook_cells_of_both_pages_run(root, m3ae_run, copied, monkeypatch):
    run = copied(m3ae_run)
    chosen = {"sample": STUDY, "hidden": "0.2", "word": 1, "patch": 4, "ratio": 50}
    monkeypatch.setattr(state, "get", chosen.get)
    drawn = []
    monkeypatch.setattr("plotly.graph_objects.Figure.show", lambda figure: drawn.append(figure.layout.title.text))
    selection = select.Selection([run], "image.backbone", 3)
    exec(cells.reconstruction(selection), {})
    assert len(drawn) == 3 and "with the report" in drawn[1] and "hidden tokens right" in drawn[2]
    exec(cells.attention(selection), {})
    assert len(drawn) == 6 and "looks" in drawn[4] and "row 2, column 1" in drawn[5]
