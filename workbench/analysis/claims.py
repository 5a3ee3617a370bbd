"""Did a term do what it is for, and did that help? Paired differences over training seeds, in words."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from workbench.analysis._interval import Interval, withheld
from workbench.errors import UserError

Way = Literal["up", "down", "not told apart"]
NOT_RUN = "not run"
GAINS = tuple(f"{which} {part}" for which in ("mechanism", "outcome") for part in ("gain", "low", "high"))
RESULT = ("result", *GAINS, "seeds", "settings tried", "changed settings")  # columns of a row beside the claim itself


def paired_seeds(control: Mapping[int, float], other: Mapping[int, float], sign: int = 1, level: float = 0.95) -> Interval:
    """Mean over seeds of sign x (other - control), each seed against itself, with the paired t interval.

    `sign` is -1 for a measure that is better when low, so that more is always better. Withheld for one seed, and where all differences are
    equal. Raises UserError where the seeds differ or a value is not finite.
    """
    from scipy.stats import t as student  # a third of a second, which a notebook that only reads records need not wait for

    if set(control) != set(other) or not control:
        raise UserError(f"paired seeds: {sorted(control)} against {sorted(other)}; train the same seeds on both sides")
    difference = np.array([sign * (other[seed] - control[seed]) for seed in sorted(control)])
    if not np.isfinite(difference).all():
        raise UserError(f"paired seeds: the measure of seed {sorted(control)[int(np.argmin(np.isfinite(difference)))]} is not finite")
    count, mean, spread = len(difference), float(difference.mean()), float(difference.std(ddof=1)) if len(difference) > 1 else 0.0
    procedure = f"paired t over {count} seeds, {100 * level:g} %"
    if count < 2:
        return withheld(mean, "one seed: a method's claim needs at least two", procedure)
    if spread == 0:
        return withheld(mean, "all differences are equal: t has no spread to go by", procedure)
    half = float(student.ppf((1 + level) / 2, count - 1)) * spread / count**0.5
    return Interval(mean, mean - half, mean + half, procedure)


def way(low: float | None, high: float | None) -> Way:
    """Where an interval of gains lies: above zero, below it, or across it; one that is withheld tells nothing apart."""
    if low is None or high is None:
        return "not told apart"
    return "up" if low > 0 else "down" if high < 0 else "not told apart"


def said(mechanism: Way, outcome: Way) -> str:
    """A claim's result in words; up is towards what the term is for."""
    return f"mechanism {mechanism} and outcome {outcome}"


def written(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of docs/claims.yaml, each with all that decides its numbers: its settings, its method's control, what every run shares."""
    found = []
    for row in table["rows"]:
        control = table["controls"][row["method"]]
        own = {key: row[key] for key in ("name", "method", "term", "settings", "mechanism", "outcome")}
        found.append(own | {"control": [control["recipe"], control.get("settings", {})], "shared": table.get("settings", {})})
    return found


def rows(claims: Sequence[Mapping[str, Any]], record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row a claim as `written`, with its result where a record (`rows` by name) holds one of exactly this claim; else `not run`.

    Gains are towards better, so that a measure that is better when low has the other sign. Raises UserError for a record of another kind.
    """
    found = []
    for claim in claims:
        row = {key: claim[key] for key in ("name", "method", "term", "mechanism", "outcome")} | dict.fromkeys(RESULT)
        told = record.get("rows", {}).get(claim["name"])
        try:
            if told is not None and told["claim"] == claim:
                for which in ("mechanism", "outcome"):
                    gain = told[which]["gain"]
                    row |= {f"{which} gain": gain["value"], f"{which} low": gain["low"], f"{which} high": gain["high"]}
                row |= {"seeds": len(told["seeds"]), "settings tried": told["trials"], "changed settings": ", ".join(told["changed"])}
                row["result"] = told["result"]
        except (KeyError, TypeError) as error:
            raise UserError(
                f"record of claims: row {claim['name']} is not readable ({error}); write it anew: workbench study claims"
            ) from None
        found.append(row | {"result": row["result"] or NOT_RUN})
    return found
