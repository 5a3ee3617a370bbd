"""Every measure of the latent space at a checkpoint, beside its references: asked for by a button, computed by the worker, one explained at a time."""

from functools import partial
from pathlib import Path

import streamlit as st

from app import place, state, work
from app.section import begin
from app.select import Selection
from workbench.analysis import growth, measures
from workbench.analysis.blind import SITUATIONS, fooled
from workbench.analysis.catalogue import MEASURES, OVER, named
from workbench.analysis.grades import GRADES, trusted
from workbench.analysis.growth import Growth
from workbench.analysis.measures import PAIR, Measured, Measures
from workbench.figures import growth as curves
from workbench.figures import measures as figures
from workbench.figures.theme import number
from workbench.run import Run

JOB, CURVE, KEY, HEIGHT = "measures", "growth", "measures", 330
PLACES = """A mark's place is (value − collapsed) / (isotropic − collapsed): *collapsed* is what a line or a point gives, *isotropic* a Gaussian cloud of the same N and d, in closed form or as the mean of four draws. Untrained network and pixels stand between their own ends, because pixels have other dimensions. Places are no score: they are not to be added. Measures without two ends are in the table alone. A hollow circle has no interval: no coverage was measured for one. Grey: something in these rows is known to fool the measure."""
GROWS = """{says} {formula}. Read again from half of the patients, a quarter, and so on, each within the next; *isotropic*: a Gaussian cloud of as many rows. Where the curve still climbs at its right end, the number measures N. {interval}"""


@st.cache_data(max_entries=64, show_spinner=False)
def read(folder: Path) -> Measures:
    """A result, which never changes."""
    return measures.read_measures(folder)


@st.cache_data(max_entries=128, show_spinner=False)
def grown(folder: Path) -> Growth:
    """A curve, which never changes."""
    return growth.read_growth(folder)


@st.fragment
def section(root: Path, chosen: Selection) -> None:
    """Until someone asks it is one button, so that the slider stays quick."""
    begun = begin(chosen, "Every measure, beside its references", "Measures of", "measures_of")
    if begun is None:
        return
    run, name, step = begun
    told = "All measures of all features, of the untrained network and of the pixels; the worker needs seconds for it"
    if folder := work.on_request(root, JOB, run, {"step": step}, "Measure everything", told, HEIGHT, KEY):
        draw(root, read(folder), folder, run, name, chosen)


def draw(root: Path, found: Measures, folder: Path, run: Run, name: str, chosen: Selection) -> None:
    """The sentence, the overview, every number; then one measure, and the classes."""
    features = [each.feature for each in found.features]
    feature = next((name for name in (state.get("measured_in"), chosen.feature) if name in features), features[0])
    st.session_state["measured_in"] = feature
    st.selectbox("Measured in", features, key="measured_in", on_change=state.follow("measured_in", "measured_in"))
    own, colour, palette = found[feature], place.palette().of(chosen.slots[run.id]), place.palette()
    pixels = found.pixels if feature != PAIR else None
    st.markdown(f"**{state.escape(name)}**: {state.escape(sentence(own))}")
    title = figures.title(own)
    st.caption(state.escape(start(own)))
    if any(each.place is not None for each in own.trained.values):
        drawn = partial(figures.overview, own, pixels, colour, palette, title, found.step)
        fig = place.kept((str(folder), feature, colour, palette.name), drawn)
        place.figure(fig, KEY, title, PLACES, partial(figures.rows, found, feature))
    if own.trained.values:
        place.listing(figures.numbers(own, pixels))
    with st.container():
        place.details("measures_each", "Every feature of this checkpoint beside each other.", partial(figures.beside_each_other, found))
    for line in notes(found, own):
        st.caption(state.escape(line))
    one(root, run, found, own, colour)
    if not own.classes:
        return
    st.session_state["measures_classes"] = bool(state.get("by_class"))
    follow = lambda: state.put("by_class", int(st.session_state["measures_classes"]) or None)  # noqa: E731
    if st.toggle("By class", key="measures_classes", help="Scale and ranks of the studies of each finding alone", on_change=follow):
        place.listing(figures.class_rows(own.classes))


def one(root: Path, run: Run, found: Measures, own: Measured, colour: str) -> None:
    """The chosen measure in a sentence and its formula; its curve over N when somebody asks for it."""
    names = [each.name for each in own.trained.values]
    if not names:
        return
    name = state.get("measured") if state.get("measured") in names else names[0]
    st.session_state["measures_one"] = name
    st.selectbox("Measure", names, key="measures_one", format_func=named, on_change=state.follow("measured", "measures_one"))
    measure, value = MEASURES[name], own.trained[name]
    st.markdown(f"**{named(name)}**, of {OVER[measure.needs]}. {measure.says} {measure.formula}. *What fools it*: {fooled(name)}")
    if value.value is None:
        st.caption(f"Not read here: {state.escape(value.why)}.")
        return
    parameters = {"step": found.step, "feature": own.feature, "measure": name}
    told = "Reads the measure again from half of the patients, a quarter, and so on"
    if folder := work.on_request(root, CURVE, run, parameters, "Draw its curve over N", told, HEIGHT, "growth"):
        curve, palette = grown(folder), place.palette()
        interval = next((each.procedure for each in curve.intervals if each.procedure), "") or f"No interval: {curve.intervals[-1].why}"
        fig = place.kept((str(folder), colour, palette.name), lambda: curves.curve(curve, colour, palette, own.feature))
        formula = GROWS.format(says=measure.says, formula=measure.formula, interval=f"{interval}.")
        place.figure(fig, "growth", curves.title(curve), formula, partial(curves.rows, curve))
        for size, why in curve.left_out.items():
            st.caption(f"Not read from {size} rows: {state.escape(why)}.")


def sentence(own: Measured) -> str:
    """Rank, scale and offset with their references; for both towers how far they lie apart."""
    names = ("participation_ratio", "feature_std", "offset") if own.feature != PAIR else ("alignment", "modality_gap", "separability")
    told = []
    for name in names:
        value = own.trained.get(name)
        if value is None or value.value is None:
            why = value.why if value is not None else "images and reports of the same studies are needed"
            return f"{own.feature} cannot be measured: {own.missing if value is None and own.missing else why}."
        before = own.untrained.get(name) if own.untrained else None
        beside = [f"isotropic {number(value.ceiling)}"] if value.ceiling is not None else []
        beside += [f"untrained {number(before.value)}"] if before is not None else []
        told.append(f"{named(name)} {figures.said(value)}" + (f" ({', '.join(beside)})" if beside else ""))
    return f"{own.feature}: {'; '.join(told)}."


def start(own: Measured) -> str:
    """Where to begin: which values have an interval that covers, how many have none, which these rows fool and by what."""
    graded = trusted(own.trained, own.untrained)
    of = {grade: [named(each.value.name) for each in graded if each.grade == grade] for grade in GRADES}
    told = (
        [f"Begin with {listed(of['covered'])}: their intervals are known to cover, and nothing here is known to fool them."]
        if of["covered"]
        else []
    )
    if of["open"]:
        more = " more" if of["covered"] else ""
        told.append(f"{len(of['open'])}{more} have no interval: read them against untrained network, pixels and isotropic cloud.")
    reasons = dict.fromkeys(situation for each in graded for situation in each.by)
    if reasons:
        told.append(f"Grey: {len(of['fooled'])} are fooled here, because {'; '.join(SITUATIONS[each] for each in reasons)}.")
    return " ".join(told)


def listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def notes(found: Measures, own: Measured) -> list[str]:
    """What limits the numbers, and what is not there and why."""
    sheet, lines = own.trained, []
    if any(each.limited for each in sheet.values):
        lines.append(
            f"{sheet.n} rows for {sheet.d} dimensions, fewer than four each: ranks say how many rows there are; read their curves over N."
        )
    if sheet.constant:
        lines.append(f"{sheet.constant} of {sheet.d} columns are the same for all studies.")
    if own.missing:
        lines.append(f"No untrained network: {own.missing}.")
    lines += [f"No {name}: {why}." for name, why in found.missing.items() if name != "untrained"]
    return lines
