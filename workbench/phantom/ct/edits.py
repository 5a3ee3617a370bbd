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
HILUM = (-0.45, 0.0, -0.05)  # out, up, front


class Lung(NamedTuple):
    """One lung inside its bounding box."""

    box: tuple[slice, slice, slice]
    inside: np.ndarray  # (z, h, w) bool
    depth: np.ndarray  # (z, h, w) cm from the lung's surface
    place: np.ndarray  # (3, z, h, w) out, up and front in [-1, 1]
    half: np.ndarray  # (3,) cm from the middle to the side, the top and the front


class Chest(NamedTuple):
    """A scan and what its findings need to know of it."""

    scan: Scan
    lungs: dict[str, Lung]


def chest_of(scan: Scan) -> Chest:
    """Measure both lungs of a scan once."""
    return Chest(scan, {side: lung_of(scan, side) for side in SIDES})


def lung_of(scan: Scan, side: str) -> Lung:
    """The lung with coordinates relative to its bounding box."""
    whole = scan.organ(f"{side} lung")
    box = tuple(
        slice(int(found[0]), int(found[-1]) + 1) for found in map(np.flatnonzero, (whole.any((1, 2)), whole.any((0, 2)), whole.any((0, 1))))
    )
    inside = whole[box]
    spacing = np.array(scan.spacing_mm) / 10
    up, front, left = (np.linspace(-1, 1, size, dtype=np.float32) for size in inside.shape)
    place = np.stack(np.broadcast_arrays(WAY[side] * left, up[:, None, None], -front[:, None]))
    depth = ndimage.distance_transform_edt(np.pad(inside, 1), spacing)[1:-1, 1:-1, 1:-1].astype(np.float32)
    half = (np.array(inside.shape) * spacing / 2)[[2, 0, 1]]
    return Lung(box, inside, depth, place, half)  # type: ignore[arg-type]


class Edited(NamedTuple):
    """CT numbers with the findings in, and where each is."""

    hounsfield: np.ndarray  # (z, h, w) float32
    where: dict[tuple[str, str], tuple[tuple[slice, slice, slice], np.ndarray]]  # (finding, side) -> box and bool inside it


def edited(chest: Chest, study: Study) -> Edited:
    """Write every finding of a study but an enlarged heart; air of the pleura first, then lesions, then water."""
    numbers, where = chest.scan.hounsfield.astype(np.float32), dict[tuple[str, str], tuple[tuple[slice, slice, slice], np.ndarray]]()
    for number, side in enumerate(SIDES):
        lung, own = chest.lungs[side], {each.name: each for each in study.findings if each.side in ("", side)}
        part, air = numbers[lung.box], np.zeros_like(lung.inside)
        waves = rng(study.seed, "ct texture", number, study.number)
        texture = (waves.normal(size=(WAVES, 3)), waves.uniform(0.8, 3.2, size=WAVES), waves.uniform(0, 2 * np.pi, size=WAVES))
        if "pneumothorax" in own:
            part[...], air = fallen(lung, part, own["pneumothorax"].size)
            where["pneumothorax", side] = lung.box, air
        for name in ("oedema", "consolidation", "atelectasis", "nodule", "mass", "effusion"):
            if name in own:
                share = weight(lung, own[name], lung.inside if name == "effusion" else lung.inside & ~air, texture)
                part += share * ((WATER if name == "effusion" else TISSUE) - part)
                where[name, "" if name == "oedema" else side] = join(
                    where.get((name, "")), lung.box, share > (0.12 if name == "oedema" else 0.4), numbers
                )
    return Edited(numbers, where)


def join(
    first: tuple[tuple[slice, slice, slice], np.ndarray] | None, box: tuple[slice, slice, slice], inside: np.ndarray, whole: np.ndarray
) -> tuple[tuple[slice, slice, slice], np.ndarray]:
    """A finding of one lung together with that of the other, where it has both."""
    if first is None:
        return box, inside
    both = np.zeros(whole.shape, bool)
    both[first[0]] |= first[1]
    both[box] |= inside
    return (slice(0, whole.shape[0]), slice(0, whole.shape[1]), slice(0, whole.shape[2])), both


def weight(lung: Lung, finding: Finding, room: np.ndarray, texture: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
    """Share in [0, 1] of every voxel that a finding fills (z, h, w); shapes as in the procedural engine, relative to this lung."""
    if finding.name == "effusion":
        out, up, front = lung.place
        rim = np.clip(np.maximum(out, 0) ** 2 + front**2, 0, 1.2)
        level = 0.8 * finding.size + (1.0 + 0.5 * finding.size) * rim**3 - lung.half[1]
        return room / (1 + np.exp(-np.clip(4 * (level - up * lung.half[1]), -30, 30)))
    if finding.name == "oedema":
        away = ((lung.place - np.array(HILUM)[:, None, None, None]) ** 2).sum(0)
        share = 1.9 * finding.size * np.exp(-1.6 * away) * (1 - 0.25 * lung.place[1]) * (1 + 0.3 * ragged(lung, texture))
        return room * np.clip(share, 0, 1)
    if finding.name == "atelectasis":  # the lower lobe folds against the spine and the dome; that the dome rises is in `bend`
        folded = (lung.place - np.array([-0.35, -0.75, -0.45])[:, None, None, None]) * np.array([1.5, 2.4 - 1.2 * finding.severity, 1.5])[
            :, None, None, None
        ]
        return room * (0.6 + 0.35 * finding.severity) / (1 + np.exp(-3.5 * (1 - (folded**2).sum(0))))
    middle = middle_of(lung, finding)
    away = np.sqrt((((lung.place - middle[:, None, None, None]) * lung.half[:, None, None, None]) ** 2).sum(0))
    if finding.name == "consolidation":
        edge = 5 * (1 - away / finding.size + 0.16 * ragged(lung, texture))
        return room * (0.55 + 0.45 * finding.severity) / (1 + np.exp(-np.clip(edge, -30, 30)))
    lobed = 1 + 0.12 * ragged(lung, texture) if finding.name == "mass" else 1.0
    return room * np.clip((finding.size * lobed - away) / 0.2 + 0.5, 0, 1)


def middle_of(lung: Lung, finding: Finding) -> np.ndarray:
    """The finding's own place (3,), moved to the nearest one deep enough inside the lung."""
    wanted = np.array(finding.place)
    deep = lung.inside & (lung.depth >= min(0.5 * finding.size, 0.6 * float(lung.depth.max())))
    spots = lung.place[:, deep]
    return spots[:, np.argmin((((spots - wanted[:, None]) * lung.half[:, None]) ** 2).sum(0))]


def ragged(lung: Lung, texture: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
    """Noise of unit variance (z, h, w): a few plane waves."""
    heading, length, phase = texture
    along = heading * (length / np.sqrt((heading**2).sum(1)))[:, None] * lung.half
    angle = np.tensordot(along, lung.place, 1) + phase[:, None, None, None]
    return np.sin(angle).sum(0) * np.sqrt(2 / WAVES)


def fallen(lung: Lung, numbers: np.ndarray, lost: float) -> tuple[np.ndarray, np.ndarray]:
    """CT numbers with the lung shrunk towards its hilum, and where only air is left; `lost` is the share of its width."""
    shrink = np.array([1 - 0.75 * lost, 1 - 0.5 * lost, 1 - 0.45 * lost])[:, None, None, None]
    hilum = np.array([-0.9, -0.15, -0.05])[:, None, None, None]
    from_place = hilum + (lung.place - hilum) / shrink
    shape = np.array(lung.inside.shape)
    way = np.sign(lung.place[0, 0, 0, -1])
    at = np.stack([from_place[1], -from_place[2], way * from_place[0]])
    at = (at + 1) / 2 * (shape - 1)[:, None, None, None]
    outside = np.where(lung.inside, numbers, np.float32(-850))
    whole = ndimage.map_coordinates(outside, at, order=1, mode="constant", cval=-850.0)
    depth = ndimage.map_coordinates(lung.depth, at, order=1, mode="constant", cval=0.0)
    kept = lung.inside & (depth > 0)
    denser = 1000 * np.clip((whole / 1000 + 1) / float(shrink.prod()) ** 0.6, 0, 1.1) - 1000
    line = kept & (depth < LINE)
    found = np.where(kept, np.where(line, 0.0, denser), np.where(lung.inside, AIR, numbers))
    return found.astype(np.float32), lung.inside & ~kept
