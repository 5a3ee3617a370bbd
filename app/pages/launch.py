"""Describe a run in a form, see what it will need, start it, and order what waits."""

import streamlit as st

from app import bring_in, dialogs, draft, launch, launch_form, place, state

root = state.root()
dialogs.told()
words, only = launch.head(root)
said = st.container()
form, beside = st.columns([2.1, 1], gap="medium")
with form:
    launch_form.whole(root, launch_form.Shown(words, only))
    if only and not draft.changes():
        st.caption(f"Nothing differs from {state.escape(str(draft.origin()).removeprefix(draft.RUN))} yet.")
with beside:
    button = st.container()
    config, error = launch.check(root, *draft.parsed())
    refused = launch.preflight(root, config)
    with button:
        launch.start(root, config, refused)
    launch.same(root)
    launch.queue(root)
    bring_in.section(root)
with said:
    launch.verdict(config, error, refused)
place.footer([f"runs go to {root}", "a run goes on when this page is closed"])
