"""How far every ray of a film runs in soft tissue and bone of a bent and edited CT, and where its structures are."""

import numpy as np
from scipy import ndimage

from workbench.phantom.ct import SIDES
from workbench.phantom.ct.bend import bend_of, to_voxels
from workbench.phantom.ct.edits import Chest, edited
from workbench.phantom.thorax.film import beam_of, turned
from workbench.phantom.thorax.latents import Study
from workbench.phantom.thorax.materials import BONE, SOFT, WATER
from workbench.phantom.thorax.paths import Paths

STEP = 0.3  # cm between samples of a ray
DEEP = 17.0  # cm before and behind the middle of the patient
MIDDLE = np.array([0.0, -1.0, 0.0])  # cm: where the middle of the lungs lies in patient axes
COARSE = 4  # rays for each place at which the map of space is worked out
SEEN = {
    "heart": 0.5,
    "effusion": 0.8,
    "consolidation": 1.0,
    "atelectasis": 1.0,
    "oedema": 4.0,
    "pneumothorax": 0.6,
}  # cm of a ray that make a mask


def paths(chest: Chest, study: Study, size: int) -> Paths:
    """Lengths through the CT of a study on a film `size` rays across.

    Every voxel is air and soft tissue or soft tissue and bone, whichever mixture has its attenuation at the first energy; fat counts as
    thinner soft tissue.
    """
    scan, found = chest.scan, edited(chest, study)
    at = places(chest, study, size)
    soft, bone = (sum_along(part, at, 1, STEP).reshape(size, size) for part in mixtures(found.hounsfield))
    inside = dict[tuple[str, str], np.ndarray]()
    coarse = at[:, ::2]

    def seen(where: np.ndarray, enough: float) -> np.ndarray:
        return sum_along(where.astype(np.float32), coarse, 0, 2 * STEP).reshape(size, size) > enough

    inside["heart", ""] = seen(scan.organ("heart"), SEEN["heart"])
    for side in SIDES:
        inside[f"{side} lung", side] = seen(scan.organ(f"{side} lung"), 1.0)
    for (name, side), (box, where) in found.where.items():
        whole = np.zeros(scan.organs.shape, bool)
        whole[box] = where
        inside[name, side] = seen(whole, SEEN.get(name, 0.2))
    long = beam_of(study, size).slant
    none = np.zeros_like(long)
    return Paths(soft * long, none, bone * long, none, none, inside)


def mixtures(hounsfield: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of soft tissue and of bone in every voxel (z, h, w)."""
    attenuation = np.maximum(WATER[0] * (hounsfield / 1000 + 1), 0).astype(np.float32)
    bone = np.clip((attenuation - SOFT[0]) / (BONE[0] - SOFT[0]), 0, None)
    return np.where(bone > 0, np.maximum(1 - bone, 0), attenuation / SOFT[0]).astype(np.float32), bone.astype(np.float32)


def places(chest: Chest, study: Study, size: int) -> np.ndarray:
    """Voxel places (3, samples, rays) along every ray; the smooth map of space is worked out on a coarser grid and interpolated."""
    beam = beam_of(study, size)
    depth = np.arange(-DEEP, DEEP, STEP) + STEP / 2
    few = max(size // COARSE, 2)
    rows = np.interp(np.linspace(0, size - 1, few), np.arange(size), beam.y[:, 0])
    columns = np.interp(np.linspace(0, size - 1, few), np.arange(size), beam.x[0])
    sparse = np.linspace(depth[0], depth[-1], len(depth) // 4)
    opened = (beam.alpha + beam.beta * sparse)[:, None, None]
    seen = np.stack(np.broadcast_arrays(columns * opened, rows[:, None] * opened, sparse[:, None, None])).reshape(3, -1)
    at = to_voxels(chest.scan, bend_of(chest.scan, study).source(turned(study).T @ seen - MIDDLE[:, None]))
    at = at.reshape(3, len(sparse), few, few).astype(np.float32)
    finer = [linear(len(depth), len(sparse)), linear(size, few), linear(size, few)]
    for axis, matrix in enumerate(finer):
        at = np.moveaxis(np.tensordot(matrix, at, (1, axis + 1)), 0, axis + 1)
    return at.reshape(3, len(depth), -1)


def linear(fine: int, coarse: int) -> np.ndarray:
    """Linear interpolation between the ends of two rows of samples (fine, coarse)."""
    at = np.linspace(0, coarse - 1, fine)
    return np.maximum(1 - np.abs(at[:, None] - np.arange(coarse)), 0).astype(np.float32)


def sum_along(values: np.ndarray, at: np.ndarray, order: int, step: float) -> np.ndarray:
    """Sum along rays (rays,) of values (z, h, w) at voxel places (3, samples, rays), times the step; what leaves the scan goes on as at its rim."""
    total = np.zeros(at.shape[2], np.float32)
    for sample in range(at.shape[1]):
        total += ndimage.map_coordinates(values, at[:, sample], order=order, mode="nearest", prefilter=False)
    return total * np.float32(step)
