"""Examples of `analysis.similarity` and `analysis.modality`: two clouds of the same studies."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from tests.gallery.clouds import drawn, halving
from tests.gallery.entry import FALSE, MISSED, Case, Entry
from tests.gallery.scale import both
from workbench.analysis import modality, similarity
from workbench.figures.theme import number

PAIRS, WIDTH, NOISE, FAR, FEW, WIDE = 256, 16, 0.3, 6.0, 40, 200
CLEAN, DEGREES, AXES, TEXTS, FAINT = 4, 10.0, 4, 8, 0.03


def turned(z: np.ndarray) -> np.ndarray:
    """The same cloud in another orientation."""
    return z @ np.linalg.qr(drawn("turn of a pair", z.shape[1], z.shape[1]))[0]


def layers() -> dict[str, np.ndarray]:
    """Four layers of the same studies: one, turned, turned with noise, and one that has nothing to do with them."""
    x = drawn("pair", PAIRS, WIDTH)
    noisy = turned(x) + 2 * NOISE * drawn("pair noise", PAIRS, WIDTH)
    return {"a layer": x, "turned": turned(x), "with noise": noisy, "unrelated": drawn("unrelated", PAIRS, WIDTH)}


def spoken(signal: float) -> tuple[np.ndarray, np.ndarray]:
    """Few directions in common, `signal` wide, among many of their own."""
    shared = signal * drawn("signal", PAIRS, CLEAN)
    return tuple(np.c_[shared, 0.5 * drawn(f"own {side}", PAIRS, WIDTH)] for side in "xy")  # type: ignore[return-value]


def alike(
    name: similarity.Name, measure: Callable[..., Any], bound: float, fooled: Case, mistake: Literal["missed", "false alarm"], why: str, called: str = ""
) -> Entry:  # fmt: skip
    """A layer beside a noisy turn of itself, and beside one that has nothing to do with it."""
    own = layers()
    healthy = Case("turned, with some noise", (own["a layer"], turned(own["a layer"]) + NOISE * drawn("pair noise", PAIRS, WIDTH)))
    broken = Case("two unrelated clouds", (own["a layer"], own["unrelated"]))
    return Entry(name, called or f"{name}(x, y)", "similarity", measure, "below", bound, healthy, broken, fooled, mistake, why, "alike")


def of_similarity() -> list[Entry]:
    few = Case(f"unrelated clouds, {FEW} rows of {WIDE} columns", (drawn("few x", FEW, WIDE), drawn("few y", FEW, WIDE)))
    narrow = Case(f"unrelated clouds, {FEW} rows of 30 columns", (drawn("narrow x", FEW, 30), drawn("narrow y", FEW, 30)))
    x = layers()["a layer"]
    return [
        alike("linear_cka", similarity.linear_cka, 0.3, few, MISSED,
              "Few rows for their columns make noise look alike: {fooled}, which is what pairs at random give here. Read the chance beside it, or the debiased form."),
        alike("debiased_cka", lambda x, y: similarity.linear_cka(x, y, debiased=True), 0.3,
              Case(f"{CLEAN} wide directions in common, {WIDTH} of their own", spoken(3.0)), MISSED,
              f"Wide directions decide: {CLEAN} in common read {{fooled}}, while {WIDTH} have nothing to do with each other.", "linear_cka(x, y, debiased=True)"),
        alike("svcca", similarity.svcca, 0.5, Case(f"{CLEAN} wide directions in common, {WIDTH} of their own", spoken(2.0)), FALSE,
              "Every kept direction counts alike: noise of little variance pulls it down to {fooled}, though most of the variance is shared."),
        alike("procrustes", similarity.procrustes, 0.6, narrow, MISSED,
              "Noise can be turned onto noise where rows are few: {fooled}, which is what pairs at random give here."),
        alike("mutual_knn", similarity.mutual_knn, 0.3, Case("the same cloud, each column half as wide as the one before", (x, x * 0.5 ** np.arange(WIDTH))), FALSE,
              "A linear map is enough to change who is near: the same cloud with columns of other widths shares {fooled} of its neighbours."),
    ]  # fmt: skip


def paired(name: str, measure: Callable[..., Any], alarm: Literal["below", "above"], bound: float, healthy: Case, broken: Case, fooled: Case,
           mistake: Literal["missed", "false alarm"], why: str, seen: Callable[..., Any] = both, called: str = "") -> Entry:  # fmt: skip
    drawing: Any = "rows" if seen is both else "sorted"
    return Entry(name, called or f"{name}(x, y)", "modality", measure, alarm, bound, healthy, broken, fooled, mistake, why, drawing, seen)


def in_common(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Singular values (d,) of what two towers share, beside the largest."""
    values = modality.cross_spectrum(x, y).values
    return values / values[0]


def along(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The first principal angles, largest first."""
    return modality.principal_angles(x, y, AXES)[::-1]


def tilted(degrees: float) -> np.ndarray:
    """The first axes of `halving` turned by an angle into axes that it does not use."""
    z, turn = halving(AXES, PAIRS, "tilted"), np.radians(degrees)
    return np.c_[z * np.cos(turn), z * np.sin(turn)]


def of_modality() -> list[Entry]:
    x, noise = drawn("tower", PAIRS, WIDTH), drawn("tower noise", PAIRS, WIDTH)
    e = np.eye(WIDTH)
    flat = x * (np.arange(WIDTH) > 0)
    halves = (np.arange(WIDTH) < WIDTH // 2).astype(float)
    together = Case("reports are their images and some noise", (x, x + NOISE * noise))
    apart = Case("the same, towers moved apart along one axis", (x + FAR * e[0], x + NOISE * noise - FAR * e[0]))
    small = Case(
        "a small gap along an axis that nothing else uses", (flat + 0.8 * e[0], flat + NOISE * noise * (np.arange(WIDTH) > 0) - 0.8 * e[0])
    )
    plane = number(float(modality.separability(*small.given)))
    perpendicular = Case("images and reports in perpendicular subspaces", (x * halves, noise * (1 - halves)))
    eight = [drawn(f"eight {side}", 4 * PAIRS, WIDTH) * (np.arange(WIDTH) < 2 * AXES) for side in "xy"]
    return [
        paired("gap_share", modality.gap_share, "above", 0.3, together, apart, small, MISSED,
               f"A gap along an axis of its own is a small share, {{fooled}}, and still a plane tells images from reports with accuracy {plane}."),
        paired("relative_gap", modality.relative_gap, "above", 0.3, together, apart, small, MISSED,
               "Distances within wide towers drown a gap that no pair crosses: {fooled}."),
        paired("separability", modality.separability, "above", 0.8, together._replace(truth=0.5, near=0.1), apart._replace(truth=1.0), perpendicular, MISSED,
               "Only planes count: towers without a direction in common, around one mean, read {fooled}."),
        paired("cross_spectrum", lambda x, y: modality.cross_spectrum(x, y).shared, "below", WIDTH / 4,
               Case(f"reports say all {WIDTH} directions of their images", (x, x + 0.1 * noise), WIDTH, 0.05),
               Case("reports say one direction of their images, and noise", (x, np.c_[3 * x[:, :1], FAINT * noise[:, 1:]])),
               Case("reports that have nothing to do with the images", (x, noise)), MISSED,
               "Noise has many directions: unrelated towers share {fooled} of them, weakly. Read the strength beside what pairs at random give.",
               in_common, "cross_spectrum(x, y).shared"),
        paired("principal_angles", lambda x, y: modality.principal_angles(x, y, AXES).max(), "above", 60.0,
               Case(f"reports' axes turned by {DEGREES:g} degrees", (tilted(0), tilted(DEGREES)), DEGREES, 1e-4),
               Case("reports' axes perpendicular to the images'", (tilted(0), tilted(90)), 90.0),
               Case(f"two clouds that fill the same {2 * AXES} directions evenly", (eight[0], eight[1])), FALSE,
               f"Where axes are equally long, which {AXES} come first is chance: two clouds in one subspace read {{fooled}} degrees.", along, "principal_angles(x, y, k).max()"),
        gap_closed(x, noise, halves),
    ]  # fmt: skip


def gap_closed(x: np.ndarray, noise: np.ndarray, halves: np.ndarray) -> Entry:
    """Retrieval before and after the means are brought together."""
    e, patients = np.eye(WIDTH), [str(row) for row in range(PAIRS)]
    repeated = x[np.arange(PAIRS) % TEXTS]
    spread = NOISE * noise
    found = lambda x, y: modality.closing(x, y, patients, amounts=(1.0,), resamples=100)[0].forth.recall[1].value  # noqa: E731
    return Entry(
        "closing", "closing(x, y, patients)[-1].forth.recall[1]", "modality", found, "below", 0.5,
        Case("pairs that a shift has moved apart", (x + FAR * e[0], x + spread - FAR * e[0])),
        Case("pairs that have nothing in common", (x * halves, noise * (1 - halves))),
        Case(f"{TEXTS} different reports for {PAIRS} images", (repeated + spread, repeated)), FALSE,
        "Reports that repeat leave their images no right answer of their own: {fooled}. Say with `correct` that the same text is as right.", "closing",
    )  # fmt: skip


def entries() -> list[Entry]:
    return [*of_similarity(), *of_modality()]
