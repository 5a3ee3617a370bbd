"""How far every ray runs in every material: exact for solids, sampled for the smooth changes of a lung."""

from typing import NamedTuple

import numpy as np

from workbench.phantom.solids import Ellipsoid, Interval, Rays, both, interval
from workbench.phantom.thorax import SIDES
from workbench.phantom.thorax.anatomy import PLEURA, Body
from workbench.phantom.thorax.crossings import Capsules, Crossings, clipped, crossed, crossed_ellipsoid, shared, union
from workbench.phantom.thorax.fields import Field, density, field_of, rho, weights
from workbench.phantom.thorax.latents import Study
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

    def ellipsoid(self, solid: Ellipsoid) -> Ellipsoid:
        return Ellipsoid(self.turned @ solid.centre, solid.radii, self.turned @ solid.axes)

    def capsules(self, solids: Capsules) -> Capsules:
        return Capsules(solids.starts @ self.turned.T, solids.ends @ self.turned.T, solids.radius)

    def interval(self, solid: Ellipsoid) -> Interval:
        return interval(self.beam, self.ellipsoid(solid))

    def crossed(self, solids: Capsules) -> Crossings:
        return crossed(self.beam, self.capsules(solids))

    def balls(self, solids: list[Ellipsoid]) -> list[Crossings]:
        return [crossed_ellipsoid(self.beam, self.ellipsoid(solid)) for solid in solids]

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
    muscle = merged([placed.interval(solid) for solid in body.muscle])
    flesh = length(muscle)
    fat = length(merged([placed.interval(solid) for solid in body.skin])) - flesh
    organs = {name: placed.interval(solid) for name, solid in body.organs.items()}
    room_of_cage = both(placed.interval(body.cage), placed.interval(body.muscle[0]))
    inside: dict[tuple[str, str], np.ndarray] = {("heart", ""): organs["heart"].length > 0.5}
    pipes = union([placed.crossed(body.airways)])
    soft = flesh - pipes.total(beam, shared(pipes, muscle))
    for side in SIDES:
        soft -= lung(study, placed, side, both(placed.interval(body.lungs[side]), room_of_cage), organs, pipes, inside)
    hard = union([placed.crossed(body.bones.tubes), *placed.balls(body.bones.plates)])
    core = union([placed.crossed(body.bones.marrow)])
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


def lung(
    study: Study,
    placed: Placed,
    side: str,
    cavity: Interval,
    organs: dict[str, Interval],
    pipes: Crossings,
    inside: dict[tuple[str, str], np.ndarray],
) -> np.ndarray:
    """Soft tissue that one lung replaces, in cm of z (h, w); notes where its findings are."""
    body, beam = placed.body, placed.beam
    field = field_of(study, body, side)
    solid = merged([organs[name] for name in ("heart", "mediastinum", "aortic arch", "descending aorta", "paraspinal", f"{side} dome")])
    room = gaps(cavity, solid)
    space = length(room)
    inside[f"{side} lung", side] = space > 1.0
    tissue, pleural, skin = room, np.zeros_like(space), np.zeros_like(space)
    if side in body.fallen:
        fallen = body.fallen[side]
        tissue = clip(room, placed.interval(fallen))
        skin = length(clip(room, placed.interval(fallen._replace(radii=fallen.radii + PLEURA * body.scale))))
        skin -= length(tissue)
        pleural = space - length(tissue) - skin
        inside["pneumothorax", side] = pleural > np.maximum(0.5 * length(tissue), 0.6)
    own = length(tissue)
    within = cavity if side not in body.fallen else both(cavity, placed.interval(body.fallen[side]))
    filled, taken = contents(placed, field, within, tissue)
    gone = own * (1 - filled)
    for name, share in taken.items():
        inside[name, "" if name == "oedema" else side] = inside.get((name, ""), False) | (share * own > SEEN[name])
    if side in body.fallen:
        only_fluid = {name: each for name, each in field.findings.items() if name == "effusion"}
        beside, fluid = contents(placed, field._replace(base=0.0, findings=only_fluid), cavity, room)
        gone = gone + pleural * (1 - beside)
        loose = shared(pipes, room) - shared(pipes, tissue)
        gone = gone - pipes.total(beam, loose)  # already air for the airways' sake
        if fluid:
            inside["effusion", side] = fluid["effusion"] * space > SEEN["effusion"]
    mine = {name: union(placed.balls(solids)) for (name, where), solids in body.lesions.items() if where == side}
    for name, found in mine.items():
        inside[name, side] = found.total(beam, shared(found, tissue)) > 0
    marks = union([placed.crossed(body.vessels[side]), pipes, *mine.values()])
    overlap = shared(marks, tissue)
    kept = np.flatnonzero(overlap)
    marks, overlap = Crossings(*(part[kept] for part in marks)), overlap[kept]
    air = 1 - rho(field, placed.middles(marks)) if field.findings else 1 - field.base
    return gone - marks.total(beam, overlap * air)


def contents(placed: Placed, field: Field, within: Interval, pieces: list[Interval]) -> tuple[np.ndarray | float, dict[str, np.ndarray]]:
    """Mean density along every ray's part inside the pieces, and the mean weight of every smooth finding (h, w).

    Both are smooth, also across the lung's rim, so they are sampled on a coarser grid of rays and interpolated.
    """
    if not field.findings:
        return field.base, {}
    height, width = placed.beam.slant.shape
    factor = max(height // GRID, 1)
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
