"""Examples of `analysis.isotropy`: cones, crowding, spikes and hubs."""

from dataclasses import replace

import numpy as np

from tests.gallery.clouds import D, N, drawn, exact, moved, needles
from tests.gallery.entry import FALSE, MISSED, Case, Entry, Part
from tests.gallery.scale import cloud, lone
from workbench.analysis import isotropy
from workbench.analysis._neighbours import neighbours
from workbench.analysis._reading import normalised
from workbench.figures.theme import number

AWAY, RHO, SPIKES, HUBS, MANY, SMALL, SIDES, FEW, LINES = 12.0, 0.5, 8, 8, 64, 1 / 200, 16, 4, 6


def first_lines(z: np.ndarray) -> list[Part]:
    """Unit rows in the first two columns."""
    return cloud(z / np.linalg.norm(z, axis=1, keepdims=True))


def leverages(z: np.ndarray) -> np.ndarray:
    """How much each row owns, largest first (n,)."""
    left = np.linalg.svd(z, full_matrices=False)[0]
    return np.sort(np.sum(left**2, 1))[::-1] * len(z) / z.shape[1]


def answers(z: np.ndarray) -> np.ndarray:
    """How often a row is among the ten nearest of others, most asked first (n,)."""
    index, _ = neighbours(normalised(z), 10)
    return np.sort(np.bincount(index.ravel(), minlength=len(z)))[::-1].astype(float)


def correlated() -> np.ndarray:
    """Rows whose columns correlate by RHO, exactly."""
    return exact(np.ones(D)) @ np.linalg.cholesky(np.full((D, D), RHO) + (1 - RHO) * np.eye(D)).T


def profile(z: np.ndarray) -> np.ndarray:
    """Squared correlations of all pairs of columns, largest first."""
    return np.sort(np.corrcoef(z.T)[np.triu_indices(D, 1)] ** 2)[::-1]


def hubs(count: int) -> np.ndarray:
    """Gaussian rows off the origin, `count` of them at their mean: nearest to all."""
    z = moved(drawn("isotropic", N, D), 3.0)
    return np.concatenate([z[count:], moved(0.05 * (z[:count] - 3.0 * np.eye(D)[0]), 3.0)])


def spiked(count: int) -> np.ndarray:
    """Gaussian rows, and `count` equal ones far along a direction that no other has."""
    z = drawn("isotropic", N, D) * (np.arange(D) < D - 1)
    z[:count] = 5.0 * np.eye(D)[-1]
    return z


def cones() -> list[Entry]:
    gaussian = drawn("isotropic", N, D)
    around = Case("Gaussian rows around the origin", (gaussian,))
    away = Case(f"the same, {AWAY:g} standard deviations away", (moved(gaussian, AWAY),))
    half = np.concatenate([needles(N // 2, 1), gaussian[: N // 2]])
    poles = needles(N, 1, both=True)
    return [
        lone(
            "mean_cosine", isotropy.mean_cosine, "above", 0.5, around._replace(truth=0.0, near=0.01), away,
            Case("half of the rows one way, half of them everywhere", (half,), 0.25, 0.02), MISSED,
            "A mean over pairs: with half of the rows collapsed onto one direction it reads {fooled}.", first_lines,
        ),
        lone(
            "cone_cosine", isotropy.cone_cosine, "above", 0.4, around._replace(truth=N**-0.5, near=0.02), away,
            Case(f"the first {FEW} of the healthy rows", (gaussian[:FEW],)), FALSE,
            f"Few rows always have a mean: {FEW} isotropic ones read {{fooled}}; the value of an isotropic cloud of this N stands beside it.", first_lines,
        ),
        lone(
            "cone_angle", isotropy.cone_angle, "below", 45.0, around, away,
            Case("every row at one of two opposite points", (poles,), 90.0), MISSED,
            "Two opposite bundles have no mean direction: {fooled} degrees, though all rows lie on one line.", first_lines,
        ),
        lone(
            "partition_isotropy", isotropy.partition_isotropy, "below", 0.3, around,
            Case("the same, 2 standard deviations away", (moved(gaussian, 2.0),)),
            Case(f"the broken cloud at {number(SMALL)} of its size", (SMALL * moved(gaussian, 2.0),)), MISSED,
            "It depends on the scale of the rows: the broken cloud made small reads {fooled}.",
        ),
        lone(
            "self_clustering", isotropy.self_clustering, "above", 0.3, around._replace(truth=0.0, near=0.01),
            Case(f"rows along 2 of {D} axes, both ways", (needles(N, 2, both=True),), (D / 2 - 1) / (D - 1), 0.02),
            Case(f"rows along {LINES} of {D} axes, both ways", (needles(N, LINES, both=True),), (D / LINES - 1) / (D - 1), 0.02), MISSED,
            f"The square forgives: rows that lie on {LINES} lines only still read {{fooled}}.", first_lines,
        ),
    ]  # fmt: skip


def spikes() -> list[Entry]:
    gaussian = drawn("isotropic", N, D)
    around = Case("Gaussian rows around the origin", (gaussian,))
    turned = correlated() @ np.linalg.eigh(np.full((D, D), RHO) + (1 - RHO) * np.eye(D))[1]
    codes = np.sign(drawn("codes", N, D))
    return [
        lone(
            "coherence", isotropy.coherence, "above", 4.0, around,
            Case("one row alone far along a direction of its own", (spiked(1),), N / D),
            Case(f"the same row {SPIKES} times", (spiked(SPIKES),)), MISSED,
            "Copies share the direction: the same spike in several rows reads {fooled}.", leverages,
        ),
        lone(
            "hubness", isotropy.hubness, "above", 3.0, Case("Gaussian rows in 3 dimensions", (drawn("isotropic", N, 3),)),
            Case(f"a cone in {D} dimensions with {HUBS} rows at its middle", (hubs(HUBS),)),
            Case(f"the same cone with {MANY} rows at its middle", (hubs(MANY),)), MISSED,
            "A skewness falls where hubs are many: they still answer every query, and it reads {fooled}.", answers,
        ),
        lone(
            "orthogonality_residual", isotropy.orthogonality_residual, "above", 20.0,
            Case(f"{D} columns without correlation", (exact(np.ones(D)),), 0.0),
            Case(f"columns that correlate by {number(RHO)}", (correlated(),), D * (D - 1) * RHO**2),
            Case("the broken cloud turned onto its axes", (turned,), 0.0, 1e-3), MISSED,
            "It follows rotations: the same cloud seen along its own axes reads {fooled}, with its variance as unequal as before.", profile,
        ),
        lone(
            "sliced_gaussianity", lambda z: isotropy.sliced_gaussianity(z, SIDES), "above", 0.02, around,
            Case("every row at the origin", (np.zeros((N, D)),), 1 - 2**0.5 + 3**-0.5),
            Case("every coordinate plus or minus one", (codes,)), MISSED,
            "From a random side many coordinates always look Gaussian: corners of a cube, binary codes, read {fooled}.", called=f"sliced_gaussianity(z, directions={SIDES})",
        ),
    ]  # fmt: skip


def entries() -> list[Entry]:
    sorted_ones = ("coherence", "hubness", "orthogonality_residual")
    found = [replace(each, module="isotropy") for each in [*cones(), *spikes()]]
    return [replace(each, drawing="sorted") if each.name in sorted_ones else each for each in found]
