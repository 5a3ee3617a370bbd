"""Outlines of lungs as landmarks: of the human masks of the torchxrayvision package and of any other pair of masks; x to image right, y up."""

import io
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

BORDER = np.linspace(0.06, 0.94, 8)  # places along the border beside the chest wall and that beside the mediastinum, from the apex down
FOOT = np.linspace(0.1, 0.9, 6)  # along the dome, from the middle out
POINTS = 3 + 2 * len(BORDER) + len(FOOT)  # of one lung
SIZE = 480  # pixels, the longer side at which a mask is read
LEAST = 0.02  # of the picture, a lung


class Outlines(NamedTuple):
    """Landmarks (n, 2 * POINTS, 2) of those kept, the image's left lung first, and how many were left out and why."""

    points: np.ndarray
    kept: list[str]
    left_out: dict[str, int]


def extreme(rows: np.ndarray, columns: np.ndarray, across: float, down: float) -> np.ndarray:
    """The outermost point (x, y) in a direction; the mean where several pixels are."""
    value = across * columns + down * rows
    far = value > value.max() - 1.0
    return np.array([columns[far].mean(), -rows[far].mean()])


def lung_points(mask: np.ndarray, way: int) -> np.ndarray:
    """Landmarks (POINTS, 2) of one lung (h, w) on the image's left (way -1) or right (1): apex, outer and inner foot; outer border, inner border, dome."""
    rows, columns = np.nonzero(mask)
    reach = np.ptp(rows)
    top = rows < rows.min() + 0.015 * reach
    apex = np.array([columns[top].mean(), -float(rows.min())])
    outer, inner = extreme(rows, columns, 0.7 * way, 1.0), extreme(rows, columns, -way, 0.8)
    tall, long = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    first, last = mask[tall].argmax(1), mask.shape[1] - 1 - mask[tall][:, ::-1].argmax(1)
    lowest = mask.shape[0] - 1 - mask[::-1, long].argmax(0)
    far, near = (last, first) if way > 0 else (first, last)
    found = [apex, outer, inner]
    for foot, border in ((outer, far), (inner, near)):
        height = apex[1] + BORDER * (foot[1] - apex[1])
        found += list(np.stack([np.interp(-height, tall, border), height], 1))
    place = inner[0] + FOOT * (outer[0] - inner[0])
    return np.array([*found, *np.stack([place, -np.interp(place, long, lowest)], 1)])


def pair_points(masks: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Landmarks (2 * POINTS, 2) of two lungs, that on the image's left first."""
    return np.concatenate([lung_points(mask, way) for mask, way in zip(masks, (-1, 1))])


def lungs_of(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray] | str:
    """Both lungs of a mask (h, w), that on the image's left first; or why they cannot be used."""
    near, solid = max(round(0.01 * min(mask.shape)), 1), ndimage.binary_fill_holes(mask)
    parts, count = ndimage.label(solid)
    large = [each for each in range(1, count + 1) if (parts == each).sum() > LEAST * mask.size]
    if len(large) != 2:
        return "not two lungs"
    lungs = sorted((parts == each for each in large), key=lambda lung: np.nonzero(lung)[1].mean())
    both = np.logical_or(*lungs)
    if both[: near + 1].any() or both[-near - 1 :].any() or both[:, : near + 1].any() or both[:, -near - 1 :].any():
        return "cut by the picture's edge"
    return lungs[0], lungs[1]


def read(path: Path) -> Outlines:
    """All masks of the archive that show two whole lungs; side views have empty masks."""
    points, kept, left_out = [], [], dict[str, int]()
    with zipfile.ZipFile(path) as packed:
        for name in sorted(each for each in packed.namelist() if not each.endswith("/")):
            picture = Image.open(io.BytesIO(packed.read(name)))
            picture.thumbnail((SIZE, SIZE), Image.Resampling.NEAREST)
            mask = np.asarray(picture) == 255
            found = lungs_of(mask) if mask.any() else "empty: side views"
            if isinstance(found, str):
                left_out[found] = left_out.get(found, 0) + 1
            else:
                points.append(pair_points(found))
                kept.append(Path(name).name)
    return Outlines(np.array(points), kept, left_out)


def aligned(points: np.ndarray, onto: np.ndarray) -> np.ndarray:
    """Outlines (n, k, 2) moved, turned and scaled onto one (k, 2): the least squares similarity of each."""
    target = (onto - onto.mean(0)) @ (1, 1j)
    own = (points - points.mean(1, keepdims=True)) @ (1, 1j)
    change = (own.conj() @ target) / (abs(own) ** 2).sum(1)
    moved = own * change[:, None]
    return np.stack([moved.real, moved.imag], 2) + onto.mean(0)
