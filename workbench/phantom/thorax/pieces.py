"""Unions and differences of the convex solids that fill the film, ray by ray and without approximation; lengths as z.

Solids and pieces are one Interval whose arrays have a first axis: (k, h, w).
"""

import numpy as np

from workbench.phantom.solids import Interval, both
from workbench.phantom.thorax.crossings import flattened


def each_of(solids: Interval) -> list[Interval]:
    """The solids one by one (h, w)."""
    return [Interval(enter, leave) for enter, leave in zip(*solids)]


def common(solids: Interval) -> Interval:
    """Where rays are in all of the solids (h, w)."""
    return Interval(solids.enter.max(0), solids.leave.min(0))


def length(pieces: Interval) -> np.ndarray:
    """Summed length of pieces (h, w)."""
    from workbench.phantom.thorax.kernels import summed

    totals = np.zeros(pieces.enter.shape[1:])
    summed(*flattened(pieces), totals.reshape(-1))
    return totals.astype(pieces.enter.dtype)


def gaps(within: Interval, pieces: Interval) -> Interval:
    """What the pieces of a union leave of a convex solid (h, w), as k + 1 pieces."""
    from workbench.phantom.thorax.kernels import leave_free

    count, height, width = pieces.enter.shape
    enter, leave = np.empty((2, count + 1, height * width), pieces.enter.dtype)
    leave_free(within.enter.ravel(), within.leave.ravel(), *flattened(pieces), enter, leave)
    return Interval(*(each.reshape(count + 1, height, width) for each in (enter, leave)))


def clip(pieces: Interval, within: Interval) -> Interval:
    """The part of pieces that lies in a convex solid; empty pieces have length 0."""
    return both(pieces, within)


def spread(pieces: Interval, count: int, otherwise: np.ndarray) -> np.ndarray:
    """Places (count, n): midpoints of `count` equal shares of the summed length of pieces (k, n); `otherwise` (n,) where that is 0."""
    lengths = pieces.length
    total = lengths.sum(0)
    wanted = (np.arange(count, dtype=total.dtype)[:, None] + total.dtype.type(0.5)) / count * total
    place = np.broadcast_to(otherwise, wanted.shape).copy()
    passed = np.zeros_like(total)
    for enter, own in zip(pieces.enter, lengths):
        if own.any():
            place = np.where((wanted >= passed) & (own > 0), enter + wanted - passed, place)
            passed = passed + own
    return place
