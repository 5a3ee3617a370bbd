"""Runs and checkpoints beside each other: spectra, seeds, differences on the same studies, likeness of layers and steps."""

import streamlit as st

from app import inside, place, read, state, versus
from app.cells import compare
from app.select import control_row, refresh_line

root = state.root()
chosen = control_row(root, compare)
if not chosen.runs:
    place.empty(
        "**Nothing to compare yet.** Choose runs above, or train the demo; its nine runs appear here as they train:", "workbench demo"
    )
    st.stop()
refresh_line(chosen.runs)
if not chosen.feature:
    place.empty("**These runs have not been looked at.** The first look is written before the first step, unless `monitors.studies` is 0.")
    st.stop()

found = read.latent(chosen.runs, chosen.feature, chosen.step, chosen.labels, chosen.shown)
place.verdict(*versus.verdict(found, chosen))
now, over = st.columns(2, gap="medium")
with now:
    inside.spectrum(found, chosen)
with over:
    versus.ratio(found, chosen)
versus.strips(found, chosen)
versus.section(root, chosen)
place.footer(inside.footer(found, chosen))
