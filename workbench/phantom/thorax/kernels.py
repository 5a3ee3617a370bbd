"""The loops of the film that are compiled: once per installation, then read from numba's cache beside this file.

They reckon in double precision whatever they are given, in one thread and without reassociation: the same bits on any number of
processes. Importing this takes numba's start; call it from inside functions, so that films on disk are read without it.
"""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

FAR = 999.0  # z of an empty interval, which sorts last


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function by numba; where neither this folder nor the user's can be written, compiled anew in every process."""
    try:
        return numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # numba found no place for its cache
        return numba.njit(nogil=True, error_model="numpy")(function)


@compiled
def conic(form, solid, centres, radii, axes, y, alpha, beta):  # type: ignore[no-untyped-def]
    """Fill form (4, 3) with the polynomials in x of |d|^2, d.s, |s|^2 - 1 and their discriminant, for the rays of one row.

    Where the solid is the unit ball a ray is s + t d, with t from the centre's depth; both are linear in x.
    """
    opened = alpha + beta * centres[solid, 2]
    form[:] = 0
    form[2, 0] = -1
    for axis in range(3):
        across, up, forward = axes[solid, 0, axis], axes[solid, 1, axis], axes[solid, 2, axis]
        d0, d1 = (up * beta * y + forward) / radii[solid, axis], across * beta / radii[solid, axis]
        s0, s1 = (
            (up * (y * opened - centres[solid, 1]) - across * centres[solid, 0]) / radii[solid, axis],
            across * opened / radii[solid, axis],
        )
        form[0, 0], form[0, 1], form[0, 2] = form[0, 0] + d0 * d0, form[0, 1] + 2 * d0 * d1, form[0, 2] + d1 * d1
        form[1, 0], form[1, 1], form[1, 2] = form[1, 0] + d0 * s0, form[1, 1] + d0 * s1 + d1 * s0, form[1, 2] + d1 * s1
        form[2, 0], form[2, 1], form[2, 2] = form[2, 0] + s0 * s0, form[2, 1] + 2 * s0 * s1, form[2, 2] + s1 * s1
    # of the fourth degree by its looks, but the shadow of an ellipsoid is a conic
    form[3, 0] = form[1, 0] * form[1, 0] - form[0, 0] * form[2, 0]
    form[3, 1] = 2 * form[1, 0] * form[1, 1] - form[0, 0] * form[2, 1] - form[0, 1] * form[2, 0]
    form[3, 2] = (
        form[1, 1] * form[1, 1] + 2 * form[1, 0] * form[1, 2] - form[0, 0] * form[2, 2] - form[0, 1] * form[2, 1] - form[0, 2] * form[2, 0]
    )


@compiled
def ellipsoids(centres, radii, axes, x, y, alpha, beta, form, enter, leave):  # type: ignore[no-untyped-def]
    """Fill enter and leave (n, h, w) with z; a missed ellipsoid has both where the ray is nearest to it in its own measure."""
    for solid in range(enter.shape[0]):
        for row in range(enter.shape[1]):
            conic(form, solid, centres, radii, axes, y[row], alpha, beta)
            a0, a1, a2, b0, b1, b2 = form[0, 0], form[0, 1], form[0, 2], form[1, 0], form[1, 1], form[1, 2]
            c0, c1, c2, depth = form[3, 0], form[3, 1], form[3, 2], centres[solid, 2]
            for column in range(enter.shape[2]):
                at = x[column]
                each = 1 / (a0 + at * (a1 + at * a2))
                under = c0 + at * (c1 + at * c2)
                nearest, half = depth - (b0 + at * (b1 + at * b2)) * each, np.sqrt(under if under > 0 else 0.0) * each
                enter[solid, row, column], leave[solid, row, column] = nearest - half, nearest + half


@compiled
def shadow(c0, c1, c2, x):  # type: ignore[no-untyped-def]
    """First column and one past the last in which a discriminant, a polynomial in x, can be above 0."""
    width, under = len(x), c1 * c1 - 4 * c0 * c2
    if c2 >= 0:  # not wholly between source and detector
        return 0, width
    if under <= 0:
        return 0, 0
    middle, reach, step = c1 / (-2 * c2), np.sqrt(under) / (-2 * c2), x[1] - x[0]
    first = int(min(max((middle - reach - x[0]) / step, 0), width))
    return first, int(min(max((middle + reach - x[0]) / step + 2, first), width))


@compiled
def meetings(centres, radii, axes, x, y, alpha, beta, form, ray, enter, leave, ends):  # type: ignore[no-untyped-def]
    """Fill ray, enter and leave with every meeting of a ray and an ellipsoid, and ends (n,) with where those of each solid end."""
    found = 0
    for solid in range(len(ends)):
        depth = centres[solid, 2]
        for row in range(len(y)):
            conic(form, solid, centres, radii, axes, y[row], alpha, beta)
            a0, a1, a2, b0, b1, b2 = form[0, 0], form[0, 1], form[0, 2], form[1, 0], form[1, 1], form[1, 2]
            c0, c1, c2 = form[3, 0], form[3, 1], form[3, 2]
            first, last = shadow(c0, c1, c2, x)
            for column in range(first, last):
                at = x[column]
                under = c0 + at * (c1 + at * c2)
                if under > 0:
                    each = 1 / (a0 + at * (a1 + at * a2))
                    nearest, half = depth - (b0 + at * (b1 + at * b2)) * each, np.sqrt(under) * each
                    ray[found], enter[found], leave[found] = row * len(x) + column, nearest - half, nearest + half
                    found += 1
        ends[solid] = found


@compiled
def united(centres, radii, axes, x, y, alpha, beta, form, counts, enter, leave):  # type: ignore[no-untyped-def]
    """Fill enter and leave (k, h, w) with the pieces of the ellipsoids' union, first to last, as far as the most that a ray has.

    `counts` (h, w) begins as zeros and ends as the number of pieces of every ray; those it lacks lie at FAR.
    """
    most = 0
    for row in range(enter.shape[1]):
        for solid in range(enter.shape[0]):
            depth = centres[solid, 2]
            conic(form, solid, centres, radii, axes, y[row], alpha, beta)
            a0, a1, a2, b0, b1, b2 = form[0, 0], form[0, 1], form[0, 2], form[1, 0], form[1, 1], form[1, 2]
            c0, c1, c2 = form[3, 0], form[3, 1], form[3, 2]
            first, last = shadow(c0, c1, c2, x)
            for column in range(first, last):
                at = x[column]
                under = c0 + at * (c1 + at * c2)
                if under > 0:
                    each = 1 / (a0 + at * (a1 + at * a2))
                    nearest, half = depth - (b0 + at * (b1 + at * b2)) * each, np.sqrt(under) * each
                    start, stop, count = nearest - half, nearest + half, counts[row, column]
                    before = 0
                    while before < count and leave[before, row, column] < start:
                        before += 1
                    after = before
                    while after < count and enter[after, row, column] <= stop:
                        start, stop = min(start, enter[after, row, column]), max(stop, leave[after, row, column])
                        after += 1
                    if after == before:  # room for one more
                        for place in range(count, before, -1):
                            enter[place, row, column], leave[place, row, column] = (
                                enter[place - 1, row, column],
                                leave[place - 1, row, column],
                            )
                        count += 1
                    elif after > before + 1:  # it closes gaps
                        for place in range(before + 1, count):
                            source = min(place + after - before - 1, count - 1)
                            enter[place, row, column], leave[place, row, column] = enter[source, row, column], leave[source, row, column]
                        count -= after - before - 1
                    enter[before, row, column], leave[before, row, column], counts[row, column] = start, stop, count
                    most = max(most, count)
    for place in range(most):
        for row in range(enter.shape[1]):
            for column in range(enter.shape[2]):
                if counts[row, column] <= place:
                    enter[place, row, column], leave[place, row, column] = FAR, FAR
    return most


@compiled
def surface(sign, root, a, b, ud, um, dd, md, off, reach):  # type: ignore[no-untyped-def]
    """Where a ray that meets the endless tube enters (sign -1) or leaves (1) the capsule; NaN where it misses the capsule. `a` is inverted."""
    t = (sign * root - b) * a
    along = um + t * ud
    if 0 <= along <= reach:
        return t
    cap = reach if along > reach else 0.0  # there the surface is the ball round that end of the axis
    middle = md - cap * ud
    under = middle * middle - dd * (off - 2 * cap * um + cap * cap)
    return (sign * np.sqrt(under) - middle) / dd if under > 0 else np.nan


@compiled
def boxed(starts, ends, radii, turned, thinnest, x, y, alpha, beta, solids, boxes):  # type: ignore[no-untyped-def]
    """Fill solids (n, 9) and boxes (n, 4) as `capsules` takes them, turned to the detector's axes; the number of rays in all boxes."""
    room, finer, width, height = 0, 1 / (y[0] - y[1]), len(x), len(y)
    for solid in range(solids.shape[0]):
        square = 0.0
        for axis in range(3):
            solids[solid, axis], solids[solid, 3 + axis] = 0, 0
            for own in range(3):
                solids[solid, axis] += turned[axis, own] * starts[solid, own]
                solids[solid, 3 + axis] += turned[axis, own] * (ends[solid, own] - starts[solid, own])
            square += solids[solid, 3 + axis] ** 2
        reach = np.sqrt(square)
        wide = max(radii[solid], thinnest)
        left, right, top, foot = width, 0, height, 0
        for end in range(2):
            depth = (alpha + beta * (solids[solid, 2] + end * solids[solid, 5])) / abs(beta)
            clear = depth * depth - wide * wide
            scale = 1 / (clear * abs(beta))
            for axis in range(2):  # the planes through the source that touch the ball round this end
                off = solids[solid, axis] + end * solids[solid, 3 + axis]
                beside = wide * np.sqrt(off * off + clear)
                low, high = (off * depth - beside) * scale, (off * depth + beside) * scale
                if axis == 0:
                    left = min(left, int(max(np.ceil((low - x[0]) * finer), 0)))
                    right = max(right, int(min(max(np.floor((high - x[0]) * finer) + 1, 0), width)))
                else:
                    top = min(top, int(max(np.ceil((y[0] - high) * finer), 0)))
                    foot = max(foot, int(min(max(np.floor((y[0] - low) * finer) + 1, 0), height)))
        for axis in range(3, 6):
            solids[solid, axis] /= max(reach, 1e-9)
        solids[solid, 6], solids[solid, 7], solids[solid, 8] = reach, wide, (radii[solid] / wide) ** 2
        boxes[solid, 0], boxes[solid, 1], boxes[solid, 2], boxes[solid, 3] = left, right, top, foot
        room += max(right - left, 0) * max(foot - top, 0)
    return room


@compiled
def capsules(solids, boxes, x, y, alpha, beta, ray, enter, leave):  # type: ignore[no-untyped-def]
    """Fill ray, enter and leave with every meeting of a ray and a capsule, capsule by capsule; their number.

    A capsule is start (3), unit axis (3), length, radius and the share its chords keep; its box is left, right, top and foot.
    """
    found = 0
    for solid in range(solids.shape[0]):
        cx, cy, cz = solids[solid, 0], solids[solid, 1], solids[solid, 2]
        ux, uy, uz = solids[solid, 3], solids[solid, 4], solids[solid, 5]
        reach, square, share = solids[solid, 6], solids[solid, 7] * solids[solid, 7], solids[solid, 8]
        opened = alpha + beta * cz
        for row in range(boxes[solid, 2], boxes[solid, 3]):
            dy, my, met = beta * y[row], opened * y[row] - cy, False
            for column in range(boxes[solid, 0], boxes[solid, 1]):
                dx, mx = beta * x[column], opened * x[column] - cx
                ud, um = ux * dx + uy * dy + uz, ux * mx + uy * my
                dd, md, off = dx * dx + dy * dy + 1, mx * dx + my * dy, mx * mx + my * my - square
                a, b = max(dd - ud * ud, 1e-9), md - ud * um
                under = b * b - a * (off - um * um)
                half = -1.0
                if under > 0:
                    root = np.sqrt(under)
                    first = surface(-1.0, root, 1 / a, b, ud, um, dd, md, off, reach)
                    last = surface(1.0, root, 1 / a, b, ud, um, dd, md, off, reach)
                    centre, half = cz + (first + last) / 2, (last - first) / 2 * share
                if half > 0:
                    ray[found], enter[found], leave[found] = row * len(x) + column, centre - half, centre + half
                    found, met = found + 1, True
                elif met:  # the shadow of a capsule is convex, which that of the endless tube need not be
                    break
    return found


@compiled
def disjoint(ray, enter, leave, least, heads, follows, numbers, froms, tos):  # type: ignore[no-untyped-def]
    """Fill numbers, froms and tos with the same set sorted by ray and depth and without overlaps; how many entries it has.

    What two entries share belongs to the first that the ray meets. `heads` is zeros, one for each ray from `least` on, `follows` room for
    one number an entry: they chain the entries of every ray by depth, numbered from 1; 0 ends a chain.
    """
    for entry in range(len(ray)):
        before, after = 0, heads[ray[entry] - least]
        while after > 0 and enter[after - 1] <= enter[entry]:
            before, after = after, follows[after - 1]
        follows[entry] = after
        if before > 0:
            follows[before - 1] = entry + 1
        else:
            heads[ray[entry] - least] = entry + 1
    found = 0
    for number in range(len(heads)):
        after, reached = heads[number], -FAR
        while after > 0:
            start, stop = max(enter[after - 1], reached), leave[after - 1]
            if stop > start:
                numbers[found], froms[found], tos[found] = number + least, start, stop
                found, reached = found + 1, stop
            after = follows[after - 1]
    return found


@compiled
def added(ray, amount, totals):  # type: ignore[no-untyped-def]
    """Add what every entry amounts to to its ray's total (rays,)."""
    for entry in range(len(ray)):
        totals[ray[entry]] += amount[entry]


@compiled
def summed(enter, leave, totals):  # type: ignore[no-untyped-def]
    """Add the length of pieces (k, rays) to each ray's total (rays,); empty ones, which leave before they enter, count nothing."""
    for piece in range(enter.shape[0]):  # the outer loop, so that the inner one runs over neighbours
        for ray in range(len(totals)):
            inside = leave[piece, ray] - enter[piece, ray]
            totals[ray] += inside if inside > 0 else 0.0


@compiled
def overlaps(ray, enter, leave, piece_enter, piece_leave, lengths):  # type: ignore[no-untyped-def]
    """Fill the length of every entry inside pieces (k, rays) that lie in order along each ray."""
    for entry in range(len(ray)):
        number, total = ray[entry], 0.0
        for piece in range(piece_enter.shape[0]):
            if piece_enter[piece, number] >= leave[entry]:
                break
            inside = min(leave[entry], piece_leave[piece, number]) - max(enter[entry], piece_enter[piece, number])
            if inside > 0:
                total += inside
        lengths[entry] = total


@compiled
def leave_free(begin, end, enter, leave, free_enter, free_leave):  # type: ignore[no-untyped-def]
    """Fill the free pieces (k + 1, rays) with what the pieces (k, rays) of `merge` leave of one interval (rays)."""
    for ray in range(len(begin)):
        reached = begin[ray]
        for piece in range(enter.shape[0]):
            free_enter[piece, ray] = reached
            free_leave[piece, ray] = max(min(enter[piece, ray], end[ray]), reached) if enter[piece, ray] < FAR else reached
            if enter[piece, ray] < FAR:
                reached = max(reached, leave[piece, ray])
        free_enter[enter.shape[0], ray], free_leave[enter.shape[0], ray] = reached, max(end[ray], reached)
