"""The page Latent space in words and places: verdict, figure titles, details, footer."""

from collections.abc import Hashable, Sequence

import streamlit as st

from app import place
from app.read import Latent
from app.select import Selection
from workbench.analysis.falls import FALLEN, Fall, follows
from workbench.analysis.looks import Trajectory
from workbench.figures import collapse, spectra, theme
from workbench.figures.theme import Palette, number
from workbench.run import Run

SCALED = ("total", "scale", "offset")  # of these `now` is no number of directions
SPECTRUM = """Singular values $\\sigma_1 \\ge \\sigma_2 \\ge \\dots$ of the centred features, relative to the largest, on two log axes.
*isotropic*: the mean for a Gaussian cloud of the same N and d, in which every direction counts alike. *untrained*: the same network before its first step."""
FOOLED = "\nNo number is enough alone: docs/gallery.md shows each on a healthy and on a broken cloud, and what fools it."
HEAT = "The same singular values at every look, a column each: dark is as large as the largest, paper is gone (below 10⁻⁶)."


def verdict(found: Latent, chosen: Selection, palette: Palette) -> tuple[list[tuple[str, str]], str, str]:
    """Sentences, the numbers they rest on, and the colour of what they speak about."""
    if not found.falls:
        return [("", "These runs have no look of this feature up to this step.")], "", palette.muted
    worst = min(found.falls, key=lambda each: (each.kind not in FALLEN, each.now / max(each.before, 1e-9)))
    colour = palette.of(chosen.arm_slots[worst.label]) if worst.kind in FALLEN or len(found.falls) == 1 else palette.accent
    if all(each.kind == "short" for each in found.falls):
        short = found.falls[0]
        said = f"{short.n} images are too few to judge {short.d} dimensions: a rank needs four times as many. Compare with the isotropic cloud only."
        return [("", said)], "", palette.muted
    return (
        [(each.label, sentence(each, [other for other in found.elsewhere if other.label == each.label])) for each in found.falls],
        aside(found),
        colour,
    )


def sentence(here: Fall, elsewhere: list[Fall]) -> str:
    """What one arm did, and in half a sentence what its other features did."""
    where = f"between steps {here.from_step} and {here.to_step}"
    lost, before = max(1, round(here.before - here.now)), round(here.before)
    said = {
        "total": f"shrank to a point {where}: its scale fell from {number(here.before)} to {number(here.now)}",
        "scale": f"shrank as a whole {where}: its scale fell from {number(here.before)} to {number(here.now)}",
        "dimensional": f"lost {lost} of its {before} directions {where}",
        "offset": f"came to share one mean {where}: its rank with the offset fell from {number(here.before)} to {number(here.now)}",
        "kept": f"uses {number(here.now)} of {here.d} directions",
        "single": f"uses {number(here.now)} of {here.d} directions; one look says low or high, not whether it fell",
        "short": f"cannot be judged: {here.n} images for {here.d} dimensions",
    }[here.kind]
    there = [each for each in elsewhere if (each.kind in FALLEN) != (here.kind in FALLEN) and each.kind in (*FALLEN, "kept")]
    words = [f"{each.feature} {'kept' if each.kind == 'kept' else 'fell to'} {number(each.now)} of {each.d}" for each in there[:1]]
    return "; ".join([said, *words]) + "."


def aside(found: Latent) -> str:
    """What a probe reads, beside its references, and whether it follows the rank."""
    probes = found.trajectories["probe"]
    if not probes or not found.overlay:
        return "No probe was fitted: rank is not usefulness."
    names = dict.fromkeys(each.label for each in probes)
    value = {name: mean([float(each.values[each.at(found.overlay.step)]) for each in probes if each.label == name]) for name in names}
    known = dict(collapse.levels(probes))
    against = ", ".join(f"{name} {number(known[name])}" for name in ("untrained", "pixels") if name in known)
    said = f"A probe reads {', '.join(f'{name} {number(each)}' for name, each in value.items())} ({against})."
    order = follows({each.label: each.now for each in found.falls if each.kind not in SCALED}, value)
    return said + (" The probe does not follow the directions in use." if order is False else "")


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


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
    low, high = (pick(found.falls, key=lambda each: each.now) for pick in (min, max))
    if any(each.kind in ("offset", "scale") for each in found.falls):
        return "How variance is spread over directions"
    if len(found.falls) == 1 or low.kind == "total":
        return (
            f"{theme.clip(low.label, 24)} uses {number(low.now)} of {low.d} directions"
            if low.kind != "total"
            else f"{theme.clip(low.label, 30)} shrank to a point"
        )
    return f"{theme.clip(low.label, 18)} uses {number(low.now)} directions, {theme.clip(high.label, 18)} {number(high.now)}"


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
    title, _, formula = collapse.PANELS[own[0].statistic]
    why = next((each.why for each in own if each.why), "")
    interval = f". Interval: {own[0].procedure}" if own[0].procedure else ""
    return f"- **{title}**: {formula}{interval}" + (f". Where it is missing: {why}" if why else "")


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
