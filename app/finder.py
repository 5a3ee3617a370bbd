"""Search on the page Retrieval: words, a study or an image handed in; the nearest images and reports, and how much that means."""

from pathlib import Path
from typing import Any

import streamlit as st

from app import place, retrieve, sets, state, studies, work
from app.grid import columns_of, grid
from app.select import Selection
from workbench import criteria, prompt_bank, queries
from workbench.analysis import answers
from workbench.analysis.answers import Answers, List
from workbench.errors import UserError
from workbench.figures import answers as figures
from workbench.figures.theme import clip, number
from workbench.run import Run

JOB, K, LARGEST, HEIGHT = "search", 12, 96, 230
ACROSS, ROW, NAMED = 8, 6, 3  # films beside each other in the grid and in a row, labels named under each
WORDS, IMAGE, STUDY = "Words", "Image", "Study"
STRANGE = 0.5  # share of unknown tokens from which on words are said to be unread
WEAK = 0.05  # share of the set's own queries whose best answer is less similar, below which a query is said to mean little
FORMULA = """Cosine in the space that images and reports share, or of the chosen feature for a method with one tower. Grey: pairs of two patients at random; line: the best answer of each of the set's own queries, those of its own patient left out. A query whose best answer lies left of that line is unlike everything here. *chance of as many*: as many or more studies with the label among so many drawn at random (hypergeometric, Holm over labels)."""


def section(root: Path, chosen: Selection, run: Run, name: str, slot: int, loaded: studies.Studies | None) -> None:
    """What is searched for, and what is found."""
    st.markdown("##### Search")
    query = ask(root, run, loaded)
    if query is None:
        return
    parameters = {**retrieve.parameters(chosen, run), **query, "k": count()}
    folder = work.shown(work.ask(root, JOB, run.id, parameters), HEIGHT, "search")
    if folder:
        found = read(folder)
        draw(found, name, slot, loaded)
        keep(chosen, run, query, found)


def keep(chosen: Selection, run: Run, asked: dict[str, str], found: Answers) -> None:
    """How many answers are in the set the pages obey, and the answers as a set of their own."""
    held = chosen.query
    if held:
        among, keys = found.images.keys, list(retrieve.people(run.path, next(iter(run.geometry(found.step))), found.step))
        share = number(float(held.mask(keys).mean()))
        st.caption(
            f"{int(held.mask(among).sum())} of {len(among)} images are in the set {state.escape(held.name)}; of all that were searched, {share} are."
        )
    at = {"run": run.id, "feature": found.feature, "step": found.step, "k": len(found.images.keys)}
    if "text" in asked:
        expression, first = criteria.Text(words=asked["text"], **at), ()
    elif "study" in asked:
        expression, first = criteria.Near(key=asked["study"], **at), (asked["study"],)
    else:
        expression, first = criteria.Near(upload=asked["upload"], **at), ()
    sets.save(queries.made(expression, run, (*first, *found.images.keys)), "search_set")


@st.cache_resource(max_entries=64, show_spinner=False)
def read(folder: Path) -> Answers:
    """A result, which never changes."""
    return answers.read(folder)


def count() -> int:
    """How many answers the address asks for."""
    return min(LARGEST, max(1, state.get("k") or K))


def ask(root: Path, run: Run, loaded: studies.Studies | None) -> dict[str, str] | None:
    """Draw the controls; None, with what to do, where there is nothing to search for."""
    kinds = (
        [WORDS, STUDY, IMAGE]
        if retrieve.two_towers(run) and run.steps_of("snapshots")
        else [STUDY, IMAGE]
        if run.steps_of("snapshots")
        else [STUDY]
    )
    kind, what, many = st.columns([1.6, 4.2, 1], vertical_alignment="bottom", gap="small")
    wanted = st.session_state.get("search_kind") or (WORDS if state.get("find") else STUDY if state.get("sample") else kinds[0])
    st.session_state["search_kind"] = wanted if wanted in kinds else kinds[0]
    source = kind.segmented_control("Search by", kinds, required=True, key="search_kind")
    st.session_state["search_k"] = count()
    many.number_input("Answers", 1, LARGEST, key="search_k", on_change=state.follow("k", "search_k"))
    if source == WORDS:
        return words(what)
    if WORDS not in kinds:
        st.caption("This run's method reads no reports, so words cannot be searched for: images find images.")
    if source == IMAGE:
        held = work.upload(root, what.file_uploader("PNG or JPEG; it stays on this machine", ["png", "jpg", "jpeg"], key="search_file"))
        return {"upload": held} if held else None
    return study(what, loaded)


def words(spot: Any) -> dict[str, str] | None:
    """The words typed, checked."""
    st.session_state["search_words"] = state.get("find") or ""
    spot.text_input("Find", key="search_words", placeholder="large left pleural effusion", on_change=typed)
    given = state.get("find")
    if not given:
        st.caption("Type a finding, as a report would say it.")
        return None
    try:
        return {"text": prompt_bank.prompt(given, "search")}
    except UserError as error:
        place.refused(error)
        return None


def typed() -> None:
    """Words without any letter are no query."""
    given = " ".join(st.session_state["search_words"].split())
    state.put("find", given[:200] or None)
    st.session_state["search_cut"] = len(given) > 200


def study(spot: Any, loaded: studies.Studies | None) -> dict[str, str] | None:
    """The study whose neighbours are shown."""
    if loaded is None:
        spot.caption("Studies can be chosen once the data set is there.")
        return None
    keys = studies.listed(loaded)
    held = state.get("sample") if state.get("sample") in loaded.places else keys[0]
    st.session_state["search_study"] = held
    options = list(dict.fromkeys([*keys, held]))
    spot.selectbox("Neighbours of", options, key="search_study", on_change=state.follow("sample", "search_study"))
    return {"study": held}


def more_like(key: str) -> None:
    """A result becomes the query."""
    state.put("sample", key)
    st.session_state["search_kind"] = STUDY


def draw(found: Answers, name: str, slot: int, loaded: studies.Studies | None) -> None:
    """The sentence, the films, the reports, and how usual such similarities are."""
    palette = place.palette()
    st.markdown(f"**{state.escape(name)}** {state.escape(sentence(found))}")
    for warning in warnings(found):
        st.caption(warning)
    if loaded is not None:
        films(found.images, loaded)
    if found.reports is not None and loaded is not None:
        reports(found.reports, loaded)
    keys = None if loaded and loaded.open else dict(zip(every := sorted(keys_of(found)), studies.hashed(every)))
    left, right = st.columns([1.9, 1], gap="medium")
    with left:
        fig = figures.among_usual(found, palette, palette.of(slot))
        place.figure(fig, "search_usual", "The answers among what is usual", FORMULA, lambda: figures.answer_rows(found, keys))
    with right:
        st.caption(f"Labels of these {len(found.images.keys)} images beside all {found.prevalence_of}")
        place.listing(figures.shared_rows(found))
    if found.untrained is not None and loaded is not None:
        with st.expander("The same query, untrained network"):
            st.caption(
                f"It shares {found.agreeing} of {len(found.images.keys)} answers; two random lists would share {number(found.agreeing_by_chance)}."
            )
            row_of_films(found.untrained, loaded)
    elif found.why_untrained:
        st.caption(f"No untrained network to ask: {state.escape(found.why_untrained)}.")


def keys_of(found: Answers) -> set[str]:
    return {key for each in (found.images, found.reports, found.untrained) if each for key in each.keys}


def sentence(found: Answers) -> str:
    """What was asked, how near the best answers are, which label they share."""
    told = {"text": f"“{clip(found.query, 60)}”", "study": f"neighbours of {clip(found.query, 40)}", "image": "the image handed in"}[
        found.kind
    ]
    best = f"nearest image at cosine {number(found.images.similarity[0])}, above {figures.share(found.images.above[0])} of random pairs"
    rows = [each for each in found.labels if each.chance < 0.05]
    labels = (
        "; more often than by chance: " + ", ".join(f"{each.label} {each.present} of {each.stated}" for each in rows[:3]) if rows else ""
    )
    own = f"; its own report ranks {found.reports.own} of {found.reports.n}" if found.reports and found.reports.own else ""
    none = "" if rows or not found.labels else "; no label is more common among them than chance allows"
    return f"{told}: {best}{labels}{none}{own}."


def warnings(found: Answers) -> list[str]:
    """Why an answer may mean little."""
    said = []
    if found.unknown >= STRANGE:
        said.append("Most of these words are unknown to the text tower (another script?): the answers mean little.")
    if found.cut or st.session_state.get("search_cut"):
        said.append("These words are longer than the text tower reads: what is beyond was cut off.")
    weakest = found.reports if found.kind == "text" and found.reports else found.images
    if weakest.strength < WEAK:
        kind = "report" if weakest is found.reports else "image"
        said.append(
            f"Its nearest {kind} is less similar than for {figures.share(1 - weakest.strength)} of the set's own queries: strange or very short words are like that. Hold the answers against their labels and the untrained network."
        )
    if len(found.images.keys) < count():
        said.append(f"Only {len(found.images.keys)} images could answer.")
    if found.images.left_out:
        said.append(f"{found.images.left_out} images have no finite vector and are never found.")
    if not found.images.exact:
        said.append(f"By a graph of neighbours: {number(found.images.recall)} of the true ten nearest are found, measured on a sample.")
    return said


def films(found: List, loaded: studies.Studies) -> None:
    """The films found in the grid, nearest first; a click goes on from one of them."""
    columns = {"Cosine": [round(value, 3) for value in found.similarity], "Above pairs, %": [round(100 * value) for value in found.above]}
    keys = list(found.keys)
    told = f"The {len(keys)} nearest images of {found.n}. Click one to see its own neighbours."
    rows = -(-len(keys) // ACROSS)
    grid("answers", keys, columns | columns_of(loaded, keys), loaded, None, more_like, height=min(640, 48 + 172 * rows), label=told)


def row_of_films(found: List, loaded: studies.Studies) -> None:
    """The first films found by the untrained network, beside each other."""
    shown = found.keys if loaded.open else studies.hashed(found.keys)
    for spot, study_, label, value in zip(st.columns(ROW, gap="small"), found.keys, shown, found.similarity):
        if loaded.allowed == "nothing" or study_ not in loaded.places:
            spot.caption(f"{number(value)} · {state.escape(label)}")
            continue
        sample = loaded.dataset[loaded.places[study_]]
        spot.image(studies.picture(sample["images"][0], []), alt=f"Film of {label}", width="stretch")
        spot.caption(f"**{number(value)}**  \n{state.escape(present(studies.present_in(loaded, sample)))}")


def present(labels: list[str]) -> str:
    """The first labels of a study, and how many more."""
    more = f" and {len(labels) - NAMED} more" if len(labels) > NAMED else ""
    return ", ".join(labels[:NAMED]) + more if labels else "no finding stated"


def reports(found: List, loaded: studies.Studies) -> None:
    """The reports found, in words."""
    st.markdown("**Nearest reports**")
    if loaded.allowed == "nothing":
        st.caption("Reports stay off this page: the terms of its data set are *credentialed*.")
        return
    for number_, (key, value) in enumerate(zip(found.keys[:ROW], found.similarity)):
        texts = loaded.dataset[loaded.places[key]]["texts"] if key in loaded.places else []
        said = " ".join(" ".join(each.text.split()) for each in texts) or "not in this data set any more"
        study_ = key if loaded.open else studies.hashed([key])[0]
        st.caption(f"{number_ + 1} · **{number(value)}** · {state.escape(clip(said, 300))} · {state.escape(study_)}")
