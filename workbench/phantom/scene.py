"""From latents to path lengths: the thorax with its findings, as the rays see it."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy import fft

from workbench.phantom import SIDES
from workbench.phantom.anatomy import LUNG_DENSITY, Thorax, bones, in_lung, plane, thorax, vessels
from workbench.phantom.latents import Finding, Study
from workbench.phantom.levels import LEVELS, Level
from workbench.phantom.solids import Ellipsoid, Interval, Rays, both, interval, occupied, project, tubes
from workbench.randomness import rng

LUNG_TEXTURE, SOFT_TEXTURE = 0.085, 0.016  # standard deviations, of the air and of the tissue
TEXTURE_POWER = 2.3  # log-log slope of their power, negative
TEXTURE = 64  # cycles across the film up to which textures are drawn, whatever the film's size


class Scene(NamedTuple):
    """Paths in cm of soft tissue, bone and device material (h, w), and where every structure is."""

    soft: np.ndarray
    bone: np.ndarray
    device: np.ndarray
    inside: dict[tuple[str, str], np.ndarray]  # (mask name, side) -> bool (h, w)


def textures(study: Study, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Two fields of unit variance over the film whose power falls as frequency to the -2.3; equal at every size."""
    half = min(size // 2, TEXTURE)
    whole = np.zeros((2, size, size), np.float32)
    for inner, outer in (
        (0, 16),
        (16, 32),
        (32, TEXTURE),
    ):  # each ring of frequencies has its own stream: a small film draws only what it shows
        if outer <= half:
            ring = rng(study.seed, "phantom texture", outer, study.number).standard_normal((2, 2 * outer, 2 * outer), dtype=np.float32)
            ring[:, outer - inner : outer + inner, outer - inner : outer + inner] = 0
            whole[:, size // 2 - outer : size // 2 + outer, size // 2 - outer : size // 2 + outer] += ring
    field = fft.ifft2(fft.ifftshift((whole[0] + 1j * whole[1]) * texture_amplitude(size))) * size**2
    return field.real, field.imag


@lru_cache(maxsize=8)
def texture_amplitude(size: int) -> np.ndarray:
    """(size, size): amplitude of each wave, so that the field up to TEXTURE cycles has unit variance; flat below 3 cycles."""
    across = np.arange(-TEXTURE, TEXTURE)
    whole = np.maximum(np.hypot(across[:, None], across), 3.0) ** (-TEXTURE_POWER / 2)
    own = np.arange(-(size // 2), size - size // 2)
    falling = np.maximum(np.hypot(own[:, None], own), 3.0) ** (-TEXTURE_POWER / 2)
    return (falling / np.sqrt(np.sum(whole**2))).astype(np.float32)


def scene(study: Study, beam: Rays) -> Scene:
    """Everything in the beam's way."""
    level, body = LEVELS[study.level], thorax(study)
    crossed = {name: interval(beam, solid) for name, solid in body.solids.items()}
    soft, flesh = crossed["trunk"].length, [crossed["trunk"]]
    for name in ("girdle", "neck", "right shoulder", "left shoulder", "right breast", "left breast"):
        if name in crossed:
            soft = soft + crossed[name].length - occupied(crossed[name], flesh)
            flesh = [*flesh[:2], crossed[name]] if name == "girdle" else flesh
    covered = soft > 0.5
    soft = soft - both(crossed["trachea"], crossed["mediastinum"]).length
    lung_texture, soft_texture = textures(study, len(beam.y))
    inside: dict[tuple[str, str], np.ndarray] = {("heart", ""): crossed["heart"].length > 0.5}
    for side in SIDES:
        soft = soft - lung(study, level, beam, body, crossed, side, lung_texture, inside)
    soft = soft * (1 + SOFT_TEXTURE * soft_texture)
    device = np.zeros_like(soft)
    for finding in study.findings:
        if finding.name == "support device":
            device, where = device_path(beam, body, finding, level.tube)
            inside["support device", finding.side] = where
    return Scene(np.maximum(soft, 0) * beam.slant, bones(beam, body, study) * covered, device, inside)


def lung(
    study: Study,
    level: Level,
    beam: Rays,
    body: Thorax,
    crossed: dict[str, Interval],
    side: str,
    noise: np.ndarray,
    inside: dict[tuple[str, str], np.ndarray],
) -> np.ndarray:
    """Soft tissue that the air of one lung replaces, in cm of z; notes where its findings are."""
    findings = {finding.name: finding for finding in study.findings if finding.side == side}
    cavity = both(interval(beam, body.lungs[side]), crossed["trunk"])
    solid = [crossed[name] for name in ("heart", "mediastinum", "aorta", f"{side} dome")]
    room = cavity.length - occupied(cavity, solid)
    inside[f"{side} lung", side] = room > 1.0
    tissue, empty, line = room, 0.0, 0.0
    if "pneumothorax" in findings:
        shrunk = collapsed(body, side, findings["pneumothorax"].size)
        own = both(interval(beam, shrunk), cavity)
        tissue = own.length - occupied(own, solid)
        empty = np.maximum(room - tissue, 0)
        shell = both(interval(beam, shrunk._replace(radii=shrunk.radii + 0.18)), cavity)
        line = np.maximum(shell.length - own.length, 0) * (empty > 0)
        inside["pneumothorax", side] = empty > np.maximum(0.5 * tissue, 0.6)
    aerated = np.ones_like(room)
    if "effusion" in findings:
        dry, where = fluid(beam, body, side, findings["effusion"].size)
        aerated = aerated * dry
        inside["effusion", side] = where & (room > 0.3)
    if "consolidation" in findings:
        spared = clear_of_patch(beam, body, side, findings["consolidation"], noise)
        aerated = aerated * spared
        inside["consolidation", side] = (spared < 1 - 0.4 * findings["consolidation"].size) & (tissue > 1.0)
    seen = np.clip(tissue / 4, 0, 1) * aerated
    marks = (vessels(beam, body, study, side) * level.texture + LUNG_TEXTURE * level.texture * tissue * noise) * seen
    if "nodule" in findings:
        ball = both(
            interval(beam, Ellipsoid(in_lung(body, side, findings["nodule"].place), np.full(3, findings["nodule"].size), np.eye(3))), cavity
        )
        marks = marks + level.nodule_contrast * ball.length * np.clip(tissue / 2, 0, 1) * aerated
        inside["nodule", side] = ball.length > 0
    gone = aerated * ((1 - LUNG_DENSITY) * tissue + empty) - (1 - LUNG_DENSITY) * marks - 0.8 * line
    return np.minimum(gone, room)


def collapsed(body: Thorax, side: str, share: float) -> Ellipsoid:
    """The lung fallen towards its hilum: smaller, lower and nearer to the middle."""
    whole = body.lungs[side]
    shrink = np.array([1 - 0.75 * share, 1 - 0.55 * share, 1 - 0.55 * share])
    move = whole.radii * (1 - shrink) * np.array([-0.85 * body.sides[side], -0.7, 0.0])
    return Ellipsoid(whole.centre + whole.axes @ move, whole.radii * shrink, whole.axes)


def fluid(beam: Rays, body: Thorax, side: str, height: float) -> tuple[np.ndarray, np.ndarray]:
    """Share of the air left by pleural fluid, whose surface climbs towards the side wall; and where the fluid is."""
    dome = body.solids[f"{side} dome"]
    across, up = plane(beam, body, -2.0)
    top = (body.turned.T @ dome.centre)[1] / body.scale + dome.radii[1] / body.scale
    out = np.clip(np.abs(across) / 13.0, 0, 1.2)
    surface = top - 4.0 + height + 2.2 * (out - 0.6) * np.abs(out - 0.6) * 4
    above = np.clip((up - surface) / 1.6, -8, 8)
    wet = 1 / (1 + np.exp(2.2 * above))
    return (1 - 0.97 * wet).astype(beam.x.dtype), wet > 0.5


def clear_of_patch(beam: Rays, body: Thorax, side: str, patch: Finding, noise: np.ndarray) -> np.ndarray:
    """Share of the air left by a consolidation with a ragged edge."""
    centre = project(beam, in_lung(body, side, patch.place)[None])[0]
    wide, high = 2.6 + 2.2 * patch.severity, 2.8 + 2.6 * patch.severity
    away = ((beam.x - centre[0]) / wide) ** 2 + ((beam.y - centre[1]) / high) ** 2
    ragged = away * np.exp(0.45 * noise)
    return (1 - patch.size * np.exp(-(ragged**1.5))).astype(beam.x.dtype)


def device_path(beam: Rays, body: Thorax, device: Finding, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Attenuation added by a line, tube or pacemaker, and where it is."""
    a, b, c = (2 * value - 1 for value in device.place)
    way = body.sides.get(device.side, 1)
    box = np.zeros_like(beam.slant)
    if device.kind == "endotracheal tube":
        points, wide = [(0.3 * a, 24, 1), (0.2 * b, 12, 1), (0.2 + 0.2 * c, 5.5 + 1.2 * a, 1)], 0.30
    elif device.kind == "central venous catheter":
        points, wide = [(way * 4.0, 20, 3), (way * (2.8 + 0.4 * a), 12.0, 3), (-1.9, 8.0 + b, 1), (-2.2, 0.5 + 2.5 * c, 1)], 0.20
    elif device.kind == "pacemaker":
        heart = (3.5 + a, -8.5 + 0.8 * c, 4)
        points, wide = [(way * (8.5 + a), 7.5 + b, 8), (way * 6.0, 10.5, 6), (-1.0, 8.5, 2), (-2.0, 0.5, 1), heart], 0.20
        middle = body.turned @ np.array([way * (8.8 + a), 6.8 + b, 9.0]) * body.scale
        box = 1.6 * interval(beam, Ellipsoid(middle, np.array([2.3, 2.6, 0.5]), body.turned)).length
    else:
        points, wide = [(-0.3, 24, 0), (0.3 * a, 8, -2), (0.6, -5, -2), (1.5, -11, 0), (5.0 + 1.5 * b, -14 + c, 2)], 0.22
    placed = project(beam, smooth(np.array(points, float)) @ body.turned.T * body.scale)
    line = tubes(beam, placed[:-1], placed[1:], np.full(len(placed) - 1, width * wide), joined=True)
    path = device.size * (line / (2 * width * wide) + box)
    return path, path > 0.25 * device.size


def smooth(points: np.ndarray, pieces: int = 6) -> np.ndarray:
    """A Catmull-Rom curve through the points."""
    ends = np.concatenate([2 * points[:1] - points[1:2], points, 2 * points[-1:] - points[-2:-1]])
    t = np.linspace(0, 1, pieces, endpoint=False)[:, None]
    curve = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(ends, ends[1:], ends[2:], ends[3:])
    ]
    return np.concatenate([*curve, points[-1:]])
