"""The page Launch: drawn from schemas without torch, a draft that is the same as YAML, what cannot start, the queue."""

import subprocess
import sys
import time

import pytest
import yaml

from app import draft as drafts
from tests.app.conftest import texts
from tests.app.folders import write_run
from tests.app.test_pages import healthy
from training import bench
from training.jobs.schema import config_class
from workbench import jobs
from workbench.errors import UserError
from workbench.queue import queue_list
from workbench.run import list_runs, request_launch
from workbench.run_files import write_json

CLOSED = (
    "Optimizers",
    "Start weights",
    "Watching",
    "Machine",
    "Stage 1",
    "Stage 2",
    "Mixing · phantoms",
    "Mixing · sentences",
)  # until a reader opens them


@pytest.fixture
def launch(root, open_page, monkeypatch):
    """The page on a folder whose worker is this process: `launch.answer()` computes what was asked for."""
    monkeypatch.setattr(jobs, "start_queue", lambda *_: False)
    monkeypatch.setattr("app.actions.start_queue", lambda *_: False)
    root.mkdir()
    for kind, names in {"methods": ("clip", "mflag", "supervised"), "data": ("phantoms", "manifest")}.items():
        for name in names:
            job = jobs.describe_job(root, "schema", None, jobs.schema_of(kind, name))
            job.result.mkdir(parents=True)
            write_json(job.result / "schema.json", config_class(kind, name).model_json_schema() | {"doc": f"{name}."})

    def answer():
        for ticket in jobs.waiting_jobs(root):
            job = jobs.open_job(root, ticket.name.partition("-")[2].removesuffix(".json"))
            folder = job.result.with_name(".made")
            folder.mkdir(parents=True)
            try:
                compute(bench.Task(job, jobs.read_json(job.folder / "request.json")["parameters"], folder))
                folder.rename(job.result)
            except UserError as error:
                write_json(job.folder / "status.json", {"state": "failed", "progress": 0, "message": "", "error": str(error)})
            ticket.unlink()

    def opened(**query):
        app = open_page("launch", **{"start": "clip-phantoms"} | query)
        answer()
        run = app.run

        def opening(*given, **named):
            for heading in CLOSED:
                app.session_state[f"group.{heading}"] = True
            return run(*given, **named)

        app.run = opening
        return healthy(app.run())

    opened.answer = answer
    return opened


def compute(task):
    import importlib

    importlib.import_module(f"training.jobs.{task.job.name}").compute(task)


def widget(app, kind, path):
    return next(each for each in app.get(kind) if str(each.key).partition(".")[2] == path)


def test_the_form_holds_every_field_of_run_method_and_data_with_its_bounds(launch):
    app = launch()
    keys = {
        str(each.key).partition(".")[2]
        for kind in ("slider", "number_input", "selectbox", "checkbox", "text_input")
        for each in app.get(kind)
    }
    from workbench.data.phantoms import Config
    from workbench.methods.clip import CLIPConfig
    from workbench.run import RunConfig

    assert {f"method.{name}" for name in CLIPConfig.model_fields if name != "weights"} | {"method.weights.contrastive"} <= keys
    assert {f"data.phantoms.config.{name}" for name in Config.model_fields} - keys == set()
    own = {
        name
        for name in RunConfig.model_fields
        if name not in ("method", "data", "stages", "optimizers", "validation", "monitors", "snapshots")
    }
    assert own <= keys and {"optimizers.main.lr", "stages.0.steps", "validation.best", "monitors.studies", "snapshots.budget_gb"} <= keys
    decay = widget(app, "slider", "optimizers.main.weight_decay")
    assert (decay.min, decay.max, decay.value) == (0.0, 1.0, 0.05) and "decay" in decay.help
    assert widget(app, "number_input", "optimizers.main.lr").value == 0.003
    assert widget(app, "selectbox", "method.augment").options == ["none", "shift_gain", "crop"]


def test_what_is_changed_is_marked_and_the_yaml_and_the_command_say_it(launch):
    app = launch()
    widget(app, "number_input", "optimizers.main.lr").set_value(0.001)
    app.run()
    widget(app, "checkbox", "method.temperature_trainable").uncheck()
    app = healthy(app.run())
    told = [block.value for block in app.code]
    command = next(text for text in told if text.startswith("workbench train clip-phantoms --set"))
    assert "optimizers.main.lr=0.001" in command and "method.temperature_trainable=false" in command
    values = yaml.safe_load(next(text for text in told if text.startswith("method:")))
    assert values["optimizers"]["main"]["lr"] == 0.001 and values["method"]["temperature_trainable"] is False
    assert "2 fields differ from clip-phantoms" in texts(app)


def test_the_command_and_the_yaml_describe_one_run(launch, tmp_path):
    from training.recipe import read

    app = launch()
    widget(app, "number_input", "optimizers.main.lr").set_value(0.001)
    app.run()
    widget(app, "text_input", "tags").set_value("[a, 'it is']")
    app.run()
    widget(app, "number_input", "optimizers.main.clip").set_value(1.5)
    app = healthy(app.run())
    import shlex

    told = [block.value for block in app.code]
    words = shlex.split(next(text for text in told if text.startswith("workbench train")))
    (tmp_path / "same.yaml").write_text(next(text for text in told if text.startswith("method:")))
    settings = words[words.index("--set") + 1 : words.index("--runs")]
    assert read(words[2], settings) == read(str(tmp_path / "same.yaml"))
    assert read(words[2], settings).tags == ("a", "it is")


def test_search_and_the_changed_view_hide_what_does_not_pass_and_lose_nothing(launch):
    app = launch()
    widget(app, "number_input", "optimizers.main.lr").set_value(0.001)
    app.run()
    app.text_input(key="field_search").set_value("temperature")
    app = healthy(app.run())
    keys = [str(each.key) for kind in ("slider", "number_input", "checkbox") for each in app.get(kind)]
    assert any("method.temperature_trainable" in key for key in keys) and not any("optimizers" in key for key in keys)
    app.text_input(key="field_search").set_value("")
    app.toggle(key="field_changed").set_value(True)
    app = healthy(app.run())
    keys = [str(each.key).partition(".")[2] for kind in ("slider", "number_input", "checkbox") for each in app.get(kind)]
    assert keys == ["optimizers.main.lr"]
    app.toggle(key="field_changed").set_value(False)
    assert widget(healthy(app.run()), "number_input", "optimizers.main.lr").value == 0.001


def test_started_it_is_in_the_queue_with_every_default_spelled_out(root, launch):
    app = launch()
    app.button(key="launch_go").click()
    app = healthy(app.run())
    found = list_runs(root)
    assert len(found) == 1 and queue_list(root)[0]["run"] == found[0]["id"]
    config = yaml.safe_load((root / found[0]["id"] / "config.yaml").read_text())
    assert config["method"]["temperature"] == 0.07 and config["optimizers"]["main"]["betas"] == [0.9, 0.999]


def test_what_cannot_be_started_says_why_and_its_button_is_off(launch, root, monkeypatch):
    app = launch()
    widget(app, "text_input", "tags").set_value("[a, b")
    app = healthy(app.run())
    assert "tags: not readable as YAML" in texts(app) and app.button(key="launch_go").disabled
    widget(app, "text_input", "tags").set_value("[a]")
    app.run()
    widget(app, "text_input", "method.vision").set_value("timm:nothing<b>")
    app.run()
    launch.answer()
    assert not healthy(app.run()).button(key="launch_go").disabled  # only building the network can tell
    widget(app, "text_input", "init_from").set_value("{vision: /etc/x.safetensors}")
    monkeypatch.setenv("WORKBENCH_DATA", str(root))
    app = healthy(app.run())
    assert "outside $WORKBENCH_DATA" in texts(app) and app.button(key="launch_go").disabled and not list_runs(root)


def test_start_weights_are_told_before_the_start_and_another_architecture_is_refused(launch, root):
    import torch
    from safetensors.torch import save_file

    from workbench.models import build_method

    state = build_method({"name": "supervised", "labels": 3, "width": 128}, 4).state_dict()
    given = {name: value.contiguous() for name, value in state.items()}
    save_file(given, root / "own.safetensors")
    save_file({"conv.weight": torch.zeros(7, 3, 2, 2)}, root / "other.safetensors")
    app = launch()
    for name, disabled, word in (("own", False, "keys fit"), ("other", True, "another architecture: expected vision.")):
        widget(app, "text_input", "init_from").set_value(f"{{vision: {root}/{name}.safetensors}}")
        app.run()
        launch.answer()
        app = healthy(app.run())
        assert app.button(key="launch_go").disabled is disabled
        assert word in texts(app) + str([each.label for each in app.expander])
    assert "found conv.weight (7, 3, 2, 2)" in texts(app)


def test_a_refusal_of_the_pre_flight_turns_the_button_off(launch, root):
    app = launch()
    app.button(key="preflight").click()
    app.run()
    asked = [job for job in jobs.list_jobs(root) if job["name"] == "preflight"]
    job = jobs.open_job(root, asked[0]["id"])
    told = {"parameters": 5, "trainable": 4, "flops": 1e9, "memory": 9e9, "memory_free": 4e9, "disk": 1e6, "disk_free": 1e9, "snapshots": 3}
    told |= {"measured": 8, "batch": 128, "step_seconds": None, "device": "a CPU", "largest_batch": 30, "notes": []}
    job.result.mkdir(parents=True)
    write_json(job.result / "preflight.json", told | {"refused": "batch 128 needs about 9 GB; set batch to 30 or less"})
    for ticket in jobs.waiting_jobs(root):
        ticket.unlink()
    app = healthy(app.run())
    assert "set batch to 30 or less" in texts(app) and app.button(key="launch_go").disabled and "predicted from batch 8" in texts(app)
    widget(app, "number_input", "batch").set_value(30)
    app.run()
    launch.answer()
    app = healthy(app.run())
    assert not app.button(key="launch_go").disabled and "has changed since it was measured" in texts(app)


def test_a_run_is_a_start_too_and_a_second_source_can_be_added(launch, root):
    run = write_run(root, name="mine<b>")
    app = launch(start=f"run:{run.name}")
    assert "is not part of the workbench" in texts(app) and f"{run.name}/config.yaml" in texts(app)
    app = launch(start="clip-phantoms")
    app.text_input(key="source_name").set_value("sentences")
    app.button(key="source_add").click()
    app = healthy(app.run())
    assert any("data.sentences.weight" in str(each.key) for each in app.get("number_input"))
    assert "sentences" in yaml.safe_load(next(block.value for block in app.code if block.value.startswith("method:")))["data"]


def test_the_queue_is_reordered_duplicated_and_emptied(launch, root):
    from tests.app.folders import config

    ids = [request_launch(config(name, 0), root).id for name in ("one", "two", "three")]
    app = launch()
    app.button(key=f"arrow_upward.{ids[2]}").click()
    app = healthy(app.run())
    assert [each["run"] for each in queue_list(root)] == [ids[0], ids[2], ids[1]]
    app.button(key=f"close.{ids[0]}").click()
    app = healthy(app.run())
    app.button(key=f"content_copy.{ids[1]}").click()
    healthy(app.run())
    waiting = [each["run"] for each in queue_list(root)]
    assert waiting[:2] == [ids[2], ids[1]] and len(waiting) == 3
    assert list_runs(root)[0]["name"] == "two" or any(each["name"] == "two" and each["id"] == waiting[2] for each in list_runs(root))


def test_an_address_that_names_no_start_falls_back(launch):
    app = launch(start="run:../../etc")
    assert app.selectbox(key="start_from").value in drafts.actions.recipes()


def test_the_form_is_ready_within_a_second_and_needs_no_torch(launch):
    app = launch()
    start = time.perf_counter()
    healthy(app.run())
    assert time.perf_counter() - start < 1.0
    code = (
        "import sys; import app.launch, app.launch_form; print([name for name in ('torch', 'timm', 'transformers') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_a_run_of_the_form_and_the_same_yaml_in_a_terminal_lose_alike_to_the_bit(launch, root, tmp_path):
    from training.__main__ import main
    from workbench.run import Run, without_timings

    origin = write_run(root)
    app = launch(start=f"run:{origin.name}")
    widget(app, "number_input", "stages.0.steps").set_value(4)
    app.run()
    widget(app, "number_input", "optimizers.main.lr").set_value(0.02)
    app.run()
    launch.answer()
    app = healthy(app.run())
    (tmp_path / "same.yaml").write_text(next(block.value for block in app.code if block.value.startswith("method:")))
    app.button(key="launch_go").click()
    healthy(app.run())
    started = Run(root / queue_list(root)[0]["run"])
    main(["train-folder", str(started.path)])
    main(["train", str(tmp_path / "same.yaml"), "--runs", str(tmp_path / "terminal"), "--json"])
    typed = Run(tmp_path / "terminal" / list_runs(tmp_path / "terminal")[0]["id"])
    assert started.status["state"] == typed.status["state"] == "finished"
    losses = [record["loss"] for record in started.metrics() if record["kind"] == "train"]
    assert len(losses) == 4 and without_timings(started.metrics()) == without_timings(typed.metrics())
    assert started.config == typed.config


def test_features_are_brought_in_and_refused_in_words(launch, root, tmp_path):
    import numpy as np

    app = launch()
    np.save(tmp_path / "z.npy", np.random.default_rng(0).normal(size=(60, 5)))
    np.save(tmp_path / "bad.npy", np.ones(3))
    app.text_input(key="bring_source").set_value(str(tmp_path / "z.npy"))
    app.run()
    app.button(key="bring_go").click()
    app.run()
    launch.answer()
    app = healthy(app.run())
    made = list_runs(root)[0]
    assert made["state"] == "imported" and "60 rows of image.backbone" in texts(app)
    app.text_input(key="bring_source").set_value(str(tmp_path / "bad.npy"))
    app.run()
    app.button(key="bring_go").click()
    app.run()
    launch.answer()
    assert any("expected numbers" in error.value for error in app.run().error) and len(list_runs(root)) == 1


@pytest.mark.parametrize("page", ["runs", "live", "latent_space", "reconstruction", "attention", "zero_shot"])
def test_imported_features_have_every_page_that_needs_no_weights(page, root, open_page, tmp_path):
    import numpy as np

    from training.importing import bring_in

    np.save(tmp_path / "z.npy", np.random.default_rng(0).normal(size=(60, 5)))
    run = bring_in(str(tmp_path / "z.npy"), None, None, root=root)
    app = healthy(open_page(page, run=run.id))
    if page == "latent_space":
        assert len(app.get("plotly_chart")) >= 2 and "untrained" not in texts(app)
    if page == "live":
        assert "is imported" in texts(app)


def test_what_became_of_start_weights_is_told_key_by_key(root, open_page):
    import json

    run = write_run(root)
    report = {"source": "/x/<b>vit.safetensors", "matched": {"vision.a": [3, 2]}, "missing": {"vision.b": [4]}, "unused": {"head": [5, 6]}}
    report |= {"adapted": {"vision.pos_embed": {"from": [1, 5, 3], "to": [1, 10, 3], "how": "grid 2 x 2 to 3 x 3"}}, "differing": {}}
    path = run / "provenance.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"init_from": {"vision": report}}))
    app = healthy(open_page("live", run=run.name))
    shown = next(each.value for each in app.dataframe if "what" in each.value.columns)
    assert list(shown["what"]) == ["missing", "unused", "adapted", "matched"] and "2 keys fit" in str([each.label for each in app.expander])
    assert "grid 2 x 2 to 3 x 3" in shown["shape"][2]
