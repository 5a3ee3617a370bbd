"""The patient as solids in patient axes (x to the patient's left, y up, z to the front), in cm; the same whatever the view.

Which solid wins where several are, last to first: fat, muscle, lung (only inside the cage), organs, vessels and lesions (only inside lung),
airways and gas (only below its dome), bones with their marrow (only inside muscle). Fluid and air of the pleura take the place of lung; devices are added to what is there.
"""

from typing import Any, NamedTuple

import numpy as np

from workbench.phantom import DEVICES, SIDES
from workbench.phantom.solids import Ellipsoid, turn
from workbench.phantom.thorax.abdomen import dome_of, gas
from workbench.phantom.thorax.crossings import Capsules, joined
from workbench.phantom.thorax.devices import device
from workbench.phantom.thorax.latents import Finding, Study
from workbench.phantom.thorax.mediastinum import chambers, great_vessels
from workbench.phantom.thorax.outline import envelope
from workbench.phantom.thorax.shape import WAY, cage, lung, partitions, shape_of
from workbench.phantom.thorax.skeleton import Skeleton, skeleton
from workbench.phantom.thorax.tree import airways, grains, vessels

CORE = 0.8  # of a nodule's radius that is calcified
PLEURA = 0.1  # cm, the fallen lung's skin
# Places of findings are relative to the part of a lung above its dome: out, up and front of its middle, and its size, in the lung's half axes.
ABOVE, SHARE = np.array([0.02, 0.14, 0.0]), np.array([0.91, 0.89, 1.0])


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
    great: Capsules  # vessels of the mediastinum and the hila
    gas: dict[str, list[Ellipsoid]]
    vessels: dict[str, Capsules]
    bones: Skeleton
    lesions: dict[tuple[str, str], list[Ellipsoid]]
    devices: list[Device]

    def beside(self, side: str) -> list[Ellipsoid]:
        """The organs that take room from one lung."""
        return [solid for name, solid in self.organs.items() if not name.endswith("dome") or name.startswith(side)]


def body_of(study: Study) -> Body:
    """Solids from the latents: lengths of an average adult, then scaled. Arms are raised, out of the beam, for a lateral view."""
    own, shift = study.patient, mediastinal_shift(study)
    chest = shape_of(own)
    skin, muscle = envelope(study, 0.4 + 1.7 * own.build)
    bound = cage(chest)
    lungs = {side: lung(chest, side, shift) for side in SIDES}
    fallen = {side: collapsed(lungs[side], WAY[side], gone.size) for side in SIDES if (gone := study.of("pneumothorax", side)) is not None}
    trees = {side: joined([vessels(study.seed, study.patient_index, WAY[side]), grains(study, lungs[side], WAY[side])]) for side in SIDES}
    for side, small in fallen.items():
        trees[side] = moved(trees[side], lungs[side], small)
    aside = np.array([shift, 0.0, 0.0])
    for side in SIDES:
        trees[side] = Capsules(trees[side].starts + aside, trees[side].ends + aside, trees[side].radius)
    lesions: dict[tuple[str, str], list[Ellipsoid]] = {
        (each.name, each.side): lesion(each, lungs, fallen, chest.half(each.side).top)
        for each in study.findings
        if each.name in ("nodule", "mass")
    }
    devices = []
    for each in study.findings:
        if each.name in DEVICES:
            devices += [Device(each, tube, [], density, 0.0) for tube, density in device(each, shift)]
    scale = float(np.exp(own.size))
    bones = skeleton(study, bound)
    cores = [each._replace(radii=CORE * each.radii) for (name, _), solids in lesions.items() if name == "nodule" for each in solids]
    body = Body(
        scale,
        skin,
        muscle,
        bound,
        lungs,
        fallen,
        chambers(study, shift) | partitions(chest, own.age, shift) | {f"{side} dome": dome_of(study, side) for side in SIDES},
        airways(shift),
        great_vessels(study, shift),
        gas(study),
        trees,
        bones._replace(plates=bones.plates + cores),
        lesions,
        devices,
    )
    return scaled(body, scale)


def mediastinal_shift(study: Study) -> float:
    """How far the mediastinum is drawn to the patient's left by lost volume, cm."""
    return sum(0.35 * WAY[each.side] * each.size for each in study.findings if each.name == "atelectasis")


def collapsed(whole: Ellipsoid, way: int, share: float) -> Ellipsoid:
    """The lung fallen towards its hilum: smaller, lower and nearer to the middle."""
    shrink = np.array([1 - 0.75 * share, 1 - 0.5 * share, 1 - 0.45 * share])
    inward = whole.axes @ (whole.radii * np.array([-way * 0.65 * share, -0.25 * share, -0.15 * share]))
    return Ellipsoid(whole.centre + inward, whole.radii * shrink, whole.axes)


def moved(tree: Capsules, whole: Ellipsoid, fallen: Ellipsoid) -> Capsules:
    """Markings that go with the lung."""
    change = whole.axes @ np.diag(fallen.radii / whole.radii) @ whole.axes.T
    starts, ends = (fallen.centre + (points - whole.centre) @ change.T for points in (tree.starts, tree.ends))
    return Capsules(starts, ends, tree.radius)


def place_in(lung: Ellipsoid, way: int, place: tuple[float, float, float], rise: float) -> np.ndarray:
    """Patient axes of a place relative to a lung above its dome: (out, up, front); a dome that is higher by `rise` lifts it, the lower the more."""
    lifted = np.array([0, rise * (0.78 - 0.81 * place[1]), 0])
    return lung.centre + lung.axes @ (lung.radii * (ABOVE + SHARE * place) * (way, 1, 1)) + lifted


def lesion(finding: Finding, lungs: dict[str, Ellipsoid], fallen: dict[str, Ellipsoid], rise: float) -> list[Ellipsoid]:
    """A nodule is a ball with a calcified core, as a granuloma has it; a mass a body with two lobes."""
    lung = fallen.get(finding.side, lungs[finding.side])
    middle, size = place_in(lung, WAY[finding.side], finding.place, rise), finding.size
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
    if isinstance(thing, dict):
        return {name: scaled(value, scale) for name, value in thing.items()}
    if isinstance(thing, Device):
        return thing._replace(tube=scaled(thing.tube, scale), boxes=scaled(thing.boxes, scale))
    if isinstance(thing, (Body, Skeleton)):
        return thing._replace(**{name: scaled(value, scale) for name, value in thing._asdict().items() if name != "scale"})
    if isinstance(thing, int):
        return thing
    return [scaled(value, scale) for value in thing]
