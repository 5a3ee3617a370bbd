"""Options of the test suite, and a clean environment for every test."""

import os
import sys

import numpy as np
import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
if "PYTEST_XDIST_WORKER" in os.environ:  # two suites of two threads each would wait for each other
    os.environ.setdefault("OMP_NUM_THREADS", "1")


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


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Weights that a test leaves to chance are the same whatever ran before it, in whichever process."""
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)
    np.random.seed(0)


@pytest.fixture(autouse=True, scope="session")
def one_cache(tmp_path_factory):
    """Tests share a cache of their own, unless one is given."""
    if "WORKBENCH_CACHE" not in os.environ:
        os.environ["WORKBENCH_CACHE"] = str(tmp_path_factory.mktemp("cache"))


def trained(recipe, settings, folder):
    """A finished run of three steps of a recipe, in a runs folder of its own."""
    from training.loop import train
    from training.recipe import read
    from training.setup import resolve
    from workbench.run import create_run

    run = create_run(resolve(read(recipe, ["stages=[{steps: 3}]", *settings])), folder)
    train(run, shared=True)
    return run


@pytest.fixture(scope="session")
def small_run(tmp_path_factory, one_cache):
    """A finished M-FLAG run of three steps on phantoms, in a runs folder of its own."""
    data = "data.phantoms.config={name: phantoms, level: teaching, size: 32, train: 96, val: 96, test: 32}"
    sizes = ["method.image_size=32", "method.width=16", "method.dim=12", "method.hidden=24"]
    monitors = "monitors={studies: 96, probe_train: 96}"
    return trained("mflag-phantoms", [data, *sizes, "batch=32", "name=small", monitors], tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="session")
def mae_run(tmp_path_factory, one_cache):
    """A finished MAE run of three steps on phantoms of 64 px in 8 x 8 patches."""
    data = "data.phantoms.config={name: phantoms, level: teaching, size: 64, train: 48, val: 24, test: 0}"
    sizes = ["method.width=24", "method.depth=2", "method.heads=2", "method.decoder_width=16", "method.decoder_heads=2"]
    settings = [data, *sizes, "batch=16", "name=small-mae", "monitors={studies: 24, probe_train: 0}"]
    return trained("mae-phantoms", settings, tmp_path_factory.mktemp("mae-runs"))


PAIRS = "data.phantoms.config={name: phantoms, level: teaching, size: 32, train: 32, val: 16, test: 0}"
TINY = ["method.image_size=32", "method.width=24", "method.depth=2", "method.heads=3", "method.decoder_width=16", "method.decoder_heads=2"]
TINY += [PAIRS, "batch=16", "monitors={studies: 16, probe_train: 0}"]


@pytest.fixture(scope="session")
def m3ae_run(tmp_path_factory, one_cache):
    """A finished M3AE run of three steps on phantoms of 32 px in 4 x 4 patches, with three layers of fusion of two heads."""
    sizes = ["method.text_width=20", "method.text_heads=2", "method.fusion_width=16", "method.fusion_depth=3", "method.fusion_heads=2"]
    return trained("m3ae-phantoms", [*TINY, *sizes, "name=small-m3ae"], tmp_path_factory.mktemp("m3ae-runs"))


@pytest.fixture(scope="session")
def medflip_run(tmp_path_factory, one_cache):
    """A finished MedFLIP run of three steps on the same."""
    settings = [*TINY, "method.dim=9", "name=small-medflip", "validation={every: 100}"]
    return trained("medflip-phantoms", settings, tmp_path_factory.mktemp("medflip-runs"))
