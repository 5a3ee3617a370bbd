"""Findings written into a CT: changes of CT numbers inside the labelled lungs. An enlarged heart and lost volume are changes of shape, see `bend`."""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from workbench.phantom.ct import SIDES
from workbench.phantom.ct.scan import Scan
from workbench.phantom.thorax.latents import Finding, Study
from workbench.randomness import rng

TISSUE, WATER, AIR = 40.0, 15.0, -1000.0  # CT numbers of a lesion, of fluid, of free air
LINE = 0.15  # cm, the visceral pleura of a fallen lung
WAVES = 7
WAY = {"right": -1, "left": 1}
ORGANS = ("right lung", "left lung", "heart")
HILUM = (-0.45, 0.0, -0.05)  # out, up, front


class Lung(NamedTuple):
    """One lung inside its bounding box."""

    box: tuple[slice, slice, slice]
    inside: np.ndarray  # (z, h, w) bool
    depth: np.ndarray  # (z, h, w) cm from the lung's surface
    axes: tuple[np.ndarray, np.ndarray, np.ndarray]  # out (w), up (z, 1, 1) and front (h, 1), each in [-1, 1]
    half: np.ndarray  # (3,) cm from the middle to the side, the top and the front


class Chest(NamedTuple):
    """A scan and what its findings need to know of it."""

    scan: Scan
    lungs: dict[str, Lung]
    heart: np.ndarray  # (2, 3) the corners of its box in voxels (z, h, w)
    bits: np.ndarray  # (z, h, w) uint32: a bit for each of ORGANS


def chest_of(scan: Scan) -> Chest:
    """Measure lungs and heart of a scan once."""
    bits = sum(scan.organ(name).astype(np.uint32) << np.uint32(number) for number, name in enumerate(ORGANS))
    where = np.nonzero(scan.organ("heart"))
    heart = np.array([[axis.min() for axis in where], [axis.max() for axis in where]], float)
    return Chest(scan, {side: lung_of(scan, side) for side in SIDES}, heart, np.asarray(bits))


def lung_of(scan: Scan, side: str) -> Lung:
    """The lung with coordinates relative to its bounding box."""
    whole = scan.organ(f"{side} lung")
    box = tuple(
        slice(int(found[0]), int(found[-1]) + 1) for found in map(np.flatnonzero, (whole.any((1, 2)), whole.any((0, 2)), whole.any((0, 1))))
    )
    inside = whole[box]
    spacing = np.array(scan.spacing_mm) / 10
    up, front, left = (np.linspace(-1, 1, size, dtype=np.float32) for size in inside.shape)
    axes = (WAY[side] * left, up[:, None, None], -front[:, None])
    depth = ndimage.distance_transform_edt(np.pad(inside, 1), spacing)[1:-1, 1:-1, 1:-1].astype(np.float32)
    half = (np.array(inside.shape) * spacing / 2)[[2, 0, 1]]
    return Lung(box, inside, depth, axes, half)  # type: ignore[arg-type]


Part = tuple[tuple[slice, slice, slice], np.ndarray]  # a box of the scan and bool inside it


class Edited(NamedTuple):
    """CT numbers with the findings in, and where each is."""

    hounsfield: np.ndarray  # (z, h, w) float32
    where: dict[tuple[str, str], list[Part]]  # (finding, side) -> its parts


def edited(chest: Chest, study: Study) -> Edited:
    """Write every finding of a study but an enlarged heart; air of the pleura first, then lesions, then water."""
    numbers, where = chest.scan.hounsfield.astype(np.float32), dict[tuple[str, str], list[Part]]()
    for number, side in enumerate(SIDES):
        lung, own = chest.lungs[side], {each.name: each for each in study.findings if each.side in ("", side)}
        part, air = numbers[lung.box], np.zeros_like(lung.inside)
        waves = rng(study.seed, "ct texture", number, study.number)
        texture = (waves.normal(size=(WAVES, 3)), waves.uniform(0.8, 3.2, size=WAVES), waves.uniform(0, 2 * np.pi, size=WAVES))
        if "pneumothorax" in own:
            part[...], air = fallen(lung, part, own["pneumothorax"].size)
            where["pneumothorax", side] = [(lung.box, air)]
        for name in ("oedema", "consolidation", "atelectasis", "nodule", "mass", "effusion"):
            if name in own:
                share = weight(lung, own[name], lung.inside if name == "effusion" else lung.inside & ~air, texture)
                part += share * ((WATER if name == "effusion" else TISSUE) - part)
                parts = where.setdefault((name, "" if name == "oedema" else side), [])
                parts.append((lung.box, share > (0.12 if name == "oedema" else 0.4)))
    return Edited(numbers, where)


def weight(lung: Lung, finding: Finding, room: np.ndarray, texture: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
    """Share in [0, 1] of every voxel that a finding fills (z, h, w) float32; shapes as in the procedural engine, relative to this lung."""
    out, up, front = lung.axes
    if finding.name == "effusion":
        rim = np.clip(np.maximum(out, 0) ** 2 + front**2, 0, 1.2)
        level = 0.8 * finding.size + (1.0 + 0.5 * finding.size) * rim**3 - lung.half[1]
        return room * logistic(4 * (level - up * np.float32(lung.half[1])))
    if finding.name == "oedema":
        share = np.float32(1.9 * finding.size) * np.exp(-1.6 * squares(lung, HILUM)) * (1 - 0.25 * up) * (1 + 0.3 * ragged(lung, texture))
        return room * np.clip(share, 0, 1)
    if finding.name == "atelectasis":  # the lower lobe folds against the spine and the dome; that the dome rises is in `bend`
        folded = squares(lung, (-0.35, -0.75, -0.45), (1.5, 2.4 - 1.2 * finding.severity, 1.5))
        return room * np.float32(0.6 + 0.35 * finding.severity) * logistic(3.5 * (1 - folded))
    away = np.sqrt(squares(lung, tuple(middle_of(lung, finding)), tuple(lung.half)))
    if finding.name == "consolidation":
        return room * np.float32(0.55 + 0.45 * finding.severity) * logistic(5 * (1 - away / finding.size + 0.16 * ragged(lung, texture)))
    lobed = 1 + 0.12 * ragged(lung, texture) if finding.name == "mass" else np.float32(1)
    return room * np.clip((finding.size * lobed - away) / 0.2 + 0.5, 0, 1)


def squares(lung: Lung, place: tuple[float, ...], scale: tuple[float, ...] = (1.0, 1.0, 1.0)) -> np.ndarray:
    """Squared distance (z, h, w) from a place of the lung (out, up, front), each axis times its scale."""
    out, up, front = (((axis - np.float32(at)) * np.float32(by)) ** 2 for axis, at, by in zip(lung.axes, place, scale))
    return up + front + out


def logistic(value: np.ndarray) -> np.ndarray:
    """From 0 to 1 without a jump."""
    return 0.5 + 0.5 * np.tanh(0.5 * value)


def middle_of(lung: Lung, finding: Finding) -> np.ndarray:
    """The finding's own place (3,) out, up, front, moved to the nearest one deep enough inside the lung."""
    deep = np.nonzero(lung.depth >= min(0.5 * finding.size, 0.6 * float(lung.depth.max())))
    out, up, front = lung.axes
    spots = np.stack([out[deep[2]], up[deep[0], 0, 0], front[deep[1], 0]])
    away = (spots - np.array(finding.place, np.float32)[:, None]) * lung.half[:, None].astype(np.float32)
    return spots[:, np.argmin((away**2).sum(0))]


def ragged(lung: Lung, texture: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
    """Noise of unit variance (z, h, w): a few plane waves, each a product of its parts along the axes."""
    heading, length, phase = texture
    along = heading * (length / np.sqrt((heading**2).sum(1)))[:, None] * lung.half
    out, up, front = (np.exp(1j * along[:, place, None] * axis.ravel()) for place, axis in enumerate(lung.axes))
    planes = (np.exp(1j * phase)[:, None, None] * up[:, :, None] * front[:, None]).reshape(WAVES, -1).astype(np.complex64)
    waves = planes.imag.T @ out.real.astype(np.float32) + planes.real.T @ out.imag.astype(np.float32)
    return waves.reshape(lung.inside.shape) * np.float32(np.sqrt(2 / WAVES))


def fallen(lung: Lung, numbers: np.ndarray, lost: float) -> tuple[np.ndarray, np.ndarray]:
    """CT numbers with the lung shrunk towards its hilum, and where only air is left; `lost` is the share of its width."""
    shrink = (1 - 0.75 * lost, 1 - 0.5 * lost, 1 - 0.45 * lost)
    out, up, front = (hilum + (axis - hilum) / size for axis, hilum, size in zip(lung.axes, (-0.9, -0.15, -0.05), shrink))
    way = np.sign(lung.axes[0][-1])
    voxels = [(axis + 1) / 2 * (size - 1) for axis, size in zip((up, -front, way * out), lung.inside.shape)]
    at = np.stack(np.broadcast_arrays(*voxels))
    outside = np.where(lung.inside, numbers, np.float32(-850))
    whole = ndimage.map_coordinates(outside, at, order=1, mode="constant", cval=-850.0)
    depth = ndimage.map_coordinates(lung.depth, at, order=1, mode="constant", cval=0.0)
    kept = lung.inside & (depth > 0)
    denser = 1000 * np.clip((whole / 1000 + 1) / float(np.prod(shrink)) ** 0.6, 0, 1.1) - 1000
    line = kept & (depth < LINE)
    found = np.where(kept, np.where(line, 0.0, denser), np.where(lung.inside, AIR, numbers))
    return found.astype(np.float32), lung.inside & ~kept
