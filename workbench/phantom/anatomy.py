"""The healthy thorax: solids, bones and vessels of one patient, placed before the detector."""

import math
from typing import NamedTuple

import numpy as np

from workbench.phantom.latents import Study
from workbench.phantom.solids import Ellipsoid, Rays, project, tubes, turn
from workbench.randomness import rng

LUNG_DENSITY = 0.27  # of soft tissue
RIBS = 10


class Thorax(NamedTuple):
    """One patient's solids in detector axes, and the numbers that bones and findings need."""

    solids: dict[str, Ellipsoid]
    lungs: dict[str, Ellipsoid]
    turned: np.ndarray  # (3, 3) patient axes to detector axes
    scale: float
    sides: dict[str, int]  # which way "out" is: -1 right, +1 left


def thorax(study: Study) -> Thorax:
    """Solids from the latents: lengths of an average adult in cm, then scaled."""
    own, scale = study.patient, float(np.exp(study.patient.size))
    wide = np.exp(own.shape[0] * 0.5)
    lung_height, narrow = np.exp(own.shape[1]), np.exp(own.shape[2] * 0.5)
    grown = sum(finding.size for finding in study.findings if finding.name == "cardiomegaly")
    heart = np.exp(own.heart + grown - 0.05 * (study.inspiration - 0.6))
    fat = 0.86 + 0.34 * own.build
    dome = -8.2 - 4.2 * study.inspiration + 12 * own.shape[3]
    turned = turn(study.yaw, study.roll)

    def solid(centre: tuple[float, float, float], radii: tuple[float, float, float], roll: float = 0.0, pitch: float = 0.0) -> Ellipsoid:
        return Ellipsoid(turned @ np.array(centre) * scale, np.array(radii) * scale, turned @ turn(0.0, roll, pitch))

    old = (own.age - 57) / 18
    solids = {
        "trunk": solid((0, -15, 0), (17.5 * fat, 34, 10.8 * fat)),
        "neck": solid((0, 19, -1), (5.4 * fat, 15, 5.4)),
        "girdle": solid((0, 9.5, -1.5), (18.5, 6.0 + own.build, 5.5)),
        "right shoulder": solid((-17.5, 4.5, -1.5), (5.5, 11.0, 5.2), -18),
        "left shoulder": solid((17.5, 4.5, -1.5), (5.5, 11.0, 5.2), 18),
        "heart": solid(
            (1.7, -5.4 - 1.5 * (0.6 - study.inspiration), 2.6), (6.0 * heart, 4.9 * heart, 4.6 * heart), -38 + 10 * study.inspiration
        ),
        "mediastinum": solid((0, 4, -0.5), (2.5 + 0.25 * old, 17, 4.5)),
        "aorta": solid((2.5, 5.2, -1.0), (1.6 + 0.22 * old, 1.9 + 0.2 * old, 2.6)),
        "right dome": solid((-7.2, dome - 13.5, -0.3), (9.0 * narrow, 13.5, 11.5)),
        "left dome": solid((7.2, dome - 14.5, -0.3), (9.0 * narrow, 13.5, 11.5)),
        "trachea": solid((0, 12, 0.5), (0.85, 9.5, 0.8)),
        "spine": solid((0, -5, -6.2), (1.75, 60, 1.6)),
    }
    if own.sex == "F":
        bulk = 0.7 + 0.6 * own.build + 4 * own.shape[4]
        for name, way in (("right breast", -1), ("left breast", 1)):
            solids[name] = solid((way * 8.0, -7.5 - 1.5 * own.build, 10.2 * fat), (5.6, 5.4, 3.0 * max(bulk, 0.3)))
    lungs = {
        "right": solid((-7.3 * wide, -3.5, 0), (5.9 * wide, 16.0 * lung_height, 8.4), -4),
        "left": solid((7.3 * wide, -3.5, 0), (5.8 * wide, 16.0 * lung_height, 8.2), 4),
    }
    return Thorax(solids, lungs, turned, scale, {"right": -1, "left": 1})


def in_lung(body: Thorax, side: str, place: tuple[float, float, float]) -> np.ndarray:
    """Detector axes of a place relative to a lung: (out, up, front)."""
    lung = body.lungs[side]
    return lung.centre + lung.axes @ (lung.radii * np.array([body.sides[side] * place[0], place[1], place[2]]))


def plane(beam: Rays, body: Thorax, depth: float) -> tuple[np.ndarray, np.ndarray]:
    """Patient coordinates x, y (h, w), unscaled, where the rays cross the patient's plane z = depth."""
    near = beam.alpha + beam.beta * depth * body.scale
    across, up = beam.x * near / body.scale, beam.y * near / body.scale
    (xx, xy, xz), (yx, yy, yz), _ = body.turned.tolist()  # Python floats: numpy's would make everything double
    across, up, area = across - xz * depth, up - yz * depth, xx * yy - xy * yx
    return yy / area * across - xy / area * up, xx / area * up - yx / area * across


def tube_wall(away: np.ndarray, radius: float | np.ndarray, marrow: float = 0.72) -> np.ndarray:
    """Chord through a hollow tube at distance `away` from its axis; the marrow counts a quarter."""
    square = away * away
    inner = np.sqrt(np.maximum((marrow * radius) ** 2 - square, 0))
    return 2 * np.sqrt(np.maximum(radius * radius - square, 0)) - 1.5 * inner


def bones(beam: Rays, body: Thorax, study: Study) -> np.ndarray:
    """Bone path (h, w) in cm: ribs behind and in front, clavicles, shoulder blades, vertebrae."""
    own = study.patient
    draw = rng(study.seed, "phantom bones", 0, study.patient_index)
    phase, spacing, drop = draw.uniform(-1.0, 1.0), 2.55 * math.exp(0.05 * draw.normal()), draw.uniform(0.85, 1.15)
    raised = 1.2 * (study.inspiration - 0.6)
    total = np.zeros_like(beam.slant)
    for depth, behind in ((-5.0, True), (6.0, False)):
        across, up = plane(beam, body, depth)
        cage = 13.6 * np.sqrt(np.clip(1 - ((up + 5.0) / 20.0) ** 2, 0.02, 1))  # half width of the rib cage at this height
        out = np.abs(across) / cage
        flat = np.sqrt(np.clip(1 - out * out, 0.02, 1))  # cosine of the rib's angle from the side
        if behind:  # from the spine out and slowly down
            fall, start, gap = drop * (7.5 - raised) * (1 - flat) - 1.0 * out, 11.2, spacing
            shown = np.clip((np.abs(across) - 1.6) * 2, 0, 1)
        else:  # from the side to the breastbone, steeper, ending in cartilage that is hardly seen
            fall, start, gap = drop * (7.5 - raised) + (2.5 + 3.0 * (1 - out)) * flat + 0.5, 11.2, spacing
            shown = 0.75 * np.clip((out - 0.42) * 4, 0, 1)
        number = (start + phase + raised - up - fall) / gap
        nearest = np.clip(np.round(number), 0, RIBS - 1 if behind else RIBS - 4)
        slope = np.clip(out / flat * (0.55 if behind else -0.45), -2.5, 2.5)
        away = (number - nearest) * gap / np.sqrt(1 + slope * slope)
        thick = np.minimum(1 / flat, 2.2)
        total += np.where(out < 1, shown * thick * tube_wall(away, 0.62 + 0.03 * nearest), 0) * 0.55
    across, up = plane(beam, body, 5.0)
    side = np.abs(across)
    ridge = 11.0 + 0.9 * own.shape[5] / 0.06 * 0.5 + 0.16 * (side - 1.5) + 1.1 * np.sin((side - 1.5) / 13 * 2 * np.pi)
    shown = np.clip((side - 1.2) * 2, 0, 1) * np.clip((14.5 - side) * 1.5, 0, 1)
    total += 1.1 * shown * tube_wall((up - ridge) * 0.93, 0.72)
    across, up = plane(beam, body, -8.0)
    blade = (np.abs(across) - 13.2 - 0.12 * (up - 3)) / 3.2, (up - 2.5) / 8.0
    total += 0.35 * np.clip((1 - blade[0] ** 2 - blade[1] ** 2) * 4, 0, 1)
    across, up = plane(beam, body, -6.2)
    disc = 0.5 + 0.5 * np.cos(2 * np.pi * (up + phase) / 2.9)
    column = np.sqrt(np.maximum(1.75**2 - across * across, 0))
    total += column * (0.35 + 0.25 * np.sqrt(disc)) + 0.6 * np.exp(-((np.abs(across) / 0.45) ** 2)) * disc**3
    brittle = 1.08 - 0.1 * max(0.0, (own.age - 50) / 40)
    return (total * (body.scale * brittle)).astype(beam.x.dtype)


def vessels(beam: Rays, body: Thorax, study: Study, side: str) -> np.ndarray:
    """Path (h, w) through the branching vessels of one lung, in cm."""
    draw = rng(study.seed, f"phantom vessels {side}", 0, study.patient_index)
    way = body.sides[side]
    hilum = np.array([way * 3.6, 0.8 if side == "left" else 0.0, -0.3])
    angle = np.deg2rad(np.array([75.0, 40.0, 8.0, -22.0, -48.0, -75.0]) + draw.normal(0, 9, size=6))
    start, tilt, radius = np.tile(hilum, (6, 1)), draw.normal(0, 0.35, size=6), np.full(6, 0.5)
    starts, ends, radii = [], [], []
    for reach in (4.6, 3.2, 2.5):
        length = reach * draw.uniform(0.7, 1.25, size=len(angle))
        stop = start + length[:, None] * np.stack([way * np.cos(angle) * np.cos(tilt), np.sin(angle) * np.cos(tilt), np.sin(tilt)], 1)
        starts.append(start)
        ends.append(stop)
        radii.append(radius)
        spread = np.concatenate([draw.uniform(0.25, 0.6, size=len(angle)), -draw.uniform(0.2, 0.6, size=len(angle))])
        start, angle, radius = np.tile(stop, (2, 1)), np.tile(angle, 2) + spread, np.tile(0.68 * radius, 2)
        tilt = np.tile(tilt, 2) + draw.normal(0, 0.3, size=len(angle))
    placed = [np.concatenate(points) @ body.turned.T * body.scale for points in (starts, ends)]
    tree = tubes(beam, project(beam, placed[0]), project(beam, placed[1]), np.concatenate(radii) * body.scale)
    knot = project(beam, (hilum * body.scale @ body.turned.T)[None])[0]
    round_hilum = ((beam.x - knot[0]) / 1.5) ** 2 + ((beam.y - knot[1]) / 2.3) ** 2
    return (1.6 * np.tanh(tree / 1.6) + 1.0 * np.exp(-round_hilum)).astype(beam.x.dtype)  # vessels that cross lie in each other
