"""How far can a map be trusted: false and missing neighbours beside chance, and whether the features have clusters at all?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from workbench.analysis._moments import as_array
from workbench.analysis.clumps import Clumps, clumps

NEIGHBOURS = 10
EXACT = 2048  # rows up to which neighbourhoods are compared all with all; beyond, an even subset of that size
BLOCK = 256
FEWEST = 5


@dataclass(frozen=True)
class Quality:
    """Three shares of a map over k neighbours, each beside what a map at random gives; `n` rows were compared, an even subset of many.

    1 where no neighbour in the map is false (trustworthiness), none is missing (continuity), all are the same (overlap).
    """

    trustworthiness: float
    continuity: float
    overlap: float
    chance_trustworthiness: float
    chance_continuity: float
    chance_overlap: float
    k: int
    n: int
    clumps: Clumps | None = None


def trustworthiness(z: np.ndarray, xy: np.ndarray, k: int = NEIGHBOURS) -> float:
    """1 less the ranks beyond k that map neighbours have among features (n, d), scaled to 0 for the worst (Venna and Kaski, ICANN 2001).

    As scikit-learn's. Raises ValueError unless 1 <= k < n / 2, rows agree and numbers are finite.
    """
    z, xy = checked(z, xy, k)
    return float(1 - scale(len(z), k) * sum(false for false, _, _ in neighbourhoods(z, xy, k)))


def continuity(z: np.ndarray, xy: np.ndarray, k: int = NEIGHBOURS) -> float:
    """Trustworthiness with features (n, d) and map (n, 2) exchanged: it falls with neighbours that the map tears apart (Venna and Kaski, 2001)."""
    return trustworthiness(xy, z, k)


def overlap(z: np.ndarray, xy: np.ndarray, k: int = NEIGHBOURS) -> float:
    """Share of a row's k nearest among features (n, d) that are among its k nearest in the map, averaged (Lee and Verleysen, 2009: Q_NX).

    Raises ValueError as `trustworthiness` does.
    """
    z, xy = checked(z, xy, k)
    return float(sum(both for _, _, both in neighbourhoods(z, xy, k)) / (len(z) * k))


def chance(n: int, k: int) -> tuple[float, float]:
    """Expected trustworthiness (and continuity), and overlap, of a map whose points lie in random places: ranks are uniform on 1 … n - 1."""
    excess = (n - 1 - k) * (n - k) / (2 * (n - 1))
    return 1 - scale(n, k) * n * k * excess, k / (n - 1)


def quality(z: np.ndarray, xy: np.ndarray, k: int = NEIGHBOURS, seed: int = 0) -> Quality | None:
    """All of it for features (n, d) and their map (n, 2); k is lowered below n / 2. None for fewer than five rows or features of one point.

    Raises ValueError where a number is not finite or rows do not agree.
    """
    z, xy = as_array(z), as_array(xy)
    if len(z) > EXACT and len(z) == len(xy):
        chosen = np.linspace(0, len(z) - 1, EXACT).astype(int)
        z, xy = z[chosen], xy[chosen]
    n = len(z)
    k = min(k, (n - 1) // 2)
    if n < FEWEST or not np.ptp(z, axis=0).any():
        return None
    z, xy = checked(z, xy, k)
    parts = np.sum(list(neighbourhoods(z, xy, k)), 0)
    random, shared = chance(n, k)
    false, missing = 1 - scale(n, k) * parts[:2]
    return Quality(float(false), float(missing), float(parts[2]) / (n * k), random, random, shared, k, n, clumps(z, seed))


def said(found: Quality | None) -> str:
    """In words whether lumps in a map can be the data's; "" where nothing can be said."""
    if found is None or found.clumps is None:
        return ""
    lumps, rows = found.clumps, "" if found.clumps.n == found.n else f" (an even {found.clumps.n} of the rows)"
    if lumps.kind == "none":
        return f"The features have no more clusters than one Gaussian cloud{rows}: lumps in this picture are the method's, not the data's."
    if lumps.kind == "shape":
        return f"No separate clusters{rows}: the features are no Gaussian cloud, but no gap parts them. Do not read lumps in this picture as groups."
    return f"The features fall into clusters that one Gaussian cloud does not have{rows}; the farthest neighbours lie {lumps.apart:.1f} standard deviations apart."


def checked(z: np.ndarray, xy: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Both centred, float64."""
    a, b = as_array(z).astype(np.float64), as_array(xy).astype(np.float64)
    if len(a) != len(b):
        raise ValueError(f"features of {len(a)} rows and a map of {len(b)}: the rows must be the same")
    if not 1 <= k < len(a) / 2:
        raise ValueError(f"{k} neighbours of {len(a)} rows: there must be at least 1 and fewer than half of the rows")
    return a - a.mean(0), b - b.mean(0)


def scale(n: int, k: int) -> float:
    """Of Venna and Kaski: 2 over the largest possible sum of ranks beyond k."""
    return 2 / (n * k * (2 * n - 3 * k - 1))


def neighbourhoods(z: np.ndarray, xy: np.ndarray, k: int) -> Iterator[tuple[float, float, float]]:
    """Per block of rows: ranks beyond k of map neighbours among features, of feature neighbours in the map, and how many are both."""
    high, low = distances(z), distances(xy)
    for start in range(0, len(z), BLOCK):
        one, other = high(start), low(start)
        near, beside = nearest(one, k), nearest(other, k)
        shared = (near[:, :, None] == beside[:, None]).sum()
        yield too_far(one, beside), too_far(other, near), float(shared)


def distances(z: np.ndarray) -> Callable[[int], np.ndarray]:
    """Squared distances (b, n) of a block of rows (n, d) to all; a row is infinitely far from itself."""
    square = np.sum(z**2, 1)

    def of(start: int) -> np.ndarray:
        rows = z[start : start + BLOCK]
        apart = square[start : start + BLOCK, None] + square[None] - 2 * rows @ z.T
        apart[np.arange(len(rows)), start + np.arange(len(rows))] = np.inf
        return np.asarray(apart)

    return of


def nearest(apart: np.ndarray, k: int) -> np.ndarray:
    """(b, k): each row's k nearest, in no order."""
    return np.argpartition(apart, k - 1, axis=1)[:, :k]


def too_far(apart: np.ndarray, neighbours: np.ndarray) -> float:
    """Sum over `neighbours` (b, k) of how far their place by `apart` lies beyond k; only those are ranked, a third of the time of ranking all.

    What ties with a neighbour does not push it away.
    """
    k = neighbours.shape[1]
    place = np.stack([(apart < np.take_along_axis(apart, own[:, None], 1)).sum(1) + 1 for own in neighbours.T], 1)
    return float(np.maximum(place - k, 0).sum())
