"""A runs folder per test, the app on it, and the worker in this process."""

import importlib
import os
import shutil
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from training.bench import Task
from workbench import jobs
from workbench.jobs import Job, request_job
from workbench.run import Run

ENTRY = str(Path(__file__).parents[2] / "app" / "streamlit_app.py")
PAGES = ("runs", "live", "latent_space")


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("WORKBENCH_PLUGINS", "tests.toys")
    st.cache_data.clear()
    st.cache_resource.clear()
    return tmp_path / "runs"


@pytest.fixture
def open_page(root):
    """open_page(name, **query) runs a page of the app and returns it; whatever it raised is in `.exception`."""

    def opened(name: str, **query) -> AppTest:
        app = AppTest.from_file(ENTRY, default_timeout=30)
        for key, value in query.items():
            app.query_params[key] = value
        app.run()
        return app if name == "runs" else app.switch_page(f"pages/{name}.py").run()

    return opened


def texts(app: AppTest) -> str:
    """Everything a page says in words, as it was handed to the browser."""
    kinds = (app.markdown, app.caption, app.html, app.code, app.error, app.toast)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


@pytest.fixture
def nobody_serves(monkeypatch):
    """What is asked for waits until the test computes it."""
    monkeypatch.setattr(jobs, "start_queue", lambda root: None)


def compute(root, name, run_id, parameters) -> Job:
    """What the worker does, in this process."""
    job = request_job(root, name, run_id, parameters)
    if not job.done:
        aside = job.result.with_name(f".{job.result.name}.part")
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        importlib.import_module(f"training.jobs.{name}").compute(Task(job, parameters, aside))
        os.replace(aside, job.result)
    return job


@pytest.fixture
def copied(root):
    """copied(run): the finished run in this test's own folder."""

    def copy(run: Run) -> Run:
        root.mkdir(exist_ok=True)
        return Run(shutil.copytree(run.path, root / run.id))

    return copy
