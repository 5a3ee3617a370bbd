"""Where a network looks: every head of every layer, rollout and patch colours, words and patches; Grad-CAM where the tower has no attention."""

import streamlit as st

from app import able, attend, attribute, cells, crossed, place, state, studies, work
from app.select import control_row, refresh_line
from workbench import capable
from workbench.analysis import attention

root = state.root()
chosen = control_row(root, cells.attention)
if not chosen.runs:
    place.empty("**No run to look into yet.** Choose one above, or train one whose image tower attends:", "workbench train mae-phantoms")
    st.stop()
refresh_line(chosen.runs)
attending = able.able(chosen.runs, "Attends")
runs = [run for run in chosen.runs if run in attending or run in attribute.able(chosen.runs)]
if not runs:
    able.explain(chosen.runs, "Attends", "attention", "attend to patches, nor score images", "workbench train mae-phantoms")
    st.stop()

kind, before, which, after, other = st.columns([1.4, 0.42, 2.6, 0.42, 3], vertical_alignment="bottom", gap="small")
run = attend.choose_run(other, runs, chosen.names)
name, colour, step = chosen.names[run], place.palette().of(chosen.slots[run.id]), attend.snapshot(run, chosen.step)
picked = attend.choose_image((kind, before, which, after), root, run, chosen.query)
if picked is None:
    place.empty("**No image yet.** Choose a study, or hand in a PNG or JPEG; it stays on this machine.")
    st.stop()
image, loaded = picked
studies.ask(loaded)

if run not in attending:
    others = ", ".join(state.escape(each["name"]) for each in capable.able(root, "Attends")[:4])
    beside = (
        f"Runs here that attend: {others}."
        if others
        else "No run here attends: train one with `vision: timm:vit_tiny_patch16_224`, or `mae`."
    )
    st.caption(f"The image tower of {state.escape(name)} is no vision transformer, so this is Grad-CAM. {beside}")
    asked = attribute.target(st.container(width=520), run, loaded)
    if asked is None:
        place.empty("**Nothing typed.** Type what to look for, such as *pleural effusion*.")
        st.stop()
    attribute.section(root, run, step, image, asked, loaded, name, colour)
    st.stop()

folder = work.shown(work.ask(root, "attention", run.id, {"step": step, "image": image}), attend.HEIGHT, "attention")
if not folder:
    st.stop()
found, allowed = attend.read(folder), studies.allowed(loaded)
place.verdict(*attend.verdict(found, name, colour))
left, right = st.columns(2, gap="medium")
with left:
    attend.look(found, allowed)
    attend.rolled(found, allowed)
with right:
    attend.heads(found)
    attend.depth(found)
    basis = work.shown(work.ask(root, "patch_colours", run.id, {"step": step, "image": image}), attend.SMALL, "patch_colours")
    if basis:
        attend.patches(*attention.read_colours(basis), allowed)
crossed.section(root, run, name, step, image, loaded, ", ".join(able.methods_with("crossing")))
tokens = f"{found.count} tokens, {found.side} x {found.side} patches"
place.footer(attend.footer(found.key, found.step, run, loaded, tokens, f"{found.layers} layers of {found.heads} heads"))
