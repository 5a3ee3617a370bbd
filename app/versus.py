"""Runs against one of them: differences on the same studies, and how alike layers and steps are; computed by the worker, one job a pair."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import streamlit as st

from app import inside, place, state, verdicts, work
from app.attend import clicked
from app.map import at
from app.read import Latent
from app.select import Selection
from workbench.analysis import across
from workbench.analysis.across import MEASURES, Across, Grid
from workbench.figures import across as figures
from workbench.figures import collapse
from workbench.figures.theme import clip, number
from workbench.figures.zeroshot import short
from workbench.run import Run

JOB, HEIGHT, MOST = "across", 240, 5
MOVED = "compare_moved"  # session key: a click chose another layer or step, which the control row does not show yet
DIFFERENCES = """Statistic of the run less that of the reference, at their last looks not after the slider, on the same studies in the same order. Interval: delete-group jackknife of the *difference* over 20 groups of patients, t, 95 %; it speaks of other patients, not of other training seeds: those are the points above. A run alone is compared with its own first look."""
RATIO = """$(\\sigma_k / \\sigma_1)$ of a setting over $(\\sigma_k / \\sigma_1)$ of the first one, direction by direction, the mean over seeds: 1 where they fall off alike. Directions are counted by size; the same place need not be the same direction: that is what the matrices below compare."""
SEEDS = """Each run a point; the stroke is the mean of a setting's seeds. Where one run stands alone its bar is the jackknifed (rank, scale, offset) or bootstrapped (probe) interval over patients. Dashed: untrained; dotted: chance; dash-dotted: pixels."""
ALIKE = {
    "debiased_cka": "Linear CKA with the unbiased HSIC (Nguyen et al., 2021): 0 by chance at any N and d, 1 for features equal up to rotation and scale.",
    "linear_cka": "$\\|Y^\\top X\\|_F^2 / (\\|X^\\top X\\|_F \\|Y^\\top Y\\|_F)$ of centred rows (Kornblith et al., 2019); high by chance where rows are few for their dimensions.",
    "svcca": "Mean canonical correlation of the directions that hold 99 % of each variance (Raghu et al., 2017); chance from permuted rows.",
    "procrustes": "$\\|X^\\top Y\\|_*$ of centred clouds of norm 1 (Ding et al., 2021): 1 where a rotation maps one to the other; chance from permuted rows.",
    "mutual_knn": "Share of the 10 nearest studies by cosine that both agree on (Huh et al., 2024); chance $10 / (N - 1)$.",
}


@st.cache_data(max_entries=128, show_spinner=False)
def read(folder: Path) -> Across:
    """A result, which never changes."""
    return across.read(folder)


def verdict(found: Latent, chosen: Selection) -> tuple[list[tuple[str, str]], str, str]:
    """Who uses how many directions and what a probe reads there, from the smallest rank up."""
    ranks, probes = found.trajectories["participation_ratio"], found.trajectories["probe"]
    if not ranks:
        return [("", "These runs have no look of this feature up to this step.")], "", place.palette().muted
    said = []
    for label in dict.fromkeys(each.label for each in ranks):
        rank, read_out = ([float(each.values[each.at(chosen.step)]) for each in of if each.label == label] for of in (ranks, probes))
        probe = f", probe {number(verdicts.mean(read_out))}" if read_out else ""
        said.append((verdicts.mean(rank), label, f"uses {number(verdicts.mean(rank))} directions{probe};"))
    said.sort()
    sentences = [(label, told) for _, label, told in said]
    sentences[-1] = (sentences[-1][0], sentences[-1][1].rstrip(";") + ".")
    spread = max(value for value, *_ in said) / max(min(value for value, *_ in said), 1e-9)
    aside = f"participation ratios differ {number(spread)}-fold." if len(said) > 1 else ""
    return sentences, aside, place.palette().accent


def strips(found: Latent, chosen: Selection) -> None:
    """Every seed a point."""
    measured = [found.trajectories[name] for name in collapse.MULTIPLES if found.trajectories[name]]
    if measured:
        fig = figures.seeds(measured, chosen.step, chosen.arm_slots, place.palette())
        rows = [row for own in measured for row in collapse.rows(own)]
        place.figure(fig, "seeds", "Every run a point", SEEDS, rows)


def ratio(found: Latent, chosen: Selection) -> None:
    """All spectra over the first setting's; a run alone over nothing: its history then stands here."""
    labels = list(dict.fromkeys(each.label for each in found.overlay.spectra)) if found.overlay else []
    if found.overlay is None or len(labels) < 2:
        inside.heat(found, chosen)
        return
    fig = figures.ratio(found.overlay, labels[0], chosen.arm_slots, place.palette())
    place.figure(fig, "ratio", f"Spectra over that of {labels[0]}", RATIO, partial(figures.ratio_rows, found.overlay))


@st.fragment
def section(root: Path, chosen: Selection) -> None:
    """Runs again by itself when another reference, partner or measure is chosen; with the page when a cell of a matrix was clicked."""
    if st.session_state.pop(MOVED, False):
        st.rerun()
    runs = {name: run for run, name in chosen.names.items() if at(chosen, run) is not None}
    if not runs:
        return
    st.markdown("##### Against one run, on the same studies")
    first, second, third = st.columns([2, 2, 2], vertical_alignment="bottom")
    held = {run.id: name for name, run in runs.items()}
    against = held.get(state.get("against") or "", next(iter(runs)))
    st.session_state["against_place"] = against
    first.selectbox(
        "Against", list(runs), key="against_place", on_change=lambda: state.put("against", runs[st.session_state["against_place"]].id)
    )
    measure = state.get("measure") if state.get("measure") in MEASURES else MEASURES[1]
    st.session_state["measure_place"] = measure
    third.selectbox(
        "Likeness", MEASURES, key="measure_place", format_func=figures.NAMES.get, on_change=state.follow("measure", "measure_place")
    )
    others = [name for name in runs if name != against][:MOST] or [against]
    partner = held.get(state.get("partner") or "", others[0])
    partner = partner if partner in others else others[0]
    st.session_state["partner"] = partner
    choose = lambda: state.put("partner", runs[st.session_state["partner"]].id)  # noqa: E731
    second.selectbox("Layers and steps of", others, key="partner", on_change=choose)
    found = asked(root, runs, against, others, measure, chosen)
    if found:
        title = headline(found, against)
        st.markdown(f"**{state.escape(title)}**")
        fig = figures.differences(found, {name: chosen.slots[runs[name].id] for name in found}, place.palette())
        place.figure(fig, "differences", title, DIFFERENCES, partial(figures.rows, found))
    if partner in found:
        matrices(found[partner], against, partner if partner != against else f"{partner} itself")


def asked(root: Path, runs: Mapping[str, Run], against: str, others: list[str], measure: str, chosen: Selection) -> dict[str, Across]:
    """What is computed already, by run; what is not is asked for and waited for, what cannot be is said."""
    found = {}
    for number_, name in enumerate(others):
        parameters = {"other": runs[name].id, "feature": chosen.feature, "step": chosen.step, "measure": measure}
        if folder := work.shown(work.ask(root, JOB, runs[against].id, parameters), HEIGHT, f"across_{number_}"):
            found[name] = read(folder)
    return found


def headline(found: Mapping[str, Across], against: str) -> str:
    """The finding in at most 60 characters."""
    first = next(iter(found.values()))
    if len(found) > 1:
        sure = sum(beyond(each) for each in found.values())
        return clip(f"{sure} of {len(found)} runs use other ranks than {against}")
    rank = first.differences[0].interval
    told = "its first look" if first.first.run == first.second.run else clip(against, 24)
    if rank.low is None:
        return f"{number(rank.value)} directions against {told}"
    sign = "+" if rank.value > 0 else ""
    return f"{sign}{number(rank.value)} [{short(rank.low)}, {short(rank.high)}] directions against {told}"


def beyond(found: Across) -> bool:
    """Whether the interval of the participation ratio's difference excludes 0."""
    own = found.differences[0].interval
    return own.low is not None and own.high is not None and not own.low <= 0 <= own.high


def matrices(found: Across, against: str, partner: str) -> None:
    """Layers by layers and steps by steps."""
    sides = f"Rows: {state.escape(against)}; columns: {state.escape(partner)}."
    palette, told = (
        place.palette(),
        f"{ALIKE[found.measure]} {sides} A matrix has no intervals; the chance level stands beside each value. A click on a cell moves the page to the layer or step of its column.",
    )
    for spot, of, what in zip(st.columns(2, gap="medium"), (found.layers, found.steps), ("Layers", f"Steps of {found.first.feature}")):
        with spot:
            title = f"{what}: {number(float(of.values.min()))} to {number(float(of.values.max()))} alike"
            fig = figures.alike(of, found.measure, palette, title, (against, partner), found.n, clickable=True)
            key = f"alike_{what.split()[0].lower()}"
            with st.container(gap=None):
                place.clickable(fig, key, title, partial(go_to, key, of))
                place.details(key, told, partial(figures.grid_rows, of))


def go_to(key: str, of: Grid) -> None:
    """A clicked cell moves the whole page to the layer, or the step, of its column."""
    given = clicked(key)
    if len(given) > 1 and given[1] in of.columns:
        state.put(*(("step", int(given[1])) if key == "alike_steps" else ("feature", given[1])))
        st.session_state[MOVED] = True
