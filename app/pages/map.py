"""The map: studies as points, a line drawn around some of them, and what they are."""

import streamlit as st

from app import atlas, cells, charted, place, queried, state
from app.select import looked_into

NOTHING = "**No run to map yet.** Choose one above, or train the demo; its nine runs appear here as they train:"

root = state.root()
chosen = looked_into(root, cells.atlas, NOTHING)
asked = charted.choose(chosen)
if asked is None:
    place.empty("**None of these runs has been looked at up to this step.** Move the slider to the right.")
    st.stop()
try:
    every = charted.maps(root, asked)
except ValueError as error:
    place.empty(f"**No map**: {state.escape(error)}")
    st.stop()
if every is None:
    st.stop()
found = charted.shown(every, asked.step)
atlas.verdict(asked, found)
atlas.section(root, asked, every, chosen.query)
if query := queried.lassoed(asked, found, atlas.polygon(root, asked, every)) or chosen.query:
    queried.panel(chosen, query, asked.run, "atlas_set")
    atlas.images(asked, query)
place.footer(atlas.footer(asked, found))
