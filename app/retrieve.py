"""The page Retrieval in words and places: what every run finds, by label, at which rank, at which hubs, and where it fails."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import streamlit as st

from app import place, state, studies, work
from app.map import at
from app.select import Selection
from workbench.analysis import retrieved
from workbench.analysis.retrieved import BACK, FORTH, WITHIN, Retrieved, Score, Way
from workbench.analysis.towers import IMAGE, TEXT
from workbench.figures import retrieved as figures
from workbench.figures.theme import clip, number
from workbench.figures.zeroshot import said
from workbench.queries import Query
from workbench.run import Run

JOB, HEIGHT, MOST = "retrieval", 290, 4
K, LISTED = 5, 8
OVERVIEW = """*Recall at k*: share of queries whose right answer is among the first k by cosine, ties sharing their places; the same words (case and white space aside) are right for every study that has them. *Images of the same labels*: share of the k nearest images, none of the query's patient, whose stated labels all agree with the query's. BCa over patients, candidates fixed. *chance*: candidates in random order, computed; *untrained*: the look at step 0. Under *numbers*: each study's own report alone as right (`own`), precision by the same words (`pair`), median rank (Woodruff, clustered by patient)."""
LABELS = "Share of the first five answers that have the label of the query, over the queries with that label, BCa over patients. Ticks: the label's share of the candidates; diamonds: the untrained network. The query's own report counts as an answer; among images no image of its patient does."
RANKS = "Rank of the first right answer of each query; ties share the mean of their places. The dotted line is candidates in random order."
HUBS = """In how many queries' lists of ten each candidate is (Radovanovic, Nanopoulos and Ivanovic, JMLR 2010). Skewness: delete-group jackknife over patients; *isotropic*: Gaussian clouds of the same N and d. Hubs are in more lists than the mean and two standard deviations; candidates in no list are never found."""


def two_towers(run: Run) -> bool:
    return {IMAGE, TEXT} <= set(run.status.get("features") or {})


def feature_of(run: Run, chosen: str) -> str:
    """The images' feature a run is searched by; "" where it has none."""
    found = [name for name, shape in (run.status.get("features") or {}).items() if shape == "b d" and not name.startswith("text.")]
    wanted = [name for name in ((IMAGE,) if two_towers(run) else (chosen, IMAGE)) if name in found]
    return (wanted or found or [""])[0]


def runs_of(chosen: Selection) -> dict[str, Run]:
    """The first few chosen runs that were looked at and have a feature of images, by name."""
    found = {name: run for run, name in chosen.names.items() if at(chosen, run) is not None and feature_of(run, chosen.feature)}
    return dict(list(found.items())[:MOST])


def parameters(chosen: Selection, run: Run) -> dict[str, object]:
    """What both jobs of this page are asked about a run."""
    return {"step": at(chosen, run), "feature": feature_of(run, chosen.feature)}


@st.cache_resource(max_entries=64, show_spinner=False)
def read(folder: Path) -> Retrieved:
    """A result, which never changes."""
    return retrieved.read(folder)


def ready(root: Path, chosen: Selection, runs: Mapping[str, Run]) -> dict[str, Retrieved]:
    """What is known of every run; the page ends in skeletons where some is still being computed."""
    jobs = {name: work.ask(root, JOB, run.id, parameters(chosen, run)) for name, run in runs.items()}
    folders = {name: work.shown(job, HEIGHT, f"retrieval_{place_}") for place_, (name, job) in enumerate(jobs.items())}
    found = {name: read(folder) for name, folder in folders.items() if folder}
    if len(found) < len(runs):
        st.stop()
    return found


def verdict(every: Mapping[str, Retrieved], colour: str) -> None:
    """What each run finds, with chance, the untrained network, median rank and hubs behind it."""
    first = next((found for found in every.values() if found.two_towers), None)
    score = first[FORTH].at("recall", K) if first else None
    said_ = [("", f"Right answer among the first {K} of {first.n}, chance {short(score.chance)}:")] if first and score else []
    asides = [f"{name}: {told}." for name, found in every.items() if (told := beside(found))]
    place.verdict([*said_, *((name, sentence(found)) for name, found in every.items())], " ".join(asides), colour)


def sentence(found: Retrieved) -> str:
    """One run in a sentence."""
    score = found[WITHIN].at("class", K)
    within = (
        f"{told(score)} of the {K} nearest images have exactly the same labels" if score else "this data has no labels to judge images by"
    )
    if not found.two_towers:
        return f"has no reports to find, {found.why}; {within}."
    ways = [(found[name].at("recall", K), asks) for name, asks in ((FORTH, "images"), (BACK, "reports"))]
    return (
        f"{' and '.join(f'{told(score)} of the {asks}' for score, asks in ways if score)}."
        if all(score for score, _ in ways)
        else "too few studies."
    )


def told(score: Score) -> str:
    """`.051 [.03, .07]`, and whether chance is inside."""
    inside = score.interval.low is not None and score.interval.low <= score.chance
    limits = said(score.interval).partition(" ")[2]
    return f"{short(score.interval.value)} {limits}".strip() + (" (no better than chance)" if inside else "")


def short(value: float) -> str:
    """A share to three digits: `.051`."""
    return f"{value:.3f}".removeprefix("0")


def beside(found: Retrieved) -> str:
    """Chance, the untrained network, the median rank and the hubs of the first direction."""
    way = found.ways[0]
    score, median, taken = way.at("recall", K) or way.at("class", K), way.at("median rank"), way.at("taken", 10)
    parts = [f"chance {short(score.chance)}"] if score and score.kind == "class" else []
    parts += [f"untrained {short(score.untrained)}"] if score and score.untrained is not None else []
    parts += [f"median rank {number(median.interval.value)} (chance {number(median.chance)})"] if median else []
    parts += [f"a few hubs take {taken.interval.value:.0%} of all places in first tens (isotropic {taken.chance:.0%})"] if taken else []
    return ", ".join(parts)


def overview(every: Mapping[str, Retrieved], chosen: Selection) -> None:
    """Both directions and images among themselves, over k."""
    slots = {name: chosen.slots[run.id] for run, name in chosen.names.items()}
    place.figure(
        figures.overview(every, slots, place.palette()), "retrieval", "Recall and precision over k", OVERVIEW, partial(figures.rows, every)
    )


@st.cache_data(max_entries=32, show_spinner=False)
def people(path: Path, feature: str, step: int) -> dict[str, str]:
    """Key -> patient of the studies of a look, which never changes."""
    look = Run(path).embeddings(feature, step)
    return dict(zip(look.keys, look.patients))


@st.cache_data(max_entries=64, show_spinner=False)
def counted(digest: str, path: Path, feature: str, step: int, _found: Retrieved, _query: Query) -> list[str]:
    """What a set's images, and its reports, find beside the others, in words: bootstrapped once."""
    who, inside, parts = people(path, feature, step), _query.mask(_found.keys), []
    patients = [who[key] for key in _found.keys]
    for way, asks in ((FORTH, "images"), (BACK, "reports")) if _found.two_towers else ():
        if both := retrieved.of_set(_found[way], inside, patients, K):
            parts.append(f"{asks} of the set {said(both[0])}, of the others {said(both[1])}")
    return parts


def of_set(found: Mapping[str, Retrieved], runs: Mapping[str, Run], query: Query | None) -> None:
    """What the chosen set's images and reports find, beside the others, among all candidates."""
    if query is None:
        return
    st.markdown(f"##### The studies of {state.escape(query.name)} as queries")
    for name, each in found.items():
        parts = counted(query.digest, runs[name].path, each.feature, each.step, each, query)
        told_ = "; ".join(parts) or ("has no reports to find" if not each.two_towers else "all or none of its studies are in the set")
        st.markdown(f"**{state.escape(name)}** {state.escape(told_)}")
    st.caption(
        f"Share whose right answer is among the first {K}, of {int(query.mask(next(iter(found.values())).keys).sum())} studies of the set."
    )


def details(found: Retrieved, run: Run, name: str, slot: int, loaded: studies.Studies | None) -> None:
    """One direction of one run: labels, ranks, hubs, and the queries it fails and finds."""
    st.markdown("##### Where it finds and where it fails")
    names = [way.name for way in found.ways]
    asked = st.segmented_control("Direction", names, default=names[0], required=True, key="retrieval_way", format_func=str.capitalize)
    way, palette = found[asked if asked in names else names[0]], place.palette()
    keys = list(found.keys) if loaded and loaded.open else studies.hashed(found.keys)
    left, right = st.columns(2, gap="medium")
    with left:
        if way.labels:
            fig = figures.labels(way, name, slot, palette, label_title(way))
            place.figure(fig, "retrieval_labels", "Precision at 5 of each label", LABELS, partial(figures.label_rows, way))
        else:
            place.empty("**No labels to judge by**: this data states none, or fewer than six studies can be compared.")
    with right:
        if way.name != WITHIN:
            fig = figures.histogram(way, palette.of(slot), palette, rank_title(way))
            place.figure(fig, "retrieval_ranks", "Ranks of the right answers", RANKS, lambda: figures.rank_rows(way, keys))
        fig = figures.crowding(way, palette.of(slot), palette, hub_title(way))
        place.figure(fig, "retrieval_hubs", "In how many lists each candidate is", HUBS, lambda: figures.count_rows(way, keys))
    failures(found, way, loaded, keys)


def label_title(way: Way) -> str:
    above = [each for each in way.labels if each.interval.low is not None and each.interval.low > each.chance]
    below = sum(each.untrained is not None and each.untrained > each.interval.value for each in way.labels)
    return f"{len(above)} of {len(way.labels)} labels above chance" + (f", {below} below the untrained network" if below else "")


def rank_title(way: Way) -> str:
    score = way.at("median rank")
    return f"Half of the right answers rank {number(score.interval.value)} or better" if score else "Ranks"


def hub_title(way: Way) -> str:
    score = way.at("never", 10)
    return (
        f"{score.interval.value:.0%} of the candidates are in no first ten (isotropic {score.chance:.0%})"
        if score
        else "How often each is found"
    )


def failures(found: Retrieved, way: Way, loaded: studies.Studies | None, shown: list[str]) -> None:
    """The queries whose right answer ranks last, and those found first with the largest cosine; a click shows both studies."""
    if way.name == WITHIN:
        return
    worst, best = retrieved.extremes(way, LISTED)
    asks = "image" if way.name == FORTH else "report"
    rows = [
        {"": kind, asks: shown[row], "rank": float(way.rank[row]), "found first": shown[way.best[row]]}
        | {"cosine": round(float(way.own[row]), 3), "of the first": round(float(way.top[row]), 3)}
        for kind, group in (("worst", worst), ("best", best))
        for row in group
    ]
    chosen = [*worst, *best]
    table, first, second = st.columns([1.6, 1, 1], gap="medium")
    with table:
        st.caption(
            f"The {asks}s whose right answer ranks last, and those found first with the largest cosine: tick one to see both studies."
        )
        key = f"retrieval_failures_{way.name.replace(' ', '_')}"
        st.dataframe(
            rows, hide_index=True, key=key, on_select="rerun", selection_mode="single-row", height="content", alt="Worst and best queries"
        )
    ticked = (st.session_state.get(key) or {}).get("selection", {}).get("rows", [])
    row = chosen[ticked[0]] if ticked and ticked[0] < len(chosen) else chosen[0]
    if loaded is None or loaded.allowed == "nothing":  # the offer to show them stands above the answers
        return
    with first:
        st.markdown(f"**Asked**, {asks} of")
        studies.card(loaded, found.keys[row])
    with second:
        other = int(way.best[row])
        st.markdown(
            "**Found first: the right one**"
            if way.rank[row] == 1
            else f"**Found first**; the right one ranks {number(float(way.rank[row]))}"
        )
        studies.card(loaded, found.keys[other])


def footer(every: Mapping[str, Retrieved], runs: Mapping[str, Run]) -> None:
    """What the numbers rest on."""
    found = next(iter(every.values()))
    procedures = dict.fromkeys(
        each.interval.procedure for each in found.ways[0].scores if each.interval.low is not None and each.kind in ("recall", "class")
    )
    place.footer(
        [
            f"{found.n} validation studies of {found.patients} patients at step {found.step}",
            f"d = {found.d}",
            f"{found.distinct} distinct reports" if found.two_towers else "",
            f"{found.left_out} studies left out" if found.left_out else "",
            *(f"intervals: {each}" for each in procedures),
            f"no untrained network: {found.why_untrained}" if found.why_untrained else "",
            *(clip(run.id) for run in runs.values()),
        ]
    )


def opened(run: Run) -> studies.Studies | None:
    """The run's data; None while it loads or where it cannot be, which is then said."""
    from app.map import opened as of_map

    loaded, why = of_map(run)
    if loaded is None and why:
        st.caption(f"No images or reports here: {state.escape(why)}")
    elif loaded is None:
        studies.wait(run)
    return loaded
