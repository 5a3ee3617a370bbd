"""`workbench eval`: a suite of workbench/evaluation on a run, its table, and the record that is kept with the run."""

import hashlib
import json
import time
from pathlib import Path
from typing import Any

from training.provenance import revision
from workbench import registry
from workbench.errors import UserError
from workbench.run import Run, write_json

SPLITS = ("train", "val", "test")
MODES = ("findings", "classes")


def suites() -> tuple[str, ...]:
    """Names of the suites: the files of workbench/evaluation, with hyphens."""
    return tuple(name.replace("_", "-") for name in registry.names("evaluation"))


def evaluate(run: Run, suite: str, step: int | None, split: str, prompts: Path | None, mode: str) -> tuple[dict[str, Any], list[list[str]]]:
    """The record of an evaluation, written to the run's analysis folder, and its table."""
    for what, given, known in (("suite", suite, suites()), ("split", split, SPLITS), ("mode", mode, MODES)):
        if given not in known:
            raise UserError(f"eval: no {what} {given!r}; there are {', '.join(known)}")
    module = registry.load("evaluation", suite.replace("-", "_"))
    start = time.time()
    document = module.evaluate(run, module.Options("last" if step is None else step, split, prompts, mode))
    git = revision()
    head = {"schema": module.VERSION, "suite": suite, "made": time.strftime("%Y-%m-%d"), "commit": git["commit"], "dirty": git["dirty"]}
    head |= {"config_hash": digest(run.config), "seed": run.config.get("seed"), "seconds": round(time.time() - start, 1)}
    record = head | document
    asked = [module.VERSION, document["step"], split, mode, document["prompts"]["hash"], document["data_hash"]]
    folder = run.path / "analysis" / f"eval-{suite}" / digest(asked)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "record.json", record)
    return record | {"record": str(folder / "record.json")}, module.table(document)


def digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def heading(record: dict[str, Any]) -> str:
    """What the table is about, in words."""
    left = f", {record['left_out']} of none or several classes left out" if record["left_out"] else ""
    about = f"{record['run']}, step {record['step']}, {record['split']}: {record['n']} studies of {record['patients']} patients{left}"
    bank = record["prompts"]
    return f"{about}\nprompts: {bank['source']} #{bank['hash'][:8]}; thresholds {record['thresholds']}; scored on {len(record['macro']['included'])} labels with enough patients"
