"""The suite zero-shot on a small trained run: as the command line, the jobs and the notebook give it."""

import json
from pathlib import Path

import numpy as np
import pytest

import workbench as wb
from tests.app.folders import write_run
from training import eval_command
from training.__main__ import main
from training.bench import Task
from training.jobs import projected as projected_job
from training.jobs import prompts as prompts_job
from workbench import controls, prompt_bank, prompts
from workbench.analysis.statistics import auroc
from workbench.errors import UserError
from workbench.features import dataset_of, extract
from workbench.jobs import describe_job, write_upload
from workbench.models import load_method
from workbench.run import Run, create_run, read_json, write_json
from workbench.run_config import RunConfig

OWN = {"effusion": {"positive": ["There is fluid.", "Effusion."], "negative": ["No fluid."]}}


def task(run: Run, job: str, folder: Path, **parameters) -> Task:
    made = describe_job(run.path.parent, job, run.id, parameters)
    write_json_folder = made.folder
    write_json_folder.mkdir(parents=True, exist_ok=True)
    write_json(made.folder / "status.json", {"state": "running"})
    folder.mkdir(exist_ok=True)
    return Task(made, parameters, folder)


def test_monitors_evaluation_and_notebook_read_the_same(small_run):
    """The probe set is all of validation here, in the order of its indices."""
    stored = read_json(small_run.path / "artifacts/step-3/zeroshot.json")
    found = wb.open_run(small_run.path).zero_shot().data
    for label, name in enumerate(found.names):
        assert stored["labels"][name]["value"] == pytest.approx(found.auroc[label].value, abs=1e-12)
    method, dataset = load_method(small_run), dataset_of(small_run)
    z = extract(method, dataset, dataset.split("val"), ["image.projected"])["image.projected"]
    expected = prompts.scores(method, z, dataset.prompts, found.names)
    assert found.studies.scores == pytest.approx(expected, abs=1e-6)
    assert found.auroc[0].value == pytest.approx(auroc(expected[:, 0], dataset.labels[dataset.split("val"), 0]))


def test_the_command_prints_one_document_and_keeps_the_record(small_run, capsys):
    main(["eval", str(small_run.path), "--split", "val", "--json"])
    document = json.loads(capsys.readouterr().out)
    record = read_json(Path(document.pop("record")))
    assert document == record and Path(small_run.path / "analysis/eval-zero-shot").is_dir()
    assert {"commit", "config_hash", "data_hash", "prompts", "split", "step", "schema", "suite"} <= set(record)
    assert record["data_hash"] == dataset_of(small_run).data_hash and record["step"] == 3
    assert record["controls"]["shuffled_reports"] is None and "texts: shuffled" in record["controls"]["why"]
    assert "not a shuffled-report control" in record["controls"]["prompts_exchanged"]["what"]
    assert {each["by"] for each in record["groups"]["effusion"]} == {"sex", "age", "view"}
    assert record["findings"]["effusion"]["calibration"]["as scored"]["floor"] > 0
    main(["eval", str(small_run.path), "--split", "test", "--mode", "classes", "--step", "1"])
    said = capsys.readouterr().out
    assert "step 1, test" in said and "macro" in said and "none or several classes left out" in said and "nan" not in said


def test_prompts_of_a_file_and_what_is_refused(small_run, tmp_path, capsys):
    path = tmp_path / "bank.yaml"
    path.write_text(json.dumps(OWN))
    main(["eval", str(small_run.path), "--prompts", str(path), "--json"])
    document = json.loads(capsys.readouterr().out)
    assert list(document["findings"]) == ["effusion"] and document["prompts"]["hash"] == prompt_bank.digest(OWN)
    path.write_text(json.dumps({"effusion": {"positive": ["x" * 10_000], "negative": ["no"]}}))
    for arguments, told in (
        (["--prompts", str(path)], "a prompt of 10,000 characters"),
        (["--prompts", str(tmp_path / "none.yaml")], "no such file"),
        (["--suite", "magic"], "no suite 'magic'; there are zero-shot"),
        (["--split", "all"], "no split 'all'; there are train, val, test"),
        (["--mode", "both"], "no mode 'both'"),
        (["--step", "77"], "no snapshot of step 77"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["eval", str(small_run.path), *arguments])
        said = capsys.readouterr().err
        assert ended.value.code == 2 and told in said and len(said.splitlines()) == 1


def test_a_run_without_the_capability_names_those_that_have_it(tmp_path):
    blind = Run(write_run(tmp_path))
    write_json(blind.path / "status.json", blind.status | {"capabilities": ["Embeds"]})
    with pytest.raises(UserError, match=r"lacks what prompts need \(Projects\); no run here has it; train a method such as clip"):
        eval_command.evaluate(blind, "zero-shot", None, "test", None, "findings")
    able = Run(write_run(tmp_path, "clip", number=7))
    write_json(able.path / "status.json", able.status | {"capabilities": ["Embeds", "Projects"], "method": "clip"})
    with pytest.raises(UserError, match=rf"runs here that have it: {able.id} \(clip\)"):
        eval_command.evaluate(blind, "zero-shot", None, "test", None, "findings")


def test_the_job_gives_each_prompt_its_vector_and_says_what_it_could_not_read(small_run, tmp_path):
    texts = ["Effusion.", "胸腔积液", "<b>No</b> effusion", "word " * 190]
    prompts_job.compute(task(small_run, "prompts", tmp_path / "a", step=3, texts=texts))
    z, told = np.load(tmp_path / "a/vectors.npy"), read_json(tmp_path / "a/read.json")
    method = load_method(small_run, 3)
    alone = np.concatenate([prompts.project(method, [text]) for text in texts])
    assert z == pytest.approx(alone, abs=1e-5) and np.linalg.norm(z, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    unknown, cut = ([each[key] for each in told["reading"]] for key in ("unknown", "cut"))
    assert unknown[0] == unknown[2] == unknown[3] == 0 < unknown[1] and cut == [False, False, False, True]
    for bad in ([], [""], ["x" * 1001], "text", [7]):
        with pytest.raises(UserError):
            prompts_job.compute(task(small_run, "prompts", tmp_path / "b", step=3, texts=bad))


def test_an_uploaded_film_lands_where_the_study_does(small_run, tmp_path):
    dataset, method = dataset_of(small_run), load_method(small_run)
    index = dataset.split("test")[:1]
    name = write_upload(small_run.path.parent, dataset[int(index[0])]["images"][0].array)
    projected_job.compute(task(small_run, "projected", tmp_path / "a", step=3, upload=name))
    assert np.load(tmp_path / "a/vector.npy") == pytest.approx(
        extract(method, dataset, index, ["image.projected"])["image.projected"], abs=1e-5
    )


def test_prompts_leave_a_method_in_training_as_it_was(small_run):
    method = load_method(small_run).train()
    before = {name: value.clone() for name, value in method.state_dict().items()}
    prompts.project(method, ["Effusion."])
    assert method.training and all((value == before[name]).all() for name, value in method.state_dict().items())


def config(**change) -> RunConfig:
    data = {"points": {"config": {"name": "points"}, "texts": change.pop("texts", "own")}}
    return RunConfig.model_validate(
        {"method": {"name": "line", "width": change.pop("width", 3)}, "data": data, "stages": [{"steps": 4}]} | change
    )


def finished(root: Path, **change) -> Run:
    run = create_run(config(**change), root)
    write_json(run.path / "status.json", run.status | {"state": "finished"})
    return run


def test_the_shuffled_control_differs_by_its_texts_alone(tmp_path):
    own = finished(tmp_path, seed=1)
    finished(tmp_path, texts="shuffled", seed=1, width=4)
    finished(tmp_path, seed=2)
    create_run(config(texts="shuffled", seed=1), tmp_path)  # waits
    assert controls.shuffled_twin(own) is None
    other = finished(tmp_path, texts="shuffled", seed=2, name="control")
    assert controls.shuffled_twin(own).id == other.id
    same = finished(tmp_path, texts="shuffled", seed=1)
    assert controls.shuffled_twin(own).id == same.id and controls.shuffled_twin(same) is None
