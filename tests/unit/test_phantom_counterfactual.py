"""Editing a simulated patient: what was asked for changes, and nothing else."""

import hashlib

import numpy as np
import pytest
from scipy import ndimage

from workbench.errors import UserError
from workbench.phantom import FINDINGS, MASKS
from workbench.phantom.counterfactual import FACTORS, PATIENT, phantom
from workbench.phantom.film import expose, log_exposure, render
from workbench.phantom.latents import draw_study
from workbench.phantom.report import text_of

SIDED = ("effusion", "pneumothorax", "consolidation", "nodule")


def healthy(level, index):
    """A patient without findings: a nodule behind a collapsed lung changes nothing."""
    found = phantom(level, 3, index)
    for name in FINDINGS:
        found = found.edit(finding=name, severity=0)
    return found


def outside(before, after, name, size):
    """Share of the squared difference that lies outside the finding's mask, widened by a twelfth of the film."""
    difference = (after.image.astype(float) - before.image) ** 2
    bit = MASKS.index("heart" if name == "cardiomegaly" else name)
    inside = ndimage.binary_dilation(((after.masks | before.masks) >> bit & 1).astype(bool), iterations=round(size / 12))
    return difference[~inside].sum() / difference.sum()


def test_films_of_studies_as_they_are_drawn_have_not_changed():
    """The films of generator version 3, to the bit."""
    held = hashlib.sha256()
    for level in ("clinical", "teaching"):
        for index in range(6):
            film = render(draw_study(3, index, level), 64)
            held.update(film.image.tobytes() + film.masks.tobytes() + repr(film.boxes).encode())
    assert held.hexdigest()[:16] == "f5d7b0b28def37a5"


@pytest.mark.parametrize("name", FINDINGS)
def test_an_edited_finding_changes_its_own_neighbourhood_only(name):
    shares = []
    for index in range(8):
        without = healthy("teaching", index)
        shares.append(outside(without.film(128), without.edit(finding=name, severity=0.7).film(128), name, 128))
    assert np.mean(shares) < 0.01, shares


def test_the_measure_of_that_would_notice_another_noise():
    """The same finding on a film with its own noise and window."""
    without = phantom("clinical", 3, 1).edit(finding="nodule", severity=0)
    again = render(without.edit(finding="nodule", severity=0.7).study._replace(number=10**6), 128)
    assert outside(without.film(128), again, "nodule", 128) > 0.1


def test_an_edit_back_is_the_film_to_the_bit():
    own = phantom("clinical", 3, 4)
    there = own.edit(finding="effusion", side="left", severity=0.9).edit(finding="effusion", side="left", severity=0)
    if not own.study.has("effusion"):
        np.testing.assert_array_equal(there.film(64).image, own.film(64).image)
    age = own.study.patient.age
    np.testing.assert_array_equal(own.edit(age=30.0).edit(age=age).film(64).image, own.film(64).image)


def test_noise_is_equal_in_counts_where_nothing_differs():
    study = draw_study(3, 2, "clinical")
    exposure = log_exposure(study, 64)[0]
    darker = exposure.copy()
    darker[:32] *= 0.8
    first, second = expose(study, exposure), expose(study, darker, (study, exposure))
    np.testing.assert_array_equal(first[32:], second[32:])
    noise = [(np.exp(-density) - seen)[:32] / np.sqrt(seen[:32]) for density, seen in ((first, exposure), (second, darker))]
    assert np.corrcoef(noise[0].ravel(), noise[1].ravel())[0, 1] > 0.98, "the same draw, in standard deviations"


@pytest.mark.parametrize("name", SIDED)
def test_the_side_is_where_the_film_changes(name):
    without = phantom("teaching", 3, 5).edit(finding=name, severity=0).edit(rotation=0.0, tilt=0.0)
    before = without.film(64).image.astype(float)
    for side, half in (("left", np.s_[:, 32:]), ("right", np.s_[:, :32])):  # the patient's left is at image right
        after = without.edit(finding=name, side=side, severity=0.8)
        difference = (after.film(64).image - before) ** 2
        assert difference[half].sum() > 0.75 * difference.sum()
        assert [(box["label"], box["side"]) for box in after.film(64).boxes if box["label"] == name] == [(name, side)]
        assert side in text_of(after.report().findings).lower()


@pytest.mark.parametrize("name", [each for each in FINDINGS if each != "support device"])
def test_more_severe_is_a_larger_change_and_the_labels_follow(name):
    without = phantom("teaching", 3, 6).edit(finding=name, severity=0)
    assert not without.study.has(name)
    before = without.film(64).image.astype(float)
    edits = [without.edit(finding=name, severity=severity) for severity in (0.2, 0.6, 1.0)]
    changes = [((edit.film(64).image - before) ** 2).sum() for edit in edits]
    assert 0 < changes[0] < changes[1] < changes[2]
    for edit, severity in zip(edits, (0.2, 0.6, 1.0)):
        assert edit.study.has(name) and edit.study.factors[f"severity {name}"] == severity
        others = [each for each in FINDINGS if each != name]
        assert [edit.study.has(each) for each in others] == [without.study.has(each) for each in others]


def test_a_slider_moves_one_finding():
    own = phantom("teaching", 3, 8).edit(finding="nodule", severity=0)
    places = {own.edit(finding="nodule", severity=severity).study.findings[-1].place for severity in (0.1, 0.5, 0.9)}
    assert len(places) == 1
    upper = own.edit(finding="nodule", severity=0.5, zone="upper").study.findings
    lower = own.edit(finding="nodule", severity=0.5, zone="lower").study.findings
    up, low = (next(each.place[1] for each in found if each.name == "nodule") for found in (upper, lower))
    assert up > 0.25 and low < -0.1


def test_both_sides_one_of_them_gone_and_a_kind_of_device():
    own = phantom("teaching", 3, 9).edit(finding="effusion", severity=0)
    both = own.edit(finding="effusion", side="left", severity=0.5).edit(finding="effusion", side="right", severity=0.3)
    assert [each.side for each in both.study.findings if each.name == "effusion"] == ["right", "left"]
    left = both.edit(finding="effusion", side="right", severity=0)
    assert [each.side for each in left.study.findings if each.name == "effusion"] == ["left"]
    paced = own.edit(finding="support device", kind="pacemaker", side="right")
    assert [(each.kind, each.side) for each in paced.study.findings if each.name == "support device"] == [("pacemaker", "right")]


def test_factors_change_what_they_are_about_and_no_label():
    own = phantom("clinical", 3, 11)
    values = {"age": 80.0, "sex": "F" if own.study.patient.sex == "M" else "M", "build": 0.9, "heart size": 0.2, "inspiration": 0.1}
    values |= {"view": "AP" if own.study.view == "PA" else "PA", "rotation": 9.0, "tilt": 6.0, "shift right": 2.0, "shift up": -2.0}
    values |= {"zoom": 1.2, "exposure": 5.5, "device style": str((own.study.device_style + 1) % 3)}
    assert set(values) == set(FACTORS)
    for name, value in values.items():
        edit = own.edit(**{name.replace(" ", "_"): value})
        assert edit.study.labels == own.study.labels
        assert edit.study.factors[name] == (pytest.approx(value) if not isinstance(value, str) else value)
        changed = {key for key, held in edit.study.factors.items() if held != own.study.factors[key]}
        assert changed == {name}
        assert (edit.film(64).image != own.film(64).image).any()
    assert set(PATIENT) < set(FACTORS)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"finding": "pneumonia"}, "no finding 'pneumonia'; the findings are cardiomegaly, effusion"),
        ({"finding": "effusion", "side": "up"}, "no side 'up'; the sides are right, left"),
        ({"finding": "cardiomegaly", "side": "left"}, "cardiomegaly has no side"),
        ({"finding": "support device", "kind": "feeding tube", "side": "left"}, "feeding tube has no side"),
        ({"finding": "effusion", "severity": 1.2}, "severity 1.2 of effusion; expected a number from 0"),
        ({"finding": "effusion", "severity": "high"}, "severity 'high' of effusion"),
        ({"finding": "effusion", "severity": float("nan")}, "severity nan of effusion"),
        ({"finding": "nodule", "zone": "apex"}, "no zone 'apex' of nodule; consolidation, nodule may be in the upper, middle, lower zone"),
        ({"finding": "effusion", "zone": "lower"}, "no zone 'lower' of effusion"),
        ({"finding": "nodule", "kind": "pacemaker"}, "no kind 'pacemaker' of nodule"),
        ({"side": "left"}, "side, severity, zone and kind are of a finding"),
        ({"height": 3}, "no factor 'height'; the factors are age, sex"),
        ({"age": 130}, "age 130; expected 18 to 95"),
        ({"age": float("nan")}, "age nan; expected 18 to 95"),
        ({"view": "lateral"}, "view 'lateral'; expected one of PA, AP"),
    ],
)
def test_what_no_phantom_can_be_is_refused_with_what_it_can(arguments, told):
    with pytest.raises(UserError, match=told.replace("(", r"\(")) as error:
        phantom("teaching", 3, 1).edit(**arguments)
    assert "\n" not in str(error.value)


def test_sizes_and_levels_are_checked():
    with pytest.raises(UserError, match="a film of 15 pixels"):
        phantom().film(15)
    with pytest.raises(UserError, match="no level 'hard'; the levels are clinical, teaching"):
        phantom("hard")
