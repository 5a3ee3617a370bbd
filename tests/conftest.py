"""Options of the test suite, and a clean environment for every test."""

import os

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")


def pytest_addoption(parser):
    parser.addoption(
        "--sabotage",
        nargs="?",
        const="sample",
        choices=["sample", "all", "1/2", "2/2"],
        help="break the code on purpose and check that the named tests notice: one break a target file, one half of these, or all",
    )
    parser.addoption(
        "--suite-passed", action="store_true", help="with --sabotage: the suite has just passed, its tests are not run unbroken again"
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


@pytest.fixture(scope="session")
def small_run(tmp_path_factory, one_cache):
    """A finished M-FLAG run of three steps on phantoms, in a runs folder of its own."""
    from training.loop import train
    from training.recipe import read
    from training.setup import resolve
    from workbench.run import create_run

    data = "data.phantoms.config={name: phantoms, level: teaching, size: 32, train: 96, val: 96, test: 32}"
    settings = [
        data,
        "method.image_size=32",
        "method.width=16",
        "method.dim=12",
        "method.hidden=24",
        "stages=[{steps: 3}]",
        "batch=32",
        "name=small",
    ]
    monitors = "monitors={studies: 96, probe_train: 96}"
    run = create_run(resolve(read("mflag-phantoms", [*settings, monitors])), tmp_path_factory.mktemp("runs"))
    train(run, shared=True)
    return run


@pytest.fixture(scope="session")
def mae_run(tmp_path_factory, one_cache):
    """A finished MAE run of three steps on phantoms of 64 px in 8 x 8 patches."""
    from training.loop import train
    from training.recipe import read
    from training.setup import resolve
    from workbench.run import create_run

    data = "data.phantoms.config={name: phantoms, level: teaching, size: 64, train: 48, val: 24, test: 0}"
    sizes = ["method.width=24", "method.depth=2", "method.heads=2", "method.decoder_width=16", "method.decoder_heads=2"]
    settings = [data, *sizes, "stages=[{steps: 3}]", "batch=16", "name=small-mae", "monitors={studies: 24, probe_train: 0}"]
    run = create_run(resolve(read("mae-phantoms", settings)), tmp_path_factory.mktemp("mae-runs"))
    train(run, shared=True)
    return run
