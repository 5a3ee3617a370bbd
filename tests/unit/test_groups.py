"""Subgroups hold the right studies, and their numbers are those of these studies alone."""

import numpy as np
import pytest

from workbench.analysis.groups import age_band, by_group, memberships
from workbench.analysis.statistics import auroc_interval

RNG = np.random.default_rng(0)
N = 400
COVARIATES = {
    "sex": RNG.choice(["F", "M", ""], 900, p=[0.5, 0.4, 0.1]),
    "age": np.where(RNG.random(900) < 0.1, np.nan, RNG.uniform(18, 95, 900)),
    "view": RNG.choice(["PA", "AP"], 900),
    "source": RNG.choice(["a", "b"], 900),
}
STUDIES = RNG.permutation(900)[:N]


def test_bands_meet_without_gap():
    assert [age_band(age) for age in (18, 39.9, 40, 59.5, 60, 80, 95, np.nan)] == [
        *["under 40"] * 2,
        *["40 to 59"] * 2,
        "60 to 79",
        *["80 and over"] * 2,
        "",
    ]


def test_every_study_is_in_one_group_of_a_kind_or_its_value_is_not_known():
    found = memberships(COVARIATES, STUDIES)
    assert [(kind, name) for kind, name, _ in found] == [
        *[("sex", "F"), ("sex", "M")],
        *[("age", name) for name in ("under 40", "40 to 59", "60 to 79", "80 and over")],
        *[("view", "AP"), ("view", "PA")],
    ]
    for kind, known in (("sex", COVARIATES["sex"] != ""), ("age", np.isfinite(COVARIATES["age"])), ("view", np.ones(900, bool))):
        inside = np.sum([rows for each, _, rows in found if each == kind], 0)
        assert (inside == known[STUDIES]).all()
    male = next(rows for _, name, rows in found if name == "M")
    assert (COVARIATES["sex"][STUDIES[male]] == "M").all()


def test_numbers_of_a_group_are_those_of_its_studies():
    labels = (RNG.random(N) < 0.4).astype(float)
    scores = labels + RNG.normal(size=N)
    labels[::9] = np.nan
    called, patients = scores > 0.6, np.arange(N) // 2
    for each in by_group(scores, labels, called, patients, COVARIATES, STUDIES):
        rows = next(rows for kind, name, rows in memberships(COVARIATES, STUDIES) if (kind, name) == (each.kind, each.name))
        rows = rows & np.isfinite(labels)
        assert each.auroc == auroc_interval(scores[rows], labels[rows], patients[rows])
        present, absent = rows & (labels == 1), rows & (labels == 0)
        assert (each.rows, each.positive, each.patients) == (rows.sum(), present.sum(), len(np.unique(patients[rows])))
        assert each.sensitivity.value == pytest.approx(called[present].mean())
        assert each.specificity.value == pytest.approx(1 - called[absent].mean())
        assert each.sensitivity.low < each.sensitivity.value < each.sensitivity.high
