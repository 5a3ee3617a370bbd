"""Editing a patient of the thorax: what was asked for changes, and nothing else."""

import numpy as np
import pytest
from scipy import ndimage

from workbench.phantom import FINDINGS, MASKS
from workbench.phantom.report import text_of
from workbench.phantom.thorax.counterfactual import FACTORS, phantom
from workbench.phantom.thorax.latents import MIDDLE

# share of the squared difference outside the mask, widened by a twelfth of the film; the others move what surrounds them
NEAR = {
    "effusion": 0.02,
    "consolidation": 0.02,
    "nodule": 0.02,
    "mass": 0.02,
    "rib fracture": 0.03,
    "feeding tube": 0.02,
    "pacemaker": 0.02,
}


def healthy(index):
    found = phantom(3, index)
    for name in FINDINGS:
        found = found.edit(finding=name, severity=0)
    return type(found)(found.study, found.study)


@pytest.mark.parametrize("name", NEAR)
def test_an_edited_finding_changes_its_own_neighbourhood_only(name):
    shares = []
    for index in (0, 4):
        without = healthy(index)
        before, after = without.film(64), without.edit(finding=name, severity=0.7).film(64)
        difference = (after.image.astype(float) - before.image) ** 2
        inside = ndimage.binary_dilation((after.masks >> MASKS.index(name) & 1).astype(bool), iterations=5)
        shares.append(difference[~inside].sum() / difference.sum())
    assert np.mean(shares) < NEAR[name], shares


def test_an_edit_back_is_the_film_to_the_bit_and_noise_stays():
    own = phantom(3, 4)
    there = own.edit(finding="mass", side="left", severity=0.9)
    assert (there.film(32).image != own.film(32).image).any()
    if not own.study.has("mass"):
        np.testing.assert_array_equal(there.edit(finding="mass", side="left", severity=0).film(32).image, own.film(32).image)
    age = own.study.patient.age
    np.testing.assert_array_equal(own.edit(age=30.0).edit(age=age).film(32).image, own.film(32).image)


def test_a_finding_is_compared_at_the_factor_that_is_set():
    """Seen from the side, or at another exposure, the finding alone differs from the film without it: the window is that of the same view."""
    without = healthy(1)
    for factors in ({"view": "lateral"}, {"exposure": 6.0}):
        both = without.edit(**factors).edit(finding="nodule", severity=0.9)
        assert both.base == without.edit(**factors).study and both.study != both.base
        assert without.edit(finding="nodule", severity=0.9, **factors) == both
        assert without.edit(finding="nodule", severity=0.9).edit(**factors) == both
        assert np.mean(both.film(64).image != without.edit(**factors).film(64).image) < 0.6


def test_labels_sides_zones_and_words_follow():
    without = healthy(2)
    for name in FINDINGS:
        for side in (None,) if name in MIDDLE else ("right", "left"):
            edit = without.edit(finding=name, side=side, severity=0.6)
            assert [each.name for each in edit.study.findings] == [name] and edit.study.factors[f"severity {name}"] == 0.6
            assert [each.side for each in edit.study.findings] == [side or ""]
            assert side is None or side in text_of(edit.report().findings).lower()
    for zone in ("upper", "middle", "lower"):
        (nodule,) = without.edit(finding="nodule", severity=0.5, zone=zone).study.findings
        assert nodule.zone == zone
    both = without.edit(finding="effusion", side="left", severity=0.5).edit(finding="effusion", side="right", severity=0.3)
    assert [each.side for each in both.study.findings] == ["right", "left"] and not both.edit(finding="effusion", severity=0).study.findings


def test_factors_change_what_they_are_about_and_no_label():
    own = phantom(3, 11)
    values = {"age": 80.0, "sex": "F" if own.study.patient.sex == "M" else "M", "build": 0.9, "heart size": 0.2, "inspiration": 0.1}
    values |= {"view": "lateral", "rotation": 9.0, "tilt": 6.0, "shift right": 2.0, "shift up": -2.0}
    values |= {"zoom": 1.2, "exposure": 5.5, "device style": str((own.study.device_style + 1) % 3)}
    assert set(values) == set(FACTORS)
    before = own.film(32).image
    for name, value in values.items():
        edit = own.edit(**{name.replace(" ", "_"): value})
        assert edit.study.labels == own.study.labels
        assert {key for key, held in edit.study.factors.items() if held != own.study.factors[key]} == {name}
        assert name == "age" or (edit.film(32).image != before).any(), name
