"""Tubes, lines and pacemakers: metal and contrast, whose attenuation is added to what they lie in; patient axes, unscaled cm."""

import numpy as np

from workbench.phantom.scene import smooth
from workbench.phantom.solids import Ellipsoid
from workbench.phantom.thorax.crossings import Capsules, chain
from workbench.phantom.thorax.latents import Finding

DENSITY = {"endotracheal tube": 0.30, "feeding tube": 0.55, "central venous line": 1.0, "pacemaker": 1.6}  # of the material DEVICE
BOX_DENSITY = 2.0


def device(finding: Finding, shift: float) -> tuple[Capsules, list[Ellipsoid]]:
    """The tube, and the box of a pacemaker."""
    a, b, c = finding.place
    way = -1 if finding.side == "right" else 1
    if finding.name == "endotracheal tube":
        points = [(0.2 * a, 26, 0.9), (0.1 + 0.2 * b, 13, 0.3), (0.2 + 0.7 * shift + 0.2 * c, 7.0 + 1.3 * a, -0.9)]
    elif finding.name == "feeding tube":
        points = [(-0.3, 26, -0.2), (0.4 * a, 10, -2.0), (0.8, 0, -3.2), (1.2, -8, -3.0), (2.6, -13, -1.0), (6.0 + 1.5 * b, -16 + c, 1.5)]
    elif finding.name == "central venous line":
        points = [(way * 4.2, 22, 2), (way * (3.2 + 0.3 * a), 12.0, 3), (-1.9, 7.5 + b, 1.5), (-2.2, 2.0 + 1.5 * c, 1)]
    else:
        points = [
            (way * (8.5 + a), 6.5 + b, 9.2),
            (way * 6.5, 10.2, 6.5),
            (-1.2, 8.2, 2.5),
            (-2.0, 1.0, 1.5),
            (-0.5, -5.5, 3.5),
            (3.5 + a, -8.5 + c, 4.5),
        ]
    tube = chain(smooth(np.array(points, float)), 0.11 if finding.name == "pacemaker" else finding.size)
    if finding.name != "pacemaker":
        return tube, []
    return tube, [Ellipsoid(np.array([way * (8.6 + a), 6.2 + b, 9.4]), np.array([finding.size, finding.size * 1.1, 0.45]), np.eye(3))]
