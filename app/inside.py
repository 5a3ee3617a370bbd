"""The page Latent space in places: figures with their titles and details, footer."""

from collections.abc import Hashable, Sequence

import streamlit as st

from app import place
from app.read import Latent
from app.select import Selection
from workbench.analysis.falls import Fall
from workbench.analysis.looks import Trajectory
from workbench.figures import collapse, spectra, theme
from workbench.figures.theme import number
from workbench.run import Run

SPECTRUM = """Singular values $\\sigma_1 \\ge \\sigma_2 \\ge \\dots$ of the centred features, relative to the largest, on two log axes.
*isotropic*: the mean for a Gaussian cloud of the same N and d, in which every direction counts alike. *untrained*: the same network before its first step."""
FOOLED = "\nNo number is enough alone: docs/gallery.md shows each on a healthy and on a broken cloud, and what fools it."
HEAT = "The same singular values at every look, a column each: dark is as large as the largest, paper is gone (below 10⁻⁶)."


def spectrum(found: Latent, chosen: Selection) -> None:
    if not found.overlay:
        place.empty("No run has a look of this feature up to this step. Move the slider to the right.")
        return
    palette, title, over = place.palette(), spectrum_title(found), found.overlay
    fig = place.kept((*seen(chosen), chosen.step, title, palette.name), lambda: spectra.overlay(over, chosen.arm_slots, palette, title))
    place.figure(fig, "spectrum", title, SPECTRUM, lambda: spectra.rows(over))


def seen(chosen: Selection) -> tuple[Hashable, ...]:
    """What a figure over the whole training depends on."""
    runs = (str(run.path) for run in chosen.runs)
    return (*runs, chosen.feature, repr(chosen.shown), repr(chosen.labels), repr(chosen.arm_slots))


def spectrum_title(found: Latent) -> str:
    """The finding of the first figure in at most 60 characters."""
    if not found.falls:
        return "How variance is spread over directions"
    if all(each.kind == "short" for each in found.falls):
        return f"{found.falls[0].n} images are too few for {found.falls[0].d} dimensions"
    low, high = (pick(found.falls, key=lambda each: each.directions[1]) for pick in (min, max))
    point = next((each.label for each in found.falls if each.kind == "total"), None)
    if point is not None:
        return f"{theme.clip(point, 30)} shrank to a point"
    if len(found.falls) == 1:
        return f"{theme.clip(low.label, 24)} uses {number(low.directions[1])} of {low.d} directions"
    few, many = (number(each.directions[1]) for each in (low, high))
    return f"{theme.clip(low.label, 18)} uses {few} directions, {theme.clip(high.label, 18)} {many}"


def heat(found: Latent, chosen: Selection) -> None:
    if not found.histories:
        return
    first = {history.label: history for history in reversed(found.histories)}  # one run of each setting
    histories = [first[label] for label in chosen.arm_slots if label in first]
    title, palette = heat_title(found.at_last), place.palette()
    fig = place.kept((*seen(chosen), title, palette.name), lambda: spectra.heat(histories, None, chosen.arm_slots, palette, title))
    marks = spectra.marks(fig, histories, chosen.step, palette)
    place.marked(fig, marks, "heat", title, HEAT, lambda: spectra.history_rows(histories))


def heat_title(at_last: list[Fall]) -> str:
    """The finding of the heat map in at most 60 characters: it shows the whole training, whatever the slider says."""
    lost = [each for each in at_last if each.kind in ("dimensional", "total")]  # an offset does not show in centred values
    if not lost:
        kept = all(each.kind == "kept" for each in at_last)
        return "The directions in use did not fall" if kept else "Directions over training"
    worst = min(lost, key=lambda each: each.now / max(each.before, 1e-9))
    return f"{theme.clip(worst.label, 18)}: directions go out at steps {worst.from_step} to {worst.to_step}"


def multiples(found: Latent, chosen: Selection) -> None:
    """Rank, scale, offset and probe, those of them that were measured, as one figure."""
    measured = [found.trajectories[statistic] for statistic in collapse.MULTIPLES if found.trajectories[statistic]]
    missing = [collapse.PANELS[statistic][0] for statistic in collapse.MULTIPLES if not found.trajectories[statistic]]
    if measured:
        titles = [collapse.PANELS[own[0].statistic][0] for own in measured]
        palette = place.palette()
        fig = place.kept((*seen(chosen), "multiples", palette.name), lambda: collapse.panels(measured, None, chosen.arm_slots, palette))
        marks = collapse.marks(fig, chosen.step, palette)
        rows = lambda: [row for own in measured for row in collapse.rows(own)]  # noqa: E731
        place.marked(fig, marks, "multiples", ", ".join(titles), "\n".join([*map(told, measured), FOOLED]), rows)
    if missing:
        st.caption(f"Not measured in these runs: {', '.join(missing)}.")


def told(own: Sequence[Trajectory]) -> str:
    """A statistic's formula, interval, and why that is missing where it is, as a line of a list."""
    title, _ = collapse.PANELS[own[0].statistic]
    why = next((each.why for each in own if each.why), "")
    interval = f". Interval: {own[0].procedure}" if own[0].procedure else ""
    return f"- **{title}**: {collapse.formula(own[0].statistic)}{interval}" + (f". Where it is missing: {why}" if why else "")


def footer(found: Latent, chosen: Selection) -> list[str]:
    """What the numbers rest on."""
    if not found.overlay:
        return []
    over, ranks = found.overlay, found.trajectories["participation_ratio"]
    enough = f"N = {over.n / over.d:.3g} d" + (
        "" if over.n >= 4 * over.d else ", too few for a rank: compare with the isotropic cloud only"
    )
    procedure = next((each.procedure for each in ranks if each.procedure), "") or next(
        (f"no interval: {each.why}" for each in ranks if each.why), ""
    )
    patients = f"{over.n} validation studies" + (f" of {over.patients} patients" if over.patients else "")
    data = {f"{name} #{str(each)[:8]}" for run in chosen.runs for name, each in hashes(run).items()}
    return [
        patients,
        f"d = {over.d}",
        enough,
        f"intervals: {procedure}" if procedure else "",
        f"data {', '.join(sorted(data))}" if data else "",
        *(run.id for run in chosen.runs),
    ]


def hashes(run: Run) -> dict[str, str]:
    """Data set -> hash, as the run recorded it."""
    found = run.provenance if (run.path / "provenance.json").is_file() else {}
    return dict(found.get("data") or {})
