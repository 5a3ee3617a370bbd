"""What can still be read from the chosen feature of a run: asked for by a button, computed by the worker, kept for every checkpoint."""

from pathlib import Path

import streamlit as st

from app import place, state, studies, work
from app.section import begin
from app.select import Selection
from workbench.analysis import factors
from workbench.analysis.factors import Probes, Reading
from workbench.figures import factors as figures
from workbench.figures.zeroshot import short
from workbench.run import Run

JOB, KEY, HEIGHT, NAMED = "factors", "factors", 230, 2
FORMULA = """*concordance*: the share of pairs of studies with different values of the factor that a ridge orders right, ties half; .5 is chance. Of two classes it is the AUROC (Harrell et al., 1982). The ridge is fitted on the other four of five folds of whole patients; intervals reach 1.5 times as far as those of scores from one fit, because the folds share training patients (Nadeau and Bengio, 2003), and are not adjusted for the number of factors.
*above the pixels*: the interval lies above what the same ridge reads from 32 x 32 pixels, and above chance. *lost*: the interval holds chance and lies below what is read from pixels or from the untrained network, whose own interval lies above chance.
*direction*: the principal direction of the centred features that follows the factor most, 1 has the largest variance; in brackets its correlation. Of d directions the best reaches about $\\sqrt{2 \\ln d / N}$ by chance."""


@st.cache_data(max_entries=64, show_spinner=False)
def read(folder: Path) -> Probes:
    """A result, which never changes."""
    return factors.read(folder)


@st.fragment
def section(root: Path, chosen: Selection) -> None:
    """Runs again by itself; until someone asks it is one button, so that the slider stays quick."""
    begun = begin(chosen, "What can still be read", "Read from", "factors_of")
    if begun is None:
        return
    run, name, step = begun
    if not studies.named(run, "factors"):
        return
    parameters = {"feature": chosen.feature, "step": step}
    told = "Fits a ridge for every factor of the data; the worker needs seconds for it"
    if folder := work.on_request(root, JOB, run, parameters, "Measure what can still be read", told, HEIGHT, KEY):
        draw(read(folder), folder, name, run, chosen)


def draw(found: Probes, folder: Path, name: str, run: Run, chosen: Selection) -> None:
    """The sentence and the forest."""
    st.markdown(f"**{state.escape(name)}**: {state.escape(sentence(found))}")
    title, palette = figures.title(name, found), place.palette()
    slots = {name: chosen.slots[run.id]}
    fig = place.kept((str(folder), name, slots[name], palette.name), lambda: figures.forest({name: found}, slots, palette, title))
    place.figure(fig, KEY, title, FORMULA, lambda: figures.rows({name: found}))
    left_out = [f"{reference}: {why}" for reference, why in found.missing.items()]
    left_out += [f"the same in all studies: {', '.join(found.trained.constant)}"] if found.trained.constant else []
    if left_out:
        st.caption(f"Not shown: {state.escape('; '.join(left_out))}.")


def sentence(found: Probes) -> str:
    """What is read above the pixels and what is lost, from intervals alone."""
    over = "the pixels" if found.pixels else "chance"
    above = listed(found.above, "{} {}")
    said = [f"{above} {'is' if len(found.above) == 1 else 'are'} read above {over}" if above else f"nothing is read above {over}"]
    if lost := listed(found.lost, "{} ({})"):
        said.append(f"{lost} {'is' if len(found.lost) == 1 else 'are'} lost")
    return "; ".join(said) + "."


def listed(readings: list[Reading], form: str) -> str:
    """The first by name and value, how many more there are; "" for none."""
    named = [form.format(each.factor, short(each.interval.value)) for each in readings[:NAMED]]
    more = len(readings) - len(named)
    parts = [*named, f"{more} more"] if more else named
    return ", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else "".join(parts)
