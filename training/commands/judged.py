"""Commands that say what became of runs, what methods and data sets there are, and what this machine can do."""

from pathlib import Path
from typing import Annotated

import tyro

from training.commands.shown import Json, Name, Runs, show, table
from training.threads import set_threads
from workbench import registry
from workbench.run import find_run, runs_root


def spectra(name: Name, step: int | None = None, runs: Runs = None, json: Json = False) -> None:
    """Print rank, scale and spectrum of every feature of a run, with references.

    Args:
        name: Run identifier or folder.
        step: Step of the look; default the last.
    """
    from training.report import spectra_document, spectra_text

    document = spectra_document(find_run(name, runs), step)
    show(document, spectra_text(document), json)


def methods(name: tyro.conf.Positional[str | None] = None, parameters: bool = False, json: Json = False) -> None:
    """List the methods, or show the card of one.

    Args:
        name: A method.
        parameters: Count the parameters at the published sizes, too, where the method tells them.
    """
    if name is None:
        return describe("methods", name, json)
    from training.jobs.schema import config_class
    from workbench.cards import method_card

    card = method_card(name, parameters)
    doc, schema = registry.load("methods", name).__doc__, config_class("methods", name).model_json_schema()
    show(card.as_dict() | {"doc": doc, "schema": schema}, card.text(), json)
    return None


def datasets(name: tyro.conf.Positional[str | None] = None, json: Json = False) -> None:
    """List the data sets, or show the configuration of one.

    Args:
        name: A data set.
    """
    describe("data", name, json)


def describe(kind: str, name: str | None, as_json: bool) -> None:
    if name is None:
        heads = {each: (registry.load(kind, each).__doc__ or "").splitlines()[0] for each in registry.names(kind)}
        return show(heads, table(list(heads.items()), ("name", "what it is")), as_json)
    module = registry.load(kind, name)
    from training.jobs.schema import config_class

    config = config_class(kind, name)
    schema = config.model_json_schema()
    rows = [
        (key, field.get("default", "required" if key in schema.get("required", []) else "-"), field.get("description", ""))
        for key, field in schema["properties"].items()
    ]
    show(
        {"name": name, "doc": module.__doc__, "schema": schema},
        f"{module.__doc__}\n\n{table(rows, ('field', 'default', 'meaning'))}",
        as_json,
    )
    return None


def study(
    name: Name,
    only: tuple[str, ...] = (),
    seeds: int | None = None,
    set: Annotated[tuple[str, ...], tyro.conf.arg(help="key=value laid over every run, to try a study out")] = (),
    results: Path | None = None,
    runs: Runs = None,
    json: Json = False,
) -> None:
    """Train and compare what a study names; its record is kept under RUNS/studies/NAME, and what is there is not trained again.

    Args:
        name: A study, or a YAML file of one.
        only: Rows or arms, where not all are wanted.
        seeds: Only the first so many seeds.
        results: Folder the record is copied to, docs/results for what is committed.
    """
    set_threads()
    from training import studies
    from training.asked import Asked

    show(*studies.conduct(name, runs_root(runs), Asked(only, seeds, set, results)), json)


def evaluate(
    name: Name,
    suite: str = "zero-shot",
    step: int | None = None,
    split: str = "test",
    prompts: Path | None = None,
    mode: str = "findings",
    json: Json = False,
    runs: Runs = None,
) -> None:
    """Judge a run by a suite and keep the record with it.

    Args:
        name: Run identifier or folder.
        suite: Name of the suite.
        step: Step of the snapshot; default the last.
        split: Studies that are judged; what is chosen is chosen on validation.
        prompts: YAML file with a bank of prompts; default the data set's own.
        mode: `findings` one by one, or `classes` of which a study has exactly one.
    """
    set_threads()
    from training.eval_command import evaluate as evaluate_run
    from training.eval_command import heading

    record, rows = evaluate_run(find_run(name, runs), suite, step, split, prompts, mode)
    show(record, f"{heading(record)}\n\n{table(rows[1:], rows[0])}\n\nrecord: {record['record']}", json)


def doctor(runs: Runs = None, json: Json = False) -> None:
    """Say what this machine has, what is missing, and what to do."""
    from training.doctor import examine

    findings = examine(runs_root(runs))
    rows = [("ok" if each.ok else "!!", each.name, each.value, "" if each.ok else each.what_to_do) for each in findings]
    show([each._asdict() for each in findings], table(rows, ("", "what", "found", "what to do")), json)
