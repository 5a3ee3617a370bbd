"""Second moments of features, streamed in float64 on shifted rows: everything a spectrum needs, never an SVD of N x d."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Literal

import numpy as np
from scipy.linalg import eigvalsh_tridiagonal

from workbench.embeddings import Embeddings
from workbench.randomness import rng

BLOCK = 4096
TRUSTED = {"float64": 0.0, "float32": 1e-4}  # eigenvalues below this share of the largest are not to be trusted
Precision = Literal["float64", "float32"]
HALF = 2.0**-22 / 3  # variance that rounding to float16 adds to a number, at most, as a share of its square


@dataclass(frozen=True)
class Moments:
    """Of n rows minus `shift` (d,): their sum (d,) and the sum of their outer products (d, d)."""

    n: float
    total: np.ndarray
    cross: np.ndarray
    shift: np.ndarray

    @property
    def d(self) -> int:
        return len(self.shift)

    def minus(self, other: "Moments") -> "Moments":
        """Of the rows that are not in `other`."""
        return Moments(self.n - other.n, self.total - other.total, self.cross - other.cross, self.shift)

    @property
    def mean(self) -> np.ndarray:
        return self.shift + self.total / self.n

    def scatter(self, centred: bool = True) -> np.ndarray:
        """Sum of outer products (d, d) of the rows' deviations from their mean, or of the rows themselves."""
        found = self.cross - np.outer(self.total, self.total / self.n)
        return found if centred else found + self.n * np.outer(self.mean, self.mean)

    @property
    def participation_ratio(self) -> float:
        """(sum of eigenvalues)^2 / sum of their squares, from trace and norm; 0 for a point."""
        scatter = self.scatter()
        square = float(np.sum(scatter**2))
        return float(np.trace(scatter)) ** 2 / square if square > 0 else 0.0

    @property
    def variance(self) -> float:
        """Sum of the columns' variances."""
        return max(0.0, float((np.trace(self.cross) - self.total @ self.total / self.n) / self.n))

    def eigenvalues(self, centred: bool = True) -> np.ndarray:
        """Of the scatter (d,), descending."""
        return seen(np.linalg.eigvalsh(self.scatter(centred))[::-1])


def seen(eigenvalues: np.ndarray, floor: float = 0.0) -> np.ndarray:
    """Descending eigenvalues (d,); what float64 rounding made, or lies below `floor`, is 0."""
    limit = max(len(eigenvalues) * np.finfo(float).eps * eigenvalues[0], floor)
    return np.where(eigenvalues > limit, eigenvalues, 0.0)


def as_rows(z: np.ndarray | Embeddings) -> np.ndarray:
    """Features (n, d), at least one row; raises ValueError for another shape. A memory map stays one."""
    rows = z.features if isinstance(z, Embeddings) else np.asarray(z)
    if rows.ndim != 2 or not rows.size:
        raise ValueError(f"features have shape {rows.shape}; expected (n, d) with at least one row")
    return rows


def as_array(z: np.ndarray | Embeddings) -> np.ndarray:
    """Features (n, d), at least one row; raises ValueError where a number is not finite."""
    rows = as_rows(z)
    if not np.isfinite(rows).all():
        raise ValueError(f"{int((~np.isfinite(rows)).any(1).sum())} of {len(rows)} rows hold a number that is not finite")
    return rows


def floor_of(z: np.ndarray | Embeddings) -> float:
    """Eigenvalue of the scatter below which nothing is seen: 0, or what float16 rounding put into quantised embeddings."""
    if not (isinstance(z, Embeddings) and z.quantised):
        return 0.0
    scale = 1.0 if z.scale is None else float(np.max(z.scale))
    return HALF * scale**2 * len(z.features) * (1 + np.sqrt(z.features.shape[1] / len(z.features))) ** 2  # Marchenko-Pastur's edge


def in_blocks(source: np.ndarray | Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Blocks (at most BLOCK, d) of an array, a memory map, or an iterable of blocks of any length."""
    for rows in [source] if isinstance(source, np.ndarray) else source:
        for start in range(0, len(rows), BLOCK):
            yield rows[start : start + BLOCK]


def moments(
    source: np.ndarray | Iterable[np.ndarray],
    shift: np.ndarray | None = None,
    precision: Precision = "float64",
    device: str | None = None,
) -> Moments:
    """Moments of rows minus `shift` (d,) (the mean of the first block, if none is given), in one pass and O(d^2) memory.

    `source` is an array or memory map (n, d) or an iterable of blocks (b, d). With `precision="float32"` the products of a block are
    float32 and their sums float64. `device` is a torch device ("cuda") that multiplies, None is numpy; `gpu()` names one where there is one.
    Raises ValueError where a number is not finite, blocks differ in width, or there is no row.
    """
    blocks = in_blocks(source)
    first = next(blocks, None)
    if first is None:
        raise ValueError("no rows: moments need at least one")
    shift = first.mean(0, dtype=np.float64) if shift is None else shift
    shift = shift.astype(precision).astype(np.float64)  # what is subtracted is what is kept
    n, total, cross = 0, np.zeros(first.shape[1]), np.zeros((first.shape[1], first.shape[1]))
    multiply = products if device is None else products_on(device)
    for rows in chain([first], blocks):
        if rows.shape[1:] != total.shape:
            raise ValueError(f"rows {n} to {n + len(rows) - 1} have shape {rows.shape}; the first ones had {len(total)} columns")
        sums, outer = multiply(rows, shift, precision)
        if not np.isfinite(sums).all():
            bad = int((~np.isfinite(rows)).any(1).sum())
            raise ValueError(f"{bad} of the rows {n} to {n + len(rows) - 1} hold a number that is not finite")
        n, total, cross = n + len(rows), total + sums, np.add(cross, outer, out=cross)
    return Moments(float(n), total, cross, shift)


def products(rows: np.ndarray, shift: np.ndarray, precision: Precision) -> tuple[np.ndarray, np.ndarray]:
    """Sum (d,) and sum of outer products (d, d) of rows minus `shift`, computed in `precision`."""
    block = np.subtract(rows, shift.astype(precision), dtype=precision)
    return block.sum(0, dtype=np.float64), block.T @ block


def products_on(device: str) -> Callable[[np.ndarray, np.ndarray, Precision], tuple[np.ndarray, np.ndarray]]:
    """`products` on a torch device."""
    import torch

    def multiply(rows: np.ndarray, shift: np.ndarray, precision: Precision) -> tuple[np.ndarray, np.ndarray]:
        block = torch.from_numpy(np.array(rows)).to(device).to(getattr(torch, precision)) - torch.from_numpy(shift.astype(precision)).to(
            device
        )
        return block.sum(0, dtype=torch.float64).cpu().numpy(), (block.T @ block).cpu().numpy()

    return multiply


def gpu() -> str | None:
    """The torch device `moments` takes where this machine has one, else None. Imports torch."""
    import torch

    return "cuda" if torch.cuda.is_available() else None


def eigenvalues(rows: np.ndarray, centred: bool = True, floor: float = 0.0) -> np.ndarray:
    """Of the scatter of rows (n, d), descending (d,); the smaller of the two Gram matrices where there are fewer rows than columns."""
    n, d = rows.shape
    if n >= d:
        return seen(moments(rows).eigenvalues(centred), floor)
    moved = rows - (rows.mean(0, dtype=np.float64) if centred else 0.0)
    found = np.linalg.eigvalsh(moved.astype(np.float64) @ moved.astype(np.float64).T)[::-1]
    return seen(np.append(found, np.zeros(d - n)), floor)


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
    found = np.maximum(found, 0)
    found.flags.writeable = False
    return found
