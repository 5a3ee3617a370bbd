"""Tubes, lines and pacemakers: metal and contrast, whose attenuation is added to what they lie in; patient axes, unscaled cm."""

import numpy as np

from workbench.phantom.thorax.crossings import Capsules, chain, joined, smooth
from workbench.phantom.thorax.latents import Finding

Part = tuple[Capsules, float]  # how much of the material DEVICE it holds
ICD = 0.55  # severity from which a pacemaker is a defibrillator, with a coil in the ventricle
TWO_LEADS = -0.3  # of the place's second number: from there on there is one in the atrium as well


def device(finding: Finding, shift: float) -> list[Part]:
    """The parts of a device; where they overlap, their densities add. `shift` is how far the mediastinum is drawn to the left, cm."""
    return {"endotracheal tube": airway, "feeding tube": feeding, "central venous line": line, "pacemaker": pacemaker}[finding.name](
        finding, shift
    )


def along(points: list[tuple[float, float, float]]) -> np.ndarray:
    """A smooth curve (n, 3) through points."""
    return smooth(np.array(points, float))


def gap(curve: np.ndarray, radius: float, first: int, last: int) -> Capsules:
    """A curve without its pieces from `first` up to `last`, counted from the end: the break that a side hole makes in a stripe."""
    return joined([chain(curve[:-last], radius), chain(curve[-first:], radius)])


def airway(finding: Finding, shift: float) -> list[Part]:
    """Plastic with a stripe that a side hole breaks near the tip."""
    a, b, c = finding.place
    curve = along([(0.2 * a, 26, 0.9), (0.1 + 0.2 * b, 13, 0.3), (0.2 + 0.7 * shift + 0.2 * c, 7.0 + 1.3 * a, -0.9)])
    stripe = curve + finding.size * np.array([0.7, 0, 0.6])
    return [(chain(curve, finding.size), 0.22), (gap(stripe, 0.13, 2, 3), 2.0)]


def feeding(finding: Finding, shift: float) -> list[Part]:
    """A tube into the stomach: one in two is thin with a weighted tip, the others have a stripe that a side hole breaks."""
    a, b, c = finding.place
    points = [(-0.3, 26, -0.2), (0.4 * a, 10, -2.0), (0.8, 0, -3.2), (1.2, -8, -3.0), (2.6, -13, -1.0), (6.0 + 1.5 * b, -16 + c, 1.5)]
    curve = along(points)
    if a > 0:
        return [(chain(curve, 0.5 * finding.size), 1.1), (chain(curve[-4:], 0.75 * finding.size), 1.6)]
    return [(chain(curve, 0.7 * finding.size), 0.32), (gap(curve + finding.size * np.array([0.4, 0, 0]), 0.09, 3, 4), 2.2)]


def line(finding: Finding, shift: float) -> list[Part]:
    """A catheter to the superior vena cava: by the jugular or subclavian vein or from the arm."""
    a, b, c = finding.place
    way = -1 if finding.side == "right" else 1
    tip = [(-1.9, 7.5 + 0.5 * b, 1.5), (-2.2, 2.0 + 1.5 * c, 1)]
    across = [(0.5, 9.2, 2.5)] if way > 0 else []
    if a < -0.2:
        before = [(way * 4.2, 22.0, 2.0), (way * 3.2, 12.0, 3.0)]
    elif a < 0.45:
        before = [(way * 11.0, 7.2 + b, 6.0), (way * 7.0, 10.4, 4.5), (way * 3.6, 10.3, 3.2)]
    else:
        before = [(way * 19.5, -6.0, -1.0), (way * 16.5, 5.0, 0.0), (way * 10.5, 9.3, 3.0), (way * 4.5, 10.6, 3.0)]
    curve, radius = along([*before, *across, *tip]), finding.size * (0.4 if a >= 0.45 else 0.5)
    parts = [(chain(curve, radius), 2.6)]
    if a < 0.45:  # the hub lies on the skin
        parts.append((chain(curve[:2] + np.array([0, 0, 1.0]), 0.35), 0.35))
    return parts


def pacemaker(finding: Finding, shift: float) -> list[Part]:
    """A can with its header, battery and circuit, one or two leads with their electrodes, and the coil of a defibrillator."""
    a, b, c = finding.place
    way = -1 if finding.side == "right" else 1
    middle, size = np.array([way * (8.8 + a), 6.2 + b, 9.4]), finding.size
    turn = np.deg2rad(way * (20 + 25 * c))
    right, up = np.array([np.cos(turn), np.sin(turn), 0.0]), np.array([-np.sin(turn), np.cos(turn), 0.0])

    def slab(low: float, high: float, half: float, radius: float) -> Capsules:
        """Bars side by side: a flat plate with round corners, from `low` to `high` of its height in sizes."""
        rows = max(round((high - low) * size / (0.6 * radius)), 3)
        place = np.linspace(-1, 1, rows)
        heights, widths = (low + high) / 2 + place * (high - low) / 2, half * np.sqrt(1 - 0.8 * np.abs(place) ** 3.5)
        axis, out = middle + size * heights[:, None] * up, size * widths[:, None] * right
        return Capsules(axis - out, axis + out, np.full(rows, radius))

    first = middle + size * (0.95 * up - way * 0.45 * right)
    vein = [(way * 7.0, 10.6, 6.0), (way * 3.4, 10.2, 3.4), (-1.5, 7.6, 2.2), (-2.2, 2.5, 1.4)]
    ventricle = along([tuple(first), *vein, (-1.6, -4.5, 2.6), (1.0, -8.6 + 0.5 * c, 4.2), (4.2 + a, -9.2 + c, 5.0)])
    wires, tips = [chain(ventricle, 0.085)], [chain(ventricle[[-1, -3]], 0.14)]
    if b > TWO_LEADS:
        second = first + size * np.array([way * 0.25, 0.1, -0.05])
        atrium = along([tuple(second), *((x + 0.25, y + 0.25, z) for x, y, z in vein), (-2.6, -2.2, 2.6), (-3.2, -0.2, 4.4)])
        wires, tips = [*wires, chain(atrium, 0.085)], [*tips, chain(atrium[[-1, -3]], 0.14)]
    can, header = slab(-1.0, 0.62, 0.85, 0.3), slab(0.66, 0.95, 0.55, 0.28)
    battery, circuit = slab(-0.85, -0.1, 0.62, 0.25), slab(0.12, 0.45, 0.5, 0.1)
    plugs = Capsules(first[None] - 0.1 * size * right, first[None] - 0.45 * size * up, np.array([0.16]))
    parts = [(can, 1.0), (header, 0.3), (battery, 1.2), (circuit, 1.5), (plugs, 1.6), (joined(wires), 1.8), (joined(tips), 2.5)]
    if finding.severity > ICD:
        parts.append((chain(ventricle[-12:-3], 0.19), 2.2))
    return parts
