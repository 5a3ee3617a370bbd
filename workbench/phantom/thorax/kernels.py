"""The loops of the film that are compiled: once per installation, then read from numba's cache beside this file.

They reckon in double precision whatever they are given, in one thread and without reassociation: the same bits on any number of
processes. Importing this takes numba's start; call it from inside functions, so that films on disk are read without it.
"""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

FAR = 999.0  # z of an empty interval, which sorts last
WIDENED = 0.6  # samples, least radius of a capsule


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function by numba; where neither this folder nor the user's can be written, compiled anew in every process."""
    try:
        return numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # numba found no place for its cache
        return numba.njit(nogil=True, error_model="numpy")(function)


@compiled
def ellipsoids(centres, radii, axes, x, y, alpha, beta, enter, leave):  # type: ignore[no-untyped-def]
    """Fill enter and leave (n, h, w) with z; a missed ellipsoid has both where the ray is nearest to it in its own measure."""
    for solid in range(len(centres)):
        cx, cy, cz = centres[solid]
        a, rows = alpha + beta * cz, axes[solid] / radii[solid]  # rows.T takes a place to the unit ball
        for row in range(len(y)):
            # in the unit ball's space the ray is s + t d with t from the centre's depth; both are linear in x
            d_d0, d_d1, d_d2, d_s0, d_s1, d_s2, s_s0, s_s1, s_s2 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
            for axis in range(3):
                across, up, along = rows[0, axis], rows[1, axis], rows[2, axis]
                d0, d1 = up * beta * y[row] + along, across * beta
                s0, s1 = up * (y[row] * a - cy) - across * cx, across * a
                d_d0, d_d1, d_d2 = d_d0 + d0 * d0, d_d1 + 2 * d0 * d1, d_d2 + d1 * d1
                d_s0, d_s1, d_s2 = d_s0 + d0 * s0, d_s1 + d0 * s1 + d1 * s0, d_s2 + d1 * s1
                s_s0, s_s1, s_s2 = s_s0 + s0 * s0, s_s1 + 2 * s0 * s1, s_s2 + s1 * s1
            for column in range(len(x)):
                at = x[column]
                square = d_d0 + at * (d_d1 + at * d_d2)
                cross = d_s0 + at * (d_s1 + at * d_s2)
                under = cross * cross - square * (s_s0 + at * (s_s1 + at * s_s2) - 1)
                root = np.sqrt(under if under > 0 else 0.0)
                enter[solid, row, column] = cz - (cross + root) / square
                leave[solid, row, column] = cz - (cross - root) / square


@compiled
def capsules(starts, ends, radii, x, y, alpha, beta, step):  # type: ignore[no-untyped-def]
    """Number of the ray (row by row), enter and leave of every meeting of a ray and a capsule, capsule by capsule."""
    height, width, count = len(y), len(x), len(radii)
    boxes, total = np.empty((count, 4), np.int64), 0
    for solid in range(count):
        reach, low_x, low_y, high_x, high_y = max(radii[solid], WIDENED * step), np.inf, np.inf, -np.inf, -np.inf
        for end in (starts[solid], ends[solid]):
            grown = 1 / (alpha + beta * end[2])
            shadow = reach * grown * 1.02 + 1e-6
            low_x, high_x = min(low_x, end[0] * grown - shadow), max(high_x, end[0] * grown + shadow)
            low_y, high_y = min(low_y, end[1] * grown - shadow), max(high_y, end[1] * grown + shadow)
        left = min(max(np.ceil((low_x - x[0]) / step), 0), width)
        right = min(max(np.floor((high_x - x[0]) / step) + 1, left), width)
        top = min(max(np.ceil((y[0] - high_y) / step), 0), height)
        foot = min(max(np.floor((y[0] - low_y) / step) + 1, top), height)
        boxes[solid] = int(left), int(right), int(top), int(foot)
        total += int((right - left) * (foot - top))
    ray, enter, leave, found = np.empty(total, np.int32), np.empty(total, x.dtype), np.empty(total, x.dtype), 0
    for solid in range(count):
        left, right, top, foot = boxes[solid]
        wide = max(radii[solid], WIDENED * step)
        thin = (radii[solid] / wide) ** 2  # the same volume
        cx, cy, cz = starts[solid]
        ux, uy, uz = ends[solid] - starts[solid]
        reach = np.sqrt(ux * ux + uy * uy + uz * uz)
        if reach > 0:
            ux, uy, uz = ux / reach, uy / reach, uz / reach
        opened = alpha + beta * cz
        for row in range(top, foot):
            dy, my = beta * y[row], opened * y[row] - cy
            for column in range(left, right):
                dx, mx = beta * x[column], opened * x[column] - cx
                ud, um = ux * dx + uy * dy + uz, ux * mx + uy * my
                dd, md, off = dx * dx + dy * dy + 1, mx * dx + my * dy, mx * mx + my * my - wide * wide
                a, b = max(dd - ud * ud, 1e-9), md - ud * um
                under = b * b - a * (off - um * um)
                if under <= 0:
                    continue
                root = np.sqrt(under)
                first, last = (-root - b) / a, (root - b) / a
                along = um + first * ud
                if along < 0 or along > reach:  # there the surface is the ball round that end of the axis
                    cap = reach if along > reach else 0.0
                    middle = md - cap * ud
                    under = middle * middle - dd * (off - 2 * cap * um + cap * cap)
                    if under <= 0:
                        continue
                    first = (-np.sqrt(under) - middle) / dd
                along = um + last * ud
                if along < 0 or along > reach:
                    cap = reach if along > reach else 0.0
                    middle = md - cap * ud
                    under = middle * middle - dd * (off - 2 * cap * um + cap * cap)
                    if under <= 0:
                        continue
                    last = (np.sqrt(under) - middle) / dd
                centre, half = cz + (first + last) / 2, (last - first) / 2 * thin
                if half > 0:
                    ray[found], enter[found], leave[found] = row * width + column, centre - half, centre + half
                    found += 1
    return ray[:found], enter[:found], leave[:found]


@compiled
def disjoint(ray, enter, leave, rays):  # type: ignore[no-untyped-def]
    """The same set sorted by ray and depth and without overlaps; what two entries share belongs to the first that the ray meets."""
    ends = np.zeros(rays + 1, np.int64)
    for entry in range(len(ray)):
        ends[ray[entry] + 1] += 1
    for number in range(rays):
        ends[number + 1] += ends[number]
    begins, froms, tos = ends[:-1].copy(), np.empty_like(enter), np.empty_like(leave)
    for entry in range(len(ray)):
        number = ray[entry]
        place = ends[number]
        while place > begins[number] and froms[place - 1] > enter[entry]:
            froms[place], tos[place] = froms[place - 1], tos[place - 1]
            place -= 1
        froms[place], tos[place] = enter[entry], leave[entry]
        ends[number] += 1
    numbers, found = np.empty_like(ray), 0
    for number in range(rays):
        reached = -np.inf
        for place in range(begins[number], ends[number]):
            start, stop = max(froms[place], reached), tos[place]
            if stop > start:  # never ahead of what is still to be read
                numbers[found], froms[found], tos[found] = number, start, stop
                found, reached = found + 1, stop
    return numbers[:found], froms[:found], tos[:found]


@compiled
def overlaps(ray, enter, leave, piece_enter, piece_leave):  # type: ignore[no-untyped-def]
    """Length of every entry inside pieces (k, rays) that lie in order along each ray."""
    lengths = np.zeros_like(enter)
    for entry in range(len(ray)):
        number, total = ray[entry], 0.0
        for piece in range(len(piece_enter)):
            if piece_enter[piece, number] >= leave[entry]:
                break
            inside = min(leave[entry], piece_leave[piece, number]) - max(enter[entry], piece_enter[piece, number])
            if inside > 0:
                total += inside
        lengths[entry] = total
    return lengths


@compiled
def merge(enter, leave):  # type: ignore[no-untyped-def]
    """In place: intervals (k, h, w) of solids become pieces of their union, ray by ray in order; empty ones come last, far away.

    Beginnings and ends may be sorted apart: between the k-th end and the next beginning after it the ray has left as many solids as it entered.
    """
    count, height, width = enter.shape
    for row in range(height):
        for solid in range(count):
            for column in range(width):
                missed = leave[solid, row, column] <= enter[solid, row, column]
                enter[solid, row, column] = FAR if missed else enter[solid, row, column]
                leave[solid, row, column] = FAR if missed else leave[solid, row, column]
        for last in range(count - 1, 0, -1):
            for place in range(last):
                for ends in (enter, leave):
                    for column in range(width):
                        one, other = ends[place, row, column], ends[place + 1, row, column]
                        ends[place, row, column] = one if one < other else other
                        ends[place + 1, row, column] = other if one < other else one
        for solid in range(1, count):
            for column in range(width):
                left = leave[solid - 1, row, column]
                enter[solid, row, column] = left if left > enter[solid, row, column] else enter[solid, row, column]


@compiled
def leave_free(begin, end, enter, leave, free_enter, free_leave):  # type: ignore[no-untyped-def]
    """Fill the free pieces (k + 1, h, w) with what the pieces (k, h, w) of `merge` leave of one interval (h, w)."""
    count, height, width = enter.shape
    for row in range(height):
        reached = begin[row].copy()
        for piece in range(count):
            for column in range(width):
                until, start, stop = reached[column], enter[piece, row, column], leave[piece, row, column]
                real = stop > start
                free_enter[piece, row, column] = until
                limit = start if start < end[row, column] else end[row, column]
                free_leave[piece, row, column] = limit if real and limit > until else until
                reached[column] = stop if real and stop > until else until
        for column in range(width):
            free_enter[count, row, column] = reached[column]
            free_leave[count, row, column] = end[row, column] if end[row, column] > reached[column] else reached[column]
