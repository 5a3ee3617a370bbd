"""Where rays are inside many small solids: lists of (ray, enter, leave), made disjoint, measured and clipped; lengths as z."""

from typing import NamedTuple

import numpy as np

from workbench.phantom.solids import Interval, Rays

APART = 4096.0  # more than any z: intervals of different rays cannot meet on one axis


class Capsules(NamedTuple):
    """Round tubes with round ends."""

    starts: np.ndarray  # (n, 3) cm
    ends: np.ndarray  # (n, 3)
    radius: np.ndarray  # (n,)

    def thinner(self, share: float | np.ndarray) -> "Capsules":
        """The same axes with another radius."""
        return self._replace(radius=self.radius * share)


class Crossings(NamedTuple):
    """One entry for each ray and solid that meet; rays are numbered row by row."""

    ray: np.ndarray  # (n,) int
    enter: np.ndarray  # (n,) z
    leave: np.ndarray  # (n,)

    @property
    def length(self) -> np.ndarray:
        return self.leave - self.enter

    def total(self, beam: Rays, weight: np.ndarray | None = None) -> np.ndarray:
        """Length in z of every ray (h, w), each entry times its weight."""
        height, width = beam.slant.shape
        amount = self.length if weight is None else weight
        return np.bincount(self.ray, amount, height * width).reshape(height, width).astype(beam.x.dtype)


def joined(parts: list[Capsules]) -> Capsules:
    """Several lists as one."""
    return Capsules(*(np.concatenate([getattr(part, name) for part in parts]) for name in Capsules._fields))


def chain(points: np.ndarray, radius: float | np.ndarray) -> Capsules:
    """A bent tube (n points) as n - 1 capsules."""
    return Capsules(points[:-1], points[1:], np.broadcast_to(np.asarray(radius, float), (len(points) - 1,)).copy())


def boxed(beam: Rays, solids: Capsules) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number of the capsule, row and column for every ray in the box round every capsule's shadow."""
    height, width = beam.slant.shape
    ends = np.stack([solids.starts, solids.ends])
    grown = 1 / (beam.alpha + beam.beta * ends[:, :, 2])
    reach = (solids.radius * grown * 1.02)[:, :, None] + 1e-6
    places = ends[:, :, :2] * grown[:, :, None]
    low, high = (places - reach).min(0), (places + reach).max(0)
    left = np.clip(np.ceil((low[:, 0] - beam.x[0, 0]) / beam.step), 0, width).astype(np.intp)
    right = np.clip(np.floor((high[:, 0] - beam.x[0, 0]) / beam.step) + 1, left, width).astype(np.intp)
    top = np.clip(np.ceil((beam.y[0, 0] - high[:, 1]) / beam.step), 0, height).astype(np.intp)
    foot = np.clip(np.floor((beam.y[0, 0] - low[:, 1]) / beam.step) + 1, top, height).astype(np.intp)
    wide, count = right - left, (right - left) * (foot - top)
    which = np.repeat(np.arange(len(count), dtype=np.intp), count)
    place = np.arange(len(which), dtype=np.intp) - np.repeat(np.cumsum(count, dtype=np.intp) - count, count)
    row = place // wide[which]
    return which, top[which] + row, left[which] + place - row * wide[which]


def crossed(beam: Rays, solids: Capsules) -> Crossings:
    """Chords of capsules in closed form. A tube thinner than a sample is widened and its chords shortened, so that it keeps its volume."""
    return shells(beam, solids, [solids.radius])[0]


def shells(beam: Rays, solids: Capsules, radii: list[np.ndarray]) -> list[Crossings]:
    """As `crossed`, for capsules with the axes of `solids` and each of the radii, the widest first."""
    kind, width = beam.x.dtype, beam.slant.shape[1]
    wide = [np.maximum(radius, 0.6 * beam.step) for radius in radii]
    which, row, column = boxed(beam, solids._replace(radius=wide[0]))
    axis = solids.ends - solids.starts
    length = np.sqrt((axis**2).sum(1))
    unit = axis / np.maximum(length, 1e-9)[:, None]
    near = (solids.starts[:, 2] + solids.ends[:, 2]) / 2  # rays start here: single precision is then enough
    of = np.stack([beam.alpha + beam.beta * near, *solids.starts[:, :2].T, near - solids.starts[:, 2], *unit.T]).astype(kind)
    scale, ax, ay, mz, ux, uy, uz = of[:, which]
    x, y = beam.x[0][column], beam.y[:, 0][row]
    dx, dy, mx, my = kind.type(beam.beta) * x, kind.type(beam.beta) * y, scale * x - ax, scale * y - ay
    ud, um = ux * dx + uy * dy + uz, ux * mx + uy * my + uz * mz
    dd, md, mm = dx * dx + dy * dy + 1, mx * dx + my * dy + mz, mx * mx + my * my + mz * mz
    a, b, off = np.maximum(dd - ud * ud, kind.type(1e-6)), md - ud * um, mm - um * um
    found, ray, reach, middle = [], row * width + column, length.astype(kind), near.astype(kind)
    for radius, widened in zip(radii, wide):
        square = (widened**2).astype(kind)[which]
        inside = b * b - a * (off - square)
        hit = np.flatnonzero(inside > 0)
        parts = (each[hit] for each in (which, ray, a, b, ud, um, dd, md, inside))
        which, ray, a, b, ud, um, dd, md, inside = parts
        mm, off = mm[hit], off[hit]
        thin = ((radius / widened) ** 2).astype(kind)[which]
        enter, leave, good = surface(a, b, ud, um, dd, md, mm - square[hit], np.sqrt(inside), reach[which])
        centre, half = (enter + leave) / 2 + middle[which], (leave - enter) / 2 * thin
        good &= half > 0
        found.append(Crossings(ray[good], (centre - half)[good], (centre + half)[good]))
    return found


def surface(
    a: np.ndarray,
    b: np.ndarray,
    ud: np.ndarray,
    um: np.ndarray,
    dd: np.ndarray,
    md: np.ndarray,
    mm: np.ndarray,
    root: np.ndarray,
    reach: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where rays m + t d that meet the endless tube enter and leave the capsule, and whether they meet the capsule at all."""
    ends, good = [], np.ones(len(a), bool)
    for sign in (-1, 1):
        t = (sign * root - b) / a
        along = um + t * ud
        beyond = np.flatnonzero((along < 0) | (along > reach))  # there the surface is the ball round that end of the axis
        cap = np.where(along[beyond] > 0, reach[beyond], 0)
        md_cap = md[beyond] - cap * ud[beyond]
        under = md_cap * md_cap - dd[beyond] * (mm[beyond] - 2 * cap * um[beyond] + cap * cap)
        good[beyond[under <= 0]] = False
        t[beyond] = (sign * np.sqrt(np.maximum(under, 0)) - md_cap) / dd[beyond]
        ends.append(t)
    return ends[0], ends[1], good


def met(found: Interval) -> Crossings:
    """The rays that meet one solid."""
    ray = np.flatnonzero(found.leave > found.enter)
    return Crossings(ray, found.enter.ravel()[ray], found.leave.ravel()[ray])


def union(parts: list[Crossings]) -> Crossings:
    """The same set without overlaps: what two solids share belongs to the first that the ray meets."""
    ray, enter, leave = (np.concatenate([getattr(part, name) for part in parts]) for name in Crossings._fields)
    offset = ray * APART
    first = offset + enter
    order = np.argsort(first)
    ray, offset, first = ray[order], offset[order], first[order]
    last = np.maximum.accumulate(offset + leave[order])
    start = first.copy()
    start[1:] = np.maximum(first[1:], last[:-1])
    kept = last > start
    kind = enter.dtype
    return Crossings(ray[kept], (start - offset)[kept].astype(kind), (last - offset)[kept].astype(kind))


def clipped(found: Crossings, within: Interval) -> Crossings:
    """The part inside a convex solid."""
    enter = np.maximum(found.enter, within.enter.ravel()[found.ray])
    leave = np.minimum(found.leave, within.leave.ravel()[found.ray])
    kept = leave > enter
    return Crossings(found.ray[kept], enter[kept], leave[kept])


def shared(found: Crossings, pieces: list[Interval]) -> np.ndarray:
    """Length of every entry inside the pieces, which must not overlap each other."""
    length = np.zeros_like(found.enter)
    for piece in pieces:
        enter, leave = piece.enter.ravel()[found.ray], piece.leave.ravel()[found.ray]
        length += np.maximum(np.minimum(found.leave, leave) - np.maximum(found.enter, enter), 0)
    return length
