"""The page Zero-shot: what is asked. Prompts typed, from a file or the data set's own; the scores of every run, as far as they are there."""

import time
from collections.abc import Mapping, Sequence
from concurrent import futures
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from app import place, read, state, studies, work
from app.select import nearest
from workbench import controls, embeddings, prompt_bank
from workbench.analysis import zeroshot
from workbench.analysis.zeroshot import ZeroShot
from workbench.errors import UserError
from workbench.jobs import OPEN, Job
from workbench.queries import Query
from workbench.run import Run, read_json

SHARED = "image.projected"
SPLITS = {"val": "Validation", "test": "Test"}
WORDS = {"findings": "Findings", "classes": "One class each"}
SOURCES = {"own": "Own", "typed": "Typed", "file": "File"}
TEMPLATES = ("There is {}.", "There is no {}.")
TEMPLATED = {"templates": {"positive": [TEMPLATES[0]], "negative": [TEMPLATES[1]]}}  # where the data set brings none of its own
PATIENCE = 0.45  # seconds a script run waits for prompts: most come back in this time, and nothing has to be drawn twice
SKELETON = 330
RESAMPLES = 1000
MOST = 4  # runs scored beside each other
TICK = 0.02  # seconds after which a waiting page looks whether it is still wanted
STRANGE = 0.5  # share of unknown tokens from which on a prompt is said to be unread
QUICK, JUDGES = futures.ThreadPoolExecutor(1), futures.ThreadPoolExecutor(1)  # scores never wait for another request's intervals


class Asked(NamedTuple):
    """What the page shows: which prompts, how they are read, of which studies, and the finding the details are about."""

    bank: prompt_bank.Bank
    source: str
    mode: zeroshot.Mode
    split: str
    label: str
    query: Query | None = None  # of which only the studies are scored

    @property
    def place(self) -> int:
        return list(self.bank).index(self.label)


def choose(loaded: studies.Studies, run: Run, query: Query | None = None) -> Asked | None:
    """Draw the controls; None, with the sentence that says why, where what is typed or handed in cannot be scored."""
    labels, brings = list(loaded.dataset.label_names), bool(getattr(loaded.dataset, "prompts", None))
    first, second, third, fourth = st.columns([2.0, 2.2, 1.8, 2.6], vertical_alignment="bottom", gap="small")
    known = [each for each in SOURCES if brings or each != "own"]
    source = first.segmented_control("Prompts", known, default=known[0], required=True, key="zero_source", format_func=SOURCES.get)
    mode = picked(second, "Score", "mode", WORDS)
    split = picked(third, "Studies", "split", SPLITS)
    if query and not among(query, loaded, split):
        return None
    try:
        own = prompt_bank.own(loaded.dataset, run.id) if brings or not labels else prompt_bank.parse(TEMPLATED, "templates", labels)
        bank = own if source == "own" else from_file(labels) if source == "file" else None
        names = list(bank or own)
        st.session_state["zero_label"] = state.get("label") if state.get("label") in names else names[0]
        follow = state.follow("label", "zero_label")
        label = fourth.selectbox("Finding", names, key="zero_label", on_change=follow)
        return Asked(bank or typed(own, label), source, mode, split, label, query)
    except UserError as error:
        place.refused(error)
        return None


def among(query: Query, loaded: studies.Studies, split: Any) -> bool:
    """Say how many studies of a split are in the set; whether any is."""
    keys = [loaded.dataset.keys[row] for row in loaded.dataset.split(split)]
    count = int(query.mask(keys).sum())
    if not count:
        place.empty(
            f"**None of the {len(keys)} {SPLITS[split].lower()} studies is in the set {state.escape(query.name)}.** Choose another one."
        )
        return False
    told = " Thresholds come from the set's own other patients." if split == "val" else ""
    st.caption(f"Scored: the {count} of {len(keys)} {SPLITS[split].lower()} studies that are in the set {state.escape(query.name)}.{told}")
    return True


def picked(spot: Any, told: str, key: str, options: Mapping[str, str]) -> Any:
    """A choice of a few that the address keeps."""
    widget = f"zero_{key}"
    st.session_state[widget] = state.get(key) if state.get(key) in options else next(iter(options))
    follow = state.follow(key, widget)
    return spot.segmented_control(told, list(options), required=True, key=widget, format_func=options.get, on_change=follow) or next(
        iter(options)
    )


def from_file(labels: Sequence[str]) -> prompt_bank.Bank:
    """A bank handed in; raises UserError where there is none yet."""
    told = "YAML: finding: {positive: […], negative: […]}, or templates with {} for all"
    file = st.file_uploader(told, ["yaml", "yml"], key="zero_file")
    if file is None:
        raise UserError("no file yet; hand in a YAML file of prompts, or choose the data set's own")
    return prompt_bank.read(file.getvalue(), file.name, labels)


def typed(own: prompt_bank.Bank, label: str) -> prompt_bank.Bank:
    """The prompts typed for one finding, or templates typed for all, over the data set's own; raises UserError for what cannot be scored."""
    held = st.session_state.setdefault("zero_typed", {})
    left, right, over, back = st.columns([4, 4, 1.5, 1.5], vertical_alignment="bottom", gap="small")
    everyone = over.toggle("For all findings", key="zero_all", help="Templates: {} stands for the finding")
    entry = "{}" if everyone else label
    start = TEMPLATES if everyone else tuple(" | ".join(own[label][side]) for side in prompt_bank.SIDES)
    texts = held.setdefault(entry, start)
    if back.button("Start again", key="zero_again", type="tertiary", help="Back to the data set's own prompts"):
        held.clear()
        st.session_state["zero_round"] = st.session_state.get("zero_round", 0) + 1
        texts = held[entry] = start
    fields = []
    for spot, side, told, text in zip((left, right), prompt_bank.SIDES, ("Present", "Absent"), texts):
        key = f"zero_{side}_{entry}_{st.session_state.get('zero_round', 0)}"
        note = "Several prompts with | between them: their scores are averaged"
        fields.append(
            spot.text_input(f"{told}: {'every finding' if everyone else state.escape(label)}", text, key=key, live="0.3s", help=note)
        )
    held[entry] = tuple(fields)
    if everyone:
        sides = {side: lines(text) for side, text in zip(prompt_bank.SIDES, fields)}
        return prompt_bank.expanded(sides, {name: prompt_bank.in_words(name) for name in own}, "typed")
    given = {name: {side: lines(text) for side, text in zip(prompt_bank.SIDES, held[name])} for name in held if name in own}
    return own | {name: prompt_bank.sides(pair, f"typed, {name}") for name, pair in given.items()}


def lines(text: str) -> list[str]:
    return [part.strip() for part in text.split("|") if part.strip()] or [""]


def alike(runs: Sequence[Run]) -> list[Run]:
    """The first few runs on the first one's data: only they are judged by the same studies."""
    data = [next(iter(run.config["data"].values()), {}).get("config") for run in runs]
    return [run for run, config in zip(runs, data) if config == data[0]][:MOST]


class Answer(NamedTuple):
    """What one run's scores are worth, and what its text tower could not read."""

    found: ZeroShot
    temperature: float
    strange: list[str]
    vectors: dict[str, np.ndarray]


def snapshot(run: Run, step: int) -> int:
    """The snapshot the slider stands for."""
    return nearest(run.steps_of("snapshots"), step if step >= 0 else None)


def jobs(root: Path, run: Run, asked: Asked, step: int) -> dict[str, Job]:
    """The work behind one run's scores: the images of validation and of the split, and the prompts."""
    wanted = {split: {"split": split, "step": step, "features": [SHARED]} for split in dict.fromkeys(("val", asked.split))}
    found = {split: work.ask(root, "features", run.id, parameters) for split, parameters in wanted.items()}
    return found | {"prompts": work.ask(root, "prompts", run.id, {"step": step, "texts": prompt_bank.texts(asked.bank)})}


def ready(root: Path, run: Run, asked: Asked, step: int, key: str, height: int = SKELETON) -> dict[str, Job] | None:
    """The finished work behind one run's scores; None, and a skeleton in its place, while some is being computed."""
    wanted = jobs(root, run, asked, snapshot(run, step))
    deadline = time.monotonic() + PATIENCE
    while not wanted["prompts"].done and wanted["prompts"].status()["state"] in OPEN and time.monotonic() < deadline:
        time.sleep(0.01)
    for name, job in wanted.items():
        if work.shown(job, height, f"{key}_{name}") is None:
            return None
    return wanted


def asked_for(root: Path, run: Run, asked: Asked) -> dict[str, Job] | None:
    """The work behind the control's scores, asked for without waiting; None while some of it is being computed."""
    wanted = jobs(root, run, asked, snapshot(run, -1))
    return wanted if all(job.done for job in wanted.values()) else None


def answer(run: Run, wanted: Mapping[str, Job], asked: Asked, step: int, loaded: studies.Studies, resamples: int) -> Answer:
    """The scores of one run judged, beside the page: a click may leave it at any moment."""
    key = (tuple(str(job.result) for job in wanted.values()), asked.mode, asked.split, snapshot(run, step), resamples)
    key = (*key, prompt_bank.digest(asked.bank), asked.query.digest if asked.query else "")
    judging = begun(*key, _wanted=wanted, _bank=asked.bank, _loaded=loaded, _query=asked.query)
    try:
        while not judging.done():
            futures.wait([judging], timeout=TICK)
            st.session_state.get("zero_finished")  # a script ends for a click where it touches its state
    finally:
        if judging.cancel():  # left before its turn came
            begun.clear(*key, _wanted=wanted, _bank=asked.bank, _loaded=loaded, _query=asked.query)
    return judging.result()


@st.cache_resource(max_entries=48, show_spinner=False)
def begun(
    results: tuple[str, ...],
    mode: zeroshot.Mode,
    split: str,
    step: int,
    resamples: int,
    digest: str,
    among: str,
    _wanted: Mapping[str, Job],
    _bank: prompt_bank.Bank,
    _loaded: studies.Studies,
    _query: Query | None,
) -> futures.Future[Answer]:
    """The judgement of these scores, once asked for: resampling the patients of 10,000 studies takes seconds."""
    return (JUDGES if resamples else QUICK).submit(judged, mode, split, step, resamples, _wanted, _bank, _loaded, _query)


def judged(
    mode: zeroshot.Mode,
    split: str,
    step: int,
    resamples: int,
    wanted: Mapping[str, Job],
    bank: prompt_bank.Bank,
    loaded: studies.Studies,
    query: Query | None,
) -> Answer:
    """Scores are arithmetic of milliseconds; intervals that resample patients take longer and come after them."""
    told = read_json(wanted["prompts"].result / "read.json")
    vectors = dict(zip(told["texts"], np.load(wanted["prompts"].result / "vectors.npy", allow_pickle=False)))
    scored = {
        each: zeroshot.studies(embeddings.load(wanted[each].result / SHARED), bank, vectors, mode, loaded.dataset)
        for each in dict.fromkeys(("val", split))
    }
    if query:
        scored[split] = scored[split].among(query.mask(scored[split].keys))
    temperature = told["temperature"] or zeroshot.TEMPERATURE
    found = zeroshot.judge(list(bank), scored[split], scored["val"], split, step, mode, temperature, resamples)
    strange = [text for text, each in zip(told["texts"], told["reading"]) if each["unknown"] >= STRANGE]
    return Answer(found, temperature, strange, vectors)


@st.cache_data(ttl=20, max_entries=64, show_spinner=False)
def twin(path: Path) -> Path | None:
    """Folder of the run that is this one but for shuffled reports."""
    found = controls.shuffled_twin(read.run(path))
    return found.path if found else None


def one_image(root: Path, run: Run, asked: Asked, got: Answer, step: int) -> np.ndarray | None:
    """Scores (k,) of an image handed in; None where there is none yet."""
    name = work.upload(
        root, st.file_uploader("Drop one image: PNG or JPEG; it stays on this machine", ["png", "jpg", "jpeg"], key="zero_image")
    )
    if name is None:
        return None
    folder = work.shown(work.ask(root, "projected", run.id, {"step": snapshot(run, step), "upload": name}), 200, "zero_one")
    if folder is None:
        return None
    z = np.load(folder / "vector.npy", allow_pickle=False)
    return zeroshot.of_bank(z, asked.bank, got.vectors, asked.mode)[0]


def data_of(run: Run) -> studies.Studies | None:
    """The data the scores are judged by; None while it loads, or where it cannot be, which is then said."""
    try:
        loaded = studies.of_run(run)
    except (UserError, ImportError, StopIteration) as error:
        place.empty(f"**Nothing to judge prompts by**: {state.escape(error) or 'this run has no data set'}")
        return None
    if loaded is None:
        studies.wait(run)
        return None
    missing = [SPLITS[split].lower() for split in SPLITS if not len(loaded.dataset.split(split))]
    if "validation" in missing:
        place.empty(
            "**No validation studies in this run's data**: thresholds and prompts are chosen there. Give the data set a validation split."
        )
        return None
    return loaded


def request(runs: Sequence[Run], asked: Asked, step: int) -> str:
    """What the figures depend on."""
    return " ".join(
        [
            *(f"{run.id}@{snapshot(run, step)}" for run in runs),
            asked.mode,
            asked.split,
            prompt_bank.digest(asked.bank),
            asked.query.digest if asked.query else "",
        ]
    )


def stages(runs: Sequence[Run], asked: Asked, step: int) -> tuple[int, ...]:
    """Resamples of the drawings to come: at first none, then all; all at once where they are known already."""
    return (RESAMPLES,) if request(runs, asked, step) in st.session_state.get("zero_finished", ()) else (0, RESAMPLES)


def finished(runs: Sequence[Run], asked: Asked, step: int) -> None:
    """Remember that the whole answer is kept."""
    st.session_state["zero_finished"] = [*st.session_state.get("zero_finished", [])[-20:], request(runs, asked, step)]
