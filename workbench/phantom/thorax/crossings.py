"""Where rays are inside many small solids: lists of (ray, enter, leave), made disjoint and measured; lengths as z."""

from typing import NamedTuple

import numpy as np

from workbench.phantom.solids import Interval, Rays, both

THINNEST = 0.6  # samples: the least radius with which a capsule is drawn
UNTURNED = np.eye(3)


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

    ray: np.ndarray  # (n,) int32
    enter: np.ndarray  # (n,) z
    leave: np.ndarray  # (n,)

    @property
    def length(self) -> np.ndarray:
        return self.leave - self.enter

    def clipped(self, within: Interval) -> "Crossings":
        """The part of every entry that lies in an interval of its own (n,); empty where leave < enter."""
        return Crossings(self.ray, *both(Interval(self.enter, self.leave), within))

    def total(self, beam: Rays, weight: np.ndarray | None = None) -> np.ndarray:
        """Length in z of every ray (h, w), each entry times its weight."""
        from workbench.phantom.thorax.kernels import added

        totals = np.zeros(beam.slant.size)
        added(self.ray, self.length if weight is None else weight, totals)
        return totals.reshape(beam.slant.shape).astype(beam.x.dtype)


def joined(parts: list[Capsules]) -> Capsules:
    """Several lists as one."""
    return Capsules(*map(np.concatenate, zip(*parts)))


def chain(points: np.ndarray, radius: float | np.ndarray) -> Capsules:
    """A bent tube (n points) as n - 1 capsules."""
    return Capsules(points[:-1], points[1:], np.full(len(points) - 1, radius, float))


def smooth(points: np.ndarray, pieces: int = 6) -> np.ndarray:
    """A Catmull-Rom curve through points (n, d)."""
    ends = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    t = np.linspace(0, 1, pieces, endpoint=False)[:, None]
    curve = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(ends, ends[1:], ends[2:], ends[3:])
    ]
    return np.concatenate([*curve, points[-1:]])


def crossed(beam: Rays, solids: Capsules, turned: np.ndarray = UNTURNED) -> Crossings:
    """Chords of capsules in closed form, once they are turned to the beam's axes (3, 3).

    A tube thinner than a sample is widened and its chords shortened, so that it keeps its volume.
    """
    from workbench.phantom.thorax.kernels import boxed, capsules

    x, y = along(beam)
    rows, boxes = np.empty((len(solids.radius), 9)), np.empty((len(solids.radius), 4), np.int64)
    room = boxed(*map(plain, (*solids, turned)), THINNEST * beam.step, x, y, beam.alpha, beam.beta, rows, boxes)
    found = Crossings(np.empty(room, np.int32), *np.empty((2, room), x.dtype))
    count = capsules(rows, boxes, x, y, beam.alpha, beam.beta, *found)
    return Crossings(*(part[:count] for part in found))


def plain(array: np.ndarray) -> np.ndarray:
    """As the kernels take what is not of the film: double precision, in one block."""
    return np.ascontiguousarray(array, float)


def along(beam: Rays) -> tuple[np.ndarray, np.ndarray]:
    """Places of the rays on the detector, across (w,) and up (h,)."""
    return np.ascontiguousarray(beam.x[0]), np.ascontiguousarray(beam.y[:, 0])


def union(parts: list[Crossings]) -> Crossings:
    """The same set without overlaps, sorted by ray and depth: what two solids share belongs to the first that the ray meets."""
    from workbench.phantom.thorax.kernels import disjoint

    ray, enter, leave = parts[0] if len(parts) == 1 else map(np.concatenate, zip(*parts))
    if not len(ray):
        return Crossings(ray, enter, leave)
    first = int(ray.min())
    found = Crossings(np.empty_like(ray), np.empty_like(enter), np.empty_like(leave))
    heads, follows = np.zeros(int(ray.max()) - first + 1, np.int32), np.empty(len(ray), np.int32)
    count = disjoint(ray, enter, leave, first, heads, follows, *found)
    return Crossings(*(part[:count] for part in found))


def shared(found: Crossings, pieces: Interval) -> np.ndarray:
    """Length of every entry inside pieces (k, h, w) that lie apart, first to last along the ray."""
    from workbench.phantom.thorax.kernels import overlaps

    lengths = np.empty_like(found.enter)
    overlaps(*found, *flattened(pieces), lengths)
    return lengths


def flattened(pieces: Interval) -> tuple[np.ndarray, np.ndarray]:
    """Beginnings and ends with one axis of rays (k, rays), as the kernels take them."""
    count, height, width = pieces.enter.shape
    enter, leave = (np.ascontiguousarray(each.reshape(count, height * width)) for each in pieces)
    return enter, leave
