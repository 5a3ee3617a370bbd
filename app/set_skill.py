"""The chosen set on the page Reconstruction: are its films painted as well as others?"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import streamlit as st

from app import masks, place, reconstruct, state, studies, work
from workbench.analysis.reconstruction import SetSkill, unseen
from workbench.errors import UserError
from workbench.figures.zeroshot import said
from workbench.queries import Query
from workbench.run import Run, read_json

JOB, KEY, HEIGHT = "set_skill", "set_skill", 110
FORMULA = """Skill $= 1 - \\sum$ error $/ \\sum$ error of cubic interpolation over the hidden patches of one random mask, the same for all films; films of validation and test alone, at most 60 on either side, evenly chosen. Intervals: percentile bootstrap of whole patients."""


def section(
    root: Path, runs: Sequence[Run], names: Mapping[Run, str], step: int, query: Query | None, loaded: studies.Studies | None
) -> None:
    """Nothing without a set; until someone asks it is one button a run."""
    if query is None or loaded is None:
        return
    st.markdown(f"##### Are the films of {state.escape(query.name)} painted as well as others?")
    try:
        inside, others = unseen(loaded.dataset, query.keys)
    except UserError as error:
        st.caption(state.escape(error))
        return
    chosen = {names[run]: run for run in runs}
    run = chosen[work.one_of(chosen, "Painted by", "set_skill_of")]
    ratio = (masks.RATIO if state.get("ratio") is None else min(100, state.get("ratio"))) / 100
    parameters = {"step": reconstruct.snapshot(run, step), "ratio": ratio, "inside": inside, "others": others}
    told = f"Paints {len(inside)} films of the set and {len(others)} others with {ratio:.0%} hidden; the worker needs seconds for it"
    if folder := work.on_request(root, JOB, run, parameters, "Measure the set's skill", told, HEIGHT, KEY):
        found = SetSkill.of_dict(read_json(folder / "found.json"))
        st.markdown(f"**{state.escape(names[run])}** {state.escape(sentence(found))}")
        place.details(KEY, FORMULA, rows(found), pictured=False)


def sentence(found: SetSkill) -> str:
    """Both skills and whether they differ."""
    low, high = found.difference.low, found.difference.high
    known = low is not None and high is not None
    verdict = (
        found.difference.why
        if not known
        else "the set is painted worse"
        if high < 0
        else "the set is painted better"
        if low > 0
        else "no difference is shown"
    )
    text = (
        f"paints the set with a skill of {said(found.inside)} ({found.films[0]} films), others with {said(found.others)} ({found.films[1]})"
    )
    return f"{text}. {verdict.capitalize()}: {said(found.difference)}. {found.ratio:.0%} hidden, step {found.step}."


def rows(found: SetSkill) -> list[dict[str, object]]:
    """As a table."""
    counts = {"inside": found.films[0], "others": found.films[1], "difference": None}
    return [
        {
            "films of": name,
            "films": count,
            "skill": each.value,
            "low": each.low,
            "high": each.high,
            "procedure": each.procedure,
            "why": each.why,
        }
        for name, count in counts.items()
        for each in (getattr(found, name),)
    ]
