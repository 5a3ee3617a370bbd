"""The page Reconstruction in words and places: which image, which mask, what came back, how much of it is skill."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from app import masks, place, state, studies, work
from app.select import Selection, nearest
from workbench.analysis import reconstruction
from workbench.analysis.reconstruction import Reconstruction
from workbench.dataset import masks_of
from workbench.figures import reconstruction as figures
from workbench.figures.theme import Palette, number
from workbench.queries import Query
from workbench.run import Run

FILM = "recon_film"  # session key: the film under the painter and its mask
FORMULA = """Error of a patch: the mean squared difference of its pixels, {space}. Skill $= 1 - \\sum$ error $/ \\sum$ error of the guess, over hidden patches.
*zero*: {zero}. *mean patch*: the mean of the visible patches. *nearest*: the nearest visible patch, copied. *cubic*: Clough-Tocher interpolation of the visible pixels, beyond their hull the nearest one."""
PIXELS = "in the units of the network's input"
PATCHES = "after the true patch is standardised by its own mean and deviation; every guess is standardised too, so it is given both as the method is"


def choose_image(spot: Any, root: Path, run: Run, query: Query | None = None) -> tuple[dict[str, Any], studies.Studies | None] | None:
    """The image to look at: a study of the run's data, or an upload; None where there is none yet."""
    kind, which = spot
    found = studies.chosen_or_upload(kind, which, root, run, "recon")
    if found is None or isinstance(found, str):
        return ({"upload": found}, None) if found else None
    keys = studies.listed(found, query)
    chosen = state.get("sample") if state.get("sample") in (keys if query else found.places) else keys[0]
    st.session_state["recon_study"] = chosen
    which.selectbox("Study", list(dict.fromkeys([chosen, *keys])), key="recon_study", on_change=state.follow("sample", "recon_study"))
    return {"study": chosen, "place": studies.film_of(found, chosen, which)}, found


def choose_mask(
    kind: str, spots: Sequence[Any], image: Mapping[str, Any], loaded: studies.Studies | None, side: int
) -> dict[str, Any] | None:
    """The mask asked for; None where the study has no region."""
    random = {"ratio": (masks.RATIO if state.get("ratio") is None else min(100, state.get("ratio"))) / 100, "seed": state.get("seed") or 0}
    if kind == "random":
        return masks.choose_random(*spots)
    if kind == "painted":
        held = masks.decoded(state.get("mask"))
        return {"patches": held[1]} if held and held[0] == side else random
    names = regions(loaded, image) if loaded else []
    if not names:
        spots[0].caption("This image comes without masks or boxes: paint one instead.")
        return None
    return masks.choose_regions(spots[0], names)


def regions(loaded: studies.Studies, image: Mapping[str, Any]) -> list[str]:
    """Organs and findings that have a mask with something in it or a box."""
    sample = loaded.dataset[loaded.places[image["study"]]]
    drawn = [name for name, mask in masks_of(sample, image["place"]).items() if mask.any()]
    return list(dict.fromkeys([*drawn, *(str(box["label"]) for box in sample.get("boxes") or [] if box.get("image", 0) == image["place"])]))


def side_of(run: Run) -> int:
    """Patches along an edge, from the run's configuration."""
    method = run.config["method"]
    return max(1, int(method.get("image_size", 64)) // int(method.get("patch_size", 8)))


def snapshot(run: Run, step: int) -> int:
    """The snapshot the slider stands for."""
    return nearest(run.steps_of("snapshots"), step if step >= 0 else None)


def found(root: Path, runs: Sequence[Run], names: Mapping[Run, str], step: int, image: dict, mask: dict) -> dict[str, Reconstruction]:
    """What each run paints, by its name; where the worker is not done yet a skeleton stands in its place."""
    done = {}
    for run in runs:
        job = work.ask(root, "reconstruction", run.id, {"steps": [snapshot(run, step)], "image": image, "mask": mask})
        folder = work.shown(job, 290, f"recon_{run.id}")
        if folder:
            done[names[run]] = reconstruction.read(folder)[0]
    return done


def films(found: Mapping[str, Reconstruction], allowed: place.Allowed) -> None:
    """The row of films of each run."""
    for place_of, (label, each) in enumerate(found.items()):
        error = each.error()
        title = f"{label}: nothing is hidden" if error is None else f"{label}: error {number(error)} in {each.hidden} hidden patches"
        fig = figures.row(each, place.palette(), title)
        place.film(fig, f"films_{place_of}", title, told(each), figures.rows(each), allowed)


def told(each: Reconstruction) -> str:
    zero = "standardised zero, that is the true mean" if each.norm_pix else "zero of the network's input, a middle grey"
    return FORMULA.format(space=PATCHES if each.norm_pix else PIXELS, zero=zero)


def verdict(found: Mapping[str, Reconstruction], slots: Mapping[str, int], palette: Palette) -> tuple[list[tuple[str, str]], str, str]:
    """Sentences, the numbers they rest on, and the colour of what they speak about."""
    first = next(iter(found.values()))
    said = [(label, sentence(each)) for label, each in found.items()]
    said += [("Doctor:", note) for note in dict.fromkeys(note for each in found.values() for note in each.notes)]
    spaces = {each.norm_pix for each in found.values()}
    space = (
        "Errors in standardised patches, every guess given the true mean and deviation" if first.norm_pix else f"Errors in pixels, {PIXELS}"
    )
    aside = (
        f"{space}. One image says little: skill over a test set is in the records."
        if len(spaces) == 1
        else "Errors of these runs are in different spaces: compare skills only."
    )
    colour = palette.of(next(iter(slots.values()))) if len(found) == 1 else palette.accent
    return said, aside, colour


def sentence(each: Reconstruction) -> str:
    """What one run did with what was hidden."""
    if not each.hidden:
        return "was shown everything: nothing is hidden, so there is no error to speak of. Hide some patches."
    guess, error = each.best_guess(), each.error()
    if each.hidden == len(each.mask):
        return f"was shown nothing: what it paints is what it expects of any film, error {number(error)}; guesses from visible patches do not exist."
    if guess is None or error is None:
        return "cannot be compared: no guess is defined for this mask."
    skill, which = each.skill(guess), figures.NAMES[guess]
    how = "better than" if (skill or 0) > 0 else "no better than"
    few = " One patch only: chance decides much of this." if each.hidden == 1 else ""
    return f"paints {each.hidden} hidden patch{'es' * (each.hidden != 1)} {how} the best guess, {which}: error {number(error)} against {number(each.error(guess))}, skill {number(skill)}.{few}"


def replayed(root: Path, runs: Sequence[Run], names: Mapping[Run, str], image: dict, mask: dict) -> dict[str, list[Reconstruction]]:
    """The same image and mask at every snapshot of each run."""
    done = {}
    for run in runs:
        steps = run.steps_of("snapshots")[-40:]
        job = work.ask(root, "reconstruction", run.id, {"steps": steps, "image": image, "mask": mask})
        folder = work.shown(job, 300, f"replay_{run.id}")
        if folder:
            done[names[run]] = reconstruction.read(folder)
    return done


def footer(found: Mapping[str, Reconstruction], chosen: Selection, loaded: studies.Studies | None) -> list[str]:
    """What the numbers rest on."""
    first = next(iter(found.values()))
    key = first.key if loaded is None or loaded.open else studies.hashed([first.key])[0]
    data = f"terms {loaded.dataset.terms}, #{loaded.dataset.data_hash[:8]}" if loaded else "an upload"
    return [
        f"1 image ({key})", data, f"{first.hidden} of {len(first.mask)} patches hidden", "no interval: one image",
        *(f"{each.run} at step {each.step}" for each in found.values()),
    ]  # fmt: skip


def painter(found: Mapping[str, Reconstruction], side: int, allowed: place.Allowed) -> None:
    """The mask under the mouse; the film of the last answer stays while the next is computed. A film that may not be shown is an empty one."""
    if found:
        first = next(iter(found.values()))
        film = first.original if allowed != "nothing" else np.full_like(first.original, 0.5)
        st.session_state[FILM] = figures.picture(film, None, place.palette()), first.mask.nonzero()[0].tolist()
    if FILM not in st.session_state:
        return
    film, hidden = st.session_state[FILM]
    held = masks.decoded(state.get("mask"))
    masks.paint(film, side, held[1] if held and held[0] == side else hidden)


def history(
    root: Path, runs: Sequence[Run], names: Mapping[Run, str], chosen: Selection, image: dict, mask: dict, slots: Mapping[str, int]
) -> dict[str, list[Reconstruction]]:
    """Skill at every snapshot, once asked for: each is a model to load. Returns what was painted, for the films."""
    count = sum(len(run.steps_of("snapshots")) for run in runs)
    if not st.toggle("Replay this mask over all checkpoints", key="recon_replay", help=f"Loads {count} snapshots, one after the other"):
        place.empty(f"**The same image and mask at every snapshot** shows when the skill came. {count} snapshots are kept.")
        return {}
    every = replayed(root, runs, names, image, mask)
    if every:
        first = next(iter(every.values()))[-1]
        fig = figures.over_steps(every, snapshot(runs[0], chosen.step), slots, place.palette(), first.best_guess() or "zero")
        place.figure(fig, "skill_over_steps", "Skill over training", told(first), figures.skill_rows(every))
    return every


def strips(every: Mapping[str, Sequence[Reconstruction]], allowed: place.Allowed) -> None:
    """The film with what each snapshot painted into it, a row a run."""
    for number_of, (label, each) in enumerate(every.items()):
        title = f"{label} over training"
        place.film(
            figures.strip(each, place.palette(), title),
            f"strip_{number_of}",
            title,
            told(each[-1]),
            figures.skill_rows({label: each}),
            allowed,
        )
