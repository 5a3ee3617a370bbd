"""A runs folder per test, and the app on it."""

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

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
