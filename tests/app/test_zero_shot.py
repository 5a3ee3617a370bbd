"""The page Zero-shot: what it shows, what it says where it cannot, and what may be typed."""

import os
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from app import studies, zeroshot
from tests.app.conftest import texts
from tests.app.folders import write_run
from tests.app.test_pages import healthy
from training.bench import Task
from training.jobs import features as features_job
from training.jobs import projected as projected_job
from training.jobs import prompts as prompts_job
from workbench import jobs, prompt_bank
from workbench.features import dataset_of
from workbench.jobs import request_job
from workbench.run import Run, write_json

SHARED = "image.projected"
COMPUTE = {"features": features_job.compute, "prompts": prompts_job.compute, "projected": projected_job.compute}


@pytest.fixture(autouse=True)
def served(monkeypatch, request):
    """What the worker does, at once and in this process; `waits` in the test's name: nobody serves."""
    monkeypatch.setattr(jobs, "start_queue", lambda root: None)
    if "waits" in request.node.name:
        return

    def ask(root, name, run_id, parameters):
        job = request_job(root, name, run_id, parameters)
        if not job.done:
            aside = job.result.with_name(f".{job.result.name}.part")
            aside.mkdir(parents=True)
            COMPUTE[name](Task(job, parameters, aside))
            os.replace(aside, job.result)
        return job

    monkeypatch.setattr("app.work.ask", ask)


@pytest.fixture
def run(small_run, root):
    root.mkdir(exist_ok=True)
    shutil.copytree(small_run.path, root / small_run.id)
    return Run(root / small_run.id)


def opened(open_page, run, **query):
    return healthy(open_page("zero_shot", run=run.id, **query))


def typed(app, positive, negative):
    app.get_by_key("zero_source").set_value("typed").run()
    fields = {each.key.split("_")[1]: each for each in app.text_input if each.key.startswith("zero_")}
    fields["positive"].set_value(positive)
    fields["negative"].set_value(negative)
    return app.run()


def test_without_a_run_the_page_says_what_to_train(open_page):
    app = healthy(open_page("zero_shot"))
    assert any("train clip-phantoms" in block.value for block in app.code)


def test_a_run_without_text_is_told_which_methods_have_it(root, open_page):
    blind = write_run(root)
    status = Run(blind).status | {"capabilities": ["Embeds"]}
    write_json(blind / "status.json", status)
    (blind / "snapshots/step-40").mkdir(parents=True)
    app = healthy(open_page("zero_shot", run=blind.name))
    assert "These do: " in texts(app) and "clip" in texts(app) and not app.get("plotly_chart")


def test_a_run_shows_forest_calibration_groups_and_films(run, open_page):
    app = opened(open_page, run, label="effusion")
    assert len(app.get("plotly_chart")) >= 3 and "findings at a mean AUROC" in texts(app)
    assert "no shuffled-report control here" in texts(app) and "prompts exchanged" in texts(app)
    assert len(app.get("imgs")) + len(app.get("image")) >= 6
    for choice in ({"mode": "classes"}, {"split": "test"}, {"step": "1"}):
        opened(open_page, run, **choice)
    app.get_by_key("zero_statistic").set_value("average precision").run()
    healthy(app)


def test_a_page_waits_for_the_worker(run, open_page):
    app = opened(open_page, run)
    assert [button.label for button in app.button if button.label == "Cancel"] and not app.get("plotly_chart")


def test_typed_prompts_change_the_scores_of_their_finding(run, open_page):
    app = opened(open_page, run, label="effusion")
    before = [chart.proto.spec for chart in app.get("plotly_chart")]
    healthy(typed(app, "Fluid is seen. | There is fluid.", "The chest is clear."))
    assert [chart.proto.spec for chart in app.get("plotly_chart")] != before and "prompts: typed" in texts(app)
    app.get_by_key("zero_all").set_value(True).run()
    healthy(app)


@pytest.mark.parametrize(
    ("positive", "told"),
    [
        ("", "the prompt is empty"),
        ("x" * 10_000, "a prompt of 10,000 characters"),
        ("<img src=x onerror=alert(1)> **bold** $x$", ""),
        ("胸腔积液", "are unknown to the text tower"),
    ],
    ids=["empty", "long", "html", "script"],
)
def test_whatever_is_typed_is_scored_or_refused_in_words(positive, told, run, open_page):
    app = opened(open_page, run, label="effusion")
    typed(app, positive, "No.")
    assert not app.exception
    said = texts(app).replace("\\", "")
    assert told in said and "<img" not in texts(app).replace("\\<img", "")
    assert bool(app.error) == (positive == "" or len(positive) > 1000)


def test_data_without_labels_is_said_and_without_prompts_starts_from_templates(monkeypatch):
    said = []
    monkeypatch.setattr(zeroshot.place, "refused", lambda error: said.append(str(error)))
    monkeypatch.setattr(zeroshot, "typed", lambda own, label: own)
    data = SimpleNamespace(label_names=(), prompts={}, terms="open")
    assert zeroshot.choose(studies.Studies(data, {}), SimpleNamespace(id="run")) is None and "its data has no labels" in said[0]
    data.label_names = ("effusion",)
    asked = zeroshot.choose(studies.Studies(data, {}), SimpleNamespace(id="run"))
    assert asked.source == "typed" and asked.bank["effusion"]["negative"] == ["There is no effusion."]


def test_films_stay_off_the_page_where_terms_are_credentialed(run, open_page, monkeypatch):
    monkeypatch.setattr(type(dataset_of(run)), "terms", "credentialed")
    app = opened(open_page, run, label="effusion")
    assert not app.get("imgs") and not app.get("image") and "keep its films off this page" in texts(app)
    assert "phantom-teaching" not in texts(app).split("data phantoms")[0], "keys are hashed"


def test_a_file_of_prompts_is_read_with_limits(run):
    labels = list(dataset_of(run).label_names)
    file = SimpleNamespace(name="bank.yaml", getvalue=lambda: b"effusion: {positive: [Fluid.], negative: [None.]}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zeroshot.st, "file_uploader", lambda *a, **k: file)
        assert zeroshot.from_file(labels) == {"effusion": {"positive": ["Fluid."], "negative": ["None."]}}
        patch.setattr(zeroshot.st, "file_uploader", lambda *a, **k: None)
        with pytest.raises(prompt_bank.UserError, match="no file yet"):
            zeroshot.from_file(labels)


def test_every_run_keeps_its_own_answer(run):
    asked = zeroshot.Asked(prompt_bank.own(dataset_of(run), run.id), "own", "findings", "val", "effusion")
    other = asked._replace(bank=asked.bank | {"effusion": {"positive": ["a"], "negative": ["b"]}})
    assert len({zeroshot.request([run], each, step) for each in (asked, other) for step in (1, 3)}) == 4
    assert np.isfinite(asked.place)


def test_only_runs_on_the_same_data_stand_beside_each_other(run, root):
    other = Run(write_run(root))
    assert [each.id for each in zeroshot.alike([run, other, run])] == [run.id, run.id]
    assert len(zeroshot.alike([run] * 9)) == zeroshot.MOST


def test_a_broken_address_is_as_if_absent(run, open_page):
    query = {"mode": "../both", "split": "all", "label": "<b>gout</b>", "step": "-3", "sample": "x" * 900}
    app = opened(open_page, run, **query)
    assert app.get_by_key("zero_mode").value == "findings" and app.get_by_key("zero_split").value == "val"
    assert len(app.get("plotly_chart")) >= 3
