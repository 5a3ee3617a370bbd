"""The command line: `workbench` = `python -m training`."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from training.control import exclusive, gone_unless_begun
from training.threads import set_threads
from workbench import registry
from workbench.errors import UserError
from workbench.run import create_run, find_run, list_runs, runs_root

Runs = Annotated[Path | None, tyro.conf.arg(name="runs", help="Runs folder; default $WORKBENCH_RUNS, else ./runs.")]
Json = Annotated[bool, tyro.conf.arg(name="json", help="Print one JSON document and nothing else.")]
Name = tyro.conf.Positional[str]


def show(document: Any, text: str, as_json: bool) -> None:
    """One JSON document, or text for people."""
    print(json.dumps(document, indent=None, allow_nan=False) if as_json else text)


def table(rows: Sequence[Sequence[Any]], heads: Sequence[str]) -> str:
    """Aligned columns."""
    cells = [[str(cell) for cell in row] for row in [heads, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in cells)


def demo(
    app: bool = True, more: bool = False, steps: int = 150, seeds: int = 3, port: int = 8501, json: Json = False, runs: Runs = None
) -> None:
    """Train one small encoder three ways on simulated chest X-rays and say what became of its latent space.

    Args:
        app: Open the app meanwhile.
        more: Add a fourth arm, the orthogonality of the paper's wording.
        steps: Steps of every run.
        seeds: Runs of every arm.
        port: Port of the app.
    """
    set_threads()
    from training.demo import run_demo

    run_demo(runs_root(runs), app=app, more=more, steps=steps, seeds=seeds, port=port, as_json=json)


def app(port: int = 8501, runs: Runs = None, browser: bool = True) -> None:
    """Open the app.

    Args:
        port: Port on 127.0.0.1.
        browser: Open a browser window.
    """
    from training.launch import streamlit_command

    command = streamlit_command(port, browser)
    os.environ["WORKBENCH_RUNS"] = str(runs_root(runs))
    os.execvp(command[0], command)


def train(
    recipe: Name,
    set: Annotated[tuple[str, ...], tyro.conf.arg(help="key=value, for example --set optimizers.main.lr=0.001 seed=1")] = (),
    runs: Runs = None,
    smoke: bool = False,
    preflight: bool = False,
    json: Json = False,
) -> None:
    """Train a recipe (a name or a YAML file) in this terminal.

    Args:
        recipe: Name of a recipe or path of a YAML file.
        smoke: Use the recipe's small test override.
        preflight: Take one step, say what the run will need and whether it fits, and leave.
    """
    from training import recipe as recipes

    config = recipes.read(recipe, set, smoke)
    if preflight:
        from training.preflight import command

        return show(*command(config, runs), json)
    set_threads(config.threads)
    from training.loop import train as train_run
    from training.setup import resolve

    run = create_run(resolve(config, recipe), runs)
    if not json:
        print(f"run {run.id}", flush=True)
    with gone_unless_begun(run), exclusive(run):
        state = train_run(run)
    show({"run": run.id, "path": str(run.path), "state": state, "step": run.status["step"]}, f"{state} at step {run.status['step']}", json)
    return None


def train_folder(path: Name, resume: bool = False) -> None:
    """Train a run folder that a request made; the supervisor calls this.

    Args:
        path: Run folder.
        resume: Continue from its newest checkpoint.
    """
    run = find_run(Path(path).resolve())
    set_threads(run.config.get("threads"))
    from training.loop import train as train_run
    from training.setup import settle

    with exclusive(run):
        train_run(settle(run), resume=resume)


def resume(name: Name, runs: Runs = None, json: Json = False) -> None:
    """Continue a run from its newest checkpoint, exactly.

    Args:
        name: Run identifier or folder.
    """
    run = find_run(name, runs)
    if run.status["state"] in ("running", "starting"):
        raise UserError(f"{run.id}: is running; stop it first or wait for it")
    if run.status["state"] == "imported":
        raise UserError(f"{run.id}: was imported and never trained; start a run whose init_from names it")
    set_threads(run.config.get("threads"))
    from training.loop import train as train_run
    from training.processes import clear_stops

    with exclusive(run):
        clear_stops(run, "the run was resumed since")
        state = train_run(run, resume=True)
    show({"run": run.id, "path": str(run.path), "state": state, "step": run.status["step"]}, f"{state} at step {run.status['step']}", json)


def import_model(
    source: Name,
    method: str | None = None,
    data: str | None = None,
    set: Annotated[tuple[str, ...], tyro.conf.arg(help="key=value, for example --set method.image_size=224")] = (),
    keys: str | None = None,
    feature: str = "image.backbone",
    name: str | None = None,
    runs: Runs = None,
    json: Json = False,
) -> None:
    """Make a run of weights or features you already have.

    Args:
        source: A .safetensors or .pth file, a folder that transformers or timm saved, timm:NAME, or features as .npy or .parquet.
        method: Method whose network the weights are of.
        data: Data set, or recipe whose data set is meant, to look at it with; for features optional, keys are then its studies.
        keys: For .npy: a text file with one key a line, or a CSV with the columns key and patient.
        feature: For features: what they are called.
        name: Shown in tables instead of the identifier.
    """
    set_threads()
    from training.importing import bring_in, summary

    run = bring_in(source, method, data, set, runs, name, keys, feature)
    show(*summary(run), json)


def stop(name: Name, runs: Runs = None, grace: float = 30.0, json: Json = False) -> None:
    """Stop a run: it finishes its step, writes a checkpoint and ends.

    Args:
        name: Run identifier or folder.
        grace: Seconds before SIGTERM, and again before SIGKILL.
    """
    from training.supervisor import stop as stop_run

    run = find_run(name, runs)
    outcome = stop_run(run, grace)
    show({"run": run.id, "state": run.status["state"], "outcome": str(outcome)}, f"{run.id}: {outcome}", json)


def runs(runs: Runs = None, json: Json = False) -> None:
    """List all runs."""
    found = list_runs(runs)
    rows = [(each["id"], each["state"], f"{each.get('step', '?')}/{each.get('steps', '?')}", each.get("name") or "") for each in found]
    show(
        found,
        table(rows, ("run", "state", "step", "name")) if rows else f"no runs in {runs_root(runs)}; start one with `workbench demo`",
        json,
    )


def queue_start(runs: Runs = None, slots: int | None = None) -> None:
    """Serve the queue until it is stopped: device slots, runs, the analysis worker."""
    from training.supervisor import serve

    serve(runs_root(runs), slots)


def queue_list(runs: Runs = None, json: Json = False) -> None:
    """Show what waits."""
    from training import supervisor

    waiting = supervisor.queue_list(runs_root(runs))
    show(waiting, table([(place + 1, item["run"], item["device"]) for place, item in enumerate(waiting)], ("place", "run", "device")), json)


def queue_cancel(name: Name, runs: Runs = None) -> None:
    """Take a waiting run out of the queue."""
    from training import supervisor

    supervisor.queue_cancel(runs_root(runs), find_run(name, runs).id)


def queue_move(name: Name, position: tyro.conf.Positional[int], runs: Runs = None) -> None:
    """Move a waiting run to another place (1 is next)."""
    from training import supervisor

    supervisor.queue_move(runs_root(runs), find_run(name, runs).id, position)


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


def data_prepare(
    name: Name,
    root: Path | None = None,
    set: Annotated[tuple[str, ...], tyro.conf.arg(help="key=value of the data set's configuration")] = (),
    json: Json = False,
) -> None:
    """Validate a data set, report what is missing, convert it to fast shards, print its card.

    Args:
        name: A data set, or a recipe whose data set is meant.
        root: Folder of the data, as downloaded.
    """
    from training.data_commands import prepare

    document, text = prepare(name, root, set, quiet=json)
    show(document, text, json)


def data_card(
    name: Name,
    root: Path | None = None,
    set: Annotated[tuple[str, ...], tyro.conf.arg(help="key=value of the data set's configuration")] = (),
    json: Json = False,
) -> None:
    """Print what is in a data set: studies, patients, splits, prevalences, texts, terms of use.

    Args:
        name: A data set, or a recipe whose data set is meant.
        root: Folder of the data, as downloaded.
    """
    from training.data_commands import card

    document, text = card(name, root, set)
    show(document, text, json)


def data_vocabulary(
    names: Annotated[tuple[str, ...], tyro.conf.Positional],
    out: Path,
    size: int = 1000,
    root: Path | None = None,
    set: Annotated[tuple[str, ...], tyro.conf.arg(help="key=value of the data sets' configuration")] = (),
    json: Json = False,
) -> None:
    """Train a WordPiece vocabulary on the reports and questions of training studies, for a text tower `words:FOLDER`.

    Args:
        names: Data sets, or recipes whose data sets are meant.
        out: Folder the vocabulary is written to.
        size: Most tokens it may have.
        root: Folder of the data, as downloaded.
    """
    from training.data_commands import vocabulary

    document, text = vocabulary(names, out, size, root, set)
    show(document, text, json)


def data_answers(
    name: Name,
    splits: tuple[Literal["train", "val", "test"], ...] = ("train",),
    least: int = 1,
    root: Path | None = None,
    set: Annotated[tuple[str, ...], tyro.conf.arg(help="key=value of the data set's configuration")] = (),
    json: Json = False,
) -> None:
    """List the answers to a data set's questions, as a method that chooses among answers takes them.

    Args:
        name: A data set, or a recipe whose data set is meant.
        splits: Splits that are read; the published M3AE reads all three.
        least: Answers given less often are left out.
        root: Folder of the data, as downloaded.
    """
    from training.data_commands import answers

    document, text = answers(name, splits, least, root, set)
    show(document, text, json)


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


COMMANDS = {
    "demo": demo,
    "app": app,
    "train": train,
    "train-folder": train_folder,
    "resume": resume,
    "import": import_model,
    "stop": stop,
    "runs": runs,
    "queue": {"start": queue_start, "list": queue_list, "cancel": queue_cancel, "move": queue_move},
    "spectra": spectra,
    "eval": evaluate,
    "methods": methods,
    "datasets": datasets,
    "data": {"prepare": data_prepare, "card": data_card, "vocabulary": data_vocabulary, "answers": data_answers},
    "study": study,
    "doctor": doctor,
}


def gathered(given: Sequence[str]) -> list[str]:
    """The arguments with the settings of every `--set` behind one: of several only the last would count."""
    rest, settings, inside = list[str](), list[str](), False
    for each in given:
        inside = each == "--set" or (inside and not each.startswith("--"))
        if each != "--set":
            (settings if inside else rest).append(each)
    return [*rest, "--set", *settings] if settings else list(given)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; a user's error is one sentence on stderr and exit code 2."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    commands: Any = COMMANDS
    program = "workbench"
    while given and isinstance(commands, dict) and given[0] in commands:
        program, commands = f"{program} {given[0]}", commands[given.pop(0)]
    try:
        if isinstance(commands, dict):
            flat = {name: value for name, value in commands.items() if not isinstance(value, dict)}
            nested = [name for name, value in commands.items() if isinstance(value, dict)]
            lines = [(name, (value.__doc__ or "").strip().splitlines()[0]) for name, value in flat.items() if name != "train-folder"]
            lines += [(name, "then one of " + ", ".join(commands[name])) for name in nested]
            if given and given[0] not in ("-h", "--help"):
                raise UserError(f"{program}: no command {given[0]!r}; the commands are {', '.join(sorted(commands))}")
            print(f"usage: {program} COMMAND [options]\n\n{table(lines, ('command', 'what it does'))}")
            return
        tyro.cli(commands, prog=program, args=gathered(given))
    except UserError as error:
        print(f"{error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        if error.errno is None or (error.filename is None and error.errno != 28):
            raise
        print(
            f"{error.filename or 'disk'}: {error.strerror}; free space or check the permissions, then `workbench resume`", file=sys.stderr
        )
        sys.exit(2)


if __name__ == "__main__":
    main()
