"""What a run finds: reports of images, images of reports and of images; a search by words, study or image; where it fails."""

import streamlit as st

from app import cells, finder, place, retrieve, studies, work
from app.select import looked_into

root = retrieve.state.root()
chosen = looked_into(root, cells.retrieval, "**No run to search in yet.** Train some with one command:")
runs = retrieve.runs_of(chosen)
if not runs:
    place.empty("**The chosen runs have no vectors of images to search among.** Choose another run or a later checkpoint.")
    st.stop()
found = retrieve.ready(root, chosen, runs)
first = next(iter(runs.values()))
retrieve.verdict(found, place.palette().of(chosen.slots[first.id]))
retrieve.overview(found, chosen)
retrieve.of_set(found, runs, chosen.query)
name = work.one_of(runs, "Search and details of", "retrieval_of")
run, slot = runs[name], chosen.slots[runs[name].id]
loaded = retrieve.opened(run)
studies.ask(loaded)
finder.section(root, chosen, run, name, slot, loaded)
retrieve.details(found[name], run, name, slot, loaded)
retrieve.footer(found, runs)
