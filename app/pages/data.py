"""What models are trained on: studies with filters, one beside the table, what the whole holds, and the simulated patient changed."""

import streamlit as st

from app import browse, listing, place, queried, sets, state, whatif

root = state.root()
chosen = browse.choose(root)
if chosen is None:
    st.stop()
dataset = chosen.loaded.dataset
if not len(chosen.rows):
    place.empty("**No study passes these filters.** Take one of them away.")
    sets.shelf(root)
    st.stop()

left, right = st.columns([1.55, 1], gap="medium")
with left:
    key = listing.choose(chosen)
with right:
    if key:
        browse.study(chosen, key)
if key and chosen.loaded.open and isinstance(dataset, whatif.Phantoms):
    whatif.section(dataset, chosen.loaded.places[key], key)
if asked := chosen.as_query or chosen.query:
    queried.of_data(chosen.loaded, asked)
sets.shelf(root)
browse.totals(chosen)
browse.described(chosen)
place.footer(
    [
        f"{len(dataset)} studies of {len(set(dataset.patients))} patients",
        f"terms of use: {dataset.terms}",
        f"data #{dataset.data_hash[:8]}",
        "simulated" if chosen.config.get("name") == "phantoms" else "",
    ]
)
