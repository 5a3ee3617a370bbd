"""The start that sections about one run at one look share: a heading, the run among those chosen, the look that the slider stands for."""

from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from app import work
from app.map import at
from app.select import Selection
from workbench.run import Run


class Begun(NamedTuple):
    """What a section is about."""

    run: Run
    name: str
    step: int


def begin(chosen: Selection, heading: str, label: str, key: str, able: Callable[[Run], bool] = lambda run: True) -> Begun | None:
    """Heading and, where several runs are `able`, the choice among them (`key` also names it in the address); None where none was looked at yet."""
    steps = {name: (run, step) for run, name in chosen.names.items() if able(run) and (step := at(chosen, run)) is not None}
    if not steps:
        return None
    st.markdown(f"##### {heading}")
    name = work.one_of({name: run for name, (run, _) in steps.items()}, label, key)
    run, step = steps[name]
    return Begun(run, name, step)
