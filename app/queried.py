"""What a set of studies is, on a page: how many of those looked at, what separates it in words, its spectrum, its neighbours."""

from concurrent.futures import Future
from functools import partial
from pathlib import Path

import streamlit as st

from app import place, read, sets, state, studies, work
from app.charted import Asked
from app.map import at
from app.select import Selection
from app.state import escape
from workbench import columns, described, queries
from workbench.analysis.projection import Projection
from workbench.analysis.subset import CORRECTION
from workbench.described import Described
from workbench.errors import UserError
from workbench.figures import subcloud as clouds
from workbench.figures import subset as figures
from workbench.figures.theme import number
from workbench.figures.zeroshot import said
from workbench.queries import Query
from workbench.run import Run

SHARES = f"""Shares in the set and among all others, Wilson's intervals (1927) clustered by patient. *p*: twice the smaller hypergeometric tail (Fisher's exact test) at counts divided by the design effect of patients with several studies; numbers by their ranks. Corrected by {CORRECTION}: of twenty sets of no meaning, at most one shows anything."""
SPECTRUM = """Singular values of the set's centred features beside those of all studies. *random sets*: the mean of twenty sets of as many studies drawn at random, which is what fewer rows alone do to a spectrum; *isotropic*: a Gaussian cloud of as many. Interval of the rank: jackknife over patients."""


def lassoed(asked: Asked, found: Projection, polygon: list[list[float]]) -> Query | None:
    """What was drawn around on the map; None where nothing was, or, said, where it encloses nothing."""
    if not polygon:
        return None
    try:
        return queries.lassoed(asked.run, found, polygon, like=asked.last if found.method == "pca" else None)
    except UserError as error:
        st.caption(escape(error))
        return None


@st.fragment
def panel(chosen: Selection, query: Query, run: Run | None = None, key: str = "set") -> None:
    """A set among the studies of one run's look, saved or not yet; `run` is the first of the chosen ones where none is given."""
    runs = {name: each for each, name in chosen.names.items() if run in (None, each) and at(chosen, each) is not None}
    st.markdown(f"##### {escape(query.name) or 'The studies you chose'}: {escape(query.told)}")
    if not query.name:
        sets.save(query, key)
    if not runs:
        st.caption("None of these runs has a look of this feature up to this step: nothing to compare the set by.")
        return
    name = work.one_of(runs, "Set among the studies of", f"{key}_of")
    run = runs[name]
    try:
        loaded = studies.of_run(run)
    except (UserError, ImportError) as error:
        st.caption(f"Nothing to compare it by: {escape(error)}")
        return
    if loaded is None:
        studies.wait(run)
    if loaded is None or not words_ready(loaded):
        return
    step = at(chosen, run) or 0
    try:
        found = measured(query.digest, run.path, chosen.feature, step, query, loaded)
    except UserError as error:
        place.empty(f"**Nothing to say of this set here**: {escape(error)}")
        return
    draw(found, query, loaded, f"{name} at step {step}", key, chosen.slots.get(run.id, 0))


@st.fragment
def of_data(loaded: studies.Studies, query: Query, key: str = "set") -> None:
    """A set among all studies of a data set."""
    st.markdown(f"##### {escape(query.name) or 'The studies that pass'}: {escape(query.told)}")
    if not query.name:
        sets.save(query, key)
    if words_ready(loaded):
        draw(whole(query.digest, query, loaded), query, loaded, "all studies of this data set", key, 0)


@st.cache_resource(max_entries=64, show_spinner=False)
def measured(digest: str, path: Path, feature: str, step: int, _query: Query, _loaded: studies.Studies) -> Described:
    return described.of_look(_query, read.run(path), feature, step, _loaded.dataset)


@st.cache_resource(max_entries=16, show_spinner=False)
def whole(digest: str, _query: Query, _loaded: studies.Studies) -> Described:
    return described.of_data(_query, _loaded.dataset)


@st.cache_resource(max_entries=8, show_spinner=False)
def reading(data_hash: str, _loaded: studies.Studies) -> Future:
    """All reports of a data set, read once, apart from the page."""
    return studies.LOADER.submit(read_once, _loaded)


def read_once(loaded: studies.Studies) -> None:
    """What every description of a set needs of its data, kept by the columns' file."""
    columns.spoken(loaded.dataset)
    columns.ranks(loaded.dataset)
    columns.numbers(loaded.dataset)


def words_ready(loaded: studies.Studies) -> bool:
    """Whether the reports have been read; until then that is said, in a line that renews itself."""
    made = reading(loaded.dataset.data_hash, loaded)
    try:
        made.result(studies.PATIENCE)
    except TimeoutError:
        again(made)
        return False
    return True


@st.fragment(run_every=1)
def again(made: Future) -> None:
    if made.done():
        st.rerun()
    st.caption("Reading the reports once, for the words that separate sets.")


def draw(found: Described, query: Query, loaded: studies.Studies, where: str, key: str, slot: int) -> None:
    """The sentence, both forests, the spectrum and the neighbours."""
    palette, apart = place.palette(), found.separation
    place.verdict(*sentence(found), palette.accent)
    notes = [*found.why]
    if found.gone:
        notes.insert(0, f"{found.gone} of its {len(query)} studies are not in this data any more; the rest is shown")
    for each in notes:
        st.caption(escape(each) + ".")
    if apart.why:
        sets.exported(query, loaded, key)
        return
    left, right = st.columns(2, gap="medium")
    for spot, of, name in ((left, apart.properties, "properties"), (right, apart.words, "words")):
        with spot:
            title = figures.headline(apart, name == "words")
            if of:
                fig = figures.shares(of, palette, title)
                place.figure(fig, f"{key}_{name}", title, SHARES, partial(figures.table, apart))
            else:
                place.empty(f"**{title}**, of {apart.tested[1]} words asked about.")
    if found.cloud:
        with left:
            title = clouds.headline(found.cloud)
            fig = clouds.spectrum(found.cloud, palette.of(slot), palette, title)
            place.figure(fig, f"{key}_spectrum", title, SPECTRUM, partial(clouds.rows, found.cloud))
        with right:
            neighbours(found, loaded)
    sets.exported(query, loaded, key)
    place.footer(
        [
            where,
            f"{found.studies} of {found.total} studies",
            f"{apart.patients[0]} patients in the set, {apart.patients[1]} among the others",
            f"tested: {apart.tested[0]} properties and {apart.tested[1]} words",
        ]
    )


def sentence(found: Described) -> tuple[list[tuple[str, str]], str]:
    """What the set is, and the numbers that rests on."""
    apart = found.separation
    head = f"{found.studies} of {found.total} studies"
    if apart.why:
        return [(head, f"are in it. {apart.why[:1].upper() + apart.why[1:]}.")], ""
    sure = [each for each in apart.separating if each.kind == "share"]
    if not sure and not apart.words and not figures.means(apart):
        tested = f"of {apart.tested[0]} properties and {apart.tested[1]} words none separates it from the others"
        return [(head, f"are in it; {tested}.")], "A set of no meaning looks like this."
    parts = [f"{each.name} {number(each.inside.value)} against {number(each.outside.value)}" for each in sure[:3]] + figures.means(apart)[
        :2
    ]
    told = "are in it. It differs in " + ", ".join(parts) if parts else "are in it"
    words = [f"“{each.name}”" for each in apart.words if each.difference.value > 0][:4]
    told += f". Its reports more often say {', '.join(words)}" if words else ""
    return [(head, told + ".")], f"After a correction for {sum(apart.tested)} tests."


def neighbours(found: Described, loaded: studies.Studies) -> None:
    """How pure the neighbourhoods are, and which studies outside are near; a study's button shows it on the pages."""
    near = found.purity
    if near is None:
        return
    st.markdown(
        f"**Neighbours.** {escape(said(near.share))} of a member's {near.k} nearest studies of other patients are in the set; "
        f"by chance {number(near.chance)}. {'All' if near.asked == found.studies else f'{near.asked} of {found.studies}'} members were asked."
    )
    if not near.outside:
        st.caption("No study outside is among them.")
        return
    keys = [each.key for each in near.outside]
    shown = keys if loaded.open else studies.hashed(keys)
    st.caption("Studies outside that are among the nearest of the most members:")
    place.listing(clouds.outside(near, dict(zip(keys, shown))))
    called = dict(zip(keys, shown))
    st.selectbox(
        "Look at one of them",
        keys,
        index=None,
        format_func=called.get,
        key="set_outside",
        placeholder="a study",
        on_change=look,
    )


def look() -> None:
    """The study chosen here is the one every page looks at."""
    if st.session_state["set_outside"]:
        state.put("sample", st.session_state["set_outside"])
