"""Commands that start, continue, stop and list runs."""

import os
from pathlib import Path
from typing import Annotated

import tyro

from training.commands.shown import Json, Name, Runs, show, table
from training.control import exclusive, gone_unless_begun
from training.threads import set_threads
from workbench.errors import UserError
from workbench.run import create_run, find_run, list_runs, runs_root


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
