"""Examples of scale, offset and how unit rows lie, of `analysis.collapse`: what a rank does not see."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from scipy.special import hyp0f1

from tests.gallery.clouds import D, N, drawn, equal, exact, moved, needles
from tests.gallery.entry import LINES, MISSED, Case, Entry, Part
from workbench.analysis import collapse

SHOWN, PAIRS = 220, 60  # rows and pairs drawn
AWAY, NOISE, KEPT = 12.0, 0.3, 4


def cloud(z: np.ndarray) -> list[Part]:
    """The first two columns as they are."""
    return [Part(z[:SHOWN, :2])]


def both(x: np.ndarray, y: np.ndarray) -> list[Part]:
    """Two towers, rows of length one: images as circles, reports as diamonds, a stroke between the two of a pair."""
    x, y = ((z / np.linalg.norm(z, axis=1, keepdims=True))[:PAIRS, :2] for z in (x, y))
    strokes = np.stack([x, y, np.full_like(x, np.nan)], 1).reshape(-1, 2)
    return [Part(strokes, 0, LINES), Part(x, 2, "circle"), Part(y, 1, "diamond")]


def even(d: int) -> float:
    """Uniformity of the sphere in d dimensions: exp(4 cos) has the mean 0F1(d/2; 4)."""
    return float(np.log(hyp0f1(d / 2, 4.0)) - 4)


def lone(
    name: str, measure: Callable[..., Any], alarm: Literal["below", "above"], bound: float, healthy: Case, broken: Case, fooled: Case,
    mistake: Literal["missed", "false alarm"], why: str, seen: Callable[..., Any] = cloud, called: str = "",
) -> Entry:  # fmt: skip
    """An entry whose rows are drawn."""
    called = called or f"{name}({'x, y' if seen is both else 'z'})"
    return Entry(name, called, "collapse", measure, alarm, bound, healthy, broken, fooled, mistake, why, "rows", seen)


def entries() -> list[Entry]:
    gaussian, poles = drawn("isotropic", N, D), needles(N, 1, both=True)
    diagonal = np.where(np.arange(N) % 2, 1.0, -1.0)[:, None] * np.full(D, D**-0.5)
    alone = exact(np.append(np.sqrt(D), np.zeros(D - 1)))
    pair = gaussian, gaussian + NOISE * drawn("noise", N, D)
    other = drawn("other", N, D)
    halves = (np.arange(D) < D // 2).astype(float)
    near_one = moved(1e-3 * gaussian, 1.0)
    return [
        lone(
            "feature_std", collapse.feature_std, "below", 0.1,
            Case(f"{D} directions of standard deviation 1", (equal(D),), 1.0),
            Case("the same cloud, shrunk to a hundredth", (0.01 * equal(D),), 0.01),
            Case("all variance in one column, the others constant", (alone,), 1.0), MISSED,
            "One wide column keeps the mean variance: {fooled}, although only one direction is left. Read a rank beside it.",
        ),
        lone(
            "offset", collapse.offset, "above", 0.5,
            Case("mean 1 standard deviation from the origin", (moved(equal(D), 1.0),), 1 / (D + 1)),
            Case(f"mean {AWAY:g} standard deviations from the origin", (moved(equal(D), AWAY),), AWAY**2 / (AWAY**2 + D)),
            Case("every row at one of two opposite points", (poles,), 0.0), MISSED,
            "Two opposite points have their mean at the origin: {fooled}, although no row says more than a sign.",
        ),
        lone(
            "unit_std", collapse.unit_std, "below", 0.1,
            Case("Gaussian rows around the origin", (gaussian,), float((1 / D) ** 0.5), 0.01),
            Case(f"the same, {AWAY:g} standard deviations away", (moved(gaussian, AWAY),)),
            Case("two opposite points on the diagonal", (diagonal,), float(D**-0.5)), MISSED,
            "Two opposite points on the diagonal differ in every column by as much as a full sphere does: {fooled}.",
        ),
        lone(
            "uniformity", collapse.uniformity, "above", -2.0,
            Case("Gaussian rows around the origin", (gaussian,), even(D), 0.01),
            Case(f"the same, {AWAY:g} standard deviations away", (moved(gaussian, AWAY),)),
            Case(f"Gaussian rows in {KEPT} of {D} directions", (gaussian * (np.arange(D) < KEPT),), even(KEPT), 0.02), MISSED,
            "Lost directions hardly show: rows that fill few of them evenly read {fooled} (Fang et al., 2024).",
        ),
        lone(
            "alignment", collapse.alignment, "above", 1.0,
            Case("reports are their images and some noise", pair, near=0.1, truth=2 - 2 / (1 + NOISE**2) ** 0.5),
            Case("reports of other images", (gaussian, pair[1][::-1]), 2.0, 0.05),
            Case("both towers at one point", (near_one, moved(1e-3 * other, 1.0)), 0.0, 1e-3), MISSED,
            "Towers that say nothing agree: both at one point read {fooled}. Read uniformity beside it.",
            both,
        ),
        lone(
            "modality_gap", collapse.modality_gap, "above", 0.5,
            Case("reports are their images and some noise", pair),
            Case("the same, towers moved apart along one axis", (moved(pair[0], 8.0), moved(pair[1], -8.0))),
            Case("images and reports in perpendicular subspaces", (gaussian * halves, other * (1 - halves))), MISSED,
            "Means agree where the towers share nothing else: with no direction in common the gap reads {fooled}.",
            both,
        ),
        lidar(),
    ]  # fmt: skip


SAMPLES, VIEWS = 64, 8


def lidar() -> Entry:
    """Views of samples: they tell samples apart along many directions, or along one."""
    groups = np.repeat(np.arange(SAMPLES), VIEWS)
    d = D // 2
    views = 0.1 * drawn("views", SAMPLES * VIEWS, d)
    many = exact(np.ones(d), SAMPLES, "samples")[groups] + views
    one = exact(np.append(1.0, np.zeros(d - 1)), SAMPLES, "samples")[groups] + views
    wrong = np.tile(np.arange(SAMPLES), VIEWS)
    return lone(
        "lidar", collapse.lidar, "below", d / 2,
        Case(f"{SAMPLES} samples apart along {d} directions", (many, groups), float(d), 0.1),
        Case("the same samples apart along one direction", (one, groups)),
        Case("the broken cloud, views grouped with those of other samples", (one, wrong)), MISSED,
        "It believes the groups: with views of different samples in one group the broken cloud reads {fooled}. Group by the sample's key.",
        lambda z, groups: [Part(z[groups == each][:, :2], each) for each in range(6)], "lidar(z, samples)",
    )  # fmt: skip
