"""Which points does a map tell least about: how many of a point's nearest neighbours are not beside it in the picture?"""

import numpy as np

from workbench.analysis._moments import as_array

NEIGHBOURS = 10
BLOCK = 512


def lost(z: np.ndarray, xy: np.ndarray, k: int = NEIGHBOURS) -> np.ndarray:
    """Share of each row's k nearest among features z (n, d) that are not among its k nearest in the map xy (n, 2): (n,), 0 none is lost.

    One less it, averaged, is the overlap of neighbourhoods (Lee and Verleysen, Neurocomputing 2009). k is lowered to n - 1; with one row
    nothing can be lost. Raises ValueError where rows do not agree or a number is not finite.
    """
    z, xy = as_array(z).astype(np.float64), as_array(xy).astype(np.float64)
    if len(z) != len(xy):
        raise ValueError(f"features of {len(z)} rows and a map of {len(xy)}: the rows must be the same")
    n = len(z)
    k = min(k, n - 1)
    if k < 1:
        return np.zeros(n)
    z, xy, found = z - z.mean(0), xy - xy.mean(0), np.empty(n)
    for start in range(0, n, BLOCK):
        near, beside = nearest(z, start, k), nearest(xy, start, k)
        found[start : start + BLOCK] = 1 - (near[:, :, None] == beside[:, None]).any(2).mean(1)
    return found


def nearest(z: np.ndarray, start: int, k: int) -> np.ndarray:
    """(b, k) rows nearest to each of a block of rows (n, d), not itself."""
    rows = z[start : start + BLOCK]
    apart = np.sum(rows**2, 1)[:, None] + np.sum(z**2, 1)[None] - 2 * rows @ z.T
    apart[np.arange(len(rows)), start + np.arange(len(rows))] = np.inf
    return np.argpartition(apart, k - 1, axis=1)[:, :k]
