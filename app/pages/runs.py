"""All runs: find, start, stop, resume and delete them; the curves of the ticked ones beside each other."""

import streamlit as st

from app import actions, charts, dialogs, place, read, state, table, words
from app.select import Selection

root = state.root()
dialogs.told()
statuses = read.statuses(root)
if not statuses:
    place.empty(f"**No runs in** `{state.escape(root)}` **yet.** The demo trains nine small ones in about four minutes:", "workbench demo")
    if st.button("Start a run from a recipe", key="start"):
        dialogs.start(root)
    st.stop()

passed = table.filters(statuses)
if st.session_state["begin"]:
    dialogs.start(root)
table.count_line(root)
held = table.ticked(passed)
runs = [read.run(root / run) for run in held if run in {status["id"] for status in statuses if status["state"] != "damaged"}]

with st.container(horizontal=True, vertical_alignment="center"):
    act = dialogs.act
    st.button("Stop after this step", disabled=not runs, icon=":material/stop:", key="stop", on_click=act, args=(actions.stop, runs))
    st.button("Resume", disabled=not runs, icon=":material/play_arrow:", key="resume", on_click=act, args=(actions.resume, root, runs))
    if st.button("Delete…", disabled=not runs, icon=":material/delete:", key="delete"):
        dialogs.delete(runs)
    if runs and any(run.status.get("features") for run in runs):
        st.page_link("pages/latent_space.py", label="Latent space of the ticked runs", icon=":material/hub:", query_params=state.url_of())

if runs:
    charts.curves(Selection(runs, "", -1), "runs")
    place.footer([words.count(run.status["state"] for run in runs), *(run.id for run in runs[:6]), "…" if len(runs) > 6 else ""])
else:
    st.caption("Tick runs to see their curves side by side.")
