"""Beside the form of the page Launch: whether it can be started, what it will need, the YAML and command that do the same, and the queue."""

import html
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from app import actions, bring_in, buttons, dialogs, draft, place, read, state, words, work
from workbench.queue import queue_list
from workbench.run import RunConfig
from workbench.run_files import read_json

ASKED = "preflight_asked"  # session key: the configuration that was measured


def head(root: Path) -> tuple[str, bool]:
    """What to start from, and what to show of the form; returns the search words and whether only changes are shown."""
    statuses = read.statuses(root)
    starts = draft.starts(statuses)
    names = {
        status["id"]: f"{status.get('name') or status.get('method')} · seed {status.get('seed', 0)} · {status['id'][-4:]}"
        for status in statuses
    }
    wanted = state.get("start")
    chosen = wanted if wanted in starts else (draft.origin() if draft.origin() in starts else starts[0])
    if draft.origin() != chosen:
        draft.begin(root, chosen)
    left, middle, right = st.columns([4, 3.2, 2], vertical_alignment="bottom", gap="small")
    st.session_state["start_from"] = chosen
    left.selectbox(
        "Start from", starts, key="start_from", format_func=lambda each: draft.named(each, names),
        on_change=lambda: again(root, st.session_state["start_from"]), help="A recipe, or the configuration of a run",
    )  # fmt: skip
    search = middle.text_input("Search in fields", key="field_search", placeholder="rate, mask, every …", max_chars=80)
    only = right.toggle("Only what I changed", key="field_changed")
    return search.strip(), only


def again(root: Path, chosen: str) -> None:
    state.put("start", chosen)
    draft.begin(root, chosen)


def check(root: Path, config: RunConfig | None, error: str | None) -> tuple[RunConfig | None, str | None]:
    """What a worker says of method, data and start weights; while it has not answered, what is known without it."""
    if config is None or error:
        return None, error
    job = work.ask(root, "validate", None, {"config": config.to_dict()})
    if not job.done:
        waits(job)
        return config, None
    answer = read_json(job.result / "checked.json")
    if answer["init_from"]:
        with st.expander(f"Start weights: {bring_in.counted(answer['init_from'])}", key="launch_weights"):
            bring_in.told(answer["init_from"])
    return (None, answer["error"]) if answer["error"] else (RunConfig.parse(answer["config"], "this run"), None)


@st.fragment(run_every=0.3)
def waits(job: Any) -> None:
    """Says that the check goes on, and runs the page again when it has ended."""
    if job.done or job.status()["state"] not in ("waiting", "running"):
        st.rerun()
    st.caption("Checking method and data …")


def verdict(config: RunConfig | None, error: str | None, refused: str | None) -> None:
    """What will be started, or why it cannot be."""
    count = len(draft.changes())
    if config is None or error or refused:
        place.verdict([("This cannot be started:", str(error or refused))], "", place.palette().series[0])
        return
    data = " and ".join(dict.fromkeys(str(source.config.get("name")) for source in config.data.values()))
    size = f"{words.number(config.steps, 12)} steps of {config.batch * config.accumulate} studies"
    began = str(draft.origin()).removeprefix(draft.RUN)
    said = f"trains {config.method.get('name')} on {data}, {size}."
    aside = f"{count} field{'s' * (count != 1)} differ{'s' * (count == 1)} from {began}" if count else f"as {began} has it"
    place.verdict([("This", said)], aside, place.palette().accent)


def start(root: Path, config: RunConfig | None, refused: str | None) -> None:
    st.button(
        "Start this run", type="primary", icon=":material/play_arrow:", width="stretch", key="launch_go", disabled=config is None or refused is not None,
        on_click=dialogs.act, args=(actions.start_config, root, config),
    )  # fmt: skip


def preflight(root: Path, config: RunConfig | None) -> str | None:
    """One measured step beside the form; returns the sentence that refuses the run, where it was measured as it stands."""
    st.markdown("**Before it starts**")
    plain = config.to_dict() if config else None
    asked = st.session_state.get(ASKED)
    fresh = plain is not None and asked == plain
    if not fresh:
        st.caption(
            "Takes one true step and says what the run will need." if asked is None else "The form has changed since it was measured."
        )
        st.button("Measure one step", key="preflight", icon=":material/speed:", disabled=plain is None, on_click=measure, args=(plain,))
        return None
    job = work.ask(root, "preflight", None, {"config": plain, "visible": os.environ.get("CUDA_VISIBLE_DEVICES")})
    folder = work.shown(job, 170, "preflight_job")
    if folder is None:
        return None
    found = read_json(folder / "preflight.json")
    facts(rows(found))
    for note in found["notes"]:
        st.caption(state.escape(note))
    return found["refused"]


def facts(pairs: Sequence[tuple[str, str]]) -> None:
    """Quantities under each other, names in grey."""
    cells = "".join(
        f'<tr><td style="opacity: .65; padding: .1rem .8rem .1rem 0; white-space: nowrap; vertical-align: top">{html.escape(name)}</td>'
        f"<td>{html.escape(value)}</td></tr>"
        for name, value in pairs
    )
    st.html(f'<table style="font-size: .875rem; border-collapse: collapse">{cells}</table>')


def measure(config: dict[str, Any] | None) -> None:
    st.session_state[ASKED] = config


def rows(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The quantities of a pre-flight in words."""
    predicted = "" if found["measured"] == found["batch"] else f", predicted from batch {found['measured']}"
    told = [
        ("Parameters", f"{words.number(found['parameters'])}, {words.number(found['trainable'])} train"),
        ("Work of a step", f"{words.number(found['flops'] / 1e9)} GFLOP"),
        ("Memory", f"{words.size(found['memory'])} of {words.size(found['memory_free'])} free{predicted}"),
        ("Disk", f"{words.size(found['disk'])} of {words.size(found['disk_free'])} free, {found['snapshots']} snapshots"),
        ("Device", found["device"]),
    ]
    if found["step_seconds"] is not None:
        told.insert(2, ("Step", f"{words.duration(found['step_seconds'])}, data {words.duration(found['data_seconds'])}"))
        told.insert(3, ("Whole run", f"about {words.duration(found['eta_seconds'])} and its looks"))
    return told + ([("Largest batch", str(found["largest_batch"]))] if found["largest_batch"] else [])


def same(root: Path) -> None:
    """The YAML and the command line that start the same run."""
    st.markdown("**The same without this page**")
    yaml, command = draft.text(), draft.command(root)
    st.code(command, language="bash", wrap_lines=True)
    left, right = st.columns(2, gap="small")
    with left:
        buttons.copy("Copy command", command, "Starts the same run in a terminal", "copy_command")
    with right:
        buttons.copy("Copy YAML", yaml, "Save it and start it with `workbench train FILE`", "copy_yaml")
    with st.expander("YAML"):
        st.code(yaml, language="yaml", height=320)


def queue(root: Path) -> None:
    """What waits, in order, with what can be done about it."""
    waiting = queue_list(root)
    st.markdown("**Queue**")
    if not waiting:
        st.caption("Nothing waits.")
    for index, request in enumerate(waiting, 1):
        entry(root, index, len(waiting), request["run"])


def entry(root: Path, index: int, count: int, run_id: str) -> None:
    told, up, down, twice, out = st.columns([5, 1, 1, 1, 1], vertical_alignment="center", gap="small")
    run = read.run(root / run_id)
    told.markdown(f"{index}. {state.escape(run.title)}  \n:small[:gray[{state.escape(run_id)}]]")
    act = dialogs.act
    buttons_: Sequence[tuple[Any, str, str, bool, tuple[Any, ...]]] = (
        (up, "arrow_upward", "Earlier", index == 1, (actions.move, root, run_id, index - 1)),
        (down, "arrow_downward", "Later", index == count, (actions.move, root, run_id, index + 1)),
        (twice, "content_copy", "Duplicate", False, (actions.duplicate, root, run)),
        (out, "close", "Take out of the queue", False, (actions.stop, [run])),
    )
    for column, icon, label, disabled, args in buttons_:
        column.button(
            "", icon=f":material/{icon}:", key=f"{icon}.{run_id}", help=label, disabled=disabled, on_click=act, args=args, type="tertiary"
        )
