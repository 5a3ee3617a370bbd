"""What no patient, film or data set of the thorax can be is refused in one sentence with the allowed values."""

import pytest

from workbench.data.phantoms import Config
from workbench.errors import UserError
from workbench.phantom import FINDINGS
from workbench.phantom.thorax.counterfactual import phantom
from workbench.phantom.thorax.prevalence import shifts_of

ALL = ", ".join(FINDINGS)
EDITS = [
    ({"finding": "pneumonia"}, "no finding 'pneumonia'; the findings are " + ALL),
    ({"finding": "effusion", "side": "up"}, "no side 'up'; the sides are right, left"),
    ({"finding": "oedema", "side": "left"}, "oedema has no side; leave it out"),
    (
        {"finding": "nodule", "zone": "lingula"},
        "no zone 'lingula' of nodule; consolidation, nodule, mass may be in the upper, middle, lower zone",
    ),
    ({"finding": "effusion", "zone": "lower"}, "no zone 'lower' of effusion"),
    ({"finding": "mass", "severity": 1.2}, "severity 1.2 of mass; expected a number from 0 (not there) to 1"),
    ({"finding": "mass", "severity": -0.1}, "severity -0.1 of mass"),
    ({"finding": "mass", "severity": float("nan")}, "severity nan of mass"),
    ({"finding": "mass", "severity": "high"}, "severity 'high' of mass"),
    ({"finding": "mass", "severity": True}, "severity True of mass"),
    ({"finding": "nodule", "severity": 0, "zone": "upper"}, "severity 0 takes nodule away, which contradicts zone 'upper'"),
    ({"side": "left"}, "side, severity and zone are of a finding; name one of " + ALL),
    ({"height": 3}, "no factor 'height'; the factors are age, sex"),
    ({"age": 130}, "age 130; expected 18 to 95"),
    ({"view": "oblique"}, "view 'oblique'; expected one of PA, AP, lateral"),
    ({"device_style": "3"}, "device style '3'; expected one of 0, 1, 2"),
    ({"inspiration": float("inf")}, "inspiration inf; expected 0 to 1"),
]
FIELDS = [
    ({"size": 14}, "size: Input should be greater than or equal to 16"),
    ({"size": 33}, "size: Input should be a multiple of 2"),
    ({"films": "three"}, "films: Input should be 'one', 'two' or 'study'"),
    ({"marker": "pneumonia"}, "marker: Input should be 'none', 'cardiomegaly'"),
    ({"scanner": "support device"}, "'central venous line' or 'pacemaker'"),
    ({"reports": "long"}, "reports: Input should be 'plain' or 'radiologists'"),
    ({"label_noise": 0.7}, "label_noise: Input should be less than or equal to 0.5"),
    ({"missing_reports": 1.5}, "missing_reports"),
    ({"long_tail": -1}, "long_tail"),
    ({"prevalence": {"pneumonia": 0.2}}, "no finding 'pneumonia'; the findings are " + ALL),
    ({"prevalence": {"mass": 0}}, "0.0 of mass; expected a share between 0 and 1, without the ends"),
    ({"prevalence": {"mass": 1}}, "1.0 of mass; expected a share"),
    ({"prevalence": {"mass": -0.2}}, "-0.2 of mass"),
    ({"prevalence": {"mass": float("nan")}}, "nan of mass"),
    ({"prevalence": {"mass": "rare"}}, "prevalence.mass"),
    ({"prevalence": {"mass": 0.1}, "long_tail": 1.0}, "long_tail and prevalence contradict each other"),
    ({"lateral": True}, "unknown key lateral; the keys here are films"),
]


def one_sentence(error):
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(("arguments", "told"), EDITS, ids=[told[:30] for _, told in EDITS])
def test_an_edit_that_cannot_be_is_refused(arguments, told):
    with pytest.raises(UserError) as error:
        phantom(3, 1).edit(**arguments)
    assert told in one_sentence(error)


@pytest.mark.parametrize(("values", "told"), FIELDS, ids=[told[:30] for _, told in FIELDS])
def test_a_data_set_that_cannot_be_is_refused(values, told):
    with pytest.raises(UserError) as error:
        Config.parse(values, "recipe")
    assert told in one_sentence(error) and one_sentence(error).startswith("recipe: ")


@pytest.mark.parametrize("size", [15, 33, 2048, 64.0, True])
def test_a_size_that_no_film_has_is_refused(size):
    with pytest.raises(UserError, match="expected an even number from 16 to 1024") as error:
        phantom(3, 1).film(size)
    one_sentence(error)


def test_the_table_of_prevalences_is_checked_wherever_it_is_used():
    for table in ({"pneumonia": 0.1}, {"mass": 1.0}, {"mass": True}):
        with pytest.raises(UserError, match="prevalence: "):
            shifts_of(table)
    assert shifts_of({}) == ()
