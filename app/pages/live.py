"""What is training now: progress, curves, log and events, renewed while it runs."""

import streamlit as st

from app import actions, bring_in, charts, dialogs, place, read, state, words
from app.select import control_row

root = state.root()
dialogs.told()
chosen = control_row(root)
if not chosen.runs:
    place.empty("**Nothing to watch yet.** Choose a run above, start one on the page *Runs*, or train the demo:", "workbench demo")
    st.stop()

active = any(run.status["state"] in ("running", "starting", "queued") for run in chosen.runs)


@st.fragment(run_every=2 if active else None)
def watch() -> None:
    """One fragment: only this part of the page runs again, and only new bytes are read."""
    statuses = {run: run.status for run in chosen.runs}
    place.lines([words.headline(status, chosen.names[run]) for run, status in statuses.items()])
    for run, status in statuses.items():
        if status["state"] in ("running", "starting"):
            st.progress(read.progress(status), f"{state.escape(chosen.names[run])}: {words.pace(status, read.rate(run))}")
    charts.curves(chosen, "live", detailed=False)
    log, events = st.columns(2, gap="medium")
    with log:
        place.log({name: run.log_tail() for run, name in chosen.names.items()})
    with events:
        place.events(charts.happened(chosen))
    if active and not any(run.status["state"] in ("running", "starting", "queued") for run in chosen.runs):
        st.rerun()


watch()
if active:
    with st.container(horizontal=True):
        act = dialogs.act
        st.button("Stop after this step", icon=":material/stop:", key="live_stop", on_click=act, args=(actions.stop, chosen.runs))
        dialogs.knobs(chosen.runs)
    if any(run.status.get("process") == "shared" and run.status["state"] == "running" for run in chosen.runs):
        st.caption("These runs share one process: stopping ends a run at its step, killing that process would end all of them.")
bring_in.reports(chosen.names)
place.footer(
    [f"{len(chosen.runs)} runs in {root}", "renews itself every 2 s while something runs" if active else "nothing here runs: not renewed"]
)
