"""What did the looks at a run's latent space find, now and over training? Numbers as stored, in the shape figures draw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from workbench.analysis._look import ClassLook, Look
from workbench.analysis.spectra import isotropic_spectrum
from workbench.run import Run

FOREVER = 2**62  # later than any step
PROBE = "probe"  # beside the statistics of analysis.collapse: macro AUROC of the ridge probe


@dataclass(frozen=True)
class RunSpectrum:
    """Singular values (d,) of one run at one look."""

    run: str
    label: str
    seed: int
    step: int
    values: np.ndarray


@dataclass(frozen=True)
class Overlay:
    """Spectra of several runs at about one step, with what an isotropic cloud of the same (n, d) gives and the untrained network."""

    step: int
    n: int
    d: int
    patients: int | None
    spectra: tuple[RunSpectrum, ...]
    isotropic: np.ndarray
    untrained: np.ndarray | None  # (d,): mean over the runs that started untrained


@dataclass(frozen=True)
class History:
    """Singular values (looks, d) of one run over its looks (looks,)."""

    run: str
    label: str
    steps: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class Trajectory:
    """One statistic of one run over its looks; low and high are NaN where the interval is withheld, `why` then says the reason."""

    run: str
    label: str
    statistic: str
    n: int
    d: int
    steps: np.ndarray
    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    references: Mapping[str, float]
    procedure: str
    why: str

    def at(self, step: int) -> int:
        """Place of the last look not after `step`, the first where all are later."""
        return max(0, int(np.searchsorted(self.steps, step, side="right")) - 1)


@lru_cache(maxsize=8192)
def stored(path: Path, step: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Geometry and probe of one look; a look is written once and never changes."""
    run = Run(path)
    return run.geometry(step), run.probe(step)


def of(run: Run, feature: str, steps: Sequence[int]) -> list[tuple[int, dict[str, Any], dict[str, Any]]]:
    """(step, geometry, probe) of those looks that hold the feature."""
    found = [(step, *stored(run.path, step)) for step in steps]
    return [(step, geometry[feature], probe.get(feature, {})) for step, geometry, probe in found if feature in geometry]


def as_look(
    step: int, feature: str, geometry: Mapping[str, Any], probe: float | None, classes: Mapping[str, Mapping[str, Any]] | None = None
) -> Look:
    """What the sentinel judges, from the numbers of geometry.json and classes.json; older runs have no `row_fourth` (`_look.Look`)."""
    known = {name: ClassLook(int(each["n"]), float(each["std"])) for name, each in (classes or {}).items()}
    return Look(
        step=step,
        feature=feature,
        n=int(geometry["n"]),
        d=int(geometry["d"]),
        spectrum=np.asarray(geometry["spectrum"], float),
        mean_norm=float(geometry["mean_norm"]),
        std=float(geometry["feature_std"]["value"]),
        probe=probe,
        row_kurtosis=float(geometry["row_kurtosis"]),
        classes=known or None,
        row_fourth=float(geometry["row_fourth"]) if geometry.get("row_fourth") is not None else None,
    )


def sequence(run: Run, until: int, feature: str | None = None) -> list[Look]:
    """What the sentinel judges of a run: its looks at one feature or all, up to step `until`."""
    found: list[Look] = []
    for step in run.looks():
        if step <= until:
            found += at_step(run.path, step)
    return [each for each in found if feature in (None, each.feature)]


@lru_cache(maxsize=8192)
def at_step(path: Path, step: int) -> tuple[Look, ...]:
    """All features of one look."""
    (geometry, probe), classes = stored(path, step), Run(path).classes(step)
    macro = {name: each.get("macro_auroc", {}).get("value") for name, each in probe.items()}
    return tuple(as_look(step, name, each, macro.get(name), classes.get(name)) for name, each in geometry.items())


def compact(run: Run) -> dict[str, Any]:
    """A finished run as a small document: what the sentinel judges, spectra to three digits; `kept_history` reads it."""
    rows = [
        {
            "step": look.step,
            "feature": look.feature,
            "n": look.n,
            "d": look.d,
            "spectrum": [three(value) for value in look.spectrum],
            "mean_norm": three(look.mean_norm),
            "std": three(look.std),
            "probe": None if look.probe is None else round(look.probe, 4),
            "row_kurtosis": three(look.row_kurtosis or 3.0),
            "row_fourth": None if look.row_fourth is None else three(look.row_fourth),
            "classes": {name: {"n": each.n, "std": three(each.std)} for name, each in (look.classes or {}).items()},
        }
        for look in sequence(run, FOREVER)
    ]
    return {"run": run.id, "arm": run.title, "seed": run.config.get("seed"), "looks": rows}


def kept_history(kept: Mapping[str, Any]) -> list[Look]:
    """The looks of a document of `compact`."""
    return [
        as_look(row["step"], row["feature"], row | {"feature_std": {"value": row["std"]}}, row["probe"], row["classes"])
        for row in kept["looks"]
    ]


def three(value: float) -> float:
    """Three significant digits."""
    return float(f"{value:.3g}")


def overlay(runs: Sequence[Run], feature: str, step: int, labels: Mapping[str, str], looks: Mapping[str, Sequence[int]]) -> Overlay | None:
    """Spectra at the last look of each run that is not after `step`; None where no run has one."""
    spectra, first, untrained = [], None, []
    for run in runs:
        found = of(run, feature, [max((each for each in looks[run.id] if each <= step), default=-1)] if looks[run.id] else [])
        if not found:
            continue
        at, geometry, _ = found[-1]
        first = first or geometry
        spectra.append(RunSpectrum(run.id, labels[run.id], int(run.config.get("seed", 0)), at, np.asarray(geometry["spectrum"], float)))
        if 0 in looks[run.id] and not run.config.get("init_from"):
            untrained += [np.asarray(geometry["spectrum"], float) for _, geometry, _ in of(run, feature, [0])]
    if first is None:
        return None
    alike = [values for values in untrained if len(values) == len(first["spectrum"])]
    mean = np.mean([values / max(values.max(), 1e-300) for values in alike], 0) if alike else None
    n, d = int(first["n"]), int(first["d"])
    return Overlay(step, n, d, first.get("patients"), tuple(spectra), isotropic_spectrum(n, d).values, mean)


def history(run: Run, feature: str, label: str, looks: Sequence[int]) -> History | None:
    """All spectra of a run; None where it has none."""
    found = of(run, feature, looks)
    if not found:
        return None
    return History(run.id, label, np.array([step for step, _, _ in found]), np.array([each["spectrum"] for _, each, _ in found], float))


def trajectory(run: Run, feature: str, statistic: str, label: str, looks: Sequence[int]) -> Trajectory | None:
    """One statistic, or `probe`, over the looks that have it."""
    points = []
    for step, geometry, probe in of(run, feature, looks):
        found = probe.get("macro_auroc") if statistic == PROBE else geometry.get(statistic)
        if found and found.get("value") is not None:
            points.append((step, geometry, probe, found))
    if not points:
        return None
    last, head = points[-1][1], points[-1][3]
    low, high = (np.array([number(found.get(key)) for *_, found in points]) for key in ("low", "high"))
    return Trajectory(
        run=run.id,
        label=label,
        statistic=statistic,
        n=int(points[-1][2].get("n", last["n"])) if statistic == PROBE else int(last["n"]),
        d=int(last["d"]),
        steps=np.array([step for step, *_ in points]),
        values=np.array([float(found["value"]) for *_, found in points]),
        low=low,
        high=high,
        references=references(run, points, statistic),
        procedure=str(head.get("procedure") or last.get("procedure") or ""),
        why=str(head.get("why") or ""),
    )


def references(run: Run, points: Sequence[tuple[int, dict, dict, dict]], statistic: str) -> dict[str, float]:
    """What the statistic is read against: isotropic ceiling and untrained network; for a probe chance, pixels and metadata too."""
    step, _, _, first = points[0]
    found = {"untrained": float(first["value"])} if step == 0 and not run.config.get("init_from") else {}
    if statistic != PROBE:
        ceiling = points[-1][3].get("ceiling")
        return found | ({"isotropic": float(ceiling)} if ceiling is not None and statistic != "offset" else {})
    known = run.references()
    found["chance"] = float(known.get("chance", 0.5))
    for name in ("pixels", "metadata"):
        value = known.get(name, {}).get("macro_auroc", {}).get("value")
        if value is not None:
            found[name] = float(value)
    return found


def number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
