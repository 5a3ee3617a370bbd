"""The claims of docs/claims.yaml: each term against one control of its method, five paired seeds, what it is for and whether that helps.

Resumable: runs, measures and finished rows lie under the study's folder; the record is written after every row.
"""

import time
from pathlib import Path
from typing import Any

from training.arms import gain_text
from training.asked import Asked
from training.paired import Arm, arm_seconds, compared, train_arm, tried
from training.plans import CLAIMS, Claim, Claims, read_claims
from training.records import config_hash, head
from workbench.analysis import claims as judged
from workbench.features import dataset_of
from workbench.run_files import read_json, write_json

RECORD = "record.json"


def main(root: Path, asked: Asked, path: Path = CLAIMS) -> tuple[dict[str, Any], str]:
    """Train what is missing of the rows asked for, judge them; returns the record of all rows that ever ran, and the table. Raises UserError."""
    claims = read_claims(path)
    chosen = asked.chosen([row.name for row in claims.rows], "claims")
    seeds = asked.first_seeds(claims.seeds, "claims")
    document = read_json(root / RECORD) if (root / RECORD).is_file() else {"rows": {}}
    for row in claims.rows:
        if row.name in chosen:
            document["rows"][row.name] = result(row, claims, seeds, root, asked)
            write_json(root / RECORD, document)
    return document, table(claims, document)


def control_of(row: Claim, claims: Claims, seeds: list[int], root: Path, asked: Asked) -> Arm:
    """The runs without the term: one control for all rows of a method."""
    config = claims.configured(row.method, {}, asked.settings)
    return train_arm(f"control of {row.method}", config, seeds, root)


def result(row: Claim, claims: Claims, seeds: list[int], root: Path, asked: Asked) -> dict[str, Any]:
    """One row trained and judged: the record of it."""
    start, control = time.time(), control_of(row, claims, seeds, root, asked)
    arm = train_arm(row.name, claims.configured(row.method, row.settings, asked.settings), seeds, root)
    found = compared(control, arm, (row.mechanism, row.outcome), claims.tuning)
    mechanism, outcome = found[row.mechanism], found[row.outcome]
    seconds = [*arm_seconds(control), *arm_seconds(arm)]
    first, beside = arm.runs[seeds[0]], control.runs[seeds[0]]
    claim = next(each for each in judged.written(claims.to_dict()) if each["name"] == row.name)
    told = head(first.config, dataset_of(first).data_hash, seeds, start)
    told |= {
        "control_config_hash": config_hash(beside.config),
        "claim": claim,
        "changed": asked.changed(),
    }
    ways = [judged.way(each["gain"]["low"], each["gain"]["high"]) for each in (mechanism, outcome)]
    return told | {
        "mechanism": mechanism,
        "outcome": outcome,
        "result": judged.said(*ways),
        "trials": max(row.trials, tried(row.name, root)),
        "seconds a run": seconds,
        "over the time allowed": sum(each > claims.seconds for each in seconds),
    }


def table(claims: Claims, document: dict[str, Any]) -> str:
    """Every claim with its result in words, and what did not run."""
    lines = ["gains over the control of the method, towards better, 95 % over seeds"]
    for row in judged.rows(judged.written(claims.to_dict()), document):
        lines.append(f"{row['name']} ({row['method']}: {row['term']}): {row['result']}")
        if row["result"] == judged.NOT_RUN:
            continue
        told = document["rows"][row["name"]]
        for which in ("mechanism", "outcome"):
            lines.append(f"  {which:<10}{told[which]['measure']:<24}gain {gain_text(told[which]['gain'])}")
        longer = told["over the time allowed"]
        notes = [f"{len(told['seeds'])} seeds", f"{told['trials']} settings tried", *told["changed"]]
        notes += [f"{longer} runs trained longer than {claims.seconds:g} s"] if longer else []
        lines.append(f"  {'; '.join(notes)}")
    return "\n".join(lines)
