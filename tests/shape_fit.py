"""How the parameters of thorax/shape.py must vary for the simulated lungs' outlines to have the mean and the covariance of given ones."""

from typing import NamedTuple

import numpy as np

from tests.outlines import aligned, pair_points
from workbench.phantom import SIDES
from workbench.phantom.solids import Ellipsoid, Interval, both, interval, rays, turn
from workbench.phantom.thorax.aim import CENTRE
from workbench.phantom.thorax.outline import TRUNK
from workbench.phantom.thorax.shape import Shape, cage, dome, level, lung, names, partitions, shaped
from workbench.randomness import rng

SIZE, BEHIND = 224, 1.0  # pixels across a film, and cm of lung that a ray must cross to be inside
BEAM = rays("PA", SIZE, 38.0, (0.0, CENTRE), np.float32)
NOISE = 0.4  # cm, standard deviation of a coordinate about the model: more than is left, because neighbours are missed alike
CLOUD, AGAIN = 400, 4  # patients drawn for slopes, and how often they are drawn from what was found
DISCREPANCY = 0.3  # cm, by which a coordinate of the mean outline may be missed as easily as a parameter moves by its scale
ROUNDS, STEP, SLOPE = 12, 1.0, 0.5  # of the mean's fit, longest step and half distance of differences, in scales
WEIGHT, SHARE, TURNS = 150, 0.2, 300  # outlines that the prior of the covariance is worth, its variance, turns of the EM
# How far a parameter moves from one adult to the next, as a prior: our choice
SCALE = {"wide": 0.03, "low": 2.0, "high": 0.1, "mediastinum": 0.15}
SCALE |= {"apex": 1.0, "lean": 3.0, "out": 0.6, "broad": 0.08, "top": 1.0, "dome_out": 0.35, "dome_edge": 0.35}
SCALES = np.array([SCALE[name.split()[-1]] for name in names()])


class Pose(NamedTuple):
    """What else moves an outline: the breath, a turn about the long axis in degrees, the age in years."""

    inspiration: float = 0.6
    yaw: float = 0.0
    age: float = 57.0


STILL, SPREAD = Pose(), Pose(0.19, 4.0, 18.0)  # standard deviations in the simulator, both views together


class Linear(NamedTuple):
    """Landmarks flattened (2k,) near one shape: base + slopes @ scaled parameters + moved @ standardised pose."""

    at: np.ndarray  # (p,) parameters over SCALES
    base: np.ndarray  # (2 * POINTS, 2) cm
    slopes: np.ndarray  # (2k, p)
    moved: np.ndarray  # (2k, 3)


class Fitted(NamedTuple):
    """Parameters over SCALES."""

    mean: np.ndarray  # (p,)
    covariance: np.ndarray  # (p, p)
    left: float  # cm, standard deviation of a coordinate about the model
    linear: Linear


class Bounds(NamedTuple):
    """The solids that an outline depends on, the right lung and dome first."""

    cage: Ellipsoid
    lungs: list[Ellipsoid]
    domes: list[Ellipsoid]
    middle: list[Ellipsoid]


def bounds(own: Shape, pose: Pose = STILL) -> Bounds:
    """Those of a simulated patient."""
    domes = [dome(own, side, level(own, side, pose.inspiration)) for side in SIDES]
    return Bounds(cage(own), [lung(own, side, 0.0) for side in SIDES], domes, list(partitions(own, pose.age, 0.0).values()))


def former(normals: np.ndarray, pose: Pose = STILL) -> Bounds:
    """Those of the simulator before shapes were fitted, of four standard normals: four proportions of chance size, the same on both sides."""
    wide, tall, narrow, high = 0.06 * normals[:4] * (0.5, 0.7, 0.5, 12)
    plain = bounds(shaped(np.zeros(len(names()))), pose)
    out, up = np.array([np.exp(wide), 1, 1]), np.array([1, np.exp(tall), 1])
    lungs = [each._replace(centre=each.centre * out, radii=each.radii * out * up) for each in plain.lungs]
    domes = [
        Ellipsoid(
            np.array([way * 5.7, each.centre[1] + each.radii[1] - 14.5 + high, 1.8]),
            np.array([10.3 * np.exp(narrow), 14.5, 11.3]),
            np.eye(3),
        )
        for each, way in zip(plain.domes, (-1, 1))
    ]
    return Bounds(plain.cage._replace(radii=plain.cage.radii * out), lungs, domes, plain.middle)


def covered(within: Interval, solids: list[Interval]) -> np.ndarray:
    """Length of the part of `within` that any of the solids covers; three at once are not corrected for."""
    inside = [both(within, solid) for solid in solids]
    total = sum(each.length for each in inside)
    for place, one in enumerate(inside):
        for other in inside[:place]:
            total = total - both(one, other).length
    return np.clip(total, 0, within.length)


def silhouettes(found: Bounds, yaw: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Right and left lung (SIZE, SIZE) of a PA film as the human masks have them: above the domes' edge, the heart left out, the mediastinum not."""
    turned, (place, radii) = turn(yaw), TRUNK

    def seen(solid: Ellipsoid) -> Interval:
        return interval(BEAM, Ellipsoid(turned @ solid.centre, solid.radii, turned @ solid.axes))

    room, middle = (
        both(seen(found.cage), seen(Ellipsoid(np.array(place), np.array(radii), np.eye(3)))),
        [seen(each) for each in found.middle],
    )
    lungs = []
    for own, below in zip(found.lungs, found.domes):
        inside = both(seen(own), room)
        air = inside.length - covered(inside, middle)
        lungs.append((air > BEHIND) & (both(inside, seen(below)).length <= 0))
    return lungs[0], lungs[1]


def points_of(found: Bounds, yaw: float = 0.0) -> np.ndarray:
    """Landmarks (2 * POINTS, 2) of a simulated patient, cm in the patient's middle plane."""
    return pair_points(silhouettes(found, yaw)) * BEAM.step * BEAM.alpha


def landmarks(values: np.ndarray, pose: Pose = STILL) -> np.ndarray:
    """The same for parameters over SCALES."""
    return points_of(bounds(shaped(values * SCALES), pose), pose.yaw)


def flat(points: np.ndarray) -> np.ndarray:
    return points.reshape(len(points), -1)


def linear(at: np.ndarray, covariance: np.ndarray | None = None, purpose: int = 0) -> Linear:
    """By central differences, or by least squares over patients drawn with this covariance; what a similarity of the plane explains is taken out."""
    base, still, turns = landmarks(at), np.array(STILL), np.array(SPREAD)
    if covariance is None:
        slopes = [landmarks(at + step) for way in (1, -1) for step in way * SLOPE * np.eye(len(at))]
        up, down = np.split(deviations(np.array(slopes), base), 2)
        return Linear(at, base, (up - down).T / (2 * SLOPE), np.zeros((base.size, len(turns))))
    draw = rng(0, "shape fit", purpose, 0)
    shapes = draw.multivariate_normal(np.zeros(len(at)), covariance, CLOUD)
    poses = np.clip(draw.normal(size=(CLOUD, len(turns))), -2, 2)
    found = [landmarks(at + one, Pose(*(still + turns * other))) for one, other in zip(shapes, poses)]
    known = np.hstack([np.ones((CLOUD, 1)), shapes, poses])
    ways = np.linalg.lstsq(known, deviations(np.array(found), base), rcond=None)[0]
    return Linear(at, base + ways[0].reshape(base.shape), ways[1 : len(at) + 1].T, ways[len(at) + 1 :].T)


def deviations(points: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Outlines (n, k, 2), aligned onto one, minus it (n, 2k)."""
    return flat(aligned(points, base)) - base.ravel()


def fit_mean(points: np.ndarray) -> Linear:
    """Parameters whose outline is nearest to the mean one, each held near 0 by its scale: damped Gauss-Newton steps."""
    at, best, least = np.zeros(len(SCALES)), None, np.inf
    for _ in range(ROUNDS):
        here = linear(at)
        gap = deviations(points, here.base).mean(0)
        cost = (gap**2).sum() / DISCREPANCY**2 + (at**2).sum()
        if cost < least:
            best, least = here, cost
        pull = here.slopes.T @ here.slopes / DISCREPANCY**2 + np.eye(len(at))
        step = np.linalg.solve(pull, here.slopes.T @ gap / DISCREPANCY**2 - at)
        at = at + step * min(1.0, STEP / abs(step).max())
    assert best is not None
    return best


def fit_covariance(points: np.ndarray, near: Linear, noise: float = NOISE) -> Fitted:
    """Parameters ~ N(mean, covariance), pose as simulated, the rest noise: expectation maximisation about the mean outline."""
    own = deviations(points, near.base)
    own = own - own.mean(0)
    count, each = len(own), len(SCALES)
    ways = np.hstack([near.slopes, near.moved])
    prior = np.eye(ways.shape[1])
    prior[:each, :each] *= SHARE
    for _ in range(TURNS):
        left = np.linalg.inv(np.linalg.inv(prior) + ways.T @ ways / noise**2)
        expected = own @ ways @ left / noise**2
        part = expected[:, :each]
        prior[:each, :each] = (part.T @ part + count * left[:each, :each] + WEIGHT * SHARE * np.eye(each)) / (count + WEIGHT)
    return Fitted(near.at, prior[:each, :each], float((own - expected @ ways.T).std()), near)


def modes_of(found: Fitted, count: int) -> np.ndarray:
    """Parameters (count, p), not scaled, moved by one standard deviation of each mode, the one that moves the landmarks most first."""
    root = np.linalg.cholesky(found.covariance)
    _, _, ways = np.linalg.svd(found.linear.slopes @ root, full_matrices=False)
    return (root @ ways[:count].T).T * SCALES


def fit(points: np.ndarray) -> Fitted:
    """The distribution of parameters for outlines (n, 2 * POINTS, 2) of any scale, turn and place; slopes are those over the spread found before."""
    near = fit_mean(points)
    found = fit_covariance(points, linear(near.at, SHARE * np.eye(len(SCALES))))
    for purpose in range(1, 1 + AGAIN):
        near = linear(found.mean, found.covariance, purpose)
        gap = deviations(points, near.base).mean(0)
        pull = near.slopes.T @ near.slopes / DISCREPANCY**2 + np.eye(len(SCALES))
        step = np.linalg.solve(pull, near.slopes.T @ gap / DISCREPANCY**2 - near.at)
        moved = near.at + step * min(1.0, STEP / abs(step).max())
        found = fit_covariance(points, near._replace(at=moved))
    return spread_out(found, deviations(points, found.linear.base))


def spread_out(found: Fitted, own: np.ndarray) -> Fitted:
    """The covariance, which its prior holds small, enlarged to the variance of outlines (n, 2k) that pose and what is left leave."""
    ways, moved = found.linear.slopes, found.linear.moved
    wanted = own.var(0).sum() - (moved**2).sum() - found.left**2 * own.shape[1]
    return found._replace(covariance=found.covariance * wanted / np.trace(ways @ found.covariance @ ways.T))
