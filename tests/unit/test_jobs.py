"""Analysis jobs as a page sees them: asked once, cached by what they depend on, read by polling a file."""

import json

import pytest

from workbench import jobs
from workbench.errors import UserError
from workbench.jobs import describe_job, list_jobs, open_job, request_job, waiting_jobs
from workbench.run import RunConfig, create_run, write_json


@pytest.fixture(autouse=True)
def nobody_starts(monkeypatch):
    started = []
    monkeypatch.setattr(jobs, "start_queue", lambda root: started.append(root))
    return started


def a_run(root):
    values = {"method": {"name": "line"}, "data": {"points": {"config": {"name": "points"}}}, "seed": 3}
    run = create_run(RunConfig.model_validate(values), root)
    write_json(run.path / "status.json", run.status | {"data_hash": "abc"})
    return run


def test_a_job_is_asked_for_once_and_finished_where_its_result_lies(tmp_path, nobody_starts):
    run = a_run(tmp_path)
    job = request_job(tmp_path, "map", run.id, {"feature": "image.backbone", "step": 4})
    again = request_job(tmp_path, "map", run.id, {"step": 4, "feature": "image.backbone"})
    assert again == job and len(waiting_jobs(tmp_path)) == 1 and nobody_starts == [tmp_path, tmp_path]
    assert (job.status()["state"], job.done) == ("waiting", False)
    assert job.result == run.path / "analysis" / "map" / job.id.removeprefix("map-")
    job.result.mkdir(parents=True)
    assert request_job(tmp_path, "map", run.id, {"feature": "image.backbone", "step": 4}).status()["state"] == "finished"
    assert len(nobody_starts) == 2, "a cached result starts nothing"
    assert open_job(tmp_path, job.id) == job


def test_the_key_depends_on_step_parameters_data_and_version(tmp_path, monkeypatch):
    run, other = a_run(tmp_path), a_run(tmp_path)
    base = {"feature": "image.backbone", "step": 4, "seed": 0}
    keys = {describe_job(tmp_path, "map", run.id, base | change).id for change in ({}, {"step": 5}, {"seed": 1}, {"feature": "x"})}
    keys.add(describe_job(tmp_path, "map", other.id, base).id)
    write_json(run.path / "status.json", run.status | {"data_hash": "changed"})
    keys.add(describe_job(tmp_path, "map", run.id, base).id)
    monkeypatch.setattr(jobs, "version", lambda name: 99)
    keys.add(describe_job(tmp_path, "map", run.id, base).id)
    assert len(keys) == 7


def test_a_failed_or_cancelled_job_is_begun_again_and_one_that_waits_can_be_given_up(tmp_path):
    job = request_job(tmp_path, "schema", None, {"kind": "methods", "name": "clip"})
    assert job.result.parent == tmp_path / "jobs" / "results" / "schema"
    job.cancel()
    write_json(job.folder / "status.json", {"state": "cancelled", "tries": 2})
    assert request_job(tmp_path, "schema", None, {"kind": "methods", "name": "clip"}).status()["state"] == "waiting"
    assert not (job.folder / "cancel").exists() and "tries" not in job.status()


def test_a_result_that_was_deleted_is_said_so(tmp_path):
    job = request_job(tmp_path, "schema", None, {"kind": "methods", "name": "clip"})
    write_json(job.folder / "status.json", {"state": "finished"})
    assert "was deleted; ask for it again" in job.status()["error"]
    assert [(each["name"], each["state"]) for each in list_jobs(tmp_path)] == [("schema", "failed")]


def test_unknown_jobs_runs_and_identifiers_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"no analysis job named 'magic'; known: .*map"):
        request_job(tmp_path, "magic", None, {})
    with pytest.raises(UserError, match="no such run"):
        request_job(tmp_path, "map", "nothing", {})
    with pytest.raises(UserError, match="no job identifier"):
        open_job(tmp_path, "../../etc")
    job = request_job(tmp_path, "schema", None, {"kind": "methods", "name": "clip"})
    write_json(job.folder / "request.json", json.loads((job.folder / "request.json").read_text()) | {"result": str(tmp_path.parent / "x")})
    with pytest.raises(UserError, match="outside the runs folder"):
        open_job(tmp_path, job.id)


def test_a_schema_is_asked_for_by_the_hash_of_its_file(tmp_path):
    assert jobs.schema(tmp_path, "methods", "clip") is None
    job = list_jobs(tmp_path)[0]
    folder = open_job(tmp_path, job["id"]).result
    folder.mkdir(parents=True)
    (folder / "schema.json").write_text('{"title": "Config"}')
    assert jobs.schema(tmp_path, "methods", "clip") == {"title": "Config"}
    with pytest.raises(UserError, match="no methods named"):
        jobs.schema(tmp_path, "methods", "../run")


def test_old_jobs_are_forgotten_but_not_those_that_wait_nor_results(tmp_path):
    ended = request_job(tmp_path, "schema", None, {"kind": "methods", "name": "clip"})
    open_one = request_job(tmp_path, "schema", None, {"kind": "methods", "name": "mflag"})
    ended.result.mkdir(parents=True)
    assert jobs.forget(tmp_path, 3600) == 0
    assert jobs.forget(tmp_path, -1) == 1
    assert not ended.folder.exists() and ended.done and open_one.status()["state"] == "waiting"
