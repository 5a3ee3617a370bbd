"""Study files and the table of claims: what they refuse, and small ones from training to their record. 32 px, two steps, two seeds."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from training import recipe, studies
from training.__main__ import main
from training.arms import main as run_arms
from training.asked import ALL, Asked
from training.measures import Judged, measured
from training.paired import check_pair
from training.plans import CLAIMS, arm_config, read_claims, read_plan
from training.studies import claims as study
from workbench.errors import UserError
from workbench.run import Run, list_runs

DATA = {"name": "phantoms", "level": "teaching", "size": 32, "train": 64, "val": 32, "test": 48}
SMALL = {"method.image_size": 32, "method.width": 16, "method.dim": 12, "method.hidden": 24}
SHARED = {"data.phantoms.config": DATA, "stages": [{"steps": 2}], "batch": 16, "monitors.studies": 0, "monitors.probe_train": 0}
TABLE = {
    "seeds": [0, 1],
    "settings": SHARED,
    "controls": {
        "clip": {"recipe": "clip-phantoms", "settings": {**SMALL, "method.duplicates": "hard"}},
        "mflag": {"recipe": "mflag-phantoms", "settings": {**SMALL, "method.weights": {"alignment": 1.0, "orthogonality": 0.0}}},
    },
    "rows": [
        {"name": "a", "method": "mflag", "term": "orthogonality", "settings": {"method.weights.orthogonality": 9.0}, "mechanism": "correlation", "outcome": "probe"},
        {"name": "b", "method": "mflag", "term": "ends", "settings": {"method.batch_norm_ends": False}, "mechanism": "directions", "outcome": "zero-shot"},
        {"name": "c", "method": "clip", "term": "repeats", "settings": {"method.duplicates": "drop_duplicates"}, "mechanism": "pair margin", "outcome": "retrieval"},
    ],
}  # fmt: skip
PLAN = {
    "question": "How much?",
    "recipe": "mae-phantoms",
    "settings": {**SHARED, "method.image_size": 32, "method.width": 16, "method.depth": 1, "method.heads": 2, "method.decoder_width": 16},
    "seeds": [0, 1],
    "control": "half",
    "arms": {"half": {"method.mask_ratio": 0.5}, "most": {"method.mask_ratio": 0.75}},
    "measures": ["hidden patches", "step seconds"],
}


def put(values, path: Path) -> Path:
    path.write_text(yaml.safe_dump(values))
    return path


def laid(values, changes):
    """A copy of nested values with `path.to.key: value` laid over; a value of None takes the key out."""
    copy = json.loads(json.dumps(values))
    for path, value in changes.items():
        *parents, last = path.split("/")
        here = copy
        for parent in parents:
            here = here[int(parent)] if isinstance(here, list) else here[parent]
        here[last] = value
    return copy


def by_seed(root: Path, name: str) -> list[Run]:
    """The runs of an arm, in the order of their seeds."""
    found = [Run(root / each["id"]) for each in list_runs(root) if each["name"] == name]
    return sorted(found, key=lambda run: run.config["seed"])


@pytest.fixture(scope="module")
def conducted(tmp_path_factory, one_cache):
    """Rows a and b of the table, trained and judged: root, record, text."""
    root = tmp_path_factory.mktemp("claims")
    path = put(TABLE, root / "claims.yaml")
    return root, *study.main(root, Asked(only=("a", "b")), path)


def test_rows_are_judged_against_one_control_of_their_method(conducted):
    root, document, text = conducted
    names = sorted(each["name"] for each in list_runs(root))
    assert names == ["a", "a", "b", "b", "control of mflag", "control of mflag"]
    control = by_seed(root, "control of mflag")
    assert all(run.config["method"]["name"] == "mflag" and run.config["method"]["weights"]["orthogonality"] == 0 for run in control)
    row = document["rows"]["a"]
    assert len(row["mechanism"]["control"]) == len(row["mechanism"]["with"]) == len(row["seconds a run"]) // 2 == 2
    for which, runs in (("control", control), ("with", by_seed(root, "a"))):
        assert row["mechanism"][which] == [measured(Judged(run), "correlation") for run in runs]
        assert row["outcome"][which] == [measured(Judged(run), "probe") for run in runs]
    assert document["rows"]["b"]["control_config_hash"] == row["control_config_hash"] != row["config_hash"]
    assert row["data_hash"] and {"commit", "config_hash", "made"} <= set(row) and row["trials"] == 1 and row["seeds"] == [0, 1]
    difference = np.subtract(row["mechanism"]["control"], row["mechanism"]["with"])  # of a measure that is better when low
    assert row["mechanism"]["gain"]["value"] == pytest.approx(difference.mean()) and row["mechanism"]["better"] == "low"
    assert row["result"].startswith("mechanism ") and f"a (mflag: orthogonality): {row['result']}" in text


def test_what_did_not_run_says_so_and_a_finished_table_trains_nothing(conducted, monkeypatch):
    root, document, text = conducted
    assert "c (clip: repeats): not run" in text
    monkeypatch.setattr("training.loop.train", lambda *given, **more: pytest.fail("trained again"))
    monkeypatch.setattr("training.measures.load_method", lambda *given: pytest.fail("measured again"))
    again, _ = study.main(root, Asked(only=("a",)), root / "claims.yaml")
    assert again["rows"]["a"]["mechanism"] == document["rows"]["a"]["mechanism"] and again["rows"]["b"] == document["rows"]["b"]


def test_seeds_of_a_row_and_its_control_start_alike_and_see_the_same_order(conducted):
    root = conducted[0]
    runs = {(each["name"], Run(root / each["id"]).config["seed"]): Run(root / each["id"]) for each in list_runs(root)}
    check_pair(runs["control of mflag", 0], runs["a", 0])
    first = {name: next(each for each in runs[name, 0].metrics() if each["kind"] == "train") for name in ("control of mflag", "a")}
    assert first["a"]["terms"] == first["control of mflag"]["terms"]
    with pytest.raises(UserError, match="seed is not that of its control"):
        check_pair(runs["control of mflag", 0], runs["a", 1])


def test_a_run_that_started_otherwise_is_not_paired(conducted, tmp_path):
    import shutil

    from safetensors.torch import load_file, save_file

    root = conducted[0]
    runs = {each["name"]: Run(root / each["id"]) for each in list_runs(root) if Run(root / each["id"]).config["seed"] == 0}
    other = Run(shutil.copytree(runs["a"].path, tmp_path / runs["a"].id))
    file = other.snapshot(0) / "model.safetensors"
    weights = load_file(file)
    name = next(iter(weights))
    save_file({**weights, name: weights[name] + 1}, file)
    with pytest.raises(UserError, match=f"{name} did not start as in its control"):
        check_pair(runs["control of mflag"], other)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"controls/gloria2": {"recipe": "clip-phantoms"}}, "no method 'gloria2'; the methods are clip,"),
        ({"controls/mae": {"recipe": "clip-phantoms"}}, "recipe clip-phantoms trains clip; name a recipe of mae"),
        ({"rows/0/method": "mae"}, "row a: method 'mae' has no control; those with one are clip, mflag"),
        ({"rows/0/settings": {"method.weight": 1}}, "unknown key weight; the keys here are"),
        ({"rows/0/settings": {"batch": 8}}, "row a: batch is not the method's"),
        ({"rows/0/settings": {"method.name": "clip"}}, "row a: method.name is not the method's"),
        ({"rows/0/settings": {"method.hidden": 24}}, "row a: its settings are those of the control"),
        ({"rows/0/mechanism": "luck"}, "row a: mechanism: no mechanism measure 'luck' for method mflag; the mechanism measures are step seconds,"),
        ({"rows/0/mechanism": "probe"}, "no mechanism measure 'probe'"),
        ({"rows/0/outcome": "questions"}, "no outcome measure 'questions' for method mflag; the outcome measures are probe, zero-shot, retrieval"),
        ({"rows/1/name": "a"}, "row a: there are two of this name"),
        ({"rows": TABLE["rows"] * 5}, "rows: Tuple should have at most 12 items"),
        ({"seconds": 600}, "seconds: Input should be less than or equal to 120"),
        ({"rows/0/because": "x"}, "unknown key rows.0.because"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_run_is_refused_when_it_is_read(changes, message, tmp_path):
    with pytest.raises(UserError, match=message):
        read_claims(put(laid(TABLE, changes), tmp_path / "claims.yaml"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"control": "none"}, "control: no arm 'none'; the arms are half, most"),
        ({"measures": ["luck"]}, "no measure 'luck' for method mae; the measures are probe, hidden patches,"),
        ({"arms/most": {"method.mask": 0.5}}, "arms.most: method mae: unknown key mask"),
        ({"recipe": "mae"}, "mae: no such recipe or file"),
    ],
)
def test_a_study_that_cannot_be_run_is_refused_when_it_is_read(changes, message, tmp_path):
    with pytest.raises(UserError, match=message):
        read_plan(put(laid(PLAN, changes), tmp_path / "plan.yaml"))


def test_a_study_file_runs_from_training_to_its_table(tmp_path, capsys):
    path, runs = put(PLAN, tmp_path / "how-much.yaml"), tmp_path / "runs"
    main(["study", str(path), "--runs", str(runs), "--json", "--results", str(tmp_path / "results")])
    document = json.loads(capsys.readouterr().out)
    told = document["arms"]["most"]["measures"]
    assert told["step seconds"]["gain"]["value"] == pytest.approx(
        np.subtract(told["step seconds"]["control"], told["step seconds"]["with"]).mean()
    )
    assert told["hidden patches"]["better"] == "high" and document["plan"]["seeds"] == [0, 1] and list(document["arms"]) == ["most"]
    assert json.loads((runs / "studies/how-much/record.json").read_text()) == document
    assert json.loads((tmp_path / "results/how-much.json").read_text())["data_hash"] == document["data_hash"]
    for which, name in (("control", "half"), ("with", "most")):
        assert told["hidden patches"][which] == [
            measured(Judged(run), "hidden patches") for run in by_seed(runs / "studies/how-much", name)
        ]
    masked = {Run(runs / "studies/how-much" / each["id"]).config["method"]["mask_ratio"] for each in list_runs(runs / "studies/how-much")}
    assert masked == {0.5, 0.75}


def test_settings_reach_the_recipe_as_they_were_written():
    values = {"a": None, "b": True, "c": {"d": ["x: y", 0.5]}, "e": "no"}
    assert recipe.override({}, recipe.spelled(values)) == values


def test_a_copied_record_keeps_six_digits(tmp_path):
    from training.records import write_record

    assert json.loads(write_record(tmp_path / "a/b.json", {"x": [1 / 3, 7]}).read_text()) == {"x": [0.333333, 7]}


def test_what_is_tried_out_lies_apart_and_is_no_result(tmp_path):
    path, settings = put(PLAN, tmp_path / "plan.yaml"), ("method.norm_pix=true",)
    with pytest.raises(UserError, match="--results with --seeds 1: what was changed is no result"):
        studies.conduct(str(path), tmp_path, Asked(seeds=1, settings=settings, results=tmp_path))
    document, text = studies.conduct(str(path), tmp_path, Asked(seeds=1, settings=settings))
    assert (tmp_path / "studies/plan-changed/record.json").is_file() and not (tmp_path / "studies/plan").exists()
    assert document["changed"] == ["--seeds 1", "--set method.norm_pix=true"] and "changed: --seeds 1" in text and "one seed" in text
    assert all(Run(tmp_path / "studies/plan-changed" / each["id"]).config["method"]["norm_pix"] for each in list_runs(tmp_path / "studies/plan-changed"))  # fmt: skip


def test_what_is_asked_of_a_study_must_be_there(tmp_path, monkeypatch):
    path = put(PLAN, tmp_path / "plan.yaml")
    for asked, message in ((Asked(only=("some",)), "--only some: there are half, most"), (Asked(seeds=0), "--seeds 0: it has 2"), (Asked(seeds=3), "--seeds 3: it has 2")):  # fmt: skip
        with pytest.raises(UserError, match=message):
            run_arms(path, tmp_path, asked)
    monkeypatch.delenv("WORKBENCH_TEST_DATA", raising=False)  # were it not refused, it would begin
    with pytest.raises(UserError, match="study real-small: is one piece; it takes no --only, --seeds or --set"):
        studies.conduct("real-small", tmp_path, Asked(seeds=1))
    with pytest.raises(UserError, match="no such file; give the path of an existing YAML file"):
        studies.conduct(str(tmp_path / "no-such.yaml"), tmp_path, ALL)


@pytest.mark.parametrize("path", sorted(studies.FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_study_that_comes_with_the_workbench_is_complete(path):
    from training.setup import trained_names
    from workbench.models import build_method

    plan = read_plan(path)
    assert all(word in path.read_text().split("\n\n")[0] for word in ("command:", "hardware:", "time:"))
    for name in plan.arms:
        config = arm_config(plan, name)
        if config.stages[0].trainable != ("*",):
            method = build_method(config.method, 0)
            assert len({len(trained_names(method, stage.trainable, stage.top_layers)) for stage in config.stages}) == len(config.stages)


def test_the_claims_of_the_workbench_can_be_run():
    claims = read_claims(CLAIMS)
    assert len(claims.seeds) == 5 and len(claims.rows) <= 12 and {row.method for row in claims.rows} == {"medflip", "mflag", "m3ae", "clip"}
    for row in claims.rows:
        config = claims.configured(row.method, row.settings)
        assert config.method["image_size"] == 64 and config.data["phantoms"].config["test"] == 2000
