"""How far every ray runs in every material: exact for solids, sampled for the smooth changes of a lung."""

import itertools
import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from workbench.phantom import SIDES
from workbench.phantom.solids import Ellipsoid, Interval, Rays, both
from workbench.phantom.thorax.abdomen import room_for_gas
from workbench.phantom.thorax.anatomy import PLEURA, Body
from workbench.phantom.thorax.crossings import Capsules, Crossings, along, crossed, joined, shared, union
from workbench.phantom.thorax.fields import Field, density, field_of, rho, weights
from workbench.phantom.thorax.latents import Study
from workbench.phantom.thorax.mediastinum import HEART
from workbench.phantom.thorax.pieces import clip, common, each_of, gaps, length, spread

SAMPLES = 14  # along a ray inside a lung
SEEN = {"effusion": 0.8, "consolidation": 1.0, "atelectasis": 1.0, "oedema": 0.6}  # cm of a ray that make a mask
GRID = 64  # rays across the film on which smooth changes are sampled


class Paths(NamedTuple):
    """Lengths in cm (h, w), and where every structure is."""

    soft: np.ndarray
    fat: np.ndarray
    bone: np.ndarray
    marrow: np.ndarray
    device: np.ndarray
    inside: dict[tuple[str, str], np.ndarray]  # (mask name, side) -> bool (h, w)


class Placed(NamedTuple):
    """A patient before a detector: the rotation takes patient axes to the detector's."""

    body: Body
    turned: np.ndarray  # (3, 3)
    beam: Rays
    factor: int  # rays of the film for each of the coarse grid, both ways

    def ellipsoid(self, solid: Ellipsoid) -> Ellipsoid:
        return Ellipsoid(self.turned @ solid.centre, solid.radii, self.turned @ solid.axes)

    def intervals(self, solids: list[Ellipsoid]) -> Interval:
        """As `interval` of every solid (k, h, w)."""
        from workbench.phantom.thorax.kernels import ellipsoids

        enter, leave = np.empty((2, len(solids), *self.beam.slant.shape), self.beam.x.dtype)
        ellipsoids(*self.stacked(solids), *along(self.beam), self.beam.alpha, self.beam.beta, np.empty((4, 3)), enter, leave)
        return Interval(enter, leave)

    def united(self, solids: list[Ellipsoid]) -> Interval:
        """The union as pieces (k, h, w) that lie apart, first to last along the ray; what a ray has less than the richest is empty."""
        from workbench.phantom.thorax.kernels import united

        shape = self.beam.slant.shape
        enter, leave = np.empty((2, len(solids), *shape), self.beam.x.dtype)
        counts = np.zeros(shape, np.int32)
        most = united(*self.stacked(solids), *along(self.beam), self.beam.alpha, self.beam.beta, np.empty((4, 3)), counts, enter, leave)
        return Interval(enter[:most], leave[:most])

    def stacked(self, solids: list[Ellipsoid]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Centres (n, 3), radii (n, 3) and axes (n, 3, 3) in the detector's axes."""
        centres, radii, axes = (np.array(each, float) for each in zip(*solids))
        return centres @ self.turned.T, radii, self.turned @ axes

    def window(self, solid: Ellipsoid) -> tuple[slice, slice]:
        """Rows and columns of the film that hold an ellipsoid's shadow, in whole steps of the coarse grid."""
        placed = self.ellipsoid(solid)
        reach = np.sqrt(((placed.axes * placed.radii) ** 2).sum(1)).tolist()
        middle, beam = placed.centre.tolist(), self.beam
        opened = [beam.alpha + beam.beta * (middle[2] + sign * reach[2]) for sign in (-1, 1)]
        across, up = ([(middle[axis] + sign * reach[axis]) / each for sign in (-1, 1) for each in opened] for axis in (0, 1))
        left, top, block = float(beam.x[0, 0]), float(beam.y[0, 0]), beam.step * self.factor
        ends = (top - max(up), top - min(up)), (min(across) - left, max(across) - left)
        slices = []
        for (first, last), size in zip(ends, beam.slant.shape):
            count = size // self.factor
            start = min(max(math.floor(first / block) - 1, 0), count - 1)
            stop = min(max(math.ceil(last / block) + 1, start + 1), count)
            slices.append(slice(start * self.factor, stop * self.factor))
        return slices[0], slices[1]

    def cut(self, rows: slice, columns: slice) -> "Placed":
        """The same before a part of the detector."""
        beam = self.beam._replace(x=self.beam.x[:, columns], y=self.beam.y[rows], slant=self.beam.slant[rows, columns])
        return self._replace(beam=beam)

    def crossed(self, solids: Capsules) -> Crossings:
        return crossed(self.beam, solids, self.turned)

    def balls(self, solids: list[Ellipsoid], within: Ellipsoid | None = None) -> list[Crossings]:
        """The rays that meet each of the solids, or the part of it that lies in another."""
        from workbench.phantom.thorax.kernels import meetings

        if not solids:
            return []
        x, y = along(self.beam)
        room, ends = len(solids) * self.beam.slant.size, np.zeros(len(solids), np.int64)
        found = Crossings(np.empty(room, np.int32), *np.empty((2, room), x.dtype))
        meetings(*self.stacked(solids), x, y, self.beam.alpha, self.beam.beta, np.empty((4, 3)), *found, ends)
        parts = [Crossings(*(part[start:stop] for part in found)) for start, stop in itertools.pairwise([0, *ends.tolist()])]
        if within is None:
            return parts
        outer = Interval(*(each.ravel() for each in self.intervals([within])))
        return [each.clipped(Interval(outer.enter[each.ray], outer.leave[each.ray])) for each in parts]

    def points(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Patient axes (3, n) of places z on the rays that meet the detector at x, y."""
        opened = self.beam.alpha + self.beam.beta * z
        kind = self.beam.x.dtype
        return self.turned.T.astype(kind) @ np.stack(np.broadcast_arrays(x * opened, y * opened, z)).reshape(3, -1).astype(kind)

    def middles(self, found: Crossings) -> np.ndarray:
        """Patient axes (3, n) of the middle of every entry."""
        row = found.ray // self.beam.slant.shape[1]
        return self.points(
            self.beam.x[0][found.ray - row * self.beam.slant.shape[1]], self.beam.y[:, 0][row], (found.enter + found.leave) / 2
        )


def paths(study: Study, placed: Placed) -> Paths:
    """Everything in the beam's way."""
    body, beam = placed.body, placed.beam
    muscle = placed.united(body.muscle)
    flesh = length(muscle)
    fat = length(placed.united(body.skin)) - flesh
    heart = length(placed.united([body.organs[name] for name in HEART]))
    inside: dict[tuple[str, str], np.ndarray] = {("heart", ""): heart > 0.5}
    pipes = union([placed.crossed(body.airways)])
    soft = flesh - pipes.total(beam, shared(pipes, muscle))
    for side, pockets in body.gas.items():
        if pockets:
            soft -= union(placed.balls(pockets, room_for_gas(body.organs[f"{side} dome"], body.scale))).total(beam)
    for side in SIDES:
        rows, columns = placed.window(body.lungs[side])
        gone, found = lung(study, placed.cut(rows, columns), side)
        soft[rows, columns] -= gone
        for key, where in found.items():
            inside.setdefault(key, np.zeros(soft.shape, bool))[rows, columns] |= where
    flat = placed.balls([*body.bones.plates, *body.bones.hollows])
    hard = union([placed.crossed(body.bones.tubes), *flat[: len(body.bones.plates)]])
    core = union([placed.crossed(body.bones.marrow), *flat[len(body.bones.plates) :]])
    whole, marrow = hard.total(beam, shared(hard, muscle)), core.total(beam, shared(core, muscle))
    for side, pieces in body.bones.broken.items():
        inside["rib fracture", side] = placed.crossed(pieces).total(beam) > 0
    metal = np.zeros_like(soft)
    for each in body.devices:
        tube, boxes = union([placed.crossed(each.tube)]).total(beam), [found.total(beam) for found in placed.balls(each.boxes)]
        metal += each.density * tube + sum(each.box_density * box for box in boxes)
        key = each.finding.name, each.finding.side  # a device has several parts
        inside[key] = inside.get(key, False) | (tube + sum(boxes) > 0)
    long = beam.slant
    return Paths((soft - whole) * long, fat * long, (whole - marrow) * long, marrow * long, metal * long, inside)


def lung(study: Study, placed: Placed, side: str) -> tuple[np.ndarray, dict[tuple[str, str], np.ndarray]]:
    """Soft tissue that one lung replaces, in cm of z (h, w), and where its findings are."""
    body, beam = placed.body, placed.beam
    field, inside = field_of(study, body, side), dict[tuple[str, str], np.ndarray]()
    cavity = common(placed.intervals([body.lungs[side], body.cage, body.muscle[0]]))
    room = gaps(cavity, placed.united(body.beside(side)))
    space = length(room)
    inside[f"{side} lung", side] = space > 1.0
    tissue, pleural, within = room, np.zeros_like(space), cavity
    if side in body.fallen:
        fallen = body.fallen[side]
        shrunk, skin = each_of(placed.intervals([fallen, fallen._replace(radii=fallen.radii + PLEURA * body.scale)]))
        tissue, within = clip(room, shrunk), both(cavity, shrunk)
        touching = clip(room, skin)
        pleural = space - length(touching)
        inside["pneumothorax", side] = pleural > np.maximum(0.5 * length(tissue), 0.6)
    own = length(tissue)
    filled, taken = contents(placed, field, within, tissue)
    gone = own * (1 - filled)
    for name, share in taken.items():
        inside[name, "" if name == "oedema" else side] = share * own > SEEN[name]
    if side in body.fallen:
        only_fluid = {name: each for name, each in field.findings.items() if name == "effusion"}
        beside, fluid = contents(placed, field._replace(base=0.0, findings=only_fluid), cavity, room)
        gone = gone + pleural * (1 - beside)
        fixed = union([placed.crossed(joined([body.airways, body.great]))])
        loose = shared(fixed, room) - shared(fixed, touching)
        gone = gone - fixed.total(beam, loose) * (1 - beside)  # already air for the airways' sake, or no air at all
        if fluid:
            inside["effusion", side] = fluid["effusion"] * space > SEEN["effusion"]
    mine = {name: union(placed.balls(solids)) for (name, where), solids in body.lesions.items() if where == side}
    for name, found in mine.items():
        inside[name, side] = found.total(beam, shared(found, tissue)) > 0
    marks = union([placed.crossed(joined([body.vessels[side], body.airways, body.great])), *mine.values()])
    overlap = shared(marks, tissue)
    air: np.ndarray | float = 1 - field.base
    if field.findings:
        kept = np.flatnonzero(overlap)
        marks, overlap = Crossings(*(part[kept] for part in marks)), overlap[kept]
        air = 1 - rho(field, placed.middles(marks))
    return gone - marks.total(beam, overlap * air), inside


def contents(placed: Placed, field: Field, within: Interval, pieces: Interval) -> tuple[np.ndarray | float, dict[str, np.ndarray]]:
    """Mean density along every ray's part inside the pieces, and the mean weight of every smooth finding (h, w).

    Both are smooth, also across the lung's rim, so they are sampled on a coarser grid of rays and interpolated.
    """
    if not field.findings:
        return field.base, {}
    height, width = placed.beam.slant.shape
    factor = placed.factor
    rows, columns = (slice(factor // 2, None, factor),) * 2
    coarse = Interval(pieces.enter[:, rows, columns], pieces.leave[:, rows, columns])
    middle = (within.enter + within.leave)[rows, columns] / 2
    x, y = np.broadcast_arrays(placed.beam.x[:, columns], placed.beam.y[rows])
    full = length(coarse) > 0  # elsewhere all samples lie in the middle
    z = spread(Interval(coarse.enter[:, full], coarse.leave[:, full]), SAMPLES, middle[full])
    at_x, at_y = (np.concatenate([np.tile(each[full], SAMPLES), each[~full]]) for each in (x, y))
    points = placed.points(at_x, at_y, np.concatenate([z.ravel(), middle[~full]]))
    found = weights(field, points)
    up, across = finer(height, factor, points.dtype), finer(width, factor, points.dtype)
    filled, *means = np.zeros((1 + len(found), *middle.shape), points.dtype)
    for mean, each in zip((filled, *means), (density(field, found) + 0 * points[0], *found.values())):
        mean[full], mean[~full] = each[: z.size].reshape(z.shape).mean(0), each[z.size :]
    return up @ filled @ across.T, {name: up @ mean @ across.T for name, mean in zip(found, means)}


@lru_cache(maxsize=64)
def finer(size: int, factor: int, kind: np.dtype) -> np.ndarray:
    """Linear interpolation from every `factor`-th sample to all (size, coarse)."""
    coarse = len(range(factor // 2, size, factor))
    place = np.clip((np.arange(size) - factor // 2) / factor, 0, coarse - 1)
    return np.maximum(1 - np.abs(place[:, None] - np.arange(coarse)), 0).astype(kind)
