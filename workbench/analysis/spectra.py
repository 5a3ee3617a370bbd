"""How is variance spread over directions, now and while the run trained?"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from workbench.analysis._moments import (
    TRUSTED,
    Precision,
    as_array,
    as_rows,
    eigenvalues,
    floor_of,
    gpu,
    isotropic_eigenvalues,
    moments,
    seen,
)
from workbench.embeddings import Embeddings


@dataclass(frozen=True)
class Spectrum:
    """Singular values (d,) of centred features (n, d), descending, unscaled.

    The first `trusted` of them are; the others lie below what the precision of the products can tell (see `_moments.TRUSTED`).
    """

    values: np.ndarray
    n: int
    d: int
    trusted: int


def singular_spectrum(
    z: np.ndarray | Embeddings | Iterable[np.ndarray], precision: Precision = "float64", device: str | None = None
) -> Spectrum:
    """Singular values of the centred rows, from the eigenvalues of their scatter: one pass over the rows, O(d^2) memory, no SVD.

    `z` is (n, d), in memory or `np.load(path, mmap_mode="r")`, or an iterable of blocks (b, d). `precision="float32"` multiplies in
    float32 and sums in float64: eigenvalues below 1e-4 of the largest then do not count as trusted. `device`: a torch device that
    multiplies, "auto" the GPU where there is one, None numpy.
    """
    device = gpu() if device == "auto" else device
    if isinstance(z, np.ndarray | Embeddings):
        rows = as_rows(z)
        if len(rows) < rows.shape[1]:
            found = eigenvalues(as_array(z), True, floor_of(z))
            return Spectrum(np.sqrt(found), len(rows), len(found), trusted_of(found, "float64"))
        streamed, floor = moments(rows, None, precision, device), floor_of(z)
    else:
        streamed, floor = moments(z, None, precision, device), 0.0
    found = seen(streamed.eigenvalues(), floor)
    return Spectrum(np.sqrt(found), int(streamed.n), streamed.d, trusted_of(found, precision))


def trusted_of(found: np.ndarray, precision: Precision) -> int:
    """How many of descending eigenvalues (d,) the precision of their products tells."""
    return int(np.count_nonzero((found > 0) & (found >= TRUSTED[precision] * found[0])))


def isotropic_spectrum(n: int, d: int, energy: float = 1.0) -> Spectrum:
    """What an isotropic Gaussian cloud of this (n, d) gives on average, scaled to the sum of squares `energy`."""
    mean = np.sqrt(isotropic_eigenvalues(n - 1, d)).mean(0)
    total = np.sum(mean**2)
    return Spectrum(mean * np.sqrt(energy / total) if total > 0 else mean, n, d, int(np.count_nonzero(mean)))
