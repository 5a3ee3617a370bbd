"""How common findings are and which come together, counted again in loops."""

import numpy as np
import pytest

from workbench.analysis.decisions import share_interval
from workbench.analysis.prevalence import prevalence, together
from workbench.figures import prevalence as figures

NAMES = ("effusion", "oedema", "nodule")


@pytest.fixture
def labels():
    draw = np.random.default_rng(0)
    first = draw.random(300) < 0.4
    found = np.stack([first, np.where(first, draw.random(300) < 0.7, draw.random(300) < 0.1), draw.random(300) < 0.2], 1).astype(float)
    found[draw.random((300, 3)) < 0.15] = np.nan
    return found


PATIENTS = [f"p{row // 3}" for row in range(300)]


def test_shares_count_studies_and_patients_that_state_it(labels):
    splits = {"train": np.arange(200), "val": np.arange(200, 300)}
    found = prevalence(labels, NAMES, PATIENTS, splits)
    assert [(each.label, each.split) for each in found] == [(name, split) for name in NAMES for split in splits]
    for each in found:
        column = NAMES.index(each.label)
        stated = [row for row in splits[each.split] if np.isfinite(labels[row, column])]
        present = [row for row in stated if labels[row, column] == 1]
        assert each.studies == len(stated) and each.share.value == len(present) / len(stated)
        assert (each.positive, each.stated) == (len({PATIENTS[row] for row in present}), len({PATIENTS[row] for row in stated}))
        assert each.share == share_interval(labels[stated, column], [PATIENTS[row] for row in stated])
        assert each.share.low < each.share.value < each.share.high


def test_pairs_are_conditional_on_the_row(labels):
    found = together(labels, NAMES)
    for i in range(3):
        for j in range(3):
            of = [row for row in labels if row[i] == 1 and np.isfinite(row[j])]
            assert found.of[i, j] == len(of) and found.studies[i, j] == sum(row[j] == 1 for row in of)
            assert found.share[i, j] == pytest.approx(sum(row[j] == 1 for row in of) / len(of))
        assert found.alone[i] == pytest.approx(np.nanmean(labels[:, i]))
    assert found.share[0, 1] > 2 * found.alone[1], "planted: oedema comes with effusion"
    assert found.share[0, 2] == pytest.approx(found.alone[2], abs=0.1), "and the nodule does not"


def test_a_label_nobody_states_has_no_share():
    labels = np.array([[np.nan, 1.0], [np.nan, 0.0]])
    found = prevalence(labels, ("a", "b"), ["p", "q"], {"val": np.arange(2)})
    assert np.isnan(found[0].share.value) and found[0].share.low is None and found[0].stated == 0
    assert np.isnan(together(labels, ("a", "b")).share[1, 0])
    figures.shares(found), figures.pairs(together(labels, ("a", "b")))
    assert figures.shares_title(found) == "B is the commonest: 50 % of validation"
    assert figures.pairs_title(together(labels, ("a", "b"))) == "No two findings come together much more than alone"


def test_figures_draw_every_label_once_and_hover_says_counts(labels):
    found = prevalence(labels, NAMES, PATIENTS, {"train": np.arange(200), "val": np.arange(200, 300)})
    shown = figures.shares(found, title="Effusion is the commonest")
    assert list(shown.layout.yaxis.ticktext) == ["effusion", "oedema", "nodule"], "the commonest on top"
    points = [trace for trace in shown.data if trace.mode == "markers"]
    assert len(points) == 6 and {round(float(trace.x[0]), 6) for trace in points} == {round(each.share.value, 6) for each in found}
    legend = shown.layout.annotations[-1].text
    assert "train" in legend and "validation" in legend and "chance" not in legend
    pairs = together(labels, NAMES)
    lift = pairs.share[0, 1] / pairs.alone[1], pairs.share[1, 0] / pairs.alone[0]
    assert figures.pairs_title(pairs) == (
        f"Oedema is {lift[0]:.1f} times as common with effusion"
        if lift[0] > lift[1]
        else f"Effusion is {lift[1]:.1f} times as common with oedema"
    )
    heat = figures.pairs(pairs).data[0]
    assert np.isnan(heat.z[1][1]) and heat.z[0][1] == pairs.share[0, 1] and list(heat.z[3]) == list(pairs.alone)
    assert heat.customdata[0][1] == f"oedema in {pairs.studies[0, 1]} of {pairs.of[0, 1]} studies with effusion"
    assert len(figures.pair_rows(pairs)) == 6 and figures.share_rows(found)[0]["patients with it"] == found[0].positive
