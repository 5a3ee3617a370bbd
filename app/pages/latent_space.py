"""What became of the latent space: spectrum now and over training, rank, scale and offset beside a probe, the map, and what a contrast compares."""

import streamlit as st

from app import alike, depth, directions, factors, inside, map, measures, place, queried, read, state, towers, verdicts
from app.cells import latent_space
from app.select import looked_into

NOTHING = "**No run to look into yet.** Choose one above, or train the demo; its nine runs appear here as they train:"

root = state.root()
chosen = looked_into(root, latent_space, NOTHING)
found = read.latent(chosen.runs, chosen.feature, chosen.step, chosen.labels, chosen.shown)
place.verdict(*verdicts.verdict(found, chosen, place.palette()))

now, history = st.columns(2, gap="medium")
with now:
    inside.spectrum(found, chosen)
with history:
    inside.heat(found, chosen)
inside.multiples(found, chosen)

measures.section(root, chosen)
directions.section(root, chosen)
map.section(chosen)
if chosen.query:
    queried.panel(chosen, chosen.query)
towers.section(root, chosen)
depth.section(root, chosen)
alike.section(root, chosen)
factors.section(root, chosen)
place.footer(inside.footer(found, chosen))
