"""Unions and differences of the convex solids that fill the film, ray by ray and without approximation; lengths as z."""

from functools import cache

import numpy as np

from workbench.phantom.solids import Interval, both


def merged(solids: list[Interval]) -> list[Interval]:
    """The union of solids as pieces that do not overlap, first to last along the ray; pieces may be empty.

    Beginnings and ends may be sorted apart: between the k-th end and the next beginning after it the ray has left as many solids as it entered.
    """
    solids = [present(each) for each in solids]
    enters, leaves = (in_order([getattr(each, name) for each in solids]) for name in Interval._fields)
    later = (Interval(np.maximum(enter, left), leave) for enter, left, leave in zip(enters[1:], leaves, leaves[1:]))
    return [Interval(enters[0], leaves[0]), *later]


def in_order(values: list[np.ndarray]) -> list[np.ndarray]:
    """Sorted ray by ray, by exchanges of whole films."""
    values = list(values)
    for one, other in exchanges(len(values)):
        values[one], values[other] = np.minimum(values[one], values[other]), np.maximum(values[one], values[other])
    return values


@cache
def exchanges(count: int) -> tuple[tuple[int, int], ...]:
    """Pairs of places that sort any `count` values when exchanged in order: K. Batcher's merge exchange, AFIPS 1968."""
    found, first = [], 1 << max(count - 1, 1).bit_length() - 1
    apart = first
    while apart:
        reach, rest, step = first, 0, apart
        while True:
            found += [(place, place + step) for place in range(count - step) if place & apart == rest]
            if reach == apart:
                break
            step, reach, rest = reach - apart, reach // 2, apart
        apart //= 2
    return tuple(found)


def present(solid: Interval) -> Interval:
    """The same where the ray meets the solid; where it misses, an empty interval far away, which sorts last."""
    missed, far = solid.leave <= solid.enter, solid.enter.dtype.type(999)
    return Interval(np.where(missed, far, solid.enter), np.where(missed, far, solid.leave))


def length(pieces: list[Interval]) -> np.ndarray:
    """Summed length of pieces."""
    total = pieces[0].length
    for piece in pieces[1:]:
        total = total + piece.length
    return total


def gaps(within: Interval, pieces: list[Interval]) -> list[Interval]:
    """What the pieces of `merged` leave of a convex solid, as pieces again."""
    free, reached = [], within.enter
    for piece in pieces:
        real = piece.leave > piece.enter
        free.append(Interval(reached, np.where(real, np.maximum(np.minimum(piece.enter, within.leave), reached), reached)))
        reached = np.where(real, np.maximum(reached, piece.leave), reached)
    return [*free, Interval(reached, np.maximum(within.leave, reached))]


def clip(pieces: list[Interval], within: Interval) -> list[Interval]:
    """The part of pieces that lies in a convex solid; empty pieces have length 0."""
    return [both(piece, within) for piece in pieces]


def spread(pieces: list[Interval], count: int, otherwise: np.ndarray) -> np.ndarray:
    """Places (count, h, w): midpoints of `count` equal shares of the pieces' summed length; `otherwise` where that is 0."""
    lengths = [piece.length for piece in pieces]
    total = sum(lengths[1:], lengths[0])
    wanted = (np.arange(count, dtype=total.dtype)[:, None, None] + total.dtype.type(0.5)) / count * total
    place = np.broadcast_to(otherwise, wanted.shape).copy()
    passed = np.zeros_like(total)
    for piece, own in zip(pieces, lengths):
        place = np.where((wanted >= passed) & (own > 0), piece.enter + wanted - passed, place)
        passed = passed + own
    return place
