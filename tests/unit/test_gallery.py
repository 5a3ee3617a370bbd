"""The gallery of the docs: every diagnostic has an example, a broken one alarms, a healthy one does not, and the page says what is so today."""

import importlib
import inspect
import re
from functools import cache
from pathlib import Path

import pytest

from tests.gallery import every, page
from tests.gallery.kinds import kinds
from tests.gallery.words import WORDS
from tests.toys.histories import COLLAPSES

FILE = Path(__file__).parents[2] / "docs/gallery.md"
MODULES = ("collapse", "isotropy", "dimension", "classes", "spectra", "similarity", "modality")
NO_EXAMPLE = {  # takes features and is no diagnostic of its own
    "summarise": "all statistics of a look at once",
    "class_scales": "what the sentinel reads of classes; shown there",
    "distinct": "rows that differ, for the dimensions",
    "cloud": "what a similarity needs of rows",
    "compared": "any of the similarities by name",
    "check_pairs": "a guard",
    "similarity_matrix": "the similarities of many pairs; their pictures are made with it",
    "paired": "a guard",
    "close_gap": "what `closing` does to the rows; shown there",
    "gap_walk": "what `closing` does, at every tenth of the gap; shown there",
}


@cache
def entries():
    return {entry.name: entry for entry in every()}


@cache
def runs():
    return {kind.name: kind for kind in kinds()}


def diagnostics():
    """Public functions of the modules that take features."""
    for name in MODULES:
        module = importlib.import_module(f"workbench.analysis.{name}")
        for each, function in inspect.getmembers(module, inspect.isfunction):
            if each.startswith("_") or function.__module__ != module.__name__:
                continue
            if any("Embeddings" in str(parameter.annotation) for parameter in inspect.signature(function).parameters.values()):
                yield each


def test_every_diagnostic_has_an_example():
    public = set(diagnostics())
    assert {"effective_rank", "lidar", "two_nn", "singular_spectrum", "linear_cka", "closing"} <= public
    assert not public - set(entries()) - set(NO_EXAMPLE), "no example in tests/gallery, nor a reason why there is none"
    assert set(NO_EXAMPLE) <= public and not set(NO_EXAMPLE) & set(entries())
    assert set(runs()) == set(COLLAPSES) and set(WORDS) == set(entries())


@pytest.mark.parametrize("name", WORDS)
def test_a_broken_example_alarms_and_a_healthy_one_does_not(name):
    entry = entries()[name]
    assert not entry.alarms("healthy") and entry.alarms("broken")
    assert entry.alarms("fooled") == (entry.mistake == "false alarm"), "what is said to fool it does not"
    for case in entry.cases:
        assert entry.right(case), f"{case} reads {entry.value(case)}, its closed form {entry.cases[case].truth}"
    assert "{fooled}" in entry.why


@pytest.mark.parametrize("name", COLLAPSES)
def test_a_broken_run_is_told_by_its_kind_and_a_healthy_one_by_none(name):
    kind = runs()[name]
    assert not kind.healthy.verdict.alarm
    assert (kind.broken.verdict.kind, kind.fooled.verdict.kind) == (name, kind.instead) and kind.instead != name


def test_the_page_says_what_is_computed_today():
    assert FILE.read_text() == page.text(list(entries().values()), list(runs().values())), "run `python -m tests.full gallery`"


def test_every_picture_is_there_and_small():
    named = set(re.findall(r"\(gallery/(.+?)\.png\)", FILE.read_text()))
    sizes = {path.stem: path.stat().st_size for path in FILE.with_suffix("").glob("*.png")}
    assert set(sizes) == named and len(named) == len(WORDS) + len(COLLAPSES)
    assert max(sizes.values()) < 60_000 and sum(sizes.values()) < 2_000_000
