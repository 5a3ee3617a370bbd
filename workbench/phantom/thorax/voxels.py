"""The same patient as a CT volume, its masks, and the volume projected back through the geometry of a film."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from workbench.dataset import Image
from workbench.errors import UserError
from workbench.phantom import MASKS, SIDES
from workbench.phantom.solids import Ellipsoid
from workbench.phantom.thorax.abdomen import room_for_gas
from workbench.phantom.thorax.anatomy import PLEURA, Body, body_of
from workbench.phantom.thorax.crossings import Capsules
from workbench.phantom.thorax.fields import density, field_of, weights
from workbench.phantom.thorax.film import beam_of, turned
from workbench.phantom.thorax.latents import Study
from workbench.phantom.thorax.materials import BONE, DEVICE, FAT, MARROW, SOFT, WATER, hounsfield
from workbench.phantom.thorax.mediastinum import HEART

MIDDLE = np.array([0.0, -4.0, 0.0])  # cm, patient axes: the middle of every volume


class Volume(NamedTuple):
    """A CT: slices from the feet up, rows from front to back, columns from the patient's right to the left."""

    hounsfield: np.ndarray  # (z, h, w) int16
    masks: np.ndarray  # (z, h, w) uint32, one bit for each of MASKS, then those of ORGANS
    spacing_mm: tuple[float, float, float]

    def as_image(self) -> Image:
        return Image(self.hounsfield, "zhw", self.spacing_mm)

    def mask(self, name: str) -> np.ndarray:
        """Where a finding, a lung or an organ is (z, h, w)."""
        return (self.masks >> np.uint32((*MASKS, *ORGANS).index(name)) & 1).astype(bool)


ORGANS = ("muscle", "fat", "mediastinum", "great vessels", "domes", "airways", "vessels", "bone", "gas")


class Grid(NamedTuple):
    """Places of voxels along the patient's axes, cm."""

    up: np.ndarray  # (z,)
    front: np.ndarray  # (h,) falling
    left: np.ndarray  # (w,)

    def box(self, low: np.ndarray, high: np.ndarray) -> tuple[slice, slice, slice]:
        """The voxels between two corners (x, y, z)."""
        zs, hs, ws = (
            np.searchsorted(self.up, (low[1], high[1])),
            np.searchsorted(-self.front, (-high[2], -low[2])),
            np.searchsorted(self.left, (low[0], high[0])),
        )
        return slice(*zs), slice(*hs), slice(*ws)

    def points(self, box: tuple[slice, slice, slice]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """x, y, z of the voxels of a box, ready to be broadcast."""
        return self.left[box[2]], self.up[box[0], None, None], self.front[box[1], None]


def grid_of(shape: tuple[int, int, int], spacing_mm: tuple[float, float, float]) -> Grid:
    """Voxels of this spacing round MIDDLE."""
    up, front, left = ((np.arange(count) - (count - 1) / 2) * step / 10 for count, step in zip(shape, spacing_mm))
    return Grid((up + MIDDLE[1]).astype(np.float32), (MIDDLE[2] - front).astype(np.float32), (left + MIDDLE[0]).astype(np.float32))


def paint_ellipsoid(grid: Grid, solid: Ellipsoid, where: np.ndarray) -> None:
    """Set the voxels inside an ellipsoid."""
    reach = np.sqrt(((solid.axes * solid.radii) ** 2).sum(1))
    box = grid.box(solid.centre - reach, solid.centre + reach)
    to_unit = (solid.axes / solid.radii).T
    x, y, z = (axis - middle for axis, middle in zip(grid.points(box), solid.centre))
    where[box] |= sum((row[0] * x + row[1] * y + row[2] * z) ** 2 for row in to_unit) <= 1


def paint_capsules(grid: Grid, solids: Capsules, where: np.ndarray) -> None:
    """Set the voxels inside any of the capsules."""
    for start, end, radius in zip(*solids):
        box = grid.box(np.minimum(start, end) - radius, np.maximum(start, end) + radius)
        if any(side.start >= side.stop for side in box):
            continue
        x, y, z = (axis - middle for axis, middle in zip(grid.points(box), start))
        way = end - start
        along = np.clip((x * way[0] + y * way[1] + z * way[2]) / max(float(way @ way), 1e-12), 0, 1)
        where[box] |= (x - along * way[0]) ** 2 + (y - along * way[1]) ** 2 + (z - along * way[2]) ** 2 <= radius**2


def volume(study: Study, shape: tuple[int, int, int] = (96, 80, 112), spacing_mm: tuple[float, float, float] = (4.0, 4.0, 4.0)) -> Volume:
    """The CT of a study without noise, with the masks of its organs and findings."""
    if min(shape) < 1 or min(spacing_mm) <= 0 or len(shape) != 3 or len(spacing_mm) != 3:
        raise UserError(f"thorax: a volume of shape {shape} and spacing {spacing_mm} mm; expected three positive numbers each")
    grid, body = grid_of(shape, spacing_mm), body_of(study)
    attenuation, masks = np.zeros(shape, np.float32), np.zeros(shape, np.uint32)
    names = (*MASKS, *ORGANS)

    def noted(name: str, where: np.ndarray) -> np.ndarray:
        masks[where] |= np.uint32(1 << names.index(name))
        return where

    def within(*solids: Ellipsoid | Capsules) -> np.ndarray:
        where = np.zeros(shape, bool)
        for solid in solids:
            if isinstance(solid, Ellipsoid):
                paint_ellipsoid(grid, solid, where)
            else:
                paint_capsules(grid, solid, where)
        return where

    muscle, skin = within(*body.muscle), within(*body.skin)
    attenuation[noted("fat", skin & ~muscle)] = FAT[0]
    attenuation[muscle] = SOFT[0]
    trunk = within(body.muscle[0]) & within(body.cage)
    organs = {name: within(solid) & muscle for name, solid in body.organs.items()}
    for name, parts in (
        ("heart", HEART),
        ("mediastinum", ("mediastinum",)),
        ("domes", ("right dome", "left dome")),
    ):
        noted(name, np.logical_or.reduce([organs[part] for part in parts]))
    shared_organs = np.logical_or.reduce([where for name, where in organs.items() if "dome" not in name])
    great = noted("great vessels", within(body.great) & muscle)
    lungs = np.zeros(shape, bool)
    for side in SIDES:
        room = trunk & within(body.lungs[side]) & ~shared_organs & ~organs[f"{side} dome"]
        lungs |= noted(f"{side} lung", room)
        attenuation[room] = SOFT[0] * lung_density(study, body, side, grid, room, within, noted, great)
    pipes = noted("airways", within(body.airways) & muscle)
    attenuation[pipes] = 0
    for side, pockets in body.gas.items():
        attenuation[noted("gas", within(*pockets) & within(room_for_gas(body.organs[f"{side} dome"], body.scale)) & muscle)] = 0
    bone = noted("bone", within(body.bones.tubes, *body.bones.plates) & muscle)
    attenuation[bone] = BONE[0]
    attenuation[within(body.bones.marrow, *body.bones.hollows) & muscle] = MARROW[0]
    noted("muscle", muscle & ~bone & ~pipes & ~lungs & ~np.logical_or.reduce(list(organs.values())))
    for pieces in body.bones.broken.values():
        noted("rib fracture", within(pieces))
    for each in body.devices:
        tube, boxes = within(each.tube), within(*each.boxes)
        attenuation += DEVICE[0] * (each.density * tube + each.box_density * boxes)
        noted(each.finding.name, tube | boxes)
    return Volume(np.round(np.clip(hounsfield(attenuation), -1000, 32767)).astype(np.int16), masks, spacing_mm)


def lung_density(
    study: Study,
    body: Body,
    side: str,
    grid: Grid,
    room: np.ndarray,
    within: Callable[..., np.ndarray],
    noted: Callable[[str, np.ndarray], np.ndarray],
    great: np.ndarray,
) -> np.ndarray:
    """Density (n,) of the voxels of one lung's room as a share of soft tissue; notes its findings."""
    field = field_of(study, body, side)
    zs, hs, ws = np.nonzero(room)
    points = np.stack([grid.left[ws], grid.up[zs], grid.front[hs]])
    found = weights(field, points)
    dense = np.broadcast_to(density(field, found), zs.shape).astype(np.float32)
    tissue = room
    if side in body.fallen:
        fallen = body.fallen[side]
        tissue = room & within(fallen)
        skin = room & within(fallen._replace(radii=fallen.radii + PLEURA * body.scale)) & ~tissue
        noted("pneumothorax", room & ~tissue & ~skin & ~great)
        dense = np.where(tissue[room], dense, np.where(skin[room], 1, found.get("effusion", 0)))
    marks = noted("vessels", within(body.vessels[side]) & tissue)
    for (name, where), solids in body.lesions.items():
        if where == side:
            marks = marks | noted(name, within(*solids) & tissue)
    for name, weight in found.items():
        here = np.zeros_like(room)
        here[room] = weight > (0.5 if name == "effusion" else 0.25)
        noted(name, here & (room if name == "effusion" else tissue))
    return np.where((marks | great)[room], 1, dense)


def projected(scan: Volume, study: Study, size: int, step: float = 0.05) -> np.ndarray:
    """Minus the log of what passes at the first energy (h, w): sums through the voxels along the rays of the study's film."""
    beam, to_patient = beam_of(study, size), turned(study).T
    grid = grid_of(scan.hounsfield.shape, scan.spacing_mm)  # type: ignore[arg-type]
    attenuation = WATER[0] * (scan.hounsfield.astype(np.float32) / 1000 + 1)
    total = np.zeros((size, size))
    first = np.array([grid.left[0], grid.up[0], grid.front[0]])[:, None, None]
    per = np.array([1, 1, -1])[:, None, None] * 10 / np.array(scan.spacing_mm)[[2, 0, 1], None, None]
    reach = float(np.abs(to_patient[:, 2]) @ np.array([30.0, 40.0, 30.0]))
    for z in np.arange(-reach, reach, step) + step / 2:
        opened = beam.alpha + beam.beta * z
        at = np.stack(np.broadcast_arrays(beam.x * opened, beam.y * opened, np.float32(z)))
        x, y, front = np.rint((np.tensordot(to_patient, at, 1) - first) * per).astype(int)
        inside = (x >= 0) & (x < len(grid.left)) & (y >= 0) & (y < len(grid.up)) & (front >= 0) & (front < len(grid.front))
        total[inside] += attenuation[y[inside], front[inside], x[inside]]
    return total * step * beam.slant
