"""Options of the test suite, and a clean environment for every test."""

import os

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")


def pytest_addoption(parser):
    parser.addoption(
        "--sabotage",
        nargs="?",
        const="sample",
        choices=["sample", "all"],
        help="break the code on purpose and check that the named tests notice: one break a target file, or all",
    )


def pytest_configure(config):
    if config.getoption("--sabotage") and config.args == config.getini("testpaths"):
        config.args[:] = ["tests/sabotage/run_sabotage.py"]
        config.option.sabotage_only = True


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--sabotage"):
        return
    other = [item for item in items if item.path.name != "run_sabotage.py"]
    config.hook.pytest_deselected(items=other)
    items[:] = [item for item in items if item.path.name == "run_sabotage.py"]


@pytest.fixture(autouse=True, scope="session")
def one_cache(tmp_path_factory):
    """Tests share a cache of their own, unless one is given."""
    if "WORKBENCH_CACHE" not in os.environ:
        os.environ["WORKBENCH_CACHE"] = str(tmp_path_factory.mktemp("cache"))
