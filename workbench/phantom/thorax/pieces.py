"""Unions and differences of the convex solids that fill the film, ray by ray and without approximation; lengths as z.

Solids and pieces are one Interval whose arrays have a first axis: (k, h, w).
"""

import numpy as np

from workbench.phantom.solids import Interval, both


def chosen(solids: Interval, which: int | slice) -> Interval:
    """One of the solids (h, w), or a run of them (k, h, w)."""
    return Interval(solids.enter[which], solids.leave[which])


def merged(solids: Interval) -> Interval:
    """The union of solids as pieces that do not overlap, first to last along the ray; pieces may be empty."""
    from workbench.phantom.thorax.kernels import merge

    enter, leave = (np.array(each, order="C") for each in solids)
    merge(enter, leave)
    return Interval(enter, leave)


def length(pieces: Interval) -> np.ndarray:
    """Summed length of pieces (h, w)."""
    return pieces.length.sum(0)


def gaps(within: Interval, pieces: Interval) -> Interval:
    """What the pieces of `merged` leave of a convex solid (h, w), as k + 1 pieces."""
    from workbench.phantom.thorax.kernels import leave_free

    count, height, width = pieces.enter.shape
    enter, leave = np.empty((2, count + 1, height, width), pieces.enter.dtype)
    leave_free(*map(np.ascontiguousarray, (*within, *pieces)), enter, leave)
    return Interval(enter, leave)


def clip(pieces: Interval, within: Interval) -> Interval:
    """The part of pieces that lies in a convex solid; empty pieces have length 0."""
    return both(pieces, within)


def spread(pieces: Interval, count: int, otherwise: np.ndarray) -> np.ndarray:
    """Places (count, h, w): midpoints of `count` equal shares of the pieces' summed length; `otherwise` where that is 0."""
    lengths = pieces.length
    total = lengths.sum(0)
    wanted = (np.arange(count, dtype=total.dtype)[:, None, None] + total.dtype.type(0.5)) / count * total
    place = np.broadcast_to(otherwise, wanted.shape).copy()
    passed = np.zeros_like(total)
    for enter, own in zip(pieces.enter, lengths):
        if own.any():
            place = np.where((wanted >= passed) & (own > 0), enter + wanted - passed, place)
            passed = passed + own
    return place
