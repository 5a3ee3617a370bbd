"""A patient's studies in time: findings appear, grow, shrink and clear, devices come and go, and the anatomy stays.

Whether a finding is there, and how severe it is, are two slow Gaussian walks of each patient. At any one study their distribution is that
of a study by itself, so that follow-up changes no prevalence; how long a finding stays is its memory in days.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import betaincinv, ndtr

from workbench.phantom import DEVICES, FINDINGS
from workbench.phantom.levels import LEVELS
from workbench.phantom.thorax.latents import ZONES, Finding, Study, at_least, details, draw_study, size_of
from workbench.phantom.thorax.odds import odds_of
from workbench.phantom.thorax.patient import Patient
from workbench.phantom.thorax.variants import PLAIN, Variant, filmed
from workbench.randomness import rng

# Studies of patients in a row: one to five each, 2.2 on average. Twenty studies are a round; splits begin with a round, so that no patient is in two.
ROUND = (1, 2, 1, 5, 1, 3, 1, 4, 2)
STARTS = tuple(sum(ROUND[:place]) for place in range(len(ROUND)))
MOST = max(ROUND)
GAP, SPREAD, LONGEST = 12.0, 1.4, 900.0  # days between studies: median, standard deviation of the log, most
MEMORY = {  # days after which a finding resembles its past by 1/e; our choice, in the order clinicians would give
    "cardiomegaly": 3000.0,
    "effusion": 120.0,
    "pneumothorax": 40.0,
    "consolidation": 60.0,
    "atelectasis": 70.0,
    "oedema": 40.0,
    "nodule": 1500.0,
    "mass": 1200.0,
    "rib fracture": 900.0,
    "endotracheal tube": 30.0,
    "feeding tube": 50.0,
    "central venous line": 90.0,
    "pacemaker": math.inf,
}
TREND = 0.35  # illness, in standard deviations, and half as much severity, that a progression of 1 adds at each study


class Visit(NamedTuple):
    """Which of a patient's studies an index is."""

    patient: int
    place: int
    studies: int  # of this patient
    first: int  # index of the patient's first study


def visit_of(index: int) -> Visit:
    """The patient of a study, and its place among the patient's studies."""
    whole, within = divmod(index, sum(ROUND))
    own = max(place for place, start in enumerate(STARTS) if start <= within)
    return Visit(whole * len(ROUND) + own, within - STARTS[own], ROUND[own], index - within + STARTS[own])


def drawn_study(seed: int, index: int, variant: Variant = PLAIN) -> Study:
    """The study of an index, from the front, as the patient is by then."""
    visit = visit_of(index)
    return history(seed, visit.first, variant)[visit.place]


def prior_of(study: Study, variant: Variant = PLAIN) -> Study | None:
    """The study before of the same patient, if there is one."""
    return drawn_study(study.seed, study.number - 1, variant) if visit_of(study.number).place else None


@lru_cache(maxsize=64)
def history(seed: int, first: int, variant: Variant) -> tuple[Study, ...]:
    """All studies of the patient whose first has the index `first`, in order."""
    visit = visit_of(first)
    draw = rng(seed, "thorax course", 0, visit.patient)
    progression = float(draw.standard_normal())
    gaps = np.minimum(GAP * np.exp(SPREAD * draw.standard_normal(MOST - 1)), LONGEST)
    days = np.round(np.concatenate([[0.0], np.cumsum(np.maximum(gaps, 1.0))])).tolist()
    walks = {name: walk(seed, visit.patient, name, days) for name in FINDINGS}
    began: dict[str, int] = {}  # index of the study since which a finding is there
    found = []
    for place in range(visit.studies):
        study = draw_study(seed, first + place, visit.patient, variant.level)
        worse = TREND * progression * place
        named = present(study, worse, {name: float(each[0][place]) for name, each in walks.items()}, variant)
        began = {name: began.get(name, study.number) for name in named}
        findings = [
            each
            for name in named
            for each in grown(study, began[name], name, float(walks[name][1][place]) + (0.0 if name in DEVICES else worse / 2))
        ]
        study = study._replace(findings=tuple(findings), visit=place, days=days[place], progression=progression)
        found.append(filmed(study, variant))
    return tuple(found)


def walk(seed: int, patient: int, name: str, days: list[float]) -> np.ndarray:
    """Two walks (2, MOST) of standard normal values at the days: whether a finding is there, and how severe it is."""
    steps = rng(seed, f"thorax course {name}", 0, patient).standard_normal((2, MOST))
    for place in range(1, MOST):
        kept = math.exp(-(days[place] - days[place - 1]) / MEMORY[name])
        steps[:, place] = kept * steps[:, place - 1] + math.sqrt(1 - kept * kept) * steps[:, place]
    return steps


def present(study: Study, worse: float, walks: dict[str, float], variant: Variant) -> list[str]:
    """The findings of a study whose illness is worse by `worse` than at the first."""
    patient: Patient = study.patient._replace(illness=study.patient.illness + worse)
    found, kept = list[str](), list[str]()
    shifts, base = dict(variant.shifts), LEVELS[variant.level].prevalence
    for name in FINDINGS:
        chance = 1 / (1 + math.exp(-odds_of(name, patient, study.view, found) - base - shifts.get(name, 0.0)))
        if (level := float(ndtr(walks[name]))) < chance:
            found.append(name)
            if level < chance * variant.share_kept(name):
                kept.append(name)
    return kept


def grown(study: Study, began: int, name: str, score: float) -> list[Finding]:
    """A finding on its side and at its place, as they were when it began, as severe as a standard normal score says."""
    own = details(study.seed, began, name, study.level)
    worst = max(each.severity for each in own)
    severity = at_least(LEVELS[study.level].mildest, float(betaincinv(1.6, 1.6, ndtr(score))))
    values = [severity * (each.severity / worst if worst else 1.0) for each in own]
    low = {"atelectasis": ZONES["lower"]}  # films show it above the diaphragm wherever it is said to be
    return [
        each._replace(
            severity=value, size=size_of(name, value, study.level), place=(each.place[0], low.get(name, each.place[1]), each.place[2])
        )
        for each, value in zip(own, values)
    ]
