"""What pages read of runs, kept between script runs: a file that did not change is not read twice."""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from workbench.analysis import falls, looks, metrics
from workbench.analysis.collapse import STATISTICS
from workbench.analysis.seeds import Arm, arms
from workbench.analysis.sentinel import Look
from workbench.run import Run, list_runs

LOCK = threading.Lock()  # a Tail is shared by all sessions and changes while it reads


@st.cache_data(ttl=1.5, max_entries=8, show_spinner=False)
def statuses(root: Path) -> list[dict[str, Any]]:
    """Status of every run, newest first; at most a second and a half old."""
    return list_runs(root)


@st.cache_resource(max_entries=2000, show_spinner=False)
def run(path: Path) -> Run:
    """A run whose configuration is parsed once; its status is read anew at each access."""
    return Run(path)


@st.cache_resource(max_entries=256, show_spinner=False)
def tail(path: Path) -> metrics.Tail:
    return metrics.Tail(run(path))


def grouped(runs: Sequence[Run]) -> tuple[Arm, ...]:
    """The chosen runs by setting: seeds of one setting share a colour and a name."""
    return arms(runs)


def known(runs: Sequence[Run]) -> list[metrics.Key]:
    """Metrics that any of the runs has, in the order pages show them; reads only bytes written since the last call."""
    with LOCK:
        found = {key for each in runs for key in tail(each.path).read().known()}
    order = list(metrics.GROUPS)
    return sorted(found, key=lambda key: (order.index(key.group), key.name))


def curves(runs: Sequence[Run], keys: Sequence[metrics.Key], labels: Mapping[str, str]) -> tuple[metrics.Metric, ...]:
    with LOCK:
        return metrics.of_runs([tail(each.path) for each in runs], keys, labels)


def events(each: Run) -> list[dict[str, Any]]:
    with LOCK:
        return list(tail(each.path).events)


def rate(each: Run) -> float | None:
    with LOCK:
        return metrics.rate(tail(each.path))


def progress(status: Mapping[str, Any]) -> float:
    return metrics.progress(status)


LAST = 2**62  # later than any step


class Latent(NamedTuple):
    """Everything the page Latent space draws, for one feature."""

    overlay: looks.Overlay | None
    histories: list[looks.History]
    trajectories: dict[str, list[looks.Trajectory]]  # by statistic
    falls: list[falls.Fall]
    at_last: list[falls.Fall]  # the same at the last look
    elsewhere: list[falls.Fall]  # of the same towers' other features


def latent(runs: Sequence[Run], feature: str, step: int, labels: Mapping[str, str], shown: Mapping[str, Sequence[int]]) -> Latent:
    """Looks are read once and kept; what is left is arithmetic of a few milliseconds."""
    histories = [looks.history(run, feature, labels[run.id], shown[run.id]) for run in runs]
    trajectories = {statistic: of_feature(runs, feature, statistic, labels, shown) for statistic in (*STATISTICS, looks.PROBE)}
    tower = feature.split(".")[0]
    others = {
        name for run in runs for name, shape in run.status.get("features", {}).items() if shape == "b d" and name.split(".")[0] == tower
    }
    return Latent(
        looks.overlay(runs, feature, step, labels, shown),
        [history for history in histories if history],
        trajectories,
        *(judged(runs, feature, at, labels, shown) for at in (step, LAST)),
        [each for other in sorted(others - {feature}) for each in judged(runs, other, step, labels, shown)],
    )


def of_feature(
    runs: Sequence[Run], feature: str, statistic: str, labels: Mapping[str, str], shown: Mapping[str, Sequence[int]]
) -> list[looks.Trajectory]:
    found = [looks.trajectory(run, feature, statistic, labels[run.id], shown[run.id]) for run in runs]
    return [each for each in found if each]


def judged(runs: Sequence[Run], feature: str, step: int, labels: Mapping[str, str], shown: Mapping[str, Sequence[int]]) -> list[falls.Fall]:
    """What became of every arm whose runs have a look in common."""
    arms_of: dict[str, list[list[Look]]] = {}
    for each in runs:
        own = [look for look in looks.sequence(each, LAST, feature) if look.step in shown[each.id]]
        if own:
            arms_of.setdefault(labels[each.id], []).append(own)
    return [falls.fall(label, own, step) for label, own in arms_of.items()]
