"""One scan bent into many patients: size, proportions, breath, an uneven warp, an enlarged heart, lost volume; smooth maps of space."""

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from workbench.phantom.ct.edits import WAY, Chest
from workbench.phantom.ct.scan import Scan
from workbench.phantom.thorax.latents import Study
from workbench.randomness import rng

KNOTS, UNEVEN = 5, 0.45  # control points along each axis, and cm that each is moved on average
REACH = np.array([20.0, 20.0, 15.0])  # cm, half of the box that the control points span
BREATH = 3.0  # cm that the domes move between a shallow and a deep breath
APEX, DOME = 12.0, -12.0  # cm, heights between which the breath stretches


class Bend(NamedTuple):
    """Where each point of a patient comes from in the scan."""

    stretch: np.ndarray  # (3,) patient's length per scan length: left, up, front
    knots: np.ndarray  # (3, n, n, n) cm over (up, front, left)
    breath: float  # cm the domes lie lower than in the scan
    heart: np.ndarray  # (3,) its middle, cm, scan axes
    heart_half: np.ndarray  # (3,)
    growth: float  # log of the heart's scale
    lost: dict[int, float]  # -1 right, 1 left -> cm that the dome rises where volume is lost

    def source(self, points: np.ndarray) -> np.ndarray:
        """Scan axes (3, n) in cm of patient points (3, n); both have x to the patient's left, y up, z to the front."""
        at = points / self.stretch[:, None]
        place = (at[[1, 2, 0]] / REACH[[1, 2, 0], None] + 1) / 2 * (self.knots.shape[1] - 1)
        at = at + np.stack([ndimage.map_coordinates(each, place, order=1, mode="nearest") for each in self.knots])
        low = np.clip((APEX - at[1]) / (APEX - DOME), 0, 1.2)
        at[1] += self.breath * low
        for way, size in self.lost.items():
            at[1] -= size * low / (1 + np.exp(-way * at[0] / 1.5))
            at[0] -= 0.35 * way * size * np.exp(-((at[0] / 9) ** 2))
        away = at - self.heart[:, None]
        near = np.exp(-(((away / (1.8 * self.heart_half[:, None])) ** 2).sum(0) ** 2))
        return at + away * near * np.expm1(-self.growth)


def bend_of(chest: Chest, study: Study) -> Bend:
    """The map of one study: shape by the patient, breath and heart by the study."""
    own = study.patient
    draw = rng(study.seed, "ct warp", 0, study.patient_index)
    knots = np.stack([ndimage.zoom(each, 3, order=3) for each in UNEVEN * draw.normal(size=(3, KNOTS, KNOTS, KNOTS))])
    stretch = np.exp(own.size + np.array([0.03 * own.shape[0], 0.042 * own.shape[1], 0.024 * own.shape[2]]))
    low, high = to_axes(chest.scan, chest.heart.T).T
    grown = sum(each.size for each in study.findings if each.name == "cardiomegaly")
    lost = {WAY[each.side]: each.size for each in study.findings if each.name == "atelectasis"}
    return Bend(stretch, knots, BREATH * (study.inspiration - 0.6), (low + high) / 2, abs(high - low) / 2, own.heart + grown, lost)


def to_axes(scan: Scan, voxels: np.ndarray) -> np.ndarray:
    """Patient axes in cm (3, n) of voxel places (z, h, w) (3, n)."""
    up, front, left = (voxels - np.array(scan.middle)[:, None]) * np.array(scan.spacing_mm)[:, None] / 10
    return np.stack([left, up, -front])


def to_voxels(scan: Scan, points: np.ndarray) -> np.ndarray:
    """Voxel places (z, h, w) (3, n) of patient axes in cm (3, n)."""
    left, up, front = points
    return np.stack([up, -front, left]) * 10 / np.array(scan.spacing_mm)[:, None] + np.array(scan.middle)[:, None]
