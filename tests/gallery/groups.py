"""Examples of `analysis.dimension` and `analysis.classes`: neighbourhoods, clusters and classes."""

from dataclasses import replace

import numpy as np

from tests.gallery.clouds import A_CLASS, CLASSES, D, N, axis, classed, drawn, equal, halving, labels, moved, simplex
from tests.gallery.entry import FALSE, MISSED, Case, Entry, Part
from tests.gallery.scale import SHOWN, lone
from workbench.analysis import classes, dimension
from workbench.analysis._reading import Reading
from workbench.figures.theme import number

ROOMY, FLAT, FUZZ, CLUSTERS, NARROW, FEW, SMALL = 8, 2, 0.1, 10, 16, 6, 0.05


def sheet(dimensions: int, n: int = N) -> np.ndarray:
    """Rows (n, D) spread evenly over a turned cube of so many dimensions."""
    along = np.linalg.qr(drawn("turn", D, D))[0][:dimensions]
    return (np.argsort(np.argsort(drawn(f"sheet {dimensions}", n, dimensions), 0), 0) + 0.5) / n @ along


def plane(z: np.ndarray) -> np.ndarray:
    """Rows on their first two principal axes (n, 2)."""
    deviation = z - z.mean(0)
    return np.asarray(deviation @ np.linalg.svd(deviation, full_matrices=False)[2][:2].T)


def flattened(z: np.ndarray) -> list[Part]:
    """Every second row or so on two axes."""
    return [Part(plane(z)[:: max(1, len(z) // SHOWN)])]


def coloured(z: np.ndarray, member: np.ndarray) -> list[Part]:
    """The same, a colour a class."""
    xy = plane(z)
    return [Part(xy[member == each][: SHOWN // 4], place) for place, each in enumerate(np.unique(member))]


def of_dimension() -> list[Entry]:
    roomy, flat = (
        Case(f"a cube of {ROOMY} dimensions in {D}", (sheet(ROOMY),), ROOMY, 0.25),
        Case(f"a square in {D} dimensions", (sheet(FLAT),), FLAT, 0.1),
    )
    fuzzy = Case(f"the square with noise of {number(FUZZ)}", (sheet(FLAT) + FUZZ * drawn("fuzz", N, D),))
    mixed = np.concatenate([sheet(1, N // 3), sheet(ROOMY, N - N // 3)])
    apart = 10 * np.eye(D)[np.arange(N) % CLUSTERS] + 0.5 * drawn("clusters", N, D)
    line = np.linspace(0, 1, N)[:, None] * np.ones(D) + 1e-6 * drawn("line", N, D)
    found = [
        lone(
            "two_nn", dimension.two_nn, "below", 4.0, roomy, flat, fuzzy, MISSED,
            "It looks no farther than two neighbours: noise wider than they lie apart turns the square into {fooled} dimensions.", flattened,
        ),
        lone(
            "intrinsic_dimension", dimension.intrinsic_dimension, "below", 4.0, roomy, flat,
            Case("a third of the rows on a line, the others in the cube", (mixed,)), MISSED,
            "A mean over rows: with a third of them collapsed onto a line it reads {fooled}.", flattened,
        ),
        lone(
            "cluster_learnability", dimension.cluster_learnability, "below", 0.8,
            Case(f"{CLUSTERS} clusters apart", (apart,), 1.0), Case(f"a Gaussian cloud in {D} dimensions", (drawn("isotropic", N, D),)),
            Case("rows evenly along a line", (line,)), MISSED,
            "Pieces of a line are learned as well as clusters: {fooled}, where there are none.", flattened,
        ),
    ]  # fmt: skip
    return [replace(each, module="dimension") for each in found]


def fewest(z: np.ndarray, member: np.ndarray) -> Reading:
    """The class with the lowest effective rank."""
    return min(classes.class_ranks(z, member).values(), key=float)


def ranks_within() -> Entry:
    """One class that lost its directions among others that did not."""
    full, lost = equal(12, NARROW, A_CLASS, "class"), halving(NARROW, A_CLASS, "class")
    spread, member = [full + 3 * axis(place, NARROW) for place in range(CLASSES)], labels()
    one = [lost + 3 * axis(0, NARROW), *spread[1:]]
    few = np.concatenate([*spread, drawn("few", FEW, NARROW)])
    return lone(
        "class_ranks", fewest, "below", 8.0,
        Case(f"{CLASSES} classes of 12 equal directions of {NARROW}", (np.concatenate(spread), member), 12.0, 1e-5),
        Case("one of them with directions that halve", (np.concatenate(one), member), 4.0, 1e-3),
        Case(f"the healthy classes and one of {FEW} Gaussian rows", (few, np.append(member, np.full(FEW, CLASSES)))), FALSE,
        "A class of a few rows has few directions: {fooled}. Beside it stands what an isotropic class of that size gives.", coloured, "class_ranks(z, classes)",
    )  # fmt: skip


def of_classes() -> list[Entry]:
    member, within = labels(), np.ones(D)
    beside = (np.arange(D) >= CLASSES).astype(float)
    apart = classed(simplex(2.0), within)
    bars = np.zeros((N, D))
    bars[:, 0], bars[:, 1] = np.tile(np.linspace(-10, 10, N // 2), 2), np.repeat([0.0, 2.0], N // 2)
    far = moved(classed(simplex(6.0), 0.5 * within), 20.0, D - 1)
    nc1 = lambda size, scale: (CLASSES - 1) * scale**2 / size**2  # noqa: E731
    healthy = Case(f"{CLASSES} classes that overlap", (apart, member), nc1(2.0, 1.0))
    found = [
        lone(
            "neural_collapse", lambda z, member: classes.neural_collapse(z, member).nc1, "below", 0.05, healthy,
            Case(f"the same means, classes at {number(SMALL)} of their size", (classed(simplex(2.0), SMALL * within), member), nc1(2.0, SMALL)),
            Case("classes wide in directions that do not tell them apart", (classed(simplex(2.0), beside), member), 0.0), FALSE,
            "Only the span of the class means counts: classes that are as wide as before beside it read {fooled}.", coloured, "neural_collapse(z, classes).nc1",
        ),
        lone(
            "centroid_cosine", classes.centroid_cosine, "above", 0.5,
            healthy._replace(truth=-1 / (CLASSES - 1)),
            Case("classes that share their mean", (moved(classed(0.1 * simplex(2.0), within), 4.0), member)),
            Case("classes far apart, the whole cloud farther from the origin", (far, member)), FALSE,
            "A common mean makes all classes alike: {fooled}, though they are farther apart than in the healthy example.", coloured, "centroid_cosine(z, classes)",
        ),
        lone(
            "silhouette", classes.silhouette, "below", 0.2,
            Case("classes apart", (classed(simplex(8.0), within), member)),
            Case("the same rows with other rows' classes", (classed(simplex(8.0), within), np.tile(np.arange(CLASSES), A_CLASS))),
            Case("two parallel bars, each a class", (bars, np.repeat([0, 1], N // 2))), FALSE,
            "It thinks in balls: two long bars that a line separates read {fooled}.", coloured, "silhouette(z, classes)",
        ),
        ranks_within(),
    ]  # fmt: skip
    return [replace(each, module="classes") for each in found]


def entries() -> list[Entry]:
    return [*of_dimension(), *of_classes()]
