"""Where rays are inside many small solids: lists of (ray, enter, leave), made disjoint and measured; lengths as z."""

from typing import NamedTuple

import numpy as np

from workbench.phantom.solids import Interval, Rays


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


def crossed(beam: Rays, solids: Capsules) -> Crossings:
    """Chords of capsules in closed form. A tube thinner than a sample is widened and its chords shortened, so that it keeps its volume."""
    from workbench.phantom.thorax.kernels import capsules

    parts = (np.ascontiguousarray(part, float) for part in solids)
    return Crossings(*capsules(*parts, *along(beam), beam.alpha, beam.beta, beam.step))


def along(beam: Rays) -> tuple[np.ndarray, np.ndarray]:
    """Places of the rays on the detector, across (w,) and up (h,)."""
    return np.ascontiguousarray(beam.x[0]), np.ascontiguousarray(beam.y[:, 0])


def met(found: Interval) -> Crossings:
    """The rays that meet one solid."""
    ray = np.flatnonzero(found.leave > found.enter)
    return Crossings(ray.astype(np.int32), found.enter.ravel()[ray], found.leave.ravel()[ray])


def union(parts: list[Crossings]) -> Crossings:
    """The same set without overlaps, sorted by ray and depth: what two solids share belongs to the first that the ray meets."""
    from workbench.phantom.thorax.kernels import disjoint

    ray, enter, leave = (np.concatenate([getattr(part, name) for part in parts]) for name in Crossings._fields)
    return Crossings(*disjoint(ray, enter, leave, int(ray.max(initial=-1)) + 1))


def shared(found: Crossings, pieces: Interval) -> np.ndarray:
    """Length of every entry inside the pieces (k, h, w) of `pieces.merged`: apart from each other, first to last along the ray."""
    from workbench.phantom.thorax.kernels import overlaps

    enter, leave = (np.ascontiguousarray(each.reshape(len(each), -1)) for each in pieces)
    return overlaps(*found, enter, leave)
