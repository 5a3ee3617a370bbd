"""How often does the sentinel speak of healthy runs, how early of collapsing ones? Three simulated families and kept real runs.

`python -m tests.full.sentinel tune` tries settings of the thresholds on families A and B and writes nothing; without a word it scores these
and, once, family C, and writes docs/results/sentinel.json; `keep RUNS` writes compact histories of the finished runs below a folder, `real` scores those
and puts them into the record.

A run alarms when any prefix of its history does. An alarm is in time before the true curve of what falls has lost half its log-fall from the
running maximum to the final value, and, where the probe falls, before half of its headroom above chance is gone. Runs with fewer than four
looks between a tenth and nine tenths of that log-fall are counted apart as fast. `two looks before`: of the others those that could be told
in time at all, two looks in a row having fallen before the deadline, for the sentinel needs two.
"""

import gzip
import itertools
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from tests.full.record import FOLDER, head, write
from tests.toys import histories, other_histories, third_histories
from tests.toys.histories import COLLAPSES, HEALTHY, Simulated
from workbench.analysis import _fall
from workbench.analysis.looks import compact, kept_history
from workbench.analysis.sentinel import Look, Verdict, sentinel
from workbench.errors import UserError
from workbench.randomness import rng
from workbench.run import Run

NAME, SEED = "sentinel", 0
RUNS = {"A": 40, "B": 60, "C": 60}  # of each scenario
ENOUGH = 4  # looks inside a fall
SEEN = 0.02  # logarithm from which on a fall can be seen
KEPT = FOLDER / "histories"
Scenarios = tuple[str, ...]
FAMILIES: dict[str, tuple[Callable[[np.random.Generator, str], Simulated], Scenarios]] = {
    "A": (histories.simulate, HEALTHY),
    "B": (other_histories.simulate, HEALTHY),
    "C": (third_histories.simulate, third_histories.HEALTHY),
}
GRID: Sequence[dict[str, Sequence[Any]]] = (
    {"NOISE": (1.5, 2.0, 2.5), "HELD": (0.5, 1.0, 1.5)},
    {"NEXT": (0.5, 0.6, 0.75), "DIRECTIONS": ((0.05, 0.20, 0.10, 0.32), (0.04, 0.15, 0.10, 0.28), (0.03, 0.15, 0.08, 0.25))},
    {"OFFSET": ((0.04, 0.15, 0.08, 0.30), (0.02, 0.08, 0.05, 0.18))},
    {"WITHIN": ((0.20, 0.50), (0.08, 0.42))},
)


def first_alarm(looks: Sequence[Look], steps: Sequence[int]) -> tuple[int | None, Verdict]:
    """Place among `steps` of the first prefix that alarms, and its verdict; None and the last verdict where none does."""
    verdict = None
    for place, step in enumerate(steps):
        verdict = sentinel([look for look in looks if look.step <= step])
        if verdict.alarm:
            return place, verdict
    assert verdict is not None
    return None, verdict


def fall_of(curve: np.ndarray) -> np.ndarray:
    """Share (looks,) of the log-fall from the running maximum to the final value that is over; 0 before the maximum."""
    top = int(curve.argmax())
    share = (curve[top] - curve) / (curve[top] - curve[-1])
    return np.where(np.arange(len(curve)) < top, 0.0, share)


def scored(run: Simulated) -> dict[str, Any]:
    """What the sentinel made of one run."""
    at, first = first_alarm(run.looks, [int(step) for step in run.steps])
    found: dict[str, Any] = {"scenario": run.scenario, "alarmed": at is not None, "first": first.kind, "last": sentinel(run.looks).kind}
    if run.curve is None:
        return found
    share = fall_of(run.curve)
    early = share < 0.5
    if run.probe is not None:
        early &= run.probe > 0.5 + (run.probe.max() - 0.5) / 2
    fallen = (share > 0) & (run.curve.max() - run.curve > SEEN)
    return found | {
        "fast": bool(((share > 0.1) & (share < 0.9)).sum() < ENOUGH),
        "in_time": at is not None and bool(early[at]),
        "possible": bool((fallen[1:-1] & early[2:]).any()),
    }


def simulated(family: str, scenario: str, repeat: int) -> Simulated:
    return FAMILIES[family][0](rng(SEED, f"sentinel {family} {scenario}", repeat), scenario)


def every(family: str) -> list[tuple[str, str, int]]:
    """Arguments of `simulated` for all runs of a family."""
    return list(itertools.product([family], (*FAMILIES[family][1], *COLLAPSES), range(RUNS[family])))


def of_one(which: tuple[str, str, int]) -> dict[str, Any]:
    return scored(simulated(*which))


def of_family(family: str) -> dict[str, Any]:
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        return rates(list(pool.map(of_one, every(family), chunksize=8)))


def rates(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Alarms among healthy runs, alarms in time among collapsing ones, each by scenario, and the kinds that were named at the end."""
    healthy = [each for each in found if "in_time" not in each]
    falling = [each for each in found if "in_time" in each]
    slow, fast = ([each for each in falling if each["fast"] == which] for which in (False, True))
    return {
        "healthy": {"runs": len(healthy), "alarmed": sum(each["alarmed"] for each in healthy)},
        "collapsing": {
            "runs": len(slow),
            "two looks before": sum(each["possible"] for each in slow),
            "in time": sum(each["in_time"] for each in slow),
            "alarmed": sum(each["alarmed"] for each in slow),
        },
        "faster": {"runs": len(fast), "in time": sum(each["in_time"] for each in fast), "alarmed": sum(each["alarmed"] for each in fast)},
        "by scenario": {
            name: of_scenario([each for each in found if each["scenario"] == name])
            for name in dict.fromkeys(each["scenario"] for each in found)
        },
    }


def of_scenario(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    slow = [each for each in found if not each.get("fast", False)]
    row = {"runs": len(found), "alarmed": sum(each["alarmed"] for each in found)}
    if found and "in_time" in found[0]:
        row |= {
            "slow": len(slow),
            "two looks before": sum(each["possible"] for each in slow),
            "in time": sum(each["in_time"] for each in slow),
        }
        return row | {"kinds at the end": dict(Counter(each["last"] for each in found))}
    return row | {"kinds alarmed": dict(Counter(each["first"] for each in found if each["alarmed"]))}


def told(family: str, found: dict[str, Any]) -> None:
    print(f"family {family}: {found['healthy']}, {found['collapsing']}, faster {found['faster']}")
    for name, row in found["by scenario"].items():
        print(f"  {name:<14}", row, flush=True)


def tune() -> None:
    """Groups of thresholds one after another on A and B; nothing is written: the choice is made by hand and stands in analysis/_fall.py."""
    runs = [simulated(*which) for family in "AB" for which in every(family)]
    for group in GRID:
        before = {name: getattr(_fall, name) for name in group}
        for values in itertools.product(*group.values()):
            for name, value in zip(group, values):
                setattr(_fall, name, _fall.Limit(*value) if isinstance(value, tuple) else value)
            found = rates([scored(run) for run in runs])
            rows = {key: (row["in time"], row["slow"]) if "slow" in row else row["alarmed"] for key, row in found["by scenario"].items()}
            print(dict(zip(group, values)), found["healthy"], found["collapsing"], rows, flush=True)
        for name, value in before.items():
            setattr(_fall, name, value)


def thresholds() -> dict[str, Any]:
    names = ("DIRECTIONS", "DEEP", "SCALE", "OFFSET", "WITHIN", "NOISE", "HELD", "NEXT", "GROWN", "LEARNT", "GONE", "AWAY", "POINT")
    return {name: getattr(_fall, name) for name in names}


def keep(folder: Path) -> None:
    """Compact histories of the finished runs below `folder`, one file each, into docs/results/histories."""
    KEPT.mkdir(parents=True, exist_ok=True)
    runs = sorted(path.parent for path in folder.rglob("status.json"))
    for run in map(Run, runs):
        if run.status["state"] == "finished" and len(run.looks()) > 3:
            text = json.dumps(compact(run), separators=(",", ":"))
            (KEPT / f"{run.id}.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
            print(run.id, run.title)


def real() -> list[dict[str, Any]]:
    """Of every kept history: the arm, whether and when it alarmed, and what the sentinel says at the end."""
    found = []
    for path in sorted(KEPT.glob("*.json.gz")):
        kept = json.loads(gzip.decompress(path.read_bytes()))
        looks = kept_history(kept)
        at, first = first_alarm(looks, sorted({look.step for look in looks}))
        last, steps = sentinel(looks), sorted({look.step for look in looks})
        told_first = {} if at is None else {"step": steps[at], "kind": first.kind, "feature": first.feature, "said": first.evidence}
        found.append(
            {"run": kept["run"], "arm": kept["arm"], "seed": kept["seed"], "first": told_first, "last": last.kind, "said": last.evidence}
        )
    return found


def by_arm(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Runs of an arm, how many alarmed, what they said first and at the end."""
    arms: dict[str, list[dict[str, Any]]] = {}
    for row in found:
        arms.setdefault(row["arm"], []).append(row)
    return {
        arm: {
            "runs": len(own),
            "alarmed": sum(bool(row["first"]) for row in own),
            "first": dict(Counter(row["first"].get("kind", "none") for row in own)),
            "at the end": dict(Counter(row["last"] for row in own)),
        }
        for arm, own in arms.items()
    }


def score_real() -> None:
    """Score the kept real runs alone and put them into the record; what was simulated stays as it was."""
    record = json.loads((FOLDER / f"{NAME}.json").read_text())
    found = real()
    write(NAME, record | {"real": found, "real runs": by_arm(found) | {"scored with": thresholds()}})
    for arm, row in by_arm(found).items():
        print(f"| {arm} | {row['runs']} | {row['alarmed']} | {said(row['first'])} | {said(row['at the end'])} |")


def said(kinds: dict[str, int]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items(), key=lambda each: -each[1]))


def main() -> None:
    """Score families A and B, family C if it has not been scored, and the kept real runs; the record says with which thresholds."""
    start, path = time.time(), FOLDER / f"{NAME}.json"
    before = json.loads(path.read_text()) if path.is_file() else {}
    config = {"runs": RUNS, "thresholds": thresholds(), "settings tried": TRIED, "looks inside a fall": ENOUGH}
    results: dict[str, Any] = {}
    for family in FAMILIES:
        results[family] = before.get(family) if family == "C" else None
        results[family] = results[family] or of_family(family)
        told(family, results[family])
    results["real"] = real()
    results["real runs"] = by_arm(results["real"]) | {"scored with": thresholds()}
    write(NAME, head(config, "simulated", [SEED], start) | {"config": config} | results)


TRIED = {"A": 23, "A and B": 26}  # settings of the thresholds, the chosen one among the last


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            main()
        case ["tune"]:
            tune()
        case ["real"]:
            score_real()
        case ["keep", where] if Path(where).is_dir():
            keep(Path(where))
        case other:
            raise UserError(f"{' '.join(other)}: not one of tune, real, keep RUNS")
