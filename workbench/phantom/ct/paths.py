"""How far every ray of a film runs in soft tissue and bone of a bent and edited CT, and where its structures are."""

import numpy as np

from workbench.phantom.ct.bend import bend_of, to_voxels
from workbench.phantom.ct.edits import ORGANS, Chest, Edited, edited
from workbench.phantom.thorax.film import beam_of, turned
from workbench.phantom.thorax.latents import Study
from workbench.phantom.thorax.materials import BONE, SOFT, WATER
from workbench.phantom.thorax.paths import Paths

STEP = 0.25  # cm between samples of a ray
SPARSE = 1.0  # cm between the depths at which the map of space is worked out
DEEP = 17.0  # cm before and behind the middle of the patient
MIDDLE = np.array([0.0, -1.5, 0.0])  # cm: where the middle of the lungs lies in patient axes
COARSE = 4  # rays for each place at which the map of space is worked out
SEEN = {  # cm of a ray that make a mask
    "right lung": 1.0,
    "left lung": 1.0,
    "heart": 0.5,
    "effusion": 0.8,
    "consolidation": 1.0,
    "atelectasis": 1.0,
    "oedema": 4.0,
    "pneumothorax": 3.0,
    "nodule": 0.3,
    "mass": 0.3,
}


def paths(chest: Chest, study: Study, size: int) -> Paths:
    """Lengths through the CT of a study on a film `size` rays across.

    Every voxel is air and soft tissue or soft tissue and bone, whichever mixture has its attenuation at the first energy; fat counts as
    thinner soft tissue. What leaves the scan goes on as at its rim.
    """
    from workbench.phantom.ct.kernels import march

    found = edited(chest, study)
    bits, keys = marked(chest, found)
    materials = (float(WATER[0]), float(SOFT[0]), float(BONE[0]))
    (soft, bone), where = march(found.hounsfield, bits, places(chest, study, size), size, STEP / SPARSE, *materials, len(keys))
    inside = {key: share * STEP > SEEN[key[0]] for key, share in zip(keys, where)}
    long = beam_of(study, size).slant * STEP
    none = np.zeros_like(long)
    return Paths(soft * long, none, bone * long, none, none, inside)


def marked(chest: Chest, found: Edited) -> tuple[np.ndarray, list[tuple[str, str]]]:
    """A bit for each organ and finding (z h w) uint32, and which is which: (name, side)."""
    keys = [(name, name.removesuffix(" lung") if "lung" in name else "") for name in ORGANS]
    bits = chest.bits.copy() if found.where else chest.bits
    for key, parts in found.where.items():
        for box, where in parts:
            bits[box] |= where.astype(np.uint32) << np.uint32(len(keys))
        keys.append(key)
    return bits, keys


def places(chest: Chest, study: Study, size: int) -> np.ndarray:
    """Voxel places (3, depths, rows, columns) on a coarse grid of rays from edge to edge of the film; the map of space is smooth."""
    beam = beam_of(study, size)
    depth = np.arange(-DEEP, DEEP + SPARSE / 2, SPARSE)
    few = max(size // COARSE, 2)
    rows, columns = (np.linspace(ends[0], ends[-1], few) for ends in (beam.y[:, 0], beam.x[0]))
    opened = (beam.alpha + beam.beta * depth)[:, None, None]
    seen = np.stack(np.broadcast_arrays(columns * opened, rows[:, None] * opened, depth[:, None, None])).reshape(3, -1)
    at = to_voxels(chest.scan, bend_of(chest, study).source(turned(study).T @ seen - MIDDLE[:, None]))
    return at.reshape(3, len(depth), few, few).astype(np.float32)
