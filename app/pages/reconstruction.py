"""What a method paints into hidden patches: any image, any mask, any checkpoint, beside what anyone would have guessed."""

import streamlit as st

from app import able, cells, masks, place, reconstruct, set_skill, state, studies, told
from app.select import control_row, refresh_line
from workbench.figures import reconstruction as figures

root = state.root()
chosen = control_row(root, cells.reconstruction)
if not chosen.runs:
    place.empty("**No run to look into yet.** Choose one above, or train one that paints what is hidden:", "workbench train mae-phantoms")
    st.stop()
refresh_line(chosen.runs)
runs = able.able(chosen.runs, "Reconstructs")
if not runs:
    able.explain(chosen.runs, "Reconstructs", "reconstruct", "reconstruct images", "workbench train mae-phantoms")
    st.stop()
side, slots = reconstruct.side_of(runs[0]), chosen.slots
names = {run: name for run, name in chosen.names.items() if run in runs}
colours = {names[run]: slots[run.id] for run in runs}

source, which, hide, first, second = st.columns([1.55, 2.1, 2.6, 1.8, 1.0], vertical_alignment="bottom", gap="small")
picked = reconstruct.choose_image((source, which), root, runs[0], chosen.query)
kind = masks.choose_kind(hide)
if picked is None:
    place.empty("**No image yet.** Choose a study, or hand in a PNG or JPEG; it stays on this machine.")
    st.stop()
image, loaded = picked
mask = reconstruct.choose_mask(kind, (first, second), image, loaded, side)
if mask is None:
    st.stop()
allowed = studies.allowed(loaded)
studies.ask(loaded)

said = st.container()
if kind == "painted":
    left, right = st.columns([1, 3.6], gap="medium")
else:
    left, right = None, st.container()
with right:
    found = reconstruct.found(root, runs, names, chosen.step, image, mask)
    reconstruct.films(found, allowed)
if left:
    with left:
        reconstruct.painter(found, side, allowed)
if not found:
    st.stop()
with said:
    place.verdict(*reconstruct.verdict(found, colours, place.palette()))

now, history = st.columns(2, gap="medium")
with now:
    fig = figures.skills(found, colours, place.palette())
    rows = figures.skill_rows({name: [each] for name, each in found.items()})
    place.figure(fig, "skill", "Skill against four guesses", reconstruct.told(next(iter(found.values()))), rows)
with history:
    every = reconstruct.history(root, runs, names, chosen, image, mask, colours)
reconstruct.strips(every, allowed)
for run in filter(told.able, runs):
    told.section(root, run, names[run], reconstruct.snapshot(run, chosen.step), image, mask, found.get(names[run]), loaded)
set_skill.section(root, runs, names, chosen.step, chosen.query, loaded)
place.footer(reconstruct.footer(found, chosen, loaded))
