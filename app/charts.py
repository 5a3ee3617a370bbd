"""Curves of the chosen runs, two beside each other, with the metrics to choose from."""

from collections.abc import Sequence

import streamlit as st

from app import place, read, state, words
from app.select import Selection
from workbench.figures import metrics as figures

AT_FIRST = 4
MARKED = {"resumed": "resumed", "knob": "changed", "nan": "not finite", "sentinel": "collapse", "stop": "stopped", "stage": "stage"}


def curves(chosen: Selection, page: str, detailed: bool = True) -> None:
    """Draw the metrics the reader ticked, at first the first few."""
    keys = read.known(chosen.runs)
    if not keys:
        place.empty("These runs have not written a number yet.")
        return
    named = {str(key): key for key in keys}
    st.session_state[f"{page}_metrics"] = picked(list(named), [str(key) for key in figures.shown(keys)][:AT_FIRST])
    widget = f"{page}_metrics"
    st.multiselect("Curves", list(named), key=widget, format_func=title(named), on_change=state.follow("metric", widget))
    slots, labels = chosen.slots, chosen.labels
    metrics = read.curves(chosen.runs, [named[name] for name in st.session_state[widget]], labels)
    marks = marks_of(chosen)
    for first in range(0, len(metrics), 2):
        for column, metric in zip(st.columns(2, gap="medium"), metrics[first : first + 2]):
            with column:
                fig = figures.curves(metric, slots, place.palette(), marks)
                if detailed:
                    place.figure(
                        fig,
                        f"{page}_{metric.key.group}_{metric.key.name}".replace(".", "_"),
                        metric.title,
                        told(metric),
                        figures.rows(metric),
                    )
                else:
                    place.plain(fig, f"{page}_{metric.key.group}_{metric.key.name}".replace(".", "_"), metric.title)


def picked(names: Sequence[str], at_first: Sequence[str]) -> list[str]:
    chosen = [name for name in state.get("metric") or [] if name in names]
    return chosen or list(at_first)


def title(named: dict):
    return lambda name: named[name].title


def told(metric: figures.Metric) -> str:
    """What is drawn and where the levels come from."""
    levels = "".join(f"\n- {level.name} {level.value:.4g}: {state.escape(level.why)}" for level in metric.levels)
    return f"**{state.escape(metric.key)}**: {metric.drawn}.{levels}"


def marks_of(chosen: Selection) -> list[tuple[int, str]]:
    """What happened to the runs, for the step axis; the same event of several runs once."""
    found = {
        (int(event["step"]), MARKED[event["event"]])
        for run in chosen.runs
        for event in read.events(run)
        if event.get("event") in MARKED and "step" in event
    }
    return sorted(found)[:12]


def happened(chosen: Selection) -> list[dict[str, str]]:
    """Events of the runs as table rows, newest first."""
    found = [(event, run) for run in chosen.runs for event in read.events(run)]
    found.sort(key=lambda item: float(item[0].get("time") or 0), reverse=True)
    known = ("event", "time", "step")
    return [
        {
            "time": words.clock(float(event.get("time") or 0)),
            "run": chosen.labels[run.id],
            "step": str(event.get("step", "")),
            "event": str(event.get("event", "")),
            "details": str(event["said"])
            if "said" in event
            else ", ".join(f"{key} {value}" for key, value in event.items() if key not in known),
        }
        for event, run in found[:60]
    ]
