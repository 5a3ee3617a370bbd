"""`pytest --sabotage`: every break must turn its tests from green to red.

The tree is copied once. Each break is applied to the copy and its tests run in a fork of a process that has only the
heavy libraries loaded, so a break costs about a second.
"""

import importlib
import os
import pickle
import pkgutil
import random
import shutil
import sys
from pathlib import Path

import pytest

import tests.sabotage as package
from tests.sabotage import Sabotage

ROOT = Path(__file__).parents[2]
LEFT_OUT = shutil.ignore_patterns(".venv", ".git", "runs", "__pycache__", ".*_cache", "screenshots", "*.egg-info")


def every() -> list[Sabotage]:
    """All breaks of all files in tests/sabotage."""
    files = [info.name for info in pkgutil.iter_modules(package.__path__) if info.name != "run_sabotage"]
    return [each for name in files for each in importlib.import_module(f"tests.sabotage.{name}").SABOTAGES]


def sampled(breaks: list[Sabotage]) -> list[Sabotage]:
    """One a target file, another one at every state of the code."""
    found = []
    for target in sorted({each.target for each in breaks}):
        draw = random.Random((ROOT / target).read_bytes())
        found.append(draw.choice([each for each in breaks if each.target == target]))
    return found


def chosen(option: str) -> list[Sabotage]:
    """`all` of them, one a target file, or the first of two halves of those (`1/2`)."""
    if option == "all":
        return every()
    breaks, (part, _, parts) = sampled(every()), option.partition("/")
    random.Random(0).shuffle(breaks)  # neighbours cost alike: halves of equal length
    return breaks[int(part) - 1 :: int(parts)] if parts else breaks


def pytest_generate_tests(metafunc):
    breaks = chosen(metafunc.config.getoption("--sabotage"))
    names = [f"{Path(each.target).stem}: {each.why}" for each in breaks]
    if "sabotage" in metafunc.fixturenames:
        metafunc.parametrize("sabotage", breaks, ids=names)


class Outcomes:
    """A plugin that remembers how each test ended."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}

    def pytest_runtest_logreport(self, report) -> None:
        if report.when == "call" or report.outcome != "passed":
            self.found[report.nodeid] = report.outcome if report.when == "call" or report.outcome == "skipped" else "failed"

    def pytest_collectreport(self, report) -> None:
        if report.failed:
            self.found[report.nodeid] = "broken at import"


def outcomes(tree: Path, tests: list[str]) -> dict[str, str]:
    """Test id -> passed, failed or skipped, run in a fork whose packages come from `tree`."""
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(readable)
            os.setsid()
            os.chdir(tree)
            sys.path.insert(0, str(tree))
            for name in [name for name in sys.modules if name.split(".")[0] in ("workbench", "training", "app", "tests", "conftest")]:
                del sys.modules[name]
            os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
            sys.dont_write_bytecode = True
            with open(os.devnull, "w") as quiet:
                os.dup2(quiet.fileno(), 1)
                os.dup2(quiet.fileno(), 2)
            plugin = Outcomes()
            pytest.main(
                ["-q", "-x" if len(tests) == 1 else "-q", "-p", "no:cacheprovider", "--rootdir", str(tree), *tests], plugins=[plugin]
            )
            with os.fdopen(writable, "wb") as pipe:
                pipe.write(pickle.dumps(plugin.found))
        finally:
            os._exit(0)
    os.close(writable)
    with os.fdopen(readable, "rb") as pipe:
        data = pipe.read()
    os.waitpid(child, 0)
    assert data, f"the process that ran {tests} died"
    return pickle.loads(data)


def outcome_of(found: dict[str, str], test: str) -> str:
    """Of a test, or of all parameters of it: failed if one failed."""
    own = [outcome for name, outcome in found.items() if name == test or name.startswith(f"{test}[") or test.startswith(name)]
    return next((each for each in own if each != "passed"), "passed") if own else "not run"


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    import torch  # the forks find them loaded
    import torch.nn.functional  # noqa: F401

    target = tmp_path_factory.mktemp("tree") / "copy"
    shutil.copytree(ROOT, target, ignore=LEFT_OUT, symlinks=True)
    return target


@pytest.fixture(scope="module")
def before(tree, request):
    """How every named test ends on the unbroken code; where the whole suite has just passed, as it did then."""
    tests = sorted({test for each in chosen(request.config.getoption("--sabotage")) for test in each.tests})
    return dict.fromkeys(tests, "passed") if request.config.getoption("--suite-passed") else outcomes(tree, tests)


def test_a_break_is_noticed(sabotage, tree, before, request):
    path = tree / sabotage.target
    original = path.read_text()
    assert original.count(sabotage.find) == 1, (
        f"{sabotage.target}: {sabotage.find!r} occurs {original.count(sabotage.find)} times, not once"
    )
    green = {test: outcome_of(before, test) for test in sabotage.tests}
    if "skipped" in green.values():
        pytest.skip(f"needs what this machine lacks: {green}")
    assert set(green.values()) == {"passed"}, f"not green before: {green}"
    path.write_text(original.replace(sabotage.find, sabotage.replace))
    try:
        after = outcomes(tree, sabotage.tests)
    finally:
        path.write_text(original)
    if request.config.getoption("--suite-passed") and "skipped" in [outcome_of(after, test) for test in sabotage.tests]:
        pytest.skip(f"needs what this machine lacks: {after}")
    unnoticed = [test for test in sabotage.tests if outcome_of(after, test) in ("passed", "skipped", "not run")]
    assert not unnoticed, f"{sabotage.why}: still green: {unnoticed}"
