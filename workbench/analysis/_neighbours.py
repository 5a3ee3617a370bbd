"""The nearest rows of every row, exact, in blocks: memory of a block by n, never n by n."""

import numpy as np

BLOCK = 1024


def neighbours(rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices (n, k) of each row's k nearest others, nearest first, and their Euclidean distances (n, k); ValueError for fewer than k + 1 rows."""
    n = len(rows)
    if n < k + 1:
        raise ValueError(f"{n} rows have no {k} neighbours each; give at least {k + 1}")
    moved = rows.astype(np.float64) - rows.mean(0, dtype=np.float64)
    square = np.sum(moved**2, 1)
    index, apart = np.empty((n, k), np.int64), np.empty((n, k))
    for start in range(0, n, BLOCK):
        stop = min(start + BLOCK, n)
        found = square[start:stop, None] + square - 2 * moved[start:stop] @ moved.T
        found[np.arange(stop - start), np.arange(start, stop)] = np.inf
        near = np.argpartition(found, k - 1, axis=1)[:, :k]
        distance = np.take_along_axis(found, near, 1)
        order = np.argsort(distance, axis=1, kind="stable")
        index[start:stop] = np.take_along_axis(near, order, 1)
        apart[start:stop] = np.sqrt(np.maximum(np.take_along_axis(distance, order, 1), 0))
    return index, apart
