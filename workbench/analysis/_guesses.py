"""What anyone would paint into hidden patches without a network: four guesses from what is visible."""

from collections.abc import Mapping

import numpy as np
from scipy.interpolate import griddata
from scipy.ndimage import binary_dilation

RING = 2  # pixels around a hidden patch that its cubic interpolation looks at
GUESSES: Mapping[str, str] = {
    "zero": "zero everywhere",
    "mean patch": "the mean of the visible patches",
    "nearest": "the nearest visible patch, copied",
    "cubic": "cubic interpolation of the visible pixels",
}


def patches_of(images: np.ndarray, patch: int) -> np.ndarray:
    """Images (… c h w) -> (… n p): patches row by row, the channel running fastest."""
    *lead, channels, height, width = images.shape
    cut = images.reshape(*lead, channels, height // patch, patch, width // patch, patch)
    axes = [*range(len(lead)), *(len(lead) + axis for axis in (1, 3, 2, 4, 0))]
    return cut.transpose(axes).reshape(*lead, (height // patch) * (width // patch), patch * patch * channels)


def image_of(patches: np.ndarray, patch: int, channels: int = 1) -> np.ndarray:
    """Patches (n p) -> image (c h w)."""
    side = round(len(patches) ** 0.5)
    return patches.reshape(side, side, patch, patch, channels).transpose(4, 0, 2, 1, 3).reshape(channels, side * patch, side * patch)


def guesses(patches: np.ndarray, mask: np.ndarray, patch: int) -> dict[str, np.ndarray]:
    """The four guesses for patches (n p) under a mask (n), 1 hidden: each (n p), NaN where it needs a visible patch and there is none.

    What a guess says of a visible patch is that patch.
    """
    hidden = mask.astype(bool)
    channels = patches.shape[1] // patch**2
    found = {name: np.where(hidden[:, None], np.nan, patches) for name in GUESSES}
    found["zero"][hidden] = 0.0
    if hidden.any() and not hidden.all():
        found["mean patch"][hidden] = patches[~hidden].mean(0)
        found["nearest"][hidden] = patches[nearest(hidden)]
        found["cubic"] = cubic(patches, hidden, patch, channels)
    return found


def nearest(hidden: np.ndarray) -> np.ndarray:
    """For each hidden patch (n bool on a square grid) the visible one whose centre is nearest; of equals the first in reading order."""
    side = round(len(hidden) ** 0.5)
    row, column = np.divmod(np.arange(len(hidden)), side)
    away, seen = np.flatnonzero(hidden), np.flatnonzero(~hidden)
    distance = (row[away, None] - row[seen]) ** 2 + (column[away, None] - column[seen]) ** 2
    return seen[distance.argmin(1)]


def cubic(patches: np.ndarray, hidden: np.ndarray, patch: int, channels: int) -> np.ndarray:
    """Clough-Tocher interpolation of the pixels around hidden patches; outside their hull the nearest pixel."""
    image = image_of(patches, patch, channels).transpose(1, 2, 0).astype(np.float64)
    away = np.kron(hidden.reshape(round(len(hidden) ** 0.5), -1), np.ones((patch, patch), bool))
    seen = ~away & binary_dilation(away, np.ones((3, 3), bool), iterations=RING)
    at, values, wanted = np.argwhere(seen), image[seen], np.argwhere(away)
    painted = griddata(at, values, wanted, method="cubic")
    outside = np.isnan(painted).any(1)
    if outside.any():
        painted[outside] = griddata(at, values, wanted[outside], method="nearest")
    image[away] = painted
    return patches_of(image.transpose(2, 0, 1), patch)
