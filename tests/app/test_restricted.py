"""A credentialed data set: no page carries a film, a sentence of a report or anything drawn from one until the reader asks for it."""

import json
import re
import shutil

import numpy as np
import pytest

from app import place
from tests.app.conftest import compute, texts
from tests.app.test_pages import healthy
from training.__main__ import main
from workbench import jobs
from workbench.features import dataset_of
from workbench.run import Run

DRAWN = ("image_grid", "points", "points_aside")  # components that carry bytes
PAGES = ("runs", "live", "latent_space", "map", "reconstruction", "attention", "zero_shot", "retrieval", "compare", "launch", "data")


@pytest.fixture(autouse=True)
def served(monkeypatch):
    """What the worker does, at once and in this process."""
    monkeypatch.setattr(jobs, "start_queue", lambda root: None)
    monkeypatch.setattr("app.work.ask", compute)


@pytest.fixture(params=["mae_run", "small_run", "m3ae_run", "medflip_run"])
def run(request, root, monkeypatch):
    """A finished run whose phantoms are now somebody's films."""
    made = request.getfixturevalue(request.param)
    root.mkdir(exist_ok=True)
    shutil.copytree(made.path, root / made.id)
    monkeypatch.setattr(type(dataset_of(made)), "terms", "credentialed")
    return Run(root / made.id)


def sentences(dataset) -> set[str]:
    """Every sentence of every report that says more than three words."""
    found = {text.text for index in range(len(dataset)) for text in dataset[index]["texts"]}
    return {part for text in found for part in re.split(r"(?<=[.!?]) ", text) if len(part.split()) > 3}


def carried(app) -> tuple[str, int]:
    """All words and figure specifications that went to the browser, and how many of the figures and elements are pictures."""
    charts = [chart.proto.spec for chart in app.get("plotly_chart")]
    pictures = (
        sum("image/png;base64" in chart or '"type":"image"' in chart for chart in charts) + len(app.get("imgs")) + len(app.get("image"))
    )
    grids = [each.proto.bytes for each in app.get("bidi_component") if each.proto.component_name in DRAWN]
    words = [each.partition(b"\xff\xd8\xff")[0].decode(errors="replace") for each in grids]
    return "\n".join([texts(app), *charts, *words]), pictures + sum(b"\xff\xd8\xff" in each for each in grids)


@pytest.fixture
def exported(monkeypatch):
    """The rows under every Details that a page drew: what its CSV holds; keys and names are words of the table, not of a report."""
    rows, details = [], place.details

    def noted(key, formula, numbers, *rest, **more):
        rows.extend(numbers() if callable(numbers) else numbers)
        details(key, formula, numbers, *rest, **more)

    monkeypatch.setattr(place, "details", noted)
    return rows


@pytest.mark.parametrize("name", PAGES)
def test_no_page_carries_a_film_or_a_sentence_until_asked(name, run, open_page, exported):
    dataset = dataset_of(run)
    study = dataset.keys[int(dataset.split("val")[0])]
    query = {"run": run.id, "sample": study, "hide": "painted"}
    app = healthy(open_page(name, **query))
    said, pictures = carried(app)
    assert pictures == 0 and not [sentence for sentence in sentences(dataset) if sentence in said]
    assert exported or name in ("runs", "live", "launch")
    saved = place.table([{"row": json.dumps(row, default=str)} for row in exported])
    assert not [sentence for sentence in sentences(dataset) if sentence in saved] and not [key for key in dataset.keys if key in saved]
    if not [button for button in app.button if button.key == "show_films"]:
        assert name in ("runs", "live", "launch") or "credentialed" not in said
        return
    app = healthy(app.button(key="show_films").click().run())
    said, pictures = carried(app)
    assert not [button for button in app.button if button.key == "show_films"]
    assert pictures or "heatmap" in said, "what the reader asked for is shown"


def test_records_of_a_restricted_run_hold_no_report(run):
    """Everything a run folder keeps: configuration, logs, metrics, looks."""
    wanted = sentences(dataset_of(run))
    for path in run.path.rglob("*"):
        if path.is_file() and path.suffix in (".json", ".jsonl", ".yaml", ".log", ".csv", ".txt"):
            text = path.read_text()
            assert not [sentence for sentence in wanted if sentence in text], path.name
    films = np.stack([dataset_of(run)[index]["images"][0].array for index in range(4)])
    for path in run.path.rglob("*.np[yz]"):
        held = np.load(path, allow_pickle=False)
        for each in held.values() if path.suffix == ".npz" else [held]:
            assert each.shape[-2:] != films.shape[-2:], f"{path.name} may hold films"


def test_documents_of_the_command_line_hold_no_report(run, capsys, root):
    dataset = dataset_of(run)
    prompted = {
        prompt for sides in dataset.prompts.values() for given in sides.values() for prompt in given
    }  # told to the reader: not a report
    (root / "recipe.yaml").write_text(json.dumps({"method": {"name": "mae"}, "data": {"films": {"config": run.source[1]}}}))
    commands = [
        ["spectra", str(run.path), "--json"],
        ["runs", "--runs", str(root), "--json"],
        ["data", "card", str(root / "recipe.yaml"), "--json"],
    ]
    if "Projects" in run.status["capabilities"]:
        commands.append(["eval", str(run.path), "--split", "val", "--json"])
    for command in commands:
        main(command)
        said = capsys.readouterr().out
        assert len(said) > 100 and not [each for each in sentences(dataset) - prompted if each in said], command
