"""Clouds whose spectrum is exact, and drawn ones: what the examples of the gallery are made of."""

import numpy as np

from workbench.randomness import rng

N, D = 512, 32
FULL = 24  # equal directions of the healthy cloud
CLASSES, A_CLASS = 3, 128


def drawn(name: str, *shape: int) -> np.ndarray:
    """Standard normal numbers, the same for a name at every call."""
    return rng(0, f"gallery {name}", 0, "").normal(size=shape)


def exact(scales: np.ndarray, n: int = N, name: str = "exact") -> np.ndarray:
    """Centred rows (n, d), d below n, whose columns are uncorrelated and have just these standard deviations (d,)."""
    rows = drawn(name, n, len(scales))
    return np.linalg.qr(rows - rows.mean(0))[0] * np.sqrt(n) * scales


def equal(count: int, d: int = D, n: int = N, name: str = "exact") -> np.ndarray:
    """`count` equal directions of d with standard deviation 1; the others are empty."""
    return exact((np.arange(d) < count).astype(float), n, name)


def halving(d: int = D, n: int = N, name: str = "exact") -> np.ndarray:
    """Each direction half as wide as the one before: singular values 1, 1/2, 1/4 …"""
    return exact(0.5 ** np.arange(d), n, name)


def axis(place: int = 0, d: int = D) -> np.ndarray:
    """A unit vector (d,)."""
    return np.eye(d)[place]


def moved(rows: np.ndarray, far: float, place: int = 0) -> np.ndarray:
    """Rows away from the origin along one axis."""
    return rows + far * axis(place, rows.shape[1])


def needles(n: int, directions: int, d: int = D, both: bool = False) -> np.ndarray:
    """Unit rows (n, d) along so many axes in turn, every other time backwards where `both`."""
    place = np.arange(n)
    return np.eye(d)[place % directions] * np.where(both & ((place // directions) % 2 == 1), -1.0, 1.0)[:, None]


def labels(classes: int = CLASSES, each: int = A_CLASS) -> np.ndarray:
    """Class (n,) of every row, one class after another."""
    return np.repeat(np.arange(classes), each)


def classed(centres: np.ndarray, within: np.ndarray, each: int = A_CLASS) -> np.ndarray:
    """Rows of classes with these means (c, d), `each` rows a class, whose deviations have exactly the standard deviations `within` (d,)."""
    return np.concatenate([mean + exact(within, each, f"class {place}") for place, mean in enumerate(centres)])


def simplex(size: float, classes: int = CLASSES, d: int = D) -> np.ndarray:
    """Class means (c, d) at equal distances around zero: `size` times the centred unit vectors."""
    return size * (np.eye(classes, d) - np.append(np.full(classes, 1 / classes), np.zeros(d - classes)))
