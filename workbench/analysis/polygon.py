"""Which points lie inside a polygon? Decided exactly, so that a lasso gives the same keys wherever it is asked."""

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from workbench.errors import UserError

ROUNDING = (3 + 16 * 2.0**-53) * 2.0**-53  # Shewchuk, Discrete and Computational Geometry 1997: error of an orientation in float64
TINY, SMALL, LARGE = 1e-270, 1e-130, 1e150  # sums below lost digits to underflow; sizes between which products split without loss
SIDE, MANY = 256, 20_000  # cells along an edge of the grid, and points from which on it pays
SPLITTER = 2.0**27 + 1  # Dekker's: halves of a float64 whose products are exact


def inside(xy: np.ndarray, polygon: np.ndarray | Sequence) -> np.ndarray:
    """(n,) bool: which points (n, 2) lie in `polygon`, one ring (m, 2) or several, by the even-odd rule; points on an edge or a corner do.

    Rings close themselves, may cross themselves and each other, and a ring within a ring is a hole. Signs of orientations are exact: what
    float64 leaves open is decided without rounding. Points that are not finite lie outside. Raises UserError for a ring of fewer than three
    different corners, or with a corner that is not finite.
    """
    xy, rings = np.asarray(xy, np.float64).reshape(-1, 2), checked(polygon)
    corners, found = np.concatenate(rings), np.zeros(len(xy), bool)
    low, high = corners.min(0), corners.max(0)
    rows = np.flatnonzero((xy[:, 0] >= low[0]) & (xy[:, 0] <= high[0]) & (xy[:, 1] >= low[1]) & (xy[:, 1] <= high[1]))
    every = list(edges(rings))
    if len(rows) > MANY and np.all(high > low) and np.isfinite(high - low).all():
        cells = Cells(low, high)
        own = cells.of(xy[rows])
        whole, close = cells.sides(every)
        found[rows] = whole[own]
        rows = rows[close[own]]
    found[rows] = beside(xy[rows], every)
    return found


def beside(xy: np.ndarray, every: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """(n,) bool: points (n, 2) inside or on one of the edges, each compared with the edges that pass at its height."""
    order = np.argsort(xy[:, 1])
    x, y = xy[order, 0], xy[order, 1]
    odd, edge = np.zeros(len(xy), bool), np.zeros(len(xy), bool)
    for a, b in every:
        start, stop = np.searchsorted(y, min(a[1], b[1]), "left"), np.searchsorted(y, max(a[1], b[1]), "right")
        if start == stop:
            continue
        across, height = x[start:stop], y[start:stop]
        level, top = a[1] == b[1], max(a[1], b[1])
        left, right = min(a[0], b[0]), max(a[0], b[0])
        between = np.flatnonzero((across >= left) & (across <= right))  # the others lie on a side that needs no arithmetic
        side = np.zeros(len(between)) if level else left_of(a, b, across[between], height[between])
        edge[start + between] |= side == 0
        if not level:
            crossed = across < left
            crossed[between] = (side > 0) == (b[1] > a[1])
            odd[start:stop] ^= crossed & (height < top)  # half open: a corner belongs to the edge above it alone
    found = np.empty(len(xy), bool)
    found[order] = odd | edge
    return found


class Cells:
    """A grid over a box: cells that no edge comes near lie wholly inside or outside, so that only points in the others are compared with edges."""

    def __init__(self, low: np.ndarray, high: np.ndarray) -> None:
        self.low, self.step = low, (high - low) / SIDE

    def of(self, xy: np.ndarray) -> np.ndarray:
        """(n,) number of each point's cell."""
        place = np.clip((xy - self.low) / self.step, 0, SIDE - 1).astype(np.int32)
        return place[:, 1] * SIDE + place[:, 0]

    def sides(self, every: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
        """(cells,) bool: whether the middle is inside, and whether an edge comes nearer than a cell's width, rounding included."""
        close = np.zeros((SIDE, SIDE), bool)
        for a, b in every:
            (ax, ay), (bx, by) = (a - self.low) / self.step, (b - self.low) / self.step
            count = 2 * int(max(abs(bx - ax), abs(by - ay))) + 2  # a point of the edge at least every half cell
            share = np.linspace(0, 1, count)
            column, row = (np.clip(start + (end - start) * share, 0, SIDE - 1).astype(int) for start, end in ((ax, bx), (ay, by)))
            close[row, column] = True
        wide = np.pad(close, 1)
        near = np.any([wide[i : i + SIDE, j : j + SIDE] for i in range(3) for j in range(3)], axis=0)
        whole = np.zeros(SIDE * SIDE, bool)
        free = np.flatnonzero(~near)
        middles = self.low + (np.stack([free % SIDE, free // SIDE], 1) + 0.5) * self.step
        whole[free] = beside(middles, every)
        return whole, near.ravel()


def checked(polygon: np.ndarray | Sequence) -> list[np.ndarray]:
    """The rings (m, 2) of a polygon; raises UserError where one encloses nothing by its number of corners, or is no list of pairs."""
    try:
        single = np.ndim(polygon[0]) == 1 if len(polygon) else True
        rings = [np.asarray(ring, np.float64) for ring in ([polygon] if single else polygon)]
    except (TypeError, ValueError, KeyError):
        raise UserError("lasso: expected a list of [x, y] corners, or a list of such lists; draw it again") from None
    for ring in rings:
        if ring.ndim != 2 or ring.shape[1] != 2:
            raise UserError(f"lasso: expected corners of two numbers, found shape {ring.shape}; draw it again")
        if not np.isfinite(ring).all():
            raise UserError("lasso: a corner is not a finite number; draw it again")
        if len(np.unique(ring, axis=0)) < 3:
            raise UserError(
                f"lasso: {len(np.unique(ring, axis=0))} different corners enclose nothing; draw around the points, with three at least"
            )
    return rings


def edges(rings: Sequence[np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Every edge of every ring, the closing one too; those of no length are left out."""
    for ring in rings:
        for a, b in zip(ring, np.roll(ring, -1, axis=0)):
            if a[0] != b[0] or a[1] != b[1]:
                yield a, b


def left_of(a: np.ndarray, b: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(n,) sign of the orientation of a -> b -> (x, y): 1 left of the line, -1 right of it, 0 on it."""
    if a[0] == b[0]:
        return np.sign(a[0] - x) * np.sign(b[1] - a[1])
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        plus, minus = (a[0] - x) * (b[1] - y), (a[1] - y) * (b[0] - x)
        area, size = plus - minus, np.abs(plus) + np.abs(minus)
        sign = np.sign(area)
        unsure = ~((np.abs(area) > ROUNDING * size) & (size > TINY))
    if unsure.any():
        sign[unsure] = exactly(a, b, x[unsure], y[unsure])
    return sign


def exactly(a: np.ndarray, b: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(n,) the same signs without rounding: sums of exact products, or fractions where a size is out of the range that products split in."""
    sizes = np.abs(np.stack([np.broadcast_to(each, x.shape) for each in (*a, *b, x, y)]))
    fit = np.all((sizes == 0) | ((sizes > SMALL) & (sizes < LARGE)), 0)
    sign = np.zeros(len(x))
    if fit.any():
        pairs = ((a[0], b[1]), (-a[0], y[fit]), (-x[fit], b[1]), (-a[1], b[0]), (a[1], x[fit]), (y[fit], b[0]))
        terms = np.stack([np.broadcast_to(part, fit.sum()) for p, q in pairs for part in product(p, q)], 1)
        sign[fit] = [float(np.sign(math.fsum(row))) for row in terms.tolist()]  # a sum of floats, rounded once: its sign is the sum's
    (ax, ay), (bx, by) = map(Fraction, a), map(Fraction, b)
    for place in np.flatnonzero(~fit):
        px, py = Fraction(float(x[place])), Fraction(float(y[place]))
        area = (ax - px) * (by - py) - (ay - py) * (bx - px)
        sign[place] = (area > 0) - (area < 0)
    return sign


def product(p: np.ndarray | float, q: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """The rounded product and what rounding took from it (Dekker, Numerische Mathematik 1971): together exact."""
    rounded = np.multiply(p, q)
    (high_p, low_p), (high_q, low_q) = halves(p), halves(q)
    return rounded, low_p * low_q - (((rounded - high_p * high_q) - low_p * high_q) - high_p * low_q)


def halves(value: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """A float64 as two of half its digits."""
    turned = np.multiply(SPLITTER, value)
    high = turned - (turned - value)
    return high, value - high
