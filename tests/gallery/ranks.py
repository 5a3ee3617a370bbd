"""Examples of the spectra and ranks of `analysis.collapse` and `analysis.spectra`: exact spectra, whose ranks are closed forms."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from tests.gallery.clouds import FULL, D, N, drawn, equal, exact, halving, moved
from tests.gallery.entry import FALSE, MISSED, Case, Entry
from workbench.analysis import collapse, spectra

FAR, FEW, WIDE, SPIKE, ABOVE = 50.0, 12, 128, 10.0, 0.01


def singular(z: np.ndarray) -> np.ndarray:
    """Of centred rows (n, d): (d,)."""
    return np.append(np.linalg.svd(z - z.mean(0), compute_uv=False), np.zeros(max(0, z.shape[1] - len(z))))


def with_mean(z: np.ndarray) -> np.ndarray:
    """Of rows as they are."""
    return np.linalg.svd(z, compute_uv=False)


def ranked(
    name: str,
    measure: Callable[..., Any],
    truths: tuple[float, float],
    bound: float,
    fooled: Case,
    mistake: Literal["missed", "false alarm"],
    why: str,
    called: str = "",
    seen: Callable[..., np.ndarray] = singular,
    alarm: Literal["below", "above"] = "below",
) -> Entry:
    """Equal directions against directions each half as wide as the one before."""
    near = 1e-4 if name == "rankme" else 1e-5  # the epsilon of RankMe
    healthy = Case(f"{FULL} equal directions of {D}", (equal(FULL),), truths[0], near)
    broken = Case("each direction half as wide as the one before", (halving(),), truths[1], near)
    module = "spectra" if name == "singular_spectrum" else "collapse"
    return Entry(
        name, called or f"{name}(z)", module, measure, alarm, bound, healthy, broken, fooled, mistake, why, "spectra", seen
    )  # fmt: skip


def one_long_row(times: float) -> Case:
    """Gaussian rows, the first so many times as long."""
    long = np.where(np.arange(N) == 0, times, 1.0)[:, None]
    return Case(f"Gaussian rows, one of {N} is {times:g} times as long", (long * drawn("one long row", N, D),))


def above(z: np.ndarray) -> int:
    """How many singular values are above a share of the largest."""
    values = spectra.singular_spectrum(z).values
    return int(np.sum(values > ABOVE * values[0]))


def powers(exponent: float) -> np.ndarray:
    """Eigenvalues that fall as place^-exponent."""
    return exact(np.arange(1, D + 1) ** (-exponent / 2))


def entries() -> list[Entry]:
    aside = Case(f"the healthy cloud, its mean {FAR:g} standard deviations away", (moved(equal(FULL), FAR),), float(FULL), 1e-5)
    half = D / 2
    slope = Entry(
        "alpha_req",
        "alpha_req(z)",
        "collapse",
        collapse.alpha_req,
        "above",
        2.0,
        Case("eigenvalues fall as 1 / place", (powers(1),), 1.0),
        Case("eigenvalues fall as 1 / place³", (powers(3),), 3.0),
        Case(f"2 equal directions of {D}, the others empty", (equal(2),), 0.0),
        MISSED,
        "Empty directions are left out of the fit: where all but two are gone the slope reads {fooled}. Look at the spectrum itself.",
        "spectra",
        singular,
    )
    return [
        ranked(
            "effective_rank", collapse.effective_rank, (FULL, 4), half, aside, MISSED,
            "All rows point one way, yet the centred rank still reads {fooled}: the mean is taken off first. Read offset and uncentred rank beside it.",
        ),
        ranked(
            "uncentred_rank", lambda z: collapse.effective_rank(z, centred=False), (FULL, 4), half,
            Case("the healthy cloud, shrunk to a millionth", (1e-6 * equal(FULL),), float(FULL), 1e-5), MISSED,
            "A rank knows no scale: a cloud shrunk to a point reads {fooled}. Read the feature standard deviation beside it.",
            "effective_rank(z, centred=False)", with_mean,
        ),
        ranked(
            "participation_ratio", collapse.participation_ratio, (FULL, 5 / 3), half, one_long_row(100), FALSE,
            "One row in heavy tails outweighs all others: {fooled} directions, though the other rows fill every one. Intervals are withheld where the kurtosis of row norms says so.",
        ),
        ranked(
            "nesum", collapse.nesum, (FULL, 4 / 3), half,
            Case(f"{D} directions, one of them {SPIKE:g} times as wide", (exact(np.append(SPIKE, np.ones(D - 1))),), (SPIKE**2 + D - 1) / SPIKE**2), FALSE,
            "Only the largest eigenvalue counts: a single wide direction reads {fooled} though all the others are alive and equal.",
        ),
        ranked(
            "stable_rank", collapse.stable_rank, (FULL, 4 / 3), half,
            Case("the healthy cloud, its mean 5 standard deviations away", (moved(equal(FULL), 5.0),), (FULL + 25) / 26, 1e-5), FALSE,
            "The mean counts as the strongest direction: {fooled}, while the rows around it fill as many directions as before.",
            seen=with_mean,
        ),
        ranked(
            "spectral_rank", collapse.spectral_rank, (FULL, 4 ** (1 / 3) * 4 / 3), half,
            Case(f"{FEW} Gaussian rows in {D} dimensions", (drawn("few rows", FEW, D),)), FALSE,
            "Few rows have few directions, whatever the model: {fooled}. The isotropic value at this N says how much that is; ranks need four rows a dimension.",
        ),
        ranked(
            "explained_area", collapse.explained_area, (((FULL + 1) / 2 + D - FULL) / D, 1 - 1 / (3 * D)), 0.8,
            Case(f"the healthy cloud beside {WIDE - D} empty columns", (equal(FULL, WIDE),), ((FULL + 1) / 2 + WIDE - FULL) / WIDE), FALSE,
            "Empty columns count as explained: the same cloud in a wider space reads {fooled}.",
            alarm="above",
        ),
        ranked(
            "rankme", collapse.rankme, (FULL, 4), half, Case(aside.said, aside.given), FALSE,
            "Not centred, so that a far mean alone reads {fooled} though every direction around it is alive; read it beside the centred rank.",
            seen=with_mean,
        ),
        slope,
        ranked(
            "isoscore", collapse.isoscore, ((FULL - 1) / (D - 1), (5 / 3 - 1) / (D - 1)), 0.3,
            Case(aside.said, aside.given, (FULL - 1) / (D - 1), 1e-5), MISSED,
            "Centred like the rank that it rescales: with all rows on one side of the origin it still reads {fooled}.",
        ),
        ranked(
            "singular_spectrum", above, (FULL, 7), half, one_long_row(1000), FALSE,
            "Relative to the largest value, one long row hides the rest: {fooled} above a hundredth of it, though the others are equal. Look at the whole curve.",
            called=f"sum(singular_spectrum(z).values > {ABOVE:g} * first)",
        ),
    ]  # fmt: skip
