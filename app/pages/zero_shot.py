"""What prompts read from images: scores as they are typed, with intervals, controls, calibration, subgroups and the films they get wrong."""

import streamlit as st

from app import able, cells, place, prompted, read, state, zeroshot
from app.select import control_row, refresh_line
from workbench import prompt_bank
from workbench.figures.zeroshot import STATISTICS

root = state.root()
chosen = control_row(root, cells.zero_shot)
if not chosen.runs:
    place.empty("**No run to prompt yet.** Choose one above, or train one that sees images and text:", "workbench train clip-phantoms")
    st.stop()
refresh_line(chosen.runs)
runs = able.able(chosen.runs, "Projects")
if not runs:
    able.explain(chosen.runs, "Projects", "project_text", "score prompts", "workbench train clip-phantoms")
    st.stop()
run, names, runs = runs[0], chosen.names, zeroshot.alike(runs)
loaded = zeroshot.data_of(run)
asked = zeroshot.choose(loaded, run, chosen.query) if loaded else None
if loaded is None or asked is None:
    st.stop()
if len(runs) < len(chosen.runs):
    st.caption(
        "Not scored, without text or on other data: " + ", ".join(state.escape(names[other]) for other in chosen.runs if other not in runs)
    )
if asked.source == "typed" and asked.split == "test":
    st.caption("Choose prompts on validation: a score on test of prompts that were chosen there is too good.")

colour = place.palette().of(chosen.slots[run.id])
said, statistic = st.container(), st.session_state.get("zero_statistic") or STATISTICS[0]
left, right = st.columns([1.25, 1], gap="medium")
with left:
    drawn = st.empty()
    st.segmented_control("Statistic", STATISTICS, default=STATISTICS[0], required=True, key="zero_statistic", label_visibility="collapsed")
    with drawn.container():
        work = {each: zeroshot.ready(root, each, asked, chosen.step, f"zero_{each.id}") for each in runs}
control = read.run(path) if (path := zeroshot.twin(run.path)) else None
if not all(work.values()):
    st.stop()
beside = zeroshot.asked_for(root, control, asked) if control else None
for resamples in zeroshot.stages(runs, asked, chosen.step):  # scores at once; what draws patients a moment later, in place
    if control and resamples and not beside:
        with left:
            beside = zeroshot.ready(root, control, asked, -1, "zero_twin", 130)
    answers = {names[each]: zeroshot.answer(each, work[each], asked, chosen.step, loaded, resamples) for each in runs}
    twin = zeroshot.answer(control, beside, asked, -1, loaded, resamples) if beside else None
    levels = prompted.references(run, None if control in runs else twin, asked, statistic)  # drawn once, as a run or as a mark
    with drawn.container():
        prompted.forest(answers, chosen, asked, statistic, levels, twin, whole=resamples > 0)
with right:
    prompted.reliability(answers[names[run]], asked, colour)
zeroshot.finished(runs, asked, chosen.step)
with said:
    prompted.verdict(answers, twin, prompted.references(run, twin, asked, "AUROC"), colour)
    prompted.strange(answers)
got = answers[names[run]]
prompted.subgroups(got, asked, loaded, colour)
prompted.worst(got, asked, loaded)
values = zeroshot.one_image(root, run, asked, got, chosen.step)
if values is not None:
    prompted.one(got, asked, values)
prompted.footer(answers, asked, runs, prompt_bank.digest(asked.bank))
