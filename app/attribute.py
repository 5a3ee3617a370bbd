"""The lower half of the page Attention for towers without attention: which part of a film a score rests on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from app import attend, place, state, studies, work
from workbench.analysis import attribution
from workbench.analysis.attribution import Attribution, half
from workbench.figures import attribution as figures
from workbench.figures.theme import number
from workbench.run import Run

FIRST = "pleural effusion"  # the prompt a reader finds typed
LETTERS = 200
CAM = "$\\mathrm{ReLU} \\sum_c \\overline{\\partial s / \\partial A_c} \\, A_c$ on the last feature map $A$ (Selvaraju et al., 2017), by captum. Coarse by nature; where the score falls with every channel nothing is drawn."
IG = "$(x - x_0) \\int_0^1 \\partial s(x_0 + \\alpha (x - x_0)) / \\partial x \\, d\\alpha$ from a black film $x_0$ (Sundararajan et al., 2017), by captum, absolute values summed in cells. Completeness: the integrated gradients should sum to the rise of the score; *delta* is what is missing, and should be small beside it."


def able(runs: Sequence[Run]) -> list[Run]:
    """Runs with a score to explain, a cosine or logits, and a snapshot to load."""
    return [run for run in runs if (projects(run) or logits(run)) and run.steps_of("snapshots")]


def projects(run: Run) -> bool:
    return "Projects" in (run.status.get("capabilities") or [])


def logits(run: Run) -> bool:
    return "image.logits" in (run.status.get("features") or {})


def target(spot: Any, run: Run, loaded: studies.Studies | None) -> dict[str, Any] | None:
    """What is asked: a prompt for a run that compares with text, a label for one with logits; None while nothing is typed."""
    if projects(run):
        st.session_state["attribution_prompt"] = state.get("prompt") or FIRST
        spot.text_input("Prompt", key="attribution_prompt", max_chars=LETTERS, on_change=state.follow("prompt", "attribution_prompt"))
        typed = " ".join(st.session_state["attribution_prompt"].split())
        return {"prompt": typed[:LETTERS]} if typed else None
    names = [str(name) for name in run.status.get("label_names") or (loaded.dataset.label_names if loaded else [])]
    names = names or [f"label {place + 1}" for place in range(int(run.config["method"].get("labels", 1)))]
    st.session_state["attribution_label"] = state.get("label") if state.get("label") in names else names[0]
    spot.selectbox("Label", names, key="attribution_label", on_change=state.follow("label", "attribution_label"))
    return {"label": [names.index(st.session_state["attribution_label"]), st.session_state["attribution_label"]]}


def section(
    root: Path, run: Run, step: int, image: dict[str, Any], asked: dict[str, Any], loaded: studies.Studies | None, name: str, colour: str
) -> None:
    """Verdict, Grad-CAM and integrated gradients, footer."""
    folder = work.shown(work.ask(root, "attribution", run.id, {"step": step, "image": image, **asked}), attend.HEIGHT, "attribution")
    if not folder:
        return
    found, allowed = attribution.read(folder), studies.allowed(loaded)
    place.verdict(*verdict(found, name, colour))
    left, right = st.columns(2, gap="medium")
    rows = figures.rows(found)
    with left:
        if found.cam is None:
            place.empty("**No Grad-CAM**: this tower ends in no feature map of rows and columns. Integrated gradients need none.")
        else:
            place.film(figures.cam(found, place.palette()), "cam", "Grad-CAM over the film", CAM, rows, allowed)
            attend.opacity("cam")
    with right:
        place.film(figures.gradients(found, place.palette()), "gradients", "Integrated gradients over the film", IG, rows, allowed)
        attend.opacity("gradients")
    said = f"completeness delta {number(found.delta)}, {found.steps} steps"
    place.footer(attend.footer(found.key, found.step, run, loaded, said, f"{found.kind} {number(found.score)}"))


def verdict(found: Attribution, name: str, colour: str) -> tuple[list[tuple[str, str]], str, str]:
    """What the score is, beside that of a black film, and how far the map can be trusted."""
    share = "" if found.cam is None or not found.cam.max() > 0 else f" Half of what raises it lies in {half(found.cam):.0%} of the film."
    said = (
        f"gives this film a {found.kind} of {number(found.score)} to “{found.target}”; a black film gets {number(found.baseline)}.{share}"
    )
    missing = abs(found.delta) / max(abs(found.rise), 1e-9)
    trust = "complete" if missing < 0.05 else "not complete, read it with care"
    aside = f"Integrated gradients are {trust}: delta {number(found.delta)} of a rise of {number(found.rise)}. A map says what the score follows, not whether it is right."
    return [(name, said)], aside, colour
