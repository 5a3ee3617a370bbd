"""The loop along the rays, compiled by numba once per installation."""

from typing import Any

import numba
import numpy as np


@numba.njit(cache=True, nogil=True, error_model="numpy")
def march(hounsfield: Any, bits: Any, places: Any, size: int, step: float, water: float, soft: float, bone: float, kinds: int) -> Any:
    """Sums along `size` x `size` rays through CT numbers (z h w) and bits (z h w).

    `places` (3 s a b) are voxel places on a coarse grid of depths, rows and columns, the first and last of each at the film's edge; they
    are interpolated linearly. Returns soft tissue and bone (2 size size) in units of `step`, and how far each bit is set (kinds size size).
    """
    _, sparse, rows, columns = places.shape
    deep, high, wide = hounsfield.shape
    found, where = np.zeros((2, size, size), np.float32), np.zeros((kinds, size, size), np.float32)
    line, samples = np.empty((sparse, 3), np.float64), round((sparse - 1) / step) + 1
    for row in range(size):
        r = row * (rows - 1) / (size - 1)
        r0 = min(int(r), rows - 2)
        fr = r - r0
        for column in range(size):
            c = column * (columns - 1) / (size - 1)
            c0 = min(int(c), columns - 2)
            fc = c - c0
            for s in range(sparse):
                for axis in range(3):
                    upper = places[axis, s, r0, c0] * (1 - fc) + places[axis, s, r0, c0 + 1] * fc
                    lower = places[axis, s, r0 + 1, c0] * (1 - fc) + places[axis, s, r0 + 1, c0 + 1] * fc
                    line[s, axis] = upper * (1 - fr) + lower * fr
            tissue, hard = 0.0, 0.0
            for sample in range(samples):
                at = sample * step
                s0 = min(int(at), sparse - 2)
                fs = at - s0
                z = min(max(line[s0, 0] * (1 - fs) + line[s0 + 1, 0] * fs, 0.0), deep - 1.0)
                y = min(max(line[s0, 1] * (1 - fs) + line[s0 + 1, 1] * fs, 0.0), high - 1.0)
                x = min(max(line[s0, 2] * (1 - fs) + line[s0 + 1, 2] * fs, 0.0), wide - 1.0)
                z0, y0, x0 = min(int(z), deep - 2), min(int(y), high - 2), min(int(x), wide - 2)
                fz, fy, fx = z - z0, y - y0, x - x0
                value = 0.0
                for dz in range(2):
                    for dy in range(2):
                        share = (fz if dz else 1 - fz) * (fy if dy else 1 - fy)
                        near, far = hounsfield[z0 + dz, y0 + dy, x0], hounsfield[z0 + dz, y0 + dy, x0 + 1]
                        value += share * (near * (1 - fx) + far * fx)
                attenuation = water * (value / 1000 + 1)
                if attenuation > soft:
                    share = (attenuation - soft) / (bone - soft)
                    hard += share
                    tissue += max(1 - share, 0.0)
                elif attenuation > 0:
                    tissue += attenuation / soft
                mark = bits[int(z + 0.5), int(y + 0.5), int(x + 0.5)]
                kind = 0
                while mark:
                    if mark & 1:
                        where[kind, row, column] += 1
                    mark >>= 1
                    kind += 1
            found[0, row, column], found[1, row, column] = tissue, hard
    return found, where
