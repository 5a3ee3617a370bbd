"""Every method has a card: an equation, every field documented with the source of its default, recipes and records that name it."""

import dataclasses
import json
import subprocess
import sys

import pytest

import workbench as wb
from workbench import registry
from workbench.cards import Card, choices_of, fields_of, method_card, recipes_of, results_of
from workbench.config import Config
from workbench.models import method_class

PAPERS = ("medflip", "mflag", "m3ae")


@pytest.fixture(params=registry.names("methods"))
def card(request):
    return method_card(request.param)


def test_a_card_says_what_equation_and_recipes(card):
    assert len(card.what) > 10 and len(card.equation) > 10 and card.recipes and card.terms
    assert card.name not in PAPERS or len(card.left_open) >= 3
    text = card.text()
    for told in (card.what, *card.recipes, *card.left_open, *card.results):
        assert told in text
    assert json.loads(json.dumps(card.as_dict()))["name"] == card.name


def test_every_field_has_a_meaning_and_a_source(card):
    leaves = {field.name.partition(".")[0] for field in card.fields}
    assert leaves == set(method_class(card.name).Config.model_fields)
    for field in card.fields:
        assert len(field.meaning) > 10 and len(field.origin) > 3, field.name
        assert f"  {field.name} = {field.default}" in card.text()
        assert not field.choices or field.default in field.choices


def test_no_source_is_told_of_a_field_that_is_not_there(card):
    config = method_class(card.name).Config
    for base in config.__mro__:
        if issubclass(base, Config) if isinstance(base, type) else False:
            assert not set(vars(base).get("origins", {})) - set(config.model_fields), base


def test_switches_stand_by_themselves():
    card = method_card("mflag")
    switches = {field.name for field in card.fields if field.switch}
    assert switches == {"orthogonality", "augment", "gathering", "norm_decay", "report", "grey_range"}
    above, below = card.text().split("\nFields, their defaults")
    for name in switches:
        assert f"  {name} = " in above and f"  {name} = " not in below
    assert next(field for field in card.fields if field.name == "weights.alignment").live
    assert "  weights.alignment = 1.0; live   [Liu et al., M-FLAG: 1 each]" in below


class Inner(Config):
    """A part."""

    depth: int = 3
    """Depth of the part."""


class Outer(Config):
    """A whole."""

    origins = {"inner": "a book"}
    inner: Inner = Inner()
    """The part."""
    flag: bool = True
    """On or off."""


class Over(Outer):
    """Another whole."""

    origins = {"inner": "another book", "flag": "ours"}


def test_origins_reach_into_parts_and_a_class_stands_over_its_bases():
    assert [(field.name, field.origin) for field in fields_of(Over)] == [("inner.depth", "another book"), ("flag", "ours")]
    assert Outer.origins_of() == {"inner": "a book"}
    assert choices_of(Over, "flag", Over.model_fields["flag"]) == ()


def test_recipes_and_records_are_those_that_name_the_method(tmp_path, monkeypatch):
    for name in ("training/recipes", "docs/results"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "training/recipes/one.yaml").write_text("# First line.\nmethod: {name: m3ae}\n")
    (tmp_path / "training/recipes/two.yaml").write_text("# Second line.\nmethod: {name: m3ae_vqa}\n")
    for name, text in {"a": "m3ae-phantoms", "b": "M3AE", "c": "m3aes", "d": "m3ae-vqa"}.items():
        (tmp_path / f"docs/results/{name}.json").write_text(json.dumps({"made": "today", "commit": "1", "what": text}))
    monkeypatch.setattr("workbench.cards.REPOSITORY", tmp_path)
    assert recipes_of("m3ae") == {"one": "First line."} and recipes_of("m3ae_vqa") == {"two": "Second line."}
    assert set(results_of("m3ae", "M3AE: words")) == {"a.json", "b.json", "d.json"}
    assert set(results_of("m3ae_vqa", "M3AE answers")) == {"d.json"}
    assert results_of("m3ae", "M3AE: words")["a.json"] == {"made": "today", "commit": "1", "trials": None}
    assert set(results_of("x", "M-FLAG: words")) == set()


def test_the_account_is_on_the_card_where_it_is_asked_for():
    assert method_card("mflag").parameters == () and method_card("clip", parameters=True).parameters == ()
    told = method_card("mflag", parameters=True)
    assert "image encoder          23,508,032  trains" in told.text() and "language model        108,891,648  frozen" in told.text()
    assert "76.5% fewer train than with all parts" in told.text()
    assert told.as_dict()["parameters"][0] == {"name": "image encoder", "parameters": 23508032, "trained": 23508032}


def test_the_command_and_the_notebook_show_the_same_card():
    found = subprocess.run([sys.executable, "-m", "training", "methods", "mflag"], capture_output=True, text=True, check=True, timeout=120)
    assert found.stdout.strip() == str(wb.method_card("mflag")).strip()
    listed = subprocess.run(
        [sys.executable, "-m", "training", "methods", "--json"], capture_output=True, text=True, check=True, timeout=120
    )
    assert set(json.loads(listed.stdout)) == set(registry.names("methods"))
    one = subprocess.run(
        [sys.executable, "-m", "training", "methods", "mae", "--json"], capture_output=True, text=True, check=True, timeout=120
    )
    assert {"name", "doc", "schema"} | {each.name for each in dataclasses.fields(Card)} == set(json.loads(one.stdout))
    unknown = subprocess.run([sys.executable, "-m", "training", "methods", "nothing"], capture_output=True, text=True, timeout=120)
    assert unknown.returncode == 2 and "no methods named 'nothing'; known: clip" in unknown.stderr
