"""The page Zero-shot in words and places: verdict, forest, calibration, subgroups, the films it gets wrong, one image."""

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from app import place, state, studies
from app.inside import hashes
from app.select import Selection
from app.zeroshot import SPLITS, Answer, Asked
from workbench.analysis.zeroshot import ZeroShot
from workbench.controls import floors
from workbench.figures import calibration as calibrations
from workbench.figures import zeroshot as figures
from workbench.figures.theme import clip, number
from workbench.run import Run

WORST = 6
SHUFFLED = "shuffled reports"
SCORE = "Score: cosine to the prompts for *present* less cosine to those for *absent*, each averaged over its wordings"
CLASSES = "Score: softmax over the classes of the cosine to each class's prompts for *present*; only studies with exactly one of the classes count"
FOREST = """{score}. AUROC: chance that a study with the finding outranks one without, DeLong clustered by patient; average precision and accuracy: patients drawn
with replacement (BCa). *chance*: .5, the share present, the commoner answer. *pixels*, *metadata*: a ridge without a network on the run's probe set.
*shuffled reports*: {twin}. *prompts exchanged*: each finding scored with the prompts of others, not a shuffled-report control; findings that occur together keep it above .5,
classes that exclude each other below."""
RELIABILITY = """Ten bins of equally many studies: share present against mean prediction, Wilson intervals clustered by patient. *As scored*: softmax at temperature {temperature}.
*Fitted*: a logistic map fitted on {where}. The error is the mean distance from the diagonal; a perfectly calibrated model of this size reads {floor}."""
GROUPS = "The same scores within each group; sensitivity and specificity at a threshold chosen on {where} (largest sum of both), Wilson intervals clustered by patient. The dashed line is all studies."


def where(found: ZeroShot) -> str:
    return "the other patients of validation" if found.crossfitted else "validation"


def verdict(answers: Mapping[str, Answer], twin: Answer | None, references: Mapping[str, Mapping[str, float]], colour: str) -> None:
    """What the prompts read, with the levels beside it."""
    said = [(label, sentence(each.found)) for label, each in answers.items()]
    first = next(iter(answers.values())).found
    macro = [
        f"{name} {number(values[figures.MACRO])}" for name, values in references.items() if name != SHUFFLED and figures.MACRO in values
    ]
    shuffled = f"shuffled reports {number(twin.found.macro_auroc.value)}" if twin else "no shuffled-report control here"
    aside = ", ".join(["Chance .5", *macro, shuffled, f"prompts exchanged {number(first.macro_exchanged)}"]) + "."
    place.verdict(said, aside, colour)


def sentence(found: ZeroShot) -> str:
    """One run in a sentence: macro score, its best and its worst finding, and what is not told from chance."""
    included = found.macro_auroc.included
    if not included:
        return (
            f"has no finding with 10 positive and 10 negative patients among its {len(found.studies.keys)} studies: counts only, no score."
        )
    value = {label: found.auroc[label].value for label in included}
    best, worst = max(value, key=value.__getitem__), min(value, key=value.__getitem__)
    blind = [found.names[label] for label in included if (low := found.auroc[label].low) is not None and low <= 0.5]
    told = f"reads {len(included)} findings at a mean AUROC of {figures.said(found.macro_auroc)}"
    told += f", {found.names[best]} best ({number(value[best])}), {found.names[worst]} worst ({number(value[worst])})"
    if found.mode == "classes":
        told += f"; the class is right in {figures.said(found.macro_accuracy)} of {len(found.studies.keys)} studies"
    return told + (f"; not told from chance: {', '.join(blind)}." if blind else ".")


def references(run: Run, twin: Answer | None, asked: Asked, statistic: str) -> dict[str, dict[str, float]]:
    """Reference -> label -> value, only of the AUROC: the floors stored with the run, which are of findings and not of classes, and the control."""
    if statistic != "AUROC":
        return {}
    every = floors(run) if asked.mode == "findings" else {}
    if twin:
        values = zip([*twin.found.names, figures.MACRO], figures.of(twin.found, "AUROC"))
        every[SHUFFLED] = {label: each.value for label, each in values}
    return every


def forest(
    answers: Mapping[str, Answer], chosen: Selection, asked: Asked, statistic: str, levels: Mapping, twin: Answer | None, whole: bool
) -> None:
    """The forest of one statistic; not `whole`, it stands only until the intervals that draw patients are there."""
    every = {label: each.found for label, each in answers.items()}
    first = next(iter(every.values()))
    slots = {name: chosen.slots[run.id] for run, name in chosen.names.items()}
    title = f"What the prompts read: {statistic}" if len(every) > 1 else clip(f"{next(iter(every))}: {headline(first)}")
    fig = figures.forest(every, slots, statistic, levels, place.palette(), title, asked.label)
    if not whole:
        place.plain(fig, "zero_forest_first", title)
        return
    control = (
        "the same training on reports of other studies" if twin else "none here: no run differs from this one by `texts: shuffled` alone"
    )
    told = FOREST.format(score=SCORE if asked.mode == "findings" else CLASSES, twin=control)
    rows = [{"run": label} | row for label, found in every.items() for row in found.rows()]
    place.figure(fig, "zero_forest", title, told, rows)


def headline(found: ZeroShot) -> str:
    """The finding of the forest in a few words."""
    above = [label for label in found.macro_auroc.included if (low := found.auroc[label].low) is not None and low > 0.5]
    return f"{len(above)} of {len(found.names)} findings above chance"


def reliability(got: Answer, asked: Asked, colour: str) -> None:
    """The calibration curve of the chosen finding."""
    raw, fitted = got.found.curve(asked.place), got.found.curve(asked.place, fitted=True)
    if raw is None:
        place.empty(f"**No calibration of {state.escape(asked.label)}**: no study states it.")
        return
    better = fitted or raw
    title = clip(f"{asked.label}: off by {number(raw.error)} as scored, {number(better.error)} fitted")
    told = f"mean distance from the diagonal; {number(better.floor)} would be perfect, {raw.n} studies"
    fig = calibrations.reliability(
        raw, fitted, colour, place.palette(), title, told, figures.HEAD + figures.ROW * (len(got.found.names) + 1)
    )
    formula = RELIABILITY.format(temperature=number(got.temperature), where=where(got.found), floor=number(better.floor))
    place.figure(fig, "zero_calibration", title, formula, calibrations.rows([("as scored", raw), ("fitted", fitted)]))


def subgroups(got: Answer, asked: Asked, loaded: studies.Studies, colour: str) -> None:
    """The chosen finding by sex, age band and view."""
    found = got.found.groups(asked.place, loaded.dataset.covariates)
    if not found:
        st.caption("By sex, age or view: this data set states none of them.")
        return
    fig = figures.subgroups(found, asked.label, colour, place.palette(), got.found.auroc[asked.place].value)
    place.figure(fig, "zero_groups", f"{asked.label} by group", GROUPS.format(where=where(got.found)), figures.group_rows(found))


def worst(got: Answer, asked: Asked, loaded: studies.Studies) -> None:
    """The films scored highest without the finding and lowest with it; only their hashed keys where the terms keep films back."""
    name = state.escape(asked.label)
    studies.ask(loaded)
    for rows, told in zip(got.found.worst(asked.place, WORST), (f"Scored highest without {name}", f"Scored lowest with {name}")):
        st.markdown(f"**{told}**")
        if not len(rows):
            st.caption("None among these studies.")
            continue
        values, keys = got.found.probabilities[rows, asked.place], [got.found.studies.keys[row] for row in rows]
        shown = keys if loaded.open else studies.hashed(keys)
        if loaded.allowed == "nothing":
            st.caption(
                "The terms of this data set keep its films off this page: "
                + ", ".join(f"{key} ({number(p)})" for key, p in zip(shown, values))
            )
            continue
        for spot, key, label, value in zip(st.columns(WORST, gap="small"), keys, shown, values):
            spot.image(studies.picture(loaded.dataset[loaded.places[key]]["images"][0], []), alt=f"Film of {label}", width="stretch")
            spot.caption(f"{number(value)} · {state.escape(label)}")


def strange(answers: Mapping[str, Answer]) -> None:
    """Prompts in words no tower knows are named: their scores mean little."""
    found = list(dict.fromkeys(text for each in answers.values() for text in each.strange))
    if found:
        named = ", ".join(f"“{state.escape(clip(text, 40))}”" for text in found[:3])
        st.caption(f"Most words of {named} are unknown to the text tower (another script?): what they score means little.")


def one(got: Answer, asked: Asked, values: np.ndarray) -> None:
    """The scores of an image handed in among those of the judged studies."""
    ranks = [share_below(got.found, label, value) for label, value in enumerate(values)]
    top = int(np.argmax(ranks))
    title = clip(f"This image: {got.found.names[top]} ranks above {ranks[top]:.0%} of the studies")
    rows = [
        {"finding": name, "score": float(value), "threshold": float(got.found.thresholds[label]), "above share of studies": ranks[label]}
        for label, (name, value) in enumerate(zip(got.found.names, values))
    ]
    told = f"{SCORE if asked.mode == 'findings' else 'Cosine to each class'}. Bars: the middle 90 % of the judged studies with and without the finding."
    place.figure(figures.one_image(got.found, values, place.palette(), title), "zero_one_image", title, told, rows)


def share_below(found: ZeroShot, label: int, value: float) -> float:
    return float(np.mean(found.studies.scores[:, label] < value)) if len(found.studies.keys) else float("nan")


def footer(answers: Mapping[str, Answer], asked: Asked, runs: Sequence[Run], digest: str) -> None:
    """What the numbers rest on."""
    found = next(iter(answers.values())).found
    procedures = dict.fromkeys(each.procedure for each in (*found.auroc, *found.precision, found.macro_auroc) if each.low is not None)
    data = {f"{name} #{str(each)[:8]}" for run in runs for name, each in hashes(run).items()}
    left = f"{found.left_out} studies without exactly one class left out" if found.left_out else ""
    place.footer(
        [
            f"{len(found.studies.keys)} {SPLITS[asked.split].lower()} studies of {len(set(found.studies.patients))} patients",
            left,
            f"prompts: {'data set' if asked.source == 'own' else asked.source} #{digest[:8]}",
            f"thresholds and maps from {where(found)}",
            f"intervals: {'; '.join(procedures)}" if procedures else "",
            f"data {', '.join(sorted(data))}" if data else "",
            *(run.id for run in runs),
        ]
    )
