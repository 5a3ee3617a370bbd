"""The house rules: import contracts, style, types, what needs no torch, figures and analyses that match by name."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from workbench import registry

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
TORCH_FREE = ["workbench.run", "workbench.registry", "workbench.config", "workbench.embeddings", "workbench.dataset", "workbench.datasets"]
TORCH_FREE += [
    "workbench.jobs",
    "workbench.randomness",
    "workbench",
    "workbench.prompt_bank",
    "workbench.controls",
    "workbench.capable",
    "workbench.tiles",
    "workbench.gridwidget",
    "training.supervisor",
    "training.bench",
    "training.jobs.factors",
    "training.worker",
    "training.launch",
    "app.actions",
]
TORCH_FREE += [f"workbench.{kind}.{name}" for kind in ("data", "analysis", "figures") for name in registry.names(kind)]


@pytest.mark.parametrize(
    "command",
    [["lint-imports", "--no-cache"], ["ruff", "check", "-q"], ["ruff", "format", "--check", "-q"], ["mypy"]],
    ids=lambda each: each[0],
)
def test_the_house_is_in_order(command):
    found = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-2000:]


def test_what_needs_no_torch_imports_none():
    code = "import importlib, sys\nfor name in sys.argv[1:]:\n    importlib.import_module(name)\n"
    code += "print([name for name in ('torch', 'timm', 'torchvision', 'transformers', 'umap', 'captum', 'openTSNE', 'pynndescent', 'anywidget', 'pandas') if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code, *TORCH_FREE], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("name", registry.names("figures"))
def test_a_figure_file_belongs_to_an_analysis_file(name):
    assert name == "theme" or name in registry.names("analysis")


@pytest.mark.parametrize("path", sorted((ROOT / "app/pages").glob("*.py")), ids=lambda path: path.stem)
def test_a_page_chooses_calls_and_places(path):
    tree = ast.parse(path.read_text())
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert not {name for name in imported if name.split(".")[0] in ("numpy", "plotly", "json", "pandas")}, (
        "pages hold no numpy, figures or files"
    )
    assert len(path.read_text().splitlines()) <= 100


@pytest.mark.parametrize("name", [f"workbench.{kind}.{name}" for kind in ("analysis", "figures") for name in registry.names(kind)])
def test_every_public_function_says_what_it_is(name):
    path = ROOT / (name.replace(".", "/") + ".py")
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree)
    public = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")]
    exported = [node for node in public if isinstance(node, ast.ClassDef)] or public
    assert all(ast.get_docstring(node) for node in exported), [node.name for node in exported if not ast.get_docstring(node)]


def test_every_break_names_a_text_and_tests_that_exist():
    """A break whose test was renamed would spoil the whole suite of breaks."""
    from tests.sabotage.run_sabotage import every

    texts = {
        path: (ROOT / path).read_text() for each in every() for path in (each.target, *(test.partition("::")[0] for test in each.tests))
    }
    for each in every():
        assert texts[each.target].count(each.find) == 1, f"{each.target}: {each.find!r} occurs {texts[each.target].count(each.find)} times"
        for test in each.tests:
            path, _, name = test.partition("::")
            assert f"def {name.partition('[')[0]}(" in texts[path], f"{each.target}: {each.why}: no test {test}"
