"""What lies between the lungs: the heart's chambers, the great vessels and the arteries of the hila; patient axes, unscaled cm."""

import numpy as np

from workbench.phantom.solids import Ellipsoid, turn
from workbench.phantom.thorax.crossings import Capsules, chain, joined
from workbench.phantom.thorax.latents import Study
from workbench.phantom.thorax.shape import AORTA, shape_of

HEART = ("heart", "right atrium", "outflow")  # the first are the ventricles
ANCHOR = np.array([0.3, -3.2, -0.5])  # where the vessels hold the heart: it grows away from there
RISE = 0.65  # of what the domes lie higher in a patient, the heart does
HILA = {  # the arteries from the trunk to where the tree of a lung begins, and their radii
    "right": ((-0.6, 0.9, 0.2), (-3.3, 0.5, -0.9), (-4.5, -1.2, -1.3), (-5.0, -3.6, -1.8)),
    "left": ((1.6, 1.3, 0.6), (3.4, 1.9, -1.0), (4.5, 0.7, -1.8), (4.9, -1.9, -2.3)),
}
HILUM_RADII = (1.05, 0.9, 0.7)
AZYGOS = chain(np.array([[-0.9, 4.2, -4.6], [-2.0, 5.2, -2.6], [-2.2, 5.0, -0.6]]), 0.6)  # arches over the right main bronchus


def chambers(study: Study, shift: float) -> dict[str, Ellipsoid]:
    """Ventricles with the apex, the right atrium and the outflow below the pulmonary trunk; they grow with the heart, and sink and rise with the domes."""
    own, deep = study.patient, study.inspiration
    grown = sum(finding.size for finding in study.findings if finding.name == "cardiomegaly")
    scale = np.exp(own.heart + grown - 0.05 * (deep - 0.6))
    chest = shape_of(own)
    aside = np.array([shift, 3.6 * (0.6 - deep) + RISE * (chest.right.top + chest.left.top) / 2, 0.0])
    shapes = {
        "heart": ((3.0, -7.3, 2.2), (6.4, 4.4, 5.3), turn(-18.0, -32 - 12 * deep)),
        "right atrium": ((-0.5, -6.3, 1.1), (3.1, 5.2, 3.9), turn(0.0, 6.0)),
        "outflow": ((2.2, -2.2, 2.0), (2.5, 5.4, 3.0), turn(0.0, 12.0)),
    }
    return {
        name: Ellipsoid(ANCHOR + (np.array(place) - ANCHOR) * scale + aside, np.array(radii) * scale, axes)
        for name, (place, radii, axes) in shapes.items()
    }


def great_vessels(study: Study, shift: float) -> Capsules:
    """Aorta (wider, longer and higher with age), upper vena cava, arteries of the neck and of the hila, and the left atrium that lies behind them: soft tissue wherever lung would be."""
    old = float(np.clip((study.patient.age - 57) / 18, -1.8, 2.0))
    lean, wide = 0.48 * study.patient.shape[AORTA], 1.25 + 0.16 * old
    knob = np.array([2.2 + 0.3 * old + 0.3 * lean, 5.0 + 0.5 * old + lean, -2.9])
    aorta = np.array(
        [
            [-0.2, -2.0, 1.2],
            [-1.5 - 0.25 * old, 2.2, 1.4],
            [-0.4, knob[1] + 0.5, 0.2],
            knob,
            [knob[0] + 0.15 * old, 1.5, -4.8],
            [1.6 + 0.25 * old, -7.0, -5.4],
            [0.9, -20.0, -5.8],
        ]
    )
    cava = np.array([[-5.4, 12.6, 1.6], [-2.7, 10.6, 1.0], [-2.2, 7.0, 0.3], [-2.3, 3.0, 0.1], [-2.1, -3.0, 0.0]])
    neck = np.array([knob, [2.4, 9.0, -2.2], [3.4, 12.0, -1.8], [6.4, 13.2, 0.0]])
    fixed = joined([chain(aorta, wide), chain(cava, np.array([0.6, 0.8, 0.9, 0.95])), chain(neck, np.array([0.85, 0.75, 0.6])), AZYGOS])
    low = -3.4 + 3.0 * (0.6 - study.inspiration)
    auricle = chain(np.array([[-1.3, low, -2.2], [2.3, low + 0.2, -2.4]]), 2.2)
    hila = joined([auricle, *(chain(np.array(points), np.array(HILUM_RADII)) for points in HILA.values())])
    with_heart, half = np.array([shift, 0.0, 0.0]), np.array([0.6 * shift, 0.0, 0.0])
    return joined(
        [
            Capsules(fixed.starts + half, fixed.ends + half, fixed.radius),
            Capsules(hila.starts + with_heart, hila.ends + with_heart, hila.radius),
        ]
    )
