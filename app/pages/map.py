"""The map: studies as points, a line drawn around some of them, and what they are."""

import streamlit as st

from app import atlas, cells, place, state
from app.select import looked_into

NOTHING = "**No run to map yet.** Choose one above, or train the demo; its nine runs appear here as they train:"

root = state.root()
chosen = looked_into(root, cells.latent_space, NOTHING)
found = atlas.run_of(chosen)
if found is None:
    place.empty("**None of these runs has been looked at up to this step.** Move the slider to the right.")
    st.stop()
atlas.section(chosen, *found)
