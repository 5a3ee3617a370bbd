"""How far every ray runs in every material: exact for solids, sampled for the smooth changes of a lung."""

from typing import NamedTuple

import numpy as np

from workbench.phantom.solids import Ellipsoid, Interval, Rays, both
from workbench.phantom.thorax import SIDES
from workbench.phantom.thorax.abdomen import room_for_gas
from workbench.phantom.thorax.anatomy import PLEURA, Body
from workbench.phantom.thorax.crossings import Capsules, Crossings, crossed, joined, met, shared, shells, union
from workbench.phantom.thorax.fields import Field, density, field_of, rho, weights
from workbench.phantom.thorax.latents import Study
from workbench.phantom.thorax.mediastinum import HEART
from workbench.phantom.thorax.pieces import clip, gaps, length, merged, spread

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

    def capsules(self, solids: Capsules) -> Capsules:
        return Capsules(solids.starts @ self.turned.T, solids.ends @ self.turned.T, solids.radius)

    def intervals(self, solids: list[Ellipsoid]) -> list[Interval]:
        """As `interval` of every solid: the three coefficients of its equation are polynomials in x and y, so one product gives them all."""
        forms = polynomials(self.beam, [self.ellipsoid(solid) for solid in solids])
        x, y = self.beam.x[0], self.beam.y[:, 0]
        kind = x.dtype
        square, cross, rest = (
            y[:, None] ** np.arange(3, dtype=kind) @ forms.astype(kind) @ x ** np.arange(3, dtype=kind)[:, None]
        ).swapaxes(0, 1)
        root = np.sqrt(np.maximum(cross * cross - square * rest, 0))
        enter, leave = (-cross - root) / square, (root - cross) / square
        return [Interval(*each) for each in zip(enter, leave)]

    def window(self, solid: Ellipsoid) -> tuple[slice, slice]:
        """Rows and columns of the film that hold an ellipsoid's shadow, in whole steps of the coarse grid."""
        placed = self.ellipsoid(solid)
        reach = np.sqrt(((placed.axes * placed.radii) ** 2).sum(1))
        depths = placed.centre[2] + np.array([-1, 1]) * reach[2]
        shadows = [(placed.centre[:2] + sign * reach[:2]) / (self.beam.alpha + self.beam.beta * z) for sign in (-1, 1) for z in depths]
        low, high = np.min(shadows, 0), np.max(shadows, 0)
        ends = np.array(
            [[self.beam.y[0, 0] - high[1], self.beam.y[0, 0] - low[1]], [low[0] - self.beam.x[0, 0], high[0] - self.beam.x[0, 0]]]
        )
        blocks = ends / (self.beam.step * self.factor)
        slices = []
        for (first, last), size in zip(blocks, self.beam.slant.shape):
            start = int(np.clip(np.floor(first) - 1, 0, size // self.factor - 1))
            stop = int(np.clip(np.ceil(last) + 1, start + 1, size // self.factor))
            slices.append(slice(start * self.factor, stop * self.factor))
        return slices[0], slices[1]

    def cut(self, rows: slice, columns: slice) -> "Placed":
        """The same before a part of the detector."""
        beam = self.beam._replace(x=self.beam.x[:, columns], y=self.beam.y[rows], slant=self.beam.slant[rows, columns])
        return self._replace(beam=beam)

    def crossed(self, solids: Capsules) -> Crossings:
        return crossed(self.beam, self.capsules(solids))

    def balls(self, solids: list[Ellipsoid], within: Ellipsoid | None = None) -> list[Crossings]:
        """The rays that meet each of the solids, or the part of it that lies in another."""
        if within is None:
            return [met(each) for each in self.intervals(solids)] if solids else []
        room, *own = self.intervals([within, *solids])
        return [met(both(room, each)) for each in own]

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


def polynomials(beam: Rays, solids: list[Ellipsoid]) -> np.ndarray:
    """|d|^2, d.s and |s|^2 - 1 (n, 3, 3, 3) in the space where each ellipsoid is the unit ball: coefficients of y^i x^j of a ray s + z d."""
    axes, radii = np.stack([solid.axes for solid in solids]), np.stack([solid.radii for solid in solids])
    to_unit = (axes / radii[:, None]).swapaxes(1, 2)
    rows = np.concatenate([to_unit, to_unit @ np.stack([solid.centre for solid in solids])[:, :, None]], 2)
    (xx, xy, xz, xo), (_, yy, yz, yo), (_, _, zz, zo), (*_, oo) = (rows.swapaxes(1, 2) @ rows).transpose(1, 2, 0)
    a, b = beam.alpha, beam.beta
    found = np.zeros((len(solids), 3, 3, 3))
    linear = ((2 * b * xz, 2 * b * yz, zz), (a * xz - b * xo, a * yz - b * yo, -zo), (-2 * a * xo, -2 * a * yo, oo - 1))
    for form, scale, (x, y, constant) in zip(found.swapaxes(0, 1), (b * b, a * b, a * a), linear):
        form[:, 0, 2], form[:, 1, 1], form[:, 2, 0] = scale * xx, 2 * scale * xy, scale * yy
        form[:, 0, 1], form[:, 1, 0], form[:, 0, 0] = x, y, constant
    return found


def paths(study: Study, placed: Placed) -> Paths:
    """Everything in the beam's way."""
    body, beam = placed.body, placed.beam
    walls = placed.intervals([*body.muscle, *body.skin])
    muscle = merged(walls[: len(body.muscle)])
    flesh = length(muscle)
    fat = length(merged(walls[len(body.muscle) :])) - flesh
    heart = np.max([each.length for each in placed.intervals([body.organs[name] for name in HEART])], 0)
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
    tubes, cores = shells(beam, placed.capsules(body.bones.tubes), [body.bones.tubes.radius, body.bones.marrow.radius])
    flat = placed.balls([*body.bones.plates, *body.bones.hollows])
    hard, core = union([tubes, *flat[: len(body.bones.plates)]]), union([cores, *flat[len(body.bones.plates) :]])
    whole, marrow = hard.total(beam, shared(hard, muscle)), core.total(beam, shared(core, muscle))
    for side, pieces in body.bones.broken.items():
        inside["rib fracture", side] = placed.crossed(pieces).total(beam) > 0
    metal = np.zeros_like(soft)
    for each in body.devices:
        tube, boxes = union([placed.crossed(each.tube)]).total(beam), [found.total(beam) for found in placed.balls(each.boxes)]
        metal += each.density * tube + sum(each.box_density * box for box in boxes)
        inside[each.finding.name, each.finding.side] = tube + sum(boxes) > 0
    long = beam.slant
    return Paths((soft - whole) * long, fat * long, (whole - marrow) * long, marrow * long, metal * long, inside)


def lung(study: Study, placed: Placed, side: str) -> tuple[np.ndarray, dict[tuple[str, str], np.ndarray]]:
    """Soft tissue that one lung replaces, in cm of z (h, w), and where its findings are."""
    body, beam = placed.body, placed.beam
    field, inside = field_of(study, body, side), dict[tuple[str, str], np.ndarray]()
    organs = body.beside(side)
    own_lung, cage, trunk, *crossed_organs = placed.intervals([body.lungs[side], body.cage, body.muscle[0], *organs])
    cavity = both(own_lung, both(cage, trunk))
    room = gaps(cavity, merged(crossed_organs))
    space = length(room)
    inside[f"{side} lung", side] = space > 1.0
    tissue, pleural, within = room, np.zeros_like(space), cavity
    if side in body.fallen:
        fallen = body.fallen[side]
        shrunk, skin = placed.intervals([fallen, fallen._replace(radii=fallen.radii + PLEURA * body.scale)])
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
    kept = np.flatnonzero(overlap)
    marks, overlap = Crossings(*(part[kept] for part in marks)), overlap[kept]
    air = 1 - rho(field, placed.middles(marks)) if field.findings else 1 - field.base
    return gone - marks.total(beam, overlap * air), inside


def contents(placed: Placed, field: Field, within: Interval, pieces: list[Interval]) -> tuple[np.ndarray | float, dict[str, np.ndarray]]:
    """Mean density along every ray's part inside the pieces, and the mean weight of every smooth finding (h, w).

    Both are smooth, also across the lung's rim, so they are sampled on a coarser grid of rays and interpolated.
    """
    if not field.findings:
        return field.base, {}
    height, width = placed.beam.slant.shape
    factor = placed.factor
    rows, columns = (slice(factor // 2, None, factor),) * 2
    coarse = [Interval(each.enter[rows, columns], each.leave[rows, columns]) for each in pieces]
    middle = (within.enter + within.leave)[rows, columns] / 2
    z = spread(coarse, SAMPLES, middle)
    points = placed.points(placed.beam.x[:, columns], placed.beam.y[rows], z)
    found = weights(field, points)
    up, across = finer(height, factor, points.dtype), finer(width, factor, points.dtype)
    filled, *means = (
        up @ each.reshape(SAMPLES, *middle.shape).mean(0) @ across.T for each in (density(field, found) + 0 * points[0], *found.values())
    )
    return filled, dict(zip(found, means))


def finer(size: int, factor: int, kind: np.dtype) -> np.ndarray:
    """Linear interpolation from every `factor`-th sample to all (size, coarse)."""
    coarse = len(range(factor // 2, size, factor))
    place = np.clip((np.arange(size) - factor // 2) / factor, 0, coarse - 1)
    return np.maximum(1 - np.abs(place[:, None] - np.arange(coarse)), 0).astype(kind)
