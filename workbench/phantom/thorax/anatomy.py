"""The patient as solids in patient axes (x to the patient's left, y up, z to the front), in cm; the same whatever the view.

Which solid wins where several are, last to first: fat, muscle, lung (only inside the cage), organs, vessels and lesions (only inside lung),
airways, bones with their marrow (only inside muscle). Fluid and air of the pleura take the place of lung; devices are added to what is there.
"""

from typing import Any, NamedTuple

import numpy as np

from workbench.phantom.solids import Ellipsoid, turn
from workbench.phantom.thorax import DEVICES, SIDES
from workbench.phantom.thorax.crossings import Capsules, joined
from workbench.phantom.thorax.devices import device
from workbench.phantom.thorax.latents import Finding, Study
from workbench.phantom.thorax.skeleton import Skeleton, skeleton
from workbench.phantom.thorax.tree import airways, grains, vessels

WAY = {"right": -1, "left": 1}
PLEURA = 0.1  # cm, the fallen lung's skin


class Device(NamedTuple):
    """One device: its tube and boxes, and how much of the material DEVICE they hold."""

    finding: Finding
    tube: Capsules
    boxes: list[Ellipsoid]
    density: float
    box_density: float


class Body(NamedTuple):
    """Every solid of one patient."""

    scale: float
    skin: list[Ellipsoid]  # fat to its outside
    muscle: list[Ellipsoid]
    cage: Ellipsoid
    lungs: dict[str, Ellipsoid]
    fallen: dict[str, Ellipsoid]  # the lung within a pneumothorax
    organs: dict[str, Ellipsoid]
    airways: Capsules
    vessels: dict[str, Capsules]
    bones: Skeleton
    lesions: dict[tuple[str, str], list[Ellipsoid]]
    devices: list[Device]


def body_of(study: Study) -> Body:
    """Solids from the latents: lengths of an average adult, then scaled. Arms are raised, out of the beam, for a lateral view."""
    own, shift = study.patient, mediastinal_shift(study)
    wide, height, narrow = np.exp(own.shape[0] * 0.5), np.exp(own.shape[1] * 0.7), np.exp(own.shape[2] * 0.5)
    fat = 0.5 + 2.0 * own.build
    skin, muscle = envelope(study, fat)
    cage = Ellipsoid(np.array([0, -8.0, 0.2]), np.array([13.9 * wide, 22.0, 8.9]), np.eye(3))
    lungs = {
        side: Ellipsoid(
            np.array([way * 7.3 * wide + 0.3 * shift, -6.0, 0.2]),
            np.array([(6.5 if way < 0 else 6.4) * wide, 18.6 * height, 9.0]),
            turn(0, 3.0 * way),
        )
        for side, way in WAY.items()
    }
    fallen = {side: collapsed(lungs[side], WAY[side], gone.size) for side in SIDES if (gone := study.of("pneumothorax", side)) is not None}
    trees = {side: joined([vessels(study, WAY[side]), grains(study, lungs[side], WAY[side])]) for side in SIDES}
    for side, lung in fallen.items():
        trees[side] = moved(trees[side], lungs[side], lung)
    aside = np.array([shift, 0.0, 0.0])
    for side in SIDES:
        trees[side] = Capsules(trees[side].starts + aside, trees[side].ends + aside, trees[side].radius)
    lesions: dict[tuple[str, str], list[Ellipsoid]] = {
        (each.name, each.side): lesion(each, lungs, fallen) for each in study.findings if each.name in ("nodule", "mass")
    }
    devices = []
    for each in study.findings:
        if each.name in DEVICES:
            devices += [Device(each, tube, [], density, 0.0) for tube, density in device(each, shift)]
    scale = float(np.exp(own.size))
    body = Body(
        scale,
        skin,
        muscle,
        cage,
        lungs,
        fallen,
        organs(study, narrow, shift),
        airways(shift),
        trees,
        skeleton(study, cage),
        lesions,
        devices,
    )
    return scaled(body, scale)


def mediastinal_shift(study: Study) -> float:
    """How far the mediastinum is drawn to the patient's left by lost volume, cm."""
    return sum(0.35 * WAY[each.side] * each.size for each in study.findings if each.name == "atelectasis")


def dome_top(study: Study, side: str) -> float:
    """Height of a dome, cm, unscaled: it follows the breath and rises where volume is lost."""
    lost = study.of("atelectasis", side)
    return -8.0 - 4.2 * study.inspiration + 12 * study.patient.shape[3] - (1.2 if side == "left" else 0) + (lost.size if lost else 0)


def organs(study: Study, narrow: float, shift: float) -> dict[str, Ellipsoid]:
    """What wins over lung, all of it soft tissue."""
    own = study.patient
    grown = sum(finding.size for finding in study.findings if finding.name == "cardiomegaly")
    heart = np.exp(own.heart + grown - 0.05 * (study.inspiration - 0.6))
    old = (own.age - 57) / 18
    sunk = 1.5 * (0.6 - study.inspiration)
    found = {
        "heart": Ellipsoid(
            np.array([2.3 + shift, -6.0 + sunk, 2.8]), np.array([6.7, 4.6, 4.5]) * heart, turn(-18.0, -30 - 12 * study.inspiration)
        ),
        "mediastinum": Ellipsoid(np.array([0.2 + 0.7 * shift, 5.5, 0.2]), np.array([2.7 + 0.25 * old, 13.5, 4.8]), np.eye(3)),
        "aortic arch": Ellipsoid(np.array([1.9 + 0.7 * shift, 5.4, -1.2]), np.array([1.7 + 0.2 * old, 1.7 + 0.2 * old, 3.2]), turn(25.0)),
        "descending aorta": Ellipsoid(np.array([1.5 + 0.3 * shift, -7.0, -4.4]), np.array([1.3 + 0.15 * old, 17.0, 1.3]), np.eye(3)),
        "paraspinal": Ellipsoid(np.array([0, -5, -8.4]), np.array([2.7, 60, 3.6]), np.eye(3)),
    }
    for side, way in WAY.items():
        found[f"{side} dome"] = Ellipsoid(
            np.array([way * 7.0, dome_top(study, side) - 14.5, 0.2]), np.array([9.4 * narrow, 14.5, 12.0]), np.eye(3)
        )
    return found


def envelope(study: Study, fat: float) -> tuple[list[Ellipsoid], list[Ellipsoid]]:
    """Outer surfaces, and the muscle inside them; a breast has a gland inside."""
    own = study.patient
    shapes: list[tuple[tuple[float, float, float], tuple[float, float, float], float, float]] = [
        ((0, -15, 0), (16.2, 36, 11.0), 0.0, 1.0),
        ((0, 19, -1.4), (5.2, 15, 5.2), 0.0, 0.4),
        ((0, 8.5, -2.0), (13.0 if study.view == "lateral" else 18.2, 5.6, 5.6), 0.0, 0.4),
    ]
    if study.view != "lateral":
        shapes += [((way * 18.0, 2.5, -2.0), (4.8, 12.0, 5.0), 16.0 * way, 0.5) for way in (-1, 1)]
    muscle = [Ellipsoid(np.array(place, float), np.array(radii, float), turn(0, roll)) for place, radii, roll, _ in shapes]
    skin = [one._replace(radii=one.radii + fat * share) for one, (*_, share) in zip(muscle, shapes)]
    if own.sex == "F":
        bulk = np.clip(0.7 + 0.9 * own.build + 4 * own.shape[4], 0.4, 2.2)
        for way in (-1, 1):
            place = np.array([way * 8.6, -9.0 - 2.2 * own.build, 8.2 + fat * 0.8])
            skin.append(Ellipsoid(place, np.array([6.6, 6.4, 2.4 + 2.4 * bulk]), turn(way * 14.0)))
            muscle.append(Ellipsoid(place - (0, 0.6, 0), np.array([5.0, 4.6, 1.8 + 1.9 * bulk]), turn(way * 14.0)))
    return skin, muscle


def collapsed(whole: Ellipsoid, way: int, share: float) -> Ellipsoid:
    """The lung fallen towards its hilum: smaller, lower and nearer to the middle."""
    shrink = np.array([1 - 0.75 * share, 1 - 0.5 * share, 1 - 0.45 * share])
    inward = whole.axes @ (whole.radii * np.array([-way * 0.65 * share, -0.35 * share, -0.15 * share]))
    return Ellipsoid(whole.centre + inward, whole.radii * shrink, whole.axes)


def moved(tree: Capsules, whole: Ellipsoid, fallen: Ellipsoid) -> Capsules:
    """Markings that go with the lung."""
    change = whole.axes @ np.diag(fallen.radii / whole.radii) @ whole.axes.T
    starts, ends = (fallen.centre + (points - whole.centre) @ change.T for points in (tree.starts, tree.ends))
    return Capsules(starts, ends, tree.radius)


def place_in(lung: Ellipsoid, way: int, place: tuple[float, float, float]) -> np.ndarray:
    """Patient axes of a place relative to a lung: (out, up, front)."""
    return lung.centre + lung.axes @ (lung.radii * np.array([way * place[0], place[1], place[2]]))


def lesion(finding: Finding, lungs: dict[str, Ellipsoid], fallen: dict[str, Ellipsoid]) -> list[Ellipsoid]:
    """A nodule is a ball, a mass a body with two lobes."""
    lung = fallen.get(finding.side, lungs[finding.side])
    middle, size = place_in(lung, WAY[finding.side], finding.place), finding.size
    if finding.name == "nodule":
        return [Ellipsoid(middle, np.full(3, size), np.eye(3))]
    a, b, c = finding.place
    return [
        Ellipsoid(middle, size * np.array([1.0, 0.85, 0.9]), turn(0, 90 * a)),
        Ellipsoid(middle + size * np.array([0.5 * c, 0.55, 0.3]), np.full(3, 0.62 * size), np.eye(3)),
        Ellipsoid(middle + size * np.array([0.6, -0.45, 0.5 * b]), np.full(3, 0.58 * size), np.eye(3)),
    ]


def scaled(thing: Any, scale: float) -> Any:
    """Every length of solids, however deep they lie in tuples, lists and dicts, times `scale`."""
    if isinstance(thing, Ellipsoid):
        return Ellipsoid(thing.centre * scale, thing.radii * scale, thing.axes)
    if isinstance(thing, Capsules):
        return Capsules(thing.starts * scale, thing.ends * scale, thing.radius * scale)
    if isinstance(thing, Device):
        return thing._replace(tube=scaled(thing.tube, scale), boxes=scaled(thing.boxes, scale))
    if isinstance(thing, Body | Skeleton):
        return thing._replace(**{name: scaled(value, scale) for name, value in thing._asdict().items() if name != "scale"})
    if isinstance(thing, dict):
        return {name: scaled(value, scale) for name, value in thing.items()}
    return [scaled(value, scale) for value in thing]
