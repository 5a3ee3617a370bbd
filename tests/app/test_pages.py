"""Every page with no run, one run, 200 runs, a running one, a broken address and a hostile name."""

import json
import os
import shutil
import time

import pytest
from streamlit.testing.v1 import AppTest

from app import select
from tests.app.conftest import PAGES, texts
from tests.app.folders import DATA, LOOKS, config, write_demo, write_look, write_metrics, write_run
from tests.toys import points
from workbench.errors import UserError
from workbench.run import Run, request_launch, write_json


def healthy(app):
    assert not app.exception, [each.value + "\n" + "\n".join(each.stack_trace) for each in app.exception]
    assert not app.error, [each.value for each in app.error]
    return app


@pytest.mark.parametrize("page", PAGES)
def test_without_runs_a_page_says_what_to_do(page, open_page):
    app = healthy(open_page(page))
    assert any("workbench demo" in block.value for block in app.code)


@pytest.mark.parametrize("page", PAGES)
def test_one_run(page, root, open_page):
    run = write_run(root)
    app = healthy(open_page(page, run=run.name))
    assert len(app.get("plotly_chart")) >= 4


@pytest.mark.parametrize("page", PAGES)
def test_a_run_that_has_written_nothing_yet(page, root, open_page):
    run = write_run(root, looks=())
    (run / "metrics.jsonl").unlink()
    app = healthy(open_page(page, run=run.name))
    assert not app.get("plotly_chart")


@pytest.mark.parametrize("page", PAGES)
def test_two_hundred_runs(page, root, open_page):
    first = write_run(root)
    for number in range(1, 200):
        path = root / f"20260102-000000-line-points-{number:04x}"
        path.mkdir()
        for name in ("status.json", "config.yaml", "metrics.jsonl"):
            shutil.copy(first / name, path / name)
    start = time.perf_counter()
    app = healthy(open_page(page))
    seconds = time.perf_counter() - start
    if page == "runs":
        assert len(app.dataframe[0].value) == 200
    else:
        assert len(app.multiselect(key="row_runs").options) == 200
    assert seconds < 20
    start = time.perf_counter()
    healthy(app.run())
    assert time.perf_counter() - start < 2.5


def test_a_running_run_moves_on_without_a_reload(root, open_page):
    run = write_run(root, state="running")
    app = healthy(open_page("live", run=run.name))
    assert "trains, step 20 of 40" in texts(app)
    assert app.get("progress")
    write_metrics(run, "alignment", range(21, 31))
    status = json.loads((run / "status.json").read_text()) | {"step": 30}
    (run / "status.json").write_text(json.dumps(status))
    assert "trains, step 30 of 40" in texts(healthy(app.run()))


def test_figures_wait_for_new_looks_until_asked(root, open_page):
    run = write_run(root, state="running")
    app = healthy(open_page("latent_space", run=run.name))
    before = app.get_by_key("row_step").options
    write_look(run, "alignment", 0, 24)
    healthy(app.run())
    assert app.get_by_key("row_step").options == before
    assert app.button(key="show_looks").label == "1 new look: show"
    healthy(app.button(key="show_looks").click().run())
    healthy(app.run())
    assert app.get_by_key("row_step").options == [*before, "24"]


def test_the_first_look_of_all_is_shown_unasked(root, open_page, monkeypatch):
    path = write_run(root, looks=(), state="running")
    page = open_page("latent_space", run=path.name)
    asked = []
    monkeypatch.setattr(select.st, "rerun", lambda: asked.append(1))
    select.count_looks([Run(path)], True, drawn=False)
    assert not asked and "have not been looked at" in texts(page)
    write_look(path, "alignment", 0, 0)
    select.count_looks([Run(path)], True, drawn=True)
    assert not asked, "figures that are there wait until asked"
    select.count_looks([Run(path)], True, drawn=False)
    assert asked


def test_the_slider_moves_every_view_and_the_address(root, open_page):
    run = write_run(root)
    app = healthy(open_page("latent_space", run=run.name))
    assert app.get_by_key("row_step").value == LOOKS[-1]
    healthy(app.get_by_key("row_step").set_value(8).run())
    assert app.query_params["step"] in ("8", ["8"])
    assert "step 8" in app.get("plotly_chart")[0].proto.spec


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(
    "query",
    [
        {"run": "../../etc/passwd"},
        {"run": ["no-such-run", "<script>"], "feature": "no.such", "step": "-1"},
        {"step": "9" * 40, "sample": "'; drop", "query": "x" * 5000, "metric": "%00", "state": "asleep", "label": "**"},
    ],
    ids=["path", "unknown", "nonsense"],
)
def test_a_broken_address_is_as_if_absent(page, query, root, open_page):
    write_run(root)
    healthy(open_page(page, **query))


@pytest.mark.parametrize("page", PAGES)
def test_a_hostile_name_is_shown_letter_by_letter(page, root, open_page):
    name = "<img src=x onerror=alert(1)> **bold** :red[x] [a](http://b) $x$"
    run = write_run(root, name)
    app = healthy(open_page(page, run=run.name))
    said = texts(app)
    assert "<img" not in said.replace("\\<img", "").replace("&lt;img", "")
    assert not any("**bold**" in element.value for element in (*app.markdown, *app.caption))
    drawn = [json.dumps(json.loads(chart.proto.spec)) for chart in app.get("plotly_chart")]  # Plotly's own writing hides the <
    assert drawn and not any("<img" in each for each in drawn)


def test_ticks_become_the_choice_of_every_page(root, open_page):
    runs = write_demo(root, seeds=1)
    app = healthy(open_page("runs", run=[run.name for run in runs[:2]]))
    assert {run.name for run in runs[:2]} == set(app.query_params["run"])
    app.switch_page("pages/live.py").run()
    assert app.multiselect(key="row_runs").value == [run.name for run in runs[:2]]


def test_filters_narrow_the_table(root, open_page):
    write_demo(root, seeds=1)
    app = healthy(open_page("runs"))
    app.text_input(key="search").set_value("contrast").run()
    assert list(app.dataframe[0].value["name"]) == ["contrastive"]
    assert app.query_params["query"] in ("contrast", ["contrast"])


def test_deleting_asks_first(root, open_page):
    run = write_run(root)
    app = healthy(open_page("runs", run=run.name))
    app.button(key="delete").click().run()
    assert run.is_dir()
    app.button(key="delete_go").click().run()
    assert not run.exists()


def test_a_running_run_is_not_deleted_and_the_page_says_why(root, open_page):
    run = write_run(root, state="running")
    app = healthy(open_page("runs", run=run.name))
    app.button(key="delete").click().run()
    app.button(key="delete_go").click().run()
    assert run.is_dir()
    assert "stop it before deleting" in app.error[0].value.replace("\\", "")


def test_stopping_writes_a_command(root, open_page):
    run = write_run(root, state="running")
    app = healthy(open_page("runs", run=run.name))
    healthy(app.button(key="stop").click().run())
    assert [json.loads(path.read_text())["command"] for path in (run / "control").glob("*.json")] == ["stop"]


def test_a_run_whose_process_is_gone_is_called_stale(root, open_page):
    run = write_run(root, state="running")
    status = json.loads((run / "status.json").read_text()) | {"pid": 2**22 + os.getpid(), "started": 0}
    (run / "status.json").write_text(json.dumps(status))
    app = healthy(open_page("live", run=run.name))
    assert "nothing does" in texts(app)


def test_starting_by_recipe_queues_a_run_with_what_was_typed(root, open_page, monkeypatch):
    from app import actions

    monkeypatch.setattr(actions, "start_queue", lambda root: False)
    app = healthy(open_page("runs"))
    app.button(key="start").click().run()
    chosen = app.selectbox(key="start_recipe").value
    app.get_by_key(f"start.{chosen}.name").set_value("from the app")
    app.get_by_key(f"start.{chosen}.steps").set_value(7)
    app.button(key="start_go").click().run()
    made = [json.loads(path.read_text()) for path in root.glob("*/status.json")]
    assert [(status["state"], status["name"], status["steps"]) for status in made] == [("queued", "from the app", 7)]


def test_a_field_out_of_bounds_shows_the_command_lines_sentence(root, open_page):
    from app import actions

    with pytest.raises(UserError, match="seed"):
        actions.configured(actions.recipes()[0], {"seed": -1})


def test_a_waiting_run_is_taken_out_of_the_queue_and_resumed_again(root, open_page, monkeypatch):
    from app import actions

    monkeypatch.setattr(actions, "start_queue", lambda root: False)
    run = request_launch(config("waiting", 0), root)
    app = healthy(open_page("runs", run=run.id))
    healthy(app.button(key="stop").click().run())
    assert run.status["state"] == "stopped" and not list((root / "queue").glob("[0-9]*.json"))
    healthy(app.button(key="resume").click().run())
    assert [json.loads(path.read_text())["resume"] for path in (root / "queue").glob("[0-9]*.json")] == [True]


def test_images_of_changed_data_are_not_shown_for_an_old_run(root, open_page):
    run = write_run(root)
    shown = healthy(open_page("latent_space", run=run.name, sample="point-420"))
    assert "up 0 right 1" in texts(shown) and shown.get_by_key("map_label").value == "up"
    (run / "provenance.json").write_text(json.dumps({"data": {"points": "0123456789abcdef"}}))
    app = healthy(open_page("latent_space", run=run.name, sample="point-420"))
    said = texts(app).replace("\\", "")
    assert "trained on #01234567" in said and "up 0 right 1" not in said


def test_an_export_below_open_terms_carries_hashed_keys(root, monkeypatch):
    from app import studies

    assert studies.hashed(["patient-7"]) != ["patient-7"] and len(studies.hashed(["a"])[0]) == 12
    monkeypatch.setattr(points.Points, "terms", "no-redistribution")
    loaded = studies.read(json.dumps(DATA))
    assert not loaded.open and "this screen only" in studies.source(loaded, loaded.dataset[0])


def test_a_listing_shows_the_first_rows_letter_by_letter():
    def page():
        from app import place

        place.listing([{"<b>": "<script>", "value": 0.123456, "none": None}] * 203)

    found = AppTest.from_function(page).run().html[0].value
    assert found.count("<tr>") == 201 and "<script>" not in found and "&lt;script&gt;" in found and "&lt;b&gt;" in found
    assert "0.1235" in found and "3 more rows" in found


def test_a_knob_offers_what_the_run_last_set_and_writes_a_command(root, open_page):
    from app import actions

    run = Run(write_run(root, state="running"))
    live = ["method.weights.size", "optimizers.main.lr", "groups.*.lr_scale"]
    write_json(run.path / "status.json", json.loads((run.path / "status.json").read_text()) | {"live": live, "process": "shared"})
    before = actions.knobs([run])
    assert list(before) == live and before["optimizers.main.lr"] == run.config["optimizers"]["main"]["lr"]
    with open(run.path / "events.jsonl", "a") as file:
        file.write(json.dumps({"event": "knob", "name": live[1], "from": before[live[1]], "to": 0.25, "step": 3}) + "\n")
    assert actions.knobs([run])[live[1]] == 0.25 and actions.knobs([run])["groups.*.lr_scale"] is None
    assert "asked 1 run to set optimizers.main.lr" in actions.turn([run], live[1], 0.5)
    assert "none of these runs" in actions.turn([run], "method.dropout", 0.5)
    written = [json.loads(path.read_text()) for path in (run.path / "control").glob("*.json")]
    assert written == [{"command": "set", "name": live[1], "value": 0.5}]
    assert "share one process" in texts(healthy(open_page("live", run=run.id)))
