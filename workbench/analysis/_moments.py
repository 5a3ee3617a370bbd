"""Second moments of features, streamed in float64 on shifted rows: everything a spectrum needs, never an SVD of N x d."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.linalg import eigvalsh_tridiagonal

from workbench.embeddings import Embeddings
from workbench.randomness import rng

BLOCK = 4096
HALF = 2.0**-22 / 3  # largest variance that rounding to float16 adds to a column of unit scale, as a share of its square


@dataclass(frozen=True)
class Moments:
    """Of g sets of rows at once: counts (g,), sums (g, d) and cross products (g, d, d) of rows minus `shift` (d,)."""

    n: np.ndarray
    total: np.ndarray
    cross: np.ndarray
    shift: np.ndarray

    @property
    def d(self) -> int:
        return len(self.shift)

    def __getitem__(self, which: slice | np.ndarray) -> "Moments":
        return Moments(self.n[which], self.total[which], self.cross[which], self.shift)

    def all(self) -> "Moments":
        """The sets put together, as one set."""
        return Moments(self.n.sum(0, keepdims=True), self.total.sum(0, keepdims=True), self.cross.sum(0, keepdims=True), self.shift)

    def without(self, sets: Sequence[Sequence[int]]) -> "Moments":
        """One set per entry: everything but the sets it names; a subtraction each."""
        kept = np.ones((len(sets), len(self.n)))
        for row, left_out in enumerate(sets):
            kept[row, list(left_out)] = 0
        whole, out = self.all(), 1 - kept
        cross = whole.cross - (out @ self.cross.reshape(len(self.n), -1)).reshape(len(sets), self.d, self.d)
        return Moments(kept @ self.n, kept @ self.total, cross, self.shift)

    @property
    def mean(self) -> np.ndarray:
        """(g, d)"""
        return self.shift + self.total / self.n[:, None]

    def scatter(self, centred: bool = True) -> np.ndarray:
        """Sum over rows of outer products (g, d, d), of deviations from the mean or of the rows themselves."""
        moved = self.total / self.n[:, None]
        centred_scatter = self.cross - self.total[:, :, None] * moved[:, None, :]
        return centred_scatter if centred else centred_scatter + self.n[:, None, None] * self.mean[:, :, None] * self.mean[:, None, :]

    def eigenvalues(self, centred: bool = True, floor: float = 0.0) -> np.ndarray:
        """Of the scatter (g, d), descending; what rounding made (below `floor` per row, too) is 0."""
        found = np.linalg.eigvalsh(self.scatter(centred))[:, ::-1]
        limit = np.maximum(self.d * np.finfo(float).eps * found[:, :1], floor * self.n[:, None])
        return np.where(found > limit, found, 0.0)


def as_array(z: np.ndarray | Embeddings) -> np.ndarray:
    """Features (n, d), at least one row; raises ValueError where a number is not finite."""
    rows = z.features if isinstance(z, Embeddings) else np.asarray(z)
    if rows.ndim != 2 or not rows.size:
        raise ValueError(f"features have shape {rows.shape}; expected (n, d) with at least one row")
    if not np.isfinite(rows).all():
        raise ValueError(f"{int((~np.isfinite(rows)).any(1).sum())} of {len(rows)} rows hold a number that is not finite")
    return rows


def floor_of(z: np.ndarray | Embeddings) -> float:
    """Variance below which nothing is seen: 0, or what float16 rounding added to quantised embeddings."""
    if isinstance(z, Embeddings) and z.quantised:
        scale = 1.0 if z.scale is None else float(np.max(z.scale))
        return HALF * scale**2
    return 0.0


def blocks(rows: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(rows), BLOCK):
        yield rows[start : start + BLOCK].astype(np.float64)


def moments(rows: np.ndarray, part: np.ndarray | None = None) -> Moments:
    """Moments of rows (n, d): of all, or of each part (n,) in 0..g-1."""
    shift = rows[: min(len(rows), 256)].mean(0, dtype=np.float64)
    g, d = 1 if part is None else int(part.max()) + 1, rows.shape[1]
    n, total, cross = np.zeros(g), np.zeros((g, d)), np.zeros((g, d, d))
    for each in range(g):
        own = rows if part is None else rows[part == each]
        for block in blocks(own):
            block -= shift
            n[each] += len(block)
            total[each] += block.sum(0)
            cross[each] += block.T @ block
    return Moments(n, total, cross, shift)


@lru_cache(maxsize=64)
def isotropic_eigenvalues(degrees: int, d: int, draws: int = 16) -> np.ndarray:
    """Eigenvalues (draws, d) of the scatter of `degrees` standard normal rows, descending: Dumitriu and Edelman's bidiagonal form (2002)."""
    large, small = max(degrees, d), min(degrees, d)
    draw, found = rng(0, "isotropic", degrees, d), np.zeros((draws, d))
    for row in range(draws if small else 0):
        diagonal = np.sqrt(draw.chisquare(large - np.arange(small)))
        below = np.sqrt(draw.chisquare(np.arange(small - 1, 0, -1)))
        squares = diagonal**2 + np.append(0, below**2)
        found[row, :small] = eigvalsh_tridiagonal(squares, diagonal[:-1] * below)[::-1] if small > 1 else squares
    return np.maximum(found, 0)
