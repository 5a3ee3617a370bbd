"""What a score is held against: the run trained on reports of other studies, and what is read without a network.  (no torch)"""

from typing import Any

from workbench.run import Run, list_runs

FREE = ("name", "tags", "seed", "threads", "workers", "device")  # what may differ between a run and its control


def settings(run: Run) -> dict[str, Any]:
    """The configuration without what a control may differ in."""
    own = {key: value for key, value in run.config.items() if key not in FREE}
    return own | {"data": {name: {key: value for key, value in source.items() if key != "texts"} for name, source in own["data"].items()}}


def shuffled(run: Run) -> bool:
    """Whether every source of a run gave its studies the texts of others."""
    return bool(run.config["data"]) and all(source.get("texts") == "shuffled" for source in run.config["data"].values())


def shuffled_twin(run: Run) -> Run | None:
    """The shuffled-report control of a run in its folder: of the same seed where there is one, else the newest; None where there is none."""
    if shuffled(run):
        return None
    beside = [Run(run.path.parent / status["id"]) for status in list_runs(run.path.parent) if like(status, run)]
    found = [each for each in beside if shuffled(each) and settings(each) == settings(run)]
    same = [each for each in found if each.config.get("seed") == run.config.get("seed")]
    return next(iter(same or found), None)


def like(status: dict[str, Any], run: Run) -> bool:
    """Whether a status could be that of a finished control: read before its configuration is."""
    own = run.status
    return (
        status["id"] != run.id
        and status["state"] == "finished"
        and all(status.get(key) == own.get(key) for key in ("method", "data", "steps"))
    )


def floors(run: Run) -> dict[str, dict[str, float]]:
    """What a ridge reads without a network on the run's probe set: reference -> label, and `macro`, -> AUROC."""
    stored = run.references()
    found: dict[str, dict[str, float]] = {}
    for name in ("pixels", "metadata"):
        if name in stored:
            own = {label: each["value"] for label, each in stored[name]["labels"].items()} | {"macro": stored[name]["macro_auroc"]["value"]}
            found[name] = {label: value for label, value in own.items() if value is not None}
    return found
