"""The collimated field and what lies outside of it."""

from functools import lru_cache

import numpy as np

from workbench.phantom.thorax.acquisition import Acquisition

OUTSIDE = {"none": 0.0, "black": 0.01, "grey": 0.42, "white": 0.985}


@lru_cache(maxsize=4)
def lit(taken: Acquisition, size: int, rim: float = 1.0) -> np.ndarray | None:
    """Share of every pixel that lies between the blades (h, w); None where there are none."""
    if taken.border == "none" or not any(taken.blades):
        return None
    along = ((np.arange(size) + 0.5) / size - 0.5).astype(np.float32)
    cos, sin = (np.float32(function(np.deg2rad(taken.askew))) for function in (np.cos, np.sin))
    down, across = cos * along[:, None] - sin * along, sin * along[:, None] + cos * along
    free = np.full((size, size), 9.0, np.float32)
    for axis, sign, cut in zip((down, down, across, across), (1, -1, 1, -1), taken.blades):
        if cut:
            free = np.minimum(free, sign * axis + np.float32(0.5 - cut * rim))
    return np.clip(free * size + 0.5, 0, 1)


def bordered(grey: np.ndarray, taken: Acquisition, inside: np.ndarray | None) -> np.ndarray:
    """The film with its border."""
    return grey if inside is None else inside * grey + (1 - inside) * OUTSIDE[taken.border]
