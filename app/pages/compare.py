"""Runs and checkpoints beside each other: spectra, seeds, differences on the same studies, likeness of layers and steps."""

import streamlit as st

from app import inside, place, read, sets, state, versus
from app.cells import compare
from app.select import looked_into

NOTHING = "**Nothing to compare yet.** Choose runs above, or train the demo; its nine runs appear here as they train:"

root = state.root()
chosen = looked_into(root, compare, NOTHING)
found = read.latent(chosen.runs, chosen.feature, chosen.step, chosen.labels, chosen.shown)
place.verdict(*versus.verdict(found, chosen))
now, over = st.columns(2, gap="medium")
with now:
    inside.spectrum(found, chosen)
with over:
    versus.ratio(found, chosen)
versus.strips(found, chosen)
sets.unobeyed(chosen.query)
versus.section(root, chosen)
place.footer(inside.footer(found, chosen))
