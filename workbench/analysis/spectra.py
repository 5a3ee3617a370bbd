"""How is variance spread over directions, now and while the run trained?"""

from dataclasses import dataclass

import numpy as np

from workbench.analysis._moments import as_array, eigenvalues, floor_of, isotropic_eigenvalues
from workbench.embeddings import Embeddings


@dataclass(frozen=True)
class Spectrum:
    """Singular values (d,) of centred features (n, d), descending, unscaled."""

    values: np.ndarray
    n: int
    d: int


def singular_spectrum(z: np.ndarray | Embeddings) -> Spectrum:
    """Singular values of the centred rows, from the eigenvalues of their scatter."""
    rows = as_array(z)
    return Spectrum(np.sqrt(eigenvalues(rows, True, floor_of(z))), *rows.shape)


def isotropic_spectrum(n: int, d: int, energy: float = 1.0) -> Spectrum:
    """What an isotropic Gaussian cloud of this (n, d) gives on average, scaled to the sum of squares `energy`."""
    mean = np.sqrt(isotropic_eigenvalues(n - 1, d)).mean(0)
    total = np.sum(mean**2)
    return Spectrum(mean * np.sqrt(energy / total) if total > 0 else mean, n, d)
