"""What pages read of runs, kept between script runs: a file that did not change is not read twice."""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from workbench.analysis import metrics
from workbench.analysis.seeds import Arm, arms
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
