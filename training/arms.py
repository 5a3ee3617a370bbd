"""A study file is run: every arm over equal seeds, every measure against the control, seed by seed."""

import time
from pathlib import Path
from typing import Any

from training.asked import Asked
from training.paired import arm_seconds, compared, train_arm, tried
from training.plans import arm_config, read_plan
from training.records import head
from workbench.features import dataset_of


def main(path: Path, root: Path, asked: Asked) -> tuple[dict[str, Any], str]:
    """Train what is missing of a study file under `root` and compare; returns the record and its table. Raises UserError."""
    plan, start = read_plan(path), time.time()
    chosen = [name for name in asked.chosen(list(plan.arms), path.stem) if name != plan.control]
    seeds = asked.first_seeds(plan.seeds, path.stem)
    control = train_arm(plan.control, arm_config(plan, plan.control, asked.settings), seeds, root)
    first = control.runs[seeds[0]]
    arms: dict[str, Any] = {}
    for name in chosen:
        arm = train_arm(name, arm_config(plan, name, asked.settings), seeds, root)
        arms[name] = {"measures": compared(control, arm, plan.measures), "seconds a run": arm_seconds(arm), "trials": tried(name, root)}
    document = head(first.config, dataset_of(first).data_hash, seeds, start) | {"plan": plan.to_dict(), "changed": asked.changed()}
    return document | {"arms": arms}, table(plan.question, plan.control, arms, asked.changed())


def table(question: str, control: str, arms: dict[str, Any], changed: list[str]) -> str:
    """Mean of every measure by arm, and the paired gain over the control, which is towards better."""
    lines = [question, f"gain over {control!r}, towards better, 95 % over seeds", *(f"changed: {each}" for each in changed)]
    for name, arm in arms.items():
        for measure, told in arm["measures"].items():
            mean = sum(told["with"]) / len(told["with"])
            lines.append(f"{name:<28}{measure:<24}{mean:>9.4g}   gain {gain_text(told['gain'])}")
    return "\n".join(lines)


def gain_text(gain: dict[str, Any]) -> str:
    """A gain with its interval, or the reason why there is none."""
    between = gain.get("why", "") if gain["low"] is None else f"[{gain['low']:.4g}, {gain['high']:.4g}]"
    return f"{gain['value']:.4g}  {between}"
